package hive

import (
	"encoding/binary"
	"strings"
)

const maxUNC = 520 // bytes of a carved text

// texts yields the UNC paths in a region that no record covers.
func (s *scanner) texts(r *region, yield func(Item) bool) bool {
	image := s.h.image
	for off := (r.start + 1) &^ 1; off+8 <= r.end; {
		if binary.LittleEndian.Uint32(image[off:]) != 0x005c005c || s.taken.has(uint32(off-blockSize)&^7) {
			off += 2
			continue
		}
		t, n := uncText(image[off:min(r.end, off+maxUNC)])
		if t == "" {
			off += 2
			continue
		}
		it := Item{Text: t, Off: off, Where: r.where, Doubt: "a bare text: what it was part of is lost"}
		if !yield(it) {
			return false
		}
		off += n
	}
	return true
}

// uncText returns the \\server\share at the start of b, with what follows it up
// to the first character that cannot be printed, and its length in bytes; "" if
// there is none.
func uncText(b []byte) (string, int64) {
	n := 0
	for n+1 < len(b) && le.Uint16(b[n:]) >= 0x20 && le.Uint16(b[n:]) != 0x7f {
		n += 2
	}
	t := utf16Text(b[:n])
	for i, r := range t {
		if !printable(string(r)) {
			t = t[:i]
			break
		}
	}
	server, share, ok := strings.Cut(strings.TrimPrefix(t, `\\`), `\`)
	if !ok || server == "" || share == "" || share[0] == '\\' || strings.Trim(server, "?.") == "" || strings.ContainsAny(server, ` "/*<>|;,=`) {
		return "", 0
	}
	return t, int64(n)
}
