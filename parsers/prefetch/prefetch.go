// Package prefetch reads the files in which Windows notes how programs start:
// when, how often, and which files they needed then. The formats, 17 (XP) to 31
// (Windows 11), are described in "Windows Prefetch File (PF) format" (J. Metz,
// libscca), below called SCCA.
package prefetch

import (
	"encoding/binary"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/xpress"
)

var le = binary.LittleEndian

// A Prefetch is what one file says of one program.
type Prefetch struct {
	Version    uint32 // 17, 23, 26, 30 or 31
	Executable string // file name, upper case, at most 29 characters
	Hash       uint32 // of the program's path
	RunCount   uint32
	Runs       []Run    // latest first; up to 8 since version 26, else 1
	Files      []string // what was loaded, as device paths, upper case
	Volumes    []Volume
	Packed     bool    // offsets lie in the unpacked data
	Problems   []error // what could not be read, each a *binread.FormatError
}

// A Run is one start of the program.
type Run struct {
	Time time.Time // UTC, 100 ns
	Off  int64     // of the time, from the start of the unpacked file, bytes
}

// A Volume is one that files were loaded from.
type Volume struct {
	Device  string    // device path, upper case
	Created time.Time // UTC, 100 ns
	Serial  uint32
}

// Limits of what is read. Real files have up to a few hundred thousand bytes.
const (
	maxFile     = 64 << 20
	maxUnpacked = 32 << 20
	maxFiles    = 1 << 16
	maxVolumes  = 1024
	headerSize  = 84
)

// IsPrefetch reports whether b starts as a prefetch file does.
func IsPrefetch(b []byte) bool {
	return len(b) >= 8 && (string(b[4:8]) == "SCCA" || string(b[:3]) == "MAM" && b[3]&0x7f == 4)
}

// Read reads a file of size bytes. The error is for one that is no prefetch
// file; what is damaged behind the header is in Problems.
func Read(r io.ReaderAt, size int64) (*Prefetch, error) {
	if size > maxFile {
		return nil, binread.Errorf(0, "prefetch file", "%d bytes, limit %d", size, int64(maxFile))
	}
	b := make([]byte, size)
	if err := binread.Full(r, b, 0, "file"); err != nil {
		return nil, err
	}
	p := &Prefetch{}
	if len(b) >= 8 && string(b[:3]) == "MAM" {
		var err error
		if b, err = p.expand(b); err != nil {
			return nil, err
		}
	}
	if len(b) < headerSize || string(b[4:8]) != "SCCA" {
		return nil, binread.Errorf(4, "signature", "%q in %d bytes", b[min(4, len(b)):min(8, len(b))], len(b))
	}
	p.Version, p.Hash = le.Uint32(b), le.Uint32(b[76:])
	p.Executable = text(b[16:76])
	if n := int64(le.Uint32(b[12:])); n != int64(len(b)) && n > int64(len(b)) {
		p.problem(12, "file size", "%d, but there are %d bytes: %w", n, len(b), binread.ErrTruncated)
	}
	p.info(b)
	return p, nil
}

func (p *Prefetch) problem(off int64, field, format string, args ...any) {
	p.Problems = append(p.Problems, binread.Errorf(off, field, format, args...))
}

// expand unpacks a file of Windows 10: "MAM", the method (4 is LZ77 with
// Huffman codes, 0x80 says that a checksum follows), and the unpacked size.
func (p *Prefetch) expand(b []byte) ([]byte, error) {
	n, data := int64(le.Uint32(b[4:])), b[8:]
	switch {
	case b[3]&0x7f != 4:
		return nil, binread.Errorf(3, "packing method", "%#x, want 4", b[3])
	case n > maxUnpacked || n > 4096*int64(len(b)):
		return nil, binread.Errorf(4, "unpacked size", "%d from %d bytes", n, len(b))
	case b[3]&0x80 != 0:
		if len(data) < 4 {
			return nil, binread.Errorf(8, "checksum", "%w", binread.ErrTruncated)
		}
		data = data[4:]
	}
	p.Packed = true
	out := make([]byte, n)
	done, err := xpress.Unpack(out, data)
	if err != nil {
		if done < headerSize {
			return nil, binread.Errorf(8, "packed data", "%d of %d bytes: %w", done, n, err)
		}
		p.problem(8, "packed data", "%d of %d bytes: %w", done, n, err)
	}
	return out[:done], nil
}

// A layout says where a version keeps what (SCCA, "File information").
type layout struct {
	runs, slots int // offset and number of run times
	count       int // offset of the run count
	volume      int // bytes of one volume entry
}

// layoutOf returns the layout of a version. Version 30 comes in two sizes of
// the file information, told apart by where the metrics behind it begin.
func layoutOf(version, metrics uint32) (layout, bool) {
	switch version {
	case 17:
		return layout{120, 1, 144, 40}, true
	case 23:
		return layout{128, 1, 152, 104}, true
	case 26:
		return layout{128, 8, 208, 104}, true
	case 30, 31:
		l := layout{128, 8, 208, 96}
		if metrics == 296 {
			l.count = 200
		}
		return l, true
	}
	return layout{}, false
}

// info reads what the header leads to.
func (p *Prefetch) info(b []byte) {
	if len(b) < headerSize+36 {
		p.problem(headerSize, "file information", "%w", binread.ErrTruncated)
		return
	}
	l, ok := layoutOf(p.Version, le.Uint32(b[84:]))
	if !ok {
		p.problem(0, "version", "%d is unknown", p.Version)
		return
	}
	if len(b) < l.count+4 {
		p.problem(headerSize, "file information", "%w", binread.ErrTruncated)
		return
	}
	p.RunCount = le.Uint32(b[l.count:])
	for i := range l.slots {
		at := l.runs + 8*i
		if t := filetime.Time(le.Uint64(b[at:])); !t.IsZero() {
			p.Runs = append(p.Runs, Run{t, int64(at)})
		}
	}
	p.files(b, le.Uint32(b[100:]), le.Uint32(b[104:]))
	p.volumes(b, le.Uint32(b[108:]), le.Uint32(b[112:]), le.Uint32(b[116:]), l.volume)
}

// files reads the names: UTF-16 strings, each with its NUL.
func (p *Prefetch) files(b []byte, at, size uint32) {
	if size == 0 {
		return
	}
	names, ok := part(b, at, size)
	if !ok {
		p.problem(100, "file names", "%d bytes at %#x in a file of %d: %w", size, at, len(b), binread.ErrTruncated)
	}
	for len(names) >= 2 {
		n := 0
		for n+1 < len(names) && (names[n] != 0 || names[n+1] != 0) {
			n += 2
		}
		if n > 0 {
			if len(p.Files) == maxFiles {
				p.problem(int64(at), "file names", "more than %d", maxFiles)
				return
			}
			p.Files = append(p.Files, text(names[:n]))
		}
		names = names[min(n+2, len(names)):]
	}
}

// part returns size bytes at at, or what there is of them.
func part(b []byte, at, size uint32) ([]byte, bool) {
	if int64(at) >= int64(len(b)) {
		return nil, false
	}
	end := int64(at) + int64(size)
	if end > int64(len(b)) {
		return b[at:], false
	}
	return b[at:end], true
}

func (p *Prefetch) volumes(b []byte, at, count, size uint32, entry int) {
	if count == 0 {
		return
	}
	v, ok := part(b, at, size)
	if !ok || int64(count)*int64(entry) > int64(len(v)) || count > maxVolumes {
		p.problem(108, "volumes", "%d in %d bytes at %#x of a file of %d", count, size, at, len(b))
	}
	for i := range min(int(count), len(v)/entry, maxVolumes) {
		e := v[i*entry : (i+1)*entry]
		name, ok := part(v, le.Uint32(e), 2*min(le.Uint32(e[4:]), 1<<15))
		if !ok {
			p.problem(int64(at)+int64(i*entry), "volume device path", "%d characters at %#x in %d bytes", le.Uint32(e[4:]), le.Uint32(e), len(v))
		}
		p.Volumes = append(p.Volumes, Volume{text(name), filetime.Time(le.Uint64(e[8:])), le.Uint32(e[16:])})
	}
}

// text reads UTF-16 up to its NUL.
func text(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = le.Uint16(b[2*i:])
	}
	s, _, _ := strings.Cut(string(utf16.Decode(u)), "\x00")
	return s
}
