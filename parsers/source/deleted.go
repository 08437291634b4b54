package source

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/triage"
)

// scan looks through the MFT: for event logs that lie where Windows keeps none,
// and for deleted files.
func (w *lister) scan() {
	damaged := 0
	var first error
	var live []string
	if w.some {
		live = triage.Endings
	} else if w.s.o.NoDeleted {
		return
	}
	err := guard("MFT", func() error {
		for e, err := range w.fs.Scan(live...) {
			switch {
			case w.s.ctx.Err() != nil:
				return nil
			case err != nil:
				if damaged++; first == nil {
					first = err
				}
			case e.Dir:
			case !e.Info.Deleted:
				w.elsewhere(e)
			case !w.s.o.NoDeleted:
				w.freed(e)
			}
		}
		return nil
	})
	w.unsure = err != nil || damaged > 0
	if err != nil {
		w.c.problem(warnf("", "the search for deleted files, and for event logs where Windows keeps none, ended early: %s", text(err)))
	}
	if len(w.hives) > 0 {
		w.c.problem(strayHives(w.hives))
	}
	if damaged > 0 {
		w.c.problem(Problem{Severity: Warning, Offset: binread.Offset(first), What: fmt.Sprintf("%d records of the MFT cannot be read, and may be of deleted files; the first: %s", damaged, text(first))})
	}
}

// elsewhere adds an event log that is not in the places of the volume that were
// looked at. Its records say whose it is; a hive does not.
func (w *lister) elsewhere(e *ntfs.Entry) {
	p := e.Path
	kind := triage.Expect(e.Name(), false)
	if kind != triage.Log && kind != triage.Hive {
		return
	}
	if w.have == nil {
		w.have = map[string]bool{}
		for _, it := range w.c.items {
			w.have[it.path] = true
		}
	}
	if w.have[p] || e.Size == 0 {
		return
	}
	w.have[p] = true
	if kind != triage.Log {
		w.hives = append(w.hives, p)
		return
	}
	if len(w.away) == maxFreed {
		w.c.problem(errorf(p, "more than %d event logs lie where Windows keeps none: the rest was not looked at", maxFreed))
	}
	if w.away = append(w.away, path.Dir(p)); len(w.away) > maxFreed {
		return
	}
	it := &item{path: p, place: p, size: e.Size, mod: e.Info.SI.Modified, away: true}
	it.open = func() (Handle, error) { return w.open(p) }
	if !e.Rooted { // no directory leads to it
		it.open = func() (Handle, error) { return openEntry(e) }
	}
	w.sniff(it)
}

func openEntry(e *ntfs.Entry) (h Handle, err error) {
	err = guard("NTFS", func() error {
		f, err := e.Open()
		if err == nil {
			h = f
		}
		return err
	})
	return h, err
}

// maxFreed bounds the deleted files of a volume that are told of.
const maxFreed = 4096

func (w *lister) freed(e *ntfs.Entry) {
	p := strings.TrimPrefix(e.Path, "/")
	small := false // a file of another artifact; of these, only what is whole is looked at
	switch triage.Expect(p, true) {
	case triage.Hive, triage.Backup, triage.Log:
	default:
		if small = e.Whole && triage.Expect(p, false) == triage.Artifact && !triage.IsJournal(p); !small {
			return
		}
	}
	if len(w.c.freed) == maxFreed {
		w.c.problem(warnf("", "more than %d deleted files that may be evidence: the rest was not looked at", maxFreed))
	}
	if len(w.c.freed) >= maxFreed || e.Size == 0 {
		return
	}
	it := &item{path: p, place: p, size: e.Size, record: e.Info.Record, mod: e.Info.SI.Modified}
	it.open = func() (Handle, error) { return openEntry(e) }
	err := guard("NTFS", it.sniff)
	promised := triage.Expect(p, false) != triage.None
	switch {
	case small:
		if err == nil && it.intact() {
			it.head.kind = Other
			w.c.freed = append(w.c.freed, it)
		}
	case err == nil && (it.head.kind == Hive || it.head.kind == EVTX):
		w.c.freed = append(w.c.freed, it)
	case promised && err != nil:
		w.c.problem(Problem{Severity: Warning, Path: p, Offset: binread.Offset(err), What: fmt.Sprintf("deleted file (MFT record %d), whose content is lost: %s", it.record, text(err))})
	case promised:
		w.c.problem(Problem{Severity: Warning, Path: p, Offset: -1, What: fmt.Sprintf("deleted file (MFT record %d), whose clusters were used again: %s", it.record, it.starts())})
	}
}

// beginnings are what files of other artifacts begin with, by the end of their names
// (MS-SHLLINK 2.1, MS-CFB 2.2). Prefetch files are told by package prefetch.
var beginnings = map[string]string{
	".lnk": "L\x00\x00\x00\x01\x14\x02\x00", ".automaticdestinations-ms": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}

// intact reports whether a deleted file still begins as one of its name does. Its
// clusters may have been used in between.
func (it *item) intact() bool {
	first := string(it.head.first)
	switch ext := strings.ToLower(path.Ext(it.place)); ext {
	case ".lnk", ".automaticdestinations-ms":
		return strings.HasPrefix(first, beginnings[ext])
	case ".pf":
		return at(it.head.first, 4, "SCCA") || strings.HasPrefix(first, "MAM")
	case ".txt", ".xml":
		for range utf8.UTFMax - 1 { // the last character may be cut
			if !utf8.ValidString(first) {
				first = first[:len(first)-1]
			}
		}
		return len(first) > 0 && utf8.ValidString(first) && !strings.Contains(first, "\x00")
	}
	return false
}
