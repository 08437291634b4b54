// Package xpress unpacks LZ77 with Huffman codes ([MS-XCA] 2.1 and 2.2), as Windows
// packs prefetch files and, by WOF, files of a compact system.
package xpress

import (
	"encoding/binary"
	"errors"

	"sharetrail/parsers/huffman"
)

// ErrDamaged says that packed data stands for nothing, or for less or more than it
// should.
var ErrDamaged = errors.New("damaged XPRESS data")

const (
	blockSize = 1 << 16 // bytes that one set of codes covers
	tableSize = 256     // bytes of code lengths in front of each block
	maxMatch  = 1 << 30
)

// Unpack fills out from in. n tells how much of out was filled; all of it, if err is
// nil.
func Unpack(out, in []byte) (n int, err error) {
	u := unpacker{in: in, out: out}
	for u.n < len(out) {
		if len(in)-u.p < tableSize || !u.table(in[u.p:u.p+tableSize]) {
			return u.n, ErrDamaged
		}
		u.p += tableSize
		u.bits = u.word()<<16 | u.word()
		u.extra = 16
		if !u.block(min(u.n+blockSize, len(out))) {
			return u.n, ErrDamaged
		}
	}
	return u.n, nil
}

// An unpacker reads words of 16 bits from the highest bit down. Words are read ahead;
// lengths stand as bytes between the words.
type unpacker struct {
	in, out []byte
	p, n    int    // next byte of in, of out
	bits    uint32 // not yet used, the next one on top
	extra   int    // how many of bits are beyond the 16 that a code may need
	code    huffman.Code
}

func (u *unpacker) table(packed []byte) bool {
	var lengths [2 * tableSize]uint8
	for i, b := range packed {
		lengths[2*i], lengths[2*i+1] = b&15, b>>4
	}
	return u.code.Set(lengths[:]) && u.code.Complete()
}

// word reads 16 bits; zeros stand behind the end, and block looks for their use.
func (u *unpacker) word() (w uint32) {
	if u.p+2 <= len(u.in) {
		w = uint32(binary.LittleEndian.Uint16(u.in[u.p:]))
	}
	u.p += 2
	return w
}

func (u *unpacker) skip(n int) {
	u.bits <<= n
	if u.extra -= n; u.extra < 0 {
		u.bits |= u.word() << -u.extra
		u.extra += 16
	}
}

// block unpacks up to byte end of out. A match may reach into the next block.
func (u *unpacker) block(end int) bool {
	for u.n < end {
		s, l := u.code.Decode(u.bits >> 16)
		u.skip(l)
		// Bits from beyond the end were used; half a word is none.
		if beyond := u.p - len(u.in); 8*(beyond+beyond&1) > 16+u.extra {
			return false
		}
		if s < 256 {
			u.out[u.n] = byte(s)
			u.n++
			continue
		}
		size, ok := u.size(s & 15)
		log := s >> 4 & 15
		distance := 1<<log | int(uint64(u.bits)>>(32-log))
		u.skip(log)
		if !ok || distance > u.n {
			return false
		}
		stop := min(u.n+size, len(u.out))
		size -= stop - u.n
		for ; u.n < stop; u.n++ {
			u.out[u.n] = u.out[u.n-distance]
		}
		if size > 0 {
			return false // it leads beyond what there is to fill
		}
	}
	return true
}

// size returns the length of a match: 15 in its symbol means that it follows in
// a byte, 255 there in a word, and 0 there in a double word.
func (u *unpacker) size(n int) (int, bool) {
	if n < 15 {
		return n + 3, true
	}
	if u.p >= len(u.in) {
		return 0, false
	}
	b := int(u.in[u.p])
	u.p++
	if b < 255 {
		return b + 15 + 3, true
	}
	if n = int(u.word()); n == 0 {
		n = int(u.word() | u.word()<<16)
	}
	return n + 3, n >= 15 && n <= maxMatch && u.p <= len(u.in)
}
