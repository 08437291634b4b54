// Package prefetchtest builds prefetch files from text, for tests and
// scenarios. The text has lines KEY=VALUE:
//
//	version=30      17, 23, 26, 30 or 31
//	exe=NET.EXE     name of the program
//	hash=0x1234
//	count=2         run count
//	run=TIME        one start, RFC 3339; latest first
//	file=PATH       a file that was loaded, as a device path
//	volume=PATH     the device path of a volume
//	packed=yes      packed as Windows 10 does
//	cut=N           keep the first N bytes only
package prefetchtest

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

var le = binary.LittleEndian

type spec struct {
	version, hash, count uint32
	exe                  string
	runs                 []uint64
	files, volumes       []string
	packed               bool
	cut                  int
}

// Build returns the prefetch file that text describes.
func Build(text string) ([]byte, error) {
	s := spec{version: 30, cut: -1}
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%q is no KEY=VALUE", line)
		}
		if err := s.set(key, value); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	b, err := s.write()
	if err != nil {
		return nil, err
	}
	if s.packed {
		b = Pack(b)
	}
	if s.cut >= 0 {
		b = b[:min(s.cut, len(b))]
	}
	return b, nil
}

func (s *spec) set(key, value string) (err error) {
	number := func() uint32 {
		var n uint64
		n, err = strconv.ParseUint(value, 0, 32)
		return uint32(n)
	}
	switch key {
	case "version":
		s.version = number()
	case "hash":
		s.hash = number()
	case "count":
		s.count = number()
	case "cut":
		s.cut = int(number())
	case "exe":
		s.exe = value
	case "run":
		t, e := time.Parse(time.RFC3339Nano, value)
		s.runs, err = append(s.runs, filetime.From(t)), e
	case "file":
		s.files = append(s.files, value)
	case "volume":
		s.volumes = append(s.volumes, value)
	case "packed":
		s.packed = value == "yes"
	default:
		err = fmt.Errorf("unknown key")
	}
	return err
}

func wide(s string) (b []byte) {
	for _, c := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, c)
	}
	return b
}

func (s *spec) write() ([]byte, error) {
	info, runs, slots, count, entry := 304, 128, 8, 208, 96 // where the file information ends, and what lies in it
	switch s.version {
	case 17:
		info, runs, slots, count, entry = 152, 120, 1, 144, 40
	case 23:
		info, runs, slots, count, entry = 240, 128, 1, 152, 104
	case 26:
		info, entry = 304, 104
	case 30:
		info, count = 296, 200
	case 31:
		info, count = 296, 200
	default:
		return nil, fmt.Errorf("version %d", s.version)
	}
	if len(s.runs) > slots || len(s.exe) > 29 {
		return nil, fmt.Errorf("%d runs and a name of %d characters do not fit", len(s.runs), len(s.exe))
	}
	b := make([]byte, info)
	le.PutUint32(b, s.version)
	copy(b[4:], "SCCA")
	copy(b[16:76], wide(s.exe))
	le.PutUint32(b[76:], s.hash)
	le.PutUint32(b[84:], uint32(info))
	le.PutUint32(b[100:], uint32(len(b)))
	for _, f := range s.files {
		b = append(b, wide(f+"\x00")...)
	}
	le.PutUint32(b[104:], uint32(len(b)-info))
	for i, t := range s.runs {
		le.PutUint64(b[runs+8*i:], t)
	}
	le.PutUint32(b[count:], s.count)
	at := len(b)
	volumes := make([]byte, entry*len(s.volumes))
	for i, v := range s.volumes {
		le.PutUint32(volumes[entry*i:], uint32(len(volumes)))
		le.PutUint32(volumes[entry*i+4:], uint32(len(v)))
		volumes = append(volumes, wide(v+"\x00")...)
	}
	b = append(b, volumes...)
	for i, n := range []int{at, len(s.volumes), len(volumes)} {
		le.PutUint32(b[108+4*i:], uint32(n))
	}
	le.PutUint32(b[12:], uint32(len(b)))
	return b, nil
}

// Pack packs b as Windows 10 does, with codes for single bytes of 8 or 9 bits
// and no matches but one of each block's end: valid, if not small ([MS-XCA] 2.1).
func Pack(b []byte) []byte {
	out := le.AppendUint32([]byte("MAM\x04"), uint32(len(b)))
	for len(b) > 0 {
		n := min(len(b), 1<<16)
		out = append(out, packBlock(b[:n])...)
		b = b[n:]
	}
	return out
}

// packBlock gives each byte value a code of 9 bits, which is its value below a
// half of the code space; the other half is one code for a match.
func packBlock(b []byte) []byte {
	out := make([]byte, 256)
	for i := range 128 {
		out[i] = 0x99
	}
	out[128] = 0x01 // symbol 256, a match of 3 bytes at distance 1: one bit
	// Codes are numbered by length first: symbol 256 is "0", byte v is
	// "1" and the 8 bits of v.
	var bits uint64
	n := 0
	var words []byte
	put := func(code uint64, length int) {
		bits, n = bits<<length|code, n+length
		for n >= 16 {
			words = le.AppendUint16(words, uint16(bits>>(n-16)))
			n -= 16
		}
	}
	for i := 0; i < len(b); {
		if i > 0 && i+3 <= len(b) && b[i] == b[i-1] && b[i+1] == b[i] && b[i+2] == b[i] {
			put(0, 1)
			i += 3
			continue
		}
		put(0x100|uint64(b[i]), 9)
		i++
	}
	put(0, 16)
	put(0, 16)
	return append(out, words...)
}
