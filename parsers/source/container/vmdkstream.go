package container

import (
	"fmt"

	"sharetrail/parsers/binread"
)

// A stream-optimized extent is written from its start to its end: grains, each with
// a marker before it, behind those of a grain table the table, then the directory of
// tables, and a footer that says where that is (VMware, "Virtual Disk Format 5.0",
// "Stream-Optimized Compressed Sparse Extents"). Where the end was never written or
// is cut off, the markers lead to all that is before.

// The kinds of markers that are followed by no grain.
const (
	vmdkEnd = iota
	vmdkTable
	vmdkDirectory
	vmdkFooter
)

// A vmdkScan is what the markers of a stream tell.
type vmdkScan struct {
	known int64           // grains up to here have a table or none was needed
	seen  map[int64]int64 // sectors of the grains behind them, which have no table yet
	table int64           // number of the table that they belong to
	next  int64           // number of the grain behind the last of them
	err   error           // why the others cannot be read
}

// scan finds tables and grains by their markers, from the sector first on. cut is why
// the footer cannot be read.
func (s *sparse) scan(first uint64, cut error) error {
	if !s.packed || first == 0 || first > uint64(s.f.size/512) {
		return cut
	}
	c := &vmdkScan{seen: map[int64]int64{}}
	end, all := s.markers(c, int64(first)*512)
	if len(s.dir) == 0 && len(c.seen) == 0 {
		return cut
	}
	c.err = s.f.errorf(end, "grain marker", "the stream is cut short or damaged here, and what follows is not known")
	if all {
		c.known = (s.size + s.grain - 1) / s.grain
	}
	s.cut = c
	s.warn = append(s.warn, fmt.Errorf("grains were found by their markers: %w", cut))
	if !all {
		s.warn = append(s.warn, fmt.Errorf("of the disk from offset %#x on, %d grains were found, and the others cannot be read: %w", c.known*s.grain, len(c.seen), c.err))
	}
	return nil
}

// markers follows the markers from off on, and returns where they end and whether
// that is behind the last table.
func (s *sparse) markers(c *vmdkScan, off int64) (end int64, all bool) {
	m := make([]byte, 16)
	for {
		if s.f.full(m, off, "grain marker") != nil {
			return off, false
		}
		at, n, kind := le.Uint64(m), int64(le.Uint32(m[8:])), le.Uint32(m[12:])
		next := off + 512
		switch {
		case n > 0:
			if !s.mark(c, at, off, n) {
				return off, false
			}
			next = off + (12+n+511)/512*512
		case kind == vmdkTable:
			if !s.tabled(c, off+512) {
				return off, false
			}
			next += (4*s.per + 511) / 512 * 512
		case kind == vmdkDirectory || kind == vmdkFooter:
			return off, len(c.seen) == 0
		default:
			return off, false
		}
		off = next
	}
}

// mark notes down the grain of n bytes whose marker is at off.
func (s *sparse) mark(c *vmdkScan, lba uint64, off, n int64) bool {
	sectors := s.grain / 512
	g := int64(lba / uint64(sectors))
	if lba >= uint64(s.size/512) || lba%uint64(sectors) != 0 || n > 2*s.grain+4096 || n > s.f.size-off-12 || g < c.known || len(c.seen) > 0 && (g/s.per != c.table || g < c.next) {
		return false // all is in the order of the disk
	}
	c.seen[g], c.table, c.next = off/512, g/s.per, g+1
	return true
}

// tabled takes the table at off, which must list what was seen since the last one.
func (s *sparse) tabled(c *vmdkScan, off int64) bool {
	b, err := s.f.get(off, 4*s.per, "grain table")
	if err != nil {
		return false
	}
	if binread.IsZero(b) {
		return len(c.seen) == 0
	}
	listed := 0
	for k := range s.per {
		sector := int64(le.Uint32(b[4*k:]))
		if sector == 0 || sector == 1 && s.zeroed {
			continue
		}
		if listed++; c.seen[c.table*s.per+k] != sector {
			return false
		}
	}
	if listed != len(c.seen) || 4*(c.table+1) > maxTable {
		return false
	}
	s.dir = append(s.dir, make([]byte, 4*(c.table+1)-int64(len(s.dir)))...)
	le.PutUint32(s.dir[4*c.table:], uint32(off/512))
	c.known = (c.table + 1) * s.per
	clear(c.seen)
	return true
}

// entry is the entry of a table for grain n, as sparse.entry returns it, where the
// scan knows it; ok is false if the table is to be asked.
func (c *vmdkScan) entry(s *sparse, n int64) (sector, at int64, ok bool, err error) {
	if n >= c.known {
		if sector, ok = c.seen[n]; ok {
			return sector, sector * 512, true, nil
		}
		return 0, 0, true, c.err
	}
	return 0, 0, n/s.per >= int64(len(s.dir)/4), nil
}
