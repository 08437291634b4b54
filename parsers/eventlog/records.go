package eventlog

import (
	"bytes"
	"fmt"
	"io"
	"iter"

	"sharetrail/parsers/binread"
)

// Records returns every record of every chunk up to the end of the file, in
// the order in which they are stored. Each element is either a record or an
// error that names an offset and what is lost there; the iteration goes on
// behind it.
//
// The record is valid until the next iteration. Records for which want is true
// are also rendered by the evtx library, see [Record.Data]; want is called in
// file order, a chunk at a time, and may be nil, which asks for none.
func (l *Log) Records(want func(*Record) bool) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		l.census = censusBuilder{}
		c := chunkReader{log: l, want: want, buf: make([]byte, chunkSize), dec: newDecoder()}
		for n, off := 0, l.base; off < l.size; n, off = n+1, off+chunkSize {
			if !c.chunk(n, off, yield) {
				return
			}
		}
	}
}

// A chunkReader reads one chunk after the other into the same buffer.
type chunkReader struct {
	log   *Log
	want  func(*Record) bool
	buf   []byte
	dec   *decoder
	lib   library
	prev  uint64 // header number of the last record
	slots []slot
	recs  []Record
}

// chunk reads the chunk in the n-th place and yields what is in it. It is
// false if the consumer had enough.
func (c *chunkReader) chunk(n int, off int64, yield func(*Record, error) bool) bool {
	census := &c.log.census
	fail := func(err error) bool {
		census.unread(err)
		return yield(nil, err)
	}
	size := int(min(chunkSize, c.log.size-off))
	got, err := c.log.r.ReadAt(c.buf[:size], off)
	got = max(0, min(got, size))
	clear(c.buf[got:])
	if got < size {
		if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
			err = binread.ErrTruncated
		}
		if !fail(binread.Errorf(off+int64(got), fmt.Sprintf("chunk %d", n), "%d of %d bytes are not readable: %w", size-got, size, err)) {
			return false
		}
	}
	if len(bytes.TrimLeft(c.buf[:got], "\x00")) == 0 {
		return true // never used
	}
	h := chunkHeader{free: chunkHeaderSize, doubt: "the signature of its chunk is damaged"}
	if string(c.buf[:8]) == chunkMagic {
		h = parseChunkHeader(c.buf, !c.log.header.NoChecksums)
	} else if !fail(binread.Errorf(off, fmt.Sprintf("chunk %d", n), "no chunk signature")) {
		return false
	}
	if !h.listed {
		// Nothing says where the records end: take all that are whole.
		h.free = chunkSize
	}
	census.chunk(n, off, off+int64(size), &h)
	if size < chunkSize && size < h.free && got == size {
		h.doubt = join(h.doubt, "the chunk is cut off")
		if !fail(binread.Errorf(off, fmt.Sprintf("chunk %d", n), "cut off after %d bytes, records reach to %d: %w", size, h.free, binread.ErrTruncated)) {
			return false
		}
	}
	c.dec.reset(c.buf, off)
	c.slots = h.records(c.slots[:0], c.buf, off, c.prev)
	c.read(&h)
	return c.yield(n, off, &h, yield)
}

// read decodes the System fields of all records of the chunk, asks which are
// wanted and has the library render those.
func (c *chunkReader) read(h *chunkHeader) {
	c.recs = c.recs[:0]
	for i := range c.slots {
		c.recs = append(c.recs, Record{})
		s, r := &c.slots[i], &c.recs[i]
		if s.err != nil {
			continue
		}
		s.newRecord(r, c.dec)
		if h.doubt != "" {
			r.doubt(h.doubt)
		}
		if err := r.system(); err != nil {
			s.err = fmt.Errorf("record %d by header number: %w", s.id, err)
		}
	}
	if c.want == nil {
		return
	}
	c.lib.reset(c.dec, c.slots, c.recs)
	for i := range c.recs {
		if c.slots[i].err == nil && c.want(&c.recs[i]) {
			c.lib.want(i)
		}
	}
	c.lib.render()
}

func (c *chunkReader) yield(n int, off int64, h *chunkHeader, yield func(*Record, error) bool) bool {
	census := &c.log.census
	found := uint64(0)
	for i := range c.slots {
		s := &c.slots[i]
		if s.size > 0 && s.id != 0 {
			c.prev = s.id
		}
		if s.err != nil {
			census.unread(s.err)
			if !yield(nil, s.err) {
				return false
			}
			continue
		}
		found++
		census.record(&c.recs[i])
		if !yield(&c.recs[i], nil) {
			return false
		}
	}
	if want := h.count(); want > found {
		err := binread.Errorf(off, fmt.Sprintf("chunk %d", n), "%d of %d records by its header are not readable", want-found, want)
		census.short(want-found, err)
		return yield(nil, err)
	}
	return true
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
