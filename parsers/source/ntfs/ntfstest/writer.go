package ntfstest

import (
	"encoding/binary"
	"fmt"
	"unicode"
	"unicode/utf16"

	"sharetrail/parsers/binread"
)

const (
	firstUser = 24
	fileDir   = 0x10000000
	usable    = 0x100 // security id of all files
)

var le = binary.LittleEndian

// A writer builds one volume.
type writer struct {
	Volume
	img     []byte
	used    []byte // $Bitmap
	next    int    // cluster to look for free ones from
	nodes   []*node
	root    *node
	system  [firstUser]*node
	records int
	spare   int            // next record for further extents of the MFT
	mft     map[int][]byte // records in use or deleted
	live    map[int]bool
	places  [2]int // first clusters of $MFT and $MFTMirr
	err     error
}

type run struct{ lcn, n int } // lcn -1: hole

func newWriter(v Volume) *writer {
	w := &writer{Volume: v, records: firstUser, spare: 16, mft: map[int][]byte{}, live: map[int]bool{}}
	w.img = make([]byte, v.Size)
	w.used = make([]byte, (w.clusters()+63)/64*8)
	for i := w.clusters(); i < len(w.used)*8; i++ {
		w.used[i/8] |= 1 << (i % 8)
	}
	w.root = w.newNode(5, nil, File{Path: ".", Dir: true, Attributes: 6})
	w.root.parent = w.root
	for i, name := range []string{"$MFT", "$MFTMirr", "$LogFile", "$Volume", "$AttrDef", "", "$Bitmap", "$Boot", "$BadClus", "$Secure", "$UpCase", "$Extend"} {
		if name != "" {
			w.system[i] = w.newNode(i, w.root, File{Path: name, Dir: i == 11, Attributes: 6})
		}
	}
	w.alloc((8192 + v.Cluster - 1) / v.Cluster) // $Boot
	return w
}

func (w *writer) clusters() int { return (int(w.Size)/w.Sector - 1) / (w.Cluster / w.Sector) }

func (w *writer) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// alloc returns n clusters in a row.
func (w *writer) alloc(n int) run {
	if w.next+n > w.clusters() {
		w.fail("volume of %d bytes is too small", w.Size)
		return run{0, n}
	}
	r := run{w.next, n}
	w.mark(r, true)
	w.next += n
	return r
}

func (w *writer) mark(r run, used bool) {
	for i := r.lcn; i < r.lcn+r.n && r.lcn >= 0; i++ {
		if w.used[i/8] |= 1 << (i % 8); !used {
			w.used[i/8] &^= 1 << (i % 8)
		}
	}
}

// store writes b in the given number of runs and returns them.
func (w *writer) store(b []byte, fragments int) (runs []run) {
	n := (len(b) + w.Cluster - 1) / w.Cluster
	runs = w.scatter(n, fragments)
	w.copy(runs, b)
	return runs
}

// scatter allocates n clusters in a number of runs, with a free cluster between.
func (w *writer) scatter(n, fragments int) (runs []run) {
	for left := max(1, min(fragments, n)); n > 0; left-- {
		r := w.alloc((n + left - 1) / left)
		runs = append(runs, r)
		if n -= r.n; left > 1 && n > 0 {
			w.next++
		}
	}
	return runs
}

// copy writes b to runs.
func (w *writer) copy(runs []run, b []byte) {
	for _, r := range runs {
		if w.err == nil {
			b = b[copy(w.img[r.lcn*w.Cluster:(r.lcn+r.n)*w.Cluster], b):]
		}
	}
}

// finish writes all files, the MFT and the boot sectors.
func (w *writer) finish() ([]byte, error) {
	w.systemFiles()
	for _, n := range w.nodes {
		w.content(n)
	}
	for _, n := range w.nodes {
		if n.f.Dir {
			w.index(n)
		}
		w.common(n)
	}
	for _, n := range w.nodes {
		if n.num != 0 && n.num != 1 && n.num != 6 {
			w.write(n)
		}
	}
	w.finishMFT()
	if w.err != nil {
		return nil, w.err
	}
	w.boot()
	return w.img, nil
}

// content adds the data of a user's file.
func (w *writer) content(n *node) {
	f := &n.f
	if n.num >= firstUser && !f.Dir && !f.NamedOnly {
		n.attrs = append(n.attrs, w.data(f))
	}
	for _, s := range f.Streams {
		if s.Hole > 0 {
			runs := append([]run{{-1, s.Hole / w.Cluster}}, w.store(s.Data, 1)...)
			size := s.Hole/w.Cluster*w.Cluster + len(s.Data)
			n.attrs = append(n.attrs, &attr{typ: 0x80, name: s.Name, runs: runs, size: size, valid: size, long: true, flags: 0x8000})
			continue
		}
		n.attrs = append(n.attrs, w.value(0x80, s.Name, s.Data, 300))
	}
	if f.Reparse != nil {
		f.Attributes |= 0x400
		n.attrs = append(n.attrs, w.value(0xc0, "", f.Reparse, 300))
	}
	if f.Deleted && !f.Reused {
		for _, a := range n.attrs {
			for _, r := range a.runs {
				w.mark(r, false)
			}
		}
	}
}

// data makes the unnamed stream of f.
func (w *writer) data(f *File) *attr {
	valid := len(f.Data)
	if f.Valid > 0 {
		valid = f.Valid
	}
	switch {
	case f.Compressed:
		f.Attributes |= 0x800
		return w.compressed(f.Data)
	case f.Sparse:
		f.Attributes |= 0x200
		return w.sparse(f.Data)
	case f.Fragments > 0 || f.Valid > 0:
		return &attr{typ: 0x80, runs: w.store(f.Data, f.Fragments), size: len(f.Data), valid: valid, long: true}
	}
	return w.value(0x80, "", f.Data, 300)
}

func (w *writer) sparse(b []byte) *attr {
	a := &attr{typ: 0x80, size: len(b), valid: len(b), long: true, flags: 0x8000}
	for p := 0; p < len(b); p += w.Cluster {
		c := b[p:min(len(b), p+w.Cluster)]
		if binread.IsZero(c) {
			a.runs = append(a.runs, run{-1, 1})
		} else {
			a.runs = append(a.runs, w.store(c, 1)...)
		}
	}
	return a
}

// compressed stores b in units of 16 clusters: as it is, compressed, or as a hole.
func (w *writer) compressed(b []byte) *attr {
	a := &attr{typ: 0x80, size: len(b), valid: len(b), long: true, flags: 1, unit: 4}
	unit := 16 * w.Cluster
	for p := 0; p < len(b); p += unit {
		raw := make([]byte, unit)
		copy(raw, b[p:])
		packed := LZNT1(raw)
		n := (len(packed) + w.Cluster - 1) / w.Cluster
		switch {
		case binread.IsZero(raw):
			a.runs = append(a.runs, run{-1, 16})
		case n >= 16:
			a.runs = append(a.runs, w.store(raw, 1)...)
		default:
			a.runs = append(append(a.runs, w.store(packed, 1)...), run{-1, 16 - n})
		}
	}
	return a
}

// value makes an attribute that is resident up to limit bytes.
func (w *writer) value(typ uint32, name string, b []byte, limit int) *attr {
	if len(b) <= limit {
		return &attr{typ: typ, name: name, value: b}
	}
	return &attr{typ: typ, name: name, runs: w.store(b, 1), size: len(b), valid: len(b), long: true}
}

// common adds the attributes that every file has.
func (w *writer) common(n *node) {
	b := make([]byte, 72)
	for i, t := range n.times {
		le.PutUint64(b[8*i:], t)
	}
	le.PutUint32(b[32:], n.f.Attributes)
	le.PutUint32(b[52:], usable)
	n.attrs = append(n.attrs, &attr{typ: 0x10, value: b})
	space := byte(0)
	if n.f.Short != "" {
		space = 1
		n.attrs = append(n.attrs, &attr{typ: 0x30, value: w.fileName(n, n.f.Short, 2)})
	}
	n.attrs = append(n.attrs, &attr{typ: 0x30, value: w.fileName(n, n.f.Path, space)})
}

// fileName returns the $FILE_NAME of n, also the key in its directory.
func (w *writer) fileName(n *node, name string, space byte) []byte {
	u := utf16.Encode([]rune(name))
	b := make([]byte, 66+2*len(u))
	le.PutUint64(b, n.parent.ref(n.parent.seq))
	for i, t := range n.times {
		le.PutUint64(b[8+8*i:], t)
	}
	for _, a := range n.attrs {
		if a.typ == 0x80 && a.name == "" {
			le.PutUint64(b[40:], uint64(a.clusters()*w.Cluster))
			le.PutUint64(b[48:], uint64(max(a.size, len(a.value))))
		}
	}
	flags := n.f.Attributes
	if n.f.Dir {
		flags |= fileDir
	}
	le.PutUint32(b[56:], flags)
	if n.f.Reparse != nil {
		copy(b[60:64], n.f.Reparse)
	}
	b[64], b[65] = byte(len(u)), space
	for i, c := range u {
		le.PutUint16(b[66+2*i:], c)
	}
	return b
}

func upcase(c uint16) uint16 {
	if r := unicode.ToUpper(rune(c)); r < 0x10000 && !utf16.IsSurrogate(rune(c)) {
		return uint16(r)
	}
	return c
}
