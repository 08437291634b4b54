package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G13: a share was deleted whose creation is not on record.
//
// Logic: Security 5144 names a share, and no 5142, command or stored value
// says when it was made.
//
// Bound: the event's own time.
//
// Misses: nothing of the removal; the share's making lies before the log.
//
// Benign: an old share was retired; this is no clean-up by itself.
var _ = register(timeline.Rule{
	ID: "G13", Title: "share deleted, its creation is not on record", Technique: "T1070.005",
	Claim: "the share was deleted at that instant; it was made before the log begins", Base: timeline.Certain, Severity: timeline.High,
	Logic:     "5144 names a share that no 5142 or share command made",
	Bound:     "the event's own time",
	Misses:    "who made the share and when",
	Benign:    []string{"an administrator retired an old share"},
	Reference: "as sharetrail artifacts share-changes",
	Needs:     []string{"evtx:Security"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Server || len(l.Maps) > 0 || deletedEvent(l) == nil {
					continue
				}
				cl := shareDeleted(c, l, deletedEvent(l))
				cl.Steps = append(cl.Steps, step(fmt.Sprintf("No record says when %s was made: it is older than the log.", l.Share)))
				if !yield(cl) {
					return
				}
			}
		}
	},
})

// deletedEvent returns the 5144 of l, or nil.
func deletedEvent(l *timeline.Life) *evidence.Fact {
	for _, o := range l.Gone {
		if o.Action == evidence.ShareDeleted {
			return o
		}
	}
	return nil
}
