package hive

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// text decodes a stored name. The flag that calls a name compressed means that
// each byte is one UTF-16 unit below 256, which is Latin-1.
func text(b []byte, latin1 bool) string {
	if !latin1 {
		return utf16Text(b)
	}
	ascii := true
	for _, c := range b {
		ascii = ascii && c < 0x80
	}
	if ascii {
		return string(b)
	}
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// utf16Text decodes UTF-16LE. Unpaired surrogates and an odd last byte become
// U+FFFD.
func utf16Text(b []byte) string {
	u := make([]uint16, 0, len(b)/2+1)
	for ; len(b) > 1; b = b[2:] {
		u = append(u, le.Uint16(b))
	}
	if len(b) == 1 {
		u = append(u, unicode.ReplacementChar)
	}
	return string(utf16.Decode(u))
}

// fold maps names that Windows takes for the same to one string. Windows raises
// single UTF-16 units, so that characters above U+FFFF keep their case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xffff {
			return r
		}
		return unicode.ToUpper(r)
	}, s)
}

// asciiCompare compares two names as a subkey list sorts them. Names beyond
// ASCII, where Windows versions disagree about upper case, compare as ordered.
func asciiCompare(a, b string) int {
	for i := range min(len(a), len(b)) {
		x, y := upperByte(a[i]), upperByte(b[i])
		if x >= 0x80 || y >= 0x80 {
			return -1
		}
		if x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func upperByte(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) < 0
}
