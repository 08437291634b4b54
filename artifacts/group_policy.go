package artifacts

import (
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "group-policy",
	Title:        "Group Policy: processing, drive maps and scripts",
	What:         "Microsoft-Windows-GroupPolicy/Operational 4000 to 4007 (processing began), 4016, 5016, 6016, 7016 (an extension began, ended, with warnings, or failed) and 4018, 5018 (a script began, ended)",
	Proves:       "at that time Group Policy ran that extension or kind of script; drive_maps marks the extension that makes and removes drives",
	DoesNotProve: "which drives it made or removed, or that a script did so: that is in the Application log, the script and the policy",
	Reference:    "manifest of the provider Microsoft-Windows-GroupPolicy (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-GroupPolicy/Operational", "Microsoft-Windows-GroupPolicy", idsOf(groupPolicyEvents)}},
	OpenLog:      each(readGroupPolicy),
	Files:        []string{logFolder + "Microsoft-Windows-GroupPolicy%4Operational.evtx"},
})

// groupPolicyEvents say what happened; %s is the account, extension or script.
var groupPolicyEvents = map[uint32]string{
	4000: "Group Policy processing began for %s.",
	4001: "Group Policy processing began for %s.",
	4002: "Group Policy processing began for %s.",
	4003: "Group Policy processing began for %s.",
	4004: "Group Policy processing began for %s.",
	4005: "Group Policy processing began for %s.",
	4006: "Group Policy processing began for %s.",
	4007: "Group Policy processing began for %s.",
	4016: "The Group Policy extension %s began.",
	5016: "The Group Policy extension %s ended.",
	6016: "The Group Policy extension %s ended with warnings.",
	7016: "The Group Policy extension %s failed.",
	4018: "Group Policy began to run %s scripts.",
	5018: "Group Policy ended running %s scripts.",
}

// driveMapsExtension is the id of the extension that maps drives.
const driveMapsExtension = "{5794DAFD-BE60-433F-88A2-1A31939AC01F}"

// scriptTypes name the values of ScriptType.
var scriptTypes = map[string]string{"0": "startup", "1": "logon", "2": "logoff", "3": "shutdown"}

func readGroupPolicy(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Detail: data.all()}
	byHeader(&o, rec)
	what := ""
	switch rec.EventID {
	case 4016, 5016, 6016, 7016:
		what = quoted(given(data.Text("CSEExtensionName")), given(data.Text("CSEExtensionId")))
		if strings.EqualFold(data.Text("CSEExtensionId"), driveMapsExtension) || strings.EqualFold(what, "Group Policy Drive Maps") {
			o.Detail = append(o.Detail, evidence.Field{Name: "drive_maps", Value: true})
		}
	case 4018, 5018:
		byPrincipal(&o, data)
		what = given(data.Text("ScriptType"))
		if s := scriptTypes[what]; s != "" {
			what = s
			o.Detail = append(o.Detail, evidence.Field{Name: textName("ScriptType"), Value: s})
		}
	default:
		byPrincipal(&o, data)
		what = given(data.Text("PrincipalSamName"))
	}
	o.Summary = fmt.Sprintf(groupPolicyEvents[rec.EventID], clip(quoted(what, "of an unknown name")))
	out.ObserveRecord(rec, o)
}

// byPrincipal fills in the user whose policy is processed. The policy of the
// computer is that of the account NAME$.
func byPrincipal(o *evidence.Observation, data Data) {
	byName(o, data.Text("PrincipalSamName"))
	if strings.HasSuffix(o.User, "$") {
		o.SID = ""
	}
}
