package archive

import (
	"bufio"
	"errors"
	"io"
	"math/bits"

	"sharetrail/parsers/huffman"
)

// Deflate64 (method 9 of a zip, which Windows Explorer uses for files of more than
// 2 GiB) is Deflate with a window of 64 KiB: two more codes for distances, and a
// length code 285 with 16 more bits (APPNOTE 4.4.5; RFC 1951 for the rest). The
// tables are those of RFC 1951, 3.2.5, continued.
const (
	window64  = 1 << 16
	maxCode   = 15 // bits of a code
	endOfData = 256
)

var (
	errInflate64 = errors.New("damaged Deflate64 data")

	lengthBase = [29]int{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 3}
	lengthBits = [29]uint{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16}

	// orderOfLengths is the order in which the lengths of the codes for lengths come.
	orderOfLengths = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// An inflater64 unpacks Deflate64. It holds the window, and no more.
type inflater64 struct {
	src  *bufio.Reader
	bits uint64 // read ahead, the next is the lowest
	have uint   // how many

	window [window64]byte
	at     int   // where the next byte goes
	read   int   // the first one that was not handed out
	total  int64 // bytes unpacked

	last, inside     bool // the block is the last; it is not at its end
	stored           int  // bytes of a stored block to come; -1 in others
	literals, spread huffman.Code
	length, distance int // of a copy that goes on
	err              error
}

func newInflater64(r io.Reader) *inflater64 { return &inflater64{src: bufio.NewReader(r)} }

// Read unpacks up to len(p) bytes. Those before damage come before its error.
func (d *inflater64) Read(p []byte) (int, error) {
	for d.read == d.at && d.err == nil {
		if d.at == window64 {
			d.at, d.read = 0, 0
		}
		d.err = d.fill()
	}
	n := copy(p, d.window[d.read:d.at])
	if d.read += n; n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, d.err
}

func (d *inflater64) Close() error { return nil }

// fill unpacks until the window is full or a block ends.
func (d *inflater64) fill() error {
	if !d.inside {
		if d.last {
			return io.EOF
		}
		if err := d.block(); err != nil {
			return err
		}
	}
	if d.stored >= 0 {
		n, err := io.ReadFull(d.src, d.window[d.at:min(window64, d.at+d.stored)])
		d.at, d.total, d.stored = d.at+n, d.total+int64(n), d.stored-n
		d.inside = d.stored > 0
		return unexpected(err)
	}
	for d.at < window64 {
		if d.length > 0 {
			d.copy()
			continue
		}
		s, err := d.symbol(&d.literals)
		switch {
		case err != nil:
			return err
		case s < endOfData:
			d.window[d.at] = byte(s)
			d.at++
			d.total++
			continue
		case s == endOfData:
			d.inside = false
			return nil
		}
		if err := d.match(s - endOfData - 1); err != nil {
			return err
		}
	}
	return nil
}

// match reads the length of a copy with the code k, and its distance.
func (d *inflater64) match(k int) error {
	if k >= len(lengthBase) {
		return errInflate64
	}
	more, err := d.take(lengthBits[k])
	if err != nil {
		return err
	}
	s, err := d.symbol(&d.spread)
	if err != nil {
		return err
	}
	distance := s + 1
	if s >= 4 {
		n := uint(s/2 - 1)
		low, err := d.take(n)
		if err != nil {
			return err
		}
		distance = (2|s&1)<<n + 1 + low
	}
	if int64(distance) > d.total {
		return errInflate64
	}
	d.length, d.distance = lengthBase[k]+more, distance
	return nil
}

// copy goes on with a copy, up to the end of the window.
func (d *inflater64) copy() {
	n := min(d.length, window64-d.at)
	from := (d.at - d.distance) & (window64 - 1)
	for range n {
		d.window[d.at] = d.window[from]
		d.at, from = d.at+1, (from+1)&(window64-1)
	}
	d.length, d.total = d.length-n, d.total+int64(n)
}

// block reads the head of a block.
func (d *inflater64) block() error {
	head, err := d.take(3)
	if err != nil {
		return err
	}
	d.last, d.inside, d.stored = head&1 != 0, true, -1
	switch head >> 1 {
	case 0:
		d.bits, d.have = d.bits>>(d.have%8), d.have-d.have%8
		n, err := d.take(16)
		if err != nil {
			return err
		}
		inverse, err := d.take(16)
		if err != nil {
			return err
		}
		if n^inverse != 0xFFFF {
			return errInflate64
		}
		d.stored, d.inside = n, n > 0 // no bit is read ahead: a code leaves 22 at most
		return nil
	case 1:
		var lengths [288 + 32]uint8
		for i := range lengths {
			switch {
			case i < 144, i >= 280 && i < 288:
				lengths[i] = 8
			case i < 256:
				lengths[i] = 9
			case i < 280:
				lengths[i] = 7
			default:
				lengths[i] = 5
			}
		}
		if !set(&d.literals, lengths[:288]) || !set(&d.spread, lengths[288:]) {
			return errInflate64
		}
		return nil
	case 2:
		return d.codes()
	}
	return errInflate64
}

// codes reads the codes of a block (RFC 1951, 3.2.7).
func (d *inflater64) codes() error {
	n, err := d.take(14)
	if err != nil {
		return err
	}
	literals, distances, count := n&31+257, n>>5&31+1, n>>10+4
	var of [19]uint8
	for _, i := range orderOfLengths[:count] {
		l, err := d.take(3)
		if err != nil {
			return err
		}
		of[i] = uint8(l)
	}
	var c huffman.Code
	if literals > 286 || !set(&c, of[:]) {
		return errInflate64
	}
	var lengths [286 + 32]uint8
	for i := 0; i < literals+distances; {
		s, err := d.symbol(&c)
		if err != nil {
			return err
		}
		if s < 16 {
			lengths[i] = uint8(s)
			i++
			continue
		}
		value, bits, least := uint8(0), uint(3), 3
		switch s {
		case 16:
			if i == 0 {
				return errInflate64
			}
			value, bits = lengths[i-1], 2
		case 18:
			bits, least = 7, 11
		}
		more, err := d.take(bits)
		if err != nil {
			return err
		}
		if i+least+more > literals+distances {
			return errInflate64
		}
		for range least + more {
			lengths[i] = value
			i++
		}
	}
	if lengths[endOfData] == 0 || !set(&d.literals, lengths[:literals]) || !set(&d.spread, lengths[literals:literals+distances]) {
		return errInflate64
	}
	return nil
}

// set makes a code of lengths. A single one may be incomplete, or there may be none.
func set(c *huffman.Code, lengths []uint8) bool {
	return c.Set(lengths) && (c.Complete() || c.Len() <= 1)
}

// ahead reads ahead as many as n bits, if there are as many.
func (d *inflater64) ahead(n uint) error {
	for d.have < n {
		b, err := d.src.ReadByte()
		if err != nil {
			return err
		}
		d.bits |= uint64(b) << d.have
		d.have += 8
	}
	return nil
}

// take returns the next n bits, 16 at most.
func (d *inflater64) take(n uint) (int, error) {
	if err := d.ahead(n); err != nil {
		return 0, unexpected(err)
	}
	v := int(d.bits & (1<<n - 1))
	d.bits, d.have = d.bits>>n, d.have-n
	return v, nil
}

// symbol returns the next symbol of c, whose codes have their first bit lowest.
func (d *inflater64) symbol(c *huffman.Code) (int, error) {
	err := d.ahead(maxCode)
	if err != nil && err != io.EOF { // the last code may be shorter
		return 0, err
	}
	s, l := c.Decode(uint32(bits.Reverse16(uint16(d.bits))))
	n := uint(l)
	switch {
	case n == 0:
		return 0, errInflate64
	case n > d.have:
		return 0, unexpected(err)
	}
	d.bits, d.have = d.bits>>n, d.have-n
	return s, nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
