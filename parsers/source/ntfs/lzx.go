package ntfs

import (
	"encoding/binary"

	"sharetrail/parsers/huffman"
)

// LZX as in WIM and WOF (MS-PATCH, with the differences that the WIM format
// makes): chunks of 32 KiB that stand alone, a size in each block, and calls
// translated as if the file had 12,000,000 bytes.
const (
	lzxSlots    = 30 // of positions in a window of 32 KiB
	lzxMain     = 256 + 8*lzxSlots
	lzxLengths  = 249
	lzxFileSize = 12000000
)

type lzxReader struct {
	in     []byte
	p      int
	buf    uint64
	left   int // bits in buf
	recent [3]int

	main, length, aligned, pre huffman.Code
	mainLen                    [lzxMain]uint8
	lengthLen                  [lzxLengths]uint8
	bad                        bool
}

// lzx fills out from one chunk.
func lzx(out, in []byte) error {
	d := &lzxReader{in: in, recent: [3]int{1, 1, 1}}
	for n := 0; n < len(out); {
		kind, size := d.bits(3), 32768
		if d.bits(1) == 0 {
			size = d.bits(16)
		}
		if d.bad || size == 0 || size > len(out)-n {
			return errLZX
		}
		switch kind {
		case 1, 2:
			d.trees(kind == 2)
			d.block(out, n, n+size, kind == 2)
		case 3:
			d.stored(out[n : n+size])
		default:
			d.bad = true
		}
		if d.bad {
			return errLZX
		}
		n += size
	}
	lzxCalls(out)
	return nil
}

// peek returns the next 16 bits; beyond the end they are zero.
func (d *lzxReader) peek() uint32 {
	for d.left < 16 {
		w := uint64(0)
		if d.p+2 <= len(d.in) {
			w = uint64(binary.LittleEndian.Uint16(d.in[d.p:]))
		}
		d.p += 2
		d.buf = d.buf<<16 | w
		d.left += 16
	}
	return uint32(d.buf>>(d.left-16)) & 0xffff
}

func (d *lzxReader) skip(n int) {
	if d.left -= n; d.p-d.left/8 > len(d.in)+1 {
		d.bad = true
	}
}

// bits reads up to 16 bits.
func (d *lzxReader) bits(n int) int {
	v := int(d.peek() >> (16 - n))
	d.skip(n)
	return v
}

func (d *lzxReader) symbol(h *huffman.Code) int {
	s, l := h.Decode(d.peek())
	if l == 0 {
		d.bad = true
	}
	d.skip(l)
	return s
}

func (d *lzxReader) trees(aligned bool) {
	if aligned {
		var l [8]uint8
		for i := range l {
			l[i] = uint8(d.bits(3))
		}
		d.bad = !d.aligned.Set(l[:]) || d.bad
	}
	d.lengths(d.mainLen[:256])
	d.lengths(d.mainLen[256:])
	d.lengths(d.lengthLen[:])
	d.bad = !d.main.Set(d.mainLen[:]) || !d.length.Set(d.lengthLen[:]) || d.bad
}

// lengths updates the code lengths l, which are stored as differences to those
// of the block before.
func (d *lzxReader) lengths(l []uint8) {
	var pre [20]uint8
	for i := range pre {
		pre[i] = uint8(d.bits(4))
	}
	if !d.pre.Set(pre[:]) {
		d.bad = true
	}
	for i := 0; i < len(l) && !d.bad; {
		s, n, v := d.symbol(&d.pre), 1, uint8(0)
		switch s {
		case 17:
			n = 4 + d.bits(4)
		case 18:
			n = 20 + d.bits(5)
		case 19:
			n = 4 + d.bits(1)
			if s = d.symbol(&d.pre); s > 16 {
				d.bad = true
				return
			}
			fallthrough
		default:
			v = uint8((int(l[i]) - s + 17) % 17)
		}
		if n > len(l)-i {
			d.bad = true
			return
		}
		for ; n > 0; n-- {
			l[i] = v
			i++
		}
	}
}

// block decodes out[n:end]. Matches may reach back before n.
func (d *lzxReader) block(out []byte, n, end int, aligned bool) {
	for n < end && !d.bad {
		s := d.symbol(&d.main)
		if s < 256 {
			out[n] = byte(s)
			n++
			continue
		}
		size := (s-256)&7 + 2
		if size == 9 {
			size += d.symbol(&d.length)
		}
		distance := d.distance((s-256)>>3, aligned)
		if d.bad {
			return
		}
		if n = repeat(out[:end], n, distance, size); n < 0 {
			d.bad = true
		}
	}
}

func (d *lzxReader) distance(slot int, aligned bool) int {
	r := &d.recent
	if slot < 3 {
		r[0], r[slot] = r[slot], r[0]
		return r[0]
	}
	n, base := 0, slot
	if slot >= 4 {
		n = slot/2 - 1
		base = (2 + slot&1) << n
	}
	v := 0
	if aligned && n >= 3 {
		v = d.bits(n-3)<<3 + d.symbol(&d.aligned)
	} else {
		v = d.bits(n)
	}
	r[0], r[1], r[2] = base+v-2, r[0], r[1]
	return r[0]
}

// stored copies an uncompressed block: aligned to a word, at least one bit
// skipped, the three recent distances, the bytes, and padding to a word.
func (d *lzxReader) stored(out []byte) {
	d.p = (d.p*8-d.left)/16*2 + 2
	d.buf, d.left = 0, 0
	if d.p+12+len(out) > len(d.in) {
		d.bad = true
		return
	}
	for i := range d.recent {
		v := binary.LittleEndian.Uint32(d.in[d.p+4*i:])
		if v == 0 || v > 32768 {
			d.bad = true
			return
		}
		d.recent[i] = int(v)
	}
	copy(out, d.in[d.p+12:])
	d.p += 12 + len(out) + len(out)&1
}

// lzxCalls turns the absolute targets of x86 calls back into relative ones.
func lzxCalls(b []byte) {
	for i := 0; i < len(b)-10; i++ {
		if b[i] != 0xe8 {
			continue
		}
		switch v := int32(binary.LittleEndian.Uint32(b[i+1:])); {
		case v >= 0 && v < lzxFileSize:
			binary.LittleEndian.PutUint32(b[i+1:], uint32(v-int32(i)))
		case v < 0 && v >= -int32(i):
			binary.LittleEndian.PutUint32(b[i+1:], uint32(v+lzxFileSize))
		}
		i += 4
	}
}
