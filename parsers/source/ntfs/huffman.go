package ntfs

// A huffman is a canonical Huffman code with lengths up to 16.
type huffman struct {
	count   [17]uint16 // codes by length
	symbols []uint16   // in the order of their codes
}

// set builds the code from the lengths of its symbols. It reports false if
// there are more codes than their lengths allow. The slice is reused.
func (h *huffman) set(lengths []uint8) bool {
	h.count = [17]uint16{}
	for _, l := range lengths {
		h.count[l]++
	}
	h.count[0] = 0
	var next [17]int
	left, n := 1, 0
	for l := 1; l <= 16; l++ {
		if left = left<<1 - int(h.count[l]); left < 0 {
			return false
		}
		next[l] = n
		n += int(h.count[l])
	}
	if cap(h.symbols) < n {
		h.symbols = make([]uint16, max(n, 512))
	}
	h.symbols = h.symbols[:n]
	for s, l := range lengths {
		if l > 0 {
			h.symbols[next[l]] = uint16(s)
			next[l]++
		}
	}
	return true
}

// decode returns the symbol whose code the 16 bits start with, and the length
// of the code, or 0.
func (h *huffman) decode(bits uint32) (symbol, length int) {
	first, index := 0, 0
	for l := 1; l <= 16; l++ {
		code, n := int(bits>>(16-l)), int(h.count[l])
		if d := code - first; d < n {
			return int(h.symbols[index+d]), l
		}
		index += n
		first = (first + n) << 1
	}
	return 0, 0
}
