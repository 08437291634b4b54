// Package ntfstest writes small NTFS volumes for tests and scenarios. They hold
// what a reader needs: system files, directories as trees of names, resident,
// fragmented, sparse and compressed files, alternate streams, attribute lists
// and records of deleted files. The same input gives the same bytes.
package ntfstest

import (
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

// A Volume is what Build writes. The zero value of a field is its default.
type Volume struct {
	Size    int64     // in bytes; enough for the files and half as much again
	Sector  int       // bytes; 512
	Cluster int       // bytes, a power of two; 4096
	Record  int       // bytes of an MFT record; 1024
	Label   string    // name of the volume
	Serial  uint64    // serial number
	Created time.Time // of the volume, and of files that do not say; 2026-01-01T00:00:00Z
	MFTRuns int       // runs of the MFT; 1
	Files   []File    // missing directories are made
}

// A File is a file or directory.
type File struct {
	Path       string // slash-separated, from the root
	Dir        bool
	Data       []byte
	Streams    []Stream // alternate data streams
	NamedOnly  bool     // no unnamed stream beside them, as $UsnJrnl has none
	Short      string   // 8.3 name, "" for none
	Created    time.Time
	Modified   time.Time // Created, if not set; so are the next two
	Changed    time.Time
	Accessed   time.Time
	Attributes uint32 // FILE_ATTRIBUTE_ values
	Reparse    []byte // content of the reparse point
	Fragments  int    // runs to store Data in, with a free cluster between them
	Compressed bool   // LZNT1
	Sparse     bool   // clusters of zeros are holes
	Valid      int    // bytes of Data that are initialised; 0 means all
	Deleted    bool   // the record is marked as free, its clusters too
	Reused     bool   // of a deleted file: its clusters are in use again
}

// A Stream is an alternate data stream.
type Stream struct {
	Name string
	Hole int // bytes in front of Data that are a hole, whole clusters
	Data []byte
}

// Build returns the volume as an image.
func (v Volume) Build() ([]byte, error) {
	v.Sector, v.Cluster, v.Record = orInt(v.Sector, 512), orInt(v.Cluster, 4096), orInt(v.Record, 1024)
	for _, n := range []int{v.Sector, v.Cluster, v.Record} {
		if n < 512 || n > 2<<20 || n&(n-1) != 0 {
			return nil, fmt.Errorf("size of %d bytes is not a power of two from 512 on", n)
		}
	}
	if v.Created.IsZero() {
		v.Created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if v.Size == 0 {
		v.Size = v.estimate()
	}
	w := newWriter(v)
	for _, f := range v.Files {
		if err := w.add(f); err != nil {
			return nil, err
		}
	}
	return w.finish()
}

func orInt(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

func (v Volume) estimate() int64 {
	n := int64(4<<20 + (48+2*v.MFTRuns)*v.Cluster)
	for _, f := range v.Files {
		n += 3*int64(len(f.Data))/2 + int64(f.Fragments+4)*2*int64(v.Cluster) + 4*int64(v.Record)
		for _, s := range f.Streams {
			n += int64(len(s.Data) + 2*v.Cluster)
		}
	}
	unit := int64(max(v.Cluster, 4096))
	return (n + unit - 1) / unit * unit
}

// A node is a file to be written.
type node struct {
	num      int
	seq      uint16
	f        File
	parent   *node
	children []*node
	attrs    []*attr
	times    [4]uint64 // created, modified, changed, accessed
}

func (n *node) ref(seq uint16) uint64 { return uint64(n.num) | uint64(seq)<<48 }

func (w *writer) newNode(num int, parent *node, f File) *node {
	n := &node{num: num, seq: 1, f: f, parent: parent}
	if num < firstUser && num > 0 {
		n.seq = uint16(num)
	}
	first := f.Created
	if first.IsZero() {
		first = w.Created
	}
	for i, t := range []time.Time{first, f.Modified, f.Changed, f.Accessed} {
		if t.IsZero() {
			t = first
		}
		n.times[i] = filetime.From(t)
	}
	if parent != nil && parent != n {
		parent.children = append(parent.children, n)
	}
	w.nodes = append(w.nodes, n)
	return n
}

// add adds f and the directories above it.
func (w *writer) add(f File) error {
	f.Path = path.Clean(f.Path)
	dir, base := path.Split(f.Path)
	if base == "" || base == "." || base == ".." || len(utf16.Encode([]rune(base))) > 255 {
		return fmt.Errorf("path %q is not one of a file", f.Path)
	}
	parent := w.root
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if part == "" {
			continue
		}
		next := parent.child(part)
		if next == nil {
			next = w.newNode(w.number(), parent, File{Path: part, Dir: true})
		}
		if !next.f.Dir {
			return fmt.Errorf("path %q: %q is a file", f.Path, part)
		}
		parent = next
	}
	f.Path = base
	if old := parent.child(base); old != nil && !f.Deleted {
		if !old.f.Dir || !f.Dir || old.num < firstUser {
			return fmt.Errorf("path %q is there twice", dir+base)
		}
		*old = *w.redo(old, f)
		return nil
	}
	w.newNode(w.number(), parent, f)
	return nil
}

// redo gives a directory that was made for a file below it its own properties.
func (w *writer) redo(old *node, f File) *node {
	nodes := w.nodes
	n := w.newNode(old.num, nil, f)
	w.nodes = nodes
	n.parent, n.children = old.parent, old.children
	return n
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.f.Path == name && !c.f.Deleted {
			return c
		}
	}
	for _, c := range n.children { // below a deleted directory
		if c.f.Path == name && c.f.Dir {
			return c
		}
	}
	return nil
}

func (w *writer) number() int {
	w.records++
	return w.records - 1
}
