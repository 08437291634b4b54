package hivetest

import (
	"fmt"
	"slices"
)

const (
	block       = 4096
	noCell      = 0xffffffff
	segmentSize = 16344 // of big data, bytes
	maxBins     = 1 << 30
)

// descriptor is a self-relative security descriptor: owner Administrators,
// group SYSTEM, full access for both.
const descriptor = "\x01\x00\x04\x80\x48\x00\x00\x00\x58\x00\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00" +
	"\x02\x00\x34\x00\x02\x00\x00\x00" +
	"\x00\x02\x14\x00\x3f\x00\x0f\x00\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00" +
	"\x00\x02\x18\x00\x3f\x00\x0f\x00\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" +
	"\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" +
	"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00"

// A writer lays out cells in bins. References count from the first bin.
type writer struct {
	BuildOptions
	minor    uint32
	b        []byte // the bins
	free     int    // start of the free rest of the last bin
	security uint32
	keys     uint32
	fate     fate // of what is being written
	dead     []deadCell
	spoiled  []int       // cells of data to overwrite in part
	size     map[int]int // of that data, bytes
}

func (o BuildOptions) write(s *spec) ([]byte, error) {
	if o.List == "" {
		o.List = "lh"
	}
	if o.Leaf == 0 {
		o.Leaf = 500
	}
	if !slices.Contains([]string{"lh", "lf", "li"}, o.List) || o.Leaf < 1 || o.Leaf > 0xffff {
		return nil, fmt.Errorf("list %q of %d entries", o.List, o.Leaf)
	}
	w := &writer{BuildOptions: o, minor: s.minor, size: make(map[int]int)}
	_, ref := w.cell(20 + len(descriptor))
	w.security = ref
	root, err := w.key(s.root, noCell)
	if err != nil {
		return nil, err
	}
	sk := w.b[ref+4:] // now that the bins do not move any more
	copy(sk, "sk")
	le.PutUint32(sk[4:], ref) // the list of descriptors is a ring of one
	le.PutUint32(sk[8:], ref)
	le.PutUint32(sk[12:], w.keys)
	le.PutUint32(sk[16:], uint32(len(descriptor)))
	copy(sk[20:], descriptor)
	w.closeBin()
	w.bury()
	return append(s.base(root, uint32(len(w.b))), w.b...), nil
}

// base returns the base block.
func (s *spec) base(root, size uint32) []byte {
	b := make([]byte, block)
	copy(b, "regf")
	le.PutUint32(b[4:], s.seq[0])
	le.PutUint32(b[8:], s.seq[1])
	le.PutUint32(b[20:], 1)
	le.PutUint32(b[24:], s.minor)
	le.PutUint32(b[32:], 1) // direct memory load
	le.PutUint32(b[36:], root)
	le.PutUint32(b[40:], size)
	le.PutUint32(b[44:], 1)
	copy(b[48:110], bytesOf(s.name[max(0, len(s.name)-31):])) // Windows keeps room for a NUL
	le.PutUint64(b[168:], s.reorganized)
	sign(b)
	if s.badChecksum {
		le.PutUint32(b[508:], le.Uint32(b[508:])^0x5a5a5a5a)
	}
	return b
}

// cell returns the payload of a new allocated cell of at least n bytes, valid
// until the next cell, and its reference. A cell never crosses a bin.
func (w *writer) cell(n int) ([]byte, uint32) {
	size := (n + 4 + 7) &^ 7
	if len(w.b)-w.free < size {
		w.closeBin()
		start := len(w.b)
		w.b = append(w.b, make([]byte, (size+32+block-1)/block*block)...)
		copy(w.b[start:], "hbin")
		le.PutUint32(w.b[start+4:], uint32(start))
		le.PutUint32(w.b[start+8:], uint32(len(w.b)-start))
		w.free = start + 32
	}
	ref := w.free
	w.free += size
	le.PutUint32(w.b[ref:], uint32(-size))
	if w.fate.deleted {
		w.dead = append(w.dead, deadCell{ref, w.fate})
	}
	return w.b[ref+4 : w.free], uint32(ref)
}

// closeBin makes a free cell of the rest of the last bin.
func (w *writer) closeBin() {
	if rest := len(w.b) - w.free; rest > 0 {
		le.PutUint32(w.b[w.free:], uint32(rest))
	}
}

// key writes a key, its values and all below it.
func (w *writer) key(k *node, parent uint32) (uint32, error) {
	if len(w.b) > maxBins {
		return 0, fmt.Errorf("hive above %d bytes", maxBins)
	}
	above := w.fate
	defer func() { w.fate = above }()
	w.fate = k.fate
	name, latin1 := stored(k.name, k.utf16)
	nk, ref := w.cell(76 + len(name))
	if !k.fate.deleted {
		w.keys++
	}
	copy(nk, "nk")
	flags := uint16(0)
	if latin1 {
		flags |= 0x20
	}
	if parent == noCell {
		flags |= 0x0c // root of a hive, not to be deleted
	}
	le.PutUint16(nk[2:], flags)
	le.PutUint64(nk[4:], k.time)
	le.PutUint32(nk[16:], parent)
	le.PutUint32(nk[20:], uint32(len(k.subkeys)))
	le.PutUint32(nk[24:], k.volatile)
	le.PutUint32(nk[28:], noCell)
	le.PutUint32(nk[32:], noCell)
	le.PutUint32(nk[36:], uint32(len(k.values)))
	le.PutUint32(nk[40:], noCell)
	le.PutUint32(nk[44:], w.security)
	le.PutUint32(nk[48:], noCell)
	for _, s := range k.subkeys {
		le.PutUint32(nk[52:], max(le.Uint32(nk[52:]), uint32(2*len(s.name))))
	}
	for _, v := range k.values {
		le.PutUint32(nk[60:], max(le.Uint32(nk[60:]), uint32(2*len(v.name))))
		le.PutUint32(nk[64:], max(le.Uint32(nk[64:]), uint32(len(v.data))))
	}
	le.PutUint16(nk[72:], uint16(len(name)))
	copy(nk[76:], name)

	if len(k.values) > 0 {
		list := w.values(k.values)
		le.PutUint32(w.b[ref+4+40:], list)
	}
	if len(k.subkeys) > 0 {
		list, err := w.subkeys(k.subkeys, ref)
		if err != nil {
			return 0, err
		}
		le.PutUint32(w.b[ref+4+28:], list)
	}
	return ref, w.deleted(k, ref)
}

// subkeys writes keys in the order of Windows, and their list.
func (w *writer) subkeys(keys []*node, parent uint32) (uint32, error) {
	keys = slices.SortedFunc(slices.Values(keys), func(a, b *node) int {
		return slices.Compare(upper(a.name), upper(b.name))
	})
	var leaves []uint32
	for leaf := range slices.Chunk(keys, w.Leaf) {
		refs := make([]uint32, len(leaf))
		for i, k := range leaf {
			ref, err := w.key(k, parent)
			if err != nil {
				return 0, err
			}
			refs[i] = ref
		}
		leaves = append(leaves, w.leaf(leaf, refs))
	}
	if len(leaves) == 1 {
		return leaves[0], nil
	}
	if len(leaves) > 0xffff {
		return 0, fmt.Errorf("%d subkeys in lists of %d", len(keys), w.Leaf)
	}
	return w.list("ri", leaves, nil), nil
}

func (w *writer) leaf(keys []*node, refs []uint32) uint32 {
	if w.List == "li" {
		return w.list("li", refs, nil)
	}
	hints := make([]uint32, len(keys))
	for i, k := range keys {
		if w.List == "lf" {
			hints[i] = firstFour(k.name)
		} else {
			hints[i] = hash(k.name)
		}
	}
	return w.list(w.List, refs, hints)
}

func (w *writer) list(sig string, refs, hints []uint32) uint32 {
	b := []byte(sig)
	b = le.AppendUint16(b, uint16(len(refs)))
	for i, ref := range refs {
		b = le.AppendUint32(b, ref)
		if hints != nil {
			b = le.AppendUint32(b, hints[i])
		}
	}
	return w.put(b)
}

// put writes b into a cell of its own.
func (w *writer) put(b []byte) uint32 {
	c, ref := w.cell(len(b))
	copy(c, b)
	return ref
}

// hash is that of a hash leaf (lh).
func hash(name []uint16) (h uint32) {
	for _, c := range upper(name) {
		h = h*37 + uint32(c)
	}
	return h
}

// firstFour is the hint of a fast leaf (lf): it has none for names beyond Latin-1.
func firstFour(name []uint16) uint32 {
	var b [4]byte
	for i := range min(4, len(name)) {
		if name[i] > 0xff {
			return 0
		}
		b[i] = byte(name[i])
	}
	return le.Uint32(b[:])
}

func (w *writer) values(values []*value) uint32 {
	var refs []byte
	for _, v := range values {
		refs = le.AppendUint32(refs, w.value(v))
	}
	return w.put(refs)
}

func (w *writer) value(v *value) uint32 {
	name, latin1 := stored(v.name, false)
	vk := make([]byte, 20, 20+len(name))
	copy(vk, "vk")
	le.PutUint16(vk[2:], uint16(len(name)))
	le.PutUint32(vk[4:], uint32(len(v.data)))
	if len(v.data) <= 4 {
		vk[7] |= 0x80
		copy(vk[8:12], v.data)
	} else {
		ref := w.data(v.data)
		le.PutUint32(vk[8:], ref)
		if w.fate.overwritten && len(v.data) <= segmentSize {
			w.spoiled = append(w.spoiled, int(ref))
			w.size[int(ref)] = len(v.data)
		}
	}
	le.PutUint32(vk[12:], v.typ)
	if latin1 && len(name) > 0 {
		vk[16] = 1
	}
	return w.put(append(vk, name...))
}

func (w *writer) data(b []byte) uint32 {
	if len(b) <= segmentSize || w.minor < 4 || w.Plain {
		return w.put(b)
	}
	var refs []byte
	for seg := range slices.Chunk(b, segmentSize) {
		// A segment has 4 bytes behind its data.
		refs = le.AppendUint32(refs, w.put(append(seg[:len(seg):len(seg)], 0, 0, 0, 0)))
	}
	db := []byte("db")
	db = le.AppendUint16(db, uint16(len(refs)/4))
	db = le.AppendUint32(db, w.put(refs))
	return w.put(db)
}
