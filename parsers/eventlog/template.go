package eventlog

import (
	"slices"

	"sharetrail/parsers/binread"
)

// Sizes of a template definition and of its place in an instance.
const (
	instanceHeader = 10 // token, 1, id, offset of the definition
	defHeader      = 24 // next, GUID, size
)

// A template is a definition in a chunk, compiled to what it says about the
// System element, so that the fields of a record are picked from its values
// without a look at the document.
type template struct {
	off, size int  // of the definition's header, and of its body
	ops       []op // the document, see template.document
	refs      []sysRef
	literals  []sysLiteral
	fast      bool // refs and literals are all that System holds
	odd       bool // the library misreads it
	tokens    int
	err       error
	data      [placements]*dataPlan
}

type sysRef struct {
	sub   uint16
	field sysField
}

type sysLiteral struct {
	field sysField
	text  string
}

// An instance is a template with the values of one record.
type instance struct {
	plan *template
	id   uint32
	here bool // the definition lies inside the instance
	n    int  // values
	desc int  // offset of the value descriptors: size, type; 4 bytes each
	vals int  // offset of the first value
	end  int  // behind the last value that must exist
	base int  // of its offsets in decoder.offs
}

// top returns the template instance that a record begins with; ok is false if
// the event is written without a template.
func (d *decoder) top(off, end int) (in instance, ok bool, err error) {
	if off+4 <= end && d.b[off] == tokenFragment {
		off += 4
	}
	if off >= end || d.b[off] != tokenInstance {
		return in, false, nil
	}
	in, err = d.parseInstance(off, end)
	return in, err == nil, err
}

// parseInstance reads the instance at off up to its values.
func (d *decoder) parseInstance(off, end int) (in instance, err error) {
	if off+instanceHeader > end {
		return in, d.errorf(off, "template instance", "%w", binread.ErrTruncated)
	}
	in.id = le.Uint32(d.b[off+2:])
	def := le.Uint32(d.b[off+6:])
	next := off + instanceHeader
	in.here = int64(def) == int64(next)
	var lost error
	if in.plan, lost = d.template(def, in.id, in.here, end); lost != nil && (in.here || d.foreign == nil) {
		return in, lost
	}
	if in.here {
		next += defHeader + in.plan.size
	}
	if next+4 > end {
		return in, d.errorf(next, "template values", "%w", binread.ErrTruncated)
	}
	n := le.Uint32(d.b[next:])
	in.desc = next + 4
	if int64(n)*4 > int64(end-in.desc) {
		return in, d.errorf(next, "template values", "count %d does not fit in %d bytes", n, end-in.desc)
	}
	in.n = int(n)
	in.vals, in.end = in.desc+4*in.n, end
	if lost != nil {
		f := d.foreign.templates().find(d, in.id, &in)
		if f == nil {
			return in, lost
		}
		in.plan = &f.template
		d.borrow(f)
	}
	return in, nil
}

// template returns the definition at offset def. One that is only referred to
// must carry the id it is known by: what lies there may have been overwritten.
func (d *decoder) template(def, id uint32, here bool, end int) (*template, error) {
	if def < 128 || def > chunkSize-defHeader {
		return nil, d.errorf(0, "template definition", "offset %#x is outside the chunk", def)
	}
	if here {
		d.defs[def] = id
	} else if le.Uint32(d.b[def+4:]) != id && d.defs[def] != id {
		return nil, d.errorf(int(def), "template definition", "%#x is wanted, another one is stored", id)
	}
	last := &d.recent[def/64%uint32(len(d.recent))]
	if last.t != nil && last.def == def {
		return last.t, last.t.err
	}
	t, ok := d.plans[def]
	if !ok {
		t = &template{off: int(def), size: int(le.Uint32(d.b[def+20:]))}
		limit := chunkSize
		if here {
			limit = end
		}
		if t.size > limit-t.off-defHeader {
			t.err = d.errorf(t.off, "template definition", "size %d: %w", t.size, binread.ErrTruncated)
		} else {
			t.compile(d)
		}
		d.plans[def] = t
	}
	last.def, last.t = def, t
	return t, t.err
}

// compile notes which values of an instance are System fields.
func (t *template) compile(d *decoder) {
	s := planSink{t: t}
	t.fast = true
	w := walker{decoder: d, off: t.off + defHeader, end: t.off + defHeader + t.size, compile: true, inDef: true, sink: &s}
	before := d.steps
	if t.err = w.run(); t.err != nil {
		return
	}
	t.odd, t.tokens = w.odd, before-d.steps
	slices.SortFunc(t.refs, func(a, b sysRef) int { return int(a.sub) - int(b.sub) })
}

// selectSystem reads the System fields of an instance: one pass over the
// descriptors, which also proves that every value lies inside the record. It
// returns the offset behind the values.
func (d *decoder) selectSystem(in *instance, r *Record) (int, error) {
	list, off, k := d.b[in.desc:in.desc+4*in.n], in.vals, 0
	for i := range in.plan.refs { // by sub
		ref := in.plan.refs[i]
		sub := int(ref.sub)
		if sub >= in.n { // the writer left the last values out
			break
		}
		off += sizes(list[4*k : 4*sub])
		k = sub
		next := off + int(le.Uint16(list[4*k:]))
		if next > in.end {
			return d.outside(in)
		}
		if next > off {
			r.set(ref.field, list[4*k+2], d.b[off:next])
		}
	}
	if off += sizes(list[4*k:]); off > in.end {
		return d.outside(in)
	}
	d.steps -= in.n / 8
	for i := range in.plan.literals {
		l := &in.plan.literals[i]
		r.setText(l.field, l.text)
	}
	return off, nil
}

// sizes adds up the sizes of the values that a list of descriptors is of.
func sizes(list []byte) (n int) {
	for ; len(list) >= 8; list = list[8:] {
		two := le.Uint64(list)
		n += int(two&0xFFFF) + int(two>>32&0xFFFF)
	}
	if len(list) >= 4 {
		n += int(le.Uint16(list))
	}
	return n
}

// outside returns the offset of the first value that does not fit, and says so.
func (d *decoder) outside(in *instance) (int, error) {
	off := in.vals
	for at := in.desc; ; at += 4 {
		size := int(le.Uint16(d.b[at:]))
		if off+size > in.end {
			return off, d.errorf(at, "template value", "%d: %d bytes do not fit: %w", (at-in.desc)/4, size, binread.ErrTruncated)
		}
		off += size
	}
}

// instance sends the document of a template instance to the sink.
func (w *walker) instance() error {
	if w.compile {
		return w.errorf(w.off-1, "template instance", "inside a template definition")
	}
	in, err := w.parseInstance(w.off-1, w.end)
	if err != nil {
		return err
	}
	if err := w.locate(&in); err != nil {
		return err
	}
	defer func() { w.offs = w.offs[:in.base] }()
	if w.level >= maxDepth {
		return w.errorf(w.off, "BinXML", "nested deeper than %d", maxDepth)
	}
	body := walker{decoder: w.decoder, in: &in, level: w.level + 1, sink: w.sink}
	ops, err := in.plan.document(w.decoder)
	if err != nil {
		return err
	}
	for i := range ops {
		if err := body.play(&ops[i]); err != nil {
			return err
		}
	}
	w.off = in.end
	return nil
}

// locate appends where each value of an instance lies to d.offs, and moves
// in.end to the end of the last.
func (d *decoder) locate(in *instance) error {
	in.base = len(d.offs)
	off := in.vals
	for k := range in.n {
		d.offs = append(d.offs, off)
		off += int(le.Uint16(d.b[in.desc+4*k:]))
		if off > in.end {
			d.offs = d.offs[:in.base]
			return d.errorf(in.desc+4*k, "template value", "%d: %w", k, binread.ErrTruncated)
		}
	}
	d.steps -= in.n / 8
	in.end = off
	return nil
}

// substitution reads a reference to a value, which only a template has.
func (w *walker) substitution() error {
	at := w.off - 1
	if w.off+3 > w.end {
		return w.errorf(at, "substitution", "%w", binread.ErrTruncated)
	}
	k := int(le.Uint16(w.b[w.off:]))
	declared := w.b[w.off+2]
	w.off += 3
	if !w.compile {
		return w.errorf(at, "substitution", "%d outside a template", k)
	}
	w.odd = w.odd || declared == typeNull
	return w.sink.content(piece{typ: declared, sub: k})
}

// value sends the value that a template refers to.
func (w *walker) value(k int, declared byte) error {
	if k >= w.in.n { // the writer left the last values out
		return w.sink.content(piece{typ: typeNull, sub: -1, declared: declared})
	}
	desc := w.in.desc + 4*k
	size, typ := int(le.Uint16(w.b[desc:])), w.b[desc+2]
	off := w.offs[w.in.base+k]
	if typ == typeBinXML && size > 0 {
		v := walker{decoder: w.decoder, off: off, end: off + size, level: w.level + 1, sink: w.sink}
		return v.run()
	}
	if err := w.spend(off, size); err != nil {
		return err
	}
	return w.sink.content(piece{typ: typ, raw: w.b[off : off+size], sub: -1, declared: declared})
}
