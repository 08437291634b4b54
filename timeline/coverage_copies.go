package timeline

import (
	"cmp"
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
			out = append(out, lacking(kind[len("evtx:"):], slices.DeleteFunc(filesOf(s.facts), func(f *series) bool { return !f.whole() }))...)
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
	if slices.ContainsFunc(s.facts, func(f evidence.Coverage) bool { return !f.Complete || f.Reexported || f.Place == nil }) {
		return false
	}
	listed, all := counts(s.facts)
	return listed == all
}

// lacking returns what each of files, which were read whole, lacks of what the others
// have: inside, and at its end. There may be thousands.
func lacking(channel string, files []*series) (out []Lack) {
	var runs []evidence.IDRange
	copies := map[string]*series{} // that go furthest, of the shadow copies of a path
	for _, f := range files {
		runs = append(runs, f.runs...)
		if p := f.facts[0].Place; p.Snapshot != "" && (copies[p.Path] == nil || f.last() > copies[p.Path].last()) {
			copies[p.Path] = f
		}
	}
	runs = union(runs)
	for _, f := range files {
		place, tail := f.facts[0].Place, f.runs[len(f.runs)-1]
		if l := f.lacks(runs); l.Count > 0 {
			l.Channel, l.File = channel, place
			l.Copy = files[slices.IndexFunc(files, func(f *series) bool { return holdsID(f.runs, l.First) })].facts[0].Place
			out = append(out, l)
		}
		if older := copies[place.Path]; place.Snapshot == "" && older != nil && older.last() > tail.Last {
			out = append(out, Lack{Channel: channel, File: place, Copy: older.facts[0].Place, First: tail.Last + 1, Last: older.last(), From: tail.LastTime, AtEnd: true})
		}
	}
	return out
}

// lacks returns what of runs, which are ascending, lies between those of s.
func (s *series) lacks(runs []evidence.IDRange) (l Lack) {
	for i := 1; i < len(s.runs); i++ {
		before, after := s.runs[i-1], s.runs[i]
		at, _ := slices.BinarySearchFunc(runs, before.Last+1, func(r evidence.IDRange, id uint64) int { return cmp.Compare(r.Last, id) })
		for _, r := range runs[at:] {
			first, last := max(r.First, before.Last+1), min(r.Last, after.First-1)
			if r.First >= after.First {
				break
			}
			if first > last {
				continue
			}
			if l.Count == 0 {
				l.First, l.From = first, before.LastTime
			}
			l.Count += last - first + 1
			l.Last, l.To = last, after.FirstTime
		}
	}
	return l
}
