package ntfs

import (
	"encoding/binary"
	"errors"
)

var (
	errLZNT1 = errors.New("damaged LZNT1 data")
	errLZX   = errors.New("damaged LZX data")
)

const lznt1Chunk = 4096

// lznt1 fills out from in (MS-XCA 2.5). Every chunk stands for 4 KiB; what the
// data does not fill is zero. It returns how many bytes of in it used and how
// many of out it made.
func lznt1(out, in []byte) (used, made int, err error) {
	for len(in)-used >= 2 && made < len(out) {
		in, out := in[used:], out[made:]
		h := int(binary.LittleEndian.Uint16(in))
		if h == 0 {
			break
		}
		n := h&0xfff + 1
		if h>>12&7 != 3 || n > len(in)-2 {
			return used, made, errLZNT1
		}
		chunk, dst := in[2:2+n], out[:min(lznt1Chunk, len(out))]
		k := copy(dst, chunk)
		if h&0x8000 != 0 {
			if k = lznt1Literals(dst, chunk); k < 0 {
				return used, made, errLZNT1
			}
		} else if k < n {
			return used, made, errLZNT1
		}
		clear(dst[k:])
		used, made = used+2+n, made+len(dst)
	}
	clear(out[made:])
	return used, made, nil
}

// lznt1Literals decodes one compressed chunk and returns its size, or -1.
func lznt1Literals(out, in []byte) int {
	n := 0
	for len(in) > 0 {
		flags := in[0]
		in = in[1:]
		for i := 0; i < 8 && len(in) > 0; i, flags = i+1, flags>>1 {
			if flags&1 == 0 {
				if n == len(out) {
					return -1
				}
				out[n] = in[0]
				n, in = n+1, in[1:]
				continue
			}
			if len(in) < 2 || n == 0 {
				return -1
			}
			// The further into the chunk, the more bits the distance has.
			bits := 12
			for k := n - 1; k >= 16; k >>= 1 {
				bits--
			}
			v := int(binary.LittleEndian.Uint16(in))
			in = in[2:]
			if n = repeat(out, n, v>>bits+1, v&(1<<bits-1)+3); n < 0 {
				return -1
			}
		}
	}
	return n
}

// repeat copies size bytes from distance before out[n] to out[n:] and returns
// the new n, or -1 if that does not fit.
func repeat(out []byte, n, distance, size int) int {
	if distance > n || size > len(out)-n {
		return -1
	}
	for k := range size {
		out[n+k] = out[n+k-distance]
	}
	return n + size
}
