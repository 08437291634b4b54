package rules

import (
	"fmt"
	"iter"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G06: entries were taken out of a list of recent things one by one.
//
// Logic: a value that its MRUList does not name, a letter of it without a
// value, or a number that is missing. Windows itself leaves no such holes.
//
// Bound: at or before the last write of the key.
//
// Misses: whole lists that were removed; holes that later use has closed.
//
// Benign: cleaner programs.
var _ = register(timeline.Rule{
	ID: "G06", Title: "entries missing from a list of recent things", Technique: "T1070.005",
	Claim: "single entries were removed from the list", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "values that MRUList does not name, letters of it without a value, or numbers that are missing",
	Bound:     "at or before the last write of the key",
	Misses:    "lists that were removed as a whole; which entries they were",
	Benign:    []string{"a cleaner program removed single entries"},
	Reference: "libyal/winreg-kb, Most recently used",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if len(o.Detail.List("holes")) > 0 && o.Action == evidence.Context && !yield(listHoles(o)) {
					return
				}
			}
		}
	},
})

func listHoles(o *evidence.Fact) timeline.Claim {
	list := o.From().Key[strings.LastIndex(o.From().Key, `\`)+1:]
	return timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Confidence: timeline.Likely, Severity: timeline.Low, By: timeline.ByUnknown,
		Window: timeline.Window{NotAfter: o.Time, Basis: timeline.KeyLastWrite}, Facts: []*evidence.Fact{o}, Attack: []string{"T1070.005"},
		Text:   fmt.Sprintf("Single entries were removed from the list %s of %s at or before %s: %s.", list, who(o.User, o.SID), stamp(o.Time), strings.Join(o.Detail.List("holes"), "; ")),
		Steps:  []timeline.Step{step(fmt.Sprintf("%s: %s.", o.From().Key, strings.Join(o.Detail.List("holes"), "; ")), o)},
		Benign: []timeline.Benign{verdict("a cleaner program removed single entries", timeline.VerdictUnknown, "the hive does not say what removed them", o)},
	}
}
