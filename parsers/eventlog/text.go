package eventlog

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

func trimOneNUL(b []byte) []byte {
	b = b[:len(b)&^1]
	if n := len(b); n >= 2 && b[n-1] == 0 && b[n-2] == 0 {
		b = b[:n-2]
	}
	return b
}

// trimNUL cuts the terminators that some writers count as part of the value.
func trimNUL(b []byte) []byte {
	b = b[:len(b)&^1]
	for n := len(b); n >= 2 && b[n-1] == 0 && b[n-2] == 0; n -= 2 {
		b = b[:n-2]
	}
	return b
}

func utf16Text(b []byte) string { return string(appendUTF16(make([]byte, 0, len(b)/2), b)) }

// appendUTF16 appends UTF-16LE text as UTF-8; an unpaired surrogate becomes
// U+FFFD.
func appendUTF16(dst, b []byte) []byte {
	for i := 0; i+1 < len(b); i += 2 {
		u := rune(le.Uint16(b[i:]))
		if u < utf8.RuneSelf {
			dst = append(dst, byte(u))
			continue
		}
		if utf16.IsSurrogate(u) {
			if i+3 < len(b) {
				if r := utf16.DecodeRune(u, rune(le.Uint16(b[i+2:]))); r != utf8.RuneError {
					u, i = r, i+2
				} else {
					u = utf8.RuneError
				}
			} else {
				u = utf8.RuneError
			}
		}
		dst = utf8.AppendRune(dst, u)
	}
	return dst
}

// ansiBytes decodes text of the computer's ANSI code page, which a log does
// not name: Windows-1252 where it is not ASCII.
func ansiBytes(b []byte) string {
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(s)
}

func ansiText(b []byte) string { return strings.TrimRight(ansiBytes(b), "\x00") }
