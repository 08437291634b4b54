package evtxtest

import (
	"crypto/sha256"
	"unicode/utf16"
)

func (c *chunk) raw(b ...byte)  { c.b = append(c.b, b...) }
func (c *chunk) u16(v uint16)   { c.b = le.AppendUint16(c.b, v) }
func (c *chunk) u32(v uint32)   { c.b = le.AppendUint32(c.b, v) }
func (c *chunk) u64(v uint64)   { c.b = le.AppendUint64(c.b, v) }
func (c *chunk) fragment()      { c.raw(0x0f, 1, 1, 0) }
func (c *chunk) text(s string)  { c.raw(0x05, 1); c.counted(s) }
func (c *chunk) patch32(at int) { le.PutUint32(c.b[at:], uint32(len(c.b)-at-4)) }

func (c *chunk) counted(s string) {
	u := utf16.Encode([]rune(s))
	c.u16(uint16(len(u)))
	for _, v := range u {
		c.u16(v)
	}
}

// name writes a reference to a name, and the name itself where it is used for
// the first time in the chunk.
func (c *chunk) name(s string) {
	if at, ok := c.names[s]; ok {
		c.u32(uint32(at))
		return
	}
	at := len(c.b) + 4
	c.names[s] = at
	c.nameAt = append(c.nameAt, at)
	c.u32(uint32(at))
	c.u32(0) // next in the bucket
	var hash uint32
	for _, v := range utf16.Encode([]rune(s)) {
		hash = hash*65599 + uint32(v)
	}
	c.u16(uint16(hash))
	c.counted(s)
	c.u16(0)
}

// An attribute of an element: text, or a substitution if sub is not negative.
type attribute struct {
	name, text string
	sub        int
	typ        byte
}

func lit(name, text string) attribute            { return attribute{name, text, -1, 0} }
func subst(name string, k int, t byte) attribute { return attribute{name, "", k, t} }

// element writes an element; body may be nil for an empty one. Elements of a
// template have a dependency identifier.
func (c *chunk) element(inTemplate bool, name string, attrs []attribute, body func()) {
	token := byte(0x01)
	if len(attrs) > 0 {
		token = 0x41
	}
	c.raw(token)
	if inTemplate {
		c.u16(0xffff)
	}
	size := len(c.b)
	c.u32(0)
	c.name(name)
	if len(attrs) > 0 {
		list := len(c.b)
		c.u32(0)
		for i, a := range attrs {
			if i+1 < len(attrs) {
				c.raw(0x46)
			} else {
				c.raw(0x06)
			}
			c.name(a.name)
			if a.sub < 0 {
				c.text(a.text)
			} else {
				c.sub(a.sub, a.typ)
			}
		}
		c.patch32(list)
	}
	if body == nil {
		c.raw(0x03)
	} else {
		c.raw(0x02)
		body()
		c.raw(0x04)
	}
	c.patch32(size)
}

// sub writes an optional substitution.
func (c *chunk) sub(k int, typ byte) {
	c.raw(0x0e)
	c.u16(uint16(k))
	c.raw(typ)
}

// A value is one item of a substitution array.
type value struct {
	typ byte
	b   []byte
	// write, if set, writes the value in place: what it holds refers to offsets
	// of the chunk.
	write func() error
}

// instance writes a template instance: the definition that key stands for
// (inline where it is the first in the chunk) and the values.
func (c *chunk) instance(key string, body func(), values []value) error {
	sum := sha256.Sum256([]byte(key))
	id := le.Uint32(sum[:]) | 1 // zero is not an id
	le.PutUint32(sum[:], id)
	c.raw(0x0c, 1)
	c.u32(id)
	if at, ok := c.defs[key]; ok {
		c.u32(uint32(at))
	} else {
		at := len(c.b) + 4
		c.defs[key] = at
		c.defAt = append(c.defAt, at)
		c.u32(uint32(at))
		c.u32(0) // next in the bucket
		c.raw(sum[:16]...)
		size := len(c.b)
		c.u32(0)
		c.fragment()
		body()
		c.raw(0)
		c.patch32(size)
	}
	c.u32(uint32(len(values)))
	desc := len(c.b)
	for _, v := range values {
		c.u16(uint16(len(v.b)))
		c.u16(uint16(v.typ))
	}
	for i, v := range values {
		if v.write == nil {
			c.raw(v.b...)
			continue
		}
		from := len(c.b)
		if err := v.write(); err != nil {
			return err
		}
		n := len(c.b) - from
		if n > 0xffff {
			return errTooLong
		}
		le.PutUint16(c.b[desc+4*i:], uint16(n))
	}
	return nil
}
