package ntfstest

import (
	"cmp"
	"slices"
)

// An item is an entry of a directory, above the leaves with the block below it.
type item struct {
	ref   uint64
	key   []byte
	child int // -1 in leaves
}

func (i item) size() int {
	n := (16 + len(i.key) + 7) &^ 7
	if i.child >= 0 {
		n += 8
	}
	return n
}

// index adds the directory of n: in the record, or as a tree of blocks.
func (w *writer) index(n *node) {
	var items []item
	add := func(c *node) {
		ref := c.ref(c.seq)
		if c.f.Short == "" {
			items = append(items, item{ref, w.fileName(c, c.f.Path, 0), -1})
		} else {
			items = append(items, item{ref, w.fileName(c, c.f.Path, 1), -1}, item{ref, w.fileName(c, c.f.Short, 2), -1})
		}
	}
	if n == w.root {
		add(n)
	}
	for _, c := range n.children {
		if !c.f.Deleted {
			add(c)
		}
	}
	slices.SortStableFunc(items, func(a, b item) int { return collate(a.key, b.key) })
	t := &tree{size: blockSize, unit: w.Cluster}
	last := -1
	for limit := w.Record * 3 / 8; total(items) > limit; {
		items, last = t.level(items, last)
	}
	root := make([]byte, 16)
	le.PutUint32(root, 0x30)
	le.PutUint32(root[4:], 1)
	le.PutUint32(root[8:], uint32(t.size))
	if root[12] = byte(t.size / w.Cluster); root[12] == 0 {
		root[12] = blockSize / 512
	}
	body := t.node(items, last, 16)
	root = append(root, body...)
	n.attrs = append(n.attrs, &attr{typ: 0x90, name: "$I30", value: root})
	if len(t.blocks) == 0 {
		return
	}
	var all []byte
	for _, b := range t.blocks {
		all = append(all, b...)
	}
	bitmap := make([]byte, (len(t.blocks)+63)/64*8)
	for i := range t.blocks {
		bitmap[i/8] |= 1 << (i % 8)
	}
	n.attrs = append(n.attrs,
		&attr{typ: 0xa0, name: "$I30", runs: w.store(all, n.f.Fragments), size: len(all), valid: len(all), long: true},
		w.value(0xb0, "$I30", bitmap, 64))
}

func total(items []item) (n int) {
	for _, i := range items {
		n += i.size()
	}
	return n
}

// collate orders keys by their names in upper case.
func collate(a, b []byte) int {
	x, y := a[66:], b[66:]
	for i := 0; i+1 < len(x) && i+1 < len(y); i += 2 {
		if c := cmp.Compare(upcase(le.Uint16(x[i:])), upcase(le.Uint16(y[i:]))); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(x), len(y)); c != 0 {
		return c
	}
	return slices.Compare(x, y)
}

// blockSize is that of index blocks, whatever the size of clusters.
const blockSize = 4096

// A tree collects the blocks of a directory.
type tree struct {
	size, unit int // of a block, of a cluster
	blocks     [][]byte
}

func (t *tree) vcn(i int) int {
	if t.unit > t.size {
		return i * t.size / 512
	}
	return i * t.size / t.unit
}

// level puts items into blocks and returns the items between the blocks, for
// the level above, and the last block. last is the block below the end.
func (t *tree) level(items []item, last int) (up []item, end int) {
	room := t.size - t.head() - 24
	for {
		n, k := 0, 0
		for k < len(items) && n+items[k].size() <= room {
			n += items[k].size()
			k++
		}
		if k == len(items) {
			return up, t.block(items, last)
		}
		if k == len(items)-1 {
			k-- // leave one for the last block
		}
		sep := items[k]
		sep.child = t.block(items[:k], sep.child)
		up = append(up, sep)
		items = items[k+1:]
	}
}

func (t *tree) head() int { return (40 + 2*(t.size/512+1) + 7) &^ 7 }

func (t *tree) block(items []item, last int) int {
	b := make([]byte, t.size)
	copy(b, "INDX")
	le.PutUint16(b[4:], 40)
	le.PutUint16(b[6:], uint16(t.size/512+1))
	le.PutUint64(b[16:], uint64(t.vcn(len(t.blocks))))
	copy(b[24:], t.node(items, last, t.head()-24))
	le.PutUint32(b[32:], uint32(t.size-24))
	protect(b, 40)
	t.blocks = append(t.blocks, b)
	return len(t.blocks) - 1
}

// node encodes the header and the entries of an index node.
func (t *tree) node(items []item, last, first int) []byte {
	b := make([]byte, first)
	for _, i := range append(slices.Clone(items), item{child: last}) {
		e := make([]byte, 16, i.size())
		le.PutUint64(e, i.ref)
		le.PutUint16(e[10:], uint16(len(i.key)))
		e = pad8(append(e, i.key...))
		if i.key == nil {
			e[12] = 2
		}
		if i.child >= 0 {
			e[12] |= 1
			e = le.AppendUint64(e, uint64(t.vcn(i.child)))
		}
		le.PutUint16(e[8:], uint16(len(e)))
		b = append(b, e...)
	}
	le.PutUint32(b, uint32(first))
	le.PutUint32(b[4:], uint32(len(b)))
	le.PutUint32(b[8:], uint32(len(b)))
	if last >= 0 {
		b[12] = 1
	}
	return b
}
