package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "sysmon-state",
	Title:        "Sysmon started, stopped and configured",
	What:         "Sysmon 4 (service started, stopped), 16 (configuration changed), 255 (error)",
	Proves:       "from that time Sysmon recorded nothing, recorded again, or recorded other things than before",
	DoesNotProve: "who stopped or configured it",
	Reference:    "Microsoft Sysinternals, Sysmon: event ids 4, 16, 255",
	Events:       []Events{{sysmonChannel, sysmonProvider, idsOf(sysmonStates)}},
	OpenLog: contexts("", sysmonStates, func(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		switch data.Text("State") {
		case "Started":
			o.Summary = "Sysmon started."
		case "Stopped":
			o.Summary = "Sysmon stopped."
		}
		return true
	}),
	Files: []string{sysmonLog},
})

var sysmonStates = map[uint32]string{
	4:   "Sysmon changed its state.",
	16:  "The configuration of Sysmon was changed.",
	255: "Sysmon met an error: events may be missing.",
}
