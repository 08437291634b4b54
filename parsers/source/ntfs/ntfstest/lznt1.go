package ntfstest

// LZNT1 compresses b in chunks of 4 KiB (MS-XCA 2.5). What does not shrink is
// stored as it is.
func LZNT1(b []byte) (out []byte) {
	for len(b) > 0 {
		chunk := b[:min(4096, len(b))]
		b = b[len(chunk):]
		packed := lznt1Chunk(chunk)
		head := uint16(0xb000)
		if len(packed) >= len(chunk) {
			packed, head = chunk, 0x3000
		}
		out = append(le.AppendUint16(out, head|uint16(len(packed)-1)), packed...)
	}
	return append(out, 0, 0)
}

func lznt1Chunk(c []byte) (out []byte) {
	seen := map[[3]byte]int{} // last place of three bytes
	for p := 0; p < len(c); {
		flags := len(out)
		out = append(out, 0)
		for i := 0; i < 8 && p < len(c); i++ {
			bits := 12
			for k := p - 1; k >= 16; k >>= 1 {
				bits--
			}
			n, distance := 0, 0
			if p+3 <= len(c) {
				key := [3]byte(c[p:])
				if at, ok := seen[key]; ok && p-at <= 1<<(16-bits) {
					distance = p - at
					for n < 1<<bits+2 && p+n < len(c) && c[at+n] == c[p+n] {
						n++
					}
				}
				seen[key] = p
			}
			if n < 3 {
				out = append(out, c[p])
				p++
				continue
			}
			out[flags] |= 1 << i
			out = le.AppendUint16(out, uint16((distance-1)<<bits|(n-3)))
			p += n
		}
	}
	return out
}
