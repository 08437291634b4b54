package eventlog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Bounds of what is kept of templates.
const (
	maxForeign    = 4096    // definitions
	maxForeignOps = 1 << 18 // parts of them
)

// templates are the template definitions of whole logs, for records whose own
// chunk has lost theirs. A record names its template by the first four bytes
// of its GUID. It is not changed while it is used.
type templates struct {
	byID map[uint32][]*foreign
	ops  int
	n    int
	name string // of the log that is being read, "" for the record's own
}

// A foreign is a definition that needs no chunk.
type foreign struct {
	template
	Lent
	guid [16]byte
	subs []op // its substitutions
}

// String says where the definition lies.
func (l Lent) String() string {
	if l.Log != "" {
		return fmt.Sprintf("at %#x of %s", l.Off, l.Log)
	}
	return fmt.Sprintf("at %#x", l.Off)
}

// borrow notes that the definition of another chunk was used.
func (d *decoder) borrow(f *foreign) {
	if len(d.borrowed) < maxDepth && !slices.Contains(d.borrowed, f) {
		d.borrowed = append(d.borrowed, f)
	}
}

// A lender gives the template definitions of a log. They are collected when a
// record lacks its own for the first time: most logs are read without.
type lender struct {
	logs []Lender // the one that is read, then others
	once sync.Once
	t    *templates
}

func (l *lender) templates() *templates {
	l.once.Do(func() {
		l.t = &templates{byID: make(map[uint32][]*foreign)}
		for _, log := range l.logs {
			l.t.name = log.Name
			log.Log.learn(l.t)
		}
	})
	return l.t
}

// learn collects the template definitions of all chunks.
func (l *Log) learn(t *templates) {
	c := chunkReader{log: l, buf: make([]byte, chunkSize)}
	d := newDecoder()
	d.strict = true
	next := l.chunks(0)
	for at, ok := next(); ok; at, ok = next() {
		if at.err != nil {
			continue // it is yielded when the records are
		}
		c.off, c.size = at.off, at.size
		if c.fill(); bytes.HasPrefix(c.buf, []byte(chunkMagic)) {
			d.reset(c.buf, c.off)
			t.chunk(d)
		}
	}
}

// chunk adds the definitions that the records of a chunk hold, in its list or
// out of it.
func (t *templates) chunk(d *decoder) {
	for off := chunkHeaderSize; off+recordHeader < chunkSize; off++ {
		if off = nextMagic(d.b, off, chunkSize); off+recordHeader >= chunkSize {
			return
		}
		if s := frame(d.b, off, chunkSize); s.doubt == "" {
			t.fragment(d, off+recordHeader, off+s.size-4, 0)
		}
	}
}

// fragment adds the definitions of the instance in [off, end) and of those that
// are its values.
func (t *templates) fragment(d *decoder, off, end, depth int) {
	in, ok, err := d.top(off, end)
	if !ok || err != nil || depth > maxDepth || d.step(off) != nil || d.locate(&in) != nil {
		return
	}
	defer func() { d.offs = d.offs[:in.base] }()
	if in.here {
		t.add(d, in.plan)
	}
	for k := range in.n {
		desc := in.desc + 4*k
		if size := int(le.Uint16(d.b[desc:])); d.b[desc+2] == typeBinXML && size > 0 {
			v := d.offs[in.base+k]
			t.fragment(d, v, v+size, depth+1)
		}
	}
}

func (t *templates) add(d *decoder, p *template) {
	f := &foreign{guid: [16]byte(d.b[p.off+4:]), Lent: Lent{t.name, d.base + int64(p.off)}}
	id := le.Uint32(f.guid[:])
	ops, err := p.document(d)
	if err != nil || len(ops) == 0 || t.n >= maxForeign || t.ops+len(ops) > maxForeignOps {
		return
	}
	for _, g := range t.byID[id] {
		// Their sizes may differ: a name is stored where it is used first.
		if g.guid == f.guid && slices.EqualFunc(g.ops, ops, op.equal) {
			return
		}
	}
	f.template = template{size: p.size, refs: p.refs, literals: p.literals, fast: p.fast, odd: true}
	for _, o := range ops {
		o.name, o.raw = strings.Clone(o.name), bytes.Clone(o.raw)
		f.ops = append(f.ops, o)
		if o.kind == opSub {
			f.subs = append(f.subs, o)
		}
	}
	for in := range placements {
		f.dataPlan(d, in)
	}
	t.byID[id] = append(t.byID[id], f)
	t.n++
	t.ops += len(ops)
}

func (o op) equal(p op) bool {
	return o.kind == p.kind && o.declared == p.declared && o.sub == p.sub && o.name == p.name && bytes.Equal(o.raw, p.raw)
}

// find returns the only definition known by id whose types are those of the
// values of in. One of another log comes after those of the log itself.
func (t *templates) find(d *decoder, id uint32, in *instance) *foreign {
	var found *foreign
	for _, f := range t.byID[id] {
		if d.steps -= 1 + len(f.subs); d.steps < 0 {
			return nil
		}
		switch {
		case !f.fits(d, in):
		case found == nil:
			found = f
		case f.Log == "" || found.Log != "":
			return nil
		}
	}
	return found
}

func (f *foreign) fits(d *decoder, in *instance) bool {
	for _, o := range f.subs {
		if int(o.sub) >= in.n {
			return false
		}
		desc := in.desc + 4*int(o.sub)
		if typ := d.b[desc+2]; typ != typeNull && le.Uint16(d.b[desc:]) != 0 && typ != o.declared {
			return false
		}
	}
	return true
}
