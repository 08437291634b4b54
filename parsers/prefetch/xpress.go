package prefetch

import (
	"encoding/binary"
	"errors"
)

var errPacked = errors.New("packed data is damaged")

// blockSize is how many unpacked bytes one set of codes covers ([MS-XCA] 2.2.4).
const blockSize = 1 << 16

const tableSize = 256 // bytes of code lengths in front of each block

// unpack fills out from LZ77 with Huffman codes ([MS-XCA] 2.2.4). n tells how
// much of out was filled; all of it, if err is nil.
func unpack(out, in []byte) (n int, err error) {
	x := unpacker{in: in, out: out}
	for x.n < len(out) {
		if len(in)-x.p < tableSize {
			return x.n, errPacked
		}
		if !x.table(in[x.p : x.p+tableSize]) {
			return x.n, errPacked
		}
		x.p += tableSize
		x.bits = x.word()<<16 | x.word()
		x.extra = 16
		if !x.block(min(x.n+blockSize, len(out))) {
			return x.n, errPacked
		}
	}
	return x.n, nil
}

type unpacker struct {
	in, out []byte
	p, n    int    // next byte of in, of out
	bits    uint32 // not yet used, the next one on top
	extra   int    // how many of bits are beyond the 16 that a code may need
	codes   [1 << 15]uint16
	lengths [512]byte
}

// table makes the decoding table: the symbol for each start of 15 bits.
func (x *unpacker) table(packed []byte) bool {
	for i, b := range packed {
		x.lengths[2*i], x.lengths[2*i+1] = b&15, b>>4
	}
	at := 0
	for length := byte(1); length <= 15; length++ {
		for symbol, l := range x.lengths {
			if l != length {
				continue
			}
			n := 1 << (15 - length)
			if at+n > len(x.codes) {
				return false
			}
			for i := range n {
				x.codes[at+i] = uint16(symbol)
			}
			at += n
		}
	}
	return at == len(x.codes)
}

// word reads 16 bits; zeros stand behind the end; block looks for their use.
func (x *unpacker) word() uint32 {
	p := x.p
	x.p += 2
	if p+2 > len(x.in) {
		return 0
	}
	return uint32(binary.LittleEndian.Uint16(x.in[p:]))
}

func (x *unpacker) skip(n int) {
	x.bits <<= n
	if x.extra -= n; x.extra < 0 {
		x.bits |= x.word() << -x.extra
		x.extra += 16
	}
}

// block unpacks up to byte end of out. A match may reach into the next block.
func (x *unpacker) block(end int) bool {
	for x.n < end {
		s := int(x.codes[x.bits>>17])
		x.skip(int(x.lengths[s]))
		// Bits from beyond the end were used; half a word is none.
		if beyond := x.p - len(x.in); 8*(beyond+beyond&1) > 16+x.extra {
			return false
		}
		if s < 256 {
			x.out[x.n] = byte(s)
			x.n++
			continue
		}
		size, ok := x.size(s & 15)
		log := s >> 4 & 15
		distance := 1<<log | int(uint64(x.bits)>>(32-log))
		x.skip(log)
		if !ok || distance > x.n {
			return false
		}
		for stop := min(x.n+size, len(x.out)); x.n < stop; x.n++ {
			x.out[x.n] = x.out[x.n-distance]
		}
	}
	return true
}

// size returns the length of a match: 15 means that more bytes follow.
func (x *unpacker) size(s int) (int, bool) {
	if s < 15 {
		return s + 3, true
	}
	if x.p >= len(x.in) {
		return 0, false
	}
	b := int(x.in[x.p])
	x.p++
	if b < 255 {
		return b + 15 + 3, true
	}
	n := int(x.word())
	if n == 0 {
		n = int(x.word() | x.word()<<16)
	}
	if n < 15 {
		return 0, false
	}
	return n + 3, true
}
