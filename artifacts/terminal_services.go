package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "terminal-services",
	Title:        "sessions at the computer and over Remote Desktop",
	What:         "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational 21 (logon), 22 (shell started), 23 (logoff), 24 (disconnected), 25 (reconnected), 39, 40 (disconnected by, reason), 41, 42 (session arbitration)",
	Proves:       "a session of that account began, ended or changed hands at that time; Address is where it came from, LOCAL at the computer itself",
	DoesNotProve: "that a disconnected session ended: it goes on, and its drives stay",
	Reference:    "manifest of the provider Microsoft-Windows-TerminalServices-LocalSessionManager (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-TerminalServices-LocalSessionManager/Operational", "Microsoft-Windows-TerminalServices-LocalSessionManager", idsOf(terminalEvents)}},
	OpenLog: contexts("", terminalEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		byName(o, data.Text("User"))
		o.Peer = remoteIP(data.Text("Address"))
		switch {
		case o.User == "":
		case rec.EventID == 21:
			o.Action = evidence.Logon
		case rec.EventID == 23:
			o.Action = evidence.Logoff
		}
		return true
	}),
	Files: []string{logFolder + "Microsoft-Windows-TerminalServices-LocalSessionManager%4Operational.evtx"},
})

var terminalEvents = map[uint32]string{
	21: "Logon: a session began.",
	22: "The shell of a session started.",
	23: "Logoff: a session ended.",
	24: "A session was disconnected; it goes on.",
	25: "A session was connected again.",
	39: "A session was disconnected by another one.",
	40: "A session was disconnected.",
	41: "The arbitration of a session began.",
	42: "The arbitration of a session ended.",
}
