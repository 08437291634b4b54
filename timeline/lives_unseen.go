package timeline

import (
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// removedOnly adds the connections that only a command that removes them names:
// one for each user and letter, or remote name.
func removedOnly(c *Case, lives []*Life) []*Life {
	for _, o := range c.removals {
		if o.Action != evidence.Command || o.Drive == "" && o.Share == "" {
			continue
		}
		user, sid := owner(o)
		if user == "" {
			user = c.userOf(sid)
		}
		if o.Detail.Text("Class") == "key.delete" && c.KeptStill(o) {
			continue // there was nothing to remove
		}
		known := slices.ContainsFunc(lives, func(l *Life) bool {
			if !SameUser(l.User, l.SID, user, sid) {
				return false
			}
			if o.Drive == "" && evidence.ShareKey(l.Share) == evidence.ShareKey(o.Share) {
				return true // a letter, or a use, of the share is known
			}
			if !l.Targets(o) {
				return false
			}
			if len(l.Maps) == 0 && len(l.Uses) == 0 && l.since.IsZero() && o.TimeKind != evidence.AtOrBefore {
				l.since = o.Time // only a history named it so far, which tells no time
			}
			return len(l.Maps) == 0 || !l.MappedAtFirst().After(o.Time)
		})
		if !known {
			l := c.newLife(user, sid, o.Share, o.Drive)
			if o.TimeKind != evidence.AtOrBefore {
				l.since = o.Time
			}
			lives = append(lives, l)
		}
	}
	return lives
}

// byLetter groups lives by their letter.
func byLetter(lives []*Life) map[string][]*Life {
	letters := map[string][]*Life{}
	for _, l := range lives {
		letters[l.Drive] = append(letters[l.Drive], l)
	}
	return letters
}

// standingAt returns the life of a user's letter that stood at t, as far as the
// lives of the letter tell: the last that began before it, and not in spite of
// another. nil if there is none.
func standingAt(lives []*Life, user, sid string, t time.Time) (at *Life) {
	for _, l := range lives {
		if !SameUser(l.User, l.SID, user, sid) || l.Barred != nil {
			continue
		}
		until := t
		if len(l.Maps) == 0 || l.Maps[0].Action == evidence.Command { // its record may be a little late; a key's time is not
			until = t.Add(EffectBefore)
		}
		if !l.begin().After(until) && (l.Next.IsZero() || t.Before(l.Next)) &&
			(at == nil || !l.begin().Before(at.begin())) {
			at = l
		}
	}
	return at
}

// removedAgain adds the connections that a command removes by their letter well
// after the one before is over: the letter was mapped again, unseen.
func removedAgain(c *Case, lives []*Life) []*Life {
	letters := byLetter(lives)
	for _, o := range c.removals {
		if o.Action != evidence.Command || o.TimeKind == evidence.AtOrBefore || o.Drive == "" {
			continue
		}
		user, sid := owner(o)
		of := standingAt(letters[o.Drive], user, sid, o.Time)
		if of == nil || !of.overBefore(c, o.Time.Add(-Retry)) {
			continue
		}
		of.Next = o.Time
		l := c.newLife(user, sid, "", o.Drive)
		l.since = o.Time
		lives, letters[o.Drive] = append(lives, l), append(letters[o.Drive], l)
	}
	return lives
}

// endUnseen ends the lives that only commands and records of a removal name where
// the next life of the letter begins.
func endUnseen(lives []*Life) {
	for _, l := range lives {
		if l.Drive == "" || len(l.Maps) > 0 || !l.Next.IsZero() || l.begin().IsZero() {
			continue
		}
		for _, n := range lives {
			if n.Drive == l.Drive && SameUser(n.User, n.SID, l.User, l.SID) && n.begin().After(l.begin()) && (l.Next.IsZero() || n.begin().Before(l.Next)) {
				l.Next = n.begin()
			}
		}
	}
}

// overBefore reports whether a record dates the end of l before t, or a command
// that removes it came before t and after all that shows it, or its session
// ended, which it did not outlive.
func (l *Life) overBefore(c *Case, t time.Time) bool {
	if l.GoneInState(c, t) {
		return true
	}
	if len(l.Gone) > 0 {
		return l.Gone[len(l.Gone)-1].Time.Before(t)
	}
	since, _ := l.Since(c.End)
	if l.Key != nil || since.IsZero() && len(l.Maps) > 0 {
		return false
	}
	if len(l.Maps) == 0 {
		since = l.since.Add(-1) // the command that it is known by counts
	}
	for _, o := range c.removalsIn(since, t) {
		user, sid := owner(o)
		if SameUser(user, sid, l.User, l.SID) && o.Action == evidence.Command && o.TimeKind != evidence.AtOrBefore &&
			l.Targets(o) && !(KeepsProfile(o) && len(l.Maps) > 0) && !c.KeptStill(o) {
			return true
		}
	}
	return len(l.Maps) > 0 && !l.mayOutlive(c) && c.sessionEnded(l, t)
}

// eventOnly adds the connections of which only a recorded removal is known: of
// a letter that nothing says was mapped, or not since its last removal.
func eventOnly(c *Case, lives []*Life) []*Life {
	letters := byLetter(lives)
	for _, o := range c.removals {
		if o.Action != evidence.Removed || o.Side == evidence.Server {
			continue
		}
		of := standingAt(letters[o.Drive], o.User, o.SID, o.Time)
		switch {
		case of == nil:
		case of.GoneInState(c, o.Time.Add(-EffectBefore)):
			of.Next = o.Time // it was made again before, unseen
		case len(of.Gone) == 0, o.Time.Sub(of.Gone[len(of.Gone)-1].Time) <= EffectBefore:
			of.Gone = append(of.Gone, o)
			continue
		default:
			of.Next = of.Gone[len(of.Gone)-1].Time.Add(1) // it was made again since, unseen
		}
		l := c.newLife(o.User, o.SID, "", o.Drive)
		l.Gone = []*evidence.Fact{o}
		lives, letters[o.Drive] = append(lives, l), append(letters[o.Drive], l)
	}
	return lives
}
