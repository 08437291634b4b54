package shell

import (
	"bytes"
	"strings"
	"time"

	"sharetrail/parsers/binread"
)

// A Kind says what an item stands for.
type Kind string

// The kinds of items.
const (
	Root       Kind = "root"    // a folder of the shell's own, by its GUID: Computer, Network
	Volume     Kind = "volume"  // a drive, "Z:\", or another volume by its GUID
	File       Kind = "file"    // a file or folder by its name
	Network    Kind = "network" // a place of the network: workgroup, server, share
	Named      Kind = "named"   // an item of properties, by the name in them
	URI        Kind = "uri"     // a URI
	UnknownItm Kind = "unknown" // none of these: what it stands for is not known
)

// The GUIDs below which the shell shows the network.
const (
	GUIDNetwork    = "{F02C1A0D-BE21-4350-88B0-7367FC96EF3C}" // Network, Vista and later
	GUIDMyNetwork  = "{208D2C60-3AEA-1069-A2D7-08002B30309D}" // My Network Places, XP
	GUIDMyComputer = "{20D04FE0-3AEA-1069-A2D8-08002B30309D}" // This PC
)

// An Item is one shell item: one step of a path through the shell. The formats
// are described in "Windows Shell Item format specification" (J. Metz, libfwsi),
// below called FWSI.
type Item struct {
	Off         int64 // of the item, from the start of the file, bytes
	Len         int   // bytes, with the size field
	Class       byte  // class type indicator, as stored
	Kind        Kind
	Name        string    // as Explorer shows it in a path; "" if the item has none
	GUID        string    // of Root, or of a Volume without a letter
	Description string    // of Network: the provider's name
	Comment     string    // of Network: what the server says of the share
	Modified    time.Time // of File: last change of the target when it was seen; UTC, 2 s
	Created     time.Time // of File: UTC, 2 s
	Accessed    time.Time // of File: UTC, 2 s
	Reference   uint64    // of File: NTFS file reference; 0 if unknown
	ANSI        bool      // Name was stored in an unknown code page and read as Windows-1252, and that matters
}

// maxItems bounds the steps of one path. Windows itself has paths of 64 KiB.
const maxItems = 512

// A List is a path through the shell: the items from the desktop down.
type List []Item

// ParseList reads the items in b, which starts at off in its file, up to the
// terminating zero. With an error, the items before it are returned; b without
// a terminator, as in a registry value that holds one item, is no error if the
// items end with it.
func ParseList(b []byte, off int64) (List, error) {
	s := span{b, off}
	var list List
	for at := 0; at+1 < len(b); {
		n := int(s.u16(at))
		switch {
		case n == 0:
			return list, nil
		case n < 3 || n > len(b)-at:
			return list, binread.Errorf(off+int64(at), "item size", "%d, with %d bytes left", n, len(b)-at)
		case len(list) == maxItems:
			return list, binread.Errorf(off+int64(at), "item list", "more than %d items", maxItems)
		}
		list = append(list, parseItem(s.cut(at, at+n)))
		at += n
	}
	return list, nil
}

// parseItem reads one item. It cannot fail: what does not fit stays unset, and
// an item of an unknown kind is UnknownItm.
func parseItem(s span) Item {
	it := Item{Off: s.off, Len: len(s.b), Class: s.u8(2), Kind: UnknownItm}
	switch {
	case it.Class == 0x1f && s.has(4, 16):
		it.Kind, it.GUID = Root, s.guid(4)
	case it.Class&0x70 == 0x20:
		it.volume(s)
	case it.Class&0x70 == 0x30:
		it.file(s, 4)
	case it.Class == 0x61:
		it.uri(s)
	case it.Class&0x70 == 0x40:
		it.network(s)
	case it.Class == 0x74 && s.u32(6) == 0x46534643: // "CFSF": a file entry inside a delegate item
		it.file(s, 14)
	case bytes.Contains(s.b, []byte("1SPS")):
		it.named(s)
	}
	return it
}

// volume reads an item of class 0x2n (FWSI, "Volume shell item").
func (it *Item) volume(s span) {
	if it.Class == 0x2e && s.has(4, 16) {
		it.Kind, it.GUID = Volume, s.guid(4)
		return
	}
	name, _, _ := s.ansi(3)
	if len(name) >= 2 && name[1] == ':' && letter(name[0]) {
		it.Kind, it.Name = Volume, name
	}
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// file reads a file entry (FWSI, "File entry shell item") whose size field is
// at at: size, FAT time of change, attributes, name, extension blocks.
func (it *Item) file(s span, at int) {
	it.Kind, it.Modified = File, s.fatTime(at+4)
	var n int
	if it.Class&0x04 != 0 && it.Class&0x70 == 0x30 {
		it.Name, n, _ = s.wide(at + 10)
	} else {
		it.Name, n, _ = s.ansi(at + 10)
		it.ANSI = !isASCII(s.cut(at+10, at+10+n).b)
	}
	if block, ok := extension(s, at+10+n, 0xbeef0004); ok {
		it.extend(block)
	}
}

// extension finds the extension block of a signature behind at. The blocks
// follow each other, each with its size in front; a delegate item has GUIDs
// before them, so the signature is looked for.
func extension(s span, at int, signature uint32) (span, bool) {
	for i := max(at, 0); s.has(i, 8); i++ {
		if s.u32(i+4) == signature && int(s.u16(i)) >= 8 && s.has(i, int(s.u16(i))) {
			return s.cut(i, i+int(s.u16(i))), true
		}
	}
	return span{}, false
}

// extend takes times and long name from the extension block 0xbeef0004, which
// since version 3 holds the name and since 7 the NTFS file reference.
func (it *Item) extend(b span) {
	version := b.u16(2)
	it.Created, it.Accessed = b.fatTime(8), b.fatTime(12)
	at := 18
	if version >= 7 {
		it.Reference = b.u64(20)
		at += 18
	}
	if version < 3 {
		return
	}
	at += 2
	if version >= 9 {
		at += 4
	}
	if version >= 8 {
		at += 4
	}
	if name, _, ok := b.wide(at); ok && name != "" {
		it.Name, it.ANSI = name, false
	}
}

// network reads an item of class 0x4n (FWSI, "Network location shell item"):
// location, then description and comment if the flags say so, and all again in
// UTF-16 if flag 0x10 is set.
func (it *Item) network(s span) {
	it.Kind = Network
	flags := s.u8(4)
	texts := [3]*string{&it.Name, &it.Description, &it.Comment}
	there := [3]bool{true, flags&0x80 != 0, flags&0x40 != 0}
	at := 5
	for i, text := range texts {
		if there[i] {
			t, n, _ := s.ansi(at)
			if i == 0 {
				it.ANSI = !isASCII(s.cut(at, at+n).b)
			}
			*text = t
			at += n
		}
	}
	if flags&0x10 == 0 {
		return
	}
	for i, text := range texts {
		if there[i] {
			t, n, ok := s.wide(at)
			if !ok {
				return
			}
			if i == 0 && t != "" {
				it.ANSI = false
			}
			if t != "" || i > 0 {
				*text = t
			}
			at += n
		}
	}
}

// uri reads an item of class 0x61 (FWSI, "URI shell item"): flags (0x80:
// UTF-16), the size of data that is skipped here, and the URI.
func (it *Item) uri(s span) {
	it.Kind = URI
	at := 6 + int(s.u16(4))
	if s.u8(3)&0x80 != 0 {
		it.Name, _, _ = s.wide(at)
		return
	}
	it.Name, _, _ = s.ansi(at)
	it.ANSI = !isASCII([]byte(it.Name))
}

// named reads an item that is a property store, which servers are since Vista.
func (it *Item) named(s span) {
	at := bytes.Index(s.b, []byte("1SPS")) - 4
	props, _ := ParseProperties(s.cut(at, len(s.b)).b, s.off+int64(max(at, 0)))
	it.Kind = Named
	for _, want := range []PropertyKey{ParsingPath, ParsingName, ItemNameDisplay} {
		for _, p := range props {
			if p.Key == want && p.Text != "" {
				it.Name = p.Text
				return
			}
		}
	}
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// A Path is where a List leads to.
type Path struct {
	UNC     string // \\server\share\folder, if it leads through the network; \\server if it ends there
	Drive   string // "Z:", if it leads through a drive
	Text    string // the path as text: UNC, or below the drive, or names joined by \
	Network bool   // it lies below the Network folder, or has an item of the network
	ANSI    bool   // a part of Text is of an unknown code page
}

// Path follows the items of l.
func (l List) Path() Path {
	var p Path
	for i := range l {
		it := &l[i]
		p.ANSI = p.ANSI || it.ANSI
		switch it.Kind {
		case Root:
			if it.GUID == GUIDNetwork || it.GUID == GUIDMyNetwork {
				p.Network = true
			}
		case Volume:
			p.Drive, p.UNC, p.Text = "", "", it.Name
			if it.Name != "" {
				p.Drive = strings.ToUpper(it.Name[:2])
			}
		case Network:
			p.Network = true
			if strings.HasPrefix(it.Name, `\\`) {
				p.UNC, p.Text, p.Drive = it.Name, it.Name, ""
			} else {
				p.Text = below(p.Text, it.Name)
			}
		case Named:
			switch {
			case strings.HasPrefix(it.Name, `\\`):
				p.UNC, p.Text, p.Drive, p.Network = it.Name, it.Name, "", true
			case p.Network && p.UNC == "" && it.Name != "":
				p.UNC = `\\` + it.Name
				p.Text = p.UNC
			default:
				p.add(it.Name)
			}
		case File:
			p.add(it.Name)
		case URI:
			p.Text = it.Name
		}
	}
	return p
}

func (p *Path) add(name string) {
	p.Text = below(p.Text, name)
	if p.UNC != "" {
		p.UNC = p.Text
	}
}

func below(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return strings.TrimRight(path, `\`) + `\` + name
}
