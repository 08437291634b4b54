package hivetest

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

type spec struct {
	minor       uint32
	name        []uint16
	seq         [2]uint32
	reorganized uint64
	badChecksum bool
	root        *node
}

type node struct {
	name     []uint16
	utf16    bool
	timed    bool
	time     uint64
	volatile uint32
	subkeys  []*node
	index    map[string]*node // subkeys by raised name
	values   []*value

	removed []*node  // deleted subkeys
	freed   []*value // deleted values
	fate    fate     // of a deleted key
}

type value struct {
	name []uint16
	typ  uint32
	data []byte
}

func parse(text string) (*spec, error) {
	root := &node{name: utf16.Encode([]rune("ROOT")), timed: true, time: filetime.From(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))}
	s := &spec{minor: 5, seq: [2]uint32{1, 1}, root: root}
	var key *node
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimLeft(strings.TrimSuffix(line, "\r"), " \t")
		var err error
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case line[0] == '!':
			err = s.directive(strings.TrimSpace(line[1:]))
		case line[0] == '[':
			key, err = s.key(line)
		case strings.HasPrefix(line, "-["):
			key, err = s.key(line)
		case strings.HasPrefix(line, `-"`) && key != nil:
			err = key.freedValue(line[1:])
		case key == nil:
			err = fmt.Errorf("%q: value before the first key", line)
		default:
			err = key.value(line)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	root.inherit()
	return s, nil
}

func (s *spec) directive(line string) (err error) {
	name, arg, _ := strings.Cut(line, "=")
	switch name {
	case "minor":
		s.minor, err = number32(arg)
		if err == nil && (s.minor < 3 || s.minor > 6) {
			err = fmt.Errorf("minor version %d, want 3 to 6", s.minor)
		}
	case "name":
		s.name, err = units(arg)
	case "seq":
		a, b, two := strings.Cut(arg, ",")
		if s.seq[0], err = number32(a); err == nil && two {
			s.seq[1], err = number32(b)
		} else {
			s.seq[1] = s.seq[0]
		}
	case "reorganized":
		s.reorganized, err = ticks(arg)
	case "checksum":
		s.badChecksum = arg == "bad"
		if arg != "bad" && arg != "good" {
			err = fmt.Errorf("checksum %q, want bad or good", arg)
		}
	default:
		err = fmt.Errorf("unknown directive %q", name)
	}
	return err
}

// key reads a key line and returns the key, made if it is new.
func (s *spec) key(line string) (*node, error) {
	line, deleted := strings.CutPrefix(line, "-")
	end := strings.LastIndexByte(line, ']')
	if end < 0 {
		return nil, fmt.Errorf("%q: no ]", line)
	}
	k := s.root
	parts := splitPath(line[1:end])
	if deleted && len(parts) == 0 {
		return nil, fmt.Errorf("%q: the root cannot be deleted", line)
	}
	for i, part := range parts {
		name, err := units(part)
		if err != nil {
			return nil, err
		}
		if len(name) == 0 || len(name) > 255 {
			return nil, fmt.Errorf("%q: key name of %d characters", line, len(name))
		}
		if deleted {
			k = k.gone(name, i == len(parts)-1)
		} else {
			k = k.sub(name)
		}
	}
	for _, word := range strings.Fields(line[end+1:]) {
		var err error
		if n, ok := strings.CutPrefix(word, "volatile="); ok {
			k.volatile, err = number32(n)
		} else if word == "utf16" {
			k.utf16 = true
		} else if deleted && k.fate.word(word) {
			continue
		} else {
			k.timed = true
			k.time, err = ticks(word)
		}
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (k *node) sub(name []uint16) *node {
	id := string(bytesOf(upper(name)))
	if s := k.index[id]; s != nil {
		return s
	}
	s := &node{name: name}
	k.subkeys = append(k.subkeys, s)
	if k.index == nil {
		k.index = make(map[string]*node)
	}
	k.index[id] = s
	return s
}

func (k *node) inherit() {
	for _, s := range slices.Concat(k.subkeys, k.removed) {
		if !s.timed {
			s.time = k.time
		}
		s.inherit()
	}
}

func (k *node) value(line string) error {
	v, err := newValue(line)
	if err != nil {
		return err
	}
	for _, old := range k.values {
		if slices.Equal(upper(old.name), upper(v.name)) {
			return fmt.Errorf("%q: second value of that name", line)
		}
	}
	k.values = append(k.values, v)
	return nil
}

func newValue(line string) (*value, error) {
	name, data, err := cutName(line)
	if err != nil {
		return nil, err
	}
	v := &value{}
	if v.name, err = units(name); err != nil {
		return nil, err
	}
	if len(v.name) > 16383 {
		return nil, fmt.Errorf("value name of %d characters", len(v.name))
	}
	if v.typ, v.data, err = parseData(data); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	return v, nil
}

// cutName splits a value line at the = behind the name.
func cutName(line string) (name, data string, err error) {
	ok := false
	if rest, quoted := strings.CutPrefix(line, `"`); quoted {
		name, data, ok = strings.Cut(rest, `"=`)
	} else if name, data, ok = strings.Cut(line, "="); name == "@" {
		name = ""
	}
	if !ok {
		return "", "", fmt.Errorf("%q: neither a key nor a value", line)
	}
	return name, data, nil
}

var le = binary.LittleEndian

func parseData(s string) (typ uint32, data []byte, err error) {
	kind, arg, _ := strings.Cut(s, ":")
	switch kind {
	case "sz":
		data, err = text(arg)
		return 1, data, err
	case "expand":
		data, err = text(arg)
		return 2, data, err
	case "multi":
		for item := range strings.SplitSeq(arg, "|") {
			if arg == "" {
				break
			}
			b, e := text(item)
			if e != nil {
				return 0, nil, e
			}
			data = append(data, b...)
		}
		return 7, append(data, 0, 0), nil
	case "dword", "dword_be":
		n, err := number32(arg)
		if kind == "dword_be" {
			return 5, binary.BigEndian.AppendUint32(nil, n), err
		}
		return 4, le.AppendUint32(nil, n), err
	case "qword":
		n, err := strconv.ParseUint(arg, 0, 64)
		return 11, le.AppendUint64(nil, n), err
	case "hex":
		data, err = unhex(arg)
		return 3, data, err
	case "none":
		data, err = unhex(arg)
		return 0, data, err
	case "raw":
		t, digits, _ := strings.Cut(arg, ":")
		if typ, err = number32(t); err == nil {
			data, err = unhex(digits)
		}
		return typ, data, err
	case "ftbin":
		ft, err := ticks(arg)
		return 3, le.AppendUint64(nil, ft), err
	}
	data, err = text(s)
	return 1, data, err
}

func text(s string) ([]byte, error) {
	u, err := units(s)
	return bytesOf(append(u, 0)), err
}

func unhex(s string) ([]byte, error) {
	return hex.DecodeString(strings.Map(func(r rune) rune {
		if r == ',' || unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s))
}

func number32(s string) (uint32, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 0, 32)
	return uint32(n), err
}

// ticks reads a TIME as a FILETIME.
func ticks(s string) (uint64, error) {
	if n, ok := strings.CutPrefix(s, "ft:"); ok {
		return strconv.ParseUint(n, 0, 64)
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0, err
	}
	if t.Nanosecond()%100 != 0 || t.Year() < 1601 {
		return 0, fmt.Errorf("%s: no FILETIME can say that", s)
	}
	return filetime.From(t), nil
}
