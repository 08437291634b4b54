package rules

import (
	"iter"

	"sharetrail/timeline"
)

// G14: a share was used, and is neither stored nor was its deletion recorded.
//
// Logic: 5140 or 5145 names a share that is no default share and that nothing
// says was made or deleted; LanmanServer\Shares, read whole later, does not
// store it.
//
// Bound: as G12, after the last use.
//
// Misses: shares that were never used while uses were recorded.
//
// Benign: temporary shares, printers, DFS and cluster roles.
var _ = register(timeline.Rule{
	ID: "G14", Title: "share used, not stored, its deletion not recorded", Technique: "T1070.005",
	Claim: "the share was removed without a recorded deletion", Base: timeline.Possible, Severity: timeline.Low,
	Logic:     `5140 or 5145 names a share that is no default share; nothing makes or deletes it; LanmanServer\Shares, read whole later, does not store it`,
	Bound:     "after the last use, at or before the last write of Shares if later, else the next start of the computer",
	Misses:    "shares that were not used while uses were recorded",
	Benign:    []string{"the share was temporary and ended with the service"},
	Reference: "as sharetrail artifacts share-access, server-shares",
	Needs:     []string{"evtx:Security", "registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if !vanishedShare(c, l) || len(l.Maps) > 0 || len(l.Uses) == 0 {
					continue
				}
				cl, ok := shareVanished(c, l)
				if !ok {
					continue
				}
				cl.Facts = append(cl.Facts, l.Uses[len(l.Uses)-1])
				if !yield(cl) {
					return
				}
			}
		}
	},
})
