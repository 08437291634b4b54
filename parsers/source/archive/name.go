package archive

import (
	"archive/zip"
	"hash/crc32"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

const (
	flagUTF8     = 1 << 11
	extraUnicode = 0x7075
	hostUnix     = 3
	hostDarwin   = 19
)

// nameOf returns the name of a member of a zip archive. Where nothing says that
// it is UTF-8 and it is not, it is in the code page of the original DOS, unless
// the archive was made where no code page is fixed (APPNOTE 4.4.2, 4.6.9, D.1).
func nameOf(f *zip.File) string {
	if u, ok := unicodeName(f); ok {
		return u
	}
	host := f.CreatorVersion >> 8
	if f.Flags&flagUTF8 != 0 || host == hostUnix || host == hostDarwin || utf8.ValidString(f.Name) {
		return f.Name
	}
	var b strings.Builder
	for _, c := range []byte(f.Name) {
		b.WriteRune(charmap.CodePage437.DecodeByte(c))
	}
	return b.String()
}

// unicodeName returns the name that an extra field gives in UTF-8, if it is that
// of the name in the directory entry.
func unicodeName(f *zip.File) (string, bool) {
	for b := f.Extra; len(b) >= 4; {
		field := b[4:min(len(b), 4+int(le.Uint16(b[2:])))]
		if le.Uint16(b) == extraUnicode && len(field) > 5 && field[0] == 1 && le.Uint32(field[1:]) == crc32.ChecksumIEEE([]byte(f.Name)) {
			return string(field[5:]), utf8.Valid(field[5:])
		}
		b = b[4+len(field):]
	}
	return "", false
}
