package hive

import (
	"errors"
	"io"
	"slices"

	"sharetrail/parsers/binread"
)

const (
	loadStep  = 1 << 20  // bytes read at once
	loadAhead = 64 << 20 // bytes of memory that a size is trusted with before they were read
)

// load reads the file. Memory follows what was really read. A page that cannot be read becomes zeros, which no structure matches,
// so that nothing in it can be taken for present or for absent.
func (h *Hive) load(r io.ReaderAt, size int64) error {
	head := make([]byte, min(512, max(size, 0)))
	if err := binread.Full(r, head, 0, "base block"); err != nil {
		return binread.Errorf(0, "base block", "%w: %w", err, ErrDamaged)
	}
	if RoleOf(head) == NoHive {
		return binread.Errorf(0, "base block", "signature %q: %w", head[:min(4, len(head))], ErrDamaged)
	}
	h.image = make([]byte, 0, min(size, loadAhead))
	for off := int64(0); off < size; {
		n := int(min(loadStep, size-off))
		h.image = slices.Grow(h.image, n)
		buf := h.image[off : off+int64(n)]
		got, err := r.ReadAt(buf, off)
		switch {
		case got == n:
		case err == nil || atEnd(err):
			h.image = h.image[:off+int64(got)]
			h.note(binread.Errorf(off+int64(got), "hive", "file ends before its size of %d bytes: %w", size, ErrDamaged))
			return nil
		default:
			if n = h.loadPages(r, buf, off); n < len(buf) {
				h.image = h.image[:off+int64(n)]
				return nil
			}
		}
		off += int64(n)
		h.image = h.image[:off]
	}
	return nil
}

// loadPages reads buf page by page and returns how much of it the file has.
func (h *Hive) loadPages(r io.ReaderAt, buf []byte, off int64) int {
	bad := false
	for at := 0; at < len(buf); at += blockSize {
		page := buf[at:min(at+blockSize, len(buf))]
		n, err := r.ReadAt(page, off+int64(at))
		if n == len(page) {
			bad = false
			continue
		}
		if atEnd(err) {
			h.note(binread.Errorf(off+int64(at+n), "hive", "file ends early: %w", ErrDamaged))
			return at + n
		}
		clear(page)
		if !bad { // one problem a run
			h.note(binread.Errorf(off+int64(at), "page", "%w: %w", err, ErrDamaged))
		}
		bad = true
	}
	return len(buf)
}

func atEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
