// Package source finds evidence in what an examiner points at: a folder, a zip
// archive, a disk image or a single file, to any nesting. It judges by content, never writes,
// and says what it could not read.
//
// # What is a candidate
//
// Every regular file is looked at. A registry hive, its transaction log or an
// event log is recognised by its first bytes wherever it lies and whatever it is
// called. A file whose name or place promises one of these and whose content
// does not keep the promise is listed too, with a problem that says so. So is a
// file that other artifacts are read from (prefetch, shortcuts, ...), if it lies
// where Windows keeps it.
//
// # Volumes
//
// Each Windows root (see package triage) is a volume of its own; a file belongs
// to the deepest root above it. All other candidates are loose. They form one
// volume, unless several directories each hold a SYSTEM hive directly: then a
// loose file belongs to the nearest such directory above it, and what has none
// above it forms a volume of the rest. An investigation package of Microsoft
// Defender is one of these directories, too.
//
// # Containers
//
// A zip archive or disk image is opened wherever it lies outside of a Windows
// root; inside of one it is a user's file. Other archives are named in a problem.
// Files that say nothing by name, place or content are left out in silence.
//
// # Disk images
//
// Every NTFS volume of an image is looked into, and every shadow copy of it is a
// further volume. Nothing is extracted: files are read where they lie. A volume
// with Windows on it is looked at only where Windows keeps evidence
// (triage.Places), in others every file is. Volumes of other kinds are named in
// a problem with what to do about them.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"sharetrail/parsers/source/container"
)

// Options bounds what Open does. The zero value of a field is its default.
type Options struct {
	Jobs       int      // files that are looked at at the same time; 0 is one a processor
	Passwords  [][]byte // for encrypted archives, tried in turn
	KeyPEM     []byte   // private key for collections that are encrypted for a certificate; PEM
	Storage    []string // disk images or volumes on which stores of shadow copies may lie
	Beside     []string // other sources, which are searched for the same if they are images
	TempDir    string   // where members too large for memory are unpacked; the system's if ""
	MaxMember  int64    // bytes of one unpacked archive member; 8 GiB
	MaxTotal   int64    // bytes of all unpacked members of a source; 256 GiB
	MaxRatio   int      // unpacked to packed size of a member above 100 MiB; 200
	MaxDepth   int      // archives inside archives; 4
	MaxEntries int      // files and directories of a source, or of one volume in it; 2,097,152 in folders and volumes, 262,144 in archives

	NoSnapshots bool // leave out shadow copies
	NoDeleted   bool // leave out files whose MFT records are free
	Carve       bool // list what may hold remains of event logs without being one, see Raw
}

// A FileKind says what a file is by its content.
type FileKind string

// The kinds of files.
const (
	Hive    FileKind = "hive"     // registry hive, primary file
	HiveLog FileKind = "hive-log" // transaction log of a hive, possibly empty
	EVTX    FileKind = "evtx"     // event log
	Raw     FileKind = "raw"      // bytes of any kind: unallocated space, page file, image of memory, a volume that is not read; only with Options.Carve
	Other   FileKind = "other"    // file of another artifact, or (with Expected) none of the above
)

// A Handle is an open evidence file. ReadAt may be called concurrently.
type Handle interface {
	io.ReaderAt
	io.Closer
	Size() int64 // in bytes
}

// Base returns where h begins in the file as Windows had it, in bytes: behind the
// hole at the start of a change journal, which h leaves out, else at 0.
func Base(h Handle) int64 {
	if b, ok := h.(interface{ Base() int64 }); ok {
		return b.Base()
	}
	return 0
}

// A File is one candidate for evidence.
type File struct {
	// Path is slash-separated, relative to the volume's root. Bytes that are
	// not UTF-8 are shown as \xNN; a second file of the same name ends in "~2".
	// "(unallocated space)", "(whole volume)", "(whole disk)" and "FILE (slack)"
	// are no files: offsets in them are those in the volume, disk or file.
	Path     string
	Size     int64     // in bytes, unpacked
	ModTime  time.Time // UTC, 100 ns; zero if the source gives none, or only a local time
	Kind     FileKind
	Expected bool // its name or place promises a hive, log or event log, though its content may be none (Kind is then Other, and a Problem tells)
	// Deleted says that the file's MFT record was free: its name and content are
	// what is left of it. Nothing may rest on what it lacks.
	Deleted bool
	// Incomplete says that the end of the file, or parts of it, were not collected
	// or are lost: Size is what is there. Nothing may rest on what it lacks.
	Incomplete bool
	// Away says that it is an event log in a volume with Windows, outside of where
	// Windows keeps them: whose it is only its records say.
	Away bool
	// Directory finds the path of a directory of the same volume by its reference
	// (number of the MFT record, sequence number in the top 16 bits), for a change
	// journal. nil if the volume's MFT is not at hand.
	Directory func(ref uint64) (dir string, ok bool)
	packed    *packedMember // a compressed member; nil if it is none, or all is known of it
	start     int64         // where it begins in the file as Windows had it: behind a hole
	collected int64         // bytes that the file had, if a collector says so and it is Incomplete
	SHA1      string        // that the collector logged when it copied the file, lower-case hex; "" if none did
	// SameAs names the file with the same bytes in the newest view of the same
	// volume that has it: the volume as collected, else a newer snapshot. Of a
	// hive, its transaction logs may still differ. Zero if there is none.
	SameAs Ref
	Open   func() (Handle, error)
}

// A Ref names a File of an Evidence.
type Ref struct{ Volume, Path string }

// The severities of a Problem.
const (
	Error   = "error"   // could not be read
	Warning = "warning" // must be doubted, or was left out on purpose
)

// A Problem is something in the source that could not be read or must be doubted.
type Problem struct {
	Severity string
	Path     string // in a Volume relative to its root, else to the source, with "!" after each archive; "" for the source itself
	Offset   int64  // in the file, in bytes; -1 if it has none
	What     string
}

// ShadowCopies stands in a volume's NotCollected for all its shadow copies: the
// folder that Windows keeps them in.
const ShadowCopies = "System Volume Information"

// A Volume is one file system, or what a collector copied of it.
type Volume struct {
	ID       string // stable name: the archives down to it, joined by "!", then Root if the container has several; "" for the only volume of a folder or file
	Kind     string // of the container: "folder", "zip", "file", "ntfs"
	Root     string // directory of the container that stands for C:\ and that Path is relative to; "" is its top
	Loose    bool   // files outside of any Windows tree: host and user must come from content
	Label    string // name that the collection or image gives it, a last-resort host name
	HostHint string // host name from a collection's metadata; "" if it has none
	Image    string // id of the disk image that it lies in; "" if in none

	// Collected is when the collection was made, as it says; UTC; zero if it
	// does not.
	Collected time.Time
	// NotCollected are the paths of evidence that was there and that the
	// collector says it did not take: their absence says nothing.
	NotCollected []string

	// Unreadable are the paths of hives and event logs that are there and of which
	// nothing can be read, as a Problem says.
	Unreadable []string
	// Unlisted are the directories of which not all is known to be listed, since they,
	// or the archive that they lie in, are damaged, too large, or not to be opened: what
	// is not listed there may be there all the same. "" is the root: all of the volume.
	Unlisted []string

	// Whole says that it is the volume that a Windows runs from, as an image has it,
	// and that nothing in it was unreadable: what it does not hold is not there.
	Whole bool

	// Of a shadow copy only. The volume that it is a snapshot of may have no
	// evidence, or not be readable: Of is then nil.
	Snapshot   string    // id, as in ID without Root; "" for a volume as collected
	Of         *Volume   // as collected
	AsOf       time.Time // when the snapshot was made; UTC; zero if that is not known
	SnapshotID string    // GUID of the shadow copy, "" if not known
	// Of a volume with shadow copies enabled: the catalog was read whole and
	// names none. Either none was made yet, or all were deleted.
	EmptyCatalog bool

	Files    []File // sorted by Path
	Problems []Problem

	node *Node // of the tree
}

// found adds problems that show after the volume was laid out.
func (v *Volume) found(ps ...Problem) {
	v.Problems = append(v.Problems, ps...)
	sortProblems(v.Problems)
	v.node.Problems = append(v.node.Problems, ps...)
	sortProblems(v.node.Problems)
}

// A Node is a container or volume in the tree of a source.
type Node struct {
	ID       string
	Kind     string // "folder", "zip", "file", the format of an image, the file system of a partition, "snapshot"; of a volume in a container with several: "windows", "loose"
	Size     int64  // in bytes; -1 unknown
	Offset   int64  // in the container above, in bytes; -1 if it has none
	Created  time.Time
	Label    string
	Stored   map[string]string // of an image: what it says of itself, as package container's Stored
	Problems []Problem
	Files    []File
	Children []*Node

	image container.Image // nil if it is none
}

// An Evidence is one opened source. Its files can be opened until Close.
type Evidence struct {
	Name string // as given
	Path string // absolute, symbolic links resolved
	Kind string // "folder", "zip", "file", "image"
	Size int64  // in bytes; of a folder, the sum of its regular files
	// Parts are the files that a source that is no folder consists of, if they are
	// several: itself, then the further pieces, segments, extents and parents of an
	// image, the transaction logs of a hive, and the images in Options.Storage
	// that were looked into. Paths as Name is.
	Parts    []string
	Volumes  []*Volume
	Tree     *Node
	Problems []Problem // those that belong to no volume

	mu      sync.Mutex
	spooled int64
	temp    string // private directory for unpacked members, "" until needed
	closers []io.Closer
	closed  bool
}

// Open looks through the source at path. What it cannot read is a Problem of
// the Evidence; the error is for a path that does not exist (it then wraps
// fs.ErrNotExist) or cannot be opened at all, and for a ctx that is done. What is
// wrong inside of compressed members only Settle says.
func Open(ctx context.Context, path string, o Options) (*Evidence, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(abs); err == nil {
		abs = target // else the system opens what it would not resolve, as Windows does for some mount points
	}
	ev := &Evidence{Name: path, Path: abs}
	s := &scanner{ctx: ctx, o: o.withDefaults(), ev: ev}
	if info.IsDir() {
		err = s.folder(abs)
	} else {
		err = s.single(abs)
	}
	if err == nil {
		err = s.snapshots()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, ev.Close())
	}
	if len(ev.Parts) > 0 && ev.Kind != "folder" {
		ev.Parts = append([]string{path}, ev.Parts...)
	}
	s.conclude()
	return ev, nil
}

// Close releases the source and removes what was unpacked. Open files of an
// archive must not be read after it.
func (e *Evidence) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	var errs []error
	for i := len(e.closers) - 1; i >= 0; i-- {
		errs = append(errs, e.closers[i].Close())
	}
	e.closers = nil
	if e.temp != "" {
		errs = append(errs, os.RemoveAll(e.temp))
		e.temp = ""
	}
	return errors.Join(errs...)
}

// Spooled returns how many bytes of evidence were written to temporary files so
// far, because they were too large to be unpacked in memory.
func (e *Evidence) Spooled() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.spooled
}

const nothingFound = "no evidence found: looked for registry hives, event logs, Windows folders, zip archives and disk images by content, in every file"

// conclude says so if nothing was found and nothing explains why.
func (s *scanner) conclude() {
	files := 0
	isError := func(p Problem) bool { return p.Severity == Error }
	explained := s.ev.Kind != "folder" && slices.ContainsFunc(s.ev.Problems, isError)
	for _, v := range s.ev.Volumes {
		files += len(v.Files)
		explained = explained || slices.ContainsFunc(v.Problems, isError)
	}
	if files == 0 && !explained {
		p := Problem{Severity: Error, Offset: -1, What: nothingFound}
		s.ev.problem(p)
		s.ev.Tree.Problems = append(s.ev.Tree.Problems, p)
	}
	sortProblems(s.ev.Problems)
	slices.SortStableFunc(s.ev.Volumes, func(a, b *Volume) int { return strings.Compare(a.ID, b.ID) })
}

func (e *Evidence) problem(p Problem) { e.Problems = append(e.Problems, p) }

// withDefaults fills unset limits. MaxEntries stays 0: folders and archives
// have different defaults.
func (o Options) withDefaults() Options {
	def := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&o.MaxMember, 8<<30)
	def(&o.MaxTotal, 256<<30)
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.MaxRatio <= 0 {
		o.MaxRatio = 200
	}
	if o.MaxDepth <= 0 {
		o.MaxDepth = 4
	}
	return o
}

func (o Options) entries(def int) int {
	if o.MaxEntries > 0 {
		return o.MaxEntries
	}
	return def
}

func errorf(path string, format string, args ...any) Problem {
	return Problem{Severity: Error, Path: path, Offset: -1, What: fmt.Sprintf(format, args...)}
}

func warnf(path string, format string, args ...any) Problem {
	return Problem{Severity: Warning, Path: path, Offset: -1, What: fmt.Sprintf(format, args...)}
}
