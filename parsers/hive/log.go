package hive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"sharetrail/parsers/binread"
)

const (
	sectorSize  = 512  // logs and their pages are made of these
	entryHeader = 40   // bytes of a log entry in front of its page references
	logType     = 6    // file type of a log in the new format; the old ones are 1 and 2
	carveFactor = 4    // times its size that is hashed of one log at most
	maxStale    = 4096 // entries kept
)

// A LogFile is a transaction log found beside a hive.
type LogFile struct {
	Name string // as reports shall call it
	R    io.ReaderAt
	Size int64 // bytes
}

// An Entry is one set of pages that Windows wrote to a log at once: a log entry
// of the new format, all of a log in the old one. The zero Entry stands for the
// primary file.
type Entry struct {
	Log      string // name of the log
	Off      int64  // of the entry, from the start of the log, bytes
	Sequence uint32
	Pages    int    // runs of pages
	Bytes    int64  // in these pages
	Reason   string // why it was not applied, "" if it was

	pages []page
	bins  uint32 // size of the hive bins after it, bytes
	base  []byte // old format: base block to take over
	old   bool
}

// A page is a run of bytes of the hive in a log.
type page struct {
	off    int64 // in the hive file
	logOff int64 // in the log
	data   []byte
}

// logData is a log in memory, with what was found in it.
type logData struct {
	name  string
	image []byte
	start uint32  // sequence number of the first entry, from the base block
	chain []Entry // that follow one another from the first sector on
	rest  []Entry // other whole entries
	bad   error   // why none of them may be applied
	note  []error // problems that leave the chain usable

	foreign bool // it is of another hive
}

func (l *logData) errorf(off int64, field, format string, args ...any) error {
	return fmt.Errorf("log %q: %w", l.name, binread.Errorf(off, field, format, args...))
}

// readLog reads a log and finds its entries. What is wrong with it is kept in
// it; nil means that there is nothing to say of it: Windows keeps empty logs.
func readLog(log LogFile) *logData {
	l := &logData{name: log.Name}
	if log.Size == 0 {
		return nil
	}
	if log.Size < 0 || log.Size > MaxSize || log.R == nil {
		l.bad = l.errorf(0, "log", "%d bytes: %w", log.Size, ErrDamaged)
		return l
	}
	image, err := readAll(log.R, log.Size)
	l.image = image
	if err != nil {
		l.note = append(l.note, l.errorf(int64(len(image)), "log", "%w: %w", err, ErrDamaged))
	}
	if binread.IsZero(image) {
		if err == nil {
			return nil // never written to
		}
		return l
	}
	l.bad = l.checkBase()
	if len(image) < sectorSize {
		return l
	}
	if typ := le.Uint32(image[28:]); l.bad == nil && (typ == 1 || typ == 2) {
		l.oldEntry()
		return l
	}
	l.entries()
	return l
}

// readAll reads up to size bytes; memory follows what was read.
func readAll(r io.ReaderAt, size int64) ([]byte, error) {
	image := make([]byte, 0, min(size, loadAhead))
	for off := int64(0); off < size; {
		n := int(min(loadStep, size-off))
		image = slices.Grow(image, n)
		got, err := r.ReadAt(image[off:off+int64(n)], off)
		image = image[:off+int64(got)]
		if got < n {
			if err == nil || atEnd(err) {
				err = errors.New("file ends early")
			}
			return image, err
		}
		off += int64(n)
	}
	return image, nil
}

func (l *logData) checkBase() error {
	switch b := l.image; {
	case len(b) < sectorSize:
		return l.errorf(0, "base block", "%d bytes: %w", len(b), ErrDamaged)
	case RoleOf(b) != Log:
		return l.errorf(0, "base block", "signature %q, type %d: no log: %w", b[:4], le.Uint32(b[28:]), ErrDamaged)
	case checksum(b) != le.Uint32(b[508:]):
		return l.errorf(508, "checksum", "%#x, want %#x: %w", le.Uint32(b[508:]), checksum(b), ErrDamaged)
	case le.Uint32(b[4:]) != le.Uint32(b[8:]):
		return l.errorf(4, "sequence", "%d and %d differ: its base block was not written whole: %w", le.Uint32(b[4:]), le.Uint32(b[8:]), ErrDamaged)
	}
	l.start = le.Uint32(l.image[4:])
	return nil
}

// entries finds all whole entries of the new format (REGF, "New format"): first
// the chain, then what older rounds of the ring left behind it.
func (l *logData) entries() {
	off := int64(sectorSize)
	budget := carveFactor*int64(len(l.image)) + 1<<20
	if l.bad == nil {
		for next := l.start; ; next++ {
			e, err := l.entry(off, &budget)
			if err != nil {
				// An entry with the next number was meant to be here.
				if h := l.image[min(off, int64(len(l.image))):]; len(h) >= 16 && string(h[:4]) == "HvLE" && le.Uint32(h[12:]) == next {
					l.note = append(l.note, err)
				}
				break
			}
			if e.Sequence != next {
				break
			}
			l.chain = append(l.chain, e)
			off += int64(le.Uint32(l.image[off+4:]))
		}
	}
	for ; off+entryHeader <= int64(len(l.image)); off += sectorSize {
		i := bytes.Index(l.image[off:], []byte("HvLE"))
		if i < 0 {
			return
		}
		off = (off + int64(i) + sectorSize - 1) / sectorSize * sectorSize
		for off+entryHeader <= int64(len(l.image)) && string(l.image[off:off+4]) == "HvLE" {
			e, err := l.entry(off, &budget)
			if budget < 0 || len(l.rest) >= maxStale {
				l.note = append(l.note, l.errorf(off, "log entry", "too many entries, the rest is not read: %w", ErrDamaged))
				return
			}
			if err != nil {
				break
			}
			l.rest = append(l.rest, e)
			off += int64(le.Uint32(l.image[off+4:]))
		}
	}
}

// entry reads the entry at off and checks its hashes (REGF, "Log entry").
func (l *logData) entry(off int64, budget *int64) (e Entry, err error) {
	if off+entryHeader > int64(len(l.image)) {
		return e, l.errorf(off, "log entry", "%w", binread.ErrTruncated)
	}
	b := l.image[off:]
	if string(b[:4]) != "HvLE" {
		return e, l.errorf(off, "log entry", "signature %q: %w", b[:4], ErrDamaged)
	}
	size, n := int64(le.Uint32(b[4:])), int64(le.Uint32(b[20:]))
	e = Entry{Log: l.name, Off: off, Sequence: le.Uint32(b[12:]), bins: le.Uint32(b[16:])}
	fail := func(format string, args ...any) (Entry, error) {
		return e, l.errorf(off, "log entry", "sequence %d: "+format+": %w", append(append([]any{e.Sequence}, args...), ErrDamaged)...)
	}
	if marvin32(b[:32]) != le.Uint64(b[32:]) {
		return fail("hash of its header is wrong")
	}
	switch {
	case size < sectorSize || size%sectorSize != 0 || size > int64(len(b)):
		return fail("%d bytes, %d left in the log", size, len(b))
	case e.bins%blockSize != 0 || e.bins == 0 || int64(e.bins) > MaxSize:
		return fail("hive bins of %#x bytes", e.bins)
	case n > (size-entryHeader)/(8+sectorSize):
		return fail("%d pages in %d bytes", n, size)
	}
	if *budget -= size; *budget < 0 {
		return fail("more bytes in entries than in the log")
	}
	b = b[:size]
	if marvin32(b[entryHeader:]) != le.Uint64(b[24:]) {
		return fail("hash of its pages is wrong")
	}
	at := entryHeader + 8*n
	for i := range n {
		ref := b[entryHeader+8*i:]
		start, run := int64(le.Uint32(ref)), int64(le.Uint32(ref[4:]))
		if start%sectorSize != 0 || run%sectorSize != 0 || run == 0 || at+run > size || start+run > int64(e.bins) {
			return fail("page %d: %#x bytes at %#x", i, run, start)
		}
		e.pages = append(e.pages, page{blockSize + start, off + at, b[at : at+run : at+run]})
		e.Bytes += run
		at += run
	}
	e.Pages = len(e.pages)
	return e, nil
}

// oldEntry reads a log of the old format (REGF, "Old format"): one bit for each
// sector of the hive bins, then the sectors whose bit is set. It has no hash.
func (l *logData) oldEntry() {
	b := l.image
	e := Entry{Log: l.name, Off: sectorSize, Sequence: l.start, bins: le.Uint32(b[40:]), base: b[:sectorSize], old: true}
	fail := func(format string, args ...any) {
		l.bad = l.errorf(sectorSize, "dirty vector", format+": %w", append(args, ErrDamaged)...)
	}
	n := int64(e.bins) / (8 * sectorSize) // bytes of bits
	switch {
	case e.bins == 0 || e.bins%blockSize != 0 || int64(e.bins) > MaxSize:
		fail("hive bins of %#x bytes", e.bins)
		return
	case int64(len(b)) < sectorSize+4+n:
		fail("%d bytes, need %d", len(b)-sectorSize, 4+n)
		return
	case string(b[sectorSize:sectorSize+4]) != "DIRT":
		fail("signature %q", b[sectorSize:sectorSize+4])
		return
	}
	at := (sectorSize + 4 + n + sectorSize - 1) / sectorSize * sectorSize
	for i, m := range b[sectorSize+4 : sectorSize+4+n] {
		for ; m != 0; m &= m - 1 {
			off := blockSize + int64(8*i+bits.TrailingZeros8(m))*sectorSize
			if at+sectorSize > int64(len(b)) {
				fail("marks more sectors than the %d the log holds", len(e.pages))
				return
			}
			if k := len(e.pages) - 1; k >= 0 && e.pages[k].off+int64(len(e.pages[k].data)) == off {
				p := &e.pages[k]
				p.data = b[p.logOff : at+sectorSize : at+sectorSize]
			} else {
				e.pages = append(e.pages, page{off, at, b[at : at+sectorSize : at+sectorSize]})
			}
			e.Bytes += sectorSize
			at += sectorSize
		}
	}
	e.Pages = len(e.pages)
	l.chain = []Entry{e}
}
