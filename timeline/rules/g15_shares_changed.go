package rules

import (
	"fmt"
	"iter"
	"slices"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G15: the list of stored shares is empty, and was changed after it was made.
//
// Logic: LanmanServer\Shares holds no value, and was last written later than
// Shares\Security, which setup makes together with it: a share was stored and
// removed.
//
// Bound: the last write of Shares: the last time a value was stored, changed
// or removed; with none left, it was a removal.
//
// Misses: which share; removals while others are stored.
//
// Benign: a share that its directory's removal took along at boot.
var _ = register(timeline.Rule{
	ID: "G15", Title: "list of stored shares emptied", Technique: "T1070.005",
	Claim: "the last stored share was removed at that instant", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     `LanmanServer\Shares holds no value and was last written more than 2 s after Shares\Security`,
	Bound:     "exactly the last write of Shares",
	Misses:    "which share it was; removals while other shares are stored",
	Benign:    []string{"an administrator retired the share"},
	Reference: "artifacts.md §6.1 G15, §2.1",
	Needs:     []string{"registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if !isShareList(o, "shares") || len(o.Detail.List("Names")) > 0 {
					continue
				}
				sec := sameSet(c, o, "security")
				if sec == nil || o.Time.Sub(sec.Time) <= timeline.EffectBefore || explained(c, o) {
					continue
				}
				if !yield(emptied(c, o, sec)) {
					return
				}
			}
		}
	},
})

// explained reports whether a recorded deletion accounts for the last write.
func explained(c *timeline.Case, o *evidence.Observation) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		if l.Side != evidence.Server {
			return false
		}
		return slices.ContainsFunc(append(slices.Clone(l.Gone), l.Removes...), func(x *evidence.Observation) bool { return timeline.Within(o.Time, x.Time) })
	})
}

func emptied(c *timeline.Case, o, sec *evidence.Observation) timeline.Claim {
	set := o.Detail.Text("ControlSet")
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, Window: timeline.At(o.Time, timeline.KeyLastWrite), Confidence: timeline.Likely, Severity: timeline.Low,
		By: timeline.ByUnknown, Attack: []string{"T1070.005"}, Facts: []*evidence.Observation{o, sec},
		Text: fmt.Sprintf(`The last stored share of %s was removed at %s (%s): LanmanServer\Shares is empty and was written then; which share it was, the hive does not say.`, c.Host, stamp(o.Time), set),
	}
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`%s holds no share and was last written at %s; Security, which is made with it, at %s.`, o.From.Key, stamp(o.Time), stamp(sec.Time)), o, sec)}
	cl.Benign = []timeline.Benign{verdict("an administrator retired the share", timeline.VerdictUnknown, "no record says who did it", o)}
	if class, why := c.ShareAudit(cl.Window); class != timeline.Continuous {
		cl.Missing = []timeline.Missing{{What: "Security 5144, which records the deletion of a share", Why: why}}
	}
	return cl
}
