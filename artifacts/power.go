package artifacts

import (
	"encoding/binary"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "power",
	Title:        "starts and stops of the computer",
	What:         "System 12, 13 (Kernel-General) and 6005, 6006, 6008 (EventLog); Security 4608",
	Proves:       "Windows or its event log started or stopped at that time; 6008, written at the next start, tells when Windows was last seen alive",
	DoesNotProve: "that the computer ran without a pause in between: sleep and hibernation are not in these events",
	Reference:    "manifest of the provider Microsoft-Windows-Kernel-General (repnz/etw-providers-docs); Microsoft, events 6005, 6006 and 6008 of the source EventLog; Microsoft, Windows security auditing: event 4608",
	Events: []Events{
		{systemChannel, "Microsoft-Windows-Kernel-General", []uint32{12, 13}},
		{systemChannel, "EventLog", []uint32{6005, 6006, 6008}},
		{securityChannel, auditingProvider, []uint32{4608}},
	},
	OpenLog: each(readPower),
	Files:   []string{systemLog, securityLog},
})

func readPower(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Boot}
	switch rec.EventID {
	case 12:
		o.Summary = "Windows started."
		o.Detail = data.fields("StartTime")
	case 13:
		o.Action, o.Summary = evidence.Shutdown, "Windows shut down."
		o.Detail = data.fields("StopTime")
	case 4608:
		o.Summary = "Windows started: its local security authority did."
	case 6005:
		o.Summary = "The event log service started."
	case 6006:
		o.Action, o.Summary = evidence.Shutdown, "The event log service stopped."
	default:
		o.Action, o.Summary = evidence.Context, "The shutdown before this start was unexpected."
		if t := lastAlive(data); !t.IsZero() {
			o.Action, o.Summary = evidence.Shutdown, "Windows stopped unexpectedly: it was last seen alive at this time."
			o.Time, o.TimeKind = t, evidence.ItemTime
			o.Detail = evidence.Detail{{Name: "recorded", Value: rec.Time}}
		}
	}
	out.ObserveRecord(rec, o)
}

// lastAlive returns the time at which 6008 says that Windows last ran. Its text
// is in the language and zone of the computer; its binary data begins with the
// same as two SYSTEMTIMEs ([MS-DTYP] 2.3.13), local and UTC.
func lastAlive(data Data) time.Time {
	for _, f := range data {
		b, ok := f.Value.([]byte)
		if !ok || !named(f, "Binary") || len(b) < 32 {
			continue
		}
		u16 := func(i int) int { return int(binary.LittleEndian.Uint16(b[16+2*i:])) }
		t := time.Date(u16(0), time.Month(u16(1)), u16(3), u16(4), u16(5), u16(6), u16(7)*1e6, time.UTC)
		if t.Year() == u16(0) && int(t.Month()) == u16(1) && t.Day() == u16(3) && t.Hour() == u16(4) && t.Year() >= 2000 {
			return t
		}
	}
	return time.Time{}
}
