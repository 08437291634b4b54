package eventlog

// An op is one part of a template's document, its names resolved.
type op struct {
	kind     opKind
	declared byte   // type that the template gives a substitution
	sub      uint16 // number of the substitution
	name     string // of an element or attribute
	raw      []byte // literal text, UTF-16, in the chunk
}

type opKind uint8

const (
	opOpen opKind = iota
	opAttr
	opBody
	opClose
	opText
	opSub
)

// document returns the document of a template that compiled without an error.
// It is read on the first call: few templates of a chunk belong to records
// that are wanted.
func (t *template) document(d *decoder) ([]op, error) {
	if t.ops != nil || t.err != nil {
		return t.ops, t.err
	}
	s := opSink{d: d, at: t.off, first: len(d.ops)}
	w := walker{decoder: d, off: t.off + defHeader, end: t.off + defHeader + t.size, compile: true, inDef: true, sink: &s}
	if err := w.run(); err != nil {
		t.err = err
		return nil, err
	}
	t.ops = d.ops[s.first:len(d.ops):len(d.ops)]
	return t.ops, nil
}

// opSink keeps the parts of a document.
type opSink struct {
	d         *decoder
	at, first int
}

func (s *opSink) add(o op) error {
	if len(s.d.ops) >= maxOps {
		return s.d.errorf(s.at, "template definition", "the chunk's hold more than %d parts", maxOps)
	}
	s.d.ops = append(s.d.ops, o)
	return nil
}

func (s *opSink) open(name string) error { return s.add(op{kind: opOpen, name: name}) }
func (s *opSink) attr(name string) error { return s.add(op{kind: opAttr, name: name}) }
func (s *opSink) body() error            { return s.add(op{kind: opBody}) }
func (s *opSink) close() error           { return s.add(op{kind: opClose}) }

func (s *opSink) content(p piece) error {
	if p.sub >= 0 {
		return s.add(op{kind: opSub, sub: uint16(p.sub), declared: p.typ})
	}
	return s.add(op{kind: opText, raw: p.raw})
}

// play sends one part of a template's document to the sink.
func (w *walker) play(o *op) error {
	at := w.in.plan.off
	if err := w.step(at); err != nil {
		return err
	}
	switch o.kind {
	case opOpen:
		return w.sink.open(o.name)
	case opAttr:
		return w.sink.attr(o.name)
	case opBody:
		return w.sink.body()
	case opClose:
		return w.sink.close()
	case opText:
		if err := w.spend(at, len(o.raw)); err != nil {
			return err
		}
		return w.sink.content(piece{typ: typeString, raw: o.raw, sub: -1})
	}
	return w.value(int(o.sub), o.declared)
}
