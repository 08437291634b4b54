package hive

import (
	"bytes"
	"encoding/binary"
	"io"
	"sync/atomic"
	"time"

	"www.velocidex.com/golang/regparser"

	"sharetrail/parsers/binread"
)

const (
	blockSize = 4096       // of the base block; hive bins are multiples of it
	binHeader = 32         // bytes in front of the first cell of a bin
	noCell    = 0xffffffff // reference to nothing
)

// profile holds the structure offsets of regparser, and is never written. Key
// nodes, values and lists are read at these offsets directly: regparser's
// accessors allocate for each field, and a hive has millions.
var profile = regparser.NewRegistryProfile()

var le = binary.LittleEndian

// cells is the one way to the cells of a hive: a slice of bytes that a reader
// of a file or a replayed log may have filled, and the bins found in it.
type cells struct {
	image []byte  // from the base block on
	limit int64   // end of the hive bins, from the start of the file
	bins  []bin   // without holes from blockSize to limit, ascending
	pages []int32 // by page from blockSize on: index of its bin
}

// A bin is a run of bytes no cell may cross. A run without a valid bin header
// is one too: what can still be read there is read.
type bin struct {
	start, end int64
	damaged    bool
}

// A cell is the payload of an allocated cell: regparser sees these bytes only,
// so that no field of a structure is ever read from its neighbour.
type cell struct {
	off  int64 // of data, from the start of the file
	data []byte
}

// ReadAt implements [io.ReaderAt] relative to the payload.
func (c *cell) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(c.data)) {
		return 0, io.EOF
	}
	n := copy(p, c.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (c *cell) has(sig string) bool {
	return len(c.data) >= len(sig) && string(c.data[:len(sig)]) == sig
}

// get returns the allocated cell at ref, which counts from the first bin. A
// free cell is damage, not content: reading it would revive deleted data as
// live. If the cell runs past its bin, the part inside comes with the error.
func (c *cells) get(ref uint32, field string) (cell, error) {
	off := blockSize + int64(ref)
	fail := func(format string, args ...any) error {
		return binread.Errorf(off, field, format+": %w", append(args, ErrDamaged)...)
	}
	i := 0
	if page := int(ref / blockSize); page < len(c.pages) {
		i = int(c.pages[page])
	} else {
		i = len(c.bins)
	}
	switch {
	case ref == noCell:
		return cell{}, fail("reference to no cell")
	case i == len(c.bins) || off+4 > c.bins[i].end:
		return cell{}, fail("cell outside the hive bins, which end at %#x", c.limit)
	case ref%8 != 0:
		return cell{}, fail("reference is not a multiple of 8")
	case !c.bins[i].damaged && off < c.bins[i].start+binHeader:
		return cell{}, fail("reference into a bin header")
	}
	size := int64(int32(le.Uint32(c.image[off:])))
	n := -size
	switch {
	case size > 0:
		return cell{}, fail("cell is free")
	case n < 8 || n%8 != 0:
		return cell{}, fail("cell of %d bytes", n)
	case off+n > c.bins[i].end:
		end := c.bins[i].end
		return cell{off + 4, c.image[off+4 : end : end]}, fail("cell of %d bytes runs past its bin, which ends at %#x", n, end)
	}
	return cell{off + 4, c.image[off+4 : off+n : off+n]}, nil
}

// record is get for a structure of at least size bytes that starts with sig.
func (c *cells) record(ref uint32, field, sig string, size int) (cell, error) {
	rec, err := c.get(ref, field)
	if err != nil {
		return cell{}, err
	}
	if !rec.has(sig) {
		return cell{}, binread.Errorf(rec.off, field, "signature %q, want %q: %w", rec.data[:2], sig, ErrDamaged)
	}
	if len(rec.data) < size {
		return cell{}, binread.Errorf(rec.off, field, "cell holds %d bytes, need %d: %w", len(rec.data), size, ErrDamaged)
	}
	return rec, nil
}

// scan finds the bins and passes what is wrong with them and their cells to
// note. It returns the newest key time.
func (c *cells) scan(note func(error)) (newest time.Time) {
	for off := int64(blockSize); off < c.limit; {
		b := bin{start: off}
		if size, err := c.binSize(off); err == nil {
			b.end = off + size
			t, err := c.scanBin(b)
			if t.After(newest) {
				newest = t
			}
			if err != nil {
				note(err)
			}
		} else {
			b.end, b.damaged = c.nextBin(off), true
			note(err)
		}
		for len(c.pages) < int(b.end-blockSize+blockSize-1)/blockSize {
			c.pages = append(c.pages, int32(len(c.bins)))
		}
		c.bins = append(c.bins, b)
		off = b.end
	}
	return newest
}

func (c *cells) binSize(off int64) (int64, error) {
	fail := func(field, format string, args ...any) error {
		return binread.Errorf(off, field, format+": %w", append(args, ErrDamaged)...)
	}
	if c.limit-off < binHeader {
		return 0, fail("hive bin", "%d bytes left", c.limit-off)
	}
	h := profile.HBIN(&cell{off, c.image[off:c.limit]}, 0)
	size := int64(h.HbinSize())
	switch {
	case !bytes.HasPrefix(c.image[off:], []byte("hbin")):
		return 0, fail("hive bin", "signature %q", c.image[off:off+4])
	case int64(h.FileOffset()) != off-blockSize:
		return 0, fail("hive bin", "says it lies at %#x", int64(h.FileOffset())+blockSize)
	case size == 0 || size%blockSize != 0:
		return 0, fail("hive bin", "size %#x", size)
	case off+size > c.limit:
		return 0, fail("hive bin", "runs to %#x, the bins end at %#x", off+size, c.limit)
	}
	return size, nil
}

// nextBin returns the offset of the next valid bin after off, or the limit.
func (c *cells) nextBin(off int64) int64 {
	for off += blockSize; off < c.limit; off += blockSize {
		if _, err := c.binSize(off); err == nil {
			return off
		}
	}
	return c.limit
}

// scanBin follows the cells of one bin, allocated or free, to its end.
func (c *cells) scanBin(b bin) (newest time.Time, err error) {
	for off := b.start + binHeader; off < b.end; {
		size := int64(int32(le.Uint32(c.image[off:])))
		n := max(size, -size)
		if n < 8 || n%8 != 0 || off+n > b.end {
			return newest, binread.Errorf(off, "cell", "size %d breaks the chain of its bin, which ends at %#x: %w", size, b.end, ErrDamaged)
		}
		if rec := (cell{off + 4, c.image[off+4 : off+n]}); size < 0 && rec.has("nk") && len(rec.data) >= nkSize {
			if t := keyTime(le.Uint64(rec.data[profile.Off_CM_KEY_NODE_LastWriteTime:])); t.After(newest) {
				newest = t
			}
		}
		off += n
	}
	return newest, nil
}

// A budget bounds what one iteration over a hive and all that hangs on it may
// read. In a sound hive every byte belongs to one structure; a forged one can
// refer to the same bytes any number of times.
type budget struct{ left atomic.Int64 }

func (c *cells) budget() *budget {
	b := new(budget)
	b.left.Store(16*int64(len(c.image)) + 16<<20)
	return b
}

// spend reports an error at off once more than the budget was spent.
func (b *budget) spend(n int, off int64, field string) error {
	if b.left.Add(-int64(n)-8) < 0 {
		return binread.Errorf(off, field, "references reach the same bytes too many times, gave up: %w", ErrDamaged)
	}
	return nil
}
