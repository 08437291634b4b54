package hive

import (
	"cmp"
	"slices"

	"sharetrail/parsers/binread"
)

const rootKey = 0x04 // key node flag: the root of a hive

// A scanner searches regions of a hive's image for records.
type scanner struct {
	h       *Hive
	live    bitmap // cells that the live tree uses, by reference
	torn    bool   // the live tree could not be read whole
	old     bool   // the regions are pages of an old log entry
	regions []region
	budget  *budget

	keys, vals []uint32 // references of what passes for a record, ascending
	claimed    bitmap   // by reference: key values that a recovered key leads to
	taken      bitmap   // by reference: every 8 bytes that a record or its data covers
	paths      map[uint32]keyPath

	// What forged references can make us do: in a sound hive, each entry of a
	// list is read once or twice. When it is spent, records are found as before
	// but not put together.
	entries   int64 // of lists that are still followed
	pathBytes int64 // that are still built
	gaveUp    bool
}

func newScanner(h *Hive, m *marker) *scanner {
	words := len(h.image)/(8*64) + 1
	return &scanner{
		h: h, live: m.live, torn: m.bad, budget: h.cells.budget(), claimed: make(bitmap, words), taken: make(bitmap, words),
		entries: int64(len(h.image))/4 + 1<<16, pathBytes: 2*int64(len(h.image)) + 16<<20,
	}
}

// search finds the candidates of new regions. What earlier ones left is gone.
func (s *scanner) search(regions []region) {
	for _, r := range s.regions {
		a, b := (r.start-blockSize)/(8*64), min((r.end-blockSize)/(8*64)+1, int64(len(s.taken)))
		clear(s.claimed[a:b])
		clear(s.taken[a:b])
	}
	s.regions = regions
	s.keys, s.vals = s.keys[:0], s.vals[:0]
	s.paths = make(map[uint32]keyPath)
	for i := range regions {
		s.find(&regions[i])
	}
}

// find collects the candidates of a region. A cell begins at a multiple of 8,
// and its record 4 bytes behind, wherever the cell is gone to.
func (s *scanner) find(r *region) {
	image := s.h.image
	for off := (r.start+3)&^7 + 4; off+vkSize <= r.end; off += 8 {
		if image[off+1] != 'k' {
			continue
		}
		ref := uint32(off - 4 - blockSize)
		switch image[off] {
		case 'n':
			if s.passKey(image[off:r.end]) && !s.inUse(ref) {
				s.keys = append(s.keys, ref)
			}
		case 'v':
			if s.passValue(image[off:r.end]) && !s.inUse(ref) {
				s.vals = append(s.vals, ref)
			}
		}
	}
}

// inUse reports whether live content begins at ref though it lies in a region:
// damage can make a free cell of what the tree still leads to. In the pages of
// an old log the same place has something else.
func (s *scanner) inUse(ref uint32) bool { return !s.old && s.isLive(ref) }

func (s *scanner) isLive(ref uint32) bool {
	return ref%8 == 0 && int(ref/(8*64)) < len(s.live) && s.live.has(ref)
}

// passKey judges the bytes from a signature to the end of its region.
func (s *scanner) passKey(b []byte) bool {
	if len(b) < nkSize {
		return false
	}
	n := int(le.Uint16(b[72:]))
	subkeys, values := int64(le.Uint32(b[20:])), int64(le.Uint32(b[36:]))
	room, parent := int64(len(s.h.image))/8, le.Uint32(b[16:])
	return n > 0 && n <= maxKeyName && n <= len(b)-nkSize &&
		subkeys <= room && values <= room &&
		(parent%8 == 0 && parent <= MaxSize || isRoot(b))
}

func (s *scanner) passValue(b []byte) bool {
	if len(b) < vkSize {
		return false
	}
	n, size := int(le.Uint16(b[2:])), le.Uint32(b[4:])
	switch {
	case n > len(b)-vkSize || n > maxValueName:
		return false
	case size&inlineData != 0:
		return size&^inlineData <= 4
	}
	data := le.Uint32(b[8:])
	return size == 0 || data%8 == 0 && data <= MaxSize && int64(size) <= int64(len(s.h.image))
}

func isRoot(nk []byte) bool { return le.Uint16(nk[2:])&rootKey != 0 }

func nkName(nk []byte) string {
	n := int(le.Uint16(nk[72:]))
	return text(nk[nkSize:nkSize+n], le.Uint16(nk[2:])&compName != 0)
}

// isCell reports whether a cell can begin at ref.
func (s *scanner) isCell(ref uint32) bool {
	return ref%8 == 0 && ref >= binHeader && blockSize+int64(ref)+8 <= int64(len(s.h.image))
}

// region returns the number of the region that holds off, or -1.
func (s *scanner) region(off int64) int {
	i, _ := slices.BinarySearchFunc(s.regions, off+1, func(r region, off int64) int { return cmp.Compare(r.end, off) })
	if i == len(s.regions) || s.regions[i].start > off {
		return -1
	}
	return i
}

// dead returns what can be read at a reference that was a cell once, up to the
// end of its region, and the number of the region; -1 if it is in none.
func (s *scanner) dead(ref uint32) (cell, int) {
	if !s.isCell(ref) || s.inUse(ref) {
		return cell{}, -1
	}
	off := blockSize + int64(ref) + 4
	i := s.region(off)
	if i < 0 {
		return cell{}, -1
	}
	end := s.regions[i].end
	return cell{off, s.h.image[off:end:end]}, i
}

// any returns what lies at a reference, in use or not. Its size is that of a
// cell if that makes sense there, else it is all that follows.
func (s *scanner) any(ref uint32) cell {
	if !s.isCell(ref) {
		return cell{}
	}
	image := s.h.image
	off, end := blockSize+int64(ref), int64(len(image))
	n := int64(int32(le.Uint32(image[off:])))
	if n = max(n, -n); n >= 8 && n%8 == 0 && off+n <= end {
		end = off + n
	}
	return cell{off + 4, image[off+4 : end : end]}
}

// take notes that a record covers n bytes at off.
func (s *scanner) take(off, n int64) {
	end := min(off+n, int64(len(s.h.image)))
	for ref := (off - blockSize) &^ 7; ref < end-blockSize; ref += 8 {
		s.taken.add(uint32(ref))
	}
}

// spend takes n of what is left, and reports whether that is too much.
func (s *scanner) spend(left *int64, n int) bool {
	if *left -= int64(n); *left < 0 {
		s.gaveUp = true
	}
	return *left < 0
}

func (s *scanner) err() error {
	if !s.gaveUp {
		return nil
	}
	return binread.Errorf(-1, "deleted cells", "references reach the same bytes too many times, not all were followed: %w", ErrDamaged)
}

// A keyPath is the path of a key, or of the part of its parents that is known.
type keyPath struct {
	path     string
	complete bool
	time     uint64 // FILETIME of the key if it is live, else 0
}

// pathOf follows the parents of a key. depth bounds forged chains.
func (s *scanner) pathOf(ref uint32, depth int) keyPath {
	if p, ok := s.paths[ref]; ok {
		return p
	}
	s.paths[ref] = keyPath{} // so that a chain that comes back here ends
	c, r := s.dead(ref)
	if r < 0 && s.isLive(ref) {
		c, _ = s.h.get(ref, "")
	}
	b := c.data
	if len(b) < nkSize || string(b[:2]) != "nk" || depth == maxDepth || s.pathBytes < 0 {
		return keyPath{}
	}
	p := keyPath{complete: true}
	if ref != s.h.base.RootCell() {
		if !s.passKey(b) {
			return keyPath{}
		}
		if !isRoot(b) { // else the root of an earlier arrangement of the hive
			up := s.pathOf(le.Uint32(b[16:]), depth+1)
			p = keyPath{path: join(up.path, nkName(b)), complete: up.complete}
		}
	}
	if r < 0 {
		p.time = le.Uint64(b[4:])
	}
	s.spend(&s.pathBytes, len(p.path))
	s.paths[ref] = p
	return p
}
