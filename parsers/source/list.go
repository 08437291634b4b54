package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/triage"
)

// A lister finds what is to be looked at in a volume.
type lister struct {
	s      *scanner
	c      *scope
	fs     *ntfs.FS
	listed map[string]bool // directories
	files  []*item
	seen   int             // files and directories
	some   bool            // only the places where Windows keeps evidence are listed
	have   map[string]bool // paths that were added; nil if none was looked for elsewhere
	away   []string        // directories of the event logs that were found elsewhere
	hives  []string        // hives elsewhere
	strays bool            // what is listed now lies elsewhere
	unsure bool            // there may be files that were not seen
}

// list adds the files of the volume: where it has a Windows, those in the
// places where Windows keeps evidence; else all.
func (w *lister) list() error {
	roots, err := w.windows()
	if err != nil {
		return err
	}
	for _, root := range roots {
		for _, p := range triage.Places() {
			if err := w.place(root, p); err != nil {
				return err
			}
		}
	}
	for _, dir := range slices.Compact(slices.Sorted(slices.Values(w.away))) { // where the live volume has some
		if len(roots) > 0 && w.is(dir) {
			w.strays = true
			if err := w.dir(dir, 0, false, true); err != nil {
				return err
			}
			w.strays = false
		}
	}
	w.some = len(roots) > 0
	if w.s.o.Carve && len(roots) > 0 {
		if err := w.memory(); err != nil {
			return err
		}
	}
	if len(roots) == 0 {
		if err := w.dir("", 0, true, false); err != nil {
			return err
		}
	}
	if slices.Contains(roots, "") {
		w.journal()
	}
	all := len(roots) > 0 || len(w.files) <= sniffAll
	if !all {
		w.c.problem(warnf("", "%d files: only those whose name or place promises evidence were looked at", len(w.files)))
	}
	for _, it := range w.files {
		if err := w.s.ctx.Err(); err != nil {
			return err
		}
		if all || triage.Expect(it.place, true) != triage.None || isNamedContainer(it.place) {
			w.sniff(it)
		}
	}
	return nil
}

func isNamedContainer(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	_, ok := imageNames[ext]
	return ok || ext == ".zip"
}

// windows returns the directories of the volume that hold a Windows: the
// volume's root and those of older installations in it.
func (w *lister) windows() ([]string, error) {
	entries, err := w.fs.ReadDir(".")
	if err != nil && len(entries) == 0 {
		return nil, err
	}
	var roots []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		switch name := strings.ToLower(e.Name()); {
		case (name == "windows" || name == "winnt") && w.is(e.Name()+"/System32"):
			roots = append(roots, "")
		case strings.HasPrefix(name, "windows.old"):
			roots = append(roots, e.Name())
		}
	}
	if !slices.Contains(roots, "") {
		return nil, nil
	}
	slices.Sort(roots)
	return slices.Compact(roots), nil
}

// is reports whether there is a directory of that name, or something that
// hides whether there is.
func (w *lister) is(name string) bool {
	info, err := w.fs.Stat(name)
	return err == nil && info.IsDir() || err != nil && !errors.Is(err, fs.ErrNotExist)
}

// place adds the files in the places below root that p stands for.
func (w *lister) place(root string, p triage.Place) error {
	dirs := []string{root}
	for part := range strings.SplitSeq(p.Dir, "/") {
		var next []string
		for _, dir := range dirs {
			found, err := w.below(dir, part)
			if err != nil {
				return err
			}
			next = append(next, found...)
		}
		dirs = next
	}
	for _, dir := range dirs {
		if err := w.dir(dir, 0, p.Deep, p.Named); err != nil {
			return err
		}
	}
	return nil
}

// below returns the directories in dir that name stands for. There may be
// several that differ in letter case.
func (w *lister) below(dir, name string) ([]string, error) {
	if name == "" {
		return []string{dir}, nil
	}
	entries, err := w.fs.ReadDir(rooted(dir))
	if err != nil && len(entries) == 0 {
		w.lost(dir, err)
		w.c.unlisted = append(w.c.unlisted, dir)
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() && (name == "*" || strings.EqualFold(e.Name(), name)) {
			found = append(found, path.Join(dir, e.Name()))
		}
	}
	if name != "*" {
		return found, w.s.ctx.Err()
	}
	return found, w.count(len(entries))
}

func (w *lister) lost(name string, err error) {
	w.c.problem(Problem{Severity: Error, Path: name, Offset: binread.Offset(err), What: "cannot be looked at: " + text(err)})
}

// rooted is the name that package fs knows a path by.
func rooted(p string) string {
	if p == "" {
		return "."
	}
	return p
}

// count bounds how many files and directories are seen.
func (w *lister) count(n int) error {
	limit := w.s.o.entries(folderEntries)
	if w.seen += n; w.seen > limit {
		return fmt.Errorf(tooManyInFolders, limit)
	}
	return w.s.ctx.Err()
}

// dir adds the files in a directory and, if deep, below it; with named, only
// those that are called like evidence.
func (w *lister) dir(name string, depth int, deep, named bool) error {
	switch {
	case depth > maxFolderDepth:
		w.c.problem(errorf(name, "more than %d folders deep: not looked at", maxFolderDepth))
		w.c.unlisted = append(w.c.unlisted, name)
		return nil
	case w.listed[name] && !deep:
		return nil
	}
	entries, err := w.fs.ReadDir(rooted(name))
	if err != nil && len(entries) == 0 {
		w.lost(name, err)
		w.c.unlisted = append(w.c.unlisted, name)
	}
	if err := w.count(len(entries)); err != nil {
		return err
	}
	first := !w.listed[name]
	w.listed[name] = true
	for _, e := range entries {
		p := path.Join(name, e.Name())
		switch {
		case name == "" && isSystem(e.Name()):
		case e.IsDir():
			if first {
				w.c.items = append(w.c.items, &item{path: p, place: p, dir: true})
			}
			if deep {
				if err := w.dir(p, depth+1, deep, named); err != nil {
					return err
				}
			}
		case first && w.strays && triage.Expect(p, false) != triage.Log:
		case first && (!named || triage.Expect(p, true) != triage.None):
			w.file(p, e)
		}
	}
	return nil
}

// behindHole is a file without the hole that it starts with.
type behindHole struct {
	inPlace
	start int64
}

func (b behindHole) Base() int64 { return b.start }

const journalName = "$Extend/$UsnJrnl:$J"

// journal adds the change journal of the volume. Windows drops its start from time
// to time, which leaves a hole, often of many GiB: the file is what lies behind it.
func (w *lister) journal() {
	info, err := w.fs.Stat(journalName)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		w.lost(journalName, err)
		return
	}
	it := &item{path: journalName, place: journalName, mod: info.ModTime(), dirs: w.fs.Paths()}
	it.open = func() (Handle, error) {
		h, err := w.open(journalName)
		if err != nil {
			return nil, err
		}
		start := h.(*ntfs.File).DataStart()
		return behindHole{inPlace{io.NewSectionReader(h, start, h.Size()-start)}, start}, nil
	}
	if h, err := it.open(); err != nil {
		w.lost(journalName, err)
	} else {
		it.size = h.Size()
		w.files = append(w.files, it)
	}
}

// isSystem reports whether a name in the root is one of the file system's own.
func isSystem(name string) bool {
	return strings.HasPrefix(name, "$") && !strings.EqualFold(name, "$Recycle.Bin") || strings.EqualFold(name, "System Volume Information")
}

func (w *lister) file(p string, e fs.DirEntry) {
	info, err := e.Info()
	if err != nil {
		w.lost(p, err)
		w.c.items = append(w.c.items, &item{path: p, place: p, lost: true})
		return
	}
	it := &item{path: p, place: p, size: info.Size(), mod: info.ModTime(), away: w.strays}
	it.open = func() (Handle, error) { return w.open(p) }
	w.files = append(w.files, it)
}

// open opens a file of the volume in place.
func (w *lister) open(p string) (h Handle, err error) {
	err = guard("NTFS", func() error {
		f, err := w.fs.Open(p)
		if err != nil {
			return err
		}
		file, ok := f.(*ntfs.File)
		if !ok {
			return fmt.Errorf("%q: is a directory", p)
		}
		h = file
		return nil
	})
	return h, err
}

// sniff adds a file after a look at its first bytes.
func (w *lister) sniff(it *item) {
	if err := guard("NTFS", it.sniff); err != nil {
		w.c.problem(Problem{Severity: Error, Path: it.path, Offset: binread.Offset(err), What: "cannot be read: " + text(err)})
		it.lost = true
	}
	w.c.items = append(w.c.items, it)
	if w.s.o.Carve && !it.lost && it.head.kind == EVTX && (it.head.headed || triage.Expect(it.place, true) == triage.Log) {
		w.slack(it)
	}
}
