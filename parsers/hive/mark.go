package hive

import (
	"cmp"
	"slices"
)

// A Where says what kind of space a deleted item was found in.
type Where string

// Places, from the most common down.
const (
	FreeCell   Where = "free-cell"   // a free cell, which may have swallowed several
	Unlinked   Where = "unlinked"    // an allocated cell that nothing leads to
	CellSlack  Where = "cell-slack"  // behind the content of a cell in use
	ListSlack  Where = "list-slack"  // behind the entries of a list in use
	BehindBins Where = "behind-bins" // in the file, but behind the hive bins
	BadBin     Where = "damaged-bin" // where no cell can be told from another
	InUse      Where = "in-use"      // in a live cell, to which only the list of a deleted key still leads
	OldLog     Where = "old-log"     // in a page of a log entry that is not applied
)

// A region is a run of bytes that no live content lies in.
type region struct {
	start, end int64
	where      Where
}

// A marker finds which cells the live tree uses, and what of them.
type marker struct {
	h      *Hive
	live   bitmap // cells in use, by reference
	slack  []region
	budget *budget
	bad    bool // a part of the tree could not be read: what it leads to is not marked
}

// minSlack is the size of the smallest record, a key value without its name.
const minSlack = vkSize

// mark follows everything that hangs on the root.
func (h *Hive) mark() *marker {
	m := &marker{h: h, live: make(bitmap, len(h.image)/(8*64)+1), budget: h.cells.budget()}
	type node struct {
		ref   uint32
		depth int
	}
	var refs []uint32
	stack := []node{{h.base.RootCell(), 1}}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		refs = m.key(n.ref, refs[:0])
		if n.depth == maxDepth && len(refs) > 0 {
			m.bad = true
			continue
		}
		for _, ref := range refs {
			stack = append(stack, node{ref, n.depth + 1})
		}
	}
	slices.SortFunc(m.slack, func(a, b region) int { return cmp.Compare(a.start, b.start) })
	return m
}

// use marks a cell of which the first n bytes have a meaning. It reports false
// if the cell was marked before.
func (m *marker) use(ref uint32, n int, c *cell, where Where) bool {
	if m.live.has(ref) {
		return false
	}
	m.live.add(ref)
	if len(c.data)-n >= minSlack {
		m.slack = append(m.slack, region{c.off + int64(n), c.off + int64(len(c.data)), where})
	}
	return true
}

// get is that of the hive. What the budget does not reach counts as unread.
func (m *marker) get(ref uint32) (cell, bool) {
	c, err := m.h.get(ref, "")
	if err != nil || m.budget.spend(0, 0, "") != nil {
		m.bad = true
		return cell{}, false
	}
	return c, true
}

// key marks a key and all of it but its subkeys, which it appends to refs.
func (m *marker) key(ref uint32, refs []uint32) []uint32 {
	c, ok := m.get(ref)
	if !ok || m.live.has(ref) {
		return refs
	}
	if !c.has("nk") || len(c.data) < nkSize {
		m.bad = true
		return refs
	}
	b := c.data
	m.use(ref, min(nkSize+int(le.Uint16(b[72:])), len(b)), &c, CellSlack)
	if n := int(le.Uint16(b[74:])); n > 0 {
		m.plain(le.Uint32(b[48:]), n)
	}
	if sk := le.Uint32(b[44:]); sk != noCell {
		if c, ok := m.get(sk); ok && c.has("sk") && len(c.data) >= 20 {
			m.use(sk, int(min(20+int64(le.Uint32(c.data[16:])), int64(len(c.data)))), &c, CellSlack)
		}
	}
	m.values(le.Uint32(b[40:]), le.Uint32(b[36:]))
	if le.Uint32(b[20:]) > 0 {
		return m.list(le.Uint32(b[28:]), true, refs)
	}
	if le.Uint32(b[28:]) != noCell && (&Key{h: m.h, subkeys: le.Uint32(b[28:]), Off: c.off}).hidden() != nil {
		m.bad = true
	}
	return refs
}

// list marks a subkey list and appends its keys to refs.
func (m *marker) list(ref uint32, top bool, refs []uint32) []uint32 {
	c, ok := m.get(ref)
	if !ok {
		return refs
	}
	step := 4
	switch {
	case c.has("lf") || c.has("lh"):
		step = 8
	case c.has("li") || top && c.has("ri"):
	default:
		m.bad = true
		return refs
	}
	n := int(le.Uint16(c.data[2:]))
	if fit := (len(c.data) - 4) / step; n > fit {
		m.bad = true
		n = fit
	}
	if !m.use(ref, 4+n*step, &c, ListSlack) {
		return refs
	}
	if m.budget.spend(8*n, 0, "") != nil {
		m.bad = true
		return refs
	}
	for i := range n {
		sub := le.Uint32(c.data[4+i*step:])
		if c.has("ri") {
			refs = m.list(sub, false, refs)
		} else {
			refs = append(refs, sub)
		}
	}
	return refs
}

func (m *marker) values(ref, count uint32) {
	if count == 0 {
		return
	}
	list, ok := m.get(ref)
	if !ok {
		return
	}
	n := int(min(int64(count), int64(len(list.data)/4)))
	if !m.use(ref, 4*n, &list, ListSlack) {
		return
	}
	if n < int(count) || m.budget.spend(8*n, 0, "") != nil {
		m.bad = true
	}
	for i := range n {
		ref := le.Uint32(list.data[4*i:])
		c, ok := m.get(ref)
		if !ok {
			continue
		}
		if !c.has("vk") || len(c.data) < vkSize {
			m.bad = true
			continue
		}
		if !m.use(ref, min(vkSize+int(le.Uint16(c.data[2:])), len(c.data)), &c, CellSlack) {
			continue
		}
		if size := le.Uint32(c.data[4:]); size > 0 && size&inlineData == 0 {
			m.data(le.Uint32(c.data[8:]), size)
		}
	}
}

func (m *marker) data(ref, size uint32) {
	c, ok := m.get(ref)
	if !ok {
		return
	}
	if size <= segmentSize || m.h.base.Minor() < 4 || !c.has("db") || len(c.data) >= int(size) || len(c.data) < 8 {
		m.use(ref, int(min(int64(size), int64(len(c.data)))), &c, CellSlack)
		return
	}
	m.use(ref, 8, &c, CellSlack)
	n := int(le.Uint16(c.data[2:]))
	ref = le.Uint32(c.data[4:])
	list, ok := m.get(ref)
	if !ok || !m.use(ref, min(4*n, len(list.data)), &list, ListSlack) {
		return
	}
	for i := range min(n, len(list.data)/4) {
		part := min(int(size), segmentSize)
		m.plain(le.Uint32(list.data[4*i:]), part)
		size -= uint32(part)
	}
}

// plain marks a cell of n bytes without a structure.
func (m *marker) plain(ref uint32, n int) {
	if c, ok := m.get(ref); ok {
		m.use(ref, min(n, len(c.data)), &c, CellSlack)
	}
}

// inside reports whether the tree leads into the middle of the cell at off.
func (m *marker) inside(off, n int64) bool {
	i, end := (off-blockSize)/8+1, (off-blockSize+n)/8
	for ; i < end && i%64 != 0; i++ {
		if m.live[i/64]>>(i%64)&1 != 0 {
			return true
		}
	}
	for ; i+64 <= end; i += 64 {
		if m.live[i/64] != 0 {
			return true
		}
	}
	for ; i < end; i++ {
		if m.live[i/64]>>(i%64)&1 != 0 {
			return true
		}
	}
	return false
}

// regions returns all bytes of the file behind the base block that no live
// content lies in, ascending.
func (m *marker) regions() []region {
	var list []region
	h, slack := m.h, m.slack
	add := func(r region) {
		if k := len(list) - 1; k >= 0 && list[k].end == r.start && list[k].where == r.where {
			list[k].end = r.end
			return
		}
		list = append(list, r)
	}
	for _, b := range h.bins {
		off := b.start
		if !b.damaged {
			off += binHeader
		}
		for !b.damaged && off < b.end {
			size := int64(int32(le.Uint32(h.image[off:])))
			n := max(size, -size)
			if n < 8 || n%8 != 0 || off+n > b.end {
				break
			}
			switch {
			case m.inside(off, n):
				add(region{off, off + n, BadBin})
			case size > 0:
				add(region{off, off + n, FreeCell})
			case !m.live.has(uint32(off - blockSize)):
				add(region{off, off + n, Unlinked})
			default:
				for len(slack) > 0 && slack[0].start < off {
					slack = slack[1:]
				}
				if len(slack) > 0 && slack[0].end <= off+n {
					add(slack[0])
				}
			}
			off += n
		}
		if off < b.end {
			add(region{off, b.end, BadBin})
		}
	}
	if end := int64(len(h.image)); h.limit < end {
		add(region{h.limit, end, BehindBins})
	}
	return list
}
