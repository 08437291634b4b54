package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "offline-files",
	Title:        "shares kept as offline files",
	What:         "Microsoft-Windows-OfflineFiles/Operational 7, 8 (logon, logoff), 9, 10 (a path went online or offline), 1001, 1004 (synchronisation)",
	Proves:       "the computer kept a copy of that share, and whether it could be reached changed at that time",
	DoesNotProve: "that a connection was removed. The channel is off by default",
	Reference:    "manifest of the provider Microsoft-Windows-OfflineFiles (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-OfflineFiles/Operational", "Microsoft-Windows-OfflineFiles", idsOf(offlineEvents)}},
	OpenLog: contexts(evidence.Client, offlineEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		byHeader(o, rec)
		byName(o, data.Text("Account"))
		place(o, data.Text("Path"))
		return true
	}),
	Files: []string{logFolder + "Microsoft-Windows-OfflineFiles%4Operational.evtx"},
})

var offlineEvents = map[uint32]string{
	7:    "Offline files saw a logon or logoff.",
	8:    "Offline files saw a logon or logoff.",
	9:    "A share kept as offline files went online or offline.",
	10:   "A share kept as offline files went online or offline.",
	1001: "Offline files were synchronised.",
	1004: "Offline files were synchronised.",
}
