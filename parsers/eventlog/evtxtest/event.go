package evtxtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/filetime"
)

var errTooLong = errors.New("value is longer than 65535 bytes")

const namespace = "http://schemas.microsoft.com/win/2004/08/events/event"

// Places of the System values in the substitution array.
const (
	subLevel = iota
	subOpcode
	subTask
	subEventID
	subQualifiers
	subKeywords
	subTime
	subProcessID
	subThreadID
	subRecordID
	subVersion
	subUserID
	subProvider
	subChannel
	subComputer
	subData
)

// templateEvent writes an event as Windows does: a template for System whose
// last value is the fragment with the event data, which has its own template.
func (c *chunk) templateEvent(e *Event) error {
	values := []value{
		subLevel:      {typ: 0x04, b: []byte{e.Level}},
		subOpcode:     {typ: 0x04, b: []byte{e.Opcode}},
		subTask:       {typ: 0x06, b: le.AppendUint16(nil, e.Task)},
		subEventID:    {typ: 0x06, b: le.AppendUint16(nil, uint16(e.EventID))},
		subQualifiers: {},
		subKeywords:   {typ: 0x15, b: le.AppendUint64(nil, e.Keywords)},
		subTime:       {typ: 0x11, b: le.AppendUint64(nil, filetime.From(e.Time))},
		subProcessID:  {typ: 0x08, b: le.AppendUint32(nil, e.ProcessID)},
		subThreadID:   {typ: 0x08, b: le.AppendUint32(nil, e.ThreadID)},
		subRecordID:   {typ: 0x0a, b: le.AppendUint64(nil, e.RecordID)},
		subVersion:    {typ: 0x04, b: []byte{e.Version}},
		subUserID:     {},
		subProvider:   {typ: 0x01, b: utf16Bytes(e.Provider)},
		subChannel:    {typ: 0x01, b: utf16Bytes(e.Channel)},
		subComputer:   {typ: 0x01, b: utf16Bytes(e.Computer)},
		subData:       {},
	}
	if q := uint16(e.EventID >> 16); q != 0 {
		values[subQualifiers] = value{typ: 0x06, b: le.AppendUint16(nil, q)}
	}
	if e.UserID != "" {
		b, err := sidBytes(e.UserID)
		if err != nil {
			return err
		}
		values[subUserID] = value{typ: 0x13, b: b}
	}
	if len(e.Data) > 0 || e.UserData != "" {
		values[subData] = value{typ: 0x21, write: func() error { return c.data(e) }}
	}
	return c.instance("Event", func() {
		c.element(true, "Event", []attribute{lit("xmlns", namespace)}, func() {
			c.system(true, subst, func(_ string, k int, t byte) func() { return func() { c.sub(k, t) } })
			c.sub(subData, 0x21)
		})
	}, values)
}

// system writes the System element; attr and text give what it holds.
func (c *chunk) system(tmpl bool, attr func(string, int, byte) attribute, text func(string, int, byte) func()) {
	c.element(tmpl, "System", nil, func() {
		c.element(tmpl, "Provider", []attribute{attr("Name", subProvider, 0x01)}, nil)
		c.element(tmpl, "EventID", []attribute{attr("Qualifiers", subQualifiers, 0x06)}, text("EventID", subEventID, 0x06))
		c.element(tmpl, "Version", nil, text("Version", subVersion, 0x04))
		c.element(tmpl, "Level", nil, text("Level", subLevel, 0x04))
		c.element(tmpl, "Task", nil, text("Task", subTask, 0x06))
		c.element(tmpl, "Opcode", nil, text("Opcode", subOpcode, 0x04))
		c.element(tmpl, "Keywords", nil, text("Keywords", subKeywords, 0x15))
		c.element(tmpl, "TimeCreated", []attribute{attr("SystemTime", subTime, 0x11)}, nil)
		c.element(tmpl, "EventRecordID", nil, text("EventRecordID", subRecordID, 0x0a))
		c.element(tmpl, "Correlation", nil, nil)
		c.element(tmpl, "Execution", []attribute{
			attr("ProcessID", subProcessID, 0x08), attr("ThreadID", subThreadID, 0x08),
		}, nil)
		c.element(tmpl, "Channel", nil, text("Channel", subChannel, 0x01))
		c.element(tmpl, "Computer", nil, text("Computer", subComputer, 0x01))
		c.element(tmpl, "Security", []attribute{attr("UserID", subUserID, 0x13)}, nil)
	})
}

// A part is one element of the event data.
type part struct {
	name string // of the element
	data string // its Name attribute
	decl byte   // type in the template; a null has another one in the record
	value
}

// parts encodes the event data. Unnamed strings in a row are one array.
func parts(e *Event) ([]part, error) {
	var list []part
	classic := false
	for i := range e.Data {
		f := &e.Data[i]
		typ, b, err := encode(f)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", f.Name, err)
		}
		v := value{typ: typ, b: b}
		if len(b) == 0 && typ != 0x01 {
			v.typ = 0
		}
		switch {
		case e.UserData != "":
			if f.Name == "" {
				return nil, errors.New("a field of UserData needs a name")
			}
			list = append(list, part{f.Name, "", typ, v})
		case f.Name == "" && typ == 0x01:
			if n := len(list); classic && list[n-1].typ == 0x81 {
				list[n-1].b = append(append(list[n-1].b, b...), 0, 0)
			} else {
				list = append(list, part{"Data", "", 0x81, value{typ: 0x81, b: append(b, 0, 0)}})
			}
			classic = true
		case f.Name == "Binary" && typ == 0x0e && classic:
			list = append(list, part{"Binary", "", typ, v})
		default:
			list = append(list, part{"Data", f.Name, typ, v})
		}
	}
	for _, p := range list {
		if len(p.b) > 0xffff {
			return nil, errTooLong
		}
	}
	return list, nil
}

// data writes the fragment with the event data.
func (c *chunk) data(e *Event) error {
	list, err := parts(e)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%q %d %d %q", e.Provider, e.EventID, e.Version, e.UserData)
	var values []value
	for _, p := range list {
		key += fmt.Sprintf(" %q %q %d", p.name, p.data, p.decl)
		values = append(values, p.value)
	}
	c.fragment()
	err = c.instance(key, func() {
		c.container(true, e, list, func(k int, p part) func() { return func() { c.sub(k, p.decl) } })
	}, values)
	c.raw(0)
	return err
}

// container writes EventData or UserData with its elements.
func (c *chunk) container(tmpl bool, e *Event, list []part, text func(int, part) func()) {
	fields := func() {
		for k, p := range list {
			var attrs []attribute
			if p.data != "" {
				attrs = []attribute{lit("Name", p.data)}
			}
			c.element(tmpl, p.name, attrs, text(k, p))
		}
	}
	if e.UserData == "" {
		c.element(tmpl, "EventData", nil, fields)
		return
	}
	c.element(tmpl, "UserData", nil, func() {
		c.element(tmpl, e.UserData, []attribute{lit("xmlns", "http://manifests.microsoft.com/win/2004/08/windows/eventlog")}, fields)
	})
}

// plainEvent writes an event without templates: all values are text.
func (c *chunk) plainEvent(e *Event) error {
	if _, err := parts(e); err != nil {
		return err
	}
	hex := func(u uint64) string { return "0x" + strconv.FormatUint(u, 16) }
	num := func(u uint64) string { return strconv.FormatUint(u, 10) }
	system := map[int]string{
		subLevel: num(uint64(e.Level)), subOpcode: num(uint64(e.Opcode)), subTask: num(uint64(e.Task)),
		subEventID: num(uint64(uint16(e.EventID))), subQualifiers: num(uint64(e.EventID >> 16)),
		subKeywords: hex(e.Keywords), subTime: e.Time.UTC().Format("2006-01-02T15:04:05.000000000Z"),
		subProcessID: num(uint64(e.ProcessID)), subThreadID: num(uint64(e.ThreadID)),
		subRecordID: num(e.RecordID), subVersion: num(uint64(e.Version)), subUserID: e.UserID,
		subProvider: e.Provider, subChannel: e.Channel, subComputer: e.Computer,
	}
	var list []part
	for _, f := range e.Data {
		p := part{name: "Data", data: f.Name, value: value{b: []byte(f.Value)}}
		if e.UserData != "" {
			p.name, p.data = f.Name, ""
		}
		list = append(list, p)
	}
	c.element(false, "Event", []attribute{lit("xmlns", namespace)}, func() {
		c.system(false,
			func(name string, k int, _ byte) attribute { return lit(name, system[k]) },
			func(_ string, k int, _ byte) func() { return func() { c.text(system[k]) } })
		if len(list) > 0 || e.UserData != "" {
			c.container(false, e, list, func(_ int, p part) func() { return func() { c.text(string(p.b)) } })
		}
	})
	return nil
}

// encode returns type and bytes of a value.
func encode(f *Field) (byte, []byte, error) {
	switch f.Type {
	case "", "unicode":
		return 0x01, utf16Bytes(f.Value), nil
	case "ansi":
		return 0x02, []byte(f.Value), nil
	}
	typ, ok := types[f.Type]
	if !ok {
		return 0, nil, fmt.Errorf("unknown type %q", f.Type)
	}
	if f.Value == "" {
		return typ, nil, nil
	}
	b, err := encodeTyped(f.Type, f.Value)
	return typ, b, err
}

var types = map[string]byte{
	"int8": 0x03, "uint8": 0x04, "int16": 0x05, "uint16": 0x06, "int32": 0x07, "uint32": 0x08, "int64": 0x09, "uint64": 0x0a,
	"float": 0x0b, "double": 0x0c, "boolean": 0x0d, "binary": 0x0e, "guid": 0x0f, "pointer": 0x10, "filetime": 0x11,
	"systemtime": 0x12, "sid": 0x13, "hexint32": 0x14, "hexint64": 0x15,
}

func parseTime(s string) (time.Time, error) {
	return time.Parse(time.RFC3339Nano, strings.TrimSpace(s))
}
