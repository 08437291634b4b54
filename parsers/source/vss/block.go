package vss

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"

	"sharetrail/parsers/binread"
)

const (
	blockSize  = 16384 // of data and metadata, in bytes
	sectorSize = 512   // unit of an overlay's bitmap, whatever the disk has

	headerOffset = 0x1e00 // of the volume header ("Volume header")
	bodyOffset   = 0x80   // of the contents of a metadata block

	typeHeader  = 1 // "Store block record types"
	typeCatalog = 2
	typeTable   = 3
	typeInfo    = 4
	typeBitmap  = 6
)

var (
	errLoop      = errors.New("the chain of blocks comes back to this one")
	errSignature = errors.New("no shadow copy signature")
)

var le = binary.LittleEndian

// signature is the GUID 3808876b-c176-4e48-b7ae-04046e6cc752.
const signature = "\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52"

type guid [16]byte

// String returns the usual text of g, or "" if all its bytes are zero.
func (g guid) String() string {
	if g == (guid{}) {
		return ""
	}
	var b [16]byte
	le.PutUint32(b[:], binary.BigEndian.Uint32(g[:]))
	le.PutUint16(b[4:], binary.BigEndian.Uint16(g[4:]))
	le.PutUint16(b[6:], binary.BigEndian.Uint16(g[6:]))
	copy(b[8:], g[8:])
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// A volume is compared by its address: the reader behind it need not be comparable.
type volume struct {
	r     io.ReaderAt
	size  int64
	label string // says in errors whose offsets they have; "" for the volume itself
}

func (v *volume) errorf(off int64, field, format string, args ...any) error {
	return binread.Errorf(off, field+v.label, format, args...)
}

// fill reads len(b) bytes at off, and returns how many there were before an error.
func (v *volume) fill(b []byte, off int64, field string) (int, error) {
	n, err := v.r.ReadAt(b, off)
	if n >= len(b) {
		return len(b), nil
	}
	if n = max(n, 0); err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = binread.ErrTruncated
	}
	return n, v.errorf(off+int64(n), field, "%w", err)
}

// A place is a block of a volume.
type place struct {
	v   *volume
	off int64
}

// block reads the metadata block of the given type at off into b, and returns
// the offset of the next one, 0 if there is none. The field at ref names off.
func (v *volume) block(b []byte, ref, off int64, typ uint32, field string) (int64, error) {
	if off <= 0 || off%sectorSize != 0 || off > v.size-blockSize {
		return 0, v.errorf(ref, field, "no block at %#x of a volume of %d bytes", uint64(off), v.size)
	}
	if _, err := v.fill(b[:blockSize], off, field); err != nil {
		return 0, err
	}
	switch {
	case string(b[:16]) != signature:
		return 0, v.errorf(off, field, "%w", errSignature)
	case le.Uint32(b[20:]) != typ:
		return 0, v.errorf(off+20, field, "record type %d, want %d", le.Uint32(b[20:]), typ)
	case le.Uint64(b[32:]) != uint64(off):
		return 0, v.errorf(off+32, field, "the block says that its offset is %#x", le.Uint64(b[32:]))
	}
	return int64(le.Uint64(b[40:])), nil
}

// chain calls fn with the contents of each block of a chain and their offset on
// v, until fn returns false or an error. seen guards against loops; a caller may
// share it between chains that have no block in common.
func (v *volume) chain(ref, off int64, typ uint32, field string, seen map[place]bool, fn func(body []byte, off int64) (bool, error)) error {
	b := make([]byte, blockSize)
	for more := true; more && off != 0; {
		if seen[place{v, off}] {
			return v.errorf(off, field, "%w", errLoop)
		}
		next, err := v.block(b, ref, off, typ, field)
		if err != nil {
			return err
		}
		seen[place{v, off}] = true
		if more, err = fn(b[bodyOffset:], off+bodyOffset); err != nil {
			return err
		}
		ref, off = off+40, next
	}
	return nil
}
