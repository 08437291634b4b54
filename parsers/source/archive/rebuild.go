package archive

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

var le = binary.LittleEndian

// Of local file headers (APPNOTE 4.3.7), entries of the central directory
// (4.3.12) and what ends it (4.3.14 to 4.3.16).
const (
	sigLocal      = "PK\x03\x04"
	sigDescriptor = "PK\x07\x08" // also the mark of the first part of a split archive (8.5.3)
	localSize     = 30
	flagLater     = 1 << 3 // sizes and checksum follow the content
	extraZip64    = 0x0001
	in64          = 0xffffffff // the value stands in the extra field
)

// rebuild makes a central directory for an archive that has lost its own, of the
// local headers at its start, each behind the content of the last. The member
// that the end of the archive cuts off keeps what is there of it, unless its size
// stood behind it: that one is refused. It returns what archive/zip reads, and
// where the last header was looked for in vain.
func rebuild(r io.ReaderAt, size int64, most int) (z *zip.Reader, all io.ReaderAt, refused []Refusal, end int64) {
	var dir []byte
	n := 0
	for n < most {
		l, ok := localHeader(r, size, end)
		if !ok {
			break
		}
		if l.packed < 0 {
			refused = append(refused, Refusal{l.name, "the archive ends in it, and its size stood behind it"})
			end = size
			break
		}
		dir, n = l.entry(dir, end), n+1
		end = l.next
	}
	if n == 0 {
		return nil, nil, refused, end
	}
	joined := &joined{r, size, directoryOf(dir, n, size)}
	z, err := zip.NewReader(joined, size+int64(len(joined.tail)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, nil, refused, end
	}
	return z, joined, refused, end
}

// A local is what a local file header tells.
type local struct {
	head         []byte // fixed part
	name         string
	extra        []byte // without the sizes of zip64
	sum          uint32
	packed, size int64 // in bytes; packed is -1 if it is not known
	next         int64 // offset of what follows
}

func localHeader(r io.ReaderAt, size, off int64) (l local, ok bool) {
	l.head = make([]byte, localSize)
	if n, _ := r.ReadAt(l.head, off); n < localSize || string(l.head[:4]) != sigLocal {
		return l, false
	}
	names := int(le.Uint16(l.head[26:]))
	rest := make([]byte, names+int(le.Uint16(l.head[28:])))
	if n, _ := r.ReadAt(rest, off+localSize); n < len(rest) {
		return l, false
	}
	l.name, l.sum = string(rest[:names]), le.Uint32(l.head[14:])
	l.packed, l.size = int64(le.Uint32(l.head[18:])), int64(le.Uint32(l.head[22:]))
	wide := false
	for b := rest[names:]; len(b) >= 4 && len(b) >= 4+int(le.Uint16(b[2:])); {
		field := b[:4+int(le.Uint16(b[2:]))]
		if b = b[len(field):]; le.Uint16(field) != extraZip64 {
			l.extra = append(l.extra, field...)
		} else if wide = len(field) >= 20; wide && l.size == in64 {
			l.size, l.packed = int64(le.Uint64(field[4:])), int64(le.Uint64(field[12:]))
		}
	}
	start := off + localSize + int64(len(rest))
	l.next = start + l.packed
	if le.Uint16(l.head[6:])&flagLater != 0 && l.packed == 0 {
		l.descriptor(r, size, start)
	}
	if l.packed > size-start || l.next < start {
		l.packed, l.next = size-start, size
	}
	return l, true
}

// descriptor finds the sizes of a member that stand behind its content: where
// the bytes between are as many as they say.
func (l *local) descriptor(r io.ReaderAt, size, start int64) {
	l.packed = -1
	const step, most = 64 << 10, 24 // bytes: of a descriptor with sizes of 64 bits
	b := make([]byte, step+most)
	for off := start; off < size; off += step {
		n, _ := r.ReadAt(b, off)
		for i := 0; i < min(n, step); i++ {
			k := bytes.Index(b[i:n], []byte(sigDescriptor))
			if k < 0 {
				break
			}
			i += k
			d, packed := b[i:n], off+int64(i)-start
			switch {
			case len(d) >= 16 && int64(le.Uint32(d[8:])) == packed && (len(d) < 20 || string(d[16:18]) == "PK"):
				l.size, l.next = int64(le.Uint32(d[12:])), off+int64(i)+16
			case len(d) >= 24 && int64(le.Uint64(d[8:])) == packed:
				l.size, l.next = int64(le.Uint64(d[16:])), off+int64(i)+24
			default:
				continue
			}
			l.packed, l.sum = packed, le.Uint32(d[4:])
			return
		}
	}
}

// entry appends the entry of the central directory for a member whose local
// header is at off.
func (l *local) entry(dir []byte, off int64) []byte {
	dir = append(dir, "PK\x01\x02\x00\x00"...)
	dir = append(dir, l.head[4:14]...) // version, flags, method, time, date
	for _, v := range []uint32{l.sum, in64, in64} {
		dir = le.AppendUint32(dir, v)
	}
	for _, v := range []uint16{uint16(len(l.name)), uint16(28 + len(l.extra)), 0, 0, 0} {
		dir = le.AppendUint16(dir, v)
	}
	dir = le.AppendUint32(le.AppendUint32(dir, 0), in64)
	dir = append(dir, l.name...)
	dir = le.AppendUint16(le.AppendUint16(dir, extraZip64), 24)
	for _, v := range []int64{l.size, l.packed, off} {
		dir = le.AppendUint64(dir, uint64(v))
	}
	return append(dir, l.extra...)
}

// directoryOf ends a central directory of n entries that starts at off.
func directoryOf(dir []byte, n int, off int64) []byte {
	size := len(dir)
	dir = le.AppendUint64(append(dir, "PK\x06\x06"...), 44)
	dir = append(dir, make([]byte, 12)...)
	for _, v := range []uint64{uint64(n), uint64(n), uint64(size), uint64(off)} {
		dir = le.AppendUint64(dir, v)
	}
	dir = append(dir, "PK\x06\x07\x00\x00\x00\x00"...)
	dir = le.AppendUint32(le.AppendUint64(dir, uint64(off)+uint64(size)), 1)
	dir = append(dir, "PK\x05\x06\x00\x00\x00\x00"...)
	return append(append(dir, strings.Repeat("\xff", 12)...), 0, 0)
}

// A joined is a file with a tail behind it.
type joined struct {
	r    io.ReaderAt
	size int64
	tail []byte
}

func (j *joined) ReadAt(b []byte, off int64) (n int, err error) {
	if off < j.size {
		if n, err = j.r.ReadAt(b[:min(int64(len(b)), j.size-off)], off); n == len(b) || err != nil && err != io.EOF {
			return n, err
		}
		if off+int64(n) < j.size {
			return n, io.ErrUnexpectedEOF
		}
	}
	m, err := bytes.NewReader(j.tail).ReadAt(b[n:], off+int64(n)-j.size)
	return n + m, err
}

// errSplit says what to do with a part of a split archive (APPNOTE 8).
var errSplit = errors.New("a part of a split archive: join the parts (zip -s 0 CASE.zip --out WHOLE.zip) and point at the whole")

// isSplit reports whether the archive is the last part of several, by the number
// of the disk in the record that ends it.
func isSplit(r io.ReaderAt, size int64, z *zip.Reader) bool {
	b := make([]byte, 22)
	n, _ := r.ReadAt(b, size-int64(len(b)+len(z.Comment)))
	disk := le.Uint16(b[4:])
	return n == len(b) && string(b[:4]) == "PK\x05\x06" && disk != 0 && disk != 0xffff
}

// withoutDirectory lists what can be found of an archive without the directory
// that archive/zip did not find for the reason why.
func withoutDirectory(r io.ReaderAt, size int64, most int, why error) (*zip.Reader, io.ReaderAt, []Refusal, error) {
	first := make([]byte, 4)
	if n, _ := r.ReadAt(first, 0); n == 4 && string(first) == sigDescriptor {
		return nil, nil, nil, errSplit
	}
	err := fmt.Errorf("%w: the archive is cut short or damaged", why)
	z, all, refused, end := rebuild(r, size, most)
	if z != nil {
		err = fmt.Errorf("%w; members known without it: %d, up to %#x", err, len(z.File), end)
	}
	return z, all, refused, err
}
