package eventlog

import (
	"bytes"
	"sort"

	"www.velocidex.com/golang/evtx"
)

// The evtx library renders one whole chunk in the order of its records. It
// trusts counts and sizes, so it is given a private copy of the chunk in which
// the size of every record leads to the next one that it shall read: records
// that are wanted, and those that hold the template definitions they use. Each
// of them was vetted first. What it would misread, it does not get; this
// package's own reader has those records alone.

// Bounds of what the library is given. It allocates for every token and value.
const (
	maxLibraryWork   = 100_000 // tokens and values a chunk
	maxLibraryValues = 1024    // values a template instance
)

type library struct {
	d     *decoder
	slots []slot
	recs  []Record
	state []libState
	pick  []int // wanted records
	uses  []use
	work  int
	buf   []byte
}

// A libState is what is known about one record of the chunk.
type libState struct {
	vetted, clean, keep, wanted bool
	from, to                    int // of its instances in uses
}

// A use is a template instance, in the order in which the library meets them.
type use struct {
	id, def uint32
	here    bool
}

func (l *library) reset(d *decoder, slots []slot, recs []Record) {
	*l = library{d: d, slots: slots, recs: recs, state: l.state[:0], pick: l.pick[:0], uses: l.uses[:0], buf: l.buf}
	for range slots {
		l.state = append(l.state, libState{})
	}
}

func (l *library) want(i int) { l.pick = append(l.pick, i) }

// render has the library read the wanted records, and compares.
func (c *chunkReader) render() {
	c.lib.render()
	for _, i := range c.lib.pick {
		r := &c.recs[i]
		r.fields, r.err = r.read()
		r.settled, r.Rendered, r.lib = true, r.lib != nil, nil
	}
}

// render has the library read the wanted records that are clean, and hands
// each its tree.
func (l *library) render() {
	for _, i := range l.pick {
		if l.keep(i, 0) {
			l.state[i].wanted = true
		}
	}
	order := l.chain()
	if len(order) == 0 {
		return
	}
	trees := l.parse(order)
	for k, i := range order {
		if l.state[i].wanted && k < len(trees) {
			l.recs[i].lib = trees[k]
		}
	}
}

// keep marks record i and those whose definitions it needs.
func (l *library) keep(i, depth int) bool {
	s := &l.state[i]
	if !s.vetted {
		s.vetted = true
		s.clean = l.vetRecord(i)
	}
	if !s.clean || s.keep {
		return s.clean
	}
	if depth > maxDepth || l.work > maxLibraryWork {
		return false
	}
	s.keep = true
	for _, u := range l.uses[s.from:s.to] {
		if u.here {
			continue
		}
		if j := l.holder(int(u.def)); j < 0 || j != i && !l.keep(j, depth+1) {
			return false
		}
	}
	return true
}

// holder returns the record that chunk offset off lies in, -1 if none.
func (l *library) holder(off int) int {
	i := sort.Search(len(l.slots), func(i int) bool { return l.slots[i].off+l.slots[i].size > off })
	if i == len(l.slots) || l.slots[i].off > off || l.slots[i].err != nil {
		return -1
	}
	return i
}

// chain returns the kept records, in order, for which the library's way of
// telling definitions apart leads to the right one: it goes by the id alone
// and takes the first definition it meets.
func (l *library) chain() []int {
	known := make(map[uint32]uint32)
	var order []int
	for i := range l.state {
		s := &l.state[i]
		if !s.keep {
			continue
		}
		var mine []use
		ok := true
		for _, u := range l.uses[s.from:s.to] {
			def, seen := known[u.id]
			for _, m := range mine {
				if m.id == u.id {
					def, seen = m.def, true
				}
			}
			if u.here {
				ok = ok && !seen
				mine = append(mine, u)
			} else {
				ok = ok && seen && def == u.def
			}
		}
		if !ok {
			continue
		}
		for _, u := range mine {
			known[u.id] = u.def
		}
		order = append(order, i)
	}
	return order
}

// vetRecord reports whether the library reads record i as this package does,
// and notes the templates it uses.
func (l *library) vetRecord(i int) bool {
	r, s := &l.recs[i], &l.state[i]
	if l.slots[i].err != nil || r.dec == nil {
		return false
	}
	s.from = len(l.uses)
	ok := l.vet(r.lo, r.hi, 0, true)
	s.to = len(l.uses)
	return ok
}

// vet checks the fragment in [off, end): a template instance, or below the top
// also plain elements.
func (l *library) vet(off, end, level int, top bool) bool {
	d := l.d
	if level > maxDepth || off+4 > end {
		return false
	}
	if d.b[off] == tokenFragment {
		off += 4
	}
	if off >= end {
		return false
	}
	if d.b[off] != tokenInstance {
		if top {
			return false
		}
		before := d.steps
		w := walker{decoder: d, off: off, end: end, compile: true, sink: nullSink{}}
		err := w.run()
		l.work += before - d.steps
		return err == nil && !w.odd
	}
	in, err := d.parseInstance(off, end)
	if err != nil || d.b[off+1] != 1 || in.id == 0 || in.n > maxLibraryValues || in.plan.odd ||
		le.Uint32(d.b[in.plan.off+4:]) != in.id {
		return false
	}
	l.uses = append(l.uses, use{in.id, uint32(in.plan.off), in.here})
	l.work += in.plan.tokens + in.n
	if l.work > maxLibraryWork {
		return false
	}
	v := in.vals
	for k := range in.n {
		desc := in.desc + 4*k
		size, typ := int(le.Uint16(d.b[desc:])), le.Uint16(d.b[desc+2:])
		if v+size > end || !vetValue(typ, size) {
			return false
		}
		if typ == typeBinXML && !l.vet(v, v+size, level+1, false) {
			return false
		}
		v += size
	}
	return v < end && d.b[v] == tokenEOF
}

// vetValue reports whether the library reads a value of that type to its end
// and not beyond.
func vetValue(typ uint16, size int) bool {
	switch typ {
	case typeNull, typeBinary:
		return true
	case typeString, typeArray | typeString: // an odd length is not decoded
		return size%2 == 0
	case typeANSI, typeInt8, typeInt16, typeSizeT:
		return true // read as text: right in length, and the value is not taken
	case typeBool:
		return size == 1 || size == 2 || size == 4 || size == 8
	case typeSID:
		return size >= 8 && size <= 68 && size%4 == 0
	case typeBinXML:
		return size >= 14
	}
	return typ < typeBinXML && fixedSize(byte(typ)) == size && size != 0
}

// parse runs the library over a copy of the chunk that holds exactly the
// records of order, and returns the tree of each.
func (l *library) parse(order []int) (trees []any) {
	if l.buf == nil {
		l.buf = make([]byte, chunkSize)
	}
	b := l.buf
	copy(b, l.d.b)
	head := 0
	if first := l.slots[order[0]].off; first != chunkHeaderSize {
		// The library starts at the first record: an empty one leads on.
		copy(b[chunkHeaderSize:], recordMagic)
		le.PutUint32(b[chunkHeaderSize+4:], uint32(first-chunkHeaderSize))
		le.PutUint64(b[chunkHeaderSize+8:], 0)
		b[chunkHeaderSize+recordHeader] = tokenEOF
		head = 1
	}
	for k, i := range order {
		off := l.slots[i].off
		if k+1 < len(order) {
			le.PutUint32(b[off+4:], uint32(l.slots[order[k+1]].off-off))
		}
		le.PutUint64(b[off+8:], 0) // it leaves out numbers beyond 2^63
	}
	defer func() {
		if recover() != nil {
			trees = nil // a fault of the library's; our own reader has the values
		}
	}()
	c := &evtx.Chunk{Fd: bytes.NewReader(b)}
	c.Header.FirstEventRecNumber, c.Header.LastEventRecNumber = 1, uint64(len(order)+head)
	recs, err := c.Parse(0)
	if err != nil || len(recs) != len(order)+head {
		return nil
	}
	for _, r := range recs[head:] {
		trees = append(trees, r.Event)
	}
	return trees
}

type nullSink struct{}

func (nullSink) open(string) error   { return nil }
func (nullSink) attr(string) error   { return nil }
func (nullSink) body() error         { return nil }
func (nullSink) close() error        { return nil }
func (nullSink) content(piece) error { return nil }
