package evtxtest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Parse reads events from text, for test files that people write:
//
//	# a comment
//	@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01.corp.example
//	2026-03-01T10:00:00.1234567Z 4688 v=2 id=4211
//	  SubjectUserSid:sid = S-1-5-21-1-2-3-1001
//	  SubjectUserName = alice
//	  CommandLine = net use Z: \\fs01\finance
//	  :unicode = data without a name
//	  ScriptBlockText = first line
//	  | second line of the same value
//
// A line that begins with @ sets what holds for the events below it; a value
// with blanks stands in double quotes. An event is a line with its time and id
// and, if they differ from the defaults, v (version), id (record id), level,
// opcode, task, keywords (a number, success or failure), user (SID), pid, tid,
// qualifiers, Channel, Provider, Computer, and userdata=NAME, which puts the
// fields below UserData\NAME.
// The indented lines are its data: name, type (see [Field]; absent is unicode)
// and value, which is everything behind "= ". \u{A} is the character U+000A.
//
// For events that this package knows (see [Shapes]) version, task, keywords,
// types and order need not be given, and fields that are left out get the
// value that Windows writes for nothing. shape=none switches that off.
func Parse(text string) ([]Event, error) {
	p := parser{defaults: map[string]string{}}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(strings.TrimSuffix(line, "\r")); err != nil {
			return nil, fmt.Errorf("evtxtest: line %d: %w", i+1, err)
		}
	}
	if err := p.flush(); err != nil {
		return nil, fmt.Errorf("evtxtest: %w", err)
	}
	return p.events, nil
}

// A parser holds the event whose data lines are being read.
type parser struct {
	defaults map[string]string
	events   []Event
	open     *Event
	options  map[string]string
	typed    []bool // which fields of open have a type of their own
}

func (p *parser) line(line string) error {
	trimmed := strings.TrimSpace(line)
	switch {
	case trimmed == "" || strings.HasPrefix(trimmed, "#"):
		return nil
	case line[0] == ' ' || line[0] == '\t':
		return p.field(strings.TrimLeft(line, " \t"))
	}
	if err := p.flush(); err != nil {
		return err
	}
	if rest, ok := strings.CutPrefix(line, "@"); ok {
		options, err := parseOptions(rest)
		for k, v := range options {
			p.defaults[k] = v
		}
		return err
	}
	return p.header(line)
}

// field reads one line of data.
func (p *parser) field(line string) error {
	if p.open == nil {
		return errors.New("data without an event")
	}
	data := p.open.Data
	if more, ok := strings.CutPrefix(line, "|"); ok {
		if len(data) == 0 {
			return errors.New("second line of no value")
		}
		more, err := unescape(strings.TrimPrefix(more, " "))
		data[len(data)-1].Value += "\n" + more
		return err
	}
	head, val, ok := strings.Cut(line, "=")
	if !ok {
		return fmt.Errorf("no = in %q", line)
	}
	name, typ, typed := strings.Cut(strings.TrimSpace(head), ":")
	val, err := unescape(strings.TrimPrefix(val, " "))
	p.open.Data = append(data, Field{Name: name, Type: typ, Value: val})
	p.typed = append(p.typed, typed)
	return err
}

// header reads the first line of an event.
func (p *parser) header(line string) error {
	when, rest, _ := strings.Cut(line, " ")
	id, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	e := &Event{}
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, when); err != nil {
		return err
	}
	n, err := strconv.ParseUint(id, 10, 16)
	if err != nil {
		return fmt.Errorf("event id %q", id)
	}
	e.EventID = uint32(n)
	given, err := parseOptions(rest)
	if err != nil {
		return err
	}
	p.options = map[string]string{}
	for k, v := range p.defaults {
		p.options[k] = v
	}
	for k, v := range given {
		p.options[k] = v
	}
	p.open, p.typed = e, nil
	return nil
}

// flush ends the open event.
func (p *parser) flush() error {
	if p.open == nil {
		return nil
	}
	e := p.open
	p.open = nil
	e.Provider = p.options["provider"]
	version, err := strconv.ParseInt(optional(p.options["v"], "-1"), 10, 16)
	if err != nil {
		return fmt.Errorf("v: %w", err)
	}
	if p.options["shape"] != "none" {
		if s := shapeOf(e.Provider, e.EventID, int(version)); s != nil {
			s.apply(e, p.typed)
		}
	}
	for k, v := range p.options {
		if err := e.set(k, v); err != nil {
			return fmt.Errorf("%s=%s: %w", k, v, err)
		}
	}
	p.events = append(p.events, *e)
	return nil
}

// set sets one option of the header line.
func (e *Event) set(key, val string) error {
	switch key {
	case "channel":
		e.Channel = val
	case "computer":
		e.Computer = val
	case "user":
		e.UserID = val
	case "userdata":
		e.UserData = val
	case "provider", "shape":
	default:
		return e.setNumber(key, val)
	}
	return nil
}

func (e *Event) setNumber(key, val string) error {
	bits, ok := numbers[key]
	if !ok {
		return errors.New("unknown option")
	}
	n, ok := keywords[val]
	if key != "keywords" || !ok {
		var err error
		if n, err = strconv.ParseUint(val, 0, bits); err != nil {
			return err
		}
	}
	switch key {
	case "v":
		e.Version = uint8(n)
	case "level":
		e.Level = uint8(n)
	case "opcode":
		e.Opcode = uint8(n)
	case "task":
		e.Task = uint16(n)
	case "id":
		e.RecordID = n
	case "pid":
		e.ProcessID = uint32(n)
	case "tid":
		e.ThreadID = uint32(n)
	case "qualifiers":
		e.EventID |= uint32(n) << 16
	case "keywords":
		e.Keywords = n
	}
	return nil
}

// numbers are the options that are numbers, with their size in bits.
var numbers = map[string]int{"v": 8, "level": 8, "opcode": 8, "task": 16, "id": 64, "pid": 32, "tid": 32, "qualifiers": 16, "keywords": 64}

// Keywords of audit events (winmeta.xml).
var keywords = map[string]uint64{"success": 0x8020000000000000, "failure": 0x8010000000000000}

func optional(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// parseOptions reads key=value pairs; keys are returned in lower case.
func parseOptions(s string) (map[string]string, error) {
	options := map[string]string{}
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		key, rest, ok := strings.Cut(s, "=")
		if !ok || strings.ContainsAny(key, " \t\"") {
			return nil, fmt.Errorf("no key=value in %q", s)
		}
		var val string
		if quoted, isQuoted := strings.CutPrefix(rest, `"`); isQuoted {
			if val, s, ok = strings.Cut(quoted, `"`); !ok {
				return nil, fmt.Errorf("no end of %q", rest)
			}
		} else if i := strings.IndexAny(rest, " \t"); i >= 0 {
			val, s = rest[:i], rest[i:]
		} else {
			val, s = rest, ""
		}
		options[strings.ToLower(key)] = val
	}
	return options, nil
}

// unescape replaces \u{X} by the character of the hexadecimal number X. Other
// backslashes are what they are: paths are full of them.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `\u{`)
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		digits, after, ok := strings.Cut(rest, "}")
		n, err := strconv.ParseUint(digits, 16, 21)
		if !ok || err != nil {
			return "", fmt.Errorf("bad escape in %q", s)
		}
		b.WriteRune(rune(n))
		s = after
	}
}
