package eventlog

import (
	"bytes"
	"fmt"
	"hash/crc32"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
)

// A chunkHeader is the first 512 bytes of a chunk (libevtx section 3).
type chunkHeader struct {
	first, last uint64 // record header numbers
	free        int    // end of the record list
	doubt       string // why the chunk's records must be doubted
	listed      bool   // free can be trusted
}

func parseChunkHeader(b []byte, checksums bool) chunkHeader {
	h := chunkHeader{first: le.Uint64(b[8:]), last: le.Uint64(b[16:])}
	free := le.Uint32(b[48:])
	h.listed = free >= chunkHeaderSize && free <= chunkSize
	if !h.listed {
		h.free = chunkHeaderSize
		h.doubt = fmt.Sprintf("the chunk header gives %#x as the end of its records", free)
		return h
	}
	h.free = int(free)
	if !checksums {
		return h
	}
	sum := crc32.Update(crc32.ChecksumIEEE(b[:120]), crc32.IEEETable, b[128:512])
	switch {
	case sum != le.Uint32(b[124:]):
		h.doubt = "the checksum of the chunk header is wrong"
	case crc32.ChecksumIEEE(b[512:h.free]) != le.Uint32(b[52:]):
		h.doubt = "the checksum of the chunk's records is wrong"
	}
	return h
}

// count is the number of records that the header speaks of, 0 if it is not
// believable.
func (h *chunkHeader) count() uint64 {
	if n := h.last - h.first; h.listed && n < chunkSize/recordMin && h.free > chunkHeaderSize {
		return n + 1
	}
	return 0
}

// A slot is one record in a chunk, or a stretch that holds none.
type slot struct {
	off, size int
	id, time  uint64
	doubt     string
	err       error
}

// records lists what the chunk b, which lies at base in the file, holds in its
// record list. prev is the header number of the record before this chunk, 0 if
// unknown.
//
// A log that was open when it was copied has records behind the end that its
// chunk header gives. They are told from the remains of older records by their
// numbers, which go on without a break.
func (h *chunkHeader) records(slots []slot, b []byte, base int64, prev uint64) []slot {
	off, last, gap := chunkHeaderSize, prev, 0
	if !h.listed {
		last = 0
	}
	for off+recordMin <= chunkSize {
		inList := off < h.free
		limit := chunkSize
		if inList {
			limit = h.free
		}
		s, ok := readSlot(b, off, limit)
		if inList && !ok {
			next := resync(b, off, limit)
			if !h.listed && (next == limit || !follows(le.Uint64(b[next+8:]), last, next-off)) {
				break // nothing says that there was more
			}
			slots = append(slots, slot{off: off, size: next - off, err: lost(b, base, off, next, last)})
			off, gap = next, next-off
			continue
		}
		switch {
		case inList:
			if !h.listed && !follows(s.id, last, gap) {
				return slots
			}
		case !ok || s.doubt != "" || last == 0 || s.id != last+1:
			return slots
		default:
			s.doubt = "it lies behind the end of the chunk's record list"
		}
		slots = append(slots, s)
		off, last, gap = off+s.size, s.id, 0
	}
	return slots
}

// follows reports whether the record numbered id can come after last, with gap
// damaged bytes between them.
func follows(id, last uint64, gap int) bool {
	return last == 0 || id > last && id-last-1 <= uint64(gap/recordMin)
}

// readSlot reads the record header at off. A record whose size field is
// damaged is recognised by its second copy.
func readSlot(b []byte, off, limit int) (s slot, ok bool) {
	if off+recordMin > limit || string(b[off:off+4]) != recordMagic {
		return s, false
	}
	s = slot{off: off, id: le.Uint64(b[off+8:]), time: le.Uint64(b[off+16:])}
	size := int64(le.Uint32(b[off+4:]))
	if size >= recordMin && size <= int64(limit-off) {
		s.size = int(size)
		end := off + s.size
		if le.Uint32(b[end-4:]) == uint32(size) {
			return s, true
		}
		if end == limit || bytes.HasPrefix(b[end:limit], []byte(recordMagic)) {
			s.doubt = "the two copies of its size differ"
			return s, true
		}
	}
	end := nextMagic(b, off+4, limit)
	if n := end - off; n >= recordMin && le.Uint32(b[end-4:]) == uint32(n) {
		s.size = n
		s.doubt = fmt.Sprintf("its size field holds %d, the copy at its end %d", size, n)
		return s, true
	}
	return s, false
}

func nextMagic(b []byte, off, limit int) int {
	if i := bytes.Index(b[off:limit], []byte(recordMagic)); i >= 0 {
		return off + i
	}
	return limit
}

// resync returns the offset of the next record behind off that is whole, or
// limit.
func resync(b []byte, off, limit int) int {
	for off++; off < limit; off++ {
		if off = nextMagic(b, off, limit); off == limit {
			break
		}
		size := int64(le.Uint32(b[min(off+4, chunkSize-4):]))
		if size >= recordMin && size <= int64(limit-off) && le.Uint32(b[off+int(size)-4:]) == uint32(size) {
			return off
		}
	}
	return limit
}

// hidden looks for a record between the end of an event and the end of its own
// record: a record is taken out of a log by making the one before it longer.
func (d *decoder) hidden(off, end int) (id uint64, ok bool) {
	for ; off+recordMin-4 <= end; off++ {
		if off = nextMagic(d.b, off, end); off+recordHeader > end {
			break
		}
		size := int64(le.Uint32(d.b[off+4:]))
		if size >= recordMin && size <= int64(end+4-off) {
			return le.Uint64(d.b[off+8:]), true
		}
	}
	return 0, false
}

// lost words the error for the bytes [off, next) in which no record is whole.
func lost(b []byte, base int64, off, next int, last uint64) error {
	what := ""
	if next+16 <= chunkSize && string(b[next:next+4]) == recordMagic && last != 0 {
		if n := le.Uint64(b[next+8:]) - last - 1; n > 0 && n <= uint64(next-off)/recordMin+1 {
			what = fmt.Sprintf(": records %d to %d by header number are lost", last+1, last+n)
		}
	}
	return binread.Errorf(base+int64(off), "record", "%d bytes hold no whole record%s", next-off, what)
}

// newRecord prepares r for the record in s.
func (s *slot) newRecord(r *Record, d *decoder, state string) {
	*r = Record{}
	r.Off, r.Len = d.base+int64(s.off), int64(s.size)
	r.HeaderID, r.HeaderTime, r.ticks = s.id, filetime.Time(s.time), s.time
	r.State, r.Doubt = state, s.doubt
	r.dec, r.lo, r.hi = d, s.off+recordHeader, s.off+s.size-4
}
