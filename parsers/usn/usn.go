// Package usn reads the change journal of an NTFS volume, $Extend\$UsnJrnl:$J:
// one record for every change of a file, as long as it is kept. The records are
// USN_RECORD_V2 and V3 of winioctl.h (Microsoft Learn, "USN_RECORD_V2 structure").
//
// A journal is a stream whose start Windows drops from time to time: what is
// collected may begin anywhere in it, also inside a record.
package usn

import (
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
)

// Reasons of a change. They add up from when a file is opened until it is closed.
const (
	DataOverwrite  = 0x1
	DataExtend     = 0x2
	DataTruncation = 0x4
	FileCreate     = 0x100
	FileDelete     = 0x200
	RenameOldName  = 0x1000
	RenameNewName  = 0x2000
	Close          = 0x80000000
)

// A Record is one change of a file.
type Record struct {
	Off    int64     // from the start of what is read, in bytes
	Len    int64     // bytes
	USN    int64     // offset in the whole journal, in bytes
	File   uint64    // reference of the file: number of its MFT record, sequence number in the top 16 bits
	Parent uint64    // the same of its directory
	Time   time.Time // UTC, 100 ns
	Reason uint32
	Name   string // of the file, without its path
}

const (
	pageSize  = 4096 // zeros fill it up behind its last record (USN_PAGE_SIZE)
	maxRecord = 1024 // a name has up to 255 characters
	window    = 64 << 10
	// maxErrors bounds how many damaged places are told of one by one.
	maxErrors = 64
)

var errMore = errors.New("further places are damaged, too")

// A journal is one that is being read.
type journal struct {
	r     io.ReaderAt
	size  int64
	buf   []byte // of r, from base on
	base  int64
	errs  int
	yield func(Record, error) bool
}

// Read yields the records of the size bytes of r in their order. A damaged place
// is an error with its offset; reading goes on behind it.
func Read(r io.ReaderAt, size int64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		j := &journal{r: r, size: size, yield: yield}
		bad := int64(-1) // where what is no record begins
		for off := int64(0); off < size; {
			b, next, ok := j.at(off)
			if !ok {
				return
			}
			if next > 0 {
				off = next
				continue
			}
			if n := zeros(b); n > 0 {
				off += n
				continue
			}
			rec, n, err := parse(b)
			if err != nil {
				if bad < 0 {
					bad = off
					if !j.fail(binread.Errorf(off, "USN record", "%w", err)) {
						return
					}
				}
				off += 8
				continue
			}
			bad = -1
			rec.Off = off
			if rec.Name != "" && !yield(rec, nil) {
				return
			}
			off += n
		}
	}
}

// at returns what follows off, at least a whole record unless the end is nearer;
// or where to go on, if it cannot be read.
func (j *journal) at(off int64) (b []byte, next int64, ok bool) {
	if end := j.base + int64(len(j.buf)); off < j.base || end-off < maxRecord && end < j.size {
		j.base = off
		j.buf = make([]byte, min(window, j.size-off))
		if err := binread.Full(j.r, j.buf, off, "journal"); err != nil {
			n := min(pageSize-off%pageSize, int64(len(j.buf)))
			j.buf = j.buf[:n]
			if binread.Full(j.r, j.buf, off, "journal") != nil {
				j.buf = nil
				return nil, off + n, j.fail(err)
			}
		}
	}
	return j.buf[off-j.base:], 0, true
}

// fail yields err, and reports whether to go on.
func (j *journal) fail(err error) bool {
	j.errs++
	switch {
	case j.errs < maxErrors:
		return j.yield(Record{}, err)
	case j.errs == maxErrors:
		return j.yield(Record{}, binread.Errorf(binread.Offset(err), "USN record", "%w", errMore))
	}
	return true
}

// zeros counts the zero bytes that b starts with, in eights.
func zeros(b []byte) (n int64) {
	for len(b) >= 8 && binary.LittleEndian.Uint64(b) == 0 {
		n, b = n+8, b[8:]
	}
	if len(b) < 8 {
		for _, c := range b {
			if c != 0 {
				return n
			}
		}
		n += int64(len(b))
	}
	return n
}

var errNone = errors.New("no record")

// parse decodes the record that b starts with. One of version 4 names no file:
// its Name is "".
func parse(b []byte) (rec Record, n int64, err error) {
	le := binary.LittleEndian
	if len(b) < 8 {
		return rec, 0, binread.ErrTruncated
	}
	n = int64(le.Uint32(b))
	major, minor := le.Uint16(b[4:]), le.Uint16(b[6:])
	if n%8 != 0 || n < 56 || n > maxRecord && major != 4 || n > window || major < 2 || major > 4 || minor != 0 {
		return rec, 0, errNone
	}
	if major == 4 {
		return rec, n, nil
	}
	if n > int64(len(b)) {
		return rec, 0, binread.ErrTruncated
	}
	at, ref := 24, 8 // of the USN; size of a reference
	if major == 3 {
		at, ref = 40, 16
	}
	fixed := at + 36
	if n < int64(fixed) {
		return rec, 0, errNone
	}
	rec = Record{
		Len: n, File: le.Uint64(b[8:]), Parent: le.Uint64(b[8+ref:]), USN: int64(le.Uint64(b[at:])),
		Time: filetime.Time(le.Uint64(b[at+8:])), Reason: le.Uint32(b[at+16:]),
	}
	length, start := int(le.Uint16(b[at+32:])), int(le.Uint16(b[at+34:]))
	if start < fixed || length == 0 || length%2 != 0 || int64(start+length) > n || rec.USN < 0 || rec.Time.Year() < 1990 || rec.Time.Year() > 2200 {
		return rec, 0, errNone
	}
	name := make([]uint16, length/2)
	for i := range name {
		name[i] = le.Uint16(b[start+2*i:])
	}
	rec.Name = string(utf16.Decode(name))
	return rec, n, nil
}
