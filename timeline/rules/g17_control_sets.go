package rules

import (
	"iter"

	"sharetrail/timeline"
)

// G17: an older control set stores a share that the current one does not.
//
// Logic: the name is a value of Shares in a control set that is not the
// current one; Shares of the current set, read whole, lacks it and was written
// later.
//
// Bound: after the last write of the older set's Shares, at or before that of
// the current one.
//
// Misses: systems with one control set, as most now have.
//
// Benign: an administrator retired the share.
var _ = register(timeline.Rule{
	ID: "G17", Title: "share stored in an older control set only", Technique: "T1070.005",
	Claim: "the stored share was removed between the two states", Base: timeline.Strong, Severity: timeline.Low,
	Logic:     "Shares of an older control set stores a share that Shares of the current set, read whole and written later, does not",
	Bound:     "after the last write of the older set's Shares, at or before that of the current one",
	Misses:    "systems with one control set",
	Benign:    []string{"an administrator retired the share"},
	Reference: "Microsoft, CurrentControlSet and Select; as sharetrail artifacts server-shares",
	Needs:     []string{"registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for cl := range onlyInOldSet(c) {
				cl.Severity = timeline.Low
				if !yield(cl) {
					return
				}
			}
		}
	},
})
