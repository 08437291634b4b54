// Package huffman decodes canonical Huffman codes, as XPRESS, LZX and Deflate have
// them: of two codes of one length the one of the lower symbol comes first, and
// shorter codes come before longer ones (RFC 1951, 3.2.2).
package huffman

const (
	maxLength = 16
	fastBits  = 10 // bits of a code that one look finds
)

// A Code is a canonical Huffman code with lengths up to 16, of at most 4096 symbols.
type Code struct {
	fast    [1 << fastBits]uint16 // symbol<<4 | length, by the next bits; 0 for a longer code
	count   [maxLength + 1]uint16 // codes by length
	symbols []uint16              // in the order of their codes
	left    int                   // codes of 16 bits that stand for nothing
}

// Set builds the code from the lengths of its symbols; 0 is no code. It reports false
// if there are more codes than their lengths allow. Memory is reused.
func (c *Code) Set(lengths []uint8) bool {
	c.count, c.fast = [maxLength + 1]uint16{}, [1 << fastBits]uint16{}
	for _, l := range lengths {
		c.count[l]++
	}
	c.count[0] = 0
	var place, code [maxLength + 2]int // of the next symbol of each length
	c.left = 1
	for l := 1; l <= maxLength; l++ {
		n := int(c.count[l])
		if c.left = c.left<<1 - n; c.left < 0 {
			return false
		}
		place[l+1], code[l+1] = place[l]+n, (code[l]+n)<<1
	}
	n := place[maxLength+1]
	if cap(c.symbols) < n {
		c.symbols = make([]uint16, max(n, 512))
	}
	c.symbols = c.symbols[:n]
	for s, l := range lengths {
		if l == 0 {
			continue
		}
		c.symbols[place[l]] = uint16(s)
		if l <= fastBits {
			first := code[l] << (fastBits - l)
			for i := range 1 << (fastBits - l) {
				c.fast[first+i] = uint16(s)<<4 | uint16(l)
			}
		}
		place[l]++
		code[l]++
	}
	return true
}

// Complete reports whether every row of bits begins with a code.
func (c *Code) Complete() bool { return c.left == 0 }

// Len is how many symbols have a code.
func (c *Code) Len() int { return len(c.symbols) }

// Decode returns the symbol whose code the 16 bits start with, the first of them on
// top, and the length of the code; 0 if it is none of the code's.
func (c *Code) Decode(bits uint32) (symbol, length int) {
	if e := c.fast[bits>>(maxLength-fastBits)]; e != 0 {
		return int(e >> 4), int(e & 15)
	}
	first, index := 0, 0
	for l := 1; l <= maxLength; l++ {
		code, n := int(bits>>(maxLength-l)), int(c.count[l])
		if d := code - first; d < n {
			return int(c.symbols[index+d]), l
		}
		index += n
		first = (first + n) << 1
	}
	return 0, 0
}
