package shell

import (
	"time"

	"sharetrail/parsers/binread"
)

// A PropertyKey names a property: a format GUID and a number in it.
type PropertyKey struct {
	Format string // "{B725F130-47EF-101A-A5F1-02608C9EEBAC}"
	ID     uint32
}

// Properties that name a place (propkey.h of the Windows SDK).
var (
	ItemNameDisplay = PropertyKey{"{B725F130-47EF-101A-A5F1-02608C9EEBAC}", 10} // System.ItemNameDisplay
	ParsingName     = PropertyKey{"{28636AA6-953D-11D2-B5D6-00C04FD918D0}", 24} // System.ParsingName
	ParsingPath     = PropertyKey{"{28636AA6-953D-11D2-B5D6-00C04FD918D0}", 30} // System.ParsingPath
)

// namedFormat is the format whose properties have names instead of numbers.
const namedFormat = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"

// A Property is one property of a store. Of the types, texts and times are
// read; others have neither.
type Property struct {
	Key  PropertyKey
	Name string // of properties that have one instead of Key.ID
	Off  int64  // of the property, from the start of the file, bytes
	Text string
	Time time.Time // UTC, 100 ns
}

const maxProperties = 1024 // of one store

// ParseProperties reads a property store ([MS-PROPSTORE] 2.2): storages one
// after the other, ended by a size of zero. With an error, what came before it
// is returned.
func ParseProperties(b []byte, off int64) (list []Property, err error) {
	s := span{b, off}
	for at := 0; s.has(at, 4); {
		n := int64(s.u32(at))
		if n == 0 {
			break
		}
		if n < 24 || n > int64(len(b)-at) {
			return list, binread.Errorf(off+int64(at), "property storage size", "%d, with %d bytes left", n, len(b)-at)
		}
		storage := s.cut(at, at+int(n))
		if string(storage.b[4:8]) != "1SPS" {
			return list, binread.Errorf(off+int64(at)+4, "property storage version", "%q", storage.b[4:8])
		}
		if list, err = storage.properties(list); err != nil {
			return list, err
		}
		at += int(n)
	}
	return list, nil
}

// properties appends those of one storage ([MS-PROPSTORE] 2.3).
func (s span) properties(list []Property) ([]Property, error) {
	format := s.guid(8)
	for at := 24; s.has(at, 4); {
		n := int64(s.u32(at))
		if n == 0 {
			break
		}
		if n < 9 || n > int64(len(s.b)-at) {
			return list, binread.Errorf(s.off+int64(at), "property size", "%d, with %d bytes left", n, len(s.b)-at)
		}
		if len(list) == maxProperties {
			return list, binread.Errorf(s.off+int64(at), "property store", "more than %d properties", maxProperties)
		}
		v := s.cut(at, at+int(n))
		p := Property{Key: PropertyKey{Format: format}, Off: v.off}
		if format == namedFormat {
			size := int64(v.u32(4))
			if size > n-9 {
				return list, binread.Errorf(v.off+4, "property name size", "%d in a property of %d bytes", size, n)
			}
			p.Name, _, _ = v.cut(9, 9+int(size)).wide(0)
			p.value(v.cut(9+int(size), len(v.b)))
		} else {
			p.Key.ID = v.u32(4)
			p.value(v.cut(9, len(v.b)))
		}
		list = append(list, p)
		at += int(n)
	}
	return list, nil
}

// value reads a TypedPropertyValue ([MS-OLEPS] 2.15).
func (p *Property) value(v span) {
	switch v.u16(0) {
	case 0x001f: // VT_LPWSTR: a count of characters
		p.Text, _, _ = v.cut(8, 8+2*int(min(v.u32(4), 1<<20))).wide(0)
	case 0x0008, 0x001e: // VT_BSTR, VT_LPSTR: a count of bytes
		if v.u16(0) == 8 {
			p.Text, _, _ = v.cut(8, 8+int(min(v.u32(4), 1<<20))).wide(0)
			return
		}
		p.Text, _, _ = v.cut(8, 8+int(min(v.u32(4), 1<<20))).ansi(0)
	case 0x0040: // VT_FILETIME
		p.Time = v.filetime(4)
	}
}
