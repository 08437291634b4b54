package eventlog

import (
	"sharetrail/parsers/binread"
)

// counted reads a 16-bit count and that many UTF-16 units.
func (w *walker) counted() ([]byte, error) {
	if w.off+2 > w.end {
		return nil, w.errorf(w.off, "text", "%w", binread.ErrTruncated)
	}
	n := 2 * int(le.Uint16(w.b[w.off:]))
	from := w.off + 2
	if from+n > w.end {
		return nil, w.errorf(w.off, "text", "%d bytes: %w", n, binread.ErrTruncated)
	}
	w.off = from + n
	return w.b[from:w.off], w.spend(from, n)
}

// literal reads text that is written in the document itself.
func (w *walker) literal(t byte) error {
	at := w.off - 1
	w.odd = w.odd || t&^tokenMore != tokenValue
	switch t &^ tokenMore {
	case tokenValue:
		if w.off >= w.end || w.b[w.off] != typeString {
			return w.errorf(at, "text", "value type is not a string")
		}
		w.off++
		b, err := w.counted()
		if err != nil {
			return err
		}
		return w.sink.content(piece{typ: typeString, raw: b, sub: -1})
	case tokenCDATA:
		b, err := w.counted()
		if err != nil {
			return err
		}
		return w.sink.content(piece{typ: typeString, raw: b, sub: -1})
	case tokenCharRef:
		if w.off+2 > w.end {
			return w.errorf(at, "character reference", "%w", binread.ErrTruncated)
		}
		w.off += 2
		return w.sink.content(piece{typ: typeString, raw: w.b[w.off-2 : w.off], sub: -1})
	case tokenEntityRef:
		s, next, err := w.name(w.off, w.end)
		if err != nil {
			return err
		}
		w.off = next
		return w.sink.content(piece{typ: typeString, raw: entity(s), sub: -1})
	}
	switch t {
	case tokenPITarget:
		_, next, err := w.name(w.off, w.end)
		w.off = next
		return err
	case tokenPIData:
		_, err := w.counted()
		return err
	}
	return w.errorf(at, "BinXML token", "unknown type %#x", t)
}

// entity returns the character that a predefined XML entity stands for, as
// UTF-16; an unknown one stays as it was written.
func entity(s string) []byte {
	switch s {
	case "lt":
		s = "<"
	case "gt":
		s = ">"
	case "amp":
		s = "&"
	case "quot":
		s = `"`
	case "apos":
		s = "'"
	default:
		s = "&" + s + ";"
	}
	var b []byte
	for _, r := range s {
		b = le.AppendUint16(b, uint16(r))
	}
	return b
}
