package hive

import (
	"bytes"
	"fmt"

	"sharetrail/parsers/binread"
)

// An overlay remembers which sectors of an image came from a log, and what the
// primary has there.
type overlay struct {
	size    int64       // of the primary, bytes
	held    int64       // bytes that applied entries hold
	sectors []int32     // by sector of the image: 1 + index in from; 0 is the primary
	from    []logSector // one for each sector a log has changed
	base    []byte      // the primary's first sector
}

type logSector struct {
	log string
	off int64  // in the log
	old []byte // in the primary; shorter than a sector behind its end
}

func newOverlay(image []byte) *overlay {
	return &overlay{size: int64(len(image)), base: bytes.Clone(image[:min(sectorSize, len(image))])}
}

// takeBase puts the base block of a log in place of the hive's own.
func (o *overlay) takeBase(h *Hive, base []byte) {
	copy(h.image, base[:sectorSize])
	le.PutUint32(h.image[28:], 0)
}

// apply copies the pages of an entry into the image of h.
func (o *overlay) apply(h *Hive, e Entry) error {
	end := blockSize + int64(e.bins)
	o.held += e.Bytes
	if grow := end - o.size; grow > maxGrowth+o.held {
		return fmt.Errorf("log %q: %w", e.Log, binread.Errorf(e.Off, "log entry", "sequence %d: makes the hive %d bytes larger, and the logs hold %d: %w", e.Sequence, grow, o.held, ErrDamaged))
	}
	if n := end - int64(len(h.image)); n > 0 {
		h.image = append(h.image, make([]byte, n)...)
	}
	if n := (len(h.image)+sectorSize-1)/sectorSize - len(o.sectors); n > 0 {
		o.sectors = append(o.sectors, make([]int32, n)...)
	}
	if e.base != nil {
		o.takeBase(h, e.base)
	}
	for _, p := range e.pages {
		o.patch(h.image, e.Log, p)
	}
	le.PutUint32(h.image[40:], e.bins)
	return nil
}

func (o *overlay) patch(image []byte, log string, p page) {
	var saved []byte // what the primary has there, kept once
	if p.off < o.size {
		saved = image[p.off:min(p.off+int64(len(p.data)), o.size)]
		saved = bytes.Clone(saved)
	}
	for at := 0; at < len(p.data); at += sectorSize {
		i := (p.off + int64(at)) / sectorSize
		if k := o.sectors[i]; k > 0 {
			o.from[k-1].log, o.from[k-1].off = log, p.logOff+int64(at)
			continue
		}
		a, b := min(at, len(saved)), min(at+sectorSize, len(saved))
		o.from = append(o.from, logSector{log, p.logOff + int64(at), saved[a:b:b]})
		o.sectors[i] = int32(len(o.from))
	}
	copy(image[p.off:], p.data)
}

// primary returns the image without what logs changed, in new memory.
func (o *overlay) primary(image []byte) []byte {
	image = bytes.Clone(image[:min(o.size, int64(len(image)))])
	for i, k := range o.sectors {
		if k > 0 && int64(i)*sectorSize < o.size {
			copy(image[i*sectorSize:], o.from[k-1].old)
		}
	}
	copy(image, o.base)
	return image
}

// finish marks the image as Windows does after a replay.
func (h *Hive) finish(applied []Entry) {
	if len(applied) == 0 {
		return
	}
	last := applied[len(applied)-1]
	next := last.Sequence + 1
	le.PutUint32(h.image[4:], next)
	le.PutUint32(h.image[8:], next)
	le.PutUint32(h.image[508:], checksum(h.image))
}

// Origin tells where the byte at file offset off of the hive comes from: from
// that offset of a log, if replayed, else from the primary. The base block of a
// replayed hive is made up of both and counts as the primary's.
func (h *Hive) Origin(off int64) (log string, logOff int64, replayed bool) {
	s := h.sector(off)
	if s == nil {
		return "", 0, false
	}
	return s.log, s.off + off%sectorSize, true
}

func (h *Hive) sector(off int64) *logSector {
	if h.overlay == nil || off < 0 || off/sectorSize >= int64(len(h.overlay.sectors)) {
		return nil
	}
	if k := h.overlay.sectors[off/sectorSize]; k > 0 {
		return &h.overlay.from[k-1]
	}
	return nil
}

// Changed reports whether any of the n bytes at file offset off are others than
// in the primary. Logs hold whole pages: most of what they bring is the same.
func (h *Hive) Changed(off, n int64) bool {
	for end := min(off+n, int64(len(h.image))); off < end; {
		next := min(end, (off/sectorSize+1)*sectorSize)
		if s := h.sector(off); s != nil {
			a := off % sectorSize
			if b := a + next - off; b > int64(len(s.old)) || !bytes.Equal(s.old[a:b], h.image[off:next]) {
				return true
			}
		}
		off = next
	}
	return false
}
