package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G08: a mapping was made, is not remembered any more, and nothing says how.
//
// Logic: a mapping of a letter is known, Network was read whole later and does
// not hold it, Network was changed after the mapping was last seen, and no
// command or event removes it.
//
// Bound: after the last fact that shows the mapping, at or before the last
// write of Network: the removal of a child stamps its parent.
//
// Misses: mappings that Windows was told not to remember, and those that it
// silently did not (as from elevated consoles).
//
// Benign: disconnecting in Explorer, which no log records; drive maps.
var _ = register(timeline.Rule{
	ID: "G08", Title: "mapping gone, and no removal is recorded", Technique: "T1070.005",
	Claim: "the mapping was removed without a command that was recorded", Base: timeline.Likely, Severity: timeline.Medium,
	Logic:     "a mapping of a letter is known; Network, read whole, was changed later and does not hold it; no command or event removes it",
	Bound:     "after the last fact that shows the mapping, at or before the last write of Network",
	Misses:    "mappings that were never remembered: /persistent:no, elevated consoles",
	Benign:    []string{"the user disconnected the drive in Explorer", "a Group Policy drive map removed or replaced it", byScript},
	Reference: "Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; MITRE ATT&CK T1070.005",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || l.Drive == "" || len(l.Maps) == 0 || l.Maps[0].TimeKind == evidence.AtOrBefore ||
					len(l.Gone) > 0 || effective(c, l) != nil || l.Persistent == timeline.No || l.Barred != nil {
					continue
				}
				cl, ok := replaced(c, l)
				if !ok && l.Next.IsZero() && l.State != nil && holds(l.State, l) == nil {
					cl, ok = vanished(c, l)
				}
				if ok && !yield(cl) {
					return
				}
			}
		}
	},
})

// replaced makes the claim of a mapping whose letter later stands for another
// share: a letter in use cannot be mapped again.
func replaced(c *timeline.Case, l *timeline.Life) (timeline.Claim, bool) {
	next := nextOf(c, l)
	if next == nil || evidence.ShareKey(next.Share) == evidence.ShareKey(l.Share) {
		return timeline.Claim{}, false
	}
	since, last := l.Since(l.Next)
	cl := claim(timeline.KindRemoval, l)
	cl.Window = timeline.Window{NotBefore: since, NotAfter: l.Next, Basis: timeline.ByCommand}
	if next.Maps[0].TimeKind == evidence.KeyLastWrite {
		cl.Window.Basis = timeline.KeyLastWrite
	}
	cl.By, cl.Severity, cl.Confidence, cl.Attack = timeline.ByUnknown, timeline.Low, timeline.Likely, []string{"T1070.005"}
	if l.Persistent != timeline.Yes {
		cl.Confidence = timeline.Possible // it may have ended with a session
	}
	cl.Facts = append(append(cl.Facts, l.Maps...), next.Maps[0])
	cl.Steps = []timeline.Step{known(l), step("It was last seen at "+stamp(since)+".", last)}
	if !tookEffect(c, l) {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, unconfirmed(l))
	}
	when := "when the letter was mapped to " + next.Share
	if by, on := c.GoneBy(l, since); !tookEffect(c, next) && by.After(l.Next) {
		cl.Window.NotAfter, cl.Window.Basis, cl.Confidence = by, on, timeline.Possible
		when = fmt.Sprintf("before %s if the letter was mapped to %s then", stamp(l.Next), next.Share)
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run at %s. Had it not failed, the letter was free by then; nothing else shows that it did.", quote(next.Maps[0]), stamp(l.Next)), next.Maps[0]))
	} else {
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s stands for %s from %s on at the latest: the letter was free by then.", l.Drive, next.Share, stamp(l.Next)), next.Maps[0]))
	}
	verb := "was removed"
	if cl.Confidence == timeline.Possible {
		verb = "ended or was removed"
	}
	cl.Text = fmt.Sprintf("%s for %s %s between %s and %s, %s; no command that removes it is known.", capital(mapping(l.Drive, l.Share)), who(l.User, l.SID), verb, stamp(since), stamp(cl.Window.NotAfter), when)
	cl.Benign = innocents(c, nil, &cl)
	cl.Missing = commandsMissing(c, cl.Window)
	return cl, true
}

// nextOf returns the life that took over the letter of l, or nil.
func nextOf(c *timeline.Case, l *timeline.Life) *timeline.Life {
	for _, x := range c.Lives {
		if x != l && x.Side == l.Side && x.Drive == l.Drive && !l.Next.IsZero() && len(x.Maps) > 0 && x.MappedAtFirst().Equal(l.Next) && timeline.SameUser(x.User, x.SID, l.User, l.SID) {
			return x
		}
	}
	return nil
}

// unconfirmed says that a mapping is known by its command alone.
func unconfirmed(l *timeline.Life) timeline.Step {
	return step("Nothing but the map command shows the mapping: the command may have failed.", l.Maps...)
}

func vanished(c *timeline.Case, l *timeline.Life) (timeline.Claim, bool) {
	s := l.State
	since, last := l.Since(c.End.Add(1))
	if earlier := c.StateAfter(l, since); earlier.LastChange.After(since) && holds(earlier, l) == nil {
		s = earlier // it lacks the mapping already
	}
	if since.IsZero() || s.LastChange.IsZero() || !s.LastChange.After(since) {
		return timeline.Claim{}, false
	}
	cl := claim(timeline.KindRemoval, l)
	cl.Window = timeline.Window{NotBefore: since, NotAfter: s.LastChange, Basis: timeline.ParentKeyLastWrite}
	cl.By, cl.Severity, cl.Attack = timeline.ByUnknown, timeline.Medium, []string{"T1070.005"}
	cl.Facts = append(append(cl.Facts, l.Maps...), s.Key)
	cl.Steps = []timeline.Step{known(l), step("It was last seen at "+stamp(since)+".", last), gone(s)}
	class, why := c.Commands(cl.Window)
	cl.Confidence = timeline.Likely
	logged := "no command that removes it is recorded, though one would have been (" + why + ")"
	if class != timeline.Continuous {
		cl.Confidence = timeline.Possible
		logged = "whether a command did it cannot be told: " + why
	} else {
		l.Facts.CommandSeen = timeline.No
	}
	if tried := failed(c, l); tried != nil {
		l.Facts.CommandSeen = timeline.Yes
		logged = "a command that was to remove all left another mapping as it was"
		cl.Steps = append(cl.Steps, tried...)
	}
	cl.Steps = append(cl.Steps, step(capital(logged)+"."))
	if !s.ChildRemoved {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("A later change of Network hides whether its last change was this removal; that the mapping was ever remembered rests on the map command alone.", s.Key))
	}
	if !tookEffect(c, l) {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, unconfirmed(l))
	}
	if s.Restamped {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("The last write of Network is one of many in the same second, all over the hive: it bounds the removal and does not show one.", s.Key))
	}
	if s.Volatile > 0 {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("Network has %s, which stamp it and leave nothing on disk.", timeline.Counted(s.Volatile, "volatile child", "volatile children")), s.Key))
	}
	if cl.Confidence == timeline.Possible {
		cl.Severity = timeline.Low
	}
	verb := "was removed"
	if cl.Confidence == timeline.Possible {
		verb = "may have been removed"
	}
	cl.Text = fmt.Sprintf("%s for %s %s after %s and at or before %s; %s.", capital(mapping(l.Drive, l.Share)), who(l.User, l.SID), verb, stamp(since), stamp(s.LastChange), logged)
	cl.Benign = innocents(c, nil, &cl)
	cl.Missing = commandsMissing(c, cl.Window)
	return cl, true
}
