package container

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// QEMU copy-on-write, version 2 and 3 (QEMU, docs/interop/qcow2.txt). Numbers
// are big-endian.

const (
	qcowOffset = 0x00fffffffffffe00 // of a cluster, in entries of both levels
	qcowPacked = 1 << 62
	qcowCopied = 1 << 63
	qcowZero   = 1
)

// The incompatible features.
const (
	qcowDirty, qcowCorrupt, qcowExternal, qcowMethod, qcowExtended = 1, 2, 4, 8, 16
)

type qcow2 struct {
	f       *file
	size    int64
	bits    uint  // of the cluster size
	cluster int64 // bytes
	v3      bool
	zstd    bool
	l1At    int64
	l1      []byte
	backing *image // nil if there is none
	tables  cache
	data    cache
}

func openQCOW2(f *file, d *folder) (*image, error) {
	h := make([]byte, 112)
	if err := f.full(h[:72], 0, "header"); err != nil {
		return nil, err
	}
	q := &qcow2{f: f, bits: uint(be.Uint32(h[20:])), size: int64(be.Uint64(h[24:])), l1At: int64(be.Uint64(h[40:]))}
	q.tables.max, q.data.max = 8<<20, 16<<20
	im := &image{size: q.size}
	switch v := be.Uint32(h[4:]); v {
	case 2:
	case 3:
		q.v3 = true
		if err := q.features(h, im); err != nil {
			return nil, err
		}
	default:
		return nil, f.errorf(4, "version", "%d; convert it with qemu-img convert -O qcow2: %w", v, ErrUnsupported)
	}
	switch {
	case q.bits < 9 || q.bits > 21:
		return nil, f.errorf(20, "cluster bits", "%d", q.bits)
	case q.size < 0 || q.size > maxDisk:
		return nil, f.errorf(24, "size", "%d bytes", q.size)
	case be.Uint32(h[32:]) != 0:
		return nil, f.errorf(32, "encryption", "method %d; decrypt it with qemu-img convert: %w", be.Uint32(h[32:]), ErrUnsupported)
	}
	if n := be.Uint32(h[60:]); n > 0 {
		im.warn = append(im.warn, f.errorf(60, "snapshots", "%d internal snapshots are not read: only the current state is", n))
	}
	q.cluster = 1 << q.bits
	per := q.cluster / 8 * q.cluster // bytes of the disk that one table maps
	need := (q.size + per - 1) / per
	if n := int64(be.Uint32(h[36:])); n < need {
		return nil, f.errorf(36, "level 1 entries", "%d, a disk of %d bytes needs %d", n, q.size, need)
	}
	var err error
	if q.l1, err = f.get(q.l1At, 8*need, "level 1 table"); err != nil {
		return nil, err
	}
	if err := q.openBacking(h, d); err != nil {
		return nil, err
	}
	if q.backing != nil {
		im.warn = append(im.warn, q.backing.warn...)
	}
	im.ReaderAt = &blocks{q.size, q.cluster, q.read}
	return im, nil
}

// features reads what version 3 adds to the header.
func (q *qcow2) features(h []byte, im *image) error {
	if err := q.f.full(h[:104], 0, "header"); err != nil {
		return err
	}
	set := be.Uint64(h[72:])
	switch {
	case set&qcowExternal != 0:
		return q.f.errorf(72, "incompatible features", "the data is in an external file; convert the image with qemu-img convert: %w", ErrUnsupported)
	case set&qcowExtended != 0:
		return q.f.errorf(72, "incompatible features", "extended level 2 entries; convert the image with qemu-img convert: %w", ErrUnsupported)
	case set&^(qcowDirty|qcowCorrupt|qcowMethod) != 0:
		return q.f.errorf(72, "incompatible features", "%#x: %w", set, ErrUnsupported)
	}
	if set&qcowDirty != 0 {
		im.warn = append(im.warn, q.f.errorf(72, "incompatible features", "the disk was in use (dirty)"))
	}
	if set&qcowCorrupt != 0 {
		im.warn = append(im.warn, q.f.errorf(72, "incompatible features", "the image is marked as corrupt"))
	}
	if set&qcowMethod != 0 {
		if err := q.f.full(h[104:105], 104, "compression type"); err != nil {
			return err
		}
		switch h[104] {
		case 0:
		case 1:
			q.zstd = true
		default:
			return q.f.errorf(104, "compression type", "%d: %w", h[104], ErrUnsupported)
		}
	}
	return nil
}

// openBacking opens the image that is below this one.
func (q *qcow2) openBacking(h []byte, d *folder) error {
	off, n := int64(be.Uint64(h[8:])), int64(be.Uint32(h[16:]))
	if off == 0 {
		return nil
	}
	if n < 1 || n > 1023 {
		return q.f.errorf(16, "backing file name", "%d bytes", n)
	}
	b, err := q.f.get(off, n, "backing file name")
	if err != nil {
		return err
	}
	name := strings.TrimPrefix(string(b), "file:")
	if strings.HasPrefix(name, "json:") || strings.Contains(name, "://") {
		return q.f.errorf(off, "backing file name", "%q is no file; convert the image with qemu-img convert: %w", name, ErrUnsupported)
	}
	kind, err := q.backingKind(h)
	if err != nil {
		return err
	}
	if q.backing, _, err = d.parent(kind, name); err != nil {
		return q.f.errorf(off, "backing file", "%w", err)
	}
	return nil
}

// backingKind returns the format that a header extension gives for the backing
// file, "" if it gives none. A raw disk must not be taken for what its content
// looks like.
func (q *qcow2) backingKind(h []byte) (string, error) {
	at := int64(72)
	if q.v3 {
		at = int64(be.Uint32(h[100:]))
	}
	for range 64 {
		e := make([]byte, 8)
		if err := q.f.full(e, at, "header extension"); err != nil {
			return "", err
		}
		kind, n := be.Uint32(e), int64(be.Uint32(e[4:]))
		if kind == 0 || at+8+n > q.cluster {
			return "", nil
		}
		if kind == 0xe2792aca {
			b, err := q.f.get(at+8, n, "backing format")
			if err != nil {
				return "", err
			}
			switch name := string(b); name {
			case "raw", "qcow2", "vmdk", "vhdx", "vdi":
				return name, nil
			case "vpc":
				return "vhd", nil
			default:
				return "", q.f.errorf(at+8, "backing format", "%q: %w", name, ErrUnsupported)
			}
		}
		at += 8 + (n+7)&^7
	}
	return "", nil
}

func (q *qcow2) read(p []byte, n, in int64) error {
	per := q.cluster / 8
	at := q.l1At + 8*(n/per)
	e := be.Uint64(q.l1[8*(n/per):])
	if e&^(qcowOffset|qcowCopied) != 0 || e&qcowOffset&uint64(q.cluster-1) != 0 {
		return q.f.errorf(at, "level 1 entry", "%#x", e)
	}
	l2 := int64(e & qcowOffset)
	if l2 == 0 {
		return q.below(p, n*q.cluster+in)
	}
	list, err := q.tables.get(l2, func() ([]byte, error) { return q.f.get(l2, q.cluster, "level 2 table") })
	if err != nil {
		return err
	}
	at, e = l2+8*(n%per), be.Uint64(list[8*(n%per):])
	if e&qcowPacked != 0 {
		b, err := q.data.get(n, func() ([]byte, error) { return q.unpack(e, at) })
		if err != nil {
			return err
		}
		copy(p, b[in:])
		return nil
	}
	off, zero := int64(e&qcowOffset), uint64(0)
	if q.v3 {
		zero = qcowZero
	}
	if e&^(qcowOffset|qcowCopied|zero) != 0 || off&(q.cluster-1) != 0 {
		return q.f.errorf(at, "level 2 entry", "%#x", e)
	}
	switch {
	case e&zero != 0:
		clear(p)
		return nil
	case off == 0:
		return q.below(p, n*q.cluster+in)
	}
	return q.f.full(p, off+in, "cluster")
}

// below reads what this image does not have.
func (q *qcow2) below(p []byte, off int64) error {
	if q.backing == nil {
		clear(p)
		return nil
	}
	return fromDisk(q.backing, q.backing.size, p, off)
}

// unpack reads the compressed cluster of the level 2 entry e at offset at.
func (q *qcow2) unpack(e uint64, at int64) ([]byte, error) {
	bits := 62 - (q.bits - 8)
	off := int64(e & (1<<bits - 1))
	n := (int64(e>>bits&(1<<(q.bits-8)-1))+1)*512 - off&511
	if e&qcowCopied != 0 || off == 0 || off >= q.f.size {
		return nil, q.f.errorf(at, "level 2 entry", "%#x: a compressed cluster at %#x", e, off)
	}
	// The last sector of the file need not be whole.
	c, err := q.f.get(off, min(n, q.f.size-off), "compressed cluster")
	if err != nil {
		return nil, err
	}
	var b []byte
	if q.zstd {
		b, err = unzstd(c, q.cluster)
	} else {
		b, err = unflate(c, q.cluster)
	}
	if err != nil {
		return nil, q.f.errorf(off, "compressed cluster", "%w", err)
	}
	return b, nil
}

var zstds sync.Pool // of *zstd.Decoder

// unzstd decompresses exactly n bytes. What follows them is not looked at.
func unzstd(c []byte, n int64) (b []byte, err error) {
	defer caught(&err)
	z, _ := zstds.Get().(*zstd.Decoder)
	if z == nil {
		// One goroutine, so that an abandoned decoder needs no closing.
		z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(64<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, plain(err)
		}
	}
	if err := z.Reset(bytes.NewReader(c)); err != nil {
		return nil, plain(err)
	}
	defer zstds.Put(z)
	b = make([]byte, n)
	if k, err := io.ReadFull(z, b); err != nil {
		return nil, fmt.Errorf("%d of %d bytes: %v", k, n, err)
	}
	return b, nil
}
