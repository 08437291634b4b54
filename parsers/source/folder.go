package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/container"
	"sharetrail/parsers/source/triage"
	"sharetrail/parsers/source/vss"
)

const (
	maxFolderDepth   = 64
	folderEntries    = 1 << 21 // default of MaxEntries in folders
	namesAtATime     = 4096
	lookedAtOnce     = 256
	timeResolution   = 100 * time.Nanosecond
	notRegular       = "is a %s, not a regular file: not opened"
	tooManyInFolders = "more than %d files and folders: the rest was not looked at (MaxEntries)"
)

// A scanner carries the state of one Open.
type scanner struct {
	ctx           context.Context
	o             Options
	ev            *Evidence
	listedMembers int             // archive members seen so far
	total         int64           // bytes of archive members unpacked so far
	held          int64           // of these, kept in memory until Close
	ntfs          []*volumeSource // in which shadow copies are still to be looked for

	stored         bool          // Options.Storage was opened
	storageVolumes []vss.Storage // in it
}

// An item is a file or directory of a container.
type item struct {
	path    string // shown, unique in the container
	place   string // what path is judged by: without the "~2" of a duplicate
	size    int64
	mod     time.Time
	dir     bool
	head    head
	open    func() (Handle, error)
	check   func(*item) *Problem            // before it is listed: limits of an archive member; may be nil
	packed  *packedMember                   // a compressed member, nil if it is none
	base    string                          // of a file of a folder: its name as the system has it, without its directory
	sealed  string                          // why an archive member cannot be opened; "" if it can
	checked bool                            // check was called, and said
	said    *Problem                        // this
	record  uint64                          // number of its MFT record
	cut     bool                            // its end is lost, a problem says so, and size is what is there
	away    bool                            // of a volume with Windows: an event log where Windows keeps none
	raw     bool                            // nothing else is known of it: see isRaw
	passed  bool                            // not unpacked, since it cannot be evidence
	dirs    func(ref uint64) (string, bool) // of a change journal: File.Directory
	copied  *copied                         // what KAPE's log says of it; nil if nothing does
	lost    bool                            // could not be read, and a problem says so: it counts for the layout only
}

// A scope is a folder, an archive, a volume or a lone file, before its layout is known.
type scope struct {
	id, kind string
	label    string // name of the folder, archive or file
	size     int64
	depth    int // of archives and images
	items    []*item
	problems []Problem // paths are relative to the container
	unlisted []string  // directories of which not all is known to be listed, as in Volume

	beside  container.Opener // of a lone file: opens the other files of its folder
	outer   *kape            // logs beside the container that may tell of it; nil if there are none
	shut    bool             // archives and images in it are not opened
	freed   []*item          // deleted files
	streams []*item          // of a volume: bytes that are no file
	volumes []*Volume        // set by layout
}

func (c *scope) problem(p Problem) { c.problems = append(c.problems, p) }

// folder scans the directory tree at abs.
func (s *scanner) folder(abs string) error {
	root, err := os.OpenRoot(abs)
	if err != nil {
		return err
	}
	s.ev.closers = append(s.ev.closers, root)
	c := &scope{kind: "folder", label: folderLabel(abs)}
	w := walker{s: s, root: root, c: c, limit: s.o.entries(folderEntries)}
	if err := w.dir("", 0); err != nil && !errors.Is(err, errTooMany) {
		return err
	}
	for _, it := range c.items {
		c.size += it.size
	}
	s.ev.Kind, s.ev.Size = c.kind, c.size
	s.ev.Tree, err = s.layout(c)
	return err
}

// A walker lists one directory tree.
type walker struct {
	s     *scanner
	root  *os.Root
	c     *scope
	seen  int
	limit int
}

var errTooMany = errors.New("too many entries")

// dir lists the directory name ("" is the root) and what lies below it. The
// error is for a context that is done and for too many entries.
func (w *walker) dir(name string, depth int) error {
	if depth > maxFolderDepth {
		w.c.problem(errorf(triage.Show(name), "more than %d folders deep: not looked at", maxFolderDepth))
		w.c.unlisted = append(w.c.unlisted, triage.Show(name))
		return nil
	}
	names, err := w.names(name)
	if err != nil {
		w.c.problem(errorf(triage.Show(name), "cannot list the folder: %v", cause(err)))
		w.c.unlisted = append(w.c.unlisted, triage.Show(name))
	}
	for len(names) > 0 {
		batch := names[:min(len(names), lookedAtOnce)]
		names = names[len(batch):]
		for _, e := range w.look(name, batch) {
			if err := w.s.ctx.Err(); err != nil {
				return err
			}
			if w.seen++; w.seen > w.limit {
				w.c.problem(errorf("", tooManyInFolders, w.limit))
				w.c.unlisted = append(w.c.unlisted, "")
				return errTooMany
			}
			if err := w.add(e, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// An entry is a name in a directory that was looked at.
type entry struct {
	name string // below the root
	info fs.FileInfo
	err  error // it cannot be looked at, or if there is an item, not be read
	item *item // of a regular file
}

// look looks at some names of a directory, several at a time: on a disk or a
// share far away most of the time is spent waiting.
func (w *walker) look(dir string, names []string) []entry {
	entries := make([]entry, len(names))
	jobs := min(w.s.o.Jobs, len(names))
	each := func(first int) {
		for i := first; i < len(names); i += jobs {
			e := &entries[i]
			e.name = path.Join(dir, names[i])
			if e.info, e.err = w.root.Lstat(native(e.name)); e.err == nil && e.info.Mode().IsRegular() {
				e.item, e.err = newFile(w.root, e.name, e.info)
			}
		}
	}
	var others sync.WaitGroup
	for j := 1; j < jobs; j++ {
		others.Go(func() { each(j) })
	}
	each(0)
	others.Wait()
	return entries
}

// names returns the sorted names in a directory; with an error, those before it.
func (w *walker) names(name string) ([]string, error) {
	f, err := openAt(w.root, native(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var names []string
	for len(names) <= w.limit {
		more, err := f.Readdirnames(namesAtATime)
		names = append(names, more...)
		if err == io.EOF {
			break
		}
		if err != nil {
			slices.Sort(names)
			return names, err
		}
	}
	slices.Sort(names)
	return names, nil
}

// add adds an entry and, of a directory, what lies below it.
func (w *walker) add(e entry, depth int) error {
	switch {
	case e.item != nil:
		w.c.add(e.item, e.err)
	case e.err != nil:
		w.passed(errorf(triage.Show(e.name), "cannot be looked at: %v", cause(e.err)))
	case e.info.IsDir():
		w.c.items = append(w.c.items, &item{path: triage.Show(e.name), place: triage.Show(e.name), dir: true})
		return w.dir(e.name, depth+1)
	case e.info.Mode()&fs.ModeSymlink != 0:
		to, _ := w.root.Readlink(native(e.name))
		p := warnf(triage.Show(e.name), "symbolic link to %q: not followed; its target is read only if it lies in the source itself", to)
		if _, err := w.root.Stat(native(e.name)); err == nil {
			w.c.problem(p)
			return nil
		}
		w.passed(p)
	default:
		w.passed(warnf(triage.Show(e.name), notRegular, typeName(e.info.Mode())))
	}
	return nil
}

// passed tells why an entry is not read. It is an error where a hive or log is
// expected: nothing says then that there was none.
func (w *walker) passed(p Problem) {
	if n := triage.Expect(p.Path, false); n == triage.Hive || n == triage.Log {
		p.Severity = Error
		w.c.items = append(w.c.items, &item{path: p.Path, place: p.Path, lost: true})
	}
	w.c.problem(p)
}

// file adds a regular file of a folder after a look at its first bytes.
func (c *scope) file(root *os.Root, name string, info fs.FileInfo) {
	c.add(newFile(root, name, info))
}

// add adds a file, which could not be read if err is set.
func (c *scope) add(it *item, err error) {
	if err != nil {
		c.problem(errorf(it.path, "cannot be read: %v", cause(err)))
		it.lost = true
	}
	c.items = append(c.items, it)
}

// newFile looks at the first bytes of a regular file. It returns an item with an
// error, too.
func newFile(root *os.Root, name string, info fs.FileInfo) (*item, error) {
	it := &item{path: triage.Show(name), place: triage.Show(name), size: info.Size(), mod: info.ModTime().UTC().Truncate(timeResolution)}
	it.base = path.Base(name)
	it.open = func() (Handle, error) { return openFile(root, native(name), info) }
	return it, it.sniff()
}

// archive names the kind of archive that it should be, "" if none. One whose
// start is lost or that a program precedes is known by its name only.
func (it *item) archive() string {
	if it.head.archive != "" || it.lost || it.dir || it.sealed != "" || it.size == 0 || it.head.kind != "" || it.head.foreign != "" {
		return it.head.archive
	}
	switch strings.ToLower(path.Ext(it.place)) {
	case ".zip":
		return "zip"
	case ".7z":
		return "7z"
	case ".tar":
		return "tar"
	}
	return ""
}

// heads lends room for the first bytes of files.
var heads binread.Buffers

// sniff fills in head.
func (it *item) sniff() error {
	if it.size == 0 {
		return nil
	}
	h, err := it.open()
	if err != nil {
		return err
	}
	defer h.Close()
	b := heads.Get(min(sniffLen, it.size))
	defer heads.Put(b)
	n, err := h.ReadAt(b, 0)
	if n == 0 && err != nil && err != io.EOF {
		return err
	}
	it.head = identify(b[:n])
	return nil
}

// A regular is an open regular file.
type regular struct {
	*os.File
	size int64
}

func (r regular) Size() int64 { return r.size }

// openFile opens name if it is still the regular file that was looked at.
func openFile(root *os.Root, name string, seen fs.FileInfo) (Handle, error) {
	f, err := openAt(root, name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || !os.SameFile(info, seen)) {
		err = fmt.Errorf("%q: replaced while it was being read", triage.Show(name))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return regular{f, info.Size()}, nil
}

// native is the name that the system knows a slash-separated one by.
func native(name string) string {
	if name == "" {
		return "."
	}
	return filepath.FromSlash(name)
}

// cause strips the path from an error of package os: a Problem has its own.
func cause(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// text is an error without what its Problem says anyway: path and offset. The name of
// another file of an image, in which the offset is, stays.
func text(err error) string {
	err = cause(err)
	if fe := (*binread.FormatError)(nil); errors.As(err, &fe) {
		return strings.Replace(err.Error(), fe.Error(), fmt.Sprintf("%s: %v", fe.Field, fe.Err), 1)
	}
	return err.Error()
}

func typeName(m fs.FileMode) string {
	switch {
	case m&fs.ModeNamedPipe != 0:
		return "named pipe"
	case m&fs.ModeSocket != 0:
		return "socket"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}

// admit calls check, once, and returns what it says.
func (it *item) admit() *Problem {
	if it.check != nil && !it.checked {
		it.checked = true
		it.said = it.check(it)
	}
	return it.said
}
