// Package evtxtest writes Windows XML event logs for tests, with templates,
// name tables and checksums as Windows writes them.
//
// Layout: [MS-EVEN6] 2.2.12 to 2.2.17 (BinXML) and libevtx, "Windows XML Event
// Log (EVTX)".
package evtxtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"sharetrail/parsers/filetime"
)

// An Event is one record to write. Zero fields are written as zero, empty
// UserID as no Security/UserID.
type Event struct {
	Channel, Provider, Computer string
	EventID                     uint32 // the upper half, if set, is written as Qualifiers
	Version, Level, Opcode      uint8
	Task                        uint16
	Keywords                    uint64
	RecordID                    uint64 // System/EventRecordID; 0 is that of the event before + 1
	Time                        time.Time
	UserID                      string // SID
	ProcessID, ThreadID         uint32
	Data                        []Field
	UserData                    string // name of the element below UserData that holds Data; "" is EventData
}

// A Field is one value of the event data.
type Field struct {
	// Name "" is a Data without a name, of which consecutive ones form one list
	// of strings as in classic events. Beside those, a field of the name and
	// type "Binary", "binary" is written as the element Binary.
	Name string
	// Type is "" or unicode, ansi, int8 to int64, uint8 to uint64, hexint32,
	// hexint64, pointer, float, double, boolean, binary (hexadecimal digits),
	// guid, sid, filetime, systemtime (RFC 3339).
	Type string
	// Value "" is a null, except for the types of text.
	Value string
}

// Options say how the log looks. The zero value is a log that was closed
// cleanly.
type Options struct {
	Dirty bool // the flag is set and the file header knows only the first chunk
	Full  bool
	// HeaderIDOffset is added to each number in a record header. Other than 0,
	// the log looks as if it was exported: header times are those of the next
	// record.
	HeaderIDOffset int64
	FirstRecordID  uint64 // of the first event, if that has none; 0 is 1
	// NoTemplates writes each event as elements with text, as the collector of
	// forwarded events does.
	NoTemplates     bool
	RecordsPerChunk int // 0 is as many as fit
}

const (
	headerSize = 4096
	chunkSize  = 65536
)

var le = binary.LittleEndian

// Build returns a whole log. It is the same for the same arguments.
func Build(events []Event, o Options) ([]byte, error) {
	if len(events) == 0 {
		return nil, errors.New("evtxtest: no events")
	}
	file := make([]byte, headerSize)
	id := max(o.FirstRecordID, 1) - 1
	c := newChunk(id + 1)
	firstNext := uint64(0)
	for i := range events {
		ev := events[i]
		if ev.RecordID == 0 {
			ev.RecordID = id + 1
		}
		id = ev.RecordID
		r := record{Event: ev, headerID: uint64(int64(id) + o.HeaderIDOffset), headerTime: ev.Time, plain: o.NoTemplates}
		if o.HeaderIDOffset != 0 {
			if r.headerTime = (time.Time{}); i+1 < len(events) {
				r.headerTime = events[i+1].Time
			}
		}
		full := o.RecordsPerChunk > 0 && c.count == o.RecordsPerChunk
		ok, err := false, error(nil)
		if !full {
			ok, err = c.add(&r)
		}
		if err == nil && !ok {
			if c.count > 0 {
				file = c.finish(file)
				if firstNext == 0 {
					firstNext = r.headerID
				}
				c = newChunk(c.from + uint64(c.count))
			}
			ok, err = c.add(&r)
		}
		if err != nil {
			return nil, fmt.Errorf("evtxtest: event %d: %w", i, err)
		}
		if !ok {
			return nil, fmt.Errorf("evtxtest: event %d is larger than a chunk", i)
		}
	}
	next := c.last + 1
	file = c.finish(file)
	chunks := (len(file) - headerSize) / chunkSize
	if chunks > 65535 {
		return nil, fmt.Errorf("evtxtest: %d chunks are too many", chunks)
	}
	if o.Dirty && firstNext != 0 {
		chunks, next = 1, firstNext
	}
	fileHeader(file, chunks, next, o)
	return file, nil
}

func fileHeader(b []byte, chunks int, next uint64, o Options) {
	copy(b, "ElfFile\x00")
	le.PutUint64(b[16:], uint64(chunks-1))
	le.PutUint64(b[24:], next)
	le.PutUint32(b[32:], 128)
	le.PutUint16(b[36:], 1)
	le.PutUint16(b[38:], 3)
	le.PutUint16(b[40:], headerSize)
	le.PutUint16(b[42:], uint16(chunks))
	if o.Dirty {
		b[120] |= 1
	}
	if o.Full {
		b[120] |= 2
	}
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
}

// A chunk is being filled.
type chunk struct {
	b           []byte
	names       map[string]int // offsets
	nameAt      []int          // in order
	defs        map[string]int
	defAt       []int
	first, last uint64 // header numbers of the records
	from        uint64 // count of records in the chunks before, plus one
	lastOff     int
	count       int
}

func newChunk(from uint64) *chunk {
	return &chunk{from: from, b: make([]byte, 512, chunkSize+4096), names: map[string]int{}, defs: map[string]int{}}
}

// A record is an event with its record header.
type record struct {
	Event
	headerID   uint64
	headerTime time.Time
	plain      bool
}

// add appends a record. It is false, and the chunk as before, if there is no
// room.
func (c *chunk) add(r *record) (bool, error) {
	start := len(c.b)
	c.raw(0x2a, 0x2a, 0, 0)
	c.u32(0)
	c.u64(r.headerID)
	c.u64(filetime.From(r.headerTime))
	c.fragment()
	var err error
	if r.plain {
		err = c.plainEvent(&r.Event)
	} else {
		err = c.templateEvent(&r.Event)
	}
	if err != nil {
		c.cut(start)
		return false, err
	}
	c.raw(0)
	for (len(c.b)-start+4)%8 != 0 {
		c.raw(0)
	}
	c.u32(0)
	if len(c.b) > chunkSize {
		c.cut(start)
		return false, nil
	}
	size := uint32(len(c.b) - start)
	le.PutUint32(c.b[start+4:], size)
	le.PutUint32(c.b[len(c.b)-4:], size)
	if c.count == 0 {
		c.first = r.headerID
	}
	c.last, c.lastOff = r.headerID, start
	c.count++
	return true, nil
}

// cut takes back what was written from off on.
func (c *chunk) cut(off int) {
	c.b = c.b[:off]
	forget := func(m map[string]int, order []int) []int {
		for k, at := range m {
			if at >= off {
				delete(m, k)
			}
		}
		for len(order) > 0 && order[len(order)-1] >= off {
			order = order[:len(order)-1]
		}
		return order
	}
	c.nameAt = forget(c.names, c.nameAt)
	c.defAt = forget(c.defs, c.defAt)
}

// finish fills the tables and checksums and appends the chunk to file.
func (c *chunk) finish(file []byte) []byte {
	free := len(c.b)
	b := append(c.b, make([]byte, chunkSize-free)...)
	for _, at := range c.nameAt { // chains of the 64 buckets of names
		slot := 128 + 4*(int(le.Uint16(b[at+4:]))%64)
		copy(b[at:at+4], b[slot:slot+4])
		le.PutUint32(b[slot:], uint32(at))
	}
	for _, at := range c.defAt { // and of the 32 of templates
		slot := 384 + 4*(int(le.Uint32(b[at+4:]))%32)
		copy(b[at:at+4], b[slot:slot+4])
		le.PutUint32(b[slot:], uint32(at))
	}
	copy(b, "ElfChnk\x00")
	le.PutUint64(b[8:], c.from)
	le.PutUint64(b[16:], c.from+uint64(c.count)-1)
	le.PutUint64(b[24:], c.first)
	le.PutUint64(b[32:], c.last)
	le.PutUint32(b[40:], 128)
	le.PutUint32(b[44:], uint32(c.lastOff))
	le.PutUint32(b[48:], uint32(free))
	le.PutUint32(b[52:], crc32.ChecksumIEEE(b[512:free]))
	le.PutUint32(b[124:], crc32.Update(crc32.ChecksumIEEE(b[:120]), crc32.IEEETable, b[128:512]))
	return append(file, b...)
}
