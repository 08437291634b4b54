package container

import (
	"encoding/hex"
	"fmt"
	"hash/adler32"
	"strings"

	"sharetrail/parsers/binread"
)

// An ewfSection is one section of a segment file.
type ewfSection struct {
	kind      string
	off, next int64 // offsets in the file
	body, end int64 // of its data
}

// segment reads the sections of f. It reports whether it is the last segment.
func (e *ewf) segment(f *file) (last bool, err error) {
	e.sects = span{}
	for off, n := int64(ewfHeaderLen), 0; ; n++ {
		if n == ewfSections {
			return false, f.errorf(off, "section", "more than %d", ewfSections)
		}
		s, err := ewfSectionAt(f, off)
		if err != nil {
			return false, err
		}
		if err := e.section(f, s); err != nil {
			return false, err
		}
		switch {
		case s.kind == "done":
			return true, nil
		case s.kind == "next":
			return false, nil
		case s.next <= s.off:
			return false, f.errorf(off, "section", "%w: the section after %q would be at %#x", errChain, s.kind, s.next)
		}
		off = s.next
	}
}

// ewfSectionAt reads the descriptor of the section at off.
func ewfSectionAt(f *file, off int64) (s ewfSection, err error) {
	h := make([]byte, ewfSectionLen)
	if err := f.full(h, off, "section"); err != nil {
		return s, err
	}
	if adler32.Checksum(h[:72]) != le.Uint32(h[72:]) {
		return s, f.errorf(off, "section", "%w: checksum differs", errChain)
	}
	s = ewfSection{kind: strings.TrimRight(string(h[:16]), "\x00"), off: off, next: int64(le.Uint64(h[16:])), body: off + ewfSectionLen}
	s.end = s.next
	// Some writers leave the size 0 or count otherwise; the chain decides.
	if size := int64(le.Uint64(h[24:])); size >= ewfSectionLen && size <= s.next-off {
		s.end = off + size
	}
	return s, nil
}

// section takes what a section says. An error ends the chain.
func (e *ewf) section(f *file, s ewfSection) error {
	switch s.kind {
	case "header", "header2":
		e.header(f, s)
	case "volume", "disk", "data":
		return e.volume(f, s)
	case "sectors":
		e.settle()
		e.sects = span{s.body, s.end}
	case "table":
		e.settle()
		e.table(f, s)
	case "table2":
		e.table2(f, s)
	case "hash", "digest":
		e.digest(f, s)
	case "error2":
		e.errors2(f, s)
	}
	return nil
}

// volume reads the geometry. It stands in a section "volume" of the first
// segment ("disk" in some images) and, for every case, in "data" of others.
func (e *ewf) volume(f *file, s ewfSection) error {
	n := int64(1052)
	if s.end-s.body < n {
		n = 94 // EWF-S01
	}
	b, err := f.get(s.body, n, "volume section")
	if err != nil {
		e.doubt(err)
		return nil
	}
	if adler32.Checksum(b[:n-4]) != le.Uint32(b[n-4:]) {
		e.doubt(f.errorf(s.body, "volume section", "checksum differs: not used"))
		return nil
	}
	spc, bps, sectors := int64(le.Uint32(b[8:])), int64(le.Uint32(b[12:])), int64(le.Uint64(b[16:]))
	var set []byte
	if n == 94 {
		sectors = int64(le.Uint32(b[16:]))
	} else if !binread.IsZero(b[64:80]) {
		set = b[64:80]
	}
	if e.chunk != 0 {
		if e.set != nil && set != nil && string(e.set) != string(set) {
			return f.errorf(s.body+64, "set identifier", "the segment belongs to another image")
		}
		return nil
	}
	switch {
	case spc < 1 || bps < 1 || spc > ewfMaxChunk || bps > 1<<20 || spc*bps > ewfMaxChunk:
		return f.errorf(s.body+8, "volume section", "chunks of %d sectors of %d bytes", spc, bps)
	case sectors < 0 || sectors > maxDisk/bps:
		return f.errorf(s.body+16, "volume section", "%d sectors", sectors)
	}
	e.chunk, e.size, e.chunks, e.set = spc*bps, sectors*bps, int64(le.Uint32(b[4:])), set
	e.sector = bps
	return nil
}

// table reads a table, or keeps it as lost until its copy is seen.
func (e *ewf) table(f *file, s ewfSection) {
	t, counted, err := e.tableAt(f, s)
	if err != nil {
		t.err = err
		e.lost = &ewfLost{t, counted}
		return
	}
	e.tables = append(e.tables, t)
}

// table2 reads the copy of a table, if it is needed.
func (e *ewf) table2(f *file, s ewfSection) {
	if e.lost == nil {
		return
	}
	t, counted, err := e.tableAt(f, s)
	if err != nil || e.lost.counted && t.n != e.lost.n {
		if counted && !e.lost.counted {
			e.lost.counted, e.lost.n = true, t.n
		}
		return
	}
	e.doubt(fmt.Errorf("the copy of a table is used: %w", e.lost.err))
	e.tables = append(e.tables, t)
	e.lost = nil
}

// doubt adds a warning. A few hundred tell as much as more would.
func (e *ewf) doubt(err error) {
	if len(e.warn) < 256 {
		e.warn = append(e.warn, err)
	}
}

// settle decides about a table that was damaged and had no good copy: if the
// number of its chunks is known, only those cannot be read.
func (e *ewf) settle() {
	l := e.lost
	e.lost = nil
	switch {
	case l == nil:
	case !l.counted:
		e.lose(fmt.Errorf("it is unknown how many chunks a damaged table lists: %w", l.err))
	default:
		e.doubt(fmt.Errorf("%d chunks from chunk %d on cannot be read: %w", l.n, l.first, l.err))
		e.tables = append(e.tables, l.ewfTable)
	}
}

// tableAt reads a table section. counted reports whether t.n is sure although
// there is an error.
func (e *ewf) tableAt(f *file, s ewfSection) (t ewfTable, counted bool, err error) {
	t = ewfTable{first: e.have(), seg: len(e.segs) - 1, entries: s.body + ewfTableLen}
	if len(e.tables) >= ewfMaxTables {
		return t, false, f.errorf(s.off, "table", "more than %d", ewfMaxTables)
	}
	b := make([]byte, ewfTableLen)
	if err := f.full(b, s.body, "table"); err != nil {
		return t, false, err
	}
	if adler32.Checksum(b[:20]) != le.Uint32(b[20:]) {
		return t, false, f.errorf(s.body, "table", "checksum differs")
	}
	t.n, t.base = int64(le.Uint32(b)), int64(le.Uint64(b[8:]))
	switch {
	case t.n > maxTable/4 || t.first+t.n > maxDisk/512:
		return t, false, f.errorf(s.body, "table", "%d entries", t.n)
	case t.base < 0 || t.base > f.size:
		return t, true, f.errorf(s.body+8, "table", "base offset %#x is behind the file's end at %#x", t.base, f.size)
	case t.n == 0:
		t.wide = 0
		return t, true, nil
	}
	end := t.entries + 4*t.n
	if end > s.end {
		return t, false, f.errorf(s.body, "table", "%d entries do not fit into the section", t.n)
	}
	t.limit, t.footer = e.sects.end, s.end >= end+4
	if s.end > end+4 || e.sects.end == 0 { // SMART and EnCase 1 keep the chunks in the table section
		first := make([]byte, 4)
		if err := f.full(first, t.entries, "table entries"); err != nil {
			return t, true, err
		}
		if at := t.base + int64(le.Uint32(first)&0x7fffffff); at >= end && at < s.end {
			t.limit, t.footer = s.end, at >= end+4
		}
	}
	list, err := t.list(f)
	if err != nil {
		return t, true, err
	}
	t.widen(list)
	return t, true, nil
}

// digest reads the hashes of the disk: "hash" has the MD5, "digest" the SHA-1 too.
func (e *ewf) digest(f *file, s ewfSection) {
	n := int64(36)
	if s.kind == "digest" {
		n = 80
	}
	b, err := f.get(s.body, n, s.kind+" section")
	if err == nil && adler32.Checksum(b[:n-4]) != le.Uint32(b[n-4:]) {
		err = f.errorf(s.body, s.kind+" section", "checksum differs: the hash in it is not used")
	}
	if err != nil {
		e.doubt(err)
		return
	}
	e.setHash("md5", b[:16])
	if s.kind == "digest" {
		e.setHash("sha1", b[16:36])
	}
}

func (e *ewf) setHash(name string, sum []byte) {
	h := hex.EncodeToString(sum)
	switch old := e.stored[name]; {
	case binread.IsZero(sum): // not computed
	case old == "":
		e.stored[name] = h
	case old != h:
		e.doubt(fmt.Errorf("two %s are stored: %s and %s", name, old, h))
	}
}

// errors2 reads the list of sectors that the acquisition could not read.
func (e *ewf) errors2(f *file, s ewfSection) {
	const head = 520
	b, err := f.get(s.body, head, "error2 section")
	if err == nil && adler32.Checksum(b[:head-4]) != le.Uint32(b[head-4:]) {
		err = f.errorf(s.body, "error2 section", "checksum differs")
	}
	var list []byte
	if err == nil {
		n := int64(le.Uint32(b))
		list, err = f.get(s.body+head, min(8*n+4, max(s.end-s.body-head, 0)), "error2 section")
		if err == nil && int64(len(list)) < 8*n+4 {
			err = f.errorf(s.body, "error2 section", "%d entries do not fit into the section", n)
		}
		if err == nil && adler32.Checksum(list[:8*n]) != le.Uint32(list[8*n:]) {
			err = f.errorf(s.body+head, "error2 section", "checksum differs")
		}
	}
	if err != nil {
		e.doubt(fmt.Errorf("sectors that the acquisition could not read are unknown, and may read as zeros: %w", err))
		return
	}
	var sum int64
	for ; len(list) >= 12; list = list[8:] {
		first, n := int64(le.Uint32(list)), int64(le.Uint32(list[4:]))
		if n > 0 {
			e.bad = append(e.bad, span{first, first + n})
			sum += n
		}
	}
	if sum > 0 {
		e.doubt(fmt.Errorf("the acquisition could not read %d sectors: reading them is an error", sum))
	}
}
