package eventlog

import (
	"strings"
)

// Data returns the event data in document order: what EventData, UserData and
// the other children of the event but System and RenderingInfo hold.
//
//   - <Data Name="x">v</Data> is the field x, <Data>v</Data> the field "Data";
//     a list of strings in it is one field each, and none if there is no list.
//   - Any other element without children is a field of its own name, such as
//     Binary (if it is not null), or the elements below UserData.
//   - An attribute other than a Data's Name is the field element@attribute.
//     Namespaces are left out.
//
// The fields stay valid. With an error come the fields before the damage.
//
// Data may be called until the next iteration, for any record. Those that
// [Options.Want] asked for are also rendered by the evtx library, where it is
// known to be right; a value on which it differs from this package is named in
// [Record.Doubt] when the record is yielded.
func (r *Record) Data() ([]Field, error) {
	if r.settled || r.dec == nil {
		return r.fields, r.err
	}
	return r.read()
}

func (r *Record) read() ([]Field, error) {
	s := fieldSink{rec: r, check: r.lib != nil}
	var err error
	if !s.pick() {
		err = r.dec.walk(r.lo, r.hi, &s)
	}
	if err == nil && s.check {
		s.settle(r)
	}
	return s.fields, err
}

// Field returns the value of the first field of the event data that is called
// name, as [Record.Data] has it, and costs a fraction of that: it is for
// deciding whether a record of a flood is wanted at all. It is false if there
// is no such field, or none before the damage.
func (r *Record) Field(name string) (value any, ok bool) {
	if r.dec == nil || r.err != nil {
		return nil, false
	}
	s := fieldSink{rec: r, one: true, only: name}
	if !s.pick() {
		r.dec.walk(r.lo, r.hi, &s)
	}
	if len(s.fields) == 0 {
		return nil, false
	}
	return s.fields[0].Value, true
}

// fieldSink builds the fields of one record.
type fieldSink struct {
	rec     *Record
	one     bool   // only the first field that is called
	only    string // by this name
	stack   []element
	attrib  string // whose value is being read, "" in the content
	pieces  int    // of that attribute
	text    string // of that attribute
	fields  []Field
	check   bool
	origins []origin // of the fields, if check
}

// An element that is open.
type element struct {
	name   string
	named  string // its Name attribute, if it is a Data of EventData
	parent bool   // has child elements
	value  any    // of its first piece
	typ    byte   // of its first piece
	none   bool   // its first piece is a null that stands for no element
	pieces int
}

// An origin tells where a field comes from, for the comparison with the
// library.
type origin struct {
	path  string // elements from below Event, "/"-separated
	typ   byte
	plain bool // one piece, or none
}

// inData reports whether the elements open now belong to the event data.
func (s *fieldSink) inData() bool {
	return len(s.stack) > 1 && s.stack[1].name != "System" && s.stack[1].name != "RenderingInfo"
}

func (s *fieldSink) open(name string) error {
	s.endAttr()
	if n := len(s.stack); n > 0 {
		s.stack[n-1].parent = true
	}
	s.stack = append(s.stack, element{name: name})
	return nil
}

func (s *fieldSink) attr(name string) error {
	s.endAttr()
	s.attrib = name
	return nil
}

func (s *fieldSink) body() error { s.endAttr(); return nil }

// endAttr completes the attribute that was being read.
func (s *fieldSink) endAttr() {
	name, text := s.attrib, s.text
	s.attrib, s.text, s.pieces = "", "", 0
	if name == "" || name == "xmlns" || strings.HasPrefix(name, "xmlns:") || !s.inData() {
		return
	}
	e := &s.stack[len(s.stack)-1]
	if name == "Name" && (e.name == "Data" || e.name == "ComplexData") && e.named == "" {
		e.named = text
		return
	}
	s.add(e.name+"@"+name, text, origin{})
}

func (s *fieldSink) content(p piece) error {
	if !s.inData() {
		return nil
	}
	if s.attrib != "" {
		s.text += Text(decode(p.typ, p.raw))
		s.pieces++
		return s.rec.dec.spend(s.rec.lo, len(s.text))
	}
	e := &s.stack[len(s.stack)-1]
	v := decode(p.typ, p.raw)
	if e.pieces++; e.pieces == 1 {
		e.value, e.typ = v, p.typ
		e.none = len(p.raw) == 0 && (p.declared&typeArray != 0 || p.declared == typeBinary)
		return nil
	}
	text := Text(e.value) + Text(v)
	e.value, e.typ = text, typeString
	return s.rec.dec.spend(s.rec.lo, len(text))
}

func (s *fieldSink) close() error {
	s.endAttr()
	if s.inData() {
		s.leave()
	}
	s.stack = s.stack[:len(s.stack)-1]
	return nil
}

// leave turns the innermost element into a field if it holds a value.
func (s *fieldSink) leave() {
	e := &s.stack[len(s.stack)-1]
	if e.value == nil {
		if e.parent || len(s.stack) == 2 {
			return
		}
		e.value = ""
	}
	if e.none && e.pieces == 1 && e.named == "" && s.stack[1].name == "EventData" {
		return
	}
	if text, ok := e.value.(string); ok && e.parent && strings.TrimSpace(text) == "" {
		return
	}
	name := e.name
	if e.named != "" {
		name = e.named
	} else if list, ok := e.value.([]string); ok && name == "Data" && e.typ == typeArray|typeString {
		for _, v := range list {
			s.add(name, v, origin{})
		}
		return
	}
	var o origin
	if s.check {
		o = origin{path: s.where(), typ: e.typ, plain: e.pieces <= 1}
	}
	s.add(name, e.value, o)
}

func (s *fieldSink) where() string {
	var b strings.Builder
	for _, e := range s.stack[1:] {
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(e.name)
	}
	return b.String()
}

func (s *fieldSink) add(name string, v any, o origin) {
	if s.one && (name != s.only || len(s.fields) > 0) {
		return
	}
	s.fields = append(s.fields, Field{name, v})
	if s.check {
		s.origins = append(s.origins, o)
	}
}
