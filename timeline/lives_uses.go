package timeline

import (
	"time"

	"sharetrail/artifacts/evidence"
)

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
			l = c.newLife(o.User, o.SID, o.Share, o.Drive)
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
