package container

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"sharetrail/parsers/binread"
)

// Virtual Hard Disk (Microsoft, "Virtual Hard Disk Image Format Specification",
// 1.0). Numbers are big-endian.

const (
	vhdFixed, vhdDynamic, vhdDiff = 2, 3, 4
	vhdFree                       = 1<<32 - 1
)

func isFooter(b []byte) bool { return bytes.HasPrefix(b, []byte("conectix")) }

// vhdSum reports whether the ones' complement of the byte sum stands at off.
func vhdSum(b []byte, off int) bool {
	var sum uint32
	for i, c := range b {
		if i < off || i >= off+4 {
			sum += uint32(c)
		}
	}
	return ^sum == be.Uint32(b[off:])
}

// vhdFooter returns the footer. A dynamic disk has a copy of it in front.
func vhdFooter(f *file) (b []byte, warn error, err error) {
	for _, n := range []int64{512, 511} { // old Virtual PC wrote 511 bytes
		if f.size < n {
			break
		}
		b = make([]byte, 512)
		if err := f.full(b[:n], f.size-n, "footer"); err != nil {
			return nil, nil, err
		}
		if isFooter(b) {
			break
		}
	}
	if len(b) > 0 && isFooter(b) && vhdSum(b, 64) {
		return b, nil, nil
	}
	damaged := f.errorf(max(f.size-512, 0), "footer", "missing or its checksum differs; the file may be cut short")
	c, err := f.get(0, 512, "footer copy")
	if err != nil {
		return nil, nil, err
	}
	if isFooter(c) && vhdSum(c, 64) {
		return c, fmt.Errorf("the copy of the footer is used: %w", damaged), nil
	}
	// A fixed disk is all there is before the footer: nothing else is needed.
	if len(b) > 0 && isFooter(b) && be.Uint32(b[60:]) == vhdFixed && int64(be.Uint64(b[48:])) == f.size/512*512-512 {
		return b, damaged, nil
	}
	return nil, nil, damaged
}

func openVHD(f *file, d *folder) (*image, error) {
	b, warn, err := vhdFooter(f)
	if err != nil {
		return nil, err
	}
	size, kind := int64(be.Uint64(b[48:])), be.Uint32(b[60:])
	if size <= 0 || size > maxDisk {
		return nil, f.errorf(-1, "current size", "%d bytes", size)
	}
	im := &image{size: size, id: b[68:84]}
	if warn != nil {
		im.warn = append(im.warn, warn)
	}
	switch kind {
	case vhdFixed:
		if size > f.size {
			return nil, f.errorf(f.size, "disk", "the file is cut short: the disk has %d bytes: %w", size, binread.ErrTruncated)
		}
		im.ReaderAt = pieces{}.add(section{f, 0, "disk"}, size)
		return im, nil
	case vhdDynamic, vhdDiff:
	default:
		return nil, f.errorf(-1, "disk type", "%d: %w", kind, ErrUnsupported)
	}
	h, err := f.get(int64(be.Uint64(b[16:])), 1024, "dynamic disk header")
	if err != nil {
		return nil, err
	}
	if off := int64(be.Uint64(b[16:])); string(h[:8]) != "cxsparse" || !vhdSum(h, 36) {
		return nil, f.errorf(off, "dynamic disk header", "signature %q, or its checksum differs", h[:8])
	}
	v, err := newVHD(f, h, size)
	if err != nil {
		return nil, err
	}
	if kind == vhdDiff {
		if v.parent, err = vhdParent(f, h, d); err != nil {
			return nil, err
		}
		im.warn = append(im.warn, v.parent.warn...)
	}
	im.warn = append(im.warn, badBlocks(f, v.table, v.bad)...)
	im.ReaderAt = &blocks{size, v.block, v.read}
	return im, nil
}

// badBlocks warns of blocks that share a place.
func badBlocks(f *file, table int64, bad map[int64]bool) []error {
	if len(bad) == 0 {
		return nil
	}
	return []error{f.errorf(table, "block table", "%d blocks lie over each other: reading them is an error", len(bad))}
}

type vhd struct {
	f      *file
	block  int64  // bytes of a block's data
	bitmap int64  // bytes of the bitmap before it
	table  int64  // offset of the block table
	bat    []byte // big-endian sector numbers
	bad    map[int64]bool
	parent *image // nil unless differencing
}

func newVHD(f *file, h []byte, size int64) (*vhd, error) {
	v := &vhd{f: f, block: int64(be.Uint32(h[32:])), table: int64(be.Uint64(h[16:]))}
	n := int64(be.Uint32(h[28:]))
	if v.block < 512 || v.block&(v.block-1) != 0 {
		return nil, f.errorf(-1, "block size", "%d bytes", v.block)
	}
	need := (size + v.block - 1) / v.block
	if n < need {
		return nil, f.errorf(-1, "table entries", "%d, a disk of %d bytes needs %d", n, size, need)
	}
	v.bitmap = (v.block/512/8 + 511) / 512 * 512
	var err error
	if v.bat, err = f.get(v.table, 4*need, "block table"); err != nil {
		return nil, err
	}
	at := make([]int64, need)
	for i := range at {
		at[i] = -1
		if s := be.Uint32(v.bat[4*i:]); s != vhdFree {
			at[i] = int64(s) * 512
		}
	}
	v.bad = overlaps(at, v.bitmap+v.block)
	return v, nil
}

func (v *vhd) read(p []byte, n, in int64) error {
	s := be.Uint32(v.bat[4*n:])
	switch {
	case s == vhdFree && v.parent == nil:
		clear(p)
		return nil
	case s == vhdFree:
		return fromDisk(v.parent, v.parent.size, p, n*v.block+in)
	case v.bad[n]:
		return v.f.errorf(v.table+4*n, "block table", "block %d lies over another one", n)
	}
	at := int64(s) * 512
	data := at + v.bitmap
	if v.parent == nil {
		// The bitmap of a dynamic disk says which sectors were written; the rest
		// is zeros in the block too, and not every writer sets the bits.
		return v.f.full(p, data+in, "block")
	}
	bits, err := v.f.get(at, v.bitmap, "sector bitmap")
	if err != nil {
		return err
	}
	for len(p) > 0 {
		k, own := run(in, int64(len(p)), 512, func(i int64) bool { return bits[i/8]>>(7-i%8)&1 != 0 })
		if own {
			err = v.f.full(p[:k], data+in, "block")
		} else {
			err = fromDisk(v.parent, v.parent.size, p[:k], n*v.block+in)
		}
		if err != nil {
			return err
		}
		p, in = p[k:], in+k
	}
	return nil
}

// run returns how many of n bytes from offset in on lie in sectors of the same
// state, and that state.
func run(in, n, sector int64, set func(i int64) bool) (int64, bool) {
	i, k := in/sector, sector-in%sector
	own := set(i)
	for k < n {
		if i++; set(i) != own {
			break
		}
		k += sector
	}
	return min(k, n), own
}

// vhdParent opens the disk that a differencing disk builds on.
func vhdParent(f *file, h []byte, d *folder) (*image, error) {
	var paths []string
	for i := range 8 { // locators give the path on the computer of origin; its last element counts
		l := h[576+24*i:]
		code, n, off := string(l[:4]), int64(be.Uint32(l[8:])), int64(be.Uint64(l[16:]))
		if code != "W2ru" && code != "W2ku" || n > 4096 {
			continue
		}
		if b, err := f.get(off, n, "parent locator"); err == nil {
			paths = append(paths, utf16Text(b))
		}
	}
	if name := utf16Big(h[64:576]); name != "" {
		paths = append(paths, name)
	}
	p, pf, err := d.parent("vhd", distinct(paths)...)
	if err != nil {
		return nil, f.errorf(-1, "differencing disk", "%w", err)
	}
	if !bytes.Equal(p.id, h[40:56]) {
		return nil, f.errorf(-1, "parent unique id", "%x, but %q has %x: it is not the parent", h[40:56], pf.name, p.id)
	}
	return p, nil
}

// distinct returns the paths whose last elements differ.
func distinct(paths []string) (out []string) {
	seen := map[string]bool{}
	for _, p := range paths {
		if k := strings.ToLower(baseName(p)); k != "" && !seen[k] {
			seen[k] = true
			out = append(out, p)
		}
	}
	return out
}

// utf16Big decodes big-endian UTF-16 up to a NUL.
func utf16Big(b []byte) string {
	var u []uint16
	for i := 0; i+1 < len(b) && be.Uint16(b[i:]) != 0; i += 2 {
		u = append(u, be.Uint16(b[i:]))
	}
	return string(utf16.Decode(u))
}
