package ntfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync/atomic"

	"sharetrail/parsers/binread"
)

// maxUnit bounds a compression unit in bytes. Windows compresses 16 clusters of
// at most 4 KiB.
const maxUnit = 1 << 20

// A stream is the content of an attribute.
type stream struct {
	f     *FS
	size  int64  // in bytes
	init  int64  // initialised part; the rest reads as zeros, as in Windows
	value []byte // of a resident attribute
	off   int64  // of value in the volume
	runs  []run  // else
	unit  int64  // compression unit in clusters; 0 if not compressed
	field string // for errors
	last  atomic.Pointer[unitData]
}

type unitData struct {
	n int64
	b []byte
}

// newStream joins the extents of an attribute. If some are missing or damaged,
// the stream ends before the first of these, and the error tells.
func (f *FS) newStream(ext []attribute, field string) (*stream, error) {
	a := &ext[0]
	if a.resident {
		n := int64(len(a.value))
		return &stream{f: f, size: n, init: n, value: a.value, off: a.valueOff, field: field}, nil
	}
	ext = slices.Clone(ext)
	slices.SortStableFunc(ext, func(a, b attribute) int { return int(min(1, max(-1, a.start-b.start))) })
	a = &ext[0]
	s := &stream{f: f, size: a.size, init: a.init, field: field}
	if a.start != 0 {
		return &stream{f: f, field: field}, binread.Errorf(a.off, field, "its first extent is missing")
	}
	if a.flags&attrCompressed != 0 {
		if m := a.flags & attrCompressed; m != 1 {
			return s, binread.Errorf(a.off+12, field, "compression method %d: %w", m, errors.ErrUnsupported)
		}
		if a.unit == 0 || a.unit > 12 || f.geo.cluster<<a.unit > maxUnit {
			return s, binread.Errorf(a.off+34, field, "compression unit of 2^%d clusters", a.unit)
		}
		s.unit = 1 << a.unit
	}
	vcn, err := s.join(ext)
	if end := vcn * f.geo.cluster; err == nil && end < s.size {
		err = binread.Errorf(a.off+48, field, "size of %d bytes, but clusters for %d", s.size, end)
	}
	if err != nil {
		s.size = min(s.size, vcn*f.geo.cluster)
		s.init = min(s.init, s.size)
	}
	return s, err
}

// join adds the runs of the extents and returns how many clusters they hold.
func (s *stream) join(ext []attribute) (vcn int64, err error) {
	allocated := int64(0)
	for i := range ext {
		e := &ext[i]
		if e.resident {
			return vcn, binread.Errorf(e.off, s.field, "a resident extent among others")
		}
		if e.start != vcn {
			return vcn, binread.Errorf(e.off+16, s.field, "extent starts at cluster %d, not %d", e.start, vcn)
		}
		n := len(s.runs)
		s.runs, err = appendRuns(s.runs, e.pairs, vcn, s.f.geo.clusters, e.pairsOff)
		for _, r := range s.runs[max(0, n-1):] {
			if r.vcn+r.n > vcn && r.lcn >= 0 {
				allocated += r.vcn + r.n - max(vcn, r.vcn)
			}
		}
		if k := len(s.runs); k > 0 {
			vcn = s.runs[k-1].vcn + s.runs[k-1].n
		}
		if err == nil && e.last != vcn-1 {
			err = binread.Errorf(e.off+24, s.field, "extent ends at cluster %d, its runs at %d", e.last, vcn-1)
		}
		if err == nil && allocated > s.f.geo.clusters {
			err = binread.Errorf(e.pairsOff, s.field, "%d clusters in a volume of %d", allocated, s.f.geo.clusters)
		}
		if err != nil {
			return vcn, err
		}
	}
	return vcn, nil
}

// ReadAt implements io.ReaderAt. It never returns zeros for data it cannot read.
func (s *stream) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("negative offset %d: %w", off, fs.ErrInvalid)
	}
	if off >= s.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > s.size-off {
		p, end = p[:s.size-off], io.EOF
	}
	data := p[:max(0, min(int64(len(p)), s.init-off))]
	switch {
	case s.value != nil:
		copy(data, s.value[min(off, s.init):])
	case s.unit > 0:
		n, err = s.readUnits(data, off)
	default:
		n, err = s.read(data, off)
	}
	if err != nil {
		return n, err
	}
	clear(p[len(data):])
	return len(p), end
}

// read reads clusters as they lie on the disk.
func (s *stream) read(p []byte, off int64) (n int, err error) {
	c := s.f.geo.cluster
	for i := search(s.runs, off/c); n < len(p); i++ {
		if i >= len(s.runs) {
			return n, binread.Errorf(-1, s.field, "byte %d lies beyond its clusters", off+int64(n))
		}
		r := s.runs[i]
		in := off + int64(n) - r.vcn*c
		b := p[n:min(int64(len(p)), int64(n)+r.n*c-in)]
		if r.lcn < 0 {
			clear(b)
		} else if k, err := s.f.readAt(b, r.lcn*c+in, s.field); err != nil {
			return n + k, err // what can be read before a bad sector counts
		}
		n += len(b)
	}
	return n, nil
}

// readAt reads len(b) bytes of the volume, or says how many there are.
func (f *FS) readAt(b []byte, off int64, field string) (int, error) {
	n, err := f.r.ReadAt(b, off)
	switch {
	case n == len(b):
		return n, nil
	case err == nil || err == io.EOF:
		err = binread.ErrTruncated
	}
	return n, binread.Errorf(off+int64(n), field, "need %d bytes, have %d: %w", len(b), n, err)
}

func (s *stream) readUnits(p []byte, off int64) (n int, err error) {
	size := s.unit * s.f.geo.cluster
	for n < len(p) {
		u := (off + int64(n)) / size
		d := s.last.Load()
		if d == nil || d.n != u {
			b, err := s.decompress(u)
			if err != nil {
				return n, err
			}
			d = &unitData{u, b}
			s.last.Store(d)
		}
		n += copy(p[n:], d.b[off+int64(n)-u*size:])
	}
	return n, nil
}

// decompress returns compression unit u. Its clusters lie at the start of the
// unit: all of them if it is stored as it is, none if it is a hole.
func (s *stream) decompress(u int64) ([]byte, error) {
	c := s.f.geo.cluster
	out := make([]byte, s.unit*c)
	first := u * s.unit
	used, hole, where := int64(0), false, int64(-1) // where the unit starts in the volume
	for i, v := search(s.runs, first), first; v < first+s.unit && i < len(s.runs); i++ {
		k := min(s.runs[i].vcn+s.runs[i].n, first+s.unit) - v
		switch {
		case s.runs[i].lcn < 0:
			hole = true
		case hole:
			return nil, binread.Errorf((s.runs[i].lcn+v-s.runs[i].vcn)*c, s.field, "compression unit %d has clusters behind a hole", u)
		default:
			if used == 0 {
				where = (s.runs[i].lcn + v - s.runs[i].vcn) * c
			}
			used += k
		}
		v += k
	}
	if used == 0 {
		return out, nil
	}
	if !hole { // also a last unit that its runs cut short
		_, err := s.read(out[:used*c], first*c)
		return out, err
	}
	in := make([]byte, used*c)
	if _, err := s.read(in, first*c); err != nil {
		return nil, err
	}
	end, made, err := lznt1(out, in)
	if err == nil && int64(end) <= (used-1)*c && int64(made) < min(s.unit*c, s.init-first*c) {
		err = errLZNT1 // an end mark, but clusters behind it that were needed once
	}
	if err != nil {
		return nil, binread.Errorf(where+int64(end), s.field, "compression unit %d: %w", u, err)
	}
	return out, nil
}

// volumeOffset returns where byte off of the stream lies in the volume, or -1
// if it does not lie there as it is.
func (s *stream) volumeOffset(off int64) int64 {
	switch {
	case off < 0 || off >= s.init || s.unit > 0:
		return -1
	case s.value != nil:
		return s.off + off
	}
	c := s.f.geo.cluster
	i := search(s.runs, off/c)
	if i == len(s.runs) || s.runs[i].lcn < 0 {
		return -1
	}
	return s.runs[i].lcn*c + off - s.runs[i].vcn*c
}
