package source

import (
	"fmt"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/triage"
)

// deleted adds the hives and event logs whose MFT records are free and whose
// content is still there, and tells of those whose content is not.
func (w *lister) deleted() {
	damaged := 0
	var first error
	err := guard("MFT", func() error {
		for e, err := range w.fs.Deleted() {
			switch {
			case w.s.ctx.Err() != nil:
				return nil
			case err != nil:
				if damaged++; first == nil {
					first = err
				}
			case !e.Dir:
				w.freed(e)
			}
		}
		return nil
	})
	if err != nil {
		w.c.problem(warnf("", "the search for deleted files ended early: %s", text(err)))
	}
	if damaged > 0 {
		w.c.problem(Problem{Severity: Warning, Offset: binread.Offset(first), What: fmt.Sprintf("%d records of the MFT cannot be read, and may be of deleted files; the first: %s", damaged, text(first))})
	}
}

// maxFreed bounds the deleted files of a volume that are told of.
const maxFreed = 4096

func (w *lister) freed(e *ntfs.Entry) {
	p := strings.TrimPrefix(e.Path, "/")
	switch triage.Expect(p, true) {
	case triage.Hive, triage.Backup, triage.Log:
	default:
		return
	}
	if len(w.c.freed) == maxFreed {
		w.c.problem(warnf("", "more than %d deleted hives and event logs: the rest was not looked at", maxFreed))
	}
	if len(w.c.freed) >= maxFreed || e.Size == 0 {
		return
	}
	it := &item{path: p, place: p, size: e.Size, record: e.Info.Record, mod: e.Info.SI.Modified}
	it.open = func() (h Handle, err error) {
		err = guard("NTFS", func() error {
			f, err := e.Open()
			if err == nil {
				h = f
			}
			return err
		})
		return h, err
	}
	err := guard("NTFS", it.sniff)
	promised := triage.Expect(p, false) != triage.None
	switch {
	case err == nil && (it.head.kind == Hive || it.head.kind == EVTX):
		w.c.freed = append(w.c.freed, it)
	case promised && err != nil:
		w.c.problem(Problem{Severity: Warning, Path: p, Offset: binread.Offset(err), What: fmt.Sprintf("deleted file (MFT record %d), whose content is lost: %s", it.record, text(err))})
	case promised:
		w.c.problem(Problem{Severity: Warning, Path: p, Offset: -1, What: fmt.Sprintf("deleted file (MFT record %d), whose clusters were used again: %s", it.record, it.starts())})
	}
}
