package eventlog

import (
	"io"

	"sharetrail/parsers/binread"
)

const (
	sector      = 512
	carveWindow = 512 * sector
	carveSkip   = 8 * sector // after bytes that cannot be read
)

// Carve treats r, which is size bytes long, as bytes of any kind that may hold
// chunks of event logs at multiples of 512: a raw volume, unallocated space, a
// page file. Reading the result yields the records of all of them, see
// [Record.State]. Chunks of one log need not lie in its order, nor belong to
// one log, and one may be there several times: what is the same record is for
// the caller to judge.
//
// A chunk of which the end belongs to something else keeps what precedes the
// next chunk's signature.
func Carve(r io.ReaderAt, size int64) *Log {
	return &Log{r: r, size: size, carved: true}
}

// A carver finds chunks.
type carver struct {
	log *Log
	off int64  // of what is looked at next, a multiple of sector
	buf []byte // what lies from at
	at  int64
	one []byte // a chunk
}

// next returns where the next chunk is, or an error for bytes before it that
// could not be read.
func (c *carver) next() (off int64, err error, ok bool) {
	for c.off < c.log.size {
		i := c.off - c.at
		if c.at > c.off || i+8 > int64(len(c.buf)) {
			if err := c.read(); err != nil {
				return 0, err, true
			}
			continue
		}
		off := c.off
		c.off += sector
		if string(c.buf[i:i+8]) == chunkMagic {
			if c.whole(off) {
				c.off = off + chunkSize
			}
			return off, nil, true
		}
	}
	return 0, nil, false
}

// read fills the window from c.off on. What cannot be read is left out, and
// named once.
func (c *carver) read() error {
	end := c.at + int64(len(c.buf)) // of what was read
	if c.buf = c.buf[:cap(c.buf)]; c.buf == nil {
		c.buf = make([]byte, carveWindow)
	}
	bad := int64(-1)
	for c.off < c.log.size {
		want := min(carveWindow, c.log.size-c.off)
		n, err := c.log.r.ReadAt(c.buf[:want], c.off)
		n = max(0, min(n, int(want)))
		if n >= sector || int64(n) == want {
			c.at, c.buf = c.off, c.buf[:n]
			if n < 8 {
				c.off = c.log.size // the end of the stream
			}
			break
		}
		if err == io.EOF { // the stream is shorter than was said
			err = io.ErrUnexpectedEOF
		}
		if bad < 0 {
			bad = min(c.off, end) // within a sector
		}
		if c.off += carveSkip; c.off >= c.log.size || err == io.ErrUnexpectedEOF {
			c.off = c.log.size
			return binread.Errorf(bad, "stream", "%d bytes are not readable: %w", c.off-bad, err)
		}
	}
	if bad >= 0 {
		return binread.Errorf(bad, "stream", "%d bytes are not readable", c.off-bad)
	}
	return nil
}

// whole reports whether the chunk at off is sound to its end.
func (c *carver) whole(off int64) bool {
	if c.one == nil {
		c.one = make([]byte, chunkSize)
	}
	if n, _ := c.log.r.ReadAt(c.one, off); n < chunkSize {
		return false
	}
	h := parseChunkHeader(c.one, true)
	return h.doubt == ""
}

// cut returns how much of b, a chunk that was carved, precedes another chunk.
func cut(b []byte) int {
	if h := parseChunkHeader(b, true); h.doubt == "" {
		return len(b)
	}
	for i := sector; i+8 <= len(b); i += sector {
		if string(b[i:i+8]) == chunkMagic {
			return i
		}
	}
	return len(b)
}
