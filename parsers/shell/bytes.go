package shell

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"

	"sharetrail/parsers/filetime"
)

var le = binary.LittleEndian

// A span is a part of a file, read whole. Reads outside of it give zero, so
// that a structure can be decoded first and judged by its sizes.
type span struct {
	b   []byte
	off int64 // of b[0], from the start of the file, bytes
}

func (s span) has(at, n int) bool { return at >= 0 && n >= 0 && at <= len(s.b) && n <= len(s.b)-at }

func (s span) u8(at int) byte {
	if !s.has(at, 1) {
		return 0
	}
	return s.b[at]
}

func (s span) u16(at int) uint16 {
	if !s.has(at, 2) {
		return 0
	}
	return le.Uint16(s.b[at:])
}

func (s span) u32(at int) uint32 {
	if !s.has(at, 4) {
		return 0
	}
	return le.Uint32(s.b[at:])
}

func (s span) u64(at int) uint64 {
	if !s.has(at, 8) {
		return 0
	}
	return le.Uint64(s.b[at:])
}

// cut returns the part from at to to, which are clamped to s.
func (s span) cut(at, to int) span {
	to = min(max(to, 0), len(s.b))
	at = min(max(at, 0), to)
	return span{s.b[at:to:to], s.off + int64(at)}
}

// ansi returns the text at at up to its NUL, and the length with the NUL. ok
// is false if there is no NUL. Its code page is not in the file: Windows-1252
// is assumed.
func (s span) ansi(at int) (text string, n int, ok bool) {
	rest := s.cut(at, len(s.b)).b
	n = bytes.IndexByte(rest, 0)
	if n < 0 {
		return ansiText(rest), len(rest), false
	}
	return ansiText(rest[:n]), n + 1, true
}

func ansiText(b []byte) string {
	t, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(t)
}

// wide is ansi for UTF-16LE; n counts bytes.
func (s span) wide(at int) (text string, n int, ok bool) {
	rest := s.cut(at, len(s.b)).b
	for n = 0; n+1 < len(rest); n += 2 {
		if rest[n] == 0 && rest[n+1] == 0 {
			return wideText(rest[:n]), n + 2, true
		}
	}
	return wideText(rest[:n]), n, false
}

func wideText(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

// untilNUL cuts a text at its first NUL.
func untilNUL(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

func (s span) filetime(at int) time.Time { return filetime.Time(s.u64(at)) }

// fatTime reads a FAT date and time, which shell items keep in UTC with a
// resolution of two seconds; the zero time if it is unset or no date.
func (s span) fatTime(at int) time.Time {
	d, t := s.u16(at), s.u16(at+2)
	if d == 0 {
		return time.Time{}
	}
	month, day := int(d>>5&15), int(d&31)
	hour, minute, second := int(t>>11), int(t>>5&63), int(t&31)*2
	out := time.Date(1980+int(d>>9), time.Month(month), day, hour, minute, second, 0, time.UTC)
	if int(out.Month()) != month || out.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	return out
}

// guid reads a GUID in its registry form, upper case with braces ([MS-DTYP]
// 2.3.4.3); "" if it does not fit.
func (s span) guid(at int) string {
	if !s.has(at, 16) {
		return ""
	}
	g := bytes.Clone(s.b[at : at+16])
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5] = g[5], g[4]
	g[6], g[7] = g[7], g[6]
	h := strings.ToUpper(hex.EncodeToString(g))
	return "{" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:] + "}"
}
