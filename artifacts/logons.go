package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "logons",
	Title:        "logons and logoffs",
	What:         "Security 4624, 4634, 4647 and System 7001, 7002 (Winlogon)",
	Proves:       "a session of that account began or ended at that time. On a file server a session of type 3 bounds the use of its shares",
	DoesNotProve: "that a share was used: type 3 is also WMI, RPC and others. An end by idle time-out is no act of the user",
	Reference:    "Microsoft, Windows security auditing: events 4624, 4634, 4647",
	Events: []Events{
		{securityChannel, auditingProvider, []uint32{4624, 4634, 4647}},
		{systemChannel, "Microsoft-Windows-Winlogon", []uint32{7001, 7002}},
	},
	OpenLog: each(readLogons),
	Files:   []string{securityLog, systemLog},
})

// logonTypes name the values of LogonType.
var logonTypes = map[string]string{
	"0": "system", "2": "interactive", "3": "network", "4": "batch", "5": "service", "7": "unlock", "8": "network, clear text",
	"9": "new credentials", "10": "remote interactive", "11": "cached interactive", "12": "cached remote interactive", "13": "cached unlock",
}

func readLogons(rec *eventlog.Record, data Data, out *Emitter) {
	var o evidence.Observation
	switch rec.EventID {
	case 7001, 7002:
		o.SID = data.Text("UserSid")
		o.Detail = data.fields("TSId")
		o.Action, o.Summary = evidence.Logon, "Logon at the computer."
		if rec.EventID == 7002 {
			o.Action, o.Summary = evidence.Logoff, "Logoff at the computer."
		}
		out.ObserveRecord(rec, o)
		return
	}
	account(&o, data, "Target")
	typ := data.Text("LogonType")
	kind := "a session"
	if name := logonTypes[typ]; name != "" {
		kind = "a session of type " + typ + " (" + name + ")"
	} else if typ != "" {
		kind = "a session of type " + typ
	}
	o.Detail = append(o.Detail, data.fields("LogonType")...)
	switch rec.EventID {
	case 4624:
		o.Action, o.Summary = evidence.Logon, "Logon: "+kind+" began."
		o.Peer = remote(data.Text("IpAddress"))
		o.Detail = append(o.Detail, data.fields("LogonProcessName", "WorkstationName", "ProcessName", "TargetOutboundUserName", "TargetOutboundDomainName")...)
		if id := logonID(data.Text("TargetLinkedLogonId")); id != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "TargetLinkedLogonId", Value: id})
		}
	case 4634:
		o.Action, o.Summary = evidence.Logoff, "Logoff: "+kind+" ended."
	default:
		o.Action, o.Summary = evidence.Logoff, "Logoff that the user asked for."
	}
	out.ObserveRecord(rec, o)
}
