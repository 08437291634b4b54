package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "sessions-reconnect",
	Title:        "sessions disconnected, reconnected, locked and unlocked",
	What:         "Security 4778, 4779 (a session was connected again, disconnected), 4800, 4801 (locked, unlocked)",
	Proves:       "that session changed hands or was locked at that time, and went on: its drives stayed",
	DoesNotProve: "that the person was there. Off by default",
	Reference:    "Microsoft, Windows security auditing: events 4778, 4779, 4800, 4801",
	Events:       []Events{{securityChannel, auditingProvider, idsOf(reconnectEvents)}},
	OpenLog:      each(readReconnects),
	Files:        []string{securityLog},
})

var reconnectEvents = map[uint32]string{
	4778: "A session was connected again.",
	4779: "A session was disconnected; it goes on.",
	4800: "The computer was locked.",
	4801: "The computer was unlocked.",
}

func readReconnects(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Summary: reconnectEvents[rec.EventID]}
	account(&o, data, "Target")
	if rec.EventID < 4800 {
		o.User, o.LogonID = given(data.Text("AccountName")), logonID(data.Text("LogonID"))
		if d := given(data.Text("AccountDomain")); d != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "domain", Value: clip(d)})
		}
		o.Peer = remoteIP(data.Text("ClientAddress"))
	}
	o.Detail = append(o.Detail, data.fields("SessionName", "ClientName", "ClientAddress", "SessionId")...)
	out.ObserveRecord(rec, o)
}
