package container

import (
	"fmt"
	"hash/crc32"
)

// Hyper-V Virtual Hard Disk ([MS-VHDX] 2.2 to 2.6).

const vhdxMaxLog = 16 << 20 // bytes; Hyper-V makes it 1 MiB

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c reports whether the CRC-32C over b, with its own field as zeros, stands
// at offset 4.
func crc32c(b []byte) bool {
	sum := crc32.Checksum(b[:4], castagnoli)
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	return crc32.Update(sum, castagnoli, b[8:]) == le.Uint32(b[4:])
}

const (
	vhdxBAT       = "2dc27766-f623-4200-9d64-115e9bfd4a08"
	vhdxMetadata  = "8b7ca206-4790-4b9a-b8fe-575f050f886e"
	vhdxParams    = "caa16737-fa36-4d43-b3b6-33f0aa44e76b"
	vhdxSize      = "2fa54224-cd1b-4876-b211-5dbed83bf4b8"
	vhdxPage83    = "beca12ab-b2e6-4523-93ef-c309e000c746"
	vhdxLogical   = "8141bf1d-a96f-4709-ba47-f233a8faab5f"
	vhdxPhysical  = "cda348c7-445d-4471-9cc9-e9885251c556"
	vhdxLocator   = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"
	vhdxLocatorIs = "b04aefb7-d19e-4a81-b789-25b8e9445913"
)

// guid writes a GUID of Windows.
func guid(b []byte) string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

type vhdx struct {
	f      *file
	header []byte // the current one
	warn   []error

	bat, metadata span // regions
	block, size   int64
	sector        int64 // logical, in bytes
	ratio         int64 // payload blocks of a chunk, after which the table has a bitmap block
	differs       bool
	locator       map[string]string

	table  []byte
	bad    map[int64]bool
	parent *image
	maps   cache // sector bitmaps
}

func openVHDX(f *file, d *folder) (*image, error) {
	v := &vhdx{f: f, maps: cache{max: 4 << 20}}
	for _, step := range []func() error{v.headers, v.replay, v.regions, v.items, v.blockTable} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	im := &image{size: v.size, id: v.header[32:48]}
	if v.differs {
		var err error
		if v.parent, err = v.openParent(d); err != nil {
			return nil, err
		}
		v.warn = append(v.warn, v.parent.warn...)
	}
	im.ReaderAt, im.warn = &blocks{v.size, v.block, v.read}, v.warn
	return im, nil
}

// headers takes the header with the higher sequence number.
func (v *vhdx) headers() error {
	var bad error
	for _, off := range []int64{64 << 10, 128 << 10} {
		h, err := v.f.get(off, 4096, "header")
		switch {
		case err != nil:
			bad = err
		case string(h[:4]) != "head" || !crc32c(h):
			bad = v.f.errorf(off, "header", "signature or checksum differs")
		case v.header == nil || le.Uint64(h[8:]) > le.Uint64(v.header[8:]):
			v.header = h
		}
	}
	if v.header == nil {
		return bad
	}
	if bad != nil {
		v.warn = append(v.warn, fmt.Errorf("the other header is used, which may be older: %w", bad))
	}
	if n := le.Uint16(v.header[66:]); n != 1 {
		return v.f.errorf(-1, "version", "%d: %w", n, ErrUnsupported)
	}
	return nil
}

// regions finds the block table and the metadata.
func (v *vhdx) regions() error {
	var table []byte
	var bad error
	at := int64(0)
	for _, off := range []int64{192 << 10, 256 << 10} {
		b, err := v.f.get(off, 64<<10, "region table")
		if err == nil && (string(b[:4]) != "regi" || !crc32c(b)) {
			err = v.f.errorf(off, "region table", "signature or checksum differs")
		}
		if err != nil {
			bad = err
		} else if table == nil {
			table, at = b, off
		}
	}
	if table == nil {
		return bad
	}
	if bad != nil {
		v.warn = append(v.warn, fmt.Errorf("the copy of the region table is used: %w", bad))
	}
	n := int64(le.Uint32(table[8:]))
	if n > 2047 {
		return v.f.errorf(at+8, "region table", "%d entries", n)
	}
	for i := range n {
		e := table[16+32*i:]
		s := span{int64(le.Uint64(e[16:])), int64(le.Uint32(e[24:]))}
		s.end += s.start
		switch id := guid(e); {
		case s.start < 0 || s.start > maxDisk:
			return v.f.errorf(at+16+32*i, "region table", "region at %#x", s.start)
		case id == vhdxBAT:
			v.bat = s
		case id == vhdxMetadata:
			v.metadata = s
		case le.Uint32(e[28:])&1 != 0:
			return v.f.errorf(at+16+32*i, "region table", "required region %s: %w", id, ErrUnsupported)
		}
	}
	if v.bat.start == 0 || v.metadata.start == 0 {
		return v.f.errorf(at, "region table", "no block table or no metadata")
	}
	return nil
}

// items reads the metadata.
func (v *vhdx) items() error {
	const head = 64 << 10
	b, err := v.f.get(v.metadata.start, head, "metadata table")
	if err != nil {
		return err
	}
	n := int64(le.Uint16(b[10:]))
	if string(b[:8]) != "metadata" || n > 2047 {
		return v.f.errorf(v.metadata.start, "metadata table", "signature %q, %d entries", b[:8], n)
	}
	for i := range n {
		e, at := b[32+32*i:], v.metadata.start+32+32*i
		off, size := int64(le.Uint32(e[16:])), int64(le.Uint32(e[20:]))
		id := guid(e)
		need, known := map[string]int64{vhdxParams: 8, vhdxSize: 8, vhdxLogical: 4, vhdxLocator: 20, vhdxPage83: 0, vhdxPhysical: 0}[id]
		if !known {
			if le.Uint32(e[24:])&4 != 0 {
				return v.f.errorf(at, "metadata table", "required item %s: %w", id, ErrUnsupported)
			}
			continue
		}
		if off < head || size < need || size > 1<<20 || off+size > v.metadata.end-v.metadata.start {
			return v.f.errorf(at, "metadata table", "item %s: %d bytes at %#x", id, size, off)
		}
		item, err := v.f.get(v.metadata.start+off, size, "metadata item")
		if err != nil {
			return err
		}
		switch id {
		case vhdxParams:
			v.block, v.differs = int64(le.Uint32(item)), le.Uint32(item[4:])&2 != 0
		case vhdxSize:
			v.size = int64(le.Uint64(item))
		case vhdxLogical:
			v.sector = int64(le.Uint32(item))
		case vhdxLocator:
			v.locator = parseLocator(item)
		}
	}
	switch {
	case v.block < 1<<20 || v.block > 256<<20 || v.block&(v.block-1) != 0:
		return v.f.errorf(v.metadata.start, "block size", "%d bytes", v.block)
	case v.size <= 0 || v.size > maxDisk:
		return v.f.errorf(v.metadata.start, "virtual disk size", "%d bytes", v.size)
	case v.sector != 512 && v.sector != 4096:
		return v.f.errorf(v.metadata.start, "logical sector size", "%d bytes", v.sector)
	}
	v.ratio = 1 << 23 * v.sector / v.block
	return nil
}

// The states of a block.
const (
	vhdxNotPresent, vhdxUndefined, vhdxZero, vhdxUnmapped = 0, 1, 2, 3
	vhdxPresent, vhdxPartly                               = 6, 7
)

// blockTable reads the block allocation table.
func (v *vhdx) blockTable() error {
	n := (v.size + v.block - 1) / v.block
	entries := n + (n-1)/v.ratio
	if v.differs {
		entries = (n + v.ratio - 1) / v.ratio * (v.ratio + 1)
	}
	if have := v.bat.end - v.bat.start; 8*entries > have {
		return v.f.errorf(v.bat.start, "block table", "%d bytes, a disk of %d bytes needs %d", have, v.size, 8*entries)
	}
	var err error
	if v.table, err = v.f.get(v.bat.start, 8*entries, "block table"); err != nil {
		return err
	}
	at := make([]int64, n)
	for b := range n {
		at[b] = -1
		if state, off := v.entry(b + b/v.ratio); state == vhdxPresent || state == vhdxPartly {
			at[b] = off
		}
	}
	v.bad = overlaps(at, v.block)
	v.warn = append(v.warn, badBlocks(v.f, v.bat.start, v.bad)...)
	return nil
}

// entry returns what entry i of the table says.
func (v *vhdx) entry(i int64) (state int, off int64) {
	e := le.Uint64(v.table[8*i:])
	return int(e & 7), int64(e >> 20 << 20)
}

func (v *vhdx) read(p []byte, n, in int64) error {
	i := n + n/v.ratio
	state, off := v.entry(i)
	if v.bad[n] {
		return v.f.errorf(v.bat.start+8*i, "block table", "block %d lies over another one", n)
	}
	switch state {
	case vhdxPresent:
		return v.f.full(p, off+in, "block")
	case vhdxNotPresent:
		if v.parent != nil {
			return fromDisk(v.parent, v.parent.size, p, n*v.block+in)
		}
		clear(p)
		return nil
	case vhdxUndefined, vhdxZero, vhdxUnmapped:
		clear(p)
		return nil
	case vhdxPartly:
		if v.parent != nil {
			return v.partly(p, n, in, off)
		}
	}
	return v.f.errorf(v.bat.start+8*i, "block table", "block %d has state %d", n, state)
}

// partly reads from a block of which a bitmap tells what is the parent's.
func (v *vhdx) partly(p []byte, n, in, off int64) error {
	i := (n/v.ratio+1)*(v.ratio+1) - 1
	state, at := v.entry(i)
	if state != vhdxPresent {
		return v.f.errorf(v.bat.start+8*i, "block table", "the sector bitmap of block %d has state %d", n, state)
	}
	size := v.block / v.sector / 8
	at += n % v.ratio * size
	bits, err := v.maps.get(at, func() ([]byte, error) { return v.f.get(at, size, "sector bitmap") })
	if err != nil {
		return err
	}
	for len(p) > 0 {
		k, own := run(in, int64(len(p)), v.sector, func(i int64) bool { return bits[i/8]>>(i%8)&1 != 0 })
		if own {
			err = v.f.full(p[:k], off+in, "block")
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
