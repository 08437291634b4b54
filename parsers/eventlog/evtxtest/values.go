package evtxtest

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"

	"sharetrail/parsers/filetime"
)

func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

// width is the size in bits of the integer types.
var width = map[string]int{
	"int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64,
	"hexint32": 32, "hexint64": 64, "pointer": 64,
}

func encodeTyped(typ, s string) ([]byte, error) {
	if bits := width[typ]; bits != 0 {
		return integer(typ, s, bits)
	}
	switch typ {
	case "float":
		f, err := strconv.ParseFloat(s, 32)
		return le.AppendUint32(nil, math.Float32bits(float32(f))), err
	case "double":
		f, err := strconv.ParseFloat(s, 64)
		return le.AppendUint64(nil, math.Float64bits(f)), err
	case "boolean":
		v, err := strconv.ParseBool(s)
		if v {
			return []byte{1, 0, 0, 0}, err
		}
		return make([]byte, 4), err
	case "binary":
		return hex.DecodeString(s)
	case "guid":
		return guidBytes(s)
	case "sid":
		return sidBytes(s)
	}
	t, err := parseTime(s)
	if err != nil {
		return nil, err
	}
	if typ == "filetime" {
		return le.AppendUint64(nil, filetime.From(t)), nil
	}
	t = t.UTC()
	var b []byte
	for _, v := range []int{t.Year(), int(t.Month()), int(t.Weekday()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1e6} {
		b = le.AppendUint16(b, uint16(v))
	}
	return b, nil
}

func integer(typ, s string, bits int) ([]byte, error) {
	var u uint64
	var err error
	if strings.HasPrefix(typ, "int") {
		var i int64
		i, err = strconv.ParseInt(s, 0, bits)
		u = uint64(i)
	} else {
		u, err = strconv.ParseUint(s, 0, bits)
	}
	return le.AppendUint64(nil, u)[:bits/8], err
}

func guidBytes(s string) ([]byte, error) {
	d, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(s, "{}"), "-", ""))
	if err != nil || len(d) != 16 {
		return nil, fmt.Errorf("bad GUID %q", s)
	}
	for _, r := range [][2]int{{0, 4}, {4, 6}, {6, 8}} {
		for i, j := r[0], r[1]-1; i < j; i, j = i+1, j-1 {
			d[i], d[j] = d[j], d[i]
		}
	}
	return d, nil
}

func sidBytes(s string) ([]byte, error) {
	p := strings.Split(s, "-")
	if len(p) < 3 || len(p) > 18 || p[0] != "S" {
		return nil, fmt.Errorf("bad SID %q", s)
	}
	rev, err := strconv.ParseUint(p[1], 10, 8)
	if err != nil {
		return nil, fmt.Errorf("bad SID %q", s)
	}
	auth, err := strconv.ParseUint(p[2], 0, 48)
	if err != nil {
		return nil, fmt.Errorf("bad SID %q", s)
	}
	b := []byte{byte(rev), byte(len(p) - 3)}
	for i := 5; i >= 0; i-- {
		b = append(b, byte(auth>>(8*i)))
	}
	for _, sub := range p[3:] {
		v, err := strconv.ParseUint(sub, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("bad SID %q", s)
		}
		b = le.AppendUint32(b, uint32(v))
	}
	return b, nil
}
