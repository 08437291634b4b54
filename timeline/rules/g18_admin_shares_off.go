package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G18: the administrative shares are switched off.
//
// Logic: AutoShareServer or AutoShareWks is 0 in LanmanServer\Parameters: C$,
// ADMIN$ and the like are not made at the next start of the service.
//
// Bound: at or before the last write of Parameters, which other values share.
//
// Misses: when the service restarted.
//
// Benign: hardening guides ask for it.
var _ = register(timeline.Rule{
	ID: "G18", Title: "administrative shares switched off", Technique: "T1070.005",
	Claim: "the administrative shares are not made at the start of the service", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     `AutoShareServer or AutoShareWks is 0 in LanmanServer\Parameters of the current control set`,
	Bound:     "at or before the last write of Parameters",
	Misses:    "when the service restarted; who set it",
	Benign:    []string{"hardening guides ask for it"},
	Reference: "as sharetrail artifacts server-parameters",
	Needs:     []string{"registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if o.Artifact != "server-parameters" {
					continue
				}
				for _, name := range []string{"AutoShareServer", "AutoShareWks"} {
					if v, ok := o.Detail.Get(name).(int64); ok && v == 0 && !yield(adminSharesOff(c, o, name)) {
						return
					}
				}
			}
		}
	},
})

func adminSharesOff(c *timeline.Case, o *evidence.Fact, name string) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindTrace, Confidence: timeline.Certain, Severity: timeline.Info, Facts: []*evidence.Fact{o},
		Window: timeline.Window{NotAfter: o.Time, Basis: timeline.KeyLastWrite}, Attack: []string{"T1070.005"},
		Text:   fmt.Sprintf("%s makes no administrative shares (%s = 0), set at or before %s.", c.Host, name, stamp(o.Time)),
		Steps:  []timeline.Step{step(fmt.Sprintf("%s is 0 in %s, last written at %s.", name, o.From().Key, stamp(o.Time)), o)},
		Benign: []timeline.Benign{verdict("hardening guides ask for it", timeline.VerdictUnknown, "the hive does not say who set it", o)},
	}
}
