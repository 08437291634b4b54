package verify

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
)

// Types of BinXML values that are read in a way of their own ([MS-EVEN6]
// 2.2.12, "BinXml types").
const (
	typeString = 0x01
	typeANSI   = 0x02
	typeBinXML = 0x21
	typeArray  = 0x80
)

// A value is one value of a template's instance.
type value struct {
	kind     byte
	b        []byte // the chunk of the record
	from, to int    // in it
}

// instance reads an instance of a template: where the definition lies, the
// definition itself if it lies here, and the values.
func (x *xml) instance() error {
	head, err := x.take(5) // 1, id
	if err != nil {
		return err
	}
	def, err := x.u32()
	if err != nil {
		return err
	}
	here := def == x.off
	b, def := x.definition(def, le.Uint32(head[1:]))
	if def < 0 || def > len(b)-24 {
		return fmt.Errorf("a template lies at %#x, outside the chunk", def)
	}
	size := int(le.Uint32(b[def+20:]))
	if size < 0 || size > len(b)-def-24 {
		return errTruncated
	}
	if here {
		if _, err := x.take(24 + size); err != nil {
			return err
		}
	}
	values, err := x.values()
	if err != nil {
		return err
	}
	own, off, end, inDef := x.b, x.off, x.end, x.inDef
	x.b, x.off, x.end, x.inDef = b, def+24, def+24+size, true
	err = x.document(values)
	if err == nil {
		x.b, x.off, x.end, x.inDef = own, off, end, inDef
	}
	return err
}

// definition returns where the template called id lies: at def, or where the row
// says that it was read if another one is there.
func (x *xml) definition(def int, id uint32) ([]byte, int) {
	if def < 0 || def > len(x.b)-24 || def == x.off || le.Uint32(x.b[def+4:]) == id {
		return x.b, def
	}
	for _, l := range x.rec.lent {
		if l.at >= 0 && l.at <= len(l.b)-24 && le.Uint32(l.b[l.at+4:]) == id {
			return l.b, l.at
		}
	}
	return x.b, def
}

func (x *xml) values() ([]value, error) {
	n, err := x.u32()
	if err != nil {
		return nil, err
	}
	if n > (x.end-x.off)/4 {
		return nil, errTruncated
	}
	sizes, err := x.take(4 * n)
	if err != nil {
		return nil, err
	}
	values := make([]value, n)
	for i := range values {
		size := int(le.Uint16(sizes[4*i:]))
		if _, err := x.take(size); err != nil {
			return nil, err
		}
		values[i] = value{sizes[4*i+2], x.b, x.off - size, x.off}
	}
	return values, nil
}

// value puts v into the document.
func (x *xml) value(v value) error {
	if v.kind == 0 || v.from == v.to {
		return nil
	}
	if v.kind != typeBinXML {
		x.put(text(v.kind, v.b[v.from:v.to]))
		return nil
	}
	x.flush()
	b, off, end, inDef := x.b, x.off, x.end, x.inDef
	x.b, x.off, x.end, x.inDef = v.b, v.from, v.to, false
	if err := x.document(nil); err != nil {
		return err
	}
	x.b, x.off, x.end, x.inDef = b, off, end, inDef
	return nil
}

// text renders a value as rows do.
func text(kind byte, b []byte) string {
	n := uint64(0)
	for i := range min(len(b), 8) {
		n |= uint64(b[i]) << (8 * i)
	}
	switch kind {
	case typeString:
		return strings.TrimRight(utf16LE(b), "\x00")
	case typeANSI:
		return strings.TrimRight(latin1(b), "\x00")
	case 0x03, 0x05, 0x07, 0x09: // signed
		shift := 64 - 8*min(len(b), 8)
		return strconv.FormatInt(int64(n<<shift)>>shift, 10)
	case 0x04, 0x06, 0x08, 0x0a:
		return strconv.FormatUint(n, 10)
	case 0x10, 0x14, 0x15:
		return fmt.Sprintf("%#x", n)
	case 0x0b:
		return strconv.FormatFloat(float64(math.Float32frombits(uint32(n))), 'g', -1, 32)
	case 0x0c:
		return strconv.FormatFloat(math.Float64frombits(n), 'g', -1, 64)
	case 0x0d:
		return strconv.FormatBool(n != 0)
	case 0x11:
		return evidence.FormatTime(fileTime(n))
	}
	switch {
	case kind == 0x0f && len(b) == 16:
		return fmt.Sprintf("{%08X-%04X-%04X-%X-%X}", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:])
	case kind == 0x12 && len(b) == 16:
		w := func(i int) int { return int(le.Uint16(b[2*i:])) }
		return evidence.FormatTime(time.Date(w(0), time.Month(w(1)), w(3), w(4), w(5), w(6), w(7)*1e6, time.UTC))
	case kind == 0x13:
		if s, err := sid(b); err == nil {
			return s
		}
	case kind == typeArray|typeString:
		return strings.ReplaceAll(strings.TrimRight(utf16LE(b), "\x00"), "\x00", "; ")
	}
	return strings.ToUpper(hex.EncodeToString(b))
}

// sid renders a security identifier ([MS-DTYP] 2.4.2).
func sid(b []byte) (string, error) {
	if len(b) < 8 || len(b) != 8+4*int(b[1]) {
		return "", errors.New("no security identifier")
	}
	authority := uint64(0)
	for _, c := range b[2:8] {
		authority = authority<<8 | uint64(c)
	}
	s := fmt.Sprintf("S-%d-%d", b[0], authority)
	for i := 8; i < len(b); i += 4 {
		s += "-" + strconv.FormatUint(uint64(le.Uint32(b[i:])), 10)
	}
	return s, nil
}

func utf16LE(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = le.Uint16(b[2*i:])
	}
	return string(utf16.Decode(u))
}

func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// fileTime converts 100 ns since 1601 UTC ([MS-DTYP] 2.3.3); the zero time if
// that is unset, or no date that rows have.
func fileTime(n uint64) time.Time {
	const toUnix = 11644473600 // seconds
	if n == 0 || n > 1<<63-1 {
		return time.Time{}
	}
	t := time.Unix(int64(n/1e7)-toUnix, int64(n%1e7)*100).UTC()
	if t.Year() > 9999 {
		return time.Time{}
	}
	return t
}
