package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G23: files were opened through a letter that was a share, and no mapping of
// it is known.
//
// Logic: a shortcut or list names a share together with its letter; Network,
// read whole, does not hold the letter, and nothing else says when it was
// mapped.
//
// Bound: after the last use through the letter, at or before the last change
// of Network if that is later, else the last instant of the hive.
//
// Misses: letters that nothing ties to a share.
//
// Benign: a mapping that was not remembered and ended with the session.
var _ = register(timeline.Rule{
	ID: "G23", Title: "letter of a share in use, no mapping of it left", Technique: "T1070.005",
	Claim: "the letter was mapped to that share and is not any more", Base: timeline.Possible, Severity: timeline.Low,
	Logic:     "a use names a share together with a letter; Network, read whole, does not hold the letter, and nothing says when it was mapped",
	Bound:     "after the last use through the letter, at or before the last change of Network if later, else the last instant of the hive",
	Misses:    "letters that nothing ties to a share",
	Benign:    []string{"the mapping was not remembered and ended with the session"},
	Reference: "as sharetrail artifacts lnk, mounted-devices",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || l.Drive == "" || l.Share == "" || len(l.Maps) > 0 || len(l.Removes)+len(l.Gone) > 0 || l.State == nil || l.State.Drives[l.Drive] != nil {
					continue
				}
				if since, last := l.Since(c.End.Add(1)); last != nil && !since.After(l.State.AsOf) && !yield(letterGone(c, l, last)) {
					return
				}
			}
		}
	},
})

func letterGone(c *timeline.Case, l *timeline.Life, last *evidence.Fact) timeline.Claim {
	s := l.State
	cl := claim(timeline.KindTrace, l)
	cl.Confidence, cl.Severity, cl.By = timeline.Possible, timeline.Low, timeline.ByUnknown
	cl.Window = timeline.Window{NotBefore: last.Time, NotAfter: s.AsOf, Basis: timeline.HiveState}
	cl.Facts = append(append(cl.Facts, l.Uses...), s.Key)
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s was %s when it was last used through that letter, at %s.", l.Drive, l.Share, stamp(last.Time)), last), gone(s)}
	const session = "the mapping was not remembered and ended with the session"
	switch {
	case s.Untouched == timeline.Yes || !s.LastChange.After(last.Time) && s.Key != nil:
		cl.Severity = timeline.Info
		cl.Benign = []timeline.Benign{verdict(session, timeline.Supported, "Network was not written after that use: the mapping was not remembered", s.Key)}
		cl.Text = fmt.Sprintf("%s was mapped to %s by %s at %s and was not remembered; it is not known when it ended.", l.Drive, l.Share, who(l.User, l.SID), stamp(last.Time))
	default:
		cl.Window.NotAfter, cl.Window.Basis = s.LastChange, timeline.ParentKeyLastWrite
		cl.Attack = []string{"T1070.005"}
		cl.Benign = []timeline.Benign{verdict(session, timeline.VerdictUnknown, "nothing says whether it was to be remembered", last)}
		cl.Text = fmt.Sprintf("%s was mapped to %s by %s at %s and is not remembered: if it was, it was removed %s.", l.Drive, l.Share, who(l.User, l.SID), stamp(last.Time), span(cl.Window))
	}
	cl.Missing = commandsMissing(c, cl.Window)
	return cl
}
