package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// A series is the files of one channel whose record ids count on: the log, and what
// was copied from it. Ids may begin anew after a clear, and do in a new file.
type series struct {
	facts []evidence.Coverage
	runs  []evidence.IDRange // of all files, ascending
	to    time.Time          // of the newest record
}

func (s *series) first() uint64 { return s.runs[0].First }
func (s *series) last() uint64  { return s.runs[len(s.runs)-1].Last }

// seriesOf tells apart the series of ids of a channel, oldest first. Copies of one
// series share records, or one has the higher ids and the later times. A file that
// is newer than all of a series, and has ids of it, is of another, and so is one that
// has another time for an id.
func seriesOf(facts []evidence.Coverage) (out []*series) {
	for _, f := range filesOf(facts) {
		if len(out) > 0 {
			s := out[len(out)-1]
			anew := len(s.runs) > 0 && len(f.runs) > 0 && f.facts[0].From.After(s.to) &&
				f.first() <= s.last() && (f.last() >= s.first() || f.first() == 1)
			if !anew && agree(s.runs, f.runs) {
				s.facts = append(s.facts, f.facts...)
				s.runs = union(append(s.runs, f.runs...))
				s.to = later(s.to, f.to)
				continue
			}
		}
		out = append(out, f)
	}
	return out
}

// agree reports whether no id that begins runs of both has two times.
func agree(a, b []evidence.IDRange) bool {
	for _, x := range a {
		i, ok := slices.BinarySearchFunc(b, x.First, func(r evidence.IDRange, id uint64) int { return cmp.Compare(r.First, id) })
		if ok && !b[i].FirstTime.Equal(x.FirstTime) {
			return false
		}
	}
	return true
}

// filesOf puts together what was read from one file, whose records may name a
// computer by more than one name, and orders files by their oldest record.
func filesOf(facts []evidence.Coverage) (out []*series) {
	at := map[*evidence.Place]*series{}
	for _, f := range facts {
		s := at[f.Place]
		if s == nil || f.Place == nil {
			s = &series{}
			at[f.Place] = s
			out = append(out, s)
		}
		s.facts = append(s.facts, f)
		s.runs = append(s.runs, f.Series...)
		s.to = later(s.to, f.To)
	}
	for _, s := range out {
		s.runs = union(s.runs)
		slices.SortStableFunc(s.facts, func(a, b evidence.Coverage) int { return a.From.Compare(b.From) })
	}
	slices.SortStableFunc(out, func(a, b *series) int { return a.facts[0].From.Compare(b.facts[0].From) })
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// distinct counts the records of all files, each once, however many copies of
// a log there are.
func distinct(facts []evidence.Coverage, merged []evidence.IDRange) int64 {
	listed, all := counts(facts)
	if listed != all { // ids that come twice in one file, or more runs than are kept
		return all
	}
	return idsIn(merged)
}

// counts returns how many records the runs of the files have, and how many there are.
func counts(facts []evidence.Coverage) (listed, all int64) {
	for _, f := range facts {
		all += f.Records
		listed += idsIn(f.Series)
	}
	return listed, all
}

// idsIn returns how many ids the runs have.
func idsIn(runs []evidence.IDRange) (n int64) {
	for _, r := range runs {
		n += int64(r.Last - r.First + 1)
	}
	return n
}

// holdsID reports whether one of the runs has the id.
func holdsID(runs []evidence.IDRange, id uint64) bool {
	return slices.ContainsFunc(runs, func(r evidence.IDRange) bool { return r.First <= id && id <= r.Last })
}

// union merges runs of record ids that overlap or touch.
func union(s []evidence.IDRange) []evidence.IDRange {
	slices.SortFunc(s, func(a, b evidence.IDRange) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
	})
	var out []evidence.IDRange
	for _, r := range s {
		if n := len(out); n > 0 && r.First <= out[n-1].Last+1 {
			if r.Last > out[n-1].Last {
				out[n-1].Last, out[n-1].LastTime = r.Last, r.LastTime
			}
			continue
		}
		out = append(out, r)
	}
	return out
}

// seriesHoles finds what is missing before and between the records of a channel, and
// why, and counts the records, each once. A clear that is recorded explains what is
// missing before it.
func (c *Case) seriesHoles(channel string, facts []evidence.Coverage) (holes []evidence.Hole, records int64) {
	clears, explained := c.clearsOf(channel), map[*evidence.Fact]bool{}
	all := seriesOf(facts)
	var before evidence.IDRange // of the series before
	for _, s := range all {
		records += distinct(s.facts, s.runs)
		for i, r := range s.runs {
			if i == 0 && r.First <= 1 && before.Last == 0 {
				before = r
				continue
			}
			hole := evidence.Hole{From: before.LastTime, To: r.FirstTime}
			switch {
			case i > 0:
				hole.Reason = c.whyGap(channel, s.facts, s.runs, evidence.Hole{To: r.FirstTime, Reason: evidence.RecordGap})
			case r.First > 1:
				hole.Reason = c.whyBegins(channel, s.facts, r)
			default: // what came between two series is in neither, if there was anything
				hole.Reason = evidence.NotCollected
			}
			if before.Last == 0 {
				hole.From = c.installedBefore(r.FirstTime)
			}
			if o := clearNear(clears, hole, r); o != nil {
				hole.Reason, hole.Why, hole.To, explained[o] = evidence.Cleared, o, o.Time, true
			} else if o := c.movedTo(channel, r); o != nil {
				hole.Reason, hole.Why = evidence.NotCollected, o
			}
			holes = append(holes, hole)
			before = r
		}
	}
	for _, o := range clears { // after which the ids began anew or went on, or whose log was not collected
		if !explained[o] {
			holes = append(holes, evidence.Hole{From: c.heldBefore(all, o.Time), To: o.Time, Reason: evidence.Cleared, Why: o})
		}
	}
	return holes, records
}

// movedTo returns the record that the log was full and was moved to a backup, if it is
// at the beginning of r: what was before is there.
func (c *Case) movedTo(channel string, r evidence.IDRange) *evidence.Fact {
	for _, o := range c.Between(r.FirstTime.Add(-inFlight), r.FirstTime.Add(inFlight)) {
		if o.From().EventID == 1105 && o.Artifact == "log-service" && o.From().RecordID <= r.First+1 && strings.EqualFold(cmp.Or(o.Detail.Text("Channel"), "Security"), channel) {
			return o
		}
	}
	return nil
}

// heldBefore returns up to when there are records from before t, which is t if a run
// of ids goes on across it: then nothing is missing. Without any it is when Windows
// was installed.
func (c *Case) heldBefore(all []*series, t time.Time) time.Time {
	held := c.installedBefore(t)
	for _, s := range all {
		for _, r := range s.runs {
			switch {
			case r.LastTime.Before(t):
				held = later(held, r.LastTime)
			case r.FirstTime.Before(t):
				return t
			}
		}
	}
	return held
}

// clearNear returns the last recorded clear that lies in hole, or is the first
// record after it.
func clearNear(clears []*evidence.Fact, hole evidence.Hole, next evidence.IDRange) *evidence.Fact {
	var found *evidence.Fact
	for _, o := range clears {
		// The record of the clear is the first of the new series, but others
		// may carry the same instant or, written by other threads, a little less.
		if !o.Time.Before(hole.From) && !o.Time.After(next.FirstTime.Add(5*time.Second)) {
			found = o
		}
	}
	return found
}

// clearsOf returns the recorded clears of a channel, oldest first.
func (c *Case) clearsOf(channel string) (out []*evidence.Fact) {
	for _, o := range c.Observations {
		if o.Action == evidence.LogCleared && strings.EqualFold(o.Detail.Text("ClearedChannel"), channel) {
			out = append(out, o)
		}
	}
	return out
}
