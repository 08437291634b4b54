// Package shelltest builds shell items, links and jump lists from text, as
// Windows would write them, for tests and scenarios.
//
// A list of items is one line, its items joined by " | ":
//
//	net  computer                 the root items Network and This PC
//	server:fs01                   a server, as a property store
//	share:\\fs01\finance          a network location
//	drive:Z:                      a drive
//	dir:2024@TIME  file:a.txt     a folder or file, with the time of its last change
//	uri:http://dav.example/x
//	hex:1f00...                   an item as its bytes, without the size in front
//
// A link is a text of lines KEY=VALUE:
//
//	created= accessed= modified=  times of the target, RFC 3339
//	size=                         of the target, bytes
//	items=                        the target, as a list of items
//	share= suffix= device= provider=   where it lay on the network
//	local= label= drive-type=     where it lay on a drive (3 fixed, 4 network)
//	name= relative= workdir= args= icon=   texts
//	machine=                      the computer that held it
//	cut=N                         keep the first N bytes only
//
// A jump list is a text of entries. Each begins with a line
// "[NUMBER] ACCESSED host=H count=N pinned path=P", and has the lines of its
// link. The line "[NUMBER] unlisted" makes a link that DestList has not, and
// "[NUMBER] ... nolink" the opposite. A custom list has entries "[]".
//
// In the text of a hive (see hivetest), Reg resolves the data
//
//	idlist:ITEMS     a list of items
//	item:ITEM        one item and the terminator, as in BagMRU
//	mru:2,0,1        the numbers of an MRUListEx
//	recent:NAME      an entry of RecentDocs
//	exe:NAME|ITEMS   an entry of LastVisitedPidlMRU: a program and a list
package shelltest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

var le = binary.LittleEndian

// List returns the list of items that text describes, with its terminator.
func List(text string) ([]byte, error) {
	var out []byte
	for part := range strings.SplitSeq(text, " | ") {
		b, err := item(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		out = append(le.AppendUint16(out, uint16(len(b)+2)), b...)
	}
	return append(out, 0, 0), nil
}

func item(text string) ([]byte, error) {
	kind, arg, _ := strings.Cut(text, ":")
	switch kind {
	case "net":
		return append([]byte{0x1f, 0x58}, guid("{F02C1A0D-BE21-4350-88B0-7367FC96EF3C}")...), nil
	case "computer":
		return append([]byte{0x1f, 0x50}, guid("{20D04FE0-3AEA-1069-A2D8-08002B30309D}")...), nil
	case "server":
		return server(arg), nil
	case "share":
		return share(arg), nil
	case "drive":
		return append([]byte{0x2f}, append([]byte(arg+`\`), make([]byte, 20)...)...), nil
	case "dir":
		return file(0x31, arg)
	case "file":
		return file(0x32, arg)
	case "uri":
		return append([]byte{0x61, 0, 0, 0}, append([]byte(arg), 0, 0, 0)...), nil
	case "hex":
		return hex.DecodeString(strings.ReplaceAll(arg, " ", ""))
	}
	return nil, fmt.Errorf("unknown item %q", text)
}

// server returns a server as Vista and later write it: a property store with
// the name to display.
func server(name string) []byte {
	value := append(le.AppendUint32([]byte{0x1f, 0, 0, 0}, uint32(len(name)+1)), wide(name+"\x00")...)
	prop := append(append(le.AppendUint32(nil, uint32(len(value)+9)), 10, 0, 0, 0, 0), value...)
	storage := append(append([]byte("1SPS"), guid("{B725F130-47EF-101A-A5F1-02608C9EEBAC}")...), prop...)
	storage = append(storage, 0, 0, 0, 0)
	store := append(append(le.AppendUint32(nil, uint32(len(storage)+4)), storage...), 0, 0, 0, 0)
	b := []byte{0, 0}
	b = le.AppendUint16(b, uint16(len(store)+10))
	b = le.AppendUint32(b, 0x3b93afbb)
	b = le.AppendUint16(b, uint16(len(store)))
	b = append(b, 4, 0, 0, 0, 0, 0)
	return append(append(b, store...), 0, 0)
}

func share(name string) []byte {
	b := []byte{0xc3, 0x01, 0xc1}
	if !ascii(name) {
		b[2] = 0xd1
	}
	b = append(append(b, narrow(name)...), 0)
	b = append(b, "Microsoft Network\x00\x00"...)
	if b[2] == 0xd1 {
		b = append(b, wide(name+"\x00Microsoft Network\x00\x00")...)
	}
	return append(b, 2, 0)
}

// file returns a file entry with an extension block of version 9.
func file(class byte, text string) ([]byte, error) {
	name, when, _ := strings.Cut(text, "@")
	date, err := fat(when)
	if err != nil {
		return nil, err
	}
	b := []byte{class, 0, 0, 0, 0, 0}
	b = append(b, date...)
	b = append(b, 0x10, 0)
	b = append(append(b, narrow(name)...), 0)
	if len(b)%2 != 0 {
		b = append(b, 0)
	}
	first := len(b) + 2
	block := []byte{9, 0, 4, 0, 0xef, 0xbe}
	block = append(append(append(block, date...), date...), 0x2e, 0)
	block = append(block, make([]byte, 18+2+4+4)...)
	block = append(block, wide(name+"\x00")...)
	block = le.AppendUint16(block, uint16(first))
	return append(le.AppendUint16(b, uint16(len(block)+2)), block...), nil
}

func fat(when string) ([]byte, error) {
	if when == "" {
		return make([]byte, 4), nil
	}
	t, err := time.Parse(time.RFC3339, when)
	d := uint16(t.Year()-1980)<<9 | uint16(t.Month())<<5 | uint16(t.Day())
	return le.AppendUint16(le.AppendUint16(nil, d), uint16(t.Hour())<<11|uint16(t.Minute())<<5|uint16(t.Second()/2)), err
}

func wide(s string) (b []byte) {
	for _, c := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, c)
	}
	return b
}

// narrow keeps Latin-1, as code page 1252 mostly does, and gives "?" for what
// it has not.
func narrow(s string) (b []byte) {
	for _, r := range s {
		if r > 0xff {
			r = '?'
		}
		b = append(b, byte(r))
	}
	return b
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}

func guid(s string) []byte {
	b, err := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(s))
	if err != nil || len(b) != 16 {
		panic("guid " + s)
	}
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5], b[6], b[7] = b[5], b[4], b[7], b[6]
	return b
}

func ticks(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return filetime.From(t), err
}

// Reg resolves the data that only this package can build in text, which
// describes a hive for hivetest.
func Reg(text string) (string, error) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		for _, mark := range []string{"=idlist:", "=item:", "=mru:", "=recent:", "=exe:"} {
			name, arg, ok := strings.Cut(line, mark)
			if !ok || strings.Contains(name, "=") {
				continue
			}
			b, err := data(strings.Trim(mark, "=:"), strings.TrimSuffix(arg, "\r"))
			if err != nil {
				return "", fmt.Errorf("line %d: %w", i+1, err)
			}
			lines[i] = name + "=hex:" + hex.EncodeToString(b)
			break
		}
	}
	return strings.Join(lines, "\n"), nil
}

func data(kind, arg string) (b []byte, err error) {
	switch kind {
	case "mru":
		for n := range strings.SplitSeq(arg, ",") {
			if arg == "" {
				break
			}
			u, err := strconv.ParseUint(strings.TrimSpace(n), 0, 32)
			if err != nil {
				return nil, err
			}
			b = le.AppendUint32(b, uint32(u))
		}
		return le.AppendUint32(b, 0xffffffff), nil
	case "recent":
		list, err := List("file:" + strings.TrimSuffix(arg, ".lnk") + ".lnk")
		return append(wide(arg+"\x00"), list...), err
	case "exe":
		exe, items, _ := strings.Cut(arg, "|")
		list, err := List(items)
		return append(wide(exe+"\x00"), list...), err
	}
	return List(arg)
}
