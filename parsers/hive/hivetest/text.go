package hivetest

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// splitPath splits at backslashes that do not start an escape.
func splitPath(s string) []string {
	if s == "" {
		return nil
	}
	var parts []string
	from := 0
	for i := range len(s) {
		if s[i] == '\\' && !strings.HasPrefix(s[i:], `\u{`) {
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// units returns s in UTF-16, with its escapes resolved.
func units(s string) ([]uint16, error) {
	var u []uint16
	for {
		before, rest, ok := strings.Cut(s, `\u{`)
		u = append(u, utf16.Encode([]rune(before))...)
		if !ok {
			return u, nil
		}
		digits, after, ok := strings.Cut(rest, "}")
		n, err := strconv.ParseUint(digits, 16, 32)
		if !ok || err != nil || n > unicode.MaxRune {
			return nil, fmt.Errorf(`bad escape in %q`, s)
		}
		if n > 0xffff {
			u = utf16.AppendRune(u, rune(n))
		} else {
			u = append(u, uint16(n)) // a lone surrogate stays one
		}
		s = after
	}
}

// upper raises each unit, as Windows does to compare and to hash names.
func upper(u []uint16) []uint16 {
	up := make([]uint16, len(u))
	for i, c := range u {
		up[i] = c
		if r := unicode.ToUpper(rune(c)); r <= 0xffff && !utf16.IsSurrogate(rune(c)) {
			up[i] = uint16(r)
		}
	}
	return up
}

func bytesOf(u []uint16) []byte {
	b := make([]byte, 0, 2*len(u))
	for _, c := range u {
		b = le.AppendUint16(b, c)
	}
	return b
}

// stored returns the bytes of a name, and whether they are Latin-1.
func stored(u []uint16, wide bool) (b []byte, latin1 bool) {
	for _, c := range u {
		if wide || c > 0xff {
			return bytesOf(u), false
		}
		b = append(b, byte(c))
	}
	return b, true
}
