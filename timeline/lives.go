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
		if o.Detail.Text("Class") == "key.delete" && c.keptStill(o) {
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
			l := &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: user, SID: sid, Share: o.Share, Drive: o.Drive}}
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
// lives of the letter tell: the last that began before it. nil if there is none.
func standingAt(lives []*Life, user, sid string, t time.Time) (at *Life) {
	for _, l := range lives {
		if !SameUser(l.User, l.SID, user, sid) {
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
		l := &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: user, SID: sid, Drive: o.Drive}, since: o.Time}
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
			l.Targets(o) && !(KeepsProfile(o) && len(l.Maps) > 0) && !c.keptStill(o) {
			return true
		}
	}
	return len(l.Maps) > 0 && !l.mayOutlive(c) && c.sessionEnded(l, t)
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

// KeepsProfile reports whether a command removes a mapping from the session
// only: without -UpdateProfile it stays remembered.
func KeepsProfile(o *evidence.Fact) bool {
	update, _ := o.Detail.Get("UpdateProfile").(bool)
	return o.Detail.Text("Class") == "mapping.remove" && strings.EqualFold(o.Detail.Text("Program"), "Remove-SmbMapping") && !update
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

// Retry is how long after a command that failed or asked the user runs it again.
const Retry = 5 * time.Minute

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
		l := &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: o.User, SID: o.SID, Drive: o.Drive}, Gone: []*evidence.Fact{o}}
		lives, letters[o.Drive] = append(lives, l), append(letters[o.Drive], l)
	}
	return lives
}

// keptStill reports whether the hive shows that the key Network was not
// changed by command o: it was written before, and is known from after.
func (c *Case) keptStill(o *evidence.Fact) bool {
	s := c.StateOf(owner(o))
	return s != nil && s.neverHeld(o.Time)
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
				x = &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: o.User, SID: o.SID, Share: o.Share, Drive: o.Drive}, Barred: cur}
				cur.Tried = append(cur.Tried, x)
				lives = append(lives, x)
			}
			x.take(o)
			x.Refused = x.Refused || cur.standsAfter(c, o.Time)
			continue
		}
		if cur == nil || !cur.goesOn(c, o) {
			last := cur
			cur = &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: o.User, SID: o.SID, Share: o.Share, Drive: o.Drive}}
			if last != nil {
				for _, m := range last.yield(o) {
					cur.take(m)
				}
				last.Next = o.Time
				if len(cur.Maps) > 0 {
					last.Next = cur.MappedAtFirst()
				}
				for _, x := range last.Tried {
					x.Next = last.Next
				}
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
		l.describeClient()
	}
	return lives
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

// bars reports whether o is a command that maps the letter of l to another share
// while l is remembered, which fails: no removal of l is known from before, and
// nothing but the command shows the other mapping.
func (l *Life) bars(c *Case, o *evidence.Fact) bool {
	if o.Action != evidence.Command || !l.stored || o.Share == "" || evidence.ShareKey(o.Share) == evidence.ShareKey(l.Share) || c.confirmed(o) {
		return false
	}
	if l.standsAfter(c, o.Time) {
		return true
	}
	return !l.GoneInState(c, o.Time) && !l.removalKnown(c, o.Time)
}

// removalKnown reports whether a command that removes l, or a record of its removal, is
// known from after it was mapped and before t.
func (l *Life) removalKnown(c *Case, t time.Time) bool {
	return slices.ContainsFunc(c.removalsIn(l.MappedAtFirst(), t), func(r *evidence.Fact) bool {
		user, sid := owner(r)
		return SameUser(user, sid, l.User, l.SID) && (r.Action == evidence.Command && l.Targets(r) || r.Action == evidence.Removed && r.Drive == l.Drive)
	})
}

// confirmed reports whether anything but commands shows the mapping that command
// o makes: its letter stands for the share, or the share is used since.
func (c *Case) confirmed(o *evidence.Fact) bool {
	return slices.ContainsFunc(c.shown[evidence.ShareKey(o.Share)], func(x *evidence.Fact) bool {
		return SameUser(x.User, x.SID, o.User, o.SID) && (x.Drive == o.Drive || x.Drive == "" && !x.Time.Before(o.Time.Add(-EffectBefore)))
	})
}

// standsAfter reports whether a state of the hive from after t holds the key of l
// as it was written before t.
func (l *Life) standsAfter(c *Case, t time.Time) bool {
	return slices.ContainsFunc(c.StatesOf(l.User, l.SID), func(s *MappingState) bool {
		k := s.Drives[l.Drive]
		return k != nil && s.AsOf.After(t.Add(EffectAfter)) && k.Time.Before(t.Add(-EffectBefore)) && evidence.ShareKey(k.Share) == evidence.ShareKey(l.Share)
	})
}

// triedFor returns the life of the mapping that o tries to make in spite of l,
// if it was tried before.
func (l *Life) triedFor(o *evidence.Fact) *Life {
	for _, x := range l.Tried {
		if evidence.ShareKey(x.Share) == evidence.ShareKey(o.Share) {
			return x
		}
	}
	return nil
}

// DoubtedBy returns a mapping that was tried before t in spite of l, unless the
// hive shows that it failed: if it did not, l had gone before. nil if there is none.
func (l *Life) DoubtedBy(t time.Time) *Life {
	for _, x := range l.Tried {
		if !x.Refused && x.MappedAtFirst().Before(t) {
			return x
		}
	}
	return nil
}

// removalsIn returns the commands and records of removals after from and before
// to. Scripts leave thousands: nobody looks at all of them for each.
func (c *Case) removalsIn(from, to time.Time) []*evidence.Fact {
	return between(c.removals, from.Add(1), to.Add(-1))
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
	if o.Artifact == "mapped-drives" {
		l.stored = true
		if !gone(o.State) {
			l.Key = o
		}
	}
	if l.LogonID == "" {
		l.LogonID = o.LogonID
	}
}

// joinDeviceless folds a mapping that the record names by share only (the Map
// Network Drive MRU) into the lettered one of the same user and share, if
// there is exactly one: the MRU does not say the letter.
func joinDeviceless(lives []*Life) []*Life {
	var out []*Life
	for _, l := range lives {
		if into := letteredTwin(lives, l); into != nil {
			into.Uses = append(into.Uses, l.Maps...)
			continue
		}
		out = append(out, l)
	}
	return out
}

func letteredTwin(lives []*Life, l *Life) (twin *Life) {
	if l.Drive != "" || len(l.Maps) == 0 || l.Maps[0].Artifact != "map-drive-mru" {
		return nil
	}
	for _, m := range lives {
		if m.Drive != "" && SameUser(m.User, m.SID, l.User, l.SID) && evidence.ShareKey(m.Share) == evidence.ShareKey(l.Share) {
			if twin != nil {
				return nil
			}
			twin = m
		}
	}
	return twin
}

// attachUses adds uses to the life that they fall in, and makes lives of the
// shares that were used and never seen mapped.
func attachUses(c *Case, lives []*Life) []*Life {
	bare := map[lane]*Life{}
	for _, o := range c.Observations {
		undatedMap := isMap(o) && o.TimeKind == evidence.AtOrBefore
		if o.Side != evidence.Client || o.Action != evidence.Used && !undatedMap || o.Share == "" && o.Drive == "" {
			continue
		}
		if l := lifeOf(lives, o); l != nil {
			l.Uses = append(l.Uses, o)
			continue
		}
		at := lane{account(o.User, o.SID), o.Drive, evidence.ShareKey(o.Share)}
		l := bare[at]
		if l == nil {
			l = &Life{Connection: Connection{Host: c.Host, Side: evidence.Client, User: o.User, SID: o.SID, Share: o.Share, Drive: o.Drive}}
			bare[at] = l
		}
		if undatedMap {
			l.Maps = append(l.Maps, o)
		} else {
			l.Uses = append(l.Uses, o)
		}
		if len(l.Maps)+len(l.Uses) == 1 {
			lives = append(lives, l)
		}
	}
	return lives
}

// lifeOf returns the life of the same user and share that o falls in: the last
// that began before o, else the first.
func lifeOf(lives []*Life, o *evidence.Fact) *Life {
	var best *Life
	for _, l := range lives {
		if len(l.Maps) == 0 || !SameUser(l.User, l.SID, o.User, o.SID) || o.Drive != "" && o.Drive != l.Drive ||
			o.Share != "" && evidence.ShareKey(o.Share) != evidence.ShareKey(l.Share) {
			continue
		}
		if best == nil || !o.Time.IsZero() && !l.MappedAtFirst().After(o.Time) {
			best = l
		}
	}
	return best
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

// describeClient fills what the facts of l state without any reasoning about
// its end.
func (l *Life) describeClient() {
	l.Status, l.Confidence = StatusUsedOnly, Likely
	l.Facts = Facts{Unknown, Unknown, Unknown, Unknown}
	l.Persistent = l.persistence()
	if len(l.Gone) > 0 && len(l.Maps) == 0 {
		l.Persistent = Yes // its key was there
	}
	if len(l.Uses) == 0 {
		l.Status, l.Confidence = StatusUnknown, Possible
	}
	if len(l.Maps) > 0 {
		l.Status, l.Confidence = StatusUnknown, Possible
		l.Mapped = mappedWindow(l.Maps)
	}
	for _, o := range l.Maps {
		if u := o.Detail.Text("MappedUser"); u != "" {
			l.CredentialsAs = u
		} else if u := o.Detail.Text("UserName"); u != "" && o.Artifact == "mapped-drives" {
			l.CredentialsAs = u
		}
	}
	l.countUses()
	if s := l.State; s != nil && l.Drive != "" && l.Persistent == Yes && len(l.Maps) > 0 && l.Next.IsZero() && s.Key != nil &&
		s.Drives[l.Drive] == nil && s.LastChange.After(l.MappedAtFirst()) {
		l.Facts.MappingGone = Yes
	}
	if d := l.State; d != nil && l.Drive != "" && l.Key != nil && d.Drives[l.Drive] != nil && l.Next.IsZero() && !l.former {
		l.Status, l.Confidence, l.Facts.MappingGone = StatusMapped, Certain, No
	}
}

// persistence says whether Windows remembered the mapping.
func (l *Life) persistence() Tri {
	switch {
	case l.Refused:
		return No
	case l.Barred != nil:
		return Unknown
	}
	if l.Key != nil || l.stored {
		return Yes
	}
	said := Unknown
	for _, o := range l.Maps {
		switch {
		case o.Artifact == "sysmon-registry" || o.Artifact == "object-access":
			return Yes // the write of Network\X itself
		case o.Detail.Text("Persistent") == "no" && said == Unknown:
			said = No
		case o.Detail.Text("Persistent") == "yes":
			said = Yes // whatever an earlier one said: that one had ended, or this one failed
		}
	}
	// To remember a mapping stamps Network. A key that was last written before
	// the mapping was made has never held it.
	if s := l.State; s != nil && said != No && len(l.Maps) > 0 && s.neverHeld(l.MappedAtFirst()) {
		return No
	}
	if l.Drive == "" && l.Maps != nil && said == Unknown && l.Maps[0].Action == evidence.Command {
		return No // a connection without a device is never remembered
	}
	return said
}

// mappedWindow bounds when the mapping was made.
func mappedWindow(maps []*evidence.Fact) Window {
	first := maps[0]
	switch {
	case first.Action == evidence.Command:
		for _, o := range maps[1:] {
			if o.TimeKind != evidence.AtOrBefore && o.Action == evidence.Mapped && Within(o.Time, first.Time) {
				return At(o.Time, basisOf(o))
			}
		}
		return Window{first.Time, first.Time.Add(EffectAfter), ByCommand}
	case basisOf(first) == KeyLastWrite:
		// The key may have been written again after it was made.
		return Window{NotAfter: first.Time, Basis: KeyLastWrite}
	}
	return At(first.Time, Recorded)
}

// basisOf says what the time of o rests on.
func basisOf(o *evidence.Fact) Basis {
	switch {
	case o.TimeKind == evidence.KeyLastWrite || o.TimeKind == evidence.AtOrBefore:
		return KeyLastWrite
	case o.Action == evidence.Command:
		return ByCommand
	}
	return Recorded
}

// countUses fills in how often and when l was used. A row that stands for
// several records says when the first and the last of them were. 5140 is
// written once a session and share; 5145, of single files, does not count.
func (l *Life) countUses() {
	for _, o := range l.Uses {
		if o.From().EventID != 5145 {
			l.UseCount += max(1, o.Detail.Int("count"))
		}
		if o.TimeKind == evidence.AtOrBefore || o.Time.IsZero() {
			continue
		}
		first, last := o.Time, o.Time
		if t, ok := o.Detail.Get("first").(time.Time); ok {
			first = t
		}
		if t, ok := o.Detail.Get("last").(time.Time); ok {
			last = t
		}
		if l.FirstUsed.IsZero() || first.Before(l.FirstUsed) {
			l.FirstUsed = first
		}
		if last.After(l.LastUsed) {
			l.LastUsed = last
		}
	}
}
