package rules

import (
	"fmt"
	"iter"

	"sharetrail/timeline"
)

// G30: a later state of the hive holds an older mapping that an earlier state
// lacks.
//
// Logic: a log brings back a key whose last write is before the state in which
// it is missing: the primary was edited offline, or a log of another time was
// put beside it.
//
// Bound: none; both states are told.
//
// Misses: edits of both.
//
// Benign: a restored profile or a copy taken while the hive was written.
var _ = register(timeline.Rule{
	ID: "G30", Title: "states of the hive contradict each other",
	Claim: "the states cannot follow one another", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "a state lacks a mapping whose key, in a later state, was last written before that state",
	Bound:     "the two states",
	Misses:    "edits of both states",
	Benign:    []string{"the hive was copied while it was written", "an older hive was put back"},
	Reference: "msuhanov/regf, Windows registry file format specification: transaction log files",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for i, s := range c.States {
				for _, later := range c.States[i+1:] {
					if !timeline.SameUser(s.User, s.SID, later.User, later.SID) {
						continue
					}
					if cl, ok := contradiction(s, later); ok && !yield(cl) {
						return
					}
					break
				}
			}
		}
	},
})

func contradiction(s, later *timeline.MappingState) (timeline.Claim, bool) {
	for _, d := range sortedDrives(later) {
		k := later.Drives[d]
		if s.Drives[d] != nil || s.LastChange.IsZero() || !k.Time.Before(s.LastChange) {
			continue
		}
		cl := timeline.Claim{
			Kind: timeline.KindTrace, User: s.User, SID: s.SID, Drive: d, Share: k.Share, Confidence: timeline.Certain, Severity: timeline.Info, By: timeline.ByUnknown,
			Window: timeline.Window{NotBefore: s.AsOf, NotAfter: later.AsOf, Basis: timeline.HiveState},
		}
		cl.Text = fmt.Sprintf("The state of the hive of %s as of %s lacks %s, and the one as of %s has it, last written at %s, before that: the two cannot follow one another.",
			who(s.User, s.SID), stamp(s.AsOf), mapping(d, k.Share), stamp(later.AsOf), stamp(k.Time))
		cl.Steps = []timeline.Step{step("The earlier state was read whole and lacks it.", s.Key), step("The later state has it.", k)}
		cl.Facts = append(cl.Facts, s.Key, k)
		restored := verdict("an older hive was put back", timeline.VerdictUnknown, "the count of its writes does not tell", k)
		if is, against := later.Follows(s); is == timeline.No {
			restored.Verdict, restored.Because = timeline.Supported, against
		}
		cl.Benign = []timeline.Benign{restored, verdict("the hive was copied while it was written", timeline.VerdictUnknown, "the collection does not say", k)}
		return cl, true
	}
	return timeline.Claim{}, false
}
