package artifacts

import (
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "audit-changes",
	Title:        "changes of what the Security log records",
	What:         "Security 4719",
	Proves:       "at that time that account changed whether that subcategory is recorded",
	DoesNotProve: "intent: a refresh of Group Policy changes it too",
	Reference:    "Microsoft, Windows security auditing: event 4719",
	Events:       []Events{{securityChannel, auditingProvider, []uint32{4719}}},
	OpenLog:      each(readAuditChanges),
	Files:        []string{securityLog},
})

// auditChanges name the codes of AuditPolicyChanges (msobjs.dll).
var auditChanges = map[string]string{
	"%%8448": "success removed",
	"%%8449": "success added",
	"%%8450": "failure removed",
	"%%8451": "failure added",
}

func readAuditChanges(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context}
	account(&o, data, "Subject")
	sub := subcategoryOf(data.Text("SubcategoryId"))
	var changes []string
	for _, code := range strings.FieldsFunc(data.Text("AuditPolicyChanges"), func(r rune) bool { return r <= ' ' || r == ',' || r == ';' }) {
		if s, ok := auditChanges[code]; ok {
			code = s
		}
		changes = append(changes, clip(code))
	}
	o.Detail = append(o.Detail, evidence.Field{Name: "subcategory", Value: sub}, evidence.Field{Name: "changes", Value: strings.Join(changes, ", ")})
	o.Detail = append(o.Detail, data.fields("SubcategoryGuid", "SubcategoryId", "AuditPolicyChanges")...)
	o.Summary = "The auditing of " + quoted(sub, "an unnamed subcategory") + " was changed: " + quoted(strings.Join(changes, ", "), "how is not recorded") + "."
	out.ObserveRecord(rec, o)
}

// subcategoryOf names the subcategory of a code such as %%12808; the code
// itself if there is none.
func subcategoryOf(code string) string {
	code = given(code)
	n, err := strconv.Atoi(strings.TrimPrefix(code, "%%"))
	if err != nil || n < 0x3000 || n >= 0x3000+len(subcategories)<<8 {
		return clip(code)
	}
	category, index := (n-0x3000)>>8, n&0xff
	if index >= len(subcategories[category]) {
		return code
	}
	return subcategories[category][index]
}
