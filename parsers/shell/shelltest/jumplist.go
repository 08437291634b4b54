package shelltest

import (
	"fmt"
	"strconv"
	"strings"
)

// An entry of a jump list, before it is written.
type entry struct {
	number           uint64
	accessed         uint64
	host, path       string
	count            uint32
	pinned           bool
	unlisted, noLink bool
	link             strings.Builder
}

func entries(text string) (list []*entry, err error) {
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if rest, ok := strings.CutPrefix(line, "["); ok {
			e, err := parseEntry(rest)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			list = append(list, e)
		} else if len(list) > 0 {
			list[len(list)-1].link.WriteString(line + "\n")
		} else if strings.TrimSpace(line) != "" && line[0] != '#' {
			return nil, fmt.Errorf("%q: before the first entry", line)
		}
	}
	return list, nil
}

func parseEntry(rest string) (*entry, error) {
	e := &entry{}
	id, rest, ok := strings.Cut(rest, "]")
	if !ok {
		return nil, fmt.Errorf("no ]")
	}
	var err error
	if id != "" {
		if e.number, err = strconv.ParseUint(id, 0, 32); err != nil {
			return nil, err
		}
	}
	rest, e.path, _ = strings.Cut(rest, " path=")
	for word := range strings.FieldsSeq(rest) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "host":
			e.host = value
		case "count":
			e.count, err = number(value)
		case "pinned":
			e.pinned = true
		case "unlisted":
			e.unlisted = true
		case "nolink":
			e.noLink = true
		default:
			e.accessed, err = ticks(word)
		}
		if err != nil {
			return nil, err
		}
	}
	return e, nil
}

// JumpList returns the automatic jump list that text describes, with a
// DestList of version 4.
func JumpList(text string) ([]byte, error) {
	list, err := entries(text)
	if err != nil {
		return nil, err
	}
	var dest []byte
	var streams []member
	n := uint32(0)
	for _, e := range list {
		if !e.noLink {
			b, err := Link(e.link.String())
			if err != nil {
				return nil, err
			}
			streams = append(streams, member{fmt.Sprintf("%x", e.number), b})
		}
		if !e.unlisted {
			dest = append(dest, e.dest()...)
			n++
		}
	}
	head := le.AppendUint32(le.AppendUint32(nil, 4), n)
	head = append(head, make([]byte, 24)...)
	return compound(append([]member{{"DestList", append(head, dest...)}}, streams...)), nil
}

// dest returns the DestList entry of e.
func (e *entry) dest() []byte {
	b := make([]byte, 72)
	b = append(append(b, e.host...), make([]byte, 16-len(e.host))...)
	b = le.AppendUint32(le.AppendUint32(b, uint32(e.number)), 0)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, e.accessed)
	pin := uint32(0xffffffff)
	if e.pinned {
		pin = 0
	}
	b = le.AppendUint32(le.AppendUint32(b, pin), 0xffffffff)
	b = le.AppendUint64(le.AppendUint32(b, e.count), 0)
	path := wide(e.path)
	b = append(le.AppendUint16(b, uint16(len(path)/2)), path...)
	return append(b, 0, 0, 0, 0)
}

// Custom returns the custom jump list that text describes: one category.
func Custom(text string) ([]byte, error) {
	list, err := entries(text)
	if err != nil {
		return nil, err
	}
	name := wide("Places")
	b := []byte{2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	b = append(le.AppendUint16(b, uint16(len(name)/2)), name...)
	b = le.AppendUint32(b, uint32(len(list)))
	for _, e := range list {
		l, err := Link(e.link.String())
		if err != nil {
			return nil, err
		}
		b = append(append(b, guid("{00021401-0000-0000-C000-000000000046}")...), l...)
	}
	return le.AppendUint32(b, 0xbabffbab), nil
}

type member struct {
	name string
	data []byte
}

const sector, mini = 512, 64

// Special values in the FAT.
const end, free, isFAT = 0xfffffffe, 0xffffffff, 0xfffffffd

// compound returns a compound file ([MS-CFB], version 3) of streams below the
// cutoff of 4096 bytes; larger ones get sectors of their own.
func compound(files []member) []byte {
	var fat, miniFAT []uint32
	var body, small []byte
	store := func(b []byte) uint32 { // in a chain of sectors of its own
		if len(b) == 0 {
			return end
		}
		first := len(fat)
		for at := 0; at < len(b); at += sector {
			fat = append(fat, uint32(len(fat)+1))
			body = append(body, b[at:min(at+sector, len(b))]...)
		}
		fat[len(fat)-1] = end
		body = append(body, make([]byte, (sector-len(body)%sector)%sector)...)
		return uint32(first)
	}
	dir := [][]byte{nil}
	for _, f := range files {
		first := uint32(end)
		if len(f.data) >= 4096 {
			first = store(f.data)
		} else if len(f.data) > 0 {
			first = uint32(len(small) / mini)
			for at := 0; at < len(f.data); at += mini {
				miniFAT = append(miniFAT, uint32(len(miniFAT)+1))
			}
			miniFAT[len(miniFAT)-1] = end
			small = append(small, f.data...)
			small = append(small, make([]byte, (mini-len(small)%mini)%mini)...)
		}
		dir = append(dir, dirEntry(f.name, 2, first, uint32(len(f.data))))
	}
	dir[0] = dirEntry("Root Entry", 5, store(small), uint32(len(small)))
	var table []byte
	for _, n := range miniFAT {
		table = le.AppendUint32(table, n)
	}
	for len(table)%sector != 0 {
		table = le.AppendUint32(table, free)
	}
	miniAt := store(table)
	var d []byte
	for _, e := range dir {
		d = append(d, e...)
	}
	dirAt := store(d)
	fats := 1
	for fats*sector/4 < len(fat)+fats {
		fats++
	}
	firstFAT := len(fat)
	for range fats {
		fat = append(fat, isFAT)
	}
	for len(fat)%(sector/4) != 0 {
		fat = append(fat, free)
	}
	for _, n := range fat {
		body = le.AppendUint32(body, n)
	}
	return append(header(firstFAT, fats, dirAt, miniAt, uint32(len(table)/sector)), body...)
}

// header returns the header, which holds the list of up to 109 sectors of the FAT.
func header(firstFAT, fats int, dirAt, miniAt, miniFATs uint32) []byte {
	h := append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 16)...)
	for _, v := range []uint16{0x3e, 3, 0xfffe, 9, 6, 0, 0, 0} {
		h = le.AppendUint16(h, v)
	}
	for _, v := range []uint32{0, uint32(fats), dirAt, 0, 4096, miniAt, miniFATs, end, 0} {
		h = le.AppendUint32(h, v)
	}
	for i := range 109 {
		n := uint32(free)
		if i < fats {
			n = uint32(firstFAT + i)
		}
		h = le.AppendUint32(h, n)
	}
	return h
}

func dirEntry(name string, kind byte, first, size uint32) []byte {
	b := make([]byte, 128)
	w := wide(name + "\x00")
	copy(b, w)
	le.PutUint16(b[64:], uint16(len(w)))
	b[66], b[67] = kind, 1
	for i := range 3 {
		le.PutUint32(b[68+4*i:], 0xffffffff)
	}
	le.PutUint32(b[116:], first)
	le.PutUint32(b[120:], size)
	return b
}
