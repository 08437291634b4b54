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
	Logic:     "a recorded change of the clock of 60 s or more, by no time service, not at a start, no change of the time zone; or a record of the Security log that is older than the one before it by 60 s or more, with no record of a change",
	Bound:     "the record; between its two readings, times say nothing about order",
	Misses:    "clocks moved while Windows did not run",
	Benign:    []string{"a virtual machine was resumed or a first synchronisation set the clock"},
	Reference: "Microsoft, Windows security auditing: event 4616; as sharetrail artifacts clock",
	Needs:     []string{"evtx:Security|evtx:System"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, j := range c.Jumps() {
				if byService(j.Why) || byService(j.Also) || atStart(c, j) {
					continue
				}
				cl := clockSetBack
				if j.Why != nil {
					cl = clockMoved
				}
				if !yield(cl(j)) {
					return
				}
			}
		}
	},
})

// byService reports whether the time service made the change.
func byService(o *evidence.Fact) bool {
	if o == nil {
		return false
	}
	return strings.EqualFold(base(o.Detail.Text("ProcessName")), "svchost.exe") || o.Detail.Text("Reason") == "2"
}

func atStart(c *timeline.Case, j timeline.Jump) bool {
	for _, o := range []*evidence.Fact{j.Why, j.Also} {
		if o != nil && o.Detail.Text("Reason") == "0" {
			return true
		}
	}
	boot := func(t time.Time) bool {
		to := t
		if j.Why == nil {
			to = t.Add(5 * time.Minute) // the first record is not the last thing at a start
		}
		return slices.ContainsFunc(c.Edges(t.Add(-5*time.Minute), to), func(o *evidence.Fact) bool { return o.Action == evidence.Boot })
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
	from, to := j.Span()
	return timeline.Claim{
		Kind: timeline.KindBlind, User: o.User, SID: o.SID, Confidence: timeline.Certain, Severity: timeline.Info, Actor: o,
		Window: timeline.Window{NotBefore: from, NotAfter: to, Basis: timeline.Recorded},
		Facts:  []*evidence.Fact{o}, Attack: []string{"T1070.006"},
		Text:   fmt.Sprintf("The clock was moved from %s to %s by %s: times between these two do not tell what came first.", stamp(j.Old), stamp(j.New), who),
		Steps:  []timeline.Step{step("The change is recorded.", o)},
		Benign: []timeline.Benign{benign},
	}
}

// clockSetBack is what the order of records shows of a change that none records.
func clockSetBack(j timeline.Jump) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Info,
		Window: timeline.Window{NotBefore: j.New, NotAfter: j.Old, Basis: timeline.Recorded}, Attack: []string{"T1070.006"},
		Text:   fmt.Sprintf("Record %d of the log Security is of %s, and the one before it of %s: the clock was set back in between, or the records were changed, and no record tells of it. Times between these two do not tell what came first.", j.Record, stamp(j.New), stamp(j.Old)),
		Steps:  []timeline.Step{step("Records are numbered in the order in which they are written.")},
		Benign: []timeline.Benign{verdict("a virtual machine was resumed, or its host set the clock", timeline.VerdictUnknown, "no record says who moved it")},
	}
}

// guestTools are the programs that set the clock of a virtual machine by its
// host.
var guestTools = []string{"vmtoolsd.exe", "vboxservice.exe", "vmicsvc.exe", "qemu-ga.exe", "xenguestagent.exe", "prl_tools_service.exe"}
