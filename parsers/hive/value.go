package hive

import (
	"fmt"
	"io/fs"
	"iter"

	"sharetrail/parsers/binread"
)

const (
	vkSize       = 20 // bytes of a key value in front of its name
	vkComp       = 1  // key value flag: the name is Latin-1
	maxValueName = 2 * 16384
	inlineData   = 1 << 31 // of the data size: the data lies in the key value
)

// A Value is one value as its key value record states it (REGF, "Key value").
type Value struct {
	Name    string // "" is the default value
	Type    uint32 // see TypeName
	Size    uint32 // declared size of the data, bytes
	Off     int64  // of the key value ("vk"), from the start of the file, bytes
	Len     int64  // of its cell from Off on, bytes
	DataOff int64  // of the data's cell from the start of the file, bytes; -1 if the data lies in the record

	h      *Hive
	data   uint32 // reference of the data, or the data itself
	inline bool
	budget *budget
	read   func() ([]byte, error) // of a value in an old log: its data, read before
	dead   *scanner               // of a recovered value: where it reads, instead of in allocated cells
}

// Values yields the values of k in the order of its list. Errors are as in
// [Key.Subkeys].
func (k *Key) Values() iter.Seq2[*Value, error] {
	return func(yield func(*Value, error) bool) {
		if k.dead {
			yield(nil, binread.Errorf(k.Off, "value list", "%w: %w", errDeleted, ErrDamaged))
			return
		}
		if k.ValueCount == 0 {
			return
		}
		list, err := k.h.get(k.values, "value list")
		if err != nil {
			yield(nil, err)
			return
		}
		n := int64(k.ValueCount)
		if fit := int64(len(list.data) / 4); n > fit {
			n = fit
		}
		got := uint32(0)
		b := k.budget
		if b == nil {
			b = k.h.cells.budget()
		}
		var seen refSet
		for i := range n {
			v, err := k.h.value(le.Uint32(list.data[4*i:]), &seen)
			cost := 0
			if err == nil {
				v.budget = b
				cost = int(v.Len)
				got++
			}
			if e := b.spend(cost, list.off+4*i, "value list"); e != nil {
				yield(nil, e)
				return
			}
			if !yield(v, err) {
				return
			}
		}
		if got < k.ValueCount {
			yield(nil, binread.Errorf(k.Off, "value list", "%q: read %d of %d values: %w", k.Path, got, k.ValueCount, ErrDamaged))
		}
	}
}

func (h *Hive) value(ref uint32, seen *refSet) (*Value, error) {
	rec, err := h.record(ref, "key value", "vk", vkSize)
	if err != nil {
		return nil, err
	}
	if !seen.add(ref) {
		return nil, binread.Errorf(rec.off, "key value", "listed twice: %w", ErrDamaged)
	}
	n := int(le.Uint16(rec.data[profile.Off_CM_KEY_VALUE_NameLength:]))
	if n > len(rec.data)-vkSize || n > maxValueName {
		return nil, binread.Errorf(rec.off, "value name", "%d bytes in a cell with room for %d: %w", n, len(rec.data)-vkSize, ErrDamaged)
	}
	latin1 := le.Uint16(rec.data[profile.Off_CM_KEY_VALUE_Flags:])&vkComp != 0
	size := le.Uint32(rec.data[profile.Off_CM_KEY_VALUE_DataLength:])
	v := &Value{
		Name: text(rec.data[vkSize:vkSize+n], latin1),
		Type: le.Uint32(rec.data[profile.Off_CM_KEY_VALUE_Type:]), Size: size &^ inlineData,
		Off: rec.off, Len: int64(len(rec.data)), DataOff: -1,
		h: h, data: le.Uint32(rec.data[profile.Off_CM_KEY_VALUE_Data:]), inline: size&inlineData != 0,
	}
	if !v.inline && size > 0 {
		v.DataOff = blockSize + int64(v.data) + 4
	}
	return v, nil
}

// Value returns the first value of that name, without regard to case; "" is
// the default value. The error wraps [fs.ErrNotExist] only if the list was read
// whole, and ErrDamaged otherwise.
func (k *Key) Value(name string) (*Value, error) {
	var bad error
	want := fold(name)
	for v, err := range k.Values() {
		switch {
		case err != nil && bad == nil:
			bad = err
		case err == nil && fold(v.Name) == want:
			v.budget = nil
			return v, nil
		}
	}
	if bad != nil {
		return nil, bad
	}
	return nil, &fs.PathError{Op: "open value", Path: join(k.Path, name), Err: fs.ErrNotExist}
}

// Value types (winnt.h).
const (
	regNone = iota
	regSZ
	regExpandSZ
	regBinary
	regDword
	regDwordBE
	regLink
	regMultiSZ
	regResourceList
	regFullResource
	regResourceReq
	regQword
)

var typeNames = [...]string{
	regNone: "REG_NONE", regSZ: "REG_SZ", regExpandSZ: "REG_EXPAND_SZ", regBinary: "REG_BINARY",
	regDword: "REG_DWORD", regDwordBE: "REG_DWORD_BIG_ENDIAN", regLink: "REG_LINK", regMultiSZ: "REG_MULTI_SZ",
	regResourceList: "REG_RESOURCE_LIST", regFullResource: "REG_FULL_RESOURCE_DESCRIPTOR",
	regResourceReq: "REG_RESOURCE_REQUIREMENTS_LIST", regQword: "REG_QWORD",
}

// TypeName returns the name of a value type as in winnt.h, and types without
// one as a hexadecimal number: "0x222".
func TypeName(t uint32) string {
	if t < uint32(len(typeNames)) {
		return typeNames[t]
	}
	return fmt.Sprintf("%#x", t)
}
