package vss

import (
	"errors"
	"io"
)

// maxExtent bounds how far one look-up goes through the bitmaps; a longer run is
// still one read.
const maxExtent = 64 * blockSize

// A view is the volume at the time of a snapshot.
type view struct {
	stores []*Snapshot // the snapshot itself, then all newer ones
	live   *volume
	size   int64
}

// An extent says where the bytes of a view are.
type extent struct {
	from   *volume // nil: nowhere, they are zero
	off    int64
	n      int64
	layers []entry // overlays over it; it is then one block at most
}

// locate finds what the view shows at off, the start of a block, looking no
// further than limit bytes ("Reading snapshot data").
func (v *view) locate(off, limit int64) (extent, error) {
	x := extent{n: limit}
	zero, moved := false, false
	for i, s := range v.stores {
		es, next := s.table.at(off)
		if len(es) > 0 {
			x.n = min(x.n, blockSize)
		} else {
			x.n = min(x.n, next-off)
		}
		first := 0
		if len(es) > 0 && es[0].kind() != layered {
			first = 1
		}
		layers := es[first:]
		if i == 0 {
			x.layers = layers // those of newer stores are theirs alone
		}
		if first > 0 {
			switch e := es[0]; e.kind() {
			case stored:
				x.from, x.off = s.home, e.data
				return x, nil
			case broken:
				return x, s.home.errorf(e.data, "block descriptor", "the block at %#x of snapshot %d cannot be found", off, s.Index)
			default:
				off, moved, zero = e.data, true, false
				continue
			}
		}
		if s.table.unused == nil || i > 0 && (len(layers) > 0 || len(x.layers) > 0 || moved && i == len(v.stores)-1) {
			continue
		}
		free, n := s.table.free(off, x.n)
		zero, x.n = zero || free, n
	}
	if !zero {
		x.from, x.off = v.live, off
	}
	return x, nil
}

// ReadAt implements io.ReaderAt.
func (v *view) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= v.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > v.size-off {
		p, end = p[:v.size-off], io.EOF
	}
	g := gather{p: p}
	for g.have() < len(p) {
		at := off + int64(g.have())
		skip := at % blockSize
		x, err := v.locate(at-skip, min(skip+int64(len(p)-g.have()), maxExtent))
		if err == nil {
			err = v.add(&g, x, skip)
		}
		if err != nil {
			return g.fail(err)
		}
	}
	if err := g.flush(); err != nil {
		return g.done, err
	}
	return len(p), end
}

// add gathers x from skip on, sector by sector where it has overlays.
func (v *view) add(g *gather, x extent, skip int64) error {
	if len(x.layers) == 0 {
		return g.add(x.from, x.off+skip, x.n-skip)
	}
	for skip < x.n {
		n := min(sectorSize-skip%sectorSize, x.n-skip)
		from, off := x.from, x.off
		for _, l := range x.layers {
			if l.bits>>(skip/sectorSize)&1 != 0 {
				from, off = v.stores[0].home, l.data
			}
		}
		if err := g.add(from, off+skip, n); err != nil {
			return err
		}
		skip += n
	}
	return nil
}

// A gather fills p from the front, with one read for all that lies together.
type gather struct {
	p    []byte
	done int     // bytes of p that are filled
	next int     // bytes after them that are still to be read
	from *volume // where they are; nil: they are zero
	off  int64
}

func (g *gather) have() int { return g.done + g.next }

func (g *gather) add(from *volume, off, n int64) error {
	if g.next > 0 && (from != g.from || from != nil && off != g.off+int64(g.next)) {
		if err := g.flush(); err != nil {
			return err
		}
	}
	if g.next == 0 {
		g.from, g.off = from, off
	}
	g.next += int(n)
	return nil
}

func (g *gather) flush() error {
	b := g.p[g.done:g.have()]
	n, err := len(b), error(nil)
	if g.from == nil {
		clear(b)
	} else {
		n, err = g.from.fill(b, g.off, "shadow copy data")
	}
	g.done, g.next = g.done+n, 0
	return err
}

// fail returns what could be read before err.
func (g *gather) fail(err error) (int, error) {
	if e := g.flush(); e != nil {
		return g.done, e
	}
	return g.done, err
}
