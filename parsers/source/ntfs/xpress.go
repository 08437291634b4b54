package ntfs

import "encoding/binary"

// xpress fills out from one block of LZ77 with Huffman codes (MS-XCA 2.1). The
// block of a WOF file is smaller than the 64 KiB after which new codes follow.
func xpress(out, in []byte) error {
	if len(in) < 256+4 {
		return errXpress
	}
	var lengths [512]uint8
	for i, b := range in[:256] {
		lengths[2*i], lengths[2*i+1] = b&15, b>>4
	}
	var h huffman
	if !h.set(lengths[:]) {
		return errXpress
	}
	x := xpressBits{in: in, p: 256}
	x.bits = x.word()<<16 | x.word()
	x.extra = 16
	for n := 0; n < len(out); {
		s, l := h.decode(x.bits >> 16)
		if l == 0 || x.p > len(in)+4 { // a whole word beyond the end was used
			return errXpress
		}
		x.skip(l)
		if s < 256 {
			out[n] = byte(s)
			n++
			continue
		}
		size, ok := x.size(s & 15)
		if !ok {
			return errXpress
		}
		log := s >> 4 & 15
		distance := 1<<log | int(x.bits>>(32-log))
		x.skip(log)
		if n = repeat(out, n, distance, size); n < 0 {
			return errXpress
		}
	}
	return nil
}

// xpressBits reads 16-bit words from the highest bit down. Words are read
// ahead; lengths stand as bytes between the words.
type xpressBits struct {
	in    []byte
	p     int
	bits  uint32
	extra int // bits of the word that was read ahead
}

func (x *xpressBits) word() (w uint32) {
	if x.p+2 <= len(x.in) {
		w = uint32(binary.LittleEndian.Uint16(x.in[x.p:]))
	}
	x.p += 2
	return w
}

func (x *xpressBits) skip(n int) {
	x.bits <<= n
	if x.extra -= n; x.extra < 0 {
		x.bits |= x.word() << -x.extra
		x.extra += 16
	}
}

// size returns the length of a match: 15 in its symbol means that it follows in
// a byte, 255 there in a word, and 0 there in a double word.
func (x *xpressBits) size(n int) (int, bool) {
	if n < 15 {
		return n + 3, true
	}
	if x.p >= len(x.in) {
		return 0, false
	}
	n += int(x.in[x.p])
	x.p++
	if n < 15+255 {
		return n + 3, true
	}
	if x.p+2 > len(x.in) {
		return 0, false
	}
	n = int(binary.LittleEndian.Uint16(x.in[x.p:]))
	x.p += 2
	if n == 0 {
		if x.p+4 > len(x.in) {
			return 0, false
		}
		v := binary.LittleEndian.Uint32(x.in[x.p:])
		if v > 1<<30 {
			return 0, false
		}
		n = int(v)
		x.p += 4
	}
	return n + 3, n >= 15
}
