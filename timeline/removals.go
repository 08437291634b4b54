package timeline

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// A command takes effect within these bounds (case E2): clocks of one machine
// differ by the granularity of a log, and a prompt may wait for an answer.
const (
	EffectBefore = 2 * time.Second
	EffectAfter  = 30 * time.Second
)

// Within reports whether t is when a command that started at cmd takes effect.
func Within(t, cmd time.Time) bool {
	return !t.Before(cmd.Add(-EffectBefore)) && !t.After(cmd.Add(EffectAfter))
}

// gone reports whether a fact was read from what is not part of a file any more.
func gone(s evidence.State) bool { return s == evidence.Deleted || s == evidence.Carved }

// IsRemoval reports whether o is a command that takes mappings away.
func IsRemoval(o *evidence.Fact) bool {
	if o.Action != evidence.Command || o.Side != evidence.Client || elsewhere(o) || isLocal(o) {
		return false
	}
	switch o.Detail.Text("Class") {
	case "use.delete", "mapping.remove":
		return true
	case "key.delete":
		return slices.ContainsFunc(o.Detail.List("Targets"), func(t string) bool { return networkKey(t) != "" })
	}
	return false
}

// elsewhere reports whether command o acts on another computer, or at another
// time, than the record of it.
func elsewhere(o *evidence.Fact) bool {
	later, _ := o.Detail.Get("Deferred").(bool)
	return later || o.Detail.Text("Remote") != ""
}

// isLocal reports whether command o makes or drops a letter for a local folder.
func isLocal(o *evidence.Fact) bool { return o.Detail.Text("Program") == "subst" }

// owner returns the account whose mappings o is about: that of the hive that a
// command names, else that which ran it.
func owner(o *evidence.Fact) (user, sid string) {
	if sid := o.Detail.Text("TargetSID"); sid != "" {
		return "", sid
	}
	return o.User, o.SID
}

// userOf returns the name of an account whose hive was read, else "".
func (c *Case) userOf(sid string) string {
	for _, s := range c.States {
		if s.SID == sid {
			return s.User
		}
	}
	return ""
}

// networkKey returns the drive, or "*" for all, that a registry path to
// Network names, else "".
func networkKey(path string) string {
	parts := strings.Split(strings.Trim(strings.ReplaceAll(path, "/", `\`), `\`), `\`)
	for i, p := range parts {
		if !strings.EqualFold(strings.TrimPrefix(strings.ToLower(p), "hkcu:"), "network") || i > 3 {
			continue
		}
		switch {
		case i == len(parts)-1:
			return "*"
		case i == len(parts)-2 && evidence.Drive(parts[i+1]) != "":
			return evidence.Drive(parts[i+1])
		}
	}
	return ""
}

// Targets reports whether removal command o names the connection: its letter,
// all, or, for a connection without a letter, its share. Deleting by remote
// name leaves a letter alone.
func (l *Life) Targets(o *evidence.Fact) bool {
	for _, t := range o.Detail.List("Targets") {
		if n := networkKey(t); n != "" {
			t = n
		}
		switch d := evidence.Drive(t); {
		case t == "*":
			return true
		case d != "":
			if d == l.Drive {
				return true
			}
		case l.Drive == "" && !l.LetterUnknown():
			if share, _, ok := evidence.ParseUNC(t); ok && evidence.ShareKey(share) == evidence.ShareKey(l.Share) {
				return true
			}
		}
	}
	return false
}

// KeepsProfile reports whether a command removes a mapping from the session
// only: without -UpdateProfile it stays remembered.
func KeepsProfile(o *evidence.Fact) bool {
	update, _ := o.Detail.Get("UpdateProfile").(bool)
	return o.Detail.Text("Class") == "mapping.remove" && strings.EqualFold(o.Detail.Text("Program"), "Remove-SmbMapping") && !update
}

// Retry is how long after a command that failed or asked the user runs it again.
const Retry = 5 * time.Minute

// KeptStill reports whether the hive shows that the key Network was not
// changed by command o: it was written before, and is known from after.
func (c *Case) KeptStill(o *evidence.Fact) bool {
	s := c.StateOf(owner(o))
	return s != nil && s.neverHeld(o.Time)
}

// removalKnown reports whether a dated command that removes l, or a record of its removal, is
// known from after it was mapped and before t.
func (l *Life) removalKnown(c *Case, t time.Time) bool {
	return slices.ContainsFunc(c.removalsIn(l.MappedAtFirst(), t), func(r *evidence.Fact) bool {
		user, sid := owner(r)
		return SameUser(user, sid, l.User, l.SID) && (r.Action == evidence.Command && r.TimeKind != evidence.AtOrBefore && l.Targets(r) && !l.StandsAfter(c, r.Time) && !(l.stored && !c.PutBackSince(l) && c.KeptStill(r)) || r.Action == evidence.Removed && r.Drive == l.Drive)
	})
}

// removalsIn returns the commands and records of removals after from and before
// to. Scripts leave thousands: nobody looks at all of them for each.
func (c *Case) removalsIn(from, to time.Time) []*evidence.Fact {
	return between(c.removals, from.Add(1), to.Add(-1))
}

// attachEnd adds o to the facts that end l, if it is one.
func (l *Life) attachEnd(o *evidence.Fact) {
	user, sid := owner(o)
	if !SameUser(user, sid, l.User, l.SID) || o.Time.IsZero() || o.Time.Before(l.since) || !l.Next.IsZero() && !o.Time.Before(l.Next) {
		return
	}
	if len(l.Maps) > 0 && o.Time.Before(l.MappedAtFirst()) && l.Maps[0].TimeKind != evidence.AtOrBefore {
		// A command that came before the remembered mapping was last written
		// did not remove that one, unless it failed to (rule G09).
		return
	}
	if l.Targets(o) {
		l.Removes = append(l.Removes, o)
	}
}

// GoneBy returns the first instant after t by which something other than a command
// shows that l was gone, and what that rests on: a state of the hive that lacks it,
// or another mapping of its letter. Zero if nothing does.
func (c *Case) GoneBy(l *Life, t time.Time) (by time.Time, on Basis) {
	earlier := func(at time.Time, basis Basis) {
		if at.After(t) && (by.IsZero() || at.Before(by)) {
			by, on = at, basis
		}
	}
	states := c.StatesOf(l.User, l.SID)
	for _, s := range states[:c.putBackAfter(l, states)] {
		k := s.Drives[l.Drive]
		if s.AsOf.Before(t) || s.madeAfter(l) || k != nil && evidence.ShareKey(k.Share) == evidence.ShareKey(l.Share) {
			continue
		}
		if k != nil {
			earlier(k.Time, KeyLastWrite)
		}
		earlier(s.LastChange, ParentKeyLastWrite)
		break
	}
	for _, x := range c.Lives {
		if x == l || x.Side != evidence.Client || x.Drive != l.Drive || !SameUser(x.User, x.SID, l.User, l.SID) {
			continue
		}
		for _, o := range x.Maps {
			if o.Action != evidence.Command && o.TimeKind != evidence.AtOrBefore {
				earlier(o.Time, basisOf(o))
			}
		}
		for _, o := range x.Gone {
			earlier(o.Time, Recorded)
		}
	}
	return by, on
}
