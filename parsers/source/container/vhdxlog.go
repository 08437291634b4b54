package container

import (
	"bytes"
	"fmt"
	"io"

	"sharetrail/parsers/binread"
)

// The log of a VHDX that was in use when it was copied has changes of the
// metadata that are not in their place yet ([MS-VHDX] 2.3). They are replayed in
// memory: without them blocks read wrong.

const (
	vhdxLogSector = 4096
	vhdxMaxZeros  = 1024
)

// A logEntry is one valid entry of the log.
type logEntry struct {
	at, size int64 // in the log, in bytes; size is a multiple of 4 KiB
	tail     int64 // where the oldest entry lies that must be replayed with it
	seq      uint64
	flushed  int64 // bytes that the file had for sure
	last     int64 // bytes that it should have
	count    int64 // descriptors
}

// replay puts the changes of the log over the file.
func (v *vhdx) replay() error {
	id := v.header[48:64]
	if binread.IsZero(id) {
		return nil
	}
	n, off := int64(le.Uint32(v.header[68:])), int64(le.Uint64(v.header[72:]))
	doubt := func(err error) error {
		v.warn = append(v.warn, fmt.Errorf("the disk was in use and its log cannot be replayed, so that what was written last may be missing or wrong: %w", err))
		return nil
	}
	if ver := le.Uint16(v.header[64:]); ver != 0 {
		return doubt(v.f.errorf(-1, "log version", "%d: %w", ver, ErrUnsupported))
	}
	if n == 0 || n > vhdxMaxLog || n%vhdxLogSector != 0 {
		return doubt(v.f.errorf(-1, "log length", "%d bytes", n))
	}
	log, err := v.f.get(off, n, "log")
	if err != nil {
		return doubt(err)
	}
	seq := activeEntries(logEntries(log, id))
	if len(seq) == 0 {
		return doubt(v.f.errorf(off, "log", "no valid sequence of entries"))
	}
	head := seq[len(seq)-1]
	if v.f.size < head.flushed {
		return v.f.errorf(v.f.size, "log", "the file is cut short: it had at least %d bytes when the log was written: %w", head.flushed, binread.ErrTruncated)
	}
	o := &overlay{f: v.f, pages: map[int64][]byte{}}
	for _, e := range seq {
		if !o.apply(log, e) {
			return doubt(v.f.errorf(off, "log", "more than %d stretches of zeros", vhdxMaxZeros))
		}
	}
	under := *v.f
	o.f = &under
	v.f = &file{name: under.name, main: under.main, r: o, size: max(under.size, min(head.last, maxDisk), o.end)}
	v.warn = append(v.warn, v.f.errorf(off, "log", "the disk was in use: %d entries of its log, %d changes, were replayed in memory", len(seq), o.count))
	return nil
}

// logEntries returns the valid entries by the sector of the log at which they
// begin; the size of others is 0. It checks each byte a few times at most.
func logEntries(log, id []byte) []logEntry {
	out := make([]logEntry, len(log)/vhdxLogSector)
	work := 4 * int64(len(log))
	for i := range out {
		e, ok := logEntryHead(log, int64(i)*vhdxLogSector, id)
		if !ok || e.size > work {
			continue
		}
		work -= e.size
		if e.valid(wrap(log, e.at, e.size)) {
			out[i] = e
		}
	}
	return out
}

// activeEntries returns the entries to replay, oldest first: of the sequences
// whose newest entry names an oldest one within the sequence, the newest.
func activeEntries(all []logEntry) (best []logEntry) {
	n := int64(len(all)) * vhdxLogSector
	later := make([]bool, len(all)) // entries of a sequence that was tried with more before them
	for i := range all {
		if later[i] {
			continue
		}
		var seq []logEntry
		index := map[int64]int{} // by place in the log
		for e, used := all[i], int64(0); e.size > 0 && used+e.size <= n; e = all[(e.at+e.size)%n/vhdxLogSector] {
			if k := len(seq); k > 0 {
				if e.seq != seq[k-1].seq+1 {
					break
				}
				later[e.at/vhdxLogSector] = true
			}
			index[e.at] = len(seq)
			seq = append(seq, e)
			used += e.size
		}
		for k := len(seq) - 1; k >= 0; k-- {
			first, ok := index[seq[k].tail]
			if !ok || first > k {
				continue
			}
			if len(best) == 0 || seq[k].seq > best[len(best)-1].seq {
				best = seq[first : k+1]
			}
			break
		}
	}
	return best
}

// wrap returns n bytes of the log from at on, which may go round its end.
func wrap(log []byte, at, n int64) []byte {
	if end := int64(len(log)) - at; n > end {
		return append(bytes.Clone(log[at:]), log[:n-end]...)
	}
	return log[at : at+n]
}

// logEntryHead reads the header of the entry at a sector of the log.
func logEntryHead(log []byte, at int64, id []byte) (e logEntry, ok bool) {
	h := log[at : at+64]
	e = logEntry{
		at: at, size: int64(le.Uint32(h[8:])), tail: int64(le.Uint32(h[12:])), seq: le.Uint64(h[16:]),
		count: int64(le.Uint32(h[24:])), flushed: int64(le.Uint64(h[48:])), last: int64(le.Uint64(h[56:])),
	}
	switch {
	case string(h[:4]) != "loge" || !bytes.Equal(h[32:48], id) || e.seq == 0:
		return e, false
	case e.size < vhdxLogSector || e.size%vhdxLogSector != 0 || e.size > int64(len(log)):
		return e, false
	case e.dataAt() > e.size || e.flushed < 0 || e.last < 0:
		return e, false
	}
	return e, true
}

// dataAt returns where the data sectors of the entry begin in it.
func (e logEntry) dataAt() int64 {
	return (64 + 32*e.count + vhdxLogSector - 1) / vhdxLogSector * vhdxLogSector
}

// valid reports whether the bytes of the entry are whole and say what can be done.
func (e logEntry) valid(b []byte) bool {
	if !crc32c(b) {
		return false
	}
	data := e.dataAt()
	for i := range e.count {
		d := b[64+32*i:]
		if le.Uint64(d[24:]) != e.seq || le.Uint64(d[16:])%vhdxLogSector != 0 || le.Uint64(d[16:]) > maxDisk {
			return false
		}
		switch string(d[:4]) {
		case "zero":
			if n := le.Uint64(d[8:]); n%vhdxLogSector != 0 || n > maxDisk {
				return false
			}
		case "desc":
			if data+vhdxLogSector > e.size {
				return false
			}
			s := b[data : data+vhdxLogSector]
			if string(s[:4]) != "data" || uint64(le.Uint32(s[4:]))<<32|uint64(le.Uint32(s[4092:])) != e.seq {
				return false
			}
			data += vhdxLogSector
		default:
			return false
		}
	}
	return true
}

// An overlay is a file with changes over it.
type overlay struct {
	f     *file
	pages map[int64][]byte // 4 KiB each, by offset
	zeros []span           // below the pages
	end   int64            // of the last change
	count int
}

// apply adds the changes of an entry, which are later than those before it. It
// reports whether there was room for them.
func (o *overlay) apply(log []byte, e logEntry) bool {
	b := wrap(log, e.at, e.size)
	data := e.dataAt()
	for i := range e.count {
		d := b[64+32*i:]
		off := int64(le.Uint64(d[16:]))
		end := off + vhdxLogSector
		if string(d[:4]) == "zero" {
			if len(o.zeros) == vhdxMaxZeros {
				return false
			}
			end = off + int64(le.Uint64(d[8:]))
			for at := range o.pages {
				if at >= off && at < end {
					delete(o.pages, at)
				}
			}
			o.zeros = append(o.zeros, span{off, end})
		} else {
			page := bytes.Clone(b[data : data+vhdxLogSector])
			copy(page, d[8:16])       // leading bytes
			copy(page[4092:], d[4:8]) // trailing bytes
			o.pages[off] = page
			data += vhdxLogSector
		}
		o.end = max(o.end, end)
		o.count++
	}
	return true
}

// ReadAt implements io.ReaderAt. What lies behind the end of the file and was
// not changed by the log is an error.
func (o *overlay) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for n < len(p) {
		page := off / vhdxLogSector * vhdxLogSector
		q := p[n:min(int64(len(p)), int64(n)+page+vhdxLogSector-off)]
		if b := o.pages[page]; b != nil {
			copy(q, b[off-page:])
		} else if o.zero(page) {
			clear(q)
		} else {
			// Up to the next change the file counts.
			for next := page + vhdxLogSector; int(next-off) < len(p)-n && o.pages[next] == nil && !o.zero(next); next += vhdxLogSector {
				q = p[n:min(int64(len(p)), int64(n)+next+vhdxLogSector-off)]
			}
			if err := o.f.full(q, off, "block"); err != nil {
				return n, err
			}
		}
		n += len(q)
		off += int64(len(q))
	}
	return n, nil
}

// zero reports whether the log has zeros at the page at off.
func (o *overlay) zero(off int64) bool {
	for _, s := range o.zeros {
		if off >= s.start && off < s.end {
			return true
		}
	}
	return false
}
