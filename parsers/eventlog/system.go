package eventlog

// planSink compiles what a template says about System.
type planSink struct {
	t *template
	path
	pieces int
}

func (s *planSink) open(name string) error { s.pieces = 0; s.push(name); return nil }
func (s *planSink) attr(name string) error { s.pieces = 0; s.setAttr(name); return nil }
func (s *planSink) body() error            { s.pieces = 0; s.setAttr(""); return nil }
func (s *planSink) close() error           { s.pieces = 0; s.pop(); return nil }

func (s *planSink) content(p piece) error {
	f := s.field()
	if f == sysNone {
		if s.inSystem() && p.sub >= 0 && p.typ == typeBinXML {
			s.t.fast = false
		}
		return nil
	}
	if s.pieces++; s.pieces > 1 {
		s.t.fast = false // text and values mixed
	}
	if p.sub >= 0 {
		s.t.refs = append(s.t.refs, sysRef{uint16(p.sub), f})
	} else {
		s.t.literals = append(s.t.literals, sysLiteral{f, utf16Text(trimNUL(p.raw))})
	}
	return nil
}

// A path is where in a document a sink is.
type path struct {
	depth int
	names [3]string // the first elements
	at    string    // attribute, "" in the content
}

func (p *path) push(name string) {
	if p.depth < len(p.names) {
		p.names[p.depth] = name
	}
	p.depth++
	p.at = ""
}

func (p *path) pop()                { p.depth--; p.at = "" }
func (p *path) setAttr(name string) { p.at = name }

func (p *path) inSystem() bool { return p.depth >= 2 && p.names[1] == "System" }

// field returns the System field that the current content belongs to.
func (p *path) field() sysField {
	if p.depth != 3 || p.names[1] != "System" {
		return sysNone
	}
	return sysFieldOf(p.names[2], p.at)
}

// systemSink collects the System fields of one record from its document.
type systemSink struct {
	rec *Record
	path
	one  piece // the only piece of the current content
	n    int
	text []byte
	seen bool // a System element
	done bool // it was read to its end
}

func (s *systemSink) flush() {
	if f := s.field(); f != sysNone && s.n == 1 {
		s.rec.set(f, s.one.typ, s.one.raw)
	} else if f != sysNone && s.n > 1 {
		s.rec.setText(f, string(s.text))
	}
	s.n, s.text = 0, s.text[:0]
}

func (s *systemSink) open(name string) error {
	s.flush()
	s.push(name)
	s.seen = s.seen || s.depth == 2 && name == "System"
	return nil
}

func (s *systemSink) attr(name string) error { s.flush(); s.setAttr(name); return nil }
func (s *systemSink) body() error            { s.flush(); s.setAttr(""); return nil }

func (s *systemSink) close() error {
	s.flush()
	s.done = s.done || s.depth == 2 && s.names[1] == "System"
	s.pop()
	return nil
}

func (s *systemSink) content(p piece) error {
	if s.field() == sysNone {
		return nil
	}
	s.one = p
	s.n++
	s.text = append(s.text, Text(decode(p.typ, p.raw))...)
	return nil
}
