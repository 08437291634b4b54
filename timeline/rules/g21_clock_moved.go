package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G21: somebody moved the clock.
//
// Logic: 4616 or Kernel-General 1 records a change of a minute or more that is
// no change of the time zone, no step of the time service, and not within five
// minutes of a start.
//
// Bound: the record; both readings are told.
//
// Misses: clocks moved before Windows started.
//
// Benign: a virtual machine that was resumed; a first synchronisation.
var _ = register(timeline.Rule{
	ID: "G21", Title: "the clock was moved", Technique: "T1070.006",
	Claim: "the clock was moved by that much", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "a recorded change of the clock of 60 s or more, by no time service, not at a start, no change of the time zone",
	Bound:     "the record; between its two readings, times say nothing about order",
	Misses:    "clocks moved while Windows did not run",
	Benign:    []string{"a virtual machine was resumed or a first synchronisation set the clock"},
	Reference: "Microsoft, Windows security auditing: event 4616; as sharetrail artifacts clock",
	Needs:     []string{"evtx:Security|evtx:System"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			var last timeline.Jump
			for _, j := range c.Jumps() {
				// 4616 and Kernel-General 1 record the same change.
				same := last.Why != nil && j.Old.Sub(last.Old).Abs() < time.Second && j.New.Sub(last.New).Abs() < time.Second
				if last = j; same || byService(j.Why) || atStart(c, j) {
					continue
				}
				if !yield(clockMoved(j)) {
					return
				}
			}
		}
	},
})

// byService reports whether the time service made the change.
func byService(o *evidence.Fact) bool {
	return strings.EqualFold(base(o.Detail.Text("ProcessName")), "svchost.exe") || o.Detail.Text("Reason") == "2"
}

func atStart(c *timeline.Case, j timeline.Jump) bool {
	if j.Why.Detail.Text("Reason") == "0" {
		return true
	}
	boot := func(t time.Time) bool {
		return slices.ContainsFunc(c.Between(t.Add(-5*time.Minute), t), func(o *evidence.Fact) bool { return o.Action == evidence.Boot })
	}
	return boot(j.Old) || boot(j.New)
}

func clockMoved(j timeline.Jump) timeline.Claim {
	o := j.Why
	who := who(o.User, o.SID)
	if p := o.Detail.Text("ProcessName"); p != "" {
		who += " with " + base(p)
	}
	const innocent = "a virtual machine was resumed, or its host set the clock"
	benign := verdict(innocent, timeline.VerdictUnknown, "the record does not say why", o)
	if guest := strings.ToLower(base(o.Detail.Text("ProcessName"))); slices.Contains(guestTools, guest) {
		benign = verdict(innocent, timeline.Supported, guest+" did it, which keeps the clock of a virtual machine", o)
	}
	return timeline.Claim{
		Kind: timeline.KindBlind, User: o.User, SID: o.SID, Confidence: timeline.Certain, Severity: timeline.Info, Actor: o,
		Window: timeline.Window{NotBefore: earlier(j.Old, j.New), NotAfter: later(j.Old, j.New), Basis: timeline.Recorded},
		Facts:  []*evidence.Fact{o}, Attack: []string{"T1070.006"},
		Text:   fmt.Sprintf("The clock was moved from %s to %s by %s: times between these two tell no order.", stamp(j.Old), stamp(j.New), who),
		Steps:  []timeline.Step{step("The change is recorded.", o)},
		Benign: []timeline.Benign{benign},
	}
}

// guestTools are the programs that set the clock of a virtual machine by its
// host.
var guestTools = []string{"vmtoolsd.exe", "vboxservice.exe", "vmicsvc.exe", "qemu-ga.exe", "xenguestagent.exe", "prl_tools_service.exe"}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
