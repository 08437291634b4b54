package shell

import (
	"io"
	"time"

	"sharetrail/parsers/binread"
)

// A Link is a shortcut as [MS-SHLLINK] describes it.
type Link struct {
	Off int64 // of the header, from the start of the file, bytes
	Len int64 // of all that belongs to it, bytes

	// What the target said of itself when the link was last written: the times
	// of the computer that holds it, UTC, 100 ns, and its size. Zero if unset.
	Created, Accessed, Modified time.Time
	FileSize                    uint32 // bytes, low 32 bits
	Attributes                  uint32

	Items   List         // LinkTargetIDList
	Network *NetworkLink // where the target lay on the network; nil if nowhere
	Local   *LocalLink   // where the target lay on a drive; nil if nowhere

	// StringData; Name is what the user or a program said of the link.
	Name, RelativePath, WorkingDir, Arguments, Icon string
	EnvTarget                                       string     // EnvironmentVariableDataBlock: the target's path
	Tracker                                         *Tracker   // TrackerDataBlock; nil if absent
	Properties                                      []Property // PropertyStoreDataBlock
	VistaItems                                      List       // VistaAndAboveIDListDataBlock

	Problems []error // what could not be read, each a *binread.FormatError
}

// A NetworkLink is a CommonNetworkRelativeLink ([MS-SHLLINK] 2.3.2): the tie
// between a share and a drive letter at the time the link was written.
type NetworkLink struct {
	NetName  string // \\server\share
	Device   string // "Z:"; "" if the target was not opened through a drive
	Provider uint32 // WNNC_NET_*: 0x20000 is SMB; 0 if not said
	Suffix   string // below the share
	ANSI     bool   // one of these was of an unknown code page, read as Windows-1252
}

// Path is the whole path of the target.
func (n *NetworkLink) Path() string { return below(n.NetName, n.Suffix) }

// A LocalLink is a VolumeID with a path ([MS-SHLLINK] 2.3.1). DriveType 4 is
// a network drive.
type LocalLink struct {
	DriveType uint32
	Serial    uint32
	Label     string
	Path      string
	ANSI      bool
}

// A Tracker names the computer that held the target ([MS-SHLLINK] 2.5.10).
type Tracker struct {
	Machine string // NetBIOS name
	Volume  string // GUID
	Object  string // GUID
}

// MaxLink is the size in bytes up to which a link is read. Real ones have a
// few thousand.
const MaxLink = 4 << 20

const headerSize = 0x4c

// Link flags ([MS-SHLLINK] 2.1.1).
const (
	hasItems = 1 << iota
	hasInfo
	hasName
	hasRelativePath
	hasWorkingDir
	hasArguments
	hasIcon
	isUnicode
	forceNoInfo
)

// IsLink reports whether b starts with the header of a link.
func IsLink(b []byte) bool {
	return len(b) >= 20 && le.Uint32(b) == headerSize && span{b: b}.guid(4) == "{00021401-0000-0000-C000-000000000046}"
}

// ReadLink reads the link that a file of size bytes is.
func ReadLink(r io.ReaderAt, size int64) (*Link, error) {
	b, err := readWhole(r, min(size, MaxLink))
	if err != nil {
		return nil, err
	}
	l, err := ParseLink(b, 0)
	if err == nil && size > MaxLink {
		l.problem(MaxLink, "link", "file of %d bytes: read up to %d", size, int64(MaxLink))
	}
	return l, err
}

func readWhole(r io.ReaderAt, size int64) ([]byte, error) {
	b := make([]byte, size)
	if err := binread.Full(r, b, 0, "file"); err != nil {
		return nil, err
	}
	return b, nil
}

// ParseLink reads the link that b starts with; off is where b lies in its
// file. The error is for bytes that are no link; damage behind the header is
// in Problems.
func ParseLink(b []byte, off int64) (*Link, error) {
	s := span{b, off}
	if !IsLink(b) {
		return nil, binread.Errorf(off, "link header", "%d bytes that begin with %x: no link", len(b), b[:min(20, len(b))])
	}
	if len(b) < headerSize {
		return nil, binread.Errorf(off, "link header", "need %d bytes, have %d: %w", headerSize, len(b), binread.ErrTruncated)
	}
	l := &Link{
		Off: off, Attributes: s.u32(0x18), FileSize: s.u32(0x34),
		Created: s.filetime(0x1c), Accessed: s.filetime(0x24), Modified: s.filetime(0x2c),
	}
	l.Len = int64(l.parts(s, s.u32(0x14)))
	return l, nil
}

func (l *Link) problem(off int64, field, format string, args ...any) {
	l.Problems = append(l.Problems, binread.Errorf(off, field, format, args...))
}

// parts reads what follows the header and returns where it ends. A part whose
// size does not fit ends the reading: what follows has no known place.
func (l *Link) parts(s span, flags uint32) (end int) {
	at := headerSize
	if flags&hasItems != 0 {
		n := int(s.u16(at))
		if !s.has(at+2, n) {
			l.problem(s.off+int64(at), "IDListSize", "%d, with %d bytes left", n, len(s.b)-at)
			return len(s.b)
		}
		l.Items = l.list(s.cut(at+2, at+2+n))
		at += 2 + n
	}
	if flags&hasInfo != 0 && flags&forceNoInfo == 0 {
		n := int64(s.u32(at))
		if n < 0x1c || n > int64(len(s.b)-at) {
			l.problem(s.off+int64(at), "LinkInfoSize", "%d, with %d bytes left", n, len(s.b)-at)
			return len(s.b)
		}
		l.info(s.cut(at, at+int(n)))
		at += int(n)
	}
	for i, text := range []*string{&l.Name, &l.RelativePath, &l.WorkingDir, &l.Arguments, &l.Icon} {
		if flags&(hasName<<i) == 0 {
			continue
		}
		n, size := int(s.u16(at)), int(s.u16(at))
		if flags&isUnicode != 0 {
			size *= 2
		}
		if !s.has(at+2, size) {
			l.problem(s.off+int64(at), "StringData", "%d characters, with %d bytes left", n, len(s.b)-at)
			return len(s.b)
		}
		if raw := s.b[at+2 : at+2+size]; flags&isUnicode != 0 {
			*text = untilNUL(wideText(raw))
		} else {
			*text = untilNUL(ansiText(raw))
		}
		at += 2 + size
	}
	return l.extra(s, at)
}

func (l *Link) list(s span) List {
	items, err := ParseList(s.b, s.off)
	if err != nil {
		l.Problems = append(l.Problems, err)
	}
	return items
}

// extra reads the ExtraData ([MS-SHLLINK] 2.5) up to its end.
func (l *Link) extra(s span, at int) (end int) {
	for s.has(at, 4) {
		n := int64(s.u32(at))
		if n < 4 {
			return at + 4 // TerminalBlock
		}
		if n < 8 || n > int64(len(s.b)-at) {
			l.problem(s.off+int64(at), "ExtraData size", "%d, with %d bytes left", n, len(s.b)-at)
			return len(s.b)
		}
		b := s.cut(at, at+int(n))
		switch b.u32(4) {
		case 0xa0000001:
			if l.EnvTarget, _, _ = b.wide(8 + 260); l.EnvTarget == "" {
				l.EnvTarget, _, _ = b.cut(8, 8+260).ansi(0)
			}
		case 0xa0000003:
			machine, _, _ := b.cut(16, 32).ansi(0)
			l.Tracker = &Tracker{Machine: machine, Volume: b.guid(32), Object: b.guid(48)}
		case 0xa0000009:
			props, err := ParseProperties(b.b[8:], b.off+8)
			if l.Properties = props; err != nil {
				l.Problems = append(l.Problems, err)
			}
		case 0xa000000c:
			l.VistaItems = l.list(b.cut(8, len(b.b)))
		}
		at += int(n)
	}
	return len(s.b) // some writers leave out the TerminalBlock
}

// info reads LinkInfo ([MS-SHLLINK] 2.3). Offsets lead into s; those beyond it
// are a problem.
func (l *Link) info(s span) {
	header, flags := s.u32(4), s.u32(8)
	suffix, ansi, _ := l.text(s, "CommonPathSuffix", s.u32(24), unicodeOffset(s, header, 0x24, 32))
	if flags&1 != 0 {
		base, baseANSI, ok := l.text(s, "LocalBasePath", s.u32(16), unicodeOffset(s, header, 0x24, 28))
		if v := int64(s.u32(12)); v >= 0x1c && v+16 <= int64(len(s.b)) && ok {
			volume := s.cut(int(v), int(v+min(int64(s.u32(int(v))), int64(len(s.b))-v)))
			l.Local = &LocalLink{DriveType: volume.u32(4), Serial: volume.u32(8), Path: base, ANSI: baseANSI || ansi}
			if suffix != "" {
				l.Local.Path = below(base, suffix)
			}
			if label := volume.u32(12); label == 0x14 {
				l.Local.Label, _, _ = volume.wide(int(min(volume.u32(16), 1<<16)))
			} else if label >= 16 {
				l.Local.Label, _, _ = volume.ansi(int(min(label, 1<<16)))
			}
		} else {
			l.problem(s.off+12, "VolumeIDOffset", "%#x in a LinkInfo of %d bytes", s.u32(12), len(s.b))
		}
	}
	if flags&2 != 0 {
		at, n := int64(s.u32(20)), int64(0)
		if at+20 <= int64(len(s.b)) {
			n = int64(s.u32(int(at)))
		}
		if n < 20 || n > int64(len(s.b))-at {
			l.problem(s.off+20, "CommonNetworkRelativeLinkOffset", "%#x leads to %d bytes in a LinkInfo of %d", at, n, len(s.b))
			return
		}
		l.network(s.cut(int(at), int(at+n)), suffix, ansi)
	}
}

// unicodeOffset returns the offset of the Unicode twin of a text, at at, which
// is there if the structure's own first size or offset is above least-1.
func unicodeOffset(s span, size, least uint32, at int) uint32 {
	if size < least {
		return 0
	}
	return s.u32(at)
}

// network reads a CommonNetworkRelativeLink.
func (l *Link) network(s span, suffix string, ansi bool) {
	n := &NetworkLink{Suffix: suffix, ANSI: ansi}
	name := s.u32(8)
	var ok, a bool
	if n.NetName, a, ok = l.text(s, "NetName", name, unicodeOffset(s, name, 0x15, 20)); !ok {
		return
	}
	n.ANSI = n.ANSI || a
	if s.u32(4)&1 != 0 { // ValidDevice
		n.Device, a, _ = l.text(s, "DeviceName", s.u32(12), unicodeOffset(s, name, 0x15, 24))
		n.ANSI = n.ANSI || a
	}
	if s.u32(4)&2 != 0 { // ValidNetType
		n.Provider = s.u32(16)
	}
	l.Network = n
}

// text reads a text at at in s, or its Unicode twin where there is one.
func (l *Link) text(s span, field string, at, unicode uint32) (text string, ansi, ok bool) {
	if unicode != 0 && int64(unicode) < int64(len(s.b)) {
		if text, _, ok := s.wide(int(unicode)); ok {
			return text, false, true
		}
	}
	if at == 0 || int64(at) >= int64(len(s.b)) {
		l.problem(s.off, field, "offset %#x in %d bytes", at, len(s.b))
		return "", false, false
	}
	text, n, terminated := s.ansi(int(at))
	if !terminated {
		l.problem(s.off+int64(at), field, "text has no end")
	}
	return text, !isASCII(s.cut(int(at), int(at)+n).b), true
}
