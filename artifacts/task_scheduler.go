package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "task-scheduler",
	Title:        "scheduled tasks registered, changed, deleted and run",
	What:         `Microsoft-Windows-TaskScheduler/Operational 106, 140, 141 (registered, updated, deleted), 100, 102, 129, 200, 201 (runs; those of Windows' own tasks below \Microsoft only with all context)`,
	Proves:       "that task was registered, changed, deleted or run at that time",
	DoesNotProve: "what it did: the record names at most the program, without its arguments. The channel is off on some versions",
	Reference:    "manifest of the provider Microsoft-Windows-TaskScheduler (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-TaskScheduler/Operational", "Microsoft-Windows-TaskScheduler", idsOf(taskEvents)}},
	OpenLog: contexts("", taskEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool {
		byNameOrSID(o, given(data.Text("UserContext")))
		if o.User == "" && o.SID == "" {
			byNameOrSID(o, given(data.Text("UserName")))
		}
		switch rec.EventID {
		case 106, 140, 141:
			return true
		}
		_, own := cutPrefixFold(strings.TrimLeft(data.Text("TaskName"), `\`), `Microsoft\`)
		return !own || out.allContext
	}),
	Files: []string{logFolder + "Microsoft-Windows-TaskScheduler%4Operational.evtx"},
})

var taskEvents = map[uint32]string{
	100: "A scheduled task started.",
	102: "A scheduled task ended.",
	106: "A scheduled task was registered.",
	129: "A scheduled task started a program.",
	140: "A scheduled task was changed.",
	141: "A scheduled task was deleted.",
	200: "An action of a scheduled task started.",
	201: "An action of a scheduled task ended.",
}
