package eventlog

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// dict is the library's ordered dictionary.
type dict interface{ Get(string) (any, bool) }

// A tally counts how the fields of records that the library rendered compare.
type tally struct {
	same     int // equal, and taken from the library
	differ   int
	absent   int // left out by the library: a null, a sibling of named Data
	repeated int // name or element occurs more than once: the library keeps one
	noForm   int // type of which the library has no faithful form
}

// settle takes the values that the library rendered. It has no order for equal
// names and leaves some out, so names and order stay ours; where it gives a
// value, that is the field's, in the form of its type. If it is not what this
// package reads, ours stays and the record is doubted.
func (s *fieldSink) settle(r *Record) {
	root, ok := r.lib.(dict)
	if !ok {
		return
	}
	event, ok := child(root, "Event")
	if !ok {
		return
	}
	seen := make(map[string]int, len(s.fields))
	for i := range s.fields {
		seen[s.fields[i].Name]++
		if p := s.origins[i].path; p != "" {
			seen["/"+p]++
		}
	}
	tally, differ := &r.dec.tally, 0
	for i := range s.fields {
		f, o := &s.fields[i], &s.origins[i]
		if o.path == "" || !o.plain || seen[f.Name] > 1 {
			tally.repeated++
			continue
		}
		named := o.path == "EventData/Data" && f.Name != "Data"
		if !named && seen["/"+o.path] > 1 {
			tally.repeated++
			continue
		}
		got, ok := lookup(event, f.Name, o.path, named)
		if !ok {
			tally.absent++
			continue
		}
		v, known := form(o.typ, got)
		switch {
		case !known || !hasForm(o.typ, f.Value):
			tally.noForm++
		case same(v, f.Value):
			tally.same++
			if _, isTime := f.Value.(time.Time); !isTime {
				f.Value = v
			}
		default:
			tally.differ++
			if differ++; differ == 1 {
				r.doubt(fmt.Sprintf("two decoders read %q differently: %q and %q", f.Name, clip(Text(f.Value)), clip(Text(v))))
			}
		}
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

func child(d dict, name string) (dict, bool) {
	v, _ := d.Get(name)
	c, ok := v.(dict)
	return c, ok
}

// lookup finds the library's value of a field.
func lookup(event dict, name, path string, named bool) (any, bool) {
	if named {
		data, ok := child(event, "EventData")
		if !ok {
			return nil, false
		}
		if one, ok := child(data, "Data"); ok { // a single Data is not folded
			if n, _ := one.Get("Name"); n != name {
				return nil, false
			}
			return one.Get("Value")
		}
		return data.Get(name)
	}
	elements := strings.Split(path, "/")
	d := event
	for _, e := range elements[:len(elements)-1] {
		var ok bool
		if d, ok = child(d, e); !ok {
			return nil, false
		}
	}
	v, ok := d.Get(elements[len(elements)-1])
	if leaf, isDict := v.(dict); isDict {
		return leaf.Get("Value")
	}
	return v, ok
}

// form brings a value of the library into the form of the type. It is false
// for types the library does not render fully.
func form(typ byte, v any) (any, bool) {
	switch v := v.(type) {
	case string:
		switch typ {
		case typeString:
			return v, true
		case typeSID:
			return v, !strings.Contains(v, "-0x")
		case typeGUID:
			return "{" + v + "}", true
		}
	case uint8:
		return uint64(v), typ == typeUint8
	case uint16:
		return uint64(v), typ == typeUint16
	case uint32:
		if typ == typeHex32 {
			return Hex(v), true
		}
		return uint64(v), typ == typeUint32
	case uint64:
		if typ == typeHex64 {
			return Hex(v), true
		}
		return v, typ == typeUint64
	case int32:
		return int64(v), typ == typeInt32
	case int64:
		return v, typ == typeInt64
	case bool:
		return v, typ == typeBool
	case float32:
		return float32Decimal(v), typ == typeReal32
	case float64: // a FILETIME is seconds, good to a microsecond
		return v, typ == typeReal64 || typ == typeFiletime
	case []byte:
		return append([]byte(nil), v...), typ == typeBinary
	}
	return nil, false
}

// hasForm reports whether own is a value that the library has a form for.
func hasForm(typ byte, own any) bool {
	switch own := own.(type) {
	case string: // an empty value, or an authority above 32 bits
		return (own != "" || typ == typeString) && (typ != typeSID || !strings.Contains(own, "-0x"))
	case time.Time:
		return !own.IsZero() && typ == typeFiletime
	case Hex:
		return typ != typeFiletime
	}
	return true
}

// same compares the library's value with ours.
func same(lib, own any) bool {
	switch own := own.(type) {
	case time.Time:
		sec, ok := lib.(float64)
		if !ok {
			return false
		}
		return math.Abs(sec-float64(own.Unix())-float64(own.Nanosecond())/1e9) < 1e-5
	case []byte:
		b, ok := lib.([]byte)
		return ok && string(b) == string(own)
	case float64:
		f, ok := lib.(float64)
		return ok && (f == own || f != f && own != own)
	}
	return lib == own
}
