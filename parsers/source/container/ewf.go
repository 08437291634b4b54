package container

import (
	"errors"
	"fmt"
	"hash/adler32"
	"sort"
	"strings"
)

// The Expert Witness Compression Format as EnCase, FTK Imager, SMART and libewf
// write it (libewf, "EWF specification", EWF-E01 and EWF-S01). A disk is cut
// into chunks; a segment file is a chain of sections, of which "table" lists
// where chunks lie. Tables do not say which chunk they begin with: what follows
// tables that are lost is placed by the number of chunks of the disk.

var errChain = errors.New("the chain of sections is broken")

const (
	ewfHeaderLen  = 13 // of a segment file
	ewfSectionLen = 76
	ewfTableLen   = 24
	ewfMaxChunk   = 128 << 20 // bytes
	ewfMaxTables  = 1 << 20
	ewfSections   = 1 << 16 // of a segment
)

type ewf struct {
	segs    []*file
	chunk   int64 // bytes of a chunk; 0 until the volume section is read
	size    int64 // bytes of the disk
	chunks  int64 // as the volume section says
	set     []byte
	tables  []ewfTable
	end     error // why chunks after the last table cannot be read; nil if none are missing
	lost    *ewfLost
	hole    *ewfHole // nil if there is none
	stored  map[string]string
	wide    bool   // stored has the UTF-16 header
	headers int    // sections seen
	sector  int64  // bytes of a sector
	bad     []span // in sectors
	warn    []error
	sects   span // chunk data of the next table, in its segment

	lists cache // entries of tables
	data  cache // chunks
}

// A span is a stretch from start to end, in bytes.
type span struct{ start, end int64 }

type ewfTable struct {
	first, n int64 // chunk numbers
	seg      int
	entries  int64 // offset of the entries
	base     int64 // what entries count from
	limit    int64 // end of the chunk data
	footer   bool  // a checksum follows the entries
	wide     int64 // entries from this one on use all 32 bits
	err      error // why its chunks cannot be read
}

// ewfLost is a table that is damaged, until its copy is seen.
type ewfLost struct {
	ewfTable
	counted bool // the number of chunks is sure
}

func openEWF(f *file, d *folder) (*image, error) {
	e := &ewf{stored: map[string]string{}, lists: cache{max: 8 << 20}, data: cache{max: 16 << 20}}
	h := make([]byte, ewfHeaderLen)
	if err := f.full(h, 0, "file header"); err != nil {
		return nil, err
	}
	if no := int(le.Uint16(h[9:])); no != 1 {
		first, ok := ewfName(f.name, 1)
		if !ok {
			first = "the first"
		}
		return nil, f.errorf(9, "segment number", "segment %d of an image: open %s instead: %w", no, first, ErrPart)
	}
	for no := 1; f != nil; {
		e.segs = append(e.segs, f)
		last, err := e.segment(f)
		e.settle()
		if err != nil {
			e.lose(err)
		}
		if last {
			e.place()
			return e.image()
		}
		f, no = e.following(f, d, no)
	}
	e.tables, e.end = e.tables[:e.hole.tables], e.hole.err
	return e.image()
}

// image concludes once all segments are read.
func (e *ewf) image() (*image, error) {
	if e.chunk == 0 {
		if e.end != nil {
			return nil, e.end
		}
		return nil, e.segs[0].errorf(0, "volume section", "none: the image does not say how large the disk is")
	}
	have, want := e.have(), (e.size+e.chunk-1)/e.chunk
	if e.end == nil && have < want {
		e.end = fmt.Errorf("the tables list %d chunks, the disk has %d", have, want)
	}
	if e.chunks != want {
		e.warn = append(e.warn, fmt.Errorf("the volume section gives %d chunks for a disk of %d", e.chunks, want))
	}
	switch {
	case e.end != nil && have < want:
		e.warn = append(e.warn, fmt.Errorf("disk offsets from %#x on cannot be read: %w", have*e.chunk, e.end))
	case e.end != nil:
		e.warn = append(e.warn, fmt.Errorf("all chunks are there, but what follows them is not: %w", e.end))
	}
	im := &image{size: e.size, warn: e.warn, stored: e.stored}
	im.ReaderAt = &blocks{e.size, e.chunk, e.read}
	if len(e.bad) > 0 {
		im.hashed = im.ReaderAt // the hash is over what was put in their place
		im.ReaderAt = &unread{im.ReaderAt, e.size, e.unreadable()}
	}
	return im, nil
}

// have returns how many chunks can be placed.
func (e *ewf) have() int64 {
	if len(e.tables) == 0 {
		return 0
	}
	t := e.tables[len(e.tables)-1]
	return t.first + t.n
}

func (e *ewf) read(p []byte, n, in int64) error {
	var b []byte
	var err error
	if int64(len(p)) == e.chunk && !e.data.has(n) { // of a large file: it hardly is needed again
		_, err = e.load(n, p)
	} else if b, err = e.data.get(n, func() ([]byte, error) { return e.load(n, make([]byte, e.chunk)) }); err == nil {
		copy(p, b[in:])
	}
	if err != nil {
		return fmt.Errorf("disk offset %#x: chunk %d: %w", n*e.chunk, n, err)
	}
	return nil
}

// load reads chunk n into b, which has room for one, and returns what it has: at
// least what the disk needs of it.
func (e *ewf) load(n int64, b []byte) ([]byte, error) {
	i := sort.Search(len(e.tables), func(i int) bool { return e.tables[i].first+e.tables[i].n > n })
	if i == len(e.tables) {
		return nil, e.end
	}
	t := &e.tables[i]
	if t.err != nil {
		return nil, t.err
	}
	list, err := e.lists.get(int64(i), func() ([]byte, error) { return t.list(e.segs[t.seg]) })
	if err != nil {
		return nil, err
	}
	f, k := e.segs[t.seg], n-t.first
	off, packed := t.entry(list, k)
	lim := min(t.limit, f.size)
	if k+1 < t.n {
		if next, _ := t.entry(list, k+1); next > off {
			lim = min(lim, next)
		}
	}
	if off < ewfHeaderLen || lim <= off {
		return nil, f.errorf(t.entries+4*k, "table entry", "chunk at %#x is outside of the chunk data, which ends at %#x", off, lim)
	}
	// A deflated chunk is hardly larger than the chunk; what follows the stream
	// is not part of it.
	c := packs.Get(min(lim-off, e.chunk+e.chunk/16+4096))
	defer packs.Put(c)
	if err := f.full(c, off, "chunk"); err != nil {
		return nil, err
	}
	want := min(e.chunk, e.size-n*e.chunk)
	if packed {
		if b, err = unzlib(c, b, want); err != nil {
			return nil, f.errorf(off, "chunk", "%w", err)
		}
		return b, nil
	}
	for _, size := range []int64{min(int64(len(c))-4, e.chunk), want} { // the last chunk may be stored short
		if size >= want && size+4 <= int64(len(c)) && adler32.Checksum(c[:size]) == le.Uint32(c[size:]) {
			return b[:copy(b, c[:size])], nil
		}
	}
	if int64(len(c)) < want+4 {
		return nil, f.errorf(off, "chunk", "%d bytes and a checksum do not fit into the %d there are", want, len(c))
	}
	return nil, f.errorf(off, "chunk", "checksum differs")
}

// list reads the entries of a table and checks their checksum.
func (t *ewfTable) list(f *file) ([]byte, error) {
	n := 4 * t.n
	if t.footer {
		n += 4
	}
	b, err := f.get(t.entries, n, "table entries")
	if err != nil {
		return nil, err
	}
	if t.footer && adler32.Checksum(b[:4*t.n]) != le.Uint32(b[4*t.n:]) {
		return nil, f.errorf(t.entries, "table entries", "checksum differs")
	}
	return b, nil
}

// entry returns where chunk k of the table begins and whether it is deflated.
// Bit 31 says so, until EnCase 6.7 needs it for offsets above 2 GiB: chunks
// behind those are not deflated.
func (t *ewfTable) entry(list []byte, k int64) (off int64, packed bool) {
	x := le.Uint32(list[4*k:])
	if k >= t.wide {
		return t.base + int64(x), false
	}
	return t.base + int64(x&0x7fffffff), x>>31 != 0
}

// widen finds the first entry that uses all 32 bits: where the offsets without
// bit 31 would fall back from just below 2 GiB.
func (t *ewfTable) widen(list []byte) {
	t.wide = t.n
	for k := int64(1); k < t.n; k++ {
		prev, x := le.Uint32(list[4*k-4:])&0x7fffffff, le.Uint32(list[4*k:])
		if x&0x7fffffff < prev && x > prev && prev > 0x7fffffff-2*ewfMaxChunk {
			t.wide = k
			return
		}
	}
}

// ewfName returns the name of segment no of the image whose segment has the
// given name: .E01 to .E99, then .EAA to .EZZ, .FAA and so on; the case of the
// extension is kept.
func ewfName(name string, no int) (string, bool) {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || len(name)-dot != 4 || no < 1 {
		return "", false
	}
	ext := name[dot+1:]
	a := byte('A')
	if strings.ToLower(ext) == ext {
		a = 'a'
	}
	kind := ext[0] // that of a first segment
	switch lower := ext[0] | 0x20; {
	case lower != 'e' && lower != 's':
		return "", false
	case no < 100:
		return fmt.Sprintf("%s%c%02d", name[:dot+1], kind, no), true
	}
	n := no - 100
	kind += byte(n / (26 * 26) & 0x1f)
	if kind > a+25 {
		return "", false
	}
	return fmt.Sprintf("%s%c%c%c", name[:dot+1], kind, a+byte(n/26%26), a+byte(n%26)), true
}
