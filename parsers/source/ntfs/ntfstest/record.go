package ntfstest

import (
	"cmp"
	"slices"
	"unicode/utf16"
)

// An attr is an attribute, or one extent of it once it is split.
type attr struct {
	typ   uint32
	name  string
	value []byte // if not long
	long  bool   // not resident
	runs  []run
	size  int
	valid int
	flags uint16
	unit  byte
	start int // first cluster of the extent
	whole int // clusters of the attribute, in the first extent
	id    uint16
	rec   uint64 // reference of the record it is in
}

// clusters returns how many clusters a has, holes included.
func (a *attr) clusters() (n int) {
	for _, r := range a.runs {
		n += r.n
	}
	return n
}

func pad8(b []byte) []byte {
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

func utf16le(s string) (b []byte) {
	for _, c := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, c)
	}
	return b
}

// encode returns the attribute as it stands in a record.
func (a *attr) encode(cluster int) []byte {
	name := utf16le(a.name)
	b := make([]byte, 24)
	if a.long {
		b = make([]byte, 64)
		if a.flags != 0 {
			b = make([]byte, 72)
		}
	}
	le.PutUint32(b, a.typ)
	b[9] = byte(len(name) / 2)
	le.PutUint16(b[10:], uint16(len(b)))
	le.PutUint16(b[12:], a.flags)
	le.PutUint16(b[14:], a.id)
	head := len(b)
	b = pad8(append(b, name...))
	if !a.long {
		le.PutUint32(b[16:], uint32(len(a.value)))
		le.PutUint16(b[20:], uint16(len(b)))
		if a.typ == 0x30 {
			b[22] = 1 // indexed
		}
		b = pad8(append(b, a.value...))
	} else {
		b[8] = 1
		n := a.clusters()
		le.PutUint64(b[16:], uint64(a.start))
		le.PutUint64(b[24:], uint64(int64(a.start+n-1)))
		le.PutUint16(b[32:], uint16(len(b)))
		b[34] = a.unit
		if a.start == 0 {
			le.PutUint64(b[40:], uint64(max(a.whole, n)*cluster))
			le.PutUint64(b[48:], uint64(a.size))
			le.PutUint64(b[56:], uint64(a.valid))
			if head == 72 {
				for _, r := range a.runs {
					if r.lcn < 0 {
						n -= r.n
					}
				}
				le.PutUint64(b[64:], uint64(n*cluster))
			}
		}
		b = pad8(append(b, pairs(a.runs)...))
	}
	le.PutUint32(b[4:], uint32(len(b)))
	return b
}

// pairs encodes runs, neighbours of the same kind joined.
func pairs(runs []run) (b []byte) {
	var joined []run
	for _, r := range runs {
		if k := len(joined) - 1; k >= 0 && (r.lcn < 0 && joined[k].lcn < 0 || r.lcn >= 0 && joined[k].lcn >= 0 && joined[k].lcn+joined[k].n == r.lcn) {
			joined[k].n += r.n
		} else {
			joined = append(joined, r)
		}
	}
	lcn := 0
	for _, r := range joined {
		n := number(r.n)
		var d []byte
		if r.lcn >= 0 {
			d = number(r.lcn - lcn)
			lcn = r.lcn
		}
		b = append(append(append(b, byte(len(n)|len(d)<<4)), n...), d...)
	}
	return append(b, 0)
}

// number encodes n in as few bytes as keep its sign.
func number(n int) (b []byte) {
	for {
		b = append(b, byte(n))
		if n >= -128 && n < 128 {
			return b
		}
		n >>= 8
	}
}

// split cuts an attribute into extents whose records hold them.
func (a *attr) split(most int) (out []*attr) {
	if !a.long {
		return []*attr{a}
	}
	rest, start := a.runs, 0
	for {
		k := len(rest)
		for k > 1 && len(pairs(rest[:k])) > most {
			k -= (k + 3) / 4
		}
		x := *a
		x.runs, x.start, x.whole = rest[:k], start, a.clusters()
		start += x.clusters()
		out = append(out, &x)
		if rest = rest[k:]; len(rest) == 0 {
			return out
		}
	}
}

// write puts the attributes of n into its record, and what does not fit into
// others, with a list of all.
func (w *writer) write(n *node) {
	slices.SortStableFunc(n.attrs, func(a, b *attr) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), cmp.Compare(a.name, b.name), cmp.Compare(a.start, b.start))
	})
	var all []*attr
	for _, a := range n.attrs {
		most := w.Record / 2
		if n.num == 0 {
			most = w.Record / 4 // the first extent stays in the base record
		}
		all = append(all, a.split(most)...)
	}
	seq := n.seq
	if n.f.Deleted {
		seq++
	}
	for i, a := range all {
		a.id, a.rec = uint16(i), n.ref(n.seq)
	}
	if w.fits(all) {
		w.put(n, n.num, seq, 0, all)
		return
	}
	base := all[:1:1]
	lists := &attr{typ: 0x20, id: uint16(len(all))}
	base = append(base, lists)
	for _, a := range all[1:] {
		name := a.typ == 0x30 && len(base) < 3
		if (name || n.num == 0 && a.typ == 0x80 && a.start == 0) && w.fits(append(base, a)) {
			base = append(base, a)
			continue
		}
		x := w.spare
		if n.num != 0 {
			x = w.number()
		} else if w.spare++; x >= firstUser { // must lie in the first run
			w.fail("%d runs of the MFT are too many", w.MFTRuns)
			return
		}
		a.rec = uint64(x) | 1<<48
		xs := uint16(1)
		if n.f.Deleted {
			xs++
		}
		w.put(n, x, xs, n.ref(n.seq), []*attr{a})
	}
	list := listOf(all)
	*lists = *w.value(0x20, "", list, w.Record/4)
	lists.id = uint16(len(all))
	w.put(n, n.num, seq, 0, base)
}

func listOf(all []*attr) (b []byte) {
	for _, a := range all {
		e := make([]byte, 26)
		le.PutUint32(e, a.typ)
		e[6], e[7] = byte(len(utf16le(a.name))/2), 26
		le.PutUint64(e[8:], uint64(a.start))
		le.PutUint64(e[16:], a.rec)
		le.PutUint16(e[24:], a.id)
		e = pad8(append(e, utf16le(a.name)...))
		le.PutUint16(e[4:], uint16(len(e)))
		b = append(b, e...)
	}
	return b
}

func (w *writer) fits(attrs []*attr) bool {
	n := 56 + w.Record/512*2 + 16
	for _, a := range attrs {
		n += len(a.encode(w.Cluster))
	}
	return n <= w.Record
}

// put makes the record num of the file n.
func (w *writer) put(n *node, num int, seq uint16, base uint64, attrs []*attr) {
	b := make([]byte, w.Record)
	copy(b, "FILE")
	words := w.Record/512 + 1
	le.PutUint16(b[4:], 48)
	le.PutUint16(b[6:], uint16(words))
	le.PutUint16(b[16:], seq)
	flags, links := uint16(1), uint16(0)
	if n.f.Dir {
		flags |= 2
	}
	if n.f.Deleted {
		flags &^= 1
	}
	p := (48 + 2*words + 7) &^ 7
	le.PutUint16(b[20:], uint16(p))
	le.PutUint32(b[28:], uint32(w.Record))
	le.PutUint64(b[32:], base)
	le.PutUint32(b[44:], uint32(num))
	last := uint16(0)
	for _, a := range attrs {
		e := a.encode(w.Cluster)
		if p+len(e)+8 > len(b) {
			w.fail("file %q: an attribute of %d bytes does not fit a record", n.f.Path, len(e))
			return
		}
		p += copy(b[p:], e)
		last = max(last, a.id+1)
		if a.typ == 0x30 {
			links++
		}
	}
	if base == 0 {
		le.PutUint16(b[18:], max(1, links))
	}
	le.PutUint16(b[22:], flags)
	le.PutUint16(b[40:], last)
	le.PutUint32(b[p:], 0xffffffff)
	le.PutUint32(b[24:], uint32(p+8))
	w.mft[num], w.live[num] = b, !n.f.Deleted
}

// protect sets the update sequence of a structure of 512-byte parts.
func protect(b []byte, at int) {
	le.PutUint16(b[at:], 1)
	for i := 1; i <= len(b)/512; i++ {
		copy(b[at+2*i:at+2*i+2], b[i*512-2:])
		le.PutUint16(b[i*512-2:], 1)
	}
}
