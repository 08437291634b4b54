package eventlog

import (
	"bytes"
	"slices"

	"sharetrail/parsers/filetime"
)

// found notes that a chunk begins at off.
func (s *segment) found(off int64) {
	s.covered = max(s.covered, off+chunkSize)
	if i, ok := slices.BinarySearch(s.signatures, off); !ok {
		s.signatures = slices.Insert(s.signatures, i, off)
	}
}

// orphans looks in b, which lies at base, for records of chunks whose beginning is
// lost, behind what is covered by chunks that are known.
func (l *Log) orphans(s *segment, b []byte, base int64) {
	for i := int(max(0, min(s.covered-base, int64(len(b))))); ; i++ {
		j := bytes.Index(b[i:], []byte(recordMagic))
		if j < 0 || i+j+recordHeader >= len(b) {
			return
		}
		i += j
		size := int64(le.Uint32(b[i+4:]))
		if size < recordMin || size > chunkSize-chunkHeaderSize || b[i+recordHeader] != tokenFragment || !plausible(le.Uint64(b[i+16:])) {
			continue
		}
		if s.spent += size; s.spent > checkedFirst+checkedMore*(s.scanned+int64(len(b))) {
			return
		}
		if start := l.beginning(base+int64(i), s.room(size)); start >= 0 {
			s.found(start)
			if s.covered-base >= int64(len(b)) {
				return
			}
			i = int(max(int64(i), s.covered-base-1))
		}
	}
}

// plausible reports whether a record may have been written then: event logs of
// this kind came with Windows Vista.
func plausible(written uint64) bool {
	year := filetime.Time(written).Year()
	return year >= 2005 && year < 2100
}

// room returns a buffer for a record.
func (s *segment) room(size int64) []byte {
	if s.record == nil {
		s.record = make([]byte, chunkSize)
	}
	return s.record[:size]
}

// beginning returns where the chunk of the record at off, for whose bytes b has room, begins: a template that
// is defined in the record is preceded by its own offset in the chunk, and by the
// first bytes of the GUID that it begins with. It is -1 if no template tells.
func (l *Log) beginning(off int64, b []byte) int64 {
	size := int64(len(b))
	if n, _ := l.r.ReadAt(b, off); int64(n) < size || le.Uint32(b[size-4:]) != uint32(size) {
		return -1
	}
	for i := recordHeader; i+instanceHeader+defHeader <= len(b); i++ {
		if b[i] != tokenInstance || b[i+1] != 1 {
			continue
		}
		def := int64(le.Uint32(b[i+6:]))
		start := off + int64(i) + instanceHeader - def
		if def < chunkHeaderSize || def > chunkSize-defHeader || start%sector != 0 || start < 0 || off+size > start+chunkSize {
			continue
		}
		if id := le.Uint32(b[i+2:]); id != 0 && le.Uint32(b[i+instanceHeader+4:]) == id {
			return start
		}
	}
	return -1
}
