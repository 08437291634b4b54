package timeline

import (
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// A Lack is what one file of a log has not, and a copy of the log has.
type Lack struct {
	Channel     string
	File, Copy  *evidence.Place
	First, Last uint64 // the lowest and highest id that is missing
	Count       uint64
	From, To    time.Time // of the records on both sides; To is zero if the file ends before
	// AtEnd says that the file ends before its own shadow copy does, which is older.
	AtEnd bool
}

// Lacks finds the records that a file of a log should have, as it has older and newer
// ones, or is newer than its shadow copy, and that only a copy has. A full log loses its
// oldest records, never others.
func (c *Case) Lacks() (out []Lack) {
	for _, kind := range logKinds(c.Facts) {
		var facts []evidence.Coverage
		for _, f := range c.Facts {
			if f.Evidence == kind && len(f.Series) > 0 {
				facts = append(facts, f)
			}
		}
		for _, s := range seriesOf(facts) {
			files := filesOf(s.facts)
			for _, f := range files {
				if f.whole() {
					out = append(out, f.lacks(kind[len("evtx:"):], files)...)
				}
			}
		}
	}
	return out
}

// logKinds returns the kinds of evidence that are logs with more than one file.
func logKinds(facts []evidence.Coverage) []string {
	files := map[string]int{}
	for _, f := range facts {
		if len(f.Series) > 0 {
			files[f.Evidence]++
		}
	}
	for kind, n := range files {
		if n < 2 {
			delete(files, kind)
		}
	}
	return sortedKeys(files)
}

// whole reports whether a file was read whole, as its computer wrote it, and its runs
// are all there are.
func (s *series) whole() bool {
	var listed, all int64
	for _, f := range s.facts {
		if !f.Complete || f.Reexported || f.Place == nil {
			return false
		}
		all += f.Records
		for _, r := range f.Series {
			listed += int64(r.Last - r.First + 1)
		}
	}
	return listed == all
}

// lacks returns what a file lacks of what the others have: inside, and at its end.
func (s *series) lacks(channel string, files []*series) (out []Lack) {
	place, tail := s.facts[0].Place, s.runs[len(s.runs)-1]
	inside := Lack{Channel: channel, File: place}
	end := Lack{Channel: channel, File: place, First: tail.Last + 1, Last: tail.Last, From: tail.LastTime, AtEnd: true}
	var others []evidence.IDRange
	for _, f := range files {
		if f == s || !f.whole() {
			continue
		}
		others = append(others, f.runs...)
		copied := f.facts[0].Place
		older := place.Snapshot == "" && copied.Snapshot != "" && copied.Path == place.Path
		if older && f.last() > end.Last {
			end.Copy, end.Last = copied, f.last()
		}
	}
	for _, r := range union(others) {
		for i := 1; i < len(s.runs); i++ {
			before, after := s.runs[i-1], s.runs[i]
			first, last := max(r.First, before.Last+1), min(r.Last, after.First-1)
			if first > last {
				continue
			}
			if inside.Count == 0 {
				inside.First, inside.From = first, before.LastTime
			}
			inside.Count += last - first + 1
			inside.Last, inside.To = last, after.FirstTime
		}
	}
	for _, f := range files {
		if f != s && f.whole() && f.has(inside.First) && inside.Copy == nil {
			inside.Copy = f.facts[0].Place
		}
	}
	if inside.Copy != nil {
		out = append(out, inside)
	}
	if end.Copy != nil {
		out = append(out, end)
	}
	return out
}

// has reports whether one of the runs has the id.
func (s *series) has(id uint64) bool {
	return slices.ContainsFunc(s.runs, func(r evidence.IDRange) bool { return r.First <= id && id <= r.Last })
}
