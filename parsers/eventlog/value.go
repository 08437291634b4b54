package eventlog

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/filetime"
)

// Value types, [MS-EVEN6] 2.2.12 (BinXml types); an array is the type with
// typeArray set.
const (
	typeNull     = 0x00
	typeString   = 0x01
	typeANSI     = 0x02
	typeInt8     = 0x03
	typeUint8    = 0x04
	typeInt16    = 0x05
	typeUint16   = 0x06
	typeInt32    = 0x07
	typeUint32   = 0x08
	typeInt64    = 0x09
	typeUint64   = 0x0a
	typeReal32   = 0x0b
	typeReal64   = 0x0c
	typeBool     = 0x0d
	typeBinary   = 0x0e
	typeGUID     = 0x0f
	typeSizeT    = 0x10
	typeFiletime = 0x11
	typeSystime  = 0x12
	typeSID      = 0x13
	typeHex32    = 0x14
	typeHex64    = 0x15
	typeBinXML   = 0x21
	typeArray    = 0x80
)

// Hex is an integer that Windows writes in hexadecimal: masks, status codes,
// logon ids, pointers.
type Hex uint64

// String returns the number as 0x and lower-case digits, unpadded.
func (h Hex) String() string { return "0x" + strconv.FormatUint(uint64(h), 16) }

// timeLayout is UTC with 100 ns.
const timeLayout = "2006-01-02T15:04:05.0000000Z"

// Text returns the text form of a [Field] value: numbers in decimal, [Hex] as
// 0x…, bytes as upper-case hexadecimal digits, times in UTC with seven digits,
// lists joined by "; ". A nil value and the zero time are "".
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case uint64:
		return strconv.FormatUint(v, 10)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []byte:
		return strings.ToUpper(hex.EncodeToString(v))
	case time.Time:
		if v.IsZero() {
			return ""
		}
		return v.UTC().Format(timeLayout)
	case []string:
		return strings.Join(v, "; ")
	}
	return fmt.Sprint(v)
}

// decode converts the stored value b of type typ. It never fails: what does
// not fit its type is returned as the bytes that are there. The result does
// not alias b. An empty value is "", the null of an analyst.
func decode(typ byte, b []byte) any {
	if len(b) == 0 || typ == typeNull {
		return ""
	}
	switch typ {
	case typeString:
		return utf16Text(trimNUL(b))
	case typeANSI:
		return ansiText(b)
	case typeInt8, typeInt16, typeInt32, typeInt64:
		if u, ok := uintLE(b); ok {
			shift := 64 - 8*len(b)
			return int64(u<<shift) >> shift
		}
	case typeUint8, typeUint16, typeUint32, typeUint64:
		if u, ok := uintLE(b); ok {
			return u
		}
	case typeSizeT, typeHex32, typeHex64:
		if u, ok := uintLE(b); ok {
			return Hex(u)
		}
	case typeReal32:
		if len(b) == 4 {
			return float32Decimal(math.Float32frombits(le.Uint32(b)))
		}
	case typeReal64:
		if len(b) == 8 {
			return math.Float64frombits(le.Uint64(b))
		}
	case typeBool: // 1 to 8 bytes are in use, any bit is true
		if u, ok := uintLE(b); ok {
			return u != 0
		}
	case typeGUID:
		if len(b) == 16 {
			return guidText(b)
		}
	case typeFiletime:
		if len(b) == 8 {
			return filetimeValue(le.Uint64(b))
		}
	case typeSystime:
		if t, ok := systime(b); ok {
			return t
		}
	case typeSID:
		if s, ok := sidText(b); ok {
			return s
		}
	}
	if typ&typeArray != 0 {
		return decodeArray(typ&^typeArray, b)
	}
	return append([]byte(nil), b...)
}

// uintLE reads an unsigned integer of the length that is stored: records hold
// narrower and wider integers than their type says.
func uintLE(b []byte) (uint64, bool) {
	switch len(b) {
	case 1:
		return uint64(b[0]), true
	case 2:
		return uint64(le.Uint16(b)), true
	case 4:
		return uint64(le.Uint32(b)), true
	case 8:
		return le.Uint64(b), true
	}
	return 0, false
}

// float32Decimal returns the float64 with the shortest decimal form of f, so
// that 0.1 does not print as 0.10000000149011612.
func float32Decimal(f float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return d
}

// filetimeValue keeps a count that is no date as a number: it is evidence too.
func filetimeValue(ft uint64) any {
	if t := filetime.Time(ft); ft == 0 || !t.IsZero() {
		return t
	}
	return Hex(ft)
}

// systime converts a SYSTEMTIME, MS-DTYP 2.3.13. All zero is the zero time.
func systime(b []byte) (time.Time, bool) {
	if len(b) != 16 {
		return time.Time{}, false
	}
	var f [8]int // year, month, weekday, day, hour, minute, second, millisecond
	zero := true
	for i := range f {
		f[i] = int(le.Uint16(b[2*i:]))
		zero = zero && f[i] == 0
	}
	if zero {
		return time.Time{}, true
	}
	if f[0] < 1601 || f[0] > 30827 || f[4] > 23 || f[5] > 59 || f[6] > 59 || f[7] > 999 {
		return time.Time{}, false
	}
	t := time.Date(f[0], time.Month(f[1]), f[3], f[4], f[5], f[6], f[7]*1e6, time.UTC)
	return t, int(t.Month()) == f[1] && t.Day() == f[3]
}

// sidText renders a security identifier, MS-DTYP 2.4.2.
func sidText(b []byte) (string, bool) {
	if len(b) < 8 || len(b) != 8+4*int(b[1]) || b[1] > 15 {
		return "", false
	}
	auth := uint64(le.Uint32([]byte{b[7], b[6], b[5], b[4]})) | uint64(b[3])<<32 | uint64(b[2])<<40
	s := append(make([]byte, 0, 64), "S-"...)
	s = strconv.AppendUint(s, uint64(b[0]), 10)
	if auth < 1<<32 {
		s = strconv.AppendUint(append(s, '-'), auth, 10)
	} else {
		s = fmt.Appendf(s, "-0x%012X", auth)
	}
	for i := 8; i < len(b); i += 4 {
		s = strconv.AppendUint(append(s, '-'), uint64(le.Uint32(b[i:])), 10)
	}
	return string(s), true
}

func guidText(b []byte) string {
	return fmt.Sprintf("{%08X-%04X-%04X-%X-%X}", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16])
}

// decodeArray returns the items of an array as text ([]string); strings are
// separated by NUL, all other types have a fixed size.
func decodeArray(typ byte, b []byte) any {
	switch typ {
	case typeString:
		return strings.Split(utf16Text(trimOneNUL(b)), "\x00")
	case typeANSI:
		return strings.Split(strings.TrimSuffix(ansiBytes(b), "\x00"), "\x00")
	}
	size := fixedSize(typ)
	if size == 0 || len(b)%size != 0 {
		return append([]byte(nil), b...)
	}
	list := make([]string, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		list = append(list, Text(decode(typ, b[:size])))
	}
	return list
}

// fixedSize returns the size of a type in bytes, 0 if it varies.
func fixedSize(typ byte) int {
	switch typ {
	case typeInt8, typeUint8:
		return 1
	case typeInt16, typeUint16:
		return 2
	case typeInt32, typeUint32, typeReal32, typeBool, typeHex32:
		return 4
	case typeInt64, typeUint64, typeReal64, typeFiletime, typeHex64:
		return 8
	case typeGUID, typeSystime:
		return 16
	}
	return 0
}
