package artifacts

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "clock",
	Title:        "jumps of the computer's clock",
	What:         "Security 4616 and System 1 (Kernel-General), jumps of a minute or more",
	Proves:       "the clock was set from the old time to the new one; times around it are to be read with care",
	DoesNotProve: "that someone set it by hand: a computer that wakes from sleep or meets a time server sets it too",
	Reference:    "Microsoft, Windows security auditing: event 4616; manifest of the provider Microsoft-Windows-Kernel-General (repnz/etw-providers-docs)",
	Events: []Events{
		{securityChannel, auditingProvider, []uint32{4616}},
		{systemChannel, "Microsoft-Windows-Kernel-General", []uint32{1}},
	},
	OpenLog: each(readClock),
	Files:   []string{securityLog, systemLog},
})

// minJump is the smallest jump that is reported: the time service corrects the
// clock by milliseconds all day long.
const minJump = 60 * time.Second

// clockReasons name the values of Reason in System 1.
var clockReasons = map[string]string{
	"0": "start of the computer",
	"1": "an application or system component",
	"2": "the hardware clock",
	"3": "the time zone",
}

func readClock(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.ClockChanged, Summary: "The clock was set."}
	account(&o, data, "Subject")
	before := data.time("PreviousTime")
	if rec.EventID == 1 {
		before = data.time("OldTime")
		o.SID = rec.UserID
	}
	after := data.time("NewTime")
	if !before.IsZero() && !after.IsZero() {
		delta := after.Sub(before)
		if delta.Abs() < minJump {
			return
		}
		o.Detail = append(o.Detail,
			evidence.Field{Name: "OldTime", Value: before},
			evidence.Field{Name: "NewTime", Value: after},
			evidence.Field{Name: "delta_seconds", Value: seconds(before, after)})
		if delta < 0 {
			o.Summary = "The clock was set back."
		} else {
			o.Summary = "The clock was set forward."
		}
	} else {
		// Version 0 of 4616 has dates and times in the computer's language.
		o.Detail = append(o.Detail, data.fields("PreviousDate", "PreviousTime", "NewDate", "NewTime", "OldTime")...)
	}
	o.Detail = append(o.Detail, data.fields("ProcessName", "Reason")...)
	if why := clockReasons[data.Text("Reason")]; why != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "reason_text", Value: why})
	}
	for _, name := range []string{"ProcessId", "ProcessID"} {
		if p := pid(data.Text(name)); p != "" && o.Detail.Get("ProcessId") == nil {
			o.Detail = append(o.Detail, evidence.Field{Name: "ProcessId", Value: p})
		}
	}
	out.ObserveRecord(rec, o)
}

// seconds returns to - from in decimal seconds. Times far apart do not fit a
// time.Duration.
func seconds(from, to time.Time) string {
	ticks := (to.Unix()-from.Unix())*1e7 + int64(to.Nanosecond()-from.Nanosecond())/100
	sign := ""
	if ticks < 0 {
		sign, ticks = "-", -ticks
	}
	s := strconv.FormatInt(ticks/1e7, 10)
	if frac := ticks % 1e7; frac != 0 {
		s += strings.TrimRight(fmt.Sprintf(".%07d", frac), "0")
	}
	return sign + s
}
