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
