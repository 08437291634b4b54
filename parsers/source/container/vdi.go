package container

// VirtualBox Disk Image, version 1.1 (VirtualBox, VDICore.h).

const (
	vdiFree = 1<<32 - 1 // never written
	vdiZero = 1<<32 - 2
)

func openVDI(f *file) (*image, error) {
	h, err := f.get(0, 512, "header")
	if err != nil {
		return nil, err
	}
	if v := le.Uint32(h[68:]); v>>16 != 1 {
		return nil, f.errorf(68, "version", "%d.%d: %w", v>>16, v&0xffff, ErrUnsupported)
	}
	switch kind := le.Uint32(h[76:]); kind {
	case 1, 2: // dynamic, fixed
	case 3, 4:
		return nil, f.errorf(76, "type", "a snapshot, which holds only what changed since its parent; clone the disk with VBoxManage clonemedium, and point at the clone: %w", ErrUnsupported)
	default:
		return nil, f.errorf(76, "type", "%d: %w", kind, ErrUnsupported)
	}
	v := &vdi{f: f, table: int64(le.Uint32(h[340:])), data: int64(le.Uint32(h[344:])), block: int64(le.Uint32(h[376:])), extra: int64(le.Uint32(h[380:]))}
	size, n, used := int64(le.Uint64(h[368:])), int64(le.Uint32(h[384:])), int64(le.Uint32(h[388:]))
	switch {
	case size <= 0 || size > maxDisk:
		return nil, f.errorf(368, "disk size", "%d bytes", size)
	case v.block < 512 || v.block > 1<<30 || v.block&(v.block-1) != 0:
		return nil, f.errorf(376, "block size", "%d bytes", v.block)
	case v.extra > 1<<30:
		return nil, f.errorf(380, "block extra size", "%d bytes", v.extra)
	case n < (size+v.block-1)/v.block:
		return nil, f.errorf(384, "blocks", "%d blocks of %d bytes for a disk of %d", n, v.block, size)
	}
	n = (size + v.block - 1) / v.block
	if v.list, err = f.get(v.table, 4*n, "block table"); err != nil {
		return nil, err
	}
	im := &image{ReaderAt: &blocks{size, v.block, v.read}, size: size}
	at := make([]int64, n)
	var have int64
	for i := range at {
		at[i] = -1
		if x := le.Uint32(v.list[4*i:]); x < vdiZero {
			at[i] = int64(x)
			have++
		}
	}
	v.bad = overlaps(at, 1)
	if have != used {
		im.warn = append(im.warn, f.errorf(388, "allocated blocks", "%d, but the block table lists %d", used, have))
	}
	im.warn = append(im.warn, badBlocks(f, v.table, v.bad)...)
	return im, nil
}

type vdi struct {
	f            *file
	table, data  int64 // offsets of the block table and of the first block
	block, extra int64 // bytes of a block's data, and of what is before them
	list         []byte
	bad          map[int64]bool
}

func (v *vdi) read(p []byte, n, in int64) error {
	switch x := le.Uint32(v.list[4*n:]); {
	case x >= vdiZero:
		clear(p)
		return nil
	case v.bad[n]:
		return v.f.errorf(v.table+4*n, "block table", "block %d lies over another one", n)
	default:
		return v.f.full(p, v.data+int64(x)*(v.block+v.extra)+v.extra+in, "block")
	}
}
