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

// sniffAll is how many files of a volume without Windows are looked at each by
// its content. In larger ones the name or place of a file must promise
// something, as reading the start of each would cost more than all evidence.
const sniffAll = 1 << 16

// A volumeSource is an NTFS volume that is to be looked into.
type volumeSource struct {
	id, image string // ids of the volume and of its disk image
	label     string // name of the image, for want of a host name
	name      string // of the partition
	r         io.ReaderAt
	offset    int64 // in the image, in bytes
	size      int64 // in bytes
	depth     int
	snapshot  bool

	node    *Node
	fs      *ntfs.FS
	volumes []*Volume
}

// volume lays out an NTFS volume, and notes it down for its shadow copies.
func (s *scanner) volume(v *volumeSource) (*Node, error) {
	if !v.snapshot {
		s.ntfs = append(s.ntfs, v) // also if it cannot be read: its snapshots may be
	}
	c := &scope{id: v.id, kind: "ntfs", label: v.label, size: v.size, depth: v.depth, shut: v.snapshot}
	err := guard("NTFS", func() (err error) {
		v.fs, err = ntfs.Open(v.r, v.size)
		return err
	})
	if err != nil {
		c.problem(Problem{Severity: Error, Offset: binread.Offset(err), What: "NTFS volume cannot be read: " + text(err)})
	} else {
		w := &lister{s: s, c: c, fs: v.fs, listed: map[string]bool{}}
		if err := guard("NTFS", w.list); err != nil {
			if s.ctx.Err() != nil {
				return nil, s.ctx.Err()
			}
			c.problem(Problem{Severity: Error, Offset: binread.Offset(err), What: "the rest of the volume was not looked at: " + text(err)})
		}
		if !v.snapshot && !s.o.NoDeleted {
			w.deleted()
		}
		for _, err := range v.fs.Problems() {
			c.problem(ofVolume(err))
		}
	}
	if v.node, err = s.layout(c); err != nil {
		return nil, err
	}
	v.node.Offset, v.node.Label = v.offset, v.name
	if v.fs != nil {
		v.node.Created = v.fs.Created()
		if label := v.fs.Label(); label != "" {
			v.node.Label = triage.Show(label)
		}
	}
	v.volumes = c.volumes
	for _, vol := range v.volumes {
		vol.Image = v.image
	}
	return v.node, nil
}

// ofVolume is the problem that an error of package ntfs tells. What it found
// damaged cost something; all else it has overcome.
func ofVolume(err error) Problem {
	p := Problem{Severity: Warning, Offset: binread.Offset(err), What: text(err)}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		p.Severity, p.Path = Error, pe.Path
		if p.Path == "." {
			p.Path = ""
		}
		if pe.Op == "readdir" || pe.Op == "open" {
			p.What = "directory is damaged, names may be missing: " + p.What
		}
	}
	return p
}

// A lister finds what is to be looked at in a volume.
type lister struct {
	s      *scanner
	c      *scope
	fs     *ntfs.FS
	listed map[string]bool // directories
	files  []*item
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
	if len(roots) == 0 {
		if err := w.dir("", 0, true); err != nil {
			return err
		}
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
		if err := w.dir(dir, 0, p.Deep); err != nil {
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
	if w.s.listed += n; w.s.listed > limit {
		return fmt.Errorf(tooManyInFolders, limit)
	}
	return w.s.ctx.Err()
}

// dir adds the files in a directory and, if deep, below it.
func (w *lister) dir(name string, depth int, deep bool) error {
	switch {
	case depth > maxFolderDepth:
		w.c.problem(errorf(name, "more than %d folders deep: not looked at", maxFolderDepth))
		return nil
	case w.listed[name] && !deep:
		return nil
	}
	entries, err := w.fs.ReadDir(rooted(name))
	if err != nil && len(entries) == 0 {
		w.lost(name, err)
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
				if err := w.dir(p, depth+1, deep); err != nil {
					return err
				}
			}
		case first:
			w.file(p, e)
		}
	}
	return nil
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
	it := &item{path: p, place: p, size: info.Size(), mod: info.ModTime()}
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
}

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
