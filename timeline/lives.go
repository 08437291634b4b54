package timeline

import (
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// isMap reports whether o says that a mapping was made on the client.
func isMap(o *evidence.Fact) bool {
	switch {
	case o.Side != evidence.Client:
		return false
	case o.Action == evidence.Mapped:
		return o.Drive != "" || o.Artifact != "mapped-drives" // Network holds printers, too
	case o.Action == evidence.Present: // the deleted key of a remembered mapping
		return gone(o.State) && o.Drive != ""
	}
	return o.Action == evidence.Command && o.Detail.Text("Class") == "use.map" && !elsewhere(o) && !isLocal(o)
}

// GoneInState reports whether a state of the hive from before t lacks l, and one
// before that holds it: it went, or an older hive was put back.
func (l *Life) GoneInState(c *Case, t time.Time) bool {
	var had *MappingState
	for _, s := range c.StatesOf(l.User, l.SID) {
		k := s.Drives[l.Drive]
		switch {
		case k != nil && slices.Contains(l.Maps, k):
			had = s
		case had != nil && !s.Anew(had) && s.AsOf.Before(t) && (k == nil || evidence.ShareKey(k.Share) != evidence.ShareKey(l.Share)):
			return true
		}
	}
	return false
}

// begin is the first instant that l is known from, or zero.
func (l *Life) begin() time.Time {
	switch {
	case len(l.Maps) > 0:
		return l.MappedAtFirst()
	case !l.since.IsZero():
		return l.since
	case len(l.Gone) > 0:
		return l.Gone[0].Time
	}
	return time.Time{}
}

// LetterUnknown reports whether l is a mapping to a letter that is not known:
// only Explorer's list of mapped drives tells of it.
func (l *Life) LetterUnknown() bool {
	return l.Drive == "" && len(l.Maps) > 0 && l.Maps[0].Artifact == "map-drive-mru"
}

// A lane is what one user did with one letter, or with one share without a
// letter.
type lane struct{ user, drive, share string }

// clientLives builds the lives of one host's client side.
func clientLives(c *Case) []*Life {
	var lives []*Life
	byLane := map[lane]*Life{} // the life that the lane is in
	for _, o := range c.Observations {
		if !isMap(o) || o.Drive == "" && o.Share == "" || o.TimeKind == evidence.AtOrBefore {
			continue
		}
		at := lane{account(o.User, o.SID), o.Drive, ""}
		if o.Drive == "" {
			at.share = evidence.ShareKey(o.Share)
		}
		cur := byLane[at]
		if cur != nil && cur.bars(c, o) {
			x := cur.triedFor(o)
			if x == nil {
				x = c.newLife(o.User, o.SID, o.Share, o.Drive)
				x.Barred = cur
				cur.Tried = append(cur.Tried, x)
				lives = append(lives, x)
			}
			x.take(o)
			x.Refused = x.Refused || cur.StandsAfter(c, o.Time) || cur.recordedAt(c, o.Time)
			continue
		}
		if cur == nil || !cur.goesOn(c, o) {
			last := cur
			cur = c.newLife(o.User, o.SID, o.Share, o.Drive)
			if last != nil {
				last.makeWay(cur, o)
			}
			byLane[at] = cur
			lives = append(lives, cur)
		}
		cur.take(o)
	}
	lives = joinDeviceless(lives)
	lives = attachUses(c, lives)
	lives = removedOnly(c, lives)
	lives = eventOnly(c, lives)
	lives = removedAgain(c, lives)
	endUnseen(lives)
	for _, l := range lives {
		l.settleKey(c)
		l.settleEnds(c)
		l.describeClient()
	}
	return lives
}

// newLife returns a connection of a user of the host as a client.
func (c *Case) newLife(user, sid, share, drive string) *Life {
	return &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: user, SID: sid, Share: share, Drive: drive}}
}

// makeWay ends l where the next life of its letter begins, which o tells of.
func (l *Life) makeWay(next *Life, o *evidence.Fact) {
	for _, m := range l.yield(o) {
		next.take(m)
	}
	l.Next = o.Time
	if len(next.Maps) > 0 {
		l.Next = next.MappedAtFirst()
	}
	for _, x := range l.Tried {
		x.Next = l.Next
	}
}

// settleKey takes what the newest state of the hive that can tell of l shows.
func (l *Life) settleKey(c *Case) {
	s := c.StateOf(l.User, l.SID)
	if s != nil && (s.madeAfter(l) || s.Drives[l.Drive] == nil && c.PutBackSince(l)) {
		l.Key = nil // it tells nothing of l
	} else {
		l.State = s
	}
	if l.Key != nil && l.State != nil && l.State.Drives[l.Drive] != l.Key {
		l.Key = nil // an earlier state had it, the newest does not
	}
	l.former = l.Key != nil && l.State != nil && l.State.Earlier && !slices.ContainsFunc(c.StatesOf(l.User, l.SID), func(s *MappingState) bool { return !s.Earlier && s.Drives[l.Drive] != nil })
}

// settleEnds takes the commands that may have removed l.
func (l *Life) settleEnds(c *Case) {
	first := l.since
	if len(l.Maps) > 0 && l.Maps[0].TimeKind != evidence.AtOrBefore && l.MappedAtFirst().After(first) {
		first = l.MappedAtFirst() // what came before did not remove this one
	}
	until := l.Next.Add(-1)
	if l.Next.IsZero() {
		until = Forever
	}
	for _, o := range between(c.removals, first, until) {
		if o.Action == evidence.Command {
			l.attachEnd(o)
		}
	}
}

// goesOn reports whether o, which maps the same letter again, belongs to the
// same life: the same share, and no removal in between.
func (l *Life) goesOn(c *Case, o *evidence.Fact) bool {
	if o.Share != "" && l.Share != "" && evidence.ShareKey(o.Share) != evidence.ShareKey(l.Share) {
		return false
	}
	if !l.mayOutlive(c) && c.sessionEnded(l, o.Time) {
		return false
	}
	if writesKey(o) && slices.ContainsFunc(l.Maps, func(m *evidence.Fact) bool {
		return m.Artifact == "mapped-drives" && gone(m.State) && o.Time.Sub(m.Time).Abs() > writeDelay(o)
	}) {
		return false // a key that is written again keeps its cell: another cell is another key
	}
	if o.Artifact == "mapped-drives" && l.GoneInState(c, o.Time) {
		return false // a state of the hive in between lacks it
	}
	if c.rewritten(l, o) {
		return true
	}
	return !l.removalKnown(c, o.Time)
}

// writesKey reports whether o is the key of a mapping, or a record of its making.
func writesKey(o *evidence.Fact) bool {
	return o.Artifact == "mapped-drives" || o.Action == evidence.Mapped && (o.Artifact == "sysmon-registry" || o.Artifact == "object-access")
}

// writeDelay is how far the time of o may lie from the last write of the key that
// it is about: a key's own not at all, a record of its making a little.
func writeDelay(o *evidence.Fact) time.Duration {
	if o.Artifact == "mapped-drives" {
		return 0
	}
	return EffectBefore
}

// yield takes from l the commands that made the key o, and returns them: o begins
// another life of the letter.
func (l *Life) yield(o *evidence.Fact) []*evidence.Fact {
	i := len(l.Maps)
	for i > 1 && writesKey(o) && l.Maps[i-1].Action == evidence.Command && Within(o.Time, l.Maps[i-1].Time) {
		i--
	}
	made := l.Maps[i:]
	l.Maps = l.Maps[:i:i]
	return made
}

// mayOutlive reports whether the connection may have outlived the session that
// made it: not if it was made not to be remembered, or Network shows that it
// was not.
func (l *Life) mayOutlive(c *Case) bool {
	if l.Maps[0].Detail.Text("Persistent") == "no" && !l.stored {
		return false
	}
	s := c.StateOf(l.User, l.SID)
	return s == nil || !s.neverHeld(l.MappedAtFirst())
}

// rewritten reports whether o, the key of the mapping as it stands, was only
// written again: to make a key stamps Network, and Network is older.
func (c *Case) rewritten(l *Life, o *evidence.Fact) bool {
	s := c.StateOf(o.User, o.SID)
	return o.Artifact == "mapped-drives" && s != nil && s.Drives[o.Drive] == o && !s.LastChange.IsZero() &&
		s.LastChange.Before(o.Time.Add(-EffectBefore)) && !s.LastChange.After(l.Maps[len(l.Maps)-1].Time.Add(EffectAfter))
}

// neverHeld reports whether Network cannot have held a mapping that was made
// at t: making one stamps it.
func (s *MappingState) neverHeld(t time.Time) bool {
	return !t.IsZero() && s.AsOf.After(t.Add(EffectAfter)) &&
		(s.Untouched == Yes || !s.LastChange.IsZero() && s.LastChange.Before(t.Add(-EffectBefore)))
}

// sessionEnded reports whether the session of l ended between its last fact
// and t: its user logged off, or the computer was restarted.
func (c *Case) sessionEnded(l *Life, t time.Time) bool {
	since := l.Maps[len(l.Maps)-1].Time
	return slices.ContainsFunc(c.Edges(since, t), func(o *evidence.Fact) bool {
		if !o.Time.After(since) || !o.Time.Before(t) {
			return false
		}
		return o.Action == evidence.Boot || o.Action == evidence.Shutdown && !LastAlive(o) ||
			o.Action == evidence.Logoff && SameUser(o.User, o.SID, l.User, l.SID) && (o.LogonID == "" || o.LogonID == l.LogonID)
	})
}

// MappedAtFirst returns the time of the first fact that says it was mapped.
func (l *Life) MappedAtFirst() time.Time { return l.Maps[0].Time }

// take adds a fact that says that l was mapped.
func (l *Life) take(o *evidence.Fact) {
	l.Maps = append(l.Maps, o)
	if l.Share == "" {
		l.Share = o.Share
	}
	l.stored = l.stored || writesKey(o)
	if o.Artifact == "mapped-drives" && !gone(o.State) {
		l.Key = o
	}
	if l.LogonID == "" {
		l.LogonID = o.LogonID
	}
}
