package timeline

import (
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// bars reports whether o is a command that maps the letter of l to another share
// while l is remembered, which fails: no removal of l is known from before, and
// nothing but the command shows the other mapping.
func (l *Life) bars(c *Case, o *evidence.Fact) bool {
	if o.Action != evidence.Command || !l.stored || o.Share == "" || evidence.ShareKey(o.Share) == evidence.ShareKey(l.Share) {
		return false
	}
	if l.StandsAfter(c, o.Time) || l.recordedAt(c, o.Time) {
		return true
	}
	return !c.confirmed(o) && !l.GoneInState(c, o.Time) && !l.removalKnown(c, o.Time)
}

// confirmed reports whether anything but commands shows the mapping that command
// o makes: its letter stands for the share, or the share is used since.
func (c *Case) confirmed(o *evidence.Fact) bool {
	return slices.ContainsFunc(c.shown[evidence.ShareKey(o.Share)], func(x *evidence.Fact) bool {
		return SameUser(x.User, x.SID, o.User, o.SID) && (x.Drive == o.Drive || x.Drive == "" && !x.Time.Before(o.Time.Add(-EffectBefore)))
	})
}

// StandsAfter reports whether a state of the hive from after t holds the key of l
// as it was written before t: no command of t removed it.
func (l *Life) StandsAfter(c *Case, t time.Time) bool {
	return slices.ContainsFunc(c.StatesOf(l.User, l.SID), func(s *MappingState) bool {
		k := s.Drives[l.Drive]
		return k != nil && s.AsOf.After(t.Add(EffectAfter)) && k.Time.Before(t.Add(-EffectBefore)) && evidence.ShareKey(k.Share) == evidence.ShareKey(l.Share)
	})
}

// recordedAt reports whether Sysmon recorded that the key of l was made before t, and
// the deletion of that letter's key after t, and nothing of it in between: it stood at t.
func (l *Life) recordedAt(c *Case, t time.Time) bool {
	sysmon := func(o *evidence.Fact) bool {
		return o.Artifact == "sysmon-registry" && o.Drive == l.Drive && SameUser(o.User, o.SID, l.User, l.SID)
	}
	last := l.Maps[len(l.Maps)-1]
	for i := len(l.Maps) - 1; i > 0 && !sysmon(last); i-- {
		last = l.Maps[i-1]
	}
	if !sysmon(last) || last.Time.After(t.Add(-EffectBefore)) {
		return false
	}
	for _, r := range c.removalsIn(last.Time, Forever) {
		if !sysmon(r) || r.Action != evidence.Removed {
			continue
		}
		return r.Time.After(t.Add(EffectAfter)) && !slices.ContainsFunc(c.Between(t, r.Time), func(o *evidence.Fact) bool { return sysmon(o) && o.Action == evidence.Mapped })
	}
	return false
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
