package eventlog

import "strings"

// A dataPlan is what a template says about the event data where that is a
// plain list, as it nearly always is: one element a value. The fields of a
// record are then picked from its values without a look at the document. What
// is not plain is left to fieldSink, which is right for all, and both must
// agree.
type dataPlan struct {
	fields []planField
	nest   int       // value that holds the event data, -1 if none
	inside placement // of nest
	at     int       // of its fields among fields
	ok     bool
}

// A planField is a field of a dataPlan.
type planField struct {
	name, path string
	sub        int    // its value, -1 if it is text
	declared   byte   // type that the template gives the value
	raw        []byte // text, UTF-16
	empty      bool   // an element without content
	attr       bool   // an attribute
	data       bool   // an unnamed child of EventData or below: a null is no field
	list       bool   // <Data> without a name: an array is one field an item
}

// A placement is what is around a document.
type placement int

const (
	inRecord placement = iota
	inEvent
	inUserData
	placements
)

// dataPlan compiles the event data of a template that is used in that place.
func (t *template) dataPlan(d *decoder, in placement) *dataPlan {
	if t.data[in] == nil {
		c := planner{plan: dataPlan{nest: -1}, d: d}
		ops, err := t.document(d)
		c.plan.ok = err == nil
		c.stack = c.room[:0]
		switch in {
		case inEvent:
			c.outer = 1
		case inUserData:
			c.outer = 1
			c.stack = append(c.stack, planElement{name: "UserData", parent: true})
		}
		c.plan.fields = make([]planField, 0, len(ops)/6+1) // open, name, body, value, close
		for i := range ops {
			if c.plan.ok = c.part(&ops[i]); !c.plan.ok {
				break
			}
		}
		t.data[in] = &c.plan
	}
	return t.data[in]
}

// A planner compiles a dataPlan.
type planner struct {
	plan   dataPlan
	d      *decoder
	outer  int // elements that are not on the stack
	stack  []planElement
	room   [8]planElement // for stack
	attrib string         // "" in the content

	// The last path, valid until an element around it closes.
	lastPath, lastName string
	lastDepth          int
}

type planElement struct {
	name, named string
	parent      bool // has child elements
	content     *op
}

// inData is what fieldSink.inData is.
func (c *planner) inData() bool {
	i := 1 - c.outer
	return len(c.stack) > i && c.stack[i].name != "System" && c.stack[i].name != "RenderingInfo"
}

// part is false if the event data is not plain.
func (c *planner) part(o *op) bool {
	top := len(c.stack) - 1
	switch o.kind {
	case opOpen:
		if top >= 0 {
			c.stack[top].parent = true
			if c.inData() && c.stack[top].content != nil {
				return false
			}
		}
		c.stack = append(c.stack, planElement{name: o.name})
		c.attrib = ""
	case opAttr:
		c.attrib = o.name
		if top < 0 || !c.inData() || o.name == "xmlns" || strings.HasPrefix(o.name, "xmlns:") {
			return true
		}
		e := &c.stack[top]
		if o.name == "Name" && (e.name == "Data" || e.name == "ComplexData") {
			return e.named == ""
		}
		c.plan.fields = append(c.plan.fields, planField{name: e.name + "@" + o.name, sub: -1, attr: true})
	case opBody:
		c.attrib = ""
	case opText, opSub:
		return c.content(o)
	case opClose:
		c.close()
		if top < c.lastDepth {
			c.lastPath = ""
		}
		c.stack = c.stack[:top]
		c.attrib = ""
	}
	return true
}

func (c *planner) content(o *op) bool {
	top := len(c.stack) - 1
	if !c.inData() {
		if o.kind == opSub && c.attrib == "" && top+c.outer == 0 {
			return c.nest(o, inEvent)
		}
		return true
	}
	e := &c.stack[top]
	if c.attrib != "" {
		return c.attribute(e, o)
	}
	if e.content != nil || e.parent {
		return false
	}
	if o.kind == opSub && o.declared == typeBinXML && top+c.outer == 1 && e.name == "UserData" {
		e.parent = true
		return c.nest(o, inUserData)
	}
	e.content = o
	return true
}

// nest notes the value that is a document.
func (c *planner) nest(o *op, in placement) bool {
	if c.plan.nest >= 0 {
		return false
	}
	c.plan.nest, c.plan.inside, c.plan.at = int(o.sub), in, len(c.plan.fields)
	return true
}

// attribute reads the value of an attribute of e: text, and in one piece.
func (c *planner) attribute(e *planElement, o *op) bool {
	switch {
	case c.attrib == "xmlns" || strings.HasPrefix(c.attrib, "xmlns:"):
		return true
	case o.kind != opText:
		return false
	case c.attrib == "Name" && (e.name == "Data" || e.name == "ComplexData"):
		e.named += c.d.intern(trimNUL(o.raw))
		return true
	}
	f := &c.plan.fields[len(c.plan.fields)-1]
	one := f.raw == nil
	f.raw = o.raw
	return one
}

// close adds the field that the innermost element is.
func (c *planner) close() {
	top := len(c.stack) - 1
	e := &c.stack[top]
	if !c.inData() || e.content == nil && (e.parent || top+c.outer == 1) {
		return
	}
	f := planField{name: e.name, sub: -1, empty: e.content == nil, path: c.path()}
	if e.named != "" {
		f.name = e.named
	} else {
		f.list = e.name == "Data"
		f.data = c.stack[1-c.outer].name == "EventData"
	}
	switch {
	case f.empty:
	case e.content.kind == opText:
		f.raw = e.content.raw
	default:
		f.sub, f.declared = int(e.content.sub), e.content.declared
	}
	c.plan.fields = append(c.plan.fields, f)
}

// path names the elements from below Event. Brothers often share it.
func (c *planner) path() string {
	top := len(c.stack) - 1
	if p := c.lastPath; p != "" && c.lastDepth == top && c.lastName == c.stack[top].name {
		return p
	}
	p := c.d.scratch[:0]
	for i, e := range c.stack[1-c.outer:] {
		if i > 0 {
			p = append(p, '/')
		}
		p = append(p, e.name...)
	}
	c.d.scratch = p
	c.lastPath, c.lastDepth, c.lastName = c.d.kept(p), top, c.stack[top].name
	return c.lastPath
}

// pick reads the fields by the plans of the record's templates. It is false,
// and has read nothing, if the record has to be walked.
func (s *fieldSink) pick() bool {
	d := s.rec.dec
	if len(d.offs) != 0 {
		return false
	}
	in, ok, err := d.top(s.rec.lo, s.rec.hi)
	ok = ok && err == nil && s.pickFrom(&in, inRecord, s.rec.hi)
	d.offs = d.offs[:0]
	if !ok {
		s.fields, s.origins = nil, nil
	}
	return ok
}

// pickFrom reads the fields of one instance, behind which the fragment must
// end.
func (s *fieldSink) pickFrom(in *instance, at placement, end int) bool {
	d := s.rec.dec
	plan := in.plan.dataPlan(d, at)
	if !plan.ok || d.locate(in) != nil {
		return false
	}
	if in.end > end || in.end < end && d.b[in.end] != tokenEOF {
		return false
	}
	for k := range in.n { // a document in any other place has to be walked
		if desc := in.desc + 4*k; d.b[desc+2] == typeBinXML && k != plan.nest && le.Uint16(d.b[desc:]) != 0 {
			return false
		}
	}
	if d.steps -= len(plan.fields); d.steps < 0 {
		return false
	}
	if s.fields == nil && plan.nest < 0 && !s.one {
		s.fields = make([]Field, 0, len(plan.fields))
	}
	if !s.pickFields(in, plan.fields[:plan.at]) || !s.pickNest(in, plan) {
		return false
	}
	return s.pickFields(in, plan.fields[plan.at:])
}

// pickNest reads the fields of the document that is a value of in.
func (s *fieldSink) pickNest(in *instance, plan *dataPlan) bool {
	d := s.rec.dec
	if plan.nest < 0 {
		return true
	}
	if plan.nest >= in.n {
		return plan.inside == inEvent
	}
	desc := in.desc + 4*plan.nest
	size, off := int(le.Uint16(d.b[desc:])), d.offs[in.base+plan.nest]
	if d.b[desc+2] != typeBinXML || size == 0 {
		return plan.inside == inEvent // no element, and text in this place is not data
	}
	nest, ok, err := d.top(off, off+size)
	return ok && err == nil && s.pickFrom(&nest, plan.inside, off+size)
}

func (s *fieldSink) pickFields(in *instance, fields []planField) bool {
	d := s.rec.dec
	for i := range fields {
		f := &fields[i]
		if s.one && (f.name != s.only || len(s.fields) > 0) {
			continue
		}
		typ, raw := f.value(d, in)
		if d.bytes -= len(raw); d.bytes < 0 {
			return false
		}
		s.pickField(f, typ, raw)
	}
	return true
}

// value returns the stored value of f.
func (f *planField) value(d *decoder, in *instance) (typ byte, raw []byte) {
	switch {
	case f.sub < 0:
		return typeString, f.raw
	case f.sub >= in.n: // the writer left the last values out
		return typeNull, nil
	}
	desc, off := in.desc+4*f.sub, d.offs[in.base+f.sub]
	return d.b[desc+2], d.b[off : off+int(le.Uint16(d.b[desc:]))]
}

// null reports whether f, whose value is raw, is no field at all.
func (f *planField) null(raw []byte) bool {
	return f.data && f.sub >= 0 && len(raw) == 0 && (f.declared&typeArray != 0 || f.declared == typeBinary)
}

func (s *fieldSink) pickField(f *planField, typ byte, raw []byte) {
	if f.null(raw) {
		return
	}
	v := s.rec.dec.decode(typ, raw)
	if f.list && typ == typeArray|typeString {
		if list, ok := v.([]string); ok {
			for _, v := range list {
				s.add(f.name, v, origin{})
			}
			return
		}
	}
	if f.attr {
		s.add(f.name, v, origin{})
		return
	}
	if f.empty {
		typ = typeNull
	}
	s.add(f.name, v, origin{path: f.path, typ: typ, plain: true})
}
