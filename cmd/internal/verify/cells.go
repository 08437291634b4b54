package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// A cells is a registry hive as its bytes state it ("Windows registry file
// format specification" by M. Suhanov, called REGF below).
type cells struct {
	b        []byte
	children map[int64][]child // of the key node at an offset
}

// A child is a subkey.
type child struct {
	name string
	off  int64
}

const baseBlock = 4096 // bytes in front of the cells

// cell returns what the cell at ref, counted from behind the base block,
// holds, in use or not.
func (h *cells) cell(ref uint32) ([]byte, error) {
	off := int64(baseBlock) + int64(ref)
	if off+4 > int64(len(h.b)) {
		return nil, fmt.Errorf("a cell at %#x lies behind the end of the hive", off)
	}
	n := int64(int32(le.Uint32(h.b[off:])))
	if n < 0 {
		n = -n
	}
	if n < 8 || off+n > int64(len(h.b)) {
		return nil, fmt.Errorf("the cell at %#x has a size of %d bytes", off, n)
	}
	return h.b[off+4 : off+n], nil
}

// at returns what lies at the offset of a row and has the signature, and need
// more bytes.
func (h *cells) at(off int64, signature string, need int) ([]byte, error) {
	if off < baseBlock || off+int64(need) > int64(len(h.b)) {
		return nil, errors.New("there is no room for a cell at this offset")
	}
	if got := string(h.b[off : off+2]); got != signature {
		return nil, fmt.Errorf("the cell does not begin with %q but with %q", signature, got)
	}
	return h.b[off:], nil
}

// A node is a key node (REGF, "Key node").
type node struct {
	name      string
	last      time.Time // written
	subkeys   int
	list      uint32 // of subkeys
	values    int
	valueList uint32
}

func (h *cells) node(off int64) (*node, error) {
	b, err := h.at(off, "nk", 76)
	if err != nil {
		return nil, err
	}
	n := &node{last: fileTime(le.Uint64(b[4:])), subkeys: int(le.Uint32(b[20:])), list: le.Uint32(b[28:]), values: int(le.Uint32(b[36:])), valueList: le.Uint32(b[40:])}
	size := int(le.Uint16(b[72:]))
	if size > len(b)-76 {
		return nil, errTruncated
	}
	n.name = nameText(b[76:76+size], le.Uint16(b[2:])&0x20 != 0)
	return n, nil
}

func nameText(b []byte, compressed bool) string {
	if compressed {
		return latin1(b)
	}
	return utf16LE(b)
}

// below returns the subkeys of the key node at off, as far as they can be read.
func (h *cells) below(off int64) []child {
	if list, ok := h.children[off]; ok {
		return list
	}
	if h.children == nil {
		h.children = map[int64][]child{}
	}
	var out []child
	if n, err := h.node(off); err == nil && n.subkeys > 0 {
		for _, at := range h.list(n.list, n.subkeys, true, nil) {
			if sub, err := h.node(at); err == nil && sub.name != "" {
				out = append(out, child{sub.name, at})
			}
		}
	}
	h.children[off] = out
	return out
}

// list reads a list of subkeys (REGF, "Subkeys list"), which may be one of lists.
func (h *cells) list(ref uint32, most int, top bool, out []int64) []int64 {
	b, err := h.cell(ref)
	if err != nil || len(b) < 4 {
		return out
	}
	step := map[string]int{"lf": 8, "lh": 8, "li": 4, "ri": 4}[string(b[:2])]
	for i := 0; step > 0 && i < int(le.Uint16(b[2:])) && 4+(i+1)*step <= len(b) && len(out) < most; i++ {
		at := le.Uint32(b[4+i*step:])
		if b[0] == 'r' {
			if top {
				out = h.list(at, most, false, out)
			}
			continue
		}
		out = append(out, baseBlock+4+int64(at))
	}
	return out
}

// Bounds of a search, in keys.
const (
	maxDepth = 512 // as in Windows
	maxSteps = 1 << 24
)

// find returns the offsets of the keys that path leads to from the root. Names
// may hold backslashes, and a damaged hive may have two of one name.
func (h *cells) find(path string) (out []int64) {
	if len(h.b) < baseBlock {
		return nil
	}
	steps := 0
	var walk func(off int64, rest string, depth int)
	walk = func(off int64, rest string, depth int) {
		if rest == "" {
			out = append(out, off)
			return
		}
		if depth > maxDepth {
			return
		}
		for _, sub := range h.below(off) {
			if steps++; steps > maxSteps {
				return
			}
			if after, ok := strings.CutPrefix(rest, sub.name); ok && (after == "" || after[0] == '\\') {
				walk(sub.off, strings.TrimPrefix(after, `\`), depth+1)
			}
		}
	}
	walk(baseBlock+4+int64(le.Uint32(h.b[36:])), path, 0)
	return out
}

// A keyValue is a key value (REGF, "Key value").
type keyValue struct {
	name string
	kind uint32
	size uint32
	data uint32 // where it lies, or itself
}

const (
	inline  = 1 << 31  // of the size: the data is in the key value
	maxData = 64 << 20 // bytes of one value
)

func (h *cells) value(off int64) (*keyValue, error) {
	b, err := h.at(off, "vk", 20)
	if err != nil {
		return nil, err
	}
	v := &keyValue{size: le.Uint32(b[4:]), data: le.Uint32(b[8:]), kind: le.Uint32(b[12:])}
	n := int(le.Uint16(b[2:]))
	if n > len(b)-20 {
		return nil, errTruncated
	}
	v.name = nameText(b[20:20+n], le.Uint16(b[16:])&1 != 0)
	return v, nil
}

// values returns the offsets of the values of a key.
func (h *cells) values(n *node) (out []int64) {
	if n.values == 0 {
		return nil
	}
	b, err := h.cell(n.valueList)
	if err != nil {
		return nil
	}
	for i := 0; i < n.values && 4*i+4 <= len(b); i++ {
		out = append(out, baseBlock+4+int64(le.Uint32(b[4*i:])))
	}
	return out
}

// bytes returns the data of a value, as much of it as there is.
func (h *cells) bytes(v *keyValue) ([]byte, error) {
	if v.size&inline != 0 {
		return le.AppendUint32(nil, v.data)[:min(v.size&^inline, 4)], nil
	}
	if v.size == 0 {
		return nil, nil
	}
	if v.size > maxData {
		return nil, fmt.Errorf("%d bytes are too many to compare", v.size)
	}
	b, err := h.cell(v.data)
	if err != nil {
		return nil, err
	}
	const segment = 16344 // bytes, of REGF "Big data"
	if v.size <= segment || len(b) >= int(v.size) || len(b) < 8 || string(b[:2]) != "db" {
		return b[:min(len(b), int(v.size))], nil
	}
	list, err := h.cell(le.Uint32(b[4:]))
	var out []byte
	for i := 0; err == nil && i < int(le.Uint16(b[2:])) && 4*i+4 <= len(list) && len(out) < int(v.size); i++ {
		b, err = h.cell(le.Uint32(list[4*i:]))
		out = append(out, b[:min(len(b), segment, int(v.size)-len(out))]...)
	}
	return out, err
}

// render returns the data as rows show it: text to its first NUL, the list of
// texts, the number, and else hexadecimal digits.
func render(kind uint32, b []byte) []string {
	switch {
	case kind == 1 || kind == 2 || kind == 6:
		s, _, _ := strings.Cut(utf16LE(b), "\x00")
		return []string{s}
	case kind == 7:
		return strings.FieldsFunc(utf16LE(b), func(r rune) bool { return r == 0 })
	case kind == 4 && len(b) == 4:
		return []string{strconv.FormatUint(uint64(le.Uint32(b)), 10)}
	case kind == 5 && len(b) == 4:
		return []string{strconv.FormatUint(uint64(b[0])<<24|uint64(b[1])<<16|uint64(b[2])<<8|uint64(b[3]), 10)}
	case kind == 11 && len(b) == 8:
		return []string{strconv.FormatUint(le.Uint64(b), 10)}
	}
	return []string{hex.EncodeToString(b)}
}

// forms returns all that a row may show the data as: as render does; in
// hexadecimal digits, where it does not fit its type; numbers with a sign, or
// as the time that they count.
func forms(kind uint32, b []byte) [][]string {
	out := [][]string{render(kind, b), {hex.EncodeToString(b)}}
	if len(b) == 4 {
		n := le.Uint32(b)
		out = append(out, []string{strconv.FormatInt(int64(int32(n)), 10)}, []string{evidence.FormatTime(time.Unix(int64(n), 0))})
	}
	if len(b) >= 8 {
		out = append(out, []string{evidence.FormatTime(fileTime(le.Uint64(b)))})
	}
	return out
}
