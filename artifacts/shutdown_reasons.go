package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "shutdown-reasons",
	Title:        "who shut the computer down, and why",
	What:         "System, User32 1074: program, reason, kind (restart, power off) and account",
	Proves:       "that program asked Windows at that time, for that account, to shut down or restart",
	DoesNotProve: "that a person wanted it: updates ask, too",
	Reference:    "Microsoft, event 1074 of User32",
	Events:       []Events{{systemChannel, "User32", []uint32{1074}}},
	OpenLog:      each(readShutdownReasons),
	Files:        []string{systemLog},
})

// shutdownFields are the values of the message, which older logs do not name.
// The second is the computer.
var shutdownFields = []string{"program", "", "reason_text", "reason", "kind", "comment", "account"}

func readShutdownReasons(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Summary: "A program asked Windows to shut down or restart."}
	byHeader(&o, rec)
	for i, name := range shutdownFields {
		s := given(data.Text("param" + string(rune('1'+i))))
		if s == "" {
			s = data.unnamed(i + 1)
		}
		if s == "" || name == "" {
			continue
		}
		if name == "account" {
			byName(&o, s)
		} else {
			o.Detail = append(o.Detail, evidence.Field{Name: name, Value: clip(s)})
		}
	}
	out.ObserveRecord(rec, o)
}
