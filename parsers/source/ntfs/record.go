package ntfs

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"sharetrail/parsers/binread"
)

// Types of attributes.
const (
	typeStandardInformation = 0x10
	typeAttributeList       = 0x20
	typeFileName            = 0x30
	typeVolumeName          = 0x60
	typeVolumeInformation   = 0x70
	typeData                = 0x80
	typeIndexRoot           = 0x90
	typeIndexAllocation     = 0xa0
	typeBitmap              = 0xb0
	typeReparsePoint        = 0xc0
	typeEnd                 = 0xffffffff
)

// Numbers of MFT records with a fixed meaning.
const (
	recordMFT    = 0
	recordVolume = 3
	recordRoot   = 5
	recordBitmap = 6
	recordUpCase = 10
	firstUser    = 24 // those below belong to the file system
)

// Flags of attributes and of MFT records.
const (
	attrCompressed = 0x00ff
	attrEncrypted  = 0x4000

	recordInUse     = 1
	recordDirectory = 2
)

const stride = 512 // of update sequences, whatever the sector size

// A reference names an MFT record: number in 48 bits, sequence number in 16.
type reference uint64

func (r reference) num() uint64 { return uint64(r) & (1<<48 - 1) }
func (r reference) seq() uint16 { return uint16(r >> 48) }

// fixup checks the signature of a multi-sector structure and puts back the
// words that the update sequence array holds. A wrong word is a torn write.
func fixup(b []byte, signature, field string, off int64) error {
	le := binary.LittleEndian
	if string(b[:4]) != signature {
		return binread.Errorf(off, field, "signature %q is not %q", b[:4], signature)
	}
	at, n := int(le.Uint16(b[4:])), int(le.Uint16(b[6:]))
	if n != len(b)/stride+1 || at < 8 || at+2*n > stride-2 {
		return binread.Errorf(off+4, field, "update sequence of %d words at %#x does not fit %d bytes", n, at, len(b))
	}
	mark := b[at : at+2]
	for i := 1; i < n; i++ {
		end := i*stride - 2
		if b[end] != mark[0] || b[end+1] != mark[1] {
			return binread.Errorf(off+int64(end), field, "update sequence is %#x, not %#x: a torn or overwritten sector", b[end:end+2], mark)
		}
		copy(b[end:end+2], b[at+2*i:])
	}
	return nil
}

// A record is one FILE record of the MFT.
type record struct {
	num    uint64
	off    int64 // in the volume, in bytes
	seq    uint16
	flags  uint16
	base   reference // of the base record; 0 in a base record
	attrs  []attribute
	damage error // why the attributes after the last one are unknown; nil if all are there
}

func (r *record) inUse() bool     { return r.flags&recordInUse != 0 }
func (r *record) directory() bool { return r.flags&recordDirectory != 0 }

// parseRecord decodes the record in b, which it changes and keeps.
func parseRecord(b []byte, num uint64, off int64) (*record, error) {
	le := binary.LittleEndian
	if err := fixup(b, "FILE", "MFT record", off); err != nil {
		return nil, err
	}
	r := &record{num: num, off: off, seq: le.Uint16(b[16:]), flags: le.Uint16(b[22:]), base: reference(le.Uint64(b[32:]))}
	if le.Uint16(b[4:]) >= 48 { // since NTFS 3.1 a record knows its number
		if n := le.Uint32(b[44:]); n != uint32(num) && n != 0 { // 0: formatted, not used since
			return nil, binread.Errorf(off+44, "MFT record", "it says it is record %d, not %d", n, num)
		}
	}
	first, used := int(le.Uint16(b[20:])), int(le.Uint32(b[24:]))
	if used < 48 || used > len(b) {
		return nil, binread.Errorf(off+24, "MFT record", "used size %d of %d bytes", uint32(used), len(b))
	}
	if first < 40 || first > used {
		return nil, binread.Errorf(off+20, "MFT record", "first attribute at %#x of %d used bytes", first, used)
	}
	for p := first; ; {
		if p+4 > used {
			r.damage = binread.Errorf(off+int64(p), "attributes", "no end marker")
			break
		}
		if le.Uint32(b[p:]) == typeEnd {
			break
		}
		a, n, err := parseAttribute(b[p:used], off+int64(p))
		if err != nil {
			r.damage = err
			break
		}
		r.attrs = append(r.attrs, a)
		p += n
	}
	return r, nil
}

// An attribute is one extent of an attribute of a file.
type attribute struct {
	typ      uint32
	id       uint16
	flags    uint16
	resident bool
	name     string
	off      int64  // of the header in the volume, in bytes
	value    []byte // resident only
	valueOff int64  // in the volume, in bytes

	// The rest is of non-resident attributes; sizes in bytes.
	start, last int64 // clusters of the attribute that the extent holds
	size, init  int64
	unit        uint8 // compression unit, log2 of clusters; 0 means none
	pairs       []byte
	pairsOff    int64 // in the volume, in bytes
}

func parseAttribute(b []byte, off int64) (a attribute, n int, err error) {
	const field = "attribute"
	le := binary.LittleEndian
	if len(b) < 24 {
		return a, 0, binread.Errorf(off, field, "header of 24 bytes in %d", len(b))
	}
	a = attribute{typ: le.Uint32(b), flags: le.Uint16(b[12:]), id: le.Uint16(b[14:]), resident: b[8] == 0, off: off}
	size := le.Uint32(b[4:])
	if size < 24 || size > uint32(len(b)) || size%8 != 0 {
		return a, 0, binread.Errorf(off+4, field, "length %d of type %#x in %d bytes", size, a.typ, len(b))
	}
	b = b[:size]
	if b[8] > 1 {
		return a, 0, binread.Errorf(off+8, field, "form code %d", b[8])
	}
	if k, at := 2*int(b[9]), int(le.Uint16(b[10:])); k > 0 {
		if at+k > len(b) {
			return a, 0, binread.Errorf(off+10, field, "name of %d bytes at %#x in %d bytes", k, at, len(b))
		}
		a.name = decodeName(b[at : at+k])
	}
	if a.resident {
		k, at := le.Uint32(b[16:]), uint32(le.Uint16(b[20:]))
		if at > size || k > size-at {
			return a, 0, binread.Errorf(off+16, field, "value of %d bytes at %#x in %d bytes", k, at, size)
		}
		a.value, a.valueOff = b[at:at+k], off+int64(at)
		return a, int(size), nil
	}
	return a, int(size), a.parseNonResident(b)
}

func (a *attribute) parseNonResident(b []byte) error {
	const field = "non-resident attribute"
	le := binary.LittleEndian
	if len(b) < 64 {
		return binread.Errorf(a.off, field, "header of 64 bytes in %d", len(b))
	}
	a.start, a.last = int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:]))
	at := int(le.Uint16(b[32:]))
	a.unit = b[34]
	a.size, a.init = int64(le.Uint64(b[48:])), int64(le.Uint64(b[56:]))
	if at < 64 || at > len(b) {
		return binread.Errorf(a.off+32, field, "mapping pairs at %#x in %d bytes", at, len(b))
	}
	if a.start < 0 || a.last < a.start-1 || a.last >= maxClusters {
		return binread.Errorf(a.off+16, field, "clusters %d to %d", a.start, a.last)
	}
	if a.start == 0 && (a.size < 0 || a.init < 0 || a.init > a.size) { // set in the first extent only
		return binread.Errorf(a.off+48, field, "size %d, of it %d initialised", a.size, a.init)
	}
	a.pairs, a.pairsOff = b[at:], a.off+int64(at)
	return nil
}

// decodeName converts UTF-16 to a name that io/fs allows. What it does not
// allow, or what would be read as a stream's name, is shown as \xNN, and half of
// a surrogate pair as \uNNNN; so is the backslash, to keep names apart.
func decodeName(b []byte) string {
	s := make([]byte, 0, len(b)/2)
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(binary.LittleEndian.Uint16(b[i:]))
		switch {
		case r == 0 || r == '/' || r == '\\' || r == ':':
			s = fmt.Appendf(s, `\x%02x`, r)
		case utf16.IsSurrogate(r):
			r2 := rune(0)
			if i+3 < len(b) {
				r2 = rune(binary.LittleEndian.Uint16(b[i+2:]))
			}
			if c := utf16.DecodeRune(r, r2); c != utf8.RuneError {
				s = utf8.AppendRune(s, c)
				i += 2
			} else {
				s = fmt.Appendf(s, `\u%04x`, r)
			}
		default:
			s = utf8.AppendRune(s, r)
		}
	}
	switch string(s) {
	case ".":
		return `\x2e`
	case "..":
		return `\x2e\x2e`
	}
	return string(s)
}
