package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "explicit-credentials",
	Title:        "logons with explicit credentials",
	What:         "Security 4648; TargetInfo cifs/<server> comes from the SMB client",
	Proves:       "a process of that session tried to log on to that server as another account at that time",
	DoesNotProve: "that it succeeded, which share it wanted, or that a drive was mapped",
	Reference:    "Microsoft, Windows security auditing: event 4648",
	Events:       []Events{{securityChannel, auditingProvider, []uint32{4648}}},
	OpenLog:      each(readExplicitCredentials),
	Files:        []string{securityLog},
})

func readExplicitCredentials(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client}
	account(&o, data, "Subject")
	o.Peer = given(data.Text("TargetServerName"))
	if strings.EqualFold(o.Peer, "localhost") && !out.allContext {
		return // services logging on to their own computer, by the hundred
	}
	o.Summary = "A logon to " + quoted(o.Peer, "an unnamed server") + " with explicit credentials was tried."
	o.Detail = append(o.Detail, data.fields("TargetUserName", "TargetDomainName", "TargetInfo", "ProcessName")...)
	if p := pid(data.Text("ProcessId")); p != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "ProcessId", Value: p})
	}
	out.ObserveRecord(rec, o)
}
