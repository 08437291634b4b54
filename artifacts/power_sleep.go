package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "power-sleep",
	Title:        "sleep, hibernation and power loss",
	What:         "System: Power-Troubleshooter 1 (woke; SleepTime, WakeTime), Kernel-Power 41 (started after an unclean stop), 42 (going to sleep), 107 (woke), 109 (shutting down), 172 (network in standby)",
	Proves:       "the computer slept, woke or lost power then: its connections ended, and it recorded nothing in between",
	DoesNotProve: "that a connection that ended then would not have ended otherwise",
	Reference:    "manifest of the provider Microsoft-Windows-Kernel-Power (repnz/etw-providers-docs); manifest of the provider Microsoft-Windows-Power-Troubleshooter (repnz/etw-providers-docs)",
	Events: []Events{
		{systemChannel, "Microsoft-Windows-Power-Troubleshooter", []uint32{1}},
		{systemChannel, "Microsoft-Windows-Kernel-Power", []uint32{41, 42, 107, 109, 172}},
	},
	OpenLog: contexts("", powerEvents, readPowerSleep),
	Files:   []string{systemLog},
})

var powerEvents = map[uint32]string{
	1:   "The computer woke from sleep.",
	41:  "The computer started without having been shut down cleanly.",
	42:  "The computer is going to sleep.",
	107: "The computer woke from sleep.",
	109: "The kernel began to shut down.",
	172: "The state of the network in standby was set.",
}

// readPowerSleep gives the length of the sleep: the span in which nothing was
// recorded.
func readPowerSleep(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
	from, to := data.time("SleepTime"), data.time("WakeTime")
	if rec.EventID == 1 && !from.IsZero() && !to.IsZero() {
		o.Detail = append(o.Detail, evidence.Field{Name: "slept_seconds", Value: seconds(from, to)})
	}
	return true
}
