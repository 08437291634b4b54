package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G31: a known mapping, and a record of its removal.
//
// Logic: a delete command, or a recorded deletion of the key Network\X, names
// a mapping that is known from before. A later state of the hive that still
// holds it makes the command one without effect (G09).
//
// Bound: E1, the event's own time; E2, the last write of Network where it lies
// from 2 s before to 30 s after the command; else the command and 30 s.
//
// Misses: commands of unlogged processes; mappings known from nothing.
//
// Benign: logon and logoff scripts; the user.
var _ = register(timeline.Rule{
	ID: "G31", Title: "removal of a known mapping is recorded", Technique: "T1070.005",
	Claim: "the mapping was removed by the command, or event, that is named", Base: timeline.Likely, Severity: timeline.High,
	Logic:     `a delete command, or a recorded deletion of HKCU\Network\X, names a mapping that is known from before, and no later hive state holds it`,
	Bound:     "the event's own time (E1); the last write of Network within -2 s to +30 s of the command (E2); else the command and 30 s",
	Misses:    "commands of processes that were not logged; mappings that no other evidence names",
	Benign:    []string{byScript, "the user disconnected the drive in Explorer"},
	Reference: "Microsoft, Windows security auditing: events 4660, 4663, 4688; Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; MITRE ATT&CK T1070.005",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || len(l.Maps) == 0 && len(l.Gone) == 0 || l.Barred != nil || maybeLettered(c, l) {
					continue
				}
				if cl, ok := recorded(c, l); ok && !yield(cl) {
					return
				}
			}
		}
	},
})

// maybeLettered reports whether l, of which only Explorer's list of mapped drives
// tells, is another connection of the same user to the share, whose letter is known and
// which was made when the list was written: nothing shows one more to remove.
func maybeLettered(c *timeline.Case, l *timeline.Life) bool {
	return l.LetterUnknown() && slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return x.Drive != "" && x.Side == evidence.Client && timeline.SameUser(x.User, x.SID, l.User, l.SID) && evidence.ShareKey(x.Share) == evidence.ShareKey(l.Share) &&
			slices.ContainsFunc(x.Maps, func(o *evidence.Fact) bool { return timeline.Within(l.Maps[0].Time, o.Time) })
	})
}

// recorded makes the claim of a life whose removal a record names.
func recorded(c *timeline.Case, l *timeline.Life) (timeline.Claim, bool) {
	if len(l.Gone) > 0 {
		return eventClaim(c, l, l.Gone[len(l.Gone)-1]), true
	}
	by := effective(c, l)
	if by == nil {
		return timeline.Claim{}, false
	}
	cl := claim(timeline.KindRemoval, l)
	cl.Actor, cl.By, cl.Attack = by, timeline.ByTheCommand, []string{"T1070.005"}
	if by.Detail.Text("Class") == "key.delete" {
		cl.By = timeline.ByRegistry
	}
	cl.Severity = timeline.High
	cl.Facts = append(append(cl.Facts, l.Maps...), by)
	cl.Steps = append(cl.Steps, known(l), ran(by))
	cl.Confidence, cl.Window = effect(c, l, by)
	if end, why := sessionEnd(c, l); end != nil && l.Persistent == timeline.No {
		// Without the command the session's end would have taken it as well.
		l.Facts.SessionEnded = timeline.Yes
		if end.Time.Sub(by.Time).Abs() <= near {
			cl.Confidence, cl.Facts = timeline.Possible, append(cl.Facts, end)
			cl.Steps = append(cl.Steps, notRemembered(l), step(fmt.Sprintf("%s at %s, which ends it too.", capital(why), stamp(end.Time)), end))
		}
	}
	switch s := c.StateAfter(l, by.Time); {
	case cl.Confidence == timeline.Certain:
		if x := youngerShare(c, l, by.Time); x != nil {
			cl.Confidence = timeline.Strong
			if !namesLetter(l, by) {
				cl.Window.NotBefore, _ = l.Since(by.Time)
			}
			cl.Steps = append(cl.Steps, step(fmt.Sprintf("Explorer mapped %s since, to a letter that is not known: the letter may have stood for that share by then.", x.Share), x.Maps...))
		}
		cl.Facts = append(cl.Facts, s.Key)
		cl.Steps = append(cl.Steps, gone(s), dating(c, l, by, s))
		if !tookEffect(c, l) {
			cl.Steps = append(cl.Steps, step(fmt.Sprintf("That %s led to %s rests on the map command alone, which fails while the letter is in use: it is taken for granted.", l.Drive, l.Share), l.Maps...))
		}
		l.Facts.MappingGone, l.Persistent = timeline.Yes, timeline.Yes
	case s == nil && c.PutBackSince(l):
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("An older hive may have been put back since the mapping was last seen, before the command perhaps: then the letter stood for nothing, and the command failed.", by))
		cl.Missing = append(cl.Missing, timeline.Missing{What: "a state of the hive NTUSER.DAT of " + who(l.User, l.SID) + " from after the command, of the hive that held the mapping", Why: "an older hive may have been put back in its place"})
	case s == nil:
		cl.Missing = append(cl.Missing, timeline.Missing{What: "the hive NTUSER.DAT of " + who(l.User, l.SID) + ", to see whether the mapping is still remembered", Why: "no hive of that user was read"})
	case s.AsOf.Before(by.Time):
		cl.Confidence, l.Facts.MappingGone = timeline.Possible, timeline.Unknown
		cl.Missing = append(cl.Missing, timeline.Missing{What: "a state of the hive from after the command", Why: "the hive shows nothing later than " + stamp(s.AsOf)})
	case l.Next.IsZero():
		cl.Steps = append(cl.Steps, gone(s))
	}
	if !tookEffect(c, l) && namesLetter(l, by) && cl.Confidence != timeline.Certain && recoveredKey(l) == nil && l.Maps[0].Detail.Text("Persistent") == "yes" && !stamped(l, cl.Window) {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("Nothing but the two commands shows the mapping, which should have been remembered: both may have failed.", l.Maps[0], by))
	}
	if timeline.KeepsProfile(by) && l.Persistent != timeline.No && cl.Confidence != timeline.Certain {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("Without -UpdateProfile a remembered mapping stays remembered; whether this one was is not known.", by))
	}
	if k := recoveredKey(l); k != nil && k.Detail.Text("doubt") == "" && cl.Confidence == timeline.Likely && namesLetter(l, by) && !undated(by) && l.State != nil && !l.State.AsOf.Before(by.Time) && holds(l.State, l) == nil {
		cl.Confidence, l.Facts.MappingGone = timeline.Strong, timeline.Yes
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("The deleted key of the mapping is recovered at offset %#x: two kinds of evidence agree.", k.From().Offset), k))
	}
	doubt := "nothing shows that it still stood when the command removed all"
	if namesLetter(l, by) {
		doubt = "nothing shows that it still stood when the script ran"
	}
	if o := again(l, by); o != nil && cl.Confidence != timeline.Certain && cl.Window.NotAfter.Before(o.Time.Add(timeline.EffectAfter)) && (l.Next.IsZero() || cl.Window.NotAfter.Before(l.Next)) {
		cl.Window.NotAfter = o.Time.Add(timeline.EffectAfter)
		if !l.Next.IsZero() && l.Next.Before(cl.Window.NotAfter) {
			cl.Window.NotAfter = l.Next
		}
		cl.Facts = append(cl.Facts, o)
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run at %s: the first may have failed.", quote(o), stamp(o.Time)), o))
	}
	if x := l.DoubtedBy(by.Time); x != nil {
		cl.Window.NotBefore, _ = l.Since(by.Time)
		doubt = fmt.Sprintf("whether %s had taken the letter before, which fails while it is in use, is not known", quote(x.Maps[0]))
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run at %s. Had it not failed, %s had gone before, and the command removed that one.", quote(x.Maps[0]), stamp(x.MappedAtFirst()), mapping(l.Drive, l.Share)), x.Maps...))
	}
	how := fmt.Sprintf("%s %s removed by %s, run by %s", capital(mapping(l.Drive, l.Share)), was(&cl), quote(by), who(by.User, by.SID))
	cl.Text = fmt.Sprintf("%s, %s.", how, span(cl.Window))
	if undated(by) {
		how += " " + runAt(by)
		cl.Text = fmt.Sprintf("%s, %s.", how, span(cl.Window))
	} else if namesLetter(l, by) && again(l, by) == nil && cl.Window.NotAfter.After(by.Time.Add(timeline.EffectAfter)) {
		cl.By, cl.Actor, cl.Severity = timeline.ByUnknown, nil, timeline.Medium
		cl.Text = fmt.Sprintf("%s %s removed %s. %s, run by %s at %s, names it, but the removal that the hive dates came later than a command takes effect.", capital(mapping(l.Drive, l.Share)), was(&cl), span(cl.Window), quote(by), who(by.User, by.SID), stamp(by.Time))
		cl.Steps = append(cl.Steps, step("Either the command removed it, and what went later was another mapping, or it failed, and something else removed it later.", by))
	} else if cl.Window.NotBefore.Before(by.Time.Add(-timeline.EffectBefore)) {
		cl.By = timeline.ByUnknown
		cl.Text = fmt.Sprintf("%s %s removed, at the latest by %s, run by %s, %s; %s.", capital(mapping(l.Drive, l.Share)), was(&cl), quote(by), who(by.User, by.SID), span(cl.Window), doubt)
	}
	if l.LetterUnknown() && cl.Confidence != timeline.Possible {
		cl.Confidence = timeline.Possible
		cl.Text = fmt.Sprintf("%s, run by %s %s, may have removed the mapping of an unknown letter to %s.", quote(by), who(by.User, by.SID), runAt(by), l.Share)
	}
	cl.Benign = innocents(c, by, &cl)
	return cl, true
}

// again returns the last command that names the letter of l once more soon after
// by, which may have failed, or nil.
func again(l *timeline.Life, by *evidence.Fact) (last *evidence.Fact) {
	for _, o := range l.Removes {
		if namesLetter(l, by) && namesLetter(l, o) && !undated(by) && !undated(o) && !sameRun(by, o) && o.Time.After(by.Time) && o.Time.Sub(by.Time) <= timeline.Retry {
			last = o
		}
	}
	return last
}

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
		if refuted(l, o) || endedBefore(c, l, o) || !undated(o) && l.GoneInState(c, o.Time.Add(-timeline.EffectBefore)) || timeline.KeepsProfile(o) && keptAfter(l, o) || leftAnother(c, l, o) != nil {
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
	case s.ChildRemoved && !rivals(c, l, o, s):
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

// lastSeen returns the time of the last fact before t that shows l and its share.
func lastSeen(l *timeline.Life, t time.Time) (last time.Time) {
	for _, o := range slices.Concat(l.Maps, l.Uses) {
		if o.Share != "" && o.Time.After(last) && !o.Time.After(t) {
			last = o.Time
		}
	}
	return last
}

// eventClaim makes the claim of a removal that an event records (E1).
func eventClaim(c *timeline.Case, l *timeline.Life, by *evidence.Fact) timeline.Claim {
	cl := claim(timeline.KindRemoval, l)
	cl.Actor, cl.Attack, cl.Severity, cl.Confidence = by, []string{"T1070.005"}, timeline.High, timeline.Certain
	cl.Window = timeline.At(by.Time, timeline.Recorded)
	cl.By = timeline.ByAPI
	image := "a process that the record does not name"
	if by.Process != nil && by.Process.Image != "" {
		image = base(by.Process.Image)
		switch strings.ToLower(image) {
		case "explorer.exe":
			cl.By = timeline.ByExplorer
		case "reg.exe", "regedit.exe":
			cl.By = timeline.ByRegistry
		case "net.exe", "net1.exe":
			cl.By = timeline.ByTheCommand
		}
	}
	cl.Facts = append(append(cl.Facts, l.Maps...), by)
	if len(l.Maps) > 0 {
		cl.Steps = append(cl.Steps, known(l))
	}
	recorded := fmt.Sprintf("The deletion of the key Network\\%s is recorded at %s, by %s (E1).", l.Drive[:1], stamp(by.Time), image)
	if seen := lastSeen(l, by.Time); l.Share != "" && !seen.IsZero() {
		recorded += fmt.Sprintf(" It names no share: that the letter still led to %s, as when it was last seen at %s, is taken for granted.", l.Share, stamp(seen))
	}
	cl.Steps = append(cl.Steps, step(recorded, by))
	for _, o := range l.Removes {
		if timeline.Within(by.Time, o.Time) {
			cl.By, cl.Actor = timeline.ByTheCommand, o
			cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o))
		}
	}
	l.Facts.MappingGone = timeline.Yes
	cl.Text = fmt.Sprintf("%s was removed at %s, when %s deleted its registry key.", capital(mapping(l.Drive, l.Share)), stamp(by.Time), image)
	cl.Benign = innocents(c, cl.Actor, &cl)
	return cl
}
