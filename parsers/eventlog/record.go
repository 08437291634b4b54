package eventlog

import (
	"fmt"
	"strconv"
	"time"

	"sharetrail/parsers/filetime"
)

// A Record is one event. The fields below HeaderTime come from its System
// element; a field that the event does not have is zero.
type Record struct {
	Off, Len int64 // of the record, from the start of the file, in bytes

	HeaderID   uint64    // number in the record header; differs from ID in re-exported logs
	HeaderTime time.Time // time in the record header, UTC, 100 ns: when it was written

	ID       uint64    // System/EventRecordID
	Time     time.Time // System/TimeCreated, UTC, 100 ns; zero if unset
	Channel  string
	Provider string // Provider/@Name
	Computer string

	EventID             uint32
	Qualifiers, Task    uint16
	Version             uint8
	Level, Opcode       uint8
	Keywords            uint64
	UserID              string // SID
	ProcessID, ThreadID uint32

	// State is "live" for a record in the record list of its chunk, "slack" for
	// one outside of any list: it was replaced, or hidden. In [Carve] those in a
	// list are "carved".
	State string
	Doubt string // why the record must be doubted; "" is sound
	// Unsound says that the record is not whole in itself: its end is
	// overwritten, or only its header is left.
	Unsound bool
	// Lent names the definitions that its templates were read with, where its
	// own are overwritten; nil if none is.
	Lent []Lent
	// Rendered says that the evtx library has read the record as well: what it
	// has a faithful form for is compared, see [Record.Data].
	Rendered bool

	dec     *decoder
	ticks   uint64 // HeaderTime as it is stored
	lo, hi  int    // BinXML of the record in the chunk
	end     int    // of the values that follow the template, lo if they are not known
	lib     any    // what the library made of it, nil if it was not asked
	have    uint16 // System fields that were found
	settled bool   // fields and err are what Data returns
	fields  []Field
	err     error
}

// A Lent is a template definition that lies in another chunk than the record.
type Lent struct {
	Log string // name of the [Lender]; "" for the log of the record
	Off int64  // of the definition, from the start of that log, in bytes
}

// A Field is one value of the event data.
type Field struct {
	Name string
	// Value is string (text, SID, GUID), uint64, int64, [Hex], float64, bool,
	// []byte, time.Time (UTC; zero if unset) or []string (an array). A value
	// that the event leaves out is "".
	Value any
}

// A sysField is a field of the System element.
type sysField uint8

const (
	sysProvider sysField = iota
	sysEventID
	sysQualifiers
	sysVersion
	sysLevel
	sysTask
	sysOpcode
	sysKeywords
	sysTime
	sysRecordID
	sysProcessID
	sysThreadID
	sysChannel
	sysComputer
	sysUserID
	sysNone
)

// sysFieldOf names the field that an element, or an attribute of it, of
// System holds.
func sysFieldOf(element, attr string) sysField {
	content, named, name := sysNone, sysNone, ""
	switch element {
	case "Provider":
		named, name = sysProvider, "Name"
	case "EventID":
		content, named, name = sysEventID, sysQualifiers, "Qualifiers"
	case "Version":
		content = sysVersion
	case "Level":
		content = sysLevel
	case "Task":
		content = sysTask
	case "Opcode":
		content = sysOpcode
	case "Keywords":
		content = sysKeywords
	case "TimeCreated":
		named, name = sysTime, "SystemTime"
	case "EventRecordID":
		content = sysRecordID
	case "Execution":
		if attr == "ThreadID" {
			return sysThreadID
		}
		named, name = sysProcessID, "ProcessID"
	case "Channel":
		content = sysChannel
	case "Computer":
		content = sysComputer
	case "Security":
		named, name = sysUserID, "UserID"
	}
	switch attr {
	case "":
		return content
	case name:
		return named
	}
	return sysNone
}

// set stores one System field from its raw value. A value whose type cannot
// hold the field is left out.
func (r *Record) set(f sysField, typ byte, b []byte) {
	if len(b) == 0 || typ == typeNull {
		return
	}
	switch f {
	case sysProvider, sysChannel, sysComputer, sysUserID:
		r.setText(f, r.dec.repeated(f, typ, b))
	case sysTime:
		if typ == typeFiletime && len(b) == 8 {
			if u := le.Uint64(b); u == r.ticks { // as in nearly all records
				r.Time = r.HeaderTime
			} else {
				r.Time = filetime.Time(u)
			}
			r.have |= 1 << f
			return
		}
		switch v := decode(typ, b).(type) {
		case time.Time:
			r.Time = v
			r.have |= 1 << f
		case string:
			r.setText(f, v)
		}
	default:
		switch typ {
		case typeString, typeANSI:
			r.setText(f, Text(decode(typ, b)))
		default:
			if u, ok := uintLE(b); ok {
				r.setUint(f, u)
			}
		}
	}
}

// setText stores a System field that is written as text.
func (r *Record) setText(f sysField, s string) {
	switch f {
	case sysProvider:
		r.Provider = s
	case sysChannel:
		r.Channel = s
	case sysComputer:
		r.Computer = s
	case sysUserID:
		r.UserID = s
	case sysTime:
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return
		}
		r.Time = t.UTC().Truncate(100)
	default:
		u, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			return
		}
		r.setUint(f, u)
		return
	}
	r.have |= 1 << f
}

func (r *Record) setUint(f sysField, u uint64) {
	switch f {
	case sysEventID:
		r.EventID = uint32(u)
	case sysQualifiers:
		r.Qualifiers = uint16(u)
	case sysVersion:
		r.Version = uint8(u)
	case sysLevel:
		r.Level = uint8(u)
	case sysTask:
		r.Task = uint16(u)
	case sysOpcode:
		r.Opcode = uint8(u)
	case sysKeywords:
		r.Keywords = u
	case sysRecordID:
		r.ID = u
	case sysProcessID:
		r.ProcessID = uint32(u)
	case sysThreadID:
		r.ThreadID = uint32(u)
	default:
		return
	}
	r.have |= 1 << f
}

// doubt adds a reason.
func (r *Record) doubt(why string) {
	if r.Doubt != "" {
		r.Doubt += "; "
	}
	r.Doubt += why
}

// system fills the System fields, from the template's plan where the record
// has one and by a walk of the whole record where it has none.
func (r *Record) system() error {
	d := r.dec
	in, ok, err := d.top(r.lo, r.hi)
	if err != nil {
		return err
	}
	r.end = r.lo
	if ok && in.plan.fast {
		if r.end, err = d.selectSystem(&in, r); err != nil {
			return err
		}
	}
	if both := uint16(1<<sysRecordID | 1<<sysTime); r.have&both != both {
		s := systemSink{rec: r}
		if err := d.walk(r.lo, r.hi, &s); err != nil && !s.done {
			return err
		}
		if !s.seen {
			return d.errorf(r.lo, "event", "no System element")
		}
	}
	if id, ok := d.hidden(r.end, r.hi); ok {
		r.doubt(fmt.Sprintf("another record, header number %d, lies hidden inside it", id))
	}
	if r.have&(1<<sysRecordID) == 0 {
		r.ID = r.HeaderID
		r.doubt("no System/EventRecordID, the number is that of the record header")
	}
	if r.have&(1<<sysTime) == 0 {
		r.doubt("no System/TimeCreated")
	}
	return nil
}
