package pipeline

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// placeOf returns the place of a file, or with "" of the volume itself. A
// snapshot's volume is the one that it was made of.
func placeOf(ev *source.Evidence, v *source.Volume, file string) *evidence.Place {
	p := &evidence.Place{Source: ev.Name, Volume: v.ID, Path: file}
	if v.Snapshot == "" {
		return p
	}
	p.Snapshot, p.AsOf = cmp.Or(v.ID, v.Snapshot), v.AsOf
	if i := strings.LastIndex(v.Snapshot, "!vss"); i >= 0 {
		p.Volume = v.Snapshot[:i]
	}
	if v.Of != nil {
		p.Volume = v.Of.ID
	}
	return p
}

// stateOf is the state of the facts of a file.
func stateOf(v *source.Volume, f *source.File) evidence.State {
	switch {
	case f.Deleted:
		return evidence.Deleted
	case v.Snapshot != "":
		return evidence.Shadow
	}
	return evidence.Live
}

// bounded lowers what a file states that is not the last word on its volume.
// A deleted file attests nothing, and damage in it is no loss of evidence: that
// it could be read at all is a find. A hive in a snapshot is superseded by the
// one in the volume.
func (t *task) bounded() {
	if t.file.Deleted {
		t.out.Coverage = nil
		for i := range t.out.Problems {
			t.out.Problems[i].Severity = evidence.Warning
		}
	}
	if t.file.Incomplete {
		for i := range t.out.Coverage {
			t.out.Coverage[i].Complete = false
			t.out.Coverage[i].Unfilled = 0 // how large it was is not known
		}
	}
	if t.vol.Of == nil || t.file.Kind != source.Hive {
		return
	}
	if slices.ContainsFunc(t.vol.Of.Files, func(f source.File) bool {
		return !f.Deleted && strings.EqualFold(f.Path, t.file.Path) // also if it cannot be read
	}) {
		for i := range t.out.Coverage {
			t.out.Coverage[i].Earlier = true
		}
	}
}

// A fileKey names a file of the evidence.
type fileKey struct {
	source string
	ref    source.Ref
}

func (t *task) key() fileKey {
	return fileKey{t.read.Source, source.Ref{Volume: t.vol.ID, Path: t.file.Path}}
}

// lead points the tasks of files that a newer view of the volume has with the
// same bytes at the task that reads those.
func lead(tasks []*task) {
	at := map[fileKey]*task{}
	for _, t := range tasks {
		at[t.key()] = t
	}
	for _, t := range tasks {
		if t.file.SameAs == (source.Ref{}) {
			continue
		}
		l := at[fileKey{t.read.Source, t.file.SameAs}]
		if l == nil || t.file.Kind == source.Hive && !slices.Equal(t.logIdentity(), l.logIdentity()) {
			continue
		}
		if t.file.Kind == source.Other && !t.file.ModTime.Equal(l.file.ModTime) {
			continue
		}
		t.leader = l
	}
}

// logIdentity names the contents of the transaction logs of a hive.
func (t *task) logIdentity() (ids []source.Ref) {
	for _, f := range t.logFiles() {
		ids = append(ids, cmp.Or(f.SameAs, source.Ref{Volume: t.vol.ID, Path: f.Path}))
	}
	return ids
}

// logFiles returns the transaction logs that lie beside a hive.
func (t *task) logFiles() (logs []source.File) {
	if t.file.Deleted {
		return nil
	}
	for _, f := range t.vol.Files {
		if f.Kind != source.HiveLog || f.Deleted || path.Dir(f.Path) != path.Dir(t.file.Path) || f.Size == 0 {
			continue
		}
		name, copied := cutCopy(path.Base(f.Path))
		base, ext, _ := cutLast(name, ".")
		switch strings.ToUpper(ext) {
		case "LOG", "LOG1", "LOG2":
		default:
			continue
		}
		if strings.EqualFold(base+copied, path.Base(t.file.Path)) {
			logs = append(logs, f)
		}
	}
	return logs
}

// cutCopy cuts from a name what tells it from others of the same name: the "~2"
// of a File's path.
func cutCopy(name string) (without, copied string) {
	i := strings.LastIndexByte(name, '~')
	if i < 0 {
		return name, ""
	}
	if _, err := strconv.Atoi(name[i+1:]); err != nil {
		return name, ""
	}
	return name[:i], name[i:]
}

// follow takes over what the leader of t found. The same log or file once more
// covers nothing further; of a hive it is a state at another time.
func (t *task) follow() {
	t.out = t.leader.out.Again(t.place)
	if t.file.Kind != source.Hive {
		t.out.Coverage = nil
	}
	t.read.SHA256, t.read.Parsed = t.leader.read.SHA256, t.leader.read.Parsed
}

// inTime puts the snapshots of a volume before it, oldest first: where clocks do
// not tell two states apart, this order does.
func inTime(volumes []*source.Volume) []*source.Volume {
	of := map[*source.Volume][]*source.Volume{}
	for _, v := range volumes {
		if v.Of != nil {
			of[v.Of] = append(of[v.Of], v)
		}
	}
	var out []*source.Volume
	for _, v := range volumes {
		if v.Of != nil {
			continue
		}
		slices.SortStableFunc(of[v], func(a, b *source.Volume) int {
			return cmp.Or(a.AsOf.Compare(b.AsOf), cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID))
		})
		out = append(append(out, of[v]...), v)
	}
	return out
}

// later makes the state of each hive as collected one that is not before the
// states of it in snapshots. That it could seem so is the work of a clock that
// was set back, or of somebody who put an older hive back, unless the hive is dirty
// and its logs are not there: then it shows what was written to it before them,
// which a snapshot may well be newer than.
func later(tasks []*task) {
	type hiveOf struct {
		vol  *source.Volume
		path string
	}
	live := map[hiveOf]*evidence.Coverage{}
	for _, t := range tasks {
		if n := len(t.out.Coverage); n > 0 && t.vol.Of == nil && t.file.Kind == source.Hive && !t.out.Coverage[n-1].Dirty {
			live[hiveOf{t.vol, strings.ToLower(t.file.Path)}] = &t.out.Coverage[n-1]
		}
	}
	for _, t := range tasks {
		c := live[hiveOf{t.vol.Of, strings.ToLower(t.file.Path)}]
		if t.vol.Of == nil || c == nil {
			continue
		}
		for _, old := range t.out.Coverage {
			if old.AsOf.After(c.AsOf) {
				c.AsOf, c.To, c.Written.SetBack = old.AsOf, old.AsOf, true
			}
		}
	}
}
