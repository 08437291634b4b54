package eventlog

// maxShapes bounds the shapes that are told apart.
const maxShapes = 4096

// sampleFirst is how many records of each shape are rendered before every
// Options.Sample-th: a log is often no more than these.
const sampleFirst = 4

// A shape is what makes two records the same to a decoder.
type shape [2]uint64

// sampled reports whether the library is to render a wanted record.
func (c *chunkReader) sampled(r *Record) bool {
	n := c.opt.Sample
	if n <= 0 {
		return true
	}
	s := r.shape()
	if c.shapes[s]++; len(c.shapes) > maxShapes {
		clear(c.shapes)
	}
	seen := c.shapes[s]
	return seen <= sampleFirst || seen%n == 0
}

// shape mixes the ids of the templates and the types of the values. Records
// without a template are all alike.
func (r *Record) shape() (s shape) {
	d, lo, hi := r.dec, r.lo, r.hi
	for level := range s {
		in, ok, err := d.top(lo, hi)
		if !ok || err != nil {
			break
		}
		h, v := uint64(in.id), in.vals
		lo = 0
		for k := range in.n {
			desc := in.desc + 4*k
			size, typ := int(le.Uint16(d.b[desc:])), d.b[desc+2]
			h = (h ^ uint64(typ)) * 0x9e3779b97f4a7c15
			h ^= h >> 29
			if typ == typeBinXML && size > 0 && v+size <= hi {
				lo = v
			}
			v += size
		}
		if s[level] = h; lo == 0 {
			break
		}
	}
	return s
}
