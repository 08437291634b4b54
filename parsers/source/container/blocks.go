package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"sharetrail/parsers/binread"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// blocks is a disk of equal blocks.
type blocks struct {
	size, block int64                             // in bytes
	read        func(p []byte, n, in int64) error // fills p from offset in of block n, and never past its end
}

// ReadAt implements io.ReaderAt.
func (d *blocks) ReadAt(p []byte, off int64) (n int, err error) {
	p, tail, err := clip(p, off, d.size)
	if err != nil {
		return 0, err
	}
	for n < len(p) {
		in := off % d.block
		k := min(int64(len(p)-n), d.block-in)
		if err := d.read(p[n:n+int(k)], off/d.block, in); err != nil {
			return n, err
		}
		n += int(k)
		off += k
	}
	return n, tail
}

// clip cuts a read at the end of a disk. The error tail goes with what is left.
func clip(p []byte, off, size int64) (_ []byte, tail, err error) {
	switch {
	case off < 0:
		return nil, nil, fmt.Errorf("read at negative disk offset %d", off)
	case len(p) == 0:
		return p, nil, nil
	case off >= size:
		return nil, nil, io.EOF
	case int64(len(p)) > size-off:
		return p[:size-off], io.EOF, nil
	}
	return p, nil, nil
}

// fromDisk fills p from a disk that may be smaller: behind its end are zeros,
// as every differencing format has it.
func fromDisk(r io.ReaderAt, size int64, p []byte, off int64) error {
	k := min(max(size-off, 0), int64(len(p)))
	clear(p[k:])
	n, err := r.ReadAt(p[:k], off)
	if int64(n) == k {
		return nil
	}
	return err
}

// A piece is a stretch of a disk.
type piece struct {
	start, size int64 // on the disk, in bytes
	r           io.ReaderAt
}

// pieces is a disk of several files, one after the other.
type pieces []piece

// size returns the end of the last piece.
func (d pieces) size() int64 {
	if len(d) == 0 {
		return 0
	}
	return d[len(d)-1].start + d[len(d)-1].size
}

// add appends a piece of n bytes that r gives from its start on.
func (d pieces) add(r io.ReaderAt, n int64) pieces {
	if n <= 0 {
		return d
	}
	return append(d, piece{d.size(), n, r})
}

// ReadAt implements io.ReaderAt.
func (d pieces) ReadAt(p []byte, off int64) (n int, err error) {
	p, tail, err := clip(p, off, d.size())
	if err != nil || len(p) == 0 {
		return 0, err
	}
	i, found := slices.BinarySearchFunc(d, off, func(e piece, off int64) int {
		return int(min(max(e.start-off, -1), 1))
	})
	if !found {
		i--
	}
	for ; n < len(p); i++ {
		in := off - d[i].start
		k := int(min(int64(len(p)-n), d[i].size-in))
		m, err := d[i].r.ReadAt(p[n:n+k], in)
		n += m
		if m < k {
			if err == nil || err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return n, err
		}
		off += int64(k)
	}
	return n, tail
}

// section is a stretch of a file.
type section struct {
	f     *file
	off   int64
	field string
}

// ReadAt implements io.ReaderAt for reads within the section.
func (s section) ReadAt(p []byte, off int64) (int, error) {
	if err := s.f.full(p, s.off+off, s.field); err != nil {
		return 0, err
	}
	return len(p), nil
}

// gone is a piece that cannot be read.
type gone struct{ err error }

func (g gone) ReadAt([]byte, int64) (int, error) { return 0, g.err }

// zeros is a piece that is defined to be zeros.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// A cache keeps decoded blocks or tables, oldest out first.
type cache struct {
	max   int64 // bytes
	mu    sync.Mutex
	slots map[int64]*slot
	order []int64 // keys, oldest first
	used  int64
}

type slot struct {
	once sync.Once
	b    []byte
	err  error
}

var errLoad = errors.New("reading it failed before")

// get returns what load gives for a key. Loads of several keys run in parallel,
// those of one key once. The result must not be written to.
func (c *cache) get(key int64, load func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	s := c.slots[key]
	if s == nil {
		if c.slots == nil {
			c.slots = map[int64]*slot{}
		}
		s = &slot{err: errLoad}
		c.slots[key] = s
	}
	c.mu.Unlock()
	s.once.Do(func() {
		s.b, s.err = load()
		c.settle(key, s)
	})
	return s.b, s.err
}

// has reports whether a key is loaded, or being loaded.
func (c *cache) has(key int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slots[key] != nil
}

// settle counts a loaded slot, or forgets one that failed.
func (c *cache) settle(key int64, s *slot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.err != nil {
		delete(c.slots, key)
		return
	}
	c.order = append(c.order, key)
	c.used += int64(len(s.b))
	for c.used > c.max && len(c.order) > 1 {
		c.used -= int64(len(c.slots[c.order[0]].b))
		delete(c.slots, c.order[0])
		c.order = c.order[1:]
	}
}

// overlaps returns which of the blocks that lie at off[i] and are n bytes long
// share bytes with another one. A negative offset is no block. Two disk blocks
// in one place are a damaged table: one of them, or both, would read wrong.
func overlaps(off []int64, n int64) map[int64]bool {
	var at []int64
	for i, o := range off {
		if o >= 0 {
			at = append(at, int64(i))
		}
	}
	slices.SortFunc(at, func(a, b int64) int { return int(min(max(off[a]-off[b], -1), 1)) })
	bad := map[int64]bool{}
	for i := 1; i < len(at); i++ {
		if off[at[i]]-off[at[i-1]] < n {
			bad[at[i-1]], bad[at[i]] = true, true
		}
	}
	return bad
}

var (
	zlibs  sync.Pool // of zlib readers
	flates sync.Pool // of flate readers
)

// unzlib fills b with the content of a zlib stream and checks its checksum. A
// stream that ends before is an error, unless short bytes were had; one that has
// more is, too.
func unzlib(c, b []byte, short int64) (out []byte, err error) {
	defer caught(&err)
	var z io.ReadCloser
	if p := zlibs.Get(); p != nil {
		z = p.(io.ReadCloser)
		err = z.(zlib.Resetter).Reset(bytes.NewReader(c), nil)
	} else {
		z, err = zlib.NewReader(bytes.NewReader(c))
	}
	if err != nil {
		return nil, plain(err)
	}
	defer zlibs.Put(z)
	return inflated(z, b, short, true)
}

// unflate inflates exactly n bytes of a bare deflate stream.
func unflate(c []byte, n int64) (out []byte, err error) {
	defer caught(&err)
	var z io.ReadCloser
	if p := flates.Get(); p != nil {
		z = p.(io.ReadCloser)
		err = z.(flate.Resetter).Reset(bytes.NewReader(c), nil)
	} else {
		z = flate.NewReader(bytes.NewReader(c))
	}
	if err != nil {
		return nil, plain(err)
	}
	defer flates.Put(z)
	return inflated(z, make([]byte, n), n, false)
}

// inflated fills b, or at least short bytes of it if z ends there. If end is set, z
// must end: only then has it compared its checksum.
func inflated(z io.Reader, b []byte, short int64, end bool) ([]byte, error) {
	k, err := 0, error(nil)
	for err == nil && k < len(b) {
		var m int
		m, err = z.Read(b[k:])
		k += m
	}
	if end && err == nil {
		var m int
		for m == 0 && err == nil {
			m, err = z.Read(make([]byte, 1))
		}
		if m > 0 {
			return nil, fmt.Errorf("inflates to more than %d bytes", len(b))
		}
	}
	switch {
	case err != nil && err != io.EOF && (end || k < len(b)):
		return nil, plain(err)
	case int64(k) < short:
		return nil, fmt.Errorf("inflates to %d bytes instead of %d", k, len(b))
	}
	return b[:k], nil
}

// plain keeps the text of an error and nothing that it wraps: an io.EOF of a
// decompressor is damage, not the end of a disk.
func plain(err error) error { return errors.New(err.Error()) }

// caught turns a panic of a decompressor into an error.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("decompressor: %v", p)
	}
}

// packs lends room for packed blocks, which nobody needs once they are unpacked.
var packs binread.Buffers
