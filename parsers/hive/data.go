package hive

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"sharetrail/parsers/binread"
)

// ErrType is wrapped when a value is asked for as a type that it has not.
var ErrType = errors.New("value of another type")

const segmentSize = 16344 // bytes of data in one segment of big data

// Bytes returns the data, at most Size bytes. If the hive holds less than that,
// what there is comes with an error that wraps ErrDamaged.
func (v *Value) Bytes() ([]byte, error) {
	if v.read != nil {
		return v.read()
	}
	if v.inline {
		b := le.AppendUint32(nil, v.data)
		if v.Size > 4 {
			return b, binread.Errorf(v.Off, "data size", "%d bytes in a field of 4: %w", v.Size, ErrDamaged)
		}
		return b[:v.Size], nil
	}
	if v.Size == 0 {
		return nil, nil
	}
	rec, err := v.cell(v.data, "value data")
	if len(rec.data) == 0 {
		return nil, err
	}
	// The cell says whether it is big data only where it cannot be the data
	// itself: data may well begin with the letters "db".
	if err == nil && v.Size > segmentSize && v.h.base.Minor() >= 4 && rec.has("db") && (len(rec.data) < int(v.Size) || v.dead != nil) {
		return v.bigData(&rec)
	}
	n := int(min(int64(v.Size), int64(len(rec.data))))
	if e := v.spend(n); e != nil {
		return nil, e
	}
	b := append([]byte(nil), rec.data[:n]...)
	if n == int(v.Size) {
		return b, nil // a cell that overruns its bin behind the data does no harm
	}
	if err == nil {
		err = binread.Errorf(rec.off, "value data", "%d of %d bytes: %w", n, v.Size, ErrDamaged)
	}
	return b, err
}

// bigData joins the segments of REGF, "Big data".
func (v *Value) bigData(db *cell) ([]byte, error) {
	if len(db.data) < 8 {
		return nil, binread.Errorf(db.off, "big data", "cell of %d bytes: %w", len(db.data), ErrDamaged)
	}
	head := profile.CM_BIG_DATA(db, 0)
	list, err := v.cell(head.List(), "big data list")
	if err != nil {
		return nil, err
	}
	var b []byte
	for i := range min(int(head.Count()), len(list.data)/4) {
		rest := int(v.Size) - len(b)
		if rest == 0 {
			break
		}
		seg, err := v.cell(le.Uint32(list.data[4*i:]), "big data segment")
		if err == nil {
			err = v.spend(len(seg.data))
		}
		if err != nil {
			return b, err
		}
		n := min(rest, segmentSize, len(seg.data))
		b = append(b, seg.data[:n]...)
		if n < min(rest, segmentSize) {
			return b, binread.Errorf(seg.off, "big data segment", "%d bytes, need %d: %w", n, min(rest, segmentSize), ErrDamaged)
		}
	}
	if len(b) < int(v.Size) {
		return b, binread.Errorf(db.off, "big data", "%d of %d bytes: %w", len(b), v.Size, ErrDamaged)
	}
	return b, nil
}

// cell returns a cell of data. That of a recovered value need not be allocated,
// and if its size makes no sense it is all that follows. How far to trust it,
// its Item says.
func (v *Value) cell(ref uint32, field string) (cell, error) {
	if v.dead == nil || !v.dead.isCell(ref) {
		return v.h.get(ref, field)
	}
	return v.dead.any(ref), nil
}

func (v *Value) spend(n int) error {
	if v.budget == nil {
		return nil
	}
	return v.budget.spend(n, v.Off, "value data")
}

func (v *Value) typed(types ...uint32) error {
	for _, t := range types {
		if v.Type == t {
			return nil
		}
	}
	return binread.Errorf(v.Off, "value type", "%q is %s: %w", v.Name, TypeName(v.Type), ErrType)
}

// Text returns a REG_SZ, REG_EXPAND_SZ or REG_LINK value up to its first NUL,
// as Windows reads it. What is stored behind that is trailing: as text if all
// of it can be printed, else in hex, "" if it is only NULs. Other types are an
// error that wraps ErrType; damaged data comes with an error that wraps
// ErrDamaged.
func (v *Value) Text() (text, trailing string, err error) {
	if err := v.typed(regSZ, regExpandSZ, regLink); err != nil {
		return "", "", err
	}
	b, err := v.Bytes()
	text, trailing = cutText(b)
	return text, trailing, err
}

func cutText(b []byte) (text, trailing string) {
	end := 0
	for end+1 < len(b) && (b[end] != 0 || b[end+1] != 0) {
		end += 2
	}
	text = utf16Text(b[:end])
	rest := b[end:]
	if len(rest) > 1 {
		rest = rest[2:] // the NUL
	}
	return text, trailingText(rest)
}

func trailingText(b []byte) string {
	if strings.Trim(string(b), "\x00") == "" {
		return ""
	}
	even := len(b) &^ 1
	if s := strings.TrimRight(utf16Text(b[:even]), "\x00"); s != "" && printable(s) && strings.Trim(string(b[even:]), "\x00") == "" {
		return s
	}
	return hex.EncodeToString(b)
}

// Strings returns the strings of a REG_MULTI_SZ value. An empty string ends the
// list for Windows; those behind it are returned too, so that nothing stored is
// hidden. Errors are as in [Value.Text].
func (v *Value) Strings() ([]string, error) {
	if err := v.typed(regMultiSZ); err != nil {
		return nil, err
	}
	b, err := v.Bytes()
	s := strings.TrimRight(utf16Text(b[:len(b)&^1]), "\x00")
	if s == "" {
		return nil, err
	}
	return strings.Split(s, "\x00"), err
}

// Uint returns a REG_DWORD, REG_DWORD_BIG_ENDIAN or REG_QWORD value; false if
// the value has another type, or data of another size than the type asks for.
func (v *Value) Uint() (uint64, bool) {
	if v.typed(regDword, regDwordBE, regQword) != nil {
		return 0, false
	}
	b, err := v.Bytes()
	switch {
	case err != nil:
		return 0, false
	case v.Type == regDword && len(b) == 4:
		return uint64(le.Uint32(b)), true
	case v.Type == regDwordBE && len(b) == 4:
		return uint64(binary.BigEndian.Uint32(b)), true
	case v.Type == regQword && len(b) == 8:
		return le.Uint64(b), true
	}
	return 0, false
}
