package eventlog

import (
	"fmt"

	"sharetrail/parsers/filetime"
)

const outside = "it lies outside the record list of its chunk"

// A slackReader finds the records of a chunk that are in no record list: those
// of an earlier use of the chunk behind its end, and those between the end of
// an event and the end of its record.
type slackReader struct {
	dec  *decoder
	recs []Record
}

func (s *slackReader) clear() { s.recs = s.recs[:0] }

// read finds them. A live record whose template cannot be read is tried with
// the definitions of other chunks.
func (s *slackReader) read(c *chunkReader) {
	if s.dec == nil {
		s.dec = newDecoder()
		s.dec.strict = true
	}
	lender := c.lender
	if c.opt.Own {
		lender = nil
	}
	s.dec.foreign = lender
	s.dec.reset(c.buf, c.off)
	s.recs = s.recs[:0]
	end := chunkHeaderSize
	for i := range c.slots {
		slot, r := &c.slots[i], &c.recs[i]
		end = slot.off + slot.size
		switch {
		case slot.err == nil:
			if r.hi-r.end >= recordHeader && r.end > r.lo {
				s.scan(c, r.end, end)
			}
		case slot.id == 0:
			s.scan(c, slot.off, end)
		default:
			s.dec.foreign = c.lender
			s.retry(c, slot, r)
			s.dec.foreign = lender
		}
	}
	s.scan(c, end, chunkSize)
}

// retry decodes a record of the list whose template is damaged.
func (s *slackReader) retry(c *chunkReader, slot *slot, r *Record) {
	var again Record
	slot.newRecord(&again, s.dec, r.State)
	if c.head.doubt != "" {
		again.doubt(c.head.doubt)
	}
	if s.complete(&again) == nil {
		*r, slot.err = again, nil
	}
}

// complete decodes a record, its data too, so that what has to be doubted is
// known when it is yielded.
func (s *slackReader) complete(r *Record) error {
	s.dec.borrowed = s.dec.borrowed[:0]
	if err := r.system(); err != nil {
		return err
	}
	r.fields, r.err = r.read()
	r.settled = true
	for _, f := range s.dec.borrowed {
		r.Lent = append(r.Lent, f.Lent)
		r.doubt("its template is overwritten, and read from a definition with the same id and types of values " + f.Lent.String())
	}
	return nil
}

// scan looks for records in [lo, hi) of the chunk.
func (s *slackReader) scan(c *chunkReader, lo, hi int) {
	next := lo // sound record behind off, or hi
	for off := lo; off+recordHeader < hi; off++ {
		if off = nextMagic(c.buf, off, hi); off+recordHeader >= hi {
			return
		}
		slot := frame(c.buf, off, hi)
		if slot.id == 0 || slot.id >= 1<<63 {
			continue
		}
		if next <= off {
			next = resync(c.buf, off, hi)
		}
		if slot.doubt != "" { // a sound one inside it has overwritten its end
			if slot.size = min(slot.size, next-off); slot.size < recordMin {
				continue
			}
		}
		var r Record
		slot.newRecord(&r, s.dec, "slack")
		r.doubt(outside)
		if c.head.doubt != "" {
			r.doubt(c.head.doubt)
		}
		err := s.complete(&r)
		r.Unsound = r.Unsound || slot.doubt != "" || r.err != nil
		switch {
		case err == nil:
		case slot.doubt != "":
			continue // no sound frame and no event: chance
		default:
			r = Record{
				Off: r.Off, Len: r.Len, HeaderID: r.HeaderID, HeaderTime: r.HeaderTime, ID: r.HeaderID,
				State: r.State, Doubt: r.Doubt, Unsound: true, settled: true, err: err,
			}
			r.doubt("only its header can be read: " + err.Error())
		}
		s.recs = append(s.recs, r)
		if err == nil && slot.doubt == "" && r.end > r.lo {
			off = r.end - 1
		} else if err == nil && slot.doubt == "" {
			off += slot.size - 1
		}
	}
}

// frame returns the record at off as far as its header tells: a doubt says
// that its end is not where its header has it.
func frame(b []byte, off, limit int) slot {
	s := slot{off: off, size: limit - off, id: le.Uint64(b[off+8:]), time: le.Uint64(b[off+16:])}
	switch size := int64(le.Uint32(b[off+4:])); {
	case size < recordMin || size > int64(limit-off):
		s.doubt = fmt.Sprintf("its size field holds %d", size)
	case le.Uint32(b[off+int(size)-4:]) != uint32(size):
		s.size, s.doubt = int(size), "the two copies of its size differ"
	default:
		s.size = int(size)
	}
	if s.doubt != "" && (b[off+recordHeader] != tokenFragment || filetime.Time(s.time).IsZero()) {
		s.id = 0 // nothing of a record but its signature
	}
	return s
}

// emit yields the records that were found. It is false if the consumer had
// enough.
func (s *slackReader) emit(census *censusBuilder, yield func(*Record, error) bool) bool {
	for i := range s.recs {
		r := &s.recs[i]
		if census.c.Slack++; r.dec == nil {
			census.c.SlackUnread++
		}
		if !yield(r, nil) {
			return false
		}
	}
	return true
}
