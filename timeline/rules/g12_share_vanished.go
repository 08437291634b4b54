package rules

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G12: a share was made, and is neither stored nor was its deletion recorded.
//
// Logic: 5142, or a command, made the share; no event or command deletes it;
// LanmanServer\Shares, read whole later, does not store it.
//
// Bound: after it was last seen; at or before the last write of Shares if that
// is later, else the next start of the computer, which ends temporary shares.
//
// Misses: shares that were stored before the log begins (G14).
//
// Benign: temporary shares end with the service and are never stored.
var _ = register(timeline.Rule{
	ID: "G12", Title: "share made, not stored, its deletion not recorded", Technique: "T1070.005",
	Claim: "the share was removed without a recorded deletion", Base: timeline.Likely, Severity: timeline.Medium,
	Logic:     `a share was made; nothing records its deletion; LanmanServer\Shares, read whole later, does not store it`,
	Bound:     "after it was last seen, at or before the last write of Shares if later, else the next start of the computer",
	Misses:    "shares made before the log begins",
	Benign:    []string{"the share was temporary and ended with the service"},
	Reference: "as sharetrail artifacts server-shares, share-changes",
	Needs:     []string{"evtx:Security", "registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if !vanishedShare(c, l) || len(l.Maps) == 0 {
					continue
				}
				if cl, ok := shareVanished(c, l); ok && !yield(cl) {
					return
				}
			}
		}
	},
})

// vanishedShare reports whether l is an exported share that nothing removes, or a
// command that is known to have failed, and that is not stored any more.
func vanishedShare(c *timeline.Case, l *timeline.Life) bool {
	s := l.Shares
	return l.Side == evidence.Server && len(l.Gone) == 0 && !tells(c, l) && l.Key == nil && l.Old == nil && l.Stored == nil && l.Next.IsZero() &&
		s != nil && s.Key != nil && s.Names[nameOf(l.Share)] == nil && !timeline.IsDefaultShare(nameOf(l.Share))
}

func shareVanished(c *timeline.Case, l *timeline.Life) (timeline.Claim, bool) {
	s := l.Shares
	since, last := l.Since(c.End.Add(1))
	if l.LastUsed.After(since) {
		since = l.LastUsed
	}
	if since.IsZero() || !s.AsOf.After(since) {
		return timeline.Claim{}, false
	}
	const temporary = "the share was temporary and ended with the service"
	cl := claim(timeline.KindRemoval, l)
	cl.Severity, cl.Confidence, cl.By, cl.Attack = timeline.Medium, timeline.Likely, timeline.ByUnknown, []string{"T1070.005"}
	cl.Facts = append(append(cl.Facts, l.Maps...), s.Key)
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s was last seen at %s.", l.Share, stamp(since)), last),
		step(fmt.Sprintf(`LanmanServer\Shares, as of %s, was read whole and does not store it; it was last written at %s.`, stamp(s.AsOf), stamp(s.LastChange)), s.Key)}
	if s.LastChange.After(since) {
		cl.Window = timeline.Window{NotBefore: since, NotAfter: s.LastChange, Basis: timeline.KeyLastWrite}
		cl.Benign = []timeline.Benign{verdict(temporary, timeline.VerdictUnknown, "whether it was ever stored is not known", s.Key)}
		l.Facts.ShareGone = timeline.Yes
		if otherWrite(c, l, s.LastChange) || otherVanished(c, l, s.LastChange) {
			// That may have stamped Shares: nothing shows that this one was ever stored.
			cl.Confidence, l.Facts.ShareGone = timeline.Possible, timeline.Unknown
			cl.Steps = append(cl.Steps, step("Another share was, or may have been, made or removed when Shares was last written; a temporary share is never stored.", s.Key))
		}
	} else {
		// The stored shares did not change since: it was never among them.
		end := s.AsOf
		basis := timeline.HiveState
		cl.Confidence, cl.Severity = timeline.Possible, timeline.Info
		if boot := bootAfter(c, since); boot != nil {
			end, basis = boot.Time, timeline.ByBoot
			cl.Facts = append(cl.Facts, boot)
		}
		cl.Window = timeline.Window{NotBefore: since, NotAfter: end, Basis: basis}
		cl.Benign = []timeline.Benign{verdict(temporary, timeline.Supported, "the stored shares were not written after it was made", s.Key)}
		cl.Text = fmt.Sprintf("The share %s was never stored and ended after %s, at the latest at %s.", l.Share, stamp(since), stamp(end))
	}
	if len(l.Maps) == 0 { // printers, DFS and clusters keep their shares elsewhere
		cl.Confidence, cl.Severity = timeline.Possible, cl.Severity.Milder(timeline.Low)
	}
	if cl.Missing = auditMissing(c, cl.Window); cl.Missing != nil {
		cl.Confidence = cl.Confidence.Weaker(timeline.Possible)
	}
	if cl.Text == "" {
		cl.Text = fmt.Sprintf("The share %s %s removed after %s and at or before %s; no deletion is recorded.", l.Share, was(&cl), stamp(since), stamp(s.LastChange))
	}
	return cl, true
}

// tells reports whether the commands that delete l make a claim of their own (G32).
func tells(c *timeline.Case, l *timeline.Life) bool {
	if len(l.Removes) == 0 {
		return false
	}
	_, ok := shareCommand(c, l)
	return ok
}

// otherVanished reports whether another share that is not stored any more may
// have gone at t, when the stored shares were last written.
func otherVanished(c *timeline.Case, l *timeline.Life, t time.Time) bool {
	return slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		if x == l || x.Side != evidence.Server {
			return false
		}
		return x.Lacks != nil && !x.Lacks.LastChange.Before(t) || vanishedShare(c, x) && len(x.Maps) > 0 && x.MappedAtFirst().Before(t)
	})
}

func bootAfter(c *timeline.Case, t time.Time) *evidence.Fact {
	for _, o := range c.Observations {
		if o.Action == evidence.Boot && o.Time.After(t) {
			return o
		}
	}
	return nil
}
