package shell

import (
	"fmt"

	"sharetrail/parsers/binread"
)

// maxCompound bounds a compound file in bytes. Jump lists have up to a few
// million.
const maxCompound = 64 << 20

// Special sector numbers ([MS-CFB] 2.1).
const (
	maxRegular = 0xfffffffa
	noStream   = 0xffffffff
)

// A compound is a compound file ([MS-CFB]), read into memory.
type compound struct {
	span
	shift    uint // of the sector size
	mini     uint // of the mini sector size
	cutoff   uint32
	fat      []uint32
	miniFAT  []uint32
	miniData stream
	streams  []stream
}

// A stream is one stream of a compound file.
type stream struct {
	name string
	data []byte
	off  int64 // of its first sector, from the start of the file, bytes
	size int64 // as declared, bytes
	err  error // why data is less than size
}

// openCompound reads the tables and the streams of the storage b.
func openCompound(b []byte) (*compound, error) {
	c := &compound{span: span{b, 0}}
	if len(b) < 512 || c.u64(0) != 0xe11ab1a1e011cfd0 {
		return nil, binread.Errorf(0, "compound file header", "signature %x in %d bytes", b[:min(8, len(b))], len(b))
	}
	c.shift, c.mini, c.cutoff = uint(c.u16(30)), uint(c.u16(32)), c.u32(56)
	if c.shift != 9 && c.shift != 12 || c.mini != 6 {
		return nil, binread.Errorf(30, "sector shift", "%d and %d", c.shift, c.mini)
	}
	if err := c.tables(); err != nil {
		return nil, err
	}
	return c, c.directory()
}

// sector returns sector n; nil if it lies outside of the file.
func (c *compound) sector(n uint32) []byte {
	at := (int64(n) + 1) << c.shift
	if n > maxRegular || at >= int64(len(c.b)) {
		return nil
	}
	return c.b[at:min(at+1<<c.shift, int64(len(c.b)))]
}

// tables reads the FAT, whose sectors are listed in the header and in the
// chain of DIFAT sectors, and the mini FAT.
func (c *compound) tables() error {
	var list []uint32
	for i := range 109 {
		list = append(list, c.u32(76+4*i))
	}
	limit := len(c.b)>>c.shift + 1
	for n, next := 0, c.u32(68); next < maxRegular; n++ {
		b := c.sector(next)
		if b == nil || len(b) < 1<<c.shift || n > limit {
			return binread.Errorf(68, "DIFAT", "sector %#x is not in the file, or the chain has no end", next)
		}
		s := span{b: b}
		for i := 0; i < len(b)-4; i += 4 {
			list = append(list, s.u32(i))
		}
		next = s.u32(len(b) - 4)
	}
	for _, n := range list {
		if n > maxRegular {
			continue
		}
		b := c.sector(n)
		if b == nil || len(c.fat) > limit+1<<c.shift {
			return binread.Errorf(76, "FAT", "sector %#x is not in the file, or the table is larger than it", n)
		}
		s := span{b: b}
		for i := 0; i+4 <= len(b); i += 4 {
			c.fat = append(c.fat, s.u32(i))
		}
	}
	mini := c.chain(c.u32(60), int64(c.u32(64))<<c.shift)
	s := span{b: mini.data}
	for i := 0; i+4 <= len(mini.data); i += 4 {
		c.miniFAT = append(c.miniFAT, s.u32(i))
	}
	return nil
}

// chain reads up to size bytes (all if negative) of the chain of sectors that
// begins with first.
func (c *compound) chain(first uint32, size int64) stream {
	st := stream{size: size, off: (int64(first) + 1) << c.shift}
	seen := 0
	for n := first; n < maxRegular && (size < 0 || int64(len(st.data)) < size); seen++ {
		b := c.sector(n)
		if b == nil || int(n) >= len(c.fat) || seen > len(c.fat) {
			st.err = binread.Errorf(st.off, "sector chain", "sector %#x is not in the file, or the chain has no end", n)
			break
		}
		st.data = append(st.data, b...)
		n = c.fat[n]
	}
	st.trim()
	return st
}

// trim cuts st to its size, or says what is missing.
func (st *stream) trim() {
	switch {
	case st.size < 0:
	case int64(len(st.data)) >= st.size:
		st.data = st.data[:st.size]
	case st.err == nil:
		st.err = binread.Errorf(st.off, "stream", "%d of %d bytes: %w", len(st.data), st.size, binread.ErrTruncated)
	}
}

// miniChain is chain for streams below the cutoff, which share the mini stream.
func (c *compound) miniChain(first uint32, size int64) stream {
	st := stream{size: size, off: -1}
	for n, seen := first, 0; n < maxRegular && int64(len(st.data)) < size; seen++ {
		at := int64(n) << c.mini
		if at >= int64(len(c.miniData.data)) || int(n) >= len(c.miniFAT) || seen > len(c.miniFAT) {
			st.err = binread.Errorf(c.miniData.off, "mini sector chain", "mini sector %#x is not in the file, or the chain has no end", n)
			break
		}
		if st.off < 0 {
			st.off = c.miniOffset(at)
		}
		st.data = append(st.data, c.miniData.data[at:min(at+1<<c.mini, int64(len(c.miniData.data)))]...)
		n = c.miniFAT[n]
	}
	st.off = max(st.off, 0)
	st.trim()
	return st
}

// miniOffset finds where in the file byte at of the mini stream lies.
func (c *compound) miniOffset(at int64) int64 {
	n := uint32((c.miniData.off >> c.shift) - 1)
	for range at >> c.shift {
		if int(n) >= len(c.fat) {
			return -1
		}
		n = c.fat[n]
	}
	return (int64(n)+1)<<c.shift + at&(1<<c.shift-1)
}

// maxStreams bounds the directory; a jump list has one stream an entry.
const maxStreams = 1 << 14

// directory reads the directory entries and the streams ([MS-CFB] 2.6). The
// streams of a jump list all lie in the root, so the tree is not followed.
func (c *compound) directory() error {
	dir := c.chain(c.u32(48), -1)
	if len(dir.data) < 128 {
		return fmt.Errorf("directory: %w", dir.err)
	}
	s := span{dir.data, dir.off}
	total := int64(0)
	for i := 0; s.has(i, 128); i += 128 {
		e := s.cut(i, i+128)
		name := untilNUL(wideText(e.b[:min(64, max(0, int(e.u16(64))))]))
		first, size := e.u32(116), int64(e.u32(120))
		switch e.u8(66) {
		case 5:
			if i == 0 {
				c.miniData = c.chain(first, size)
			}
		case 2:
			// A file cannot hold more than it has, however often it is named.
			if total += size; total > 4*int64(len(c.b)) || len(c.streams) == maxStreams {
				return binread.Errorf(e.off, "directory", "streams are larger than the file")
			}
			st := stream{}
			if size < int64(c.cutoff) {
				st = c.miniChain(first, size)
			} else {
				st = c.chain(first, size)
			}
			st.name = name
			c.streams = append(c.streams, st)
		}
	}
	return dir.err
}
