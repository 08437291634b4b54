package hive

import (
	"bytes"
	"strings"
	"unicode"
)

const maxUNC = 520 // bytes of a carved text

// texts yields the UNC paths in a region that no record covers.
func (s *scanner) texts(r *region, yield func(Item) bool) bool {
	image := s.h.image
	if r.where == BadBin {
		s.takeLive(r)
	}
	for off := r.start; ; {
		i := bytes.Index(image[off:r.end], []byte("\\\x00\\\x00"))
		if i < 0 {
			return true
		}
		if off += int64(i); off%2 != 0 || s.taken.has(uint32(off-blockSize)&^7) {
			off++
			continue
		}
		t, n := uncText(image[off:min(r.end, off+maxUNC)])
		if t == "" {
			off += 2
			continue
		}
		it := Item{Text: t, Off: off, Where: r.where, Doubt: "a bare text: what it was part of is lost"}
		it.doubt(it.Where == BadBin, badDoubt)
		if !yield(it) {
			return false
		}
		off += n
	}
}

// takeLive keeps the cells in use out of a region that was not made of cells.
func (s *scanner) takeLive(r *region) {
	for ref := (r.start - blockSize) &^ 7; ref < r.end-blockSize; ref += 8 {
		if !s.isLive(uint32(ref)) {
			continue
		}
		if c, err := s.h.get(uint32(ref), ""); err == nil && !s.spend(&s.entries, len(c.data)/32) {
			s.take(c.off, int64(len(c.data)))
		}
	}
}

// uncText returns the \\server\share at the start of b, with what follows it up
// to the first character that cannot be printed, and its length in bytes; "" if
// there is none. What fails does so before the next \\, so that texts is linear.
func uncText(b []byte) (string, int64) {
	n := 4
	for ; n+1 < len(b) && le.Uint16(b[n:]) != '\\'; n += 2 {
		if c := le.Uint16(b[n:]); c < 0x21 || c < 0x80 && strings.ContainsRune(`"/*<>|;,=`, rune(c)) {
			return "", 0
		}
	}
	server := utf16Text(b[4:n])
	if strings.Trim(server, "?.") == "" || !printable(server) {
		return "", 0
	}
	share := n + 2
	for n = share; n+1 < len(b) && le.Uint16(b[n:]) >= 0x20 && le.Uint16(b[n:]) != 0x7f; n += 2 {
		if n == share && le.Uint16(b[n:]) == '\\' {
			return "", 0
		}
	}
	if n <= share {
		return "", 0
	}
	rest := utf16Text(b[share:n])
	if i := strings.IndexFunc(rest, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }); i == 0 {
		return "", 0
	} else if i > 0 {
		rest = rest[:i]
	}
	return `\\` + server + `\` + rest, int64(n)
}
