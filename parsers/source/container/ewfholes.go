package container

import (
	"fmt"
)

// ewfHole is a place from which on the number of a chunk is not known, since tables
// were lost and nothing says how many chunks they list.
type ewfHole struct {
	tables int   // before it
	first  int64 // number of the first chunk that is lost
	err    error
}

// lose notes down that tables are lost between the last one and the next. What lies
// between two holes cannot be placed, and is lost too.
func (e *ewf) lose(err error) {
	if e.hole == nil {
		e.hole = &ewfHole{len(e.tables), e.have(), err}
		return
	}
	e.doubt(fmt.Errorf("what lies between this and an earlier loss cannot be placed: %w", err))
	e.tables = e.tables[:e.hole.tables]
}

// place numbers the chunks behind the hole, once the last segment is read: they are
// the last ones of the disk.
func (e *ewf) place() {
	h := e.hole
	if h == nil {
		return
	}
	n := int64(-1)
	if e.chunk > 0 && e.chunks == (e.size+e.chunk-1)/e.chunk {
		n = e.chunks - e.have()
	}
	switch {
	case n < 0:
		e.tables, e.end = e.tables[:h.tables], h.err
		return
	case n == 0:
		e.doubt(fmt.Errorf("all chunks are there, but not all of the segments: %w", h.err))
		return
	}
	behind := append([]ewfTable{{first: h.first, n: n, err: h.err}}, e.tables[h.tables:]...)
	for i := range behind[1:] {
		behind[i+1].first += n
	}
	e.tables = append(e.tables[:h.tables], behind...)
	e.doubt(fmt.Errorf("disk offsets %#x to %#x cannot be read: %w", h.first*e.chunk, min((h.first+n)*e.chunk, e.size), h.err))
}

// ewfMaxHole is how many segments in a row may be missing. Each costs a look for its
// name, also where only the last ones are.
const ewfMaxHole = 32

// following opens the segment after f, which has the number no, or the next one that
// is there and sound. It returns nil if there is none.
func (e *ewf) following(f *file, d *folder, no int) (*file, int) {
	var errs []error
	for next := no + 1; len(errs) <= ewfMaxHole; next++ {
		s, err := e.next(f, d, next)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for i, err := range errs {
			if i == 0 {
				e.lose(err)
			} else {
				e.doubt(err)
			}
		}
		return s, next
	}
	if e.hole == nil {
		e.lose(errs[0])
	}
	return nil, no
}

// next opens the segment after f.
func (e *ewf) next(f *file, d *folder, no int) (*file, error) {
	name, ok := ewfName(f.name, no)
	if !ok {
		return nil, fmt.Errorf("segment %d is %w: the name %q does not end as those of segments do (.E01), so that its own cannot be told", no, ErrMissing, f.name)
	}
	s, err := d.sibling(name)
	if err != nil {
		return nil, fmt.Errorf("segment %w", err)
	}
	h := make([]byte, ewfHeaderLen)
	if err := s.full(h, 0, "file header"); err != nil {
		return nil, err
	}
	if string(h[:8]) != "EVF\x09\x0d\x0a\xff\x00" {
		return nil, s.errorf(0, "signature", "%q is not that of an E01 segment", h[:8])
	}
	if got := int(le.Uint16(h[9:])); got != no {
		return nil, s.errorf(9, "segment number", "%d instead of %d", got, no)
	}
	return s, nil
}
