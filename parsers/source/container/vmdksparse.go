package container

import (
	"fmt"
)

// A sparse is a sparse extent of a VMDK: a directory of tables of grains
// (VMware, "Virtual Disk Format 5.0", "Hosted Sparse Extents" and
// "Stream-Optimized Compressed Sparse Extents").
type sparse struct {
	f      *file
	size   int64 // of the extent, in bytes
	grain  int64 // bytes
	per    int64 // grains of a table
	packed bool  // grains are deflated, each with a marker before it
	zeroed bool  // entry 1 is a grain of zeros
	dir    []byte
	spare  []byte // the directory's copy, nil if there is none
	warn   []error
	cut    *vmdkScan // of a stream without its end; nil if it is there
	tables cache
	grains cache
}

const (
	vmdkRedundant = 1 << 1
	vmdkZeroed    = 1 << 2
	vmdkPacked    = 1 << 16
	vmdkMarkers   = 1 << 17
	vmdkAtEnd     = 1<<64 - 1
)

// sparseHeader reads the header at off.
func sparseHeader(f *file, off int64) ([]byte, error) {
	h := make([]byte, 512)
	if err := f.full(h, off, "header"); err != nil {
		return nil, err
	}
	if string(h[:4]) != "KDMV" {
		return nil, f.errorf(off, "header", "signature %q", h[:4])
	}
	return h, nil
}

func newSparse(f *file) (*sparse, error) {
	h, err := sparseHeader(f, 0)
	if err != nil {
		return nil, err
	}
	at := int64(0)
	var cut error
	if le.Uint64(h[56:]) == vmdkAtEnd { // written as a stream: the tables are known at its end
		if footer, err := sparseHeader(f, f.size-1024); err != nil {
			cut = fmt.Errorf("footer with the place of the tables: %w", err)
		} else {
			h, at = footer, f.size-1024
		}
	}
	flags := le.Uint32(h[8:])
	sectors, grain, per := le.Uint64(h[12:]), le.Uint64(h[20:]), int64(le.Uint32(h[44:]))
	s := &sparse{
		f: f, per: per, packed: flags&vmdkPacked != 0, zeroed: flags&vmdkZeroed != 0,
		tables: cache{max: 4 << 20}, grains: cache{max: 16 << 20},
	}
	switch v := le.Uint32(h[4:]); {
	case v < 1 || v > 3:
		return nil, f.errorf(at+4, "version", "%d: %w", v, ErrUnsupported)
	case sectors > maxDisk/512:
		return nil, f.errorf(at+12, "capacity", "%d sectors", sectors)
	case grain < 1 || grain > 1<<14 || grain&(grain-1) != 0:
		return nil, f.errorf(at+20, "grain size", "%d sectors", grain)
	case per < 1 || per > 1<<16:
		return nil, f.errorf(at+44, "entries of a grain table", "%d", per)
	case s.packed && le.Uint16(h[77:]) != 1:
		return nil, f.errorf(at+77, "compression", "method %d: %w", le.Uint16(h[77:]), ErrUnsupported)
	case s.packed && flags&vmdkMarkers == 0:
		return nil, f.errorf(at+8, "flags", "deflated grains without markers: %w", ErrUnsupported)
	}
	s.size, s.grain = int64(sectors)*512, int64(grain)*512
	if h[72] != 0 {
		s.warn = append(s.warn, f.errorf(at+72, "unclean shutdown", "the disk was in use: what was written last may be missing"))
	}
	if cut != nil {
		return s, s.scan(le.Uint64(h[64:]), cut)
	}
	return s, s.directories(at, flags, le.Uint64(h[56:]), le.Uint64(h[48:]))
}

// directories reads the grain directory and its copy.
func (s *sparse) directories(at int64, flags uint32, gd, rgd uint64) error {
	cover := s.grain * s.per
	n := (s.size + cover - 1) / cover * 4
	read := func(off int64, sector uint64) ([]byte, error) {
		if sector == 0 || sector > maxDisk/512 {
			return nil, s.f.errorf(off, "grain directory", "at sector %d", sector)
		}
		return s.f.get(int64(sector)*512, n, "grain directory")
	}
	var err, err2 error
	s.dir, err = read(at+56, gd)
	if flags&vmdkRedundant != 0 && rgd != 0 {
		s.spare, err2 = read(at+48, rgd)
	}
	switch {
	case err != nil && err2 == nil && s.spare != nil:
		s.dir, s.spare = s.spare, nil
		s.warn = append(s.warn, fmt.Errorf("the redundant grain directory is used: %w", err))
	case err != nil:
		return err
	case err2 != nil:
		s.spare = nil
		s.warn = append(s.warn, fmt.Errorf("the redundant grain directory is not compared: %w", err2))
	}
	return nil
}

func (s *sparse) disk() *blocks { return &blocks{s.size, s.grain, s.read} }

func (s *sparse) read(p []byte, n, in int64) error {
	g, at, err := s.entry(s.dir, n)
	if err != nil {
		return err
	}
	if s.spare != nil {
		// Nothing else tells a damaged entry: the tables have no checksum.
		if g2, at2, err := s.entry(s.spare, n); err == nil && g != g2 {
			return s.f.errorf(at, "grain table entry", "sector %d, but sector %d in its copy at %#x", g, g2, at2)
		}
	}
	switch {
	case g == 0, g == 1 && s.zeroed:
		clear(p)
		return nil
	case !s.packed:
		return s.f.full(p, g*512+in, "grain")
	}
	b, err := s.grains.get(n, func() ([]byte, error) { return s.unpack(g*512, n) })
	if err != nil {
		return err
	}
	copy(p, b[in:])
	return nil
}

// entry returns the sector of grain n, 0 if it was never written, and where a
// table says so.
func (s *sparse) entry(dir []byte, n int64) (sector, at int64, err error) {
	if s.cut != nil {
		if sector, at, ok, err := s.cut.entry(s, n); ok {
			return sector, at, err
		}
	}
	t := int64(le.Uint32(dir[4*(n/s.per):])) * 512
	if t == 0 {
		return 0, 0, nil
	}
	b, err := s.tables.get(t, func() ([]byte, error) { return s.f.get(t, 4*s.per, "grain table") })
	if err != nil {
		return 0, 0, err
	}
	k := 4 * (n % s.per)
	return int64(le.Uint32(b[k:])), t + k, nil
}

// unpack inflates the grain n whose marker is at off.
func (s *sparse) unpack(off, n int64) ([]byte, error) {
	m := make([]byte, 12)
	if err := s.f.full(m, off, "grain marker"); err != nil {
		return nil, err
	}
	if lba := le.Uint64(m); lba != uint64(n*(s.grain/512)) {
		return nil, s.f.errorf(off, "grain marker", "is that of sector %d, not %d", lba, n*(s.grain/512))
	}
	size := int64(le.Uint32(m[8:]))
	if size > 2*s.grain+4096 {
		return nil, s.f.errorf(off+8, "grain marker", "a grain of %d bytes", size)
	}
	c, err := s.f.get(off+12, size, "grain")
	if err != nil {
		return nil, err
	}
	b, err := unzlib(c, make([]byte, s.grain), min(s.grain, s.size-n*s.grain))
	if err != nil {
		return nil, s.f.errorf(off+12, "grain", "%w", err)
	}
	return b, nil
}
