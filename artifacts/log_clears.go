package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "log-clears",
	Title:        "event logs that were cleared",
	What:         "Security 1102 (the Security log) and System 104 (any other log, named in Channel)",
	Proves:       "the log was cleared by that account at that time: what it held is lost unless a copy was kept",
	DoesNotProve: "what it held, or why it was cleared",
	Reference:    "Microsoft, Windows security auditing: event 1102; manifest of the provider Microsoft-Windows-Eventlog (repnz/etw-providers-docs)",
	Events: []Events{
		{securityChannel, eventlogProvider, []uint32{1102}},
		{systemChannel, eventlogProvider, []uint32{104}},
	},
	OpenLog: each(readLogClears),
	Files:   []string{securityLog, systemLog},
})

func readLogClears(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.LogCleared, Attack: []string{logClearing}}
	account(&o, data, "Subject")
	if o.SID == "" { // 104 names the account, but its SID only in the header
		o.SID = rec.UserID
	}
	channel := securityChannel
	if rec.EventID == 104 {
		channel = given(data.Text("Channel"))
	}
	o.Detail = append(o.Detail, evidence.Field{Name: "ClearedChannel", Value: channel})
	o.Detail = append(o.Detail, data.fields("BackupPath")...)
	o.Summary = "The event log " + quoted(channel, "of an unnamed channel") + " was cleared."
	out.ObserveRecord(rec, o)
}
