package ntfs

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"path"
	"slices"
	"strings"
	"sync"

	"sharetrail/parsers/binread"
)

// An Entry is a name in an MFT record, most often of one that is no longer in use.
type Entry struct {
	// Path leads to the file by the names its parents have now, as far as
	// these are known; a parent may be deleted too.
	Path   string
	Rooted bool // Path starts at the root of the volume
	Dir    bool
	Size   int64 // of the unnamed stream, in bytes, as the record claims
	// Whole says that the content is resident, or that all its clusters are
	// free. They may have been used and freed since by another file: only the
	// content can tell.
	Whole bool
	Info  *Info

	in  *inode
	why error // if not whole
}

// Name returns the last element of Path.
func (e *Entry) Name() string { return path.Base(e.Path) }

// Open opens the content of a deleted file. The error tells why it is not whole.
func (e *Entry) Open() (*File, error) { return e.OpenStream("") }

// OpenStream opens an alternate data stream, or the unnamed one for "".
func (e *Entry) OpenStream(name string) (*File, error) {
	if e.why != nil {
		return nil, e.why
	}
	if e.Dir && name == "" {
		return nil, binread.Errorf(e.in.off, "MFT record", "record %d is a deleted directory", e.in.num)
	}
	r, err := e.in.content(name)
	if err != nil {
		return nil, err
	}
	base := e.Name()
	if name != "" {
		base += ":" + name
	}
	return newFile(&fileInfo{name: base, size: r.length(), sys: e.Info}, r), nil
}

// Deleted yields the deleted files and directories in the order of their MFT
// records, one Entry for each name but the short ones. A record that cannot be
// read yields an error: it may be that of a deleted file or not. It reads the
// whole MFT.
func (f *FS) Deleted() iter.Seq2[*Entry, error] { return f.Scan() }

// Scan yields what Deleted does and, among it, the files in use whose names have one
// of the endings, which are of ASCII in lower case; case makes no difference in the
// names. It finds them also where no directory that can be read leads to them.
func (f *FS) Scan(endings ...string) iter.Seq2[*Entry, error] {
	live := suffixes(endings)
	return func(yield func(*Entry, error) bool) {
		w := &parents{f: f, known: map[reference]parent{}}
		for r, err := range f.records(live) {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			names := r.names()
			if r.base != 0 {
				if !r.inUse() {
					continue
				}
				if base, err := f.record(r.base.num()); err == nil && base.base == 0 && base.seq == r.base.seq() && base.inUse() {
					r = base
				} else {
					continue
				}
			}
			in := f.inodeOf(r)
			if !r.inUse() {
				names = in.names()
			}
			for _, n := range names {
				if n.dos || r.inUse() && !live.end(n.name) {
					continue
				}
				if !yield(w.entry(in, n), nil) {
					return
				}
			}
		}
	}
}

// scanned is how much of the MFT is read at once, in bytes.
const scanned = 256 << 10

// records yields the records of the MFT that are free, but were in use once, and
// those in use that hold a name with one of the endings.
func (f *FS) records(live suffixes) iter.Seq2[*record, error] {
	return func(yield func(*record, error) bool) {
		size, rec := min(f.mft.size, f.mft.init), f.geo.record
		b, scratch := make([]byte, scanned), make([]byte, rec)
		careful := int64(0) // up to here, read record by record
		for off := int64(0); off+rec <= size; {
			n := min(scanned, size-off) / rec * rec
			if off < careful {
				n = rec
			}
			if _, err := f.mft.ReadAt(b[:n], off); err != nil && err != io.EOF {
				if n > rec {
					careful = off + n
				} else if off = f.skip(off); !yield(nil, err) {
					return
				}
				continue
			}
			for p := int64(0); p < n; p += rec {
				r, err := f.scan(b[p:p+rec], off+p, live, scratch)
				if (r != nil || err != nil) && !yield(r, err) {
					return
				}
			}
			off += n
		}
	}
}

// skip returns where to go on after the record at off could not be read: behind
// it, or behind its run if that lies beyond the end of the image.
func (f *FS) skip(off int64) int64 {
	rec := f.geo.record
	if at := f.mft.volumeOffset(off); at+rec > f.size {
		r := f.mft.runs[search(f.mft.runs, off/f.geo.cluster)]
		return max(off+rec, ((r.vcn+r.n)*f.geo.cluster+rec-1)/rec*rec)
	}
	return off + rec
}

// scan decodes the record at off of the MFT in a copy of b, or returns nothing
// if it was never used or is not wanted.
func (f *FS) scan(b []byte, off int64, live suffixes, scratch []byte) (*record, error) {
	if binary.LittleEndian.Uint32(b) == 0 {
		return nil, nil
	}
	if string(b[:4]) == "FILE" && binary.LittleEndian.Uint16(b[22:])&recordInUse != 0 {
		if len(live) == 0 {
			return nil, nil
		}
		named, known := isNamed(b[:min(len(b), stride-2)], live)
		if !known { // the sectors are not put together yet
			if copy(scratch, b); fixup(scratch, "FILE", "MFT record", 0) == nil {
				named, _ = isNamed(scratch, live)
			}
		}
		if !named { // as most are
			return nil, nil
		}
	}
	return parseRecord(append([]byte(nil), b...), uint64(off/f.geo.record), f.mft.volumeOffset(off))
}

// isNamed reports whether the record that begins with b is a file's and holds a name
// with one of the endings. It is not known where that lies behind b.
func isNamed(b []byte, live suffixes) (named, known bool) {
	le := binary.LittleEndian
	if le.Uint16(b[22:])&recordDirectory != 0 {
		return false, true
	}
	used := int64(le.Uint32(b[24:]))
	for p := int64(le.Uint16(b[20:])); p+24 <= used; {
		if p+24 > int64(len(b)) {
			return false, false
		}
		typ, size := le.Uint32(b[p:]), int64(le.Uint32(b[p+4:]))
		if typ > typeFileName || size < 24 || size > used-p { // they are in order
			break
		}
		if at := int64(le.Uint16(b[p+20:])); typ == typeFileName && at < size {
			name := rawName(b[min(p+at, int64(len(b))):min(p+size, int64(len(b)))])
			if live.has(name) {
				return true, true
			}
			if name == nil && p+size > int64(len(b)) {
				return false, false
			}
		}
		p += size
	}
	return false, true
}

// suffixes are endings of names: a name is compared as it lies in its record, since
// decoding each of the volume would take longer than reading them.
type suffixes []string

// has reports whether name, in UTF-16, has one of the endings.
func (s suffixes) has(name []byte) bool {
	for _, end := range s {
		if tail := len(name) - 2*len(end); tail >= 0 && isASCII(name[tail:], end) {
			return true
		}
	}
	return false
}

// end reports whether name ends with one of them.
func (s suffixes) end(name string) bool {
	return slices.ContainsFunc(s, func(end string) bool {
		tail := len(name) - len(end)
		return tail >= 0 && strings.EqualFold(name[tail:], end)
	})
}

// isASCII reports whether name, in UTF-16, is lower but for the case of its letters.
func isASCII(name []byte, lower string) bool {
	for i := len(lower) - 1; i >= 0; i-- {
		c := name[2*i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] || name[2*i+1] != 0 {
			return false
		}
	}
	return true
}

func (w *parents) entry(in *inode, n fileName) *Entry {
	up := w.path(n.parent)
	e := &Entry{Path: path.Join(up.path, n.name), Rooted: up.rooted, Dir: in.directory(), Info: in.info(&n), in: in}
	if !e.Dir {
		e.Size = in.size()
	}
	if !in.inUse() {
		e.why = in.whole()
	}
	e.Whole = e.why == nil
	return e
}

var errReused = errors.New("its clusters are in use again, or not known to be free")

// whole tells why the content of a deleted file is not all there.
func (in *inode) whole() error {
	type key struct {
		typ  uint32
		name string
	}
	var order []key
	all := map[key][]attribute{}
	add := func(a attribute) {
		k := key{a.typ, a.name}
		if len(all[k]) == 0 {
			order = append(order, k)
		}
		all[k] = append(all[k], a)
	}
	for _, a := range in.record.attrs {
		if a.typ == typeAttributeList && !a.resident {
			add(a)
		}
	}
	for _, a := range in.attrs {
		if !a.resident && (a.typ == typeData || a.typ == typeReparsePoint) {
			add(a)
		}
	}
	for _, k := range order {
		if err := in.freeRuns(in.f.freeMap(), all[k]); err != nil {
			return err
		}
	}
	return in.unknown()
}

func (in *inode) freeRuns(free *freeMap, ext []attribute) error {
	st, err := in.f.newStream(ext, "deleted file")
	if err != nil {
		return err
	}
	for _, r := range st.runs {
		if r.lcn >= 0 && !free.isFree(r.lcn, r.n) {
			return binread.Errorf(r.lcn*in.f.geo.cluster, "deleted file", "record %d: %w", in.num, errReused)
		}
	}
	return nil
}

// Limits of paths: of directories in one, of bytes in one, and of those kept.
const (
	maxDepth   = 512
	maxPath    = 64 << 10
	maxParents = 1 << 16
	maxKept    = 1 << 10
)

// Paths returns a function that finds the path of a directory by its reference, as
// the change journal gives it: number of the MFT record, and sequence number in
// the top 16 bits. Also of directories that were deleted since, as long as their
// records are not used again; ok says whether the path leads from the root. It may
// be called concurrently.
func (f *FS) Paths() func(ref uint64) (dir string, ok bool) {
	w := &parents{f: f, known: map[reference]parent{}}
	var mu sync.Mutex
	return func(ref uint64) (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		p := w.path(reference(ref))
		return p.path, p.rooted
	}
}

// parents finds the paths of directories by their references.
type parents struct {
	f     *FS
	known map[reference]parent
}

type parent struct {
	path   string
	rooted bool
}

// path returns the path of the directory ref, "" for the root.
func (w *parents) path(ref reference) (p parent) {
	var refs []reference
	var names []string
	for len(refs) < maxDepth {
		if ref.num() == recordRoot {
			p.rooted = true
			break
		}
		if have, ok := w.known[ref]; ok {
			p = have
			break
		}
		n, ok := w.name(ref)
		if !ok {
			w.known[ref] = parent{} // looked up once, however many files it held
			break
		}
		refs, names = append(refs, ref), append(names, n.name)
		ref = n.parent
	}
	if len(refs) == maxDepth {
		return parent{path: names[0]} // a loop
	}
	if len(w.known) > maxParents {
		clear(w.known)
	}
	for i := len(refs) - 1; i >= 0; i-- {
		if len(p.path) > maxPath {
			return parent{path: names[0]}
		}
		if p.path = path.Join(p.path, names[i]); len(p.path) <= maxKept {
			w.known[refs[i]] = p
		}
	}
	return p
}

// name returns the name of the directory ref, if its record still is the one
// that ref means, in use or deleted since.
func (w *parents) name(ref reference) (n fileName, ok bool) {
	in, err := w.f.inode(ref.num())
	if err != nil || !in.directory() {
		return n, false
	}
	if in.inUse() && in.seq != ref.seq() || !in.inUse() && in.seq != after(ref.seq()) {
		return n, false
	}
	names := in.names()
	if len(names) == 0 {
		return n, false
	}
	return names[0], true
}
