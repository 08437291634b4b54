package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G34: the collection lacks what the host is known to have.
//
// Logic: a collector reports to have left evidence behind; or a host of which
// system hives were collected lacks the hive of a known user, or the Security
// or System log. Of a volume that was read whole, that log does not exist there.
//
// Bound: none; absence of what was not collected says nothing.
//
// Misses: evidence that nothing says the host had.
//
// Benign: the collection was meant to be small.
var _ = register(timeline.Rule{
	ID: "G34", Title: "the collection lacks what the host has",
	Claim: "that evidence was not collected", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "a collector reports to have left evidence behind, or a host whose system hives were collected lacks the hive of a known user, or the Security or System log",
	Bound:     "none",
	Misses:    "evidence that nothing says the host had",
	Benign:    []string{"the collection was meant to be small"},
	Reference: "as sharetrail artifacts profiles",
	Needs:     []string{"registry:SYSTEM", "registry:SOFTWARE"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			var lacks, gone []string
			for _, r := range c.Coverage {
				switch {
				case r.Class != timeline.Absent || !shouldBeThere(c, r.Evidence):
				case slices.ContainsFunc(r.Holes, func(h evidence.Hole) bool { return h.Reason == evidence.NotCollected }):
					lacks = append(lacks, r.Evidence)
				default:
					gone = append(gone, r.Evidence)
				}
			}
			if len(gone) > 0 {
				list := strings.Join(gone, ", ")
				if !yield(timeline.Claim{
					Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Info,
					Text:   fmt.Sprintf("The volume of %s that Windows runs from has no file of %s: it was read whole, and Windows makes one.", c.Host, list),
					Steps:  []timeline.Step{step("The volume was read whole, and no file of these lies on it: " + list + ".")},
					Benign: []timeline.Benign{verdict("the log is kept on another volume", timeline.VerdictUnknown, "where the log is kept was not looked up")},
				}) {
					return
				}
			}
			if len(lacks) == 0 {
				return
			}
			list := strings.Join(lacks, ", ")
			yield(timeline.Claim{
				Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Info,
				Text:   fmt.Sprintf("The collection of %s lacks %s: what is missing there cannot be told from what is absent.", c.Host, list),
				Steps:  []timeline.Step{step("The host is known to have them, or the collector reports to have left them behind: " + list + ".")},
				Benign: []timeline.Benign{verdict("the collection was meant to be small", timeline.VerdictUnknown, "the collection does not say what was wanted")},
			})
		}
	},
})

// shouldBeThere reports whether a kind of evidence that is absent is one that a
// collector reports to have left behind, or one that goes with system hives
// that were collected.
func shouldBeThere(c *timeline.Case, kind string) bool {
	var systemHive bool
	for _, f := range c.Facts {
		if f.NotCollected && f.Evidence == kind {
			return kind != "vss" // few collections are asked for shadow copies
		}
		systemHive = systemHive || !f.NotCollected && slices.Contains([]string{"registry:SYSTEM", "registry:SOFTWARE"}, f.Evidence)
	}
	return systemHive && (strings.HasPrefix(kind, "registry:NTUSER:") || slices.Contains([]string{"evtx:Security", "evtx:System"}, kind))
}
