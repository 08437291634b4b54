package eventlog

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"sharetrail/parsers/binread"
)

// Options say what [Log.Read] does beyond reading the record lists. The zero
// value is that alone.
type Options struct {
	// Want chooses the records that the evtx library renders as well, see
	// [Record.Data]. It is called in file order, for each record that is
	// yielded, up to [Ahead] chunks before that. Nil chooses none.
	Want func(*Record) bool
	// Sample bounds what the library costs, which is a hundred times what this
	// package's own reading does: of wanted records that use the same templates
	// with the same types of values, the first four and then every Sample-th are
	// rendered. [Record.Rendered] tells. Zero renders all.
	Sample int
	// Jobs is how many chunks are worked on at the same time. What is yielded,
	// and in which order Want is called, does not depend on it.
	Jobs int
	// Slack asks for what lies outside the record lists as well: records that
	// were replaced, or hidden. See [Record.State]. Where the template of one is
	// overwritten, a definition with the same id and types of values is taken
	// from another place of the log, and the record is doubted.
	Slack bool
	// Own leaves records of the slack whose template is overwritten as they are.
	// To know the definitions of other chunks, each must be read before: twice as
	// much to unpack, if the log lies in an image or archive.
	Own bool
	// Lenders are other logs, best of the same computer, that definitions for
	// Slack may come from too. They are read once, if one is needed.
	Lenders []Lender
}

// A Lender is a log that lends its template definitions.
type Lender struct {
	Name string // see [Lent]
	Log  *Log
}

// Ahead is how many chunks [Options.Want] may be ahead of the iteration.
const Ahead = 8

// Records is [Log.Read] with want alone, except that want is called for the
// records of a chunk right before these are yielded.
func (l *Log) Records(want func(*Record) bool) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		p := pipeline{log: l, opt: Options{Want: want}, next: l.chunks(0)}
		p.run(yield)
	}
}

// Read returns every record of every chunk up to the end of the file, in the
// order in which they are stored. Each element is either a record or an error
// that names an offset and what is lost there; the iteration goes on behind
// it.
//
// The record is valid until the next iteration.
func (l *Log) Read(o Options) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		p := pipeline{log: l, opt: o, ahead: Ahead, next: l.chunks(o.Jobs)}
		p.run(yield)
	}
}

// A chunkSource gives one chunk after the other, or an error for what may have
// held one.
type chunkSource func() (at extent, ok bool)

// An extent is where a chunk lies, or an error for bytes that could not be read.
type extent struct {
	off  int64 // in bytes
	size int   // up to chunkSize
	err  error
}

// chunks returns the chunks of the log. A stream is searched for them first,
// with jobs workers.
func (l *Log) chunks(jobs int) chunkSource {
	if l.carved != nil {
		rest := l.find(jobs)
		return func() (at extent, ok bool) {
			if len(rest) == 0 {
				return at, false
			}
			at, rest = rest[0], rest[1:]
			return at, true
		}
	}
	off := l.base - chunkSize
	return func() (extent, bool) {
		off += chunkSize
		return extent{off: off, size: int(max(0, min(chunkSize, l.size-off)))}, off < l.size
	}
}

// A chunkReader reads one chunk after the other into the same buffer.
//
// The work on a chunk is split: load and render touch nothing else and may run
// beside those of other chunks, link, choose and emit belong to the consumer.
type chunkReader struct {
	log    *Log
	opt    *Options
	shapes map[shape]int // wanted records of each, of all chunks
	lender *lender
	done   chan struct{} // load or render has ended
	died   any           // what it panicked with

	n     int   // place of the chunk
	off   int64 // in the file, in bytes
	buf   []byte
	used  bool    // it holds anything but zeros
	size  int     // bytes of it in the file
	errs  []error // of the chunk as a whole
	head  chunkHeader
	prev  uint64 // header number of the record before the chunk
	dec   *decoder
	lib   library
	slots []slot
	recs  []Record
	slack slackReader
}

// fail makes the chunk nothing but an error.
func (c *chunkReader) fail(err error) {
	c.slots, c.recs, c.used = c.slots[:0], c.recs[:0], false
	c.slack.clear()
	c.errs = append(c.errs[:0], err)
}

// load reads the chunk in the n-th place and decodes the System fields of its
// records.
func (c *chunkReader) load() {
	c.errs, c.slots, c.recs, c.prev = c.errs[:0], c.slots[:0], c.recs[:0], 0
	c.slack.clear()
	got, err := c.fill()
	if c.used = !binread.IsZero(c.buf[:got]); !c.used && err == nil {
		return // never used
	}
	where := fmt.Sprintf("chunk %d", c.n)
	if err != nil {
		c.errs = append(c.errs, binread.Errorf(c.off+int64(got), where, "%d of %d bytes are not readable: %w", c.size-got, c.size, err))
	}
	if !c.used {
		return
	}
	c.head = chunkHeader{free: chunkHeaderSize, doubt: "the signature of its chunk is damaged"}
	if string(c.buf[:8]) == chunkMagic {
		c.head = parseChunkHeader(c.buf, !c.log.header.NoChecksums)
	} else {
		c.errs = append(c.errs, binread.Errorf(c.off, where, "no chunk signature"))
	}
	if !c.head.listed {
		// Nothing says where the records end: take all that are whole.
		c.head.free = chunkSize
	}
	if c.size < chunkSize && c.size < c.head.free && got == c.size {
		c.head.doubt = join(c.head.doubt, "the chunk is cut off")
		c.errs = append(c.errs, binread.Errorf(c.off, where, "cut off after %d bytes, records reach to %d: %w", c.size, c.head.free, binread.ErrTruncated))
	}
	c.decode()
}

// fill reads the bytes of the chunk; what cannot be read is zero.
func (c *chunkReader) fill() (got int, err error) {
	got, err = c.log.r.ReadAt(c.buf[:c.size], c.off)
	got = max(0, min(got, c.size))
	clear(c.buf[got:])
	if got == c.size {
		return got, nil
	}
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		err = binread.ErrTruncated
	}
	return got, err
}

// decode finds the records of the chunk and decodes their System fields.
func (c *chunkReader) decode() {
	c.dec.reset(c.buf, c.off)
	c.slots = c.head.records(c.slots[:0], c.buf, c.off, c.prev)
	c.recs = slices.Grow(c.recs[:0], len(c.slots))[:len(c.slots)]
	last := uint64(0) // header number of the record right before
	for i := range c.slots {
		s, r := &c.slots[i], &c.recs[i]
		if s.err != nil {
			*r, last = Record{}, 0
			continue
		}
		s.newRecord(r, c.dec, c.log.state())
		if last != 0 && s.id != last+1 {
			r.doubt(fmt.Sprintf("the record stored right before it has the header number %d", last))
		}
		last = s.id
		if c.head.doubt != "" {
			r.doubt(c.head.doubt)
		}
		if err := r.system(); err != nil {
			s.err = fmt.Errorf("record %d by header number: %w", s.id, err)
		}
	}
	if c.opt.Slack {
		c.slack.read(c)
	}
}

// link gives the chunk the header number of the last record before it. Only
// where the first bytes of a chunk hold no record does it matter.
func (c *chunkReader) link(prev uint64) (last uint64) {
	if prev != 0 && c.used && (len(c.slots) == 0 || c.slots[0].err != nil) {
		c.prev = prev
		c.decode()
	}
	for i := len(c.slots) - 1; i >= 0; i-- {
		if s := &c.slots[i]; s.size > 0 && s.id != 0 {
			return s.id
		}
	}
	return prev
}

// choose asks which records are wanted, and reports whether any is.
func (c *chunkReader) choose() bool {
	c.lib.pick = c.lib.pick[:0]
	if c.opt.Want == nil || !c.used {
		return false
	}
	c.lib.reset(c.dec, c.slots, c.recs)
	for i := range c.recs {
		r := &c.recs[i]
		if c.slots[i].err == nil && c.opt.Want(r) && c.sampled(r) {
			c.lib.want(i)
		}
	}
	for i := range c.slack.recs {
		c.opt.Want(&c.slack.recs[i])
	}
	return c.chosen()
}

// emit counts and yields what is in the chunk. It is false if the consumer had
// enough.
func (c *chunkReader) emit(yield func(*Record, error) bool) bool {
	census := &c.log.census
	for _, err := range c.errs {
		census.unread(err)
		if !yield(nil, err) {
			return false
		}
	}
	if !c.used {
		return true
	}
	census.chunk(c.n, c.off, c.off+int64(c.size), &c.head)
	found := uint64(0)
	for i := range c.slots {
		s := &c.slots[i]
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
	if want := c.head.count(); want > found {
		if !c.missing(want, want-found, yield) {
			return false
		}
	}
	return c.slack.emit(census, yield)
}

// missing says that n of the records that the chunk's header counts were not
// found: an error where bytes are damaged that may have held them, a hole where
// the list is whole.
func (c *chunkReader) missing(of, n uint64, yield func(*Record, error) bool) bool {
	damaged := len(c.errs) > 0 || c.head.doubt != ""
	for i := range c.slots {
		damaged = damaged || c.slots[i].err != nil
	}
	if !damaged {
		c.log.census.hole(Hole{c.n, c.off, n, of})
		return true
	}
	err := binread.Errorf(c.off, fmt.Sprintf("chunk %d", c.n), "%d of %d records by its header are not readable", n, of)
	c.log.census.short(n, err)
	return yield(nil, err)
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
