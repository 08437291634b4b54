package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "ntlm",
	Title:        "outgoing NTLM logons to file servers",
	What:         "Microsoft-Windows-NTLM/Operational 8001 (audited), 4001 (blocked), where the target is cifs/<server>; other targets only with all context",
	Proves:       "that account's session was about to log on to that file server with NTLM at that time",
	DoesNotProve: "that it succeeded, or which share it wanted. The auditing is off by default",
	Reference:    "manifest of the provider Microsoft-Windows-NTLM (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-NTLM/Operational", "Microsoft-Windows-NTLM", idsOf(ntlmEvents)}},
	OpenLog: contexts(evidence.Client, ntlmEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool {
		class, host, _ := strings.Cut(given(data.Text("TargetName")), "/")
		o.Peer = clip(host)
		o.User, o.LogonID = clip(given(data.Text("ClientUserName"))), logonID(data.Text("ClientLUID"))
		byHeader(o, rec)
		if d := given(data.Text("ClientDomainName")); d != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "domain", Value: clip(d)})
		}
		return out.allContext || strings.EqualFold(class, "cifs")
	}, "ClientUserName", "ClientDomainName", "ClientLUID"),
	Files: []string{logFolder + "Microsoft-Windows-NTLM%4Operational.evtx"},
})

var ntlmEvents = map[uint32]string{
	4001: "An NTLM logon to another computer was blocked.",
	8001: "An NTLM logon to another computer was tried.",
}
