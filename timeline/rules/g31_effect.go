package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// dating is the step that says what the last write of Network dates (E2).
func dating(c *timeline.Case, l *timeline.Life, by *evidence.Fact, s *timeline.MappingState) timeline.Step {
	what := "it is the instant of the removal."
	if !namesLetter(l, by) && !alone(c, l, by) {
		what = "it is the instant at which the last of the drives that the command removed went; the others went between the command and then, in an order that is not known."
	}
	if !namesLetter(l, by) {
		since, _ := l.Since(by.Time)
		what += fmt.Sprintf(" That the drive still stood when the command ran is taken from this: it was last seen at %s, commands were recorded from then on without a break, and none removed it; had Explorer or a program removed it in between, no record would say so.", stamp(since))
	}
	return step("The last write of Network falls within the time in which the command takes effect (E2): "+what, by, s.Key)
}

// stamped reports whether the removal of a child of Network stamped it last, in w.
func stamped(l *timeline.Life, w timeline.Window) bool {
	s := l.State
	return s != nil && s.ChildRemoved && holds(s, l) == nil && !s.LastChange.Before(w.NotBefore) && !s.LastChange.After(w.NotAfter)
}

// youngerShare returns a share that Explorer mapped to an unknown letter after l
// was last seen and before t, or nil.
func youngerShare(c *timeline.Case, l *timeline.Life, t time.Time) *timeline.Life {
	since, _ := l.Since(t)
	for _, x := range c.Lives {
		if x.Side == evidence.Client && x.Drive == "" && len(x.Maps) > 0 && timeline.SameUser(x.User, x.SID, l.User, l.SID) && evidence.ShareKey(x.Share) != evidence.ShareKey(l.Share) {
			if m := from(x, "map-drive-mru"); m != nil && m.TimeKind != evidence.AtOrBefore && m.Time.After(since) && m.Time.Before(t) {
				return x
			}
		}
	}
	return nil
}

// effective returns the command that removed l: the one whose effect the hive
// dates, else the first that no later state refutes. nil if there is none.
func effective(c *timeline.Case, l *timeline.Life) (by *evidence.Fact) {
	for _, o := range l.Removes {
		if refuted(l, o) || l.StandsAfter(c, o.Time) || !undated(o) && l.Persistent == timeline.Yes && !c.PutBackSince(l) && c.KeptStill(o) || recordedBefore(c, l, o) || endedBefore(c, l, o) || !undated(o) && l.GoneInState(c, o.Time.Add(-timeline.EffectBefore)) || timeline.KeepsProfile(o) && keptAfter(l, o) || leftAnother(c, l, o) != nil {
			continue
		}
		if !l.Dated() && (!namesLetter(l, o) || anotherWent(c, l, o)) {
			continue // it may have been mapped later: nothing tells when it was
		}
		if by == nil || undated(by) && !undated(o) || dated(c, l, o) && !dated(c, l, by) && namesLetter(l, o) == namesLetter(l, by) || sameRun(by, o) && direct(o) && !direct(by) {
			by = o
		}
	}
	return by
}

// recordedBefore reports whether command o, which stands in a history, is on record
// with its time as well, from before l was mapped: then it was typed by then.
func recordedBefore(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	return undated(o) && l.Dated() && slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return slices.ContainsFunc(x.Removes, func(d *evidence.Fact) bool {
			return !undated(d) && !d.Time.After(o.Time) && d.Time.Before(l.MappedAtFirst()) && quote(d) == quote(o) && timeline.SameUser(d.User, d.SID, o.User, o.SID)
		})
	})
}

// anotherWent reports whether command o named another mapping of the letter, of
// which it is known when it was made.
func anotherWent(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	return slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return x != l && x.Drive == l.Drive && len(x.Maps) > 0 && x.Dated() && slices.Contains(x.Removes, o)
	})
}

// keptAfter reports whether l outlived command o, which leaves what is remembered
// as it is: it was remembered, or is gone from a hive that may have held it.
func keptAfter(l *timeline.Life, o *evidence.Fact) bool {
	return l.Persistent == timeline.Yes || l.Persistent == timeline.Unknown && l.State != nil && l.State.AsOf.After(o.Time)
}

// endedBefore reports whether a connection that was not remembered ended with
// its session before command o.
func endedBefore(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	if l.Persistent != timeline.No || len(l.Maps) == 0 {
		return false
	}
	end, _ := sessionEnd(c, l)
	return end != nil && end.Time.Add(near).Before(o.Time) // a logoff script runs while the session ends
}

// namesLetter reports whether a command names the letter of l itself.
func namesLetter(l *timeline.Life, o *evidence.Fact) bool {
	return o.Drive != "" && o.Drive == l.Drive
}

// sameRun reports whether two commands are one act: a shell that was given
// the line, and the program that it started.
func sameRun(a, b *evidence.Fact) bool {
	return a.Time.Sub(b.Time).Abs() <= shellDelay && timeline.SameUser(a.User, a.SID, b.User, b.SID) &&
		slices.Equal(a.Detail.List("Targets"), b.Detail.List("Targets"))
}

// shellDelay is how long a shell may take to start the program.
const shellDelay = 5 * time.Second

// direct reports whether the process is the program that does the work, not a
// shell that was told to start it.
func direct(o *evidence.Fact) bool {
	return o.Process != nil && strings.EqualFold(strings.TrimSuffix(strings.ToLower(base(o.Process.Image)), ".exe"), o.Detail.Text("Program"))
}

// refuted reports whether a later state of the hive still holds what command o
// should have removed.
func refuted(l *timeline.Life, o *evidence.Fact) bool {
	s := l.State
	if s == nil || s.AsOf.Before(o.Time) {
		return false
	}
	k := holds(s, l)
	return k != nil && k.Time.Before(o.Time)
}

// leftAnother returns another mapping that command o, which was to remove all, left
// as it was, unless Network was written when o takes effect: nothing shows then
// that o, which failed for that one, removed l. nil if there is none.
func leftAnother(c *timeline.Case, l *timeline.Life, o *evidence.Fact) *timeline.Life {
	if namesLetter(l, o) || undated(o) {
		return nil
	}
	for _, x := range c.Lives {
		if x != l && x.Side == evidence.Client && x.Drive != "" && timeline.SameUser(x.User, x.SID, l.User, l.SID) && slices.Contains(x.Removes, o) && refuted(x, o) {
			if s := c.StateAfter(l, o.Time); s == nil || !timeline.Within(s.LastChange, o.Time) {
				return x
			}
		}
	}
	return nil
}

// failed is the step that says of the commands which were to remove all that they
// left another mapping as it was.
func failed(c *timeline.Case, l *timeline.Life) (steps []timeline.Step) {
	for _, o := range l.Removes {
		if x := leftAnother(c, l, o); x != nil {
			steps = append(steps, step(fmt.Sprintf("%s, run by %s at %s, left %s as it was, so that it removed this one is not to be taken for granted: it may have failed.", quote(o), who(o.User, o.SID), stamp(o.Time), mapping(x.Drive, x.Share)), o, x.Key))
		}
	}
	return steps
}

// dated reports whether the last write of Network dates the effect of o (E2):
// it falls within the time in which the command takes effect, it was a removal
// that stamped it, and no other removal can have been that one.
func dated(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	s := c.StateAfter(l, o.Time)
	return s != nil && !undated(o) && !s.Restamped && (l.Next.IsZero() || s.AsOf.Before(l.Next)) && timeline.Within(s.LastChange, o.Time) && holds(s, l) == nil &&
		l.Persistent != timeline.No && l.Drive != "" && (s.ChildRemoved || s.Empty) && !rivals(c, l, o, s) &&
		(namesLetter(l, o) || stoodAt(c, l, o))
}

// datesLater reports whether the last write of Network was the removal of a child,
// later than command o takes effect, and nothing but l is known to have gone then.
func datesLater(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	s := c.StateAfter(l, o.Time)
	return s != nil && s.LastChange.After(o.Time.Add(timeline.EffectAfter)) && s.ChildRemoved && !rivals(c, l, o, s)
}

// rivals reports whether another mapping of the user went, or may have gone, at
// the instant that o's effect is dated by in the state s: then it is not known
// whose removal stamped Network last.
func rivals(c *timeline.Case, l *timeline.Life, o *evidence.Fact, s *timeline.MappingState) bool {
	for _, x := range c.Lives {
		if x == l || !timeline.SameUser(x.User, x.SID, l.User, l.SID) || x.Drive == "" || x.Side != evidence.Client || !x.Next.IsZero() || x.Persistent == timeline.No || s.Drives[x.Drive] != nil || x.Targets(o) {
			continue
		}
		if len(x.Maps) > 0 && x.MappedAtFirst().After(s.LastChange) || removedBefore(x, s.LastChange) {
			continue
		}
		return true
	}
	return false
}

// removedBefore reports whether a record dates the removal of x well before t.
func removedBefore(x *timeline.Life, t time.Time) bool {
	for _, o := range x.Gone {
		if o.Time.Before(t.Add(-timeline.EffectBefore)) {
			return true
		}
	}
	for _, o := range x.Removes {
		if o.Time.Add(timeline.EffectAfter).Before(t) {
			return true
		}
	}
	return false
}

// effect grades the removal of l by command o and bounds it.
func effect(c *timeline.Case, l *timeline.Life, o *evidence.Fact) (timeline.Confidence, timeline.Window) {
	since, _ := l.Since(o.Time)
	w := commandWindow(o, since)
	s := c.StateAfter(l, o.Time)
	if !l.Next.IsZero() && l.Next.Before(w.NotAfter) {
		w.NotAfter = l.Next
	}
	if undated(o) {
		return undatedEffect(l, o, w)
	}
	if (o.Drive == "" && o.Share == "" || scriptHost(o) != "") && !dated(c, l, o) {
		// A command that removes all does not show that this one still stood, nor
		// does that of a script, which runs whether or not it does.
		w.NotBefore = since
		if l.Persistent != timeline.No && s != nil && s.LastChange.After(o.Time.Add(-timeline.EffectBefore)) && s.LastChange.Before(w.NotAfter) && holds(s, l) == nil {
			w.NotAfter, w.Basis = s.LastChange, timeline.ParentKeyLastWrite
		}
		if !tookEffect(c, l) && !alone(c, l, o) {
			return timeline.Possible, w // the map command may have failed
		}
		if l.Persistent == timeline.Yes && tookEffect(c, l) && s != nil && (l.Next.IsZero() || s.AsOf.Before(l.Next)) && holds(s, l) == nil && !s.AsOf.Before(o.Time) {
			return timeline.Strong, w
		}
		return timeline.Likely, w
	}
	if s == nil || !l.Next.IsZero() && !s.AsOf.Before(l.Next) || l.Drive == "" || l.Persistent != timeline.Yes && !(l.Persistent == timeline.Unknown && timeline.Within(s.LastChange, o.Time)) ||
		s.AsOf.Before(o.Time) || holds(s, l) != nil || s.LastChange.Before(o.Time.Add(-timeline.EffectBefore)) {
		return timeline.Likely, w
	}
	// The hive lacks it later, and its removal stamped Network at the latest
	// when Network was last written.
	switch {
	case dated(c, l, o):
		return timeline.Certain, timeline.At(s.LastChange, timeline.ParentKeyLastWrite)
	case timeline.Within(s.LastChange, o.Time):
		w.NotBefore = earlier(o.Time, s.LastChange)
		w.NotAfter, w.Basis = s.LastChange, timeline.ParentKeyLastWrite
		return timeline.Strong, w
	case datesLater(c, l, o):
		// A removal is dated, later than the command takes effect: it was
		// slow, or it failed and something else did it.
		w.NotAfter, w.Basis = s.LastChange, timeline.ParentKeyLastWrite
		return timeline.Likely, w
	}
	return timeline.Strong, w // a later change of Network hides when exactly
}

// undatedEffect grades and bounds the removal of l by a command of a history,
// which may have been typed before l was mapped: then something else removed it,
// later perhaps than the history was saved.
func undatedEffect(l *timeline.Life, o *evidence.Fact, w timeline.Window) (timeline.Confidence, timeline.Window) {
	s := l.State
	if s == nil || s.AsOf.Before(o.Time) || holds(s, l) != nil {
		w.NotBefore = time.Time{} // it may have been typed against an earlier mapping of the letter
		return timeline.Possible, w
	}
	if !l.Next.IsZero() {
		w.NotAfter = l.Next
	} else {
		w.NotAfter, w.Basis = s.AsOf, timeline.HiveState
		if l.Persistent == timeline.Yes && s.LastChange.After(w.NotBefore) {
			w.NotAfter, w.Basis = s.LastChange, timeline.ParentKeyLastWrite
		}
	}
	return timeline.Likely, w
}

// stoodAt reports whether l can be taken to have stood when command o removed
// all: it is known by more than its map command, or is the only one that is
// known, and no other command removed it.
func stoodAt(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	return (tookEffect(c, l) || alone(c, l, o)) && watched(c, l, o)
}

// alone reports whether command o named no other letter that is known.
func alone(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	return !slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return x != l && x.Drive != "" && len(x.Maps) > 0 && slices.Contains(x.Removes, o)
	})
}

// watched reports whether commands were recorded without a break from when l was
// last seen to command o, and no drive map of Group Policy is: then nothing that
// leaves a record removed it in between.
func watched(c *timeline.Case, l *timeline.Life, o *evidence.Fact) bool {
	since, _ := l.Since(o.Time)
	for _, x := range l.Removes {
		if x.Time.After(since) && x.Time.Before(o.Time.Add(-timeline.Retry)) {
			return false
		}
	}
	if policy := driveMapsIn(c, l.User, l.SID, timeline.Window{NotBefore: since, NotAfter: o.Time}); policy != nil {
		return false // it may have removed l
	}
	class, _ := c.Commands(timeline.Window{NotBefore: since, NotAfter: o.Time})
	return class == timeline.Continuous
}
