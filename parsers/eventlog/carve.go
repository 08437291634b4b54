package eventlog

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"sync"

	"sharetrail/parsers/binread"
)

const (
	sector       = 512
	carveWindow  = 512 * sector // read at once
	carveSegment = 16 << 20     // of a stream, searched by one worker
	carveSkip    = 8 * sector   // after bytes that cannot be read
	maxCarved    = 1 << 20      // chunks of one stream: 64 GiB of logs
	checkedFirst = 16 << 20     // bytes of chunks that overlap, compared with their checksums
	checkedMore  = 4            // and so many for each byte of the stream
	headerSummed = 120          // bytes of a chunk header before its flags
)

// Carve treats r, which is size bytes long, as bytes of any kind that may hold
// chunks of event logs at multiples of 512: a raw volume, unallocated space, a
// page file. Reading the result yields the records of all of them, see
// [Record.State]. Chunks of one log need not lie in its order, nor belong to
// one log, and one may be there several times: what is the same record is for
// the caller to judge. The stream is searched to its end before the first is
// yielded.
//
// A chunk of which the end belongs to something else keeps what precedes the
// next chunk's signature. One that has lost its beginning is found by a record in
// it that holds a template: that says how far from the beginning it lies.
//
// If r has a method Next, as ntfs.Unallocated has, it tells where r holds
// anything: the rest is not read.
func Carve(r io.ReaderAt, size int64) *Log {
	return &Log{r: r, size: size, carved: &carving{}}
}

// sparse is a stream that tells which of its bytes are there: the first that are,
// from off on, lie from start up to end; start is -1 if there are none.
type sparse interface {
	Next(off int64) (start, end int64)
}

// A carving is what was found in a stream.
type carving struct {
	once    sync.Once
	pieces  []extent
	scanned int64
	checked int64 // bytes of chunks that overlap
}

// Searched returns how many bytes of a stream that is carved were read in search
// of chunks, and how many were found. It is zero before the first record.
func (l *Log) Searched() (bytes int64, chunks int) {
	if l.carved == nil {
		return 0, 0
	}
	for _, p := range l.carved.pieces {
		if p.err == nil {
			chunks++
		}
	}
	return l.carved.scanned, chunks
}

// find searches the stream, with jobs workers, once.
func (l *Log) find(jobs int) []extent {
	c := l.carved
	c.once.Do(func() {
		found := l.search(max(1, jobs))
		c.scanned = found.scanned
		c.place(l, found)
	})
	return c.pieces
}

// A segment is what one worker found.
type segment struct {
	signatures []int64 // offsets of chunks, ascending
	covered    int64   // up to here, records are looked for in chunks that are known
	spent      int64   // bytes of records that belong to none of them
	record     []byte
	unread     []unread
	scanned    int64 // bytes
	ended      bool  // the stream ends here, or nobody wants the rest
	died       any   // what the reader panicked with
}

// An unread stretch is bytes that cannot be read.
type unread struct {
	off, end int64
	err      error
}

// search finds the signatures of chunks. What is found does not depend on the
// number of workers.
func (l *Log) search(jobs int) (all segment) {
	bufs := make([][]byte, jobs)
	for i := range bufs {
		bufs[i] = make([]byte, carveWindow)
	}
	for base := int64(0); base < l.size && !all.ended; {
		found := make([]segment, jobs)
		var wait sync.WaitGroup
		for i := range found {
			if base, _ = l.next(base); base >= l.size {
				break
			}
			lo, hi := base, min(base+carveSegment, l.size)
			base = hi
			if i == jobs-1 {
				l.scan(&found[i], lo, hi, bufs[i])
				continue
			}
			wait.Go(func() { l.scan(&found[i], lo, hi, bufs[i]) })
		}
		wait.Wait()
		for _, f := range found {
			if f.died != nil {
				panic(f.died) // here it can be caught
			}
			if !all.join(f) {
				break
			}
		}
	}
	return all
}

// next returns the first stretch of the stream from off on that holds anything,
// in whole sectors.
func (l *Log) next(off int64) (start, end int64) {
	s, ok := l.r.(sparse)
	if !ok {
		return off, l.size
	}
	start, end = s.Next(off)
	if start < 0 || start >= l.size {
		return l.size, l.size
	}
	return max(off, start/sector*sector), min(l.size, (min(end, l.size)+sector-1)/sector*sector)
}

// join adds what the next segment holds. It is false if that is the last.
func (s *segment) join(f segment) bool {
	for _, at := range f.signatures {
		if n := len(s.signatures); n > 0 && at <= s.signatures[n-1] {
			continue // told by a record of the segment before
		}
		if len(s.signatures) == maxCarved {
			s.unread = append(s.unread, unread{at, at, errTooMany})
			s.ended = true
			return false
		}
		s.signatures = append(s.signatures, at)
	}
	for _, u := range f.unread {
		if n := len(s.unread); n > 0 && s.unread[n-1].end >= u.off {
			s.unread[n-1].end = u.end
			continue
		}
		s.unread = append(s.unread, u)
	}
	s.scanned += f.scanned
	s.ended = f.ended
	return !s.ended
}

var errTooMany = errors.New("too many chunks: what follows was not looked at")

// scan looks for signatures in [lo, hi).
func (l *Log) scan(s *segment, lo, hi int64, buf []byte) {
	defer func() { s.died = recover() }()
	for off := lo; off < hi; {
		start, end := l.next(off)
		if off = start; off >= hi {
			return
		}
		want := min(int64(len(buf)), min(end, hi)-off)
		n, err := l.r.ReadAt(buf[:want], off)
		n = max(0, min(n, int(want)))
		for i := 0; i+8 <= n; i += sector {
			if string(buf[i:i+8]) == chunkMagic {
				l.orphans(s, buf[:i], off)
				s.found(off + int64(i))
			}
		}
		l.orphans(s, buf[:n], off)
		s.scanned += int64(n)
		if int64(n) == want {
			off += want
			continue
		}
		u := unread{off + int64(n), min(off+int64(n)/sector*sector+carveSkip, hi), err}
		switch {
		case err == nil || err == io.EOF: // the stream is shorter than was said
			u.end, u.err, s.ended = l.size, io.ErrUnexpectedEOF, true
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			u.end, s.ended = l.size, true
		}
		if k := len(s.unread); k > 0 && s.unread[k-1].end >= u.off {
			s.unread[k-1].end = u.end
		} else {
			s.unread = append(s.unread, u)
		}
		if off = u.end; s.ended {
			return
		}
	}
}

// place makes chunks of the signatures, and puts the errors between them.
func (c *carving) place(l *Log, s segment) {
	buf := make([]byte, chunkSize)
	bad := s.unread
	failed := func(before int64) {
		for ; len(bad) > 0 && bad[0].off < before; bad = bad[1:] {
			err := binread.Errorf(bad[0].off, streamField, "%d bytes are not readable: %w", bad[0].end-bad[0].off, bad[0].err)
			if bad[0].err == errTooMany {
				err = binread.Errorf(bad[0].off, streamField, "%w", errTooMany)
			}
			c.pieces = append(c.pieces, extent{off: bad[0].off, err: err})
		}
	}
	inside := int64(0) // end of the last sound chunk
	for i, off := range s.signatures {
		if off < inside {
			continue
		}
		failed(off)
		size := min(chunkSize, l.size-off)
		if i+1 < len(s.signatures) && s.signatures[i+1] < off+size {
			if c.whole(l, off, s.scanned, buf) {
				inside = off + chunkSize
			} else {
				size = s.signatures[i+1] - off
			}
		}
		c.pieces = append(c.pieces, extent{off: off, size: int(size)})
	}
	failed(l.size + 1)
}

const streamField = "stream"

// IsStream reports whether an error of a carved stream is about the stream: its
// bytes could not be read. All others are about what was found in it.
func IsStream(err error) bool {
	var f *binread.FormatError
	return errors.As(err, &f) && f.Field == streamField
}

// whole reports whether the chunk at off, in which another signature lies, is
// sound to its end. Beyond a bound on the work it is not, so that a stream that
// is nothing but signatures costs no more than others.
func (c *carving) whole(l *Log, off, scanned int64, b []byte) bool {
	if n, _ := l.r.ReadAt(b[:chunkHeaderSize], off); n < chunkHeaderSize {
		return false
	}
	sum := crc32.Update(crc32.ChecksumIEEE(b[:headerSummed]), crc32.IEEETable, b[128:chunkHeaderSize])
	if sum != le.Uint32(b[124:]) || c.checked > checkedFirst+checkedMore*scanned {
		return false
	}
	c.checked += chunkSize
	if n, _ := l.r.ReadAt(b, off); n < chunkSize {
		return false
	}
	h := parseChunkHeader(b, true)
	return h.doubt == ""
}
