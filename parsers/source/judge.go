package source

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// judge decides whether an item is a candidate, and what is wrong with it.
func (l *layouter) judge(it *item, place string, loose bool) (*File, *Problem) {
	name := triage.Expect(place, loose)
	promised := name != triage.None && name != triage.Artifact
	f := &File{Size: it.size, ModTime: it.mod, Kind: it.head.kind, Expected: promised, Incomplete: it.cut, Away: it.away || !loose && it.head.kind == EVTX && !triage.KeepsLogs(place), Directory: it.dirs, Open: it.open}
	if f.Kind == Hive && name == triage.HiveLog {
		f.Kind = HiveLog
	}
	var p *Problem
	switch {
	case f.Kind == EVTX && !promised && !it.head.headed && l.s.isRaw(it, place, loose):
		f.Kind = Raw // it begins with a chunk by chance
	case f.Kind != "":
	case name == triage.HiveLog && (it.size == 0 || binread.IsZero(it.head.first)):
		f.Kind = HiveLog // Windows makes them in advance and leaves them empty
	case it.size == 0 && name == triage.Backup:
		return nil, nil // since Windows 10 1803 RegBack holds empty files: nothing is missing
	case it.size == 0 && promised:
		f.Kind, p = Other, &Problem{Severity: Error, Offset: -1, What: "empty file"}
	case promised:
		f.Kind, p = Other, &Problem{Severity: Error, What: notWhatItSays(name, it)}
	case loose && it.size == 0 && isContainer(place):
		return nil, &Problem{Severity: Error, Offset: 0, What: "not what its name says: " + it.starts()}
	case name == triage.Artifact:
		f.Kind = Other
	case l.s.isRaw(it, place, loose):
		f.Kind, p = Raw, hibernated(place)
	case loose && it.head.foreign != "" && !it.head.image:
		return nil, &Problem{Severity: Error, What: it.head.foreign}
	default:
		return nil, nil
	}
	if it.check != nil {
		if cp := it.admit(); cp != nil {
			p = cp
		}
		f.Incomplete = it.cut
		f.Size = it.size
		if it.open == nil {
			return nil, p
		}
		f.packed = it.packed
		if _, sparse := l.col.idx[it.path]; sparse { // what is there of it is put together
			p, f.packed = cmp.Or(f.settle(), p), nil
		}
	}
	return f, p
}

func notWhatItSays(name triage.Name, it *item) string {
	what := map[triage.Name]string{
		triage.Hive: "a registry hive", triage.Backup: "a registry hive",
		triage.HiveLog: "a registry transaction log", triage.Log: "an event log",
	}[name]
	if it.head.foreign != "" {
		return fmt.Sprintf("not %s: %s", what, it.head.foreign)
	}
	return fmt.Sprintf("not %s: %s", what, it.starts())
}

// starts says what a file starts with.
func (it *item) starts() string {
	if it.size == 0 {
		return "empty file"
	}
	return fmt.Sprintf("starts with %q", it.head.first)
}

// promises reports whether a loose file's name says what it should be.
func promises(place string) bool { return triage.Expect(place, true) != triage.None }

// isContainer reports whether a name says disk image or archive.
func isContainer(name string) bool {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".zip", ".7z", ".tar":
		return true
	default:
		return imageNames[ext]
	}
}
