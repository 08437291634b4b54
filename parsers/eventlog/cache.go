package eventlog

// Bounds of the values that a decoder remembers.
const (
	cacheSlots = 1024
	cacheBytes = 256 // of one value
)

// A cachedValue is a text as it is stored, and decoded. Records repeat each
// other: accounts, addresses, paths.
type cachedValue struct {
	typ  byte
	raw  []byte
	text any // a string
}

// decode is [decode] with a memory for texts. Values that a caller could
// change are not shared.
func (d *decoder) decode(typ byte, b []byte) any {
	switch typ {
	case typeString, typeANSI, typeSID, typeGUID:
	default:
		return decode(typ, b)
	}
	if len(b) == 0 || len(b) > cacheBytes {
		return decode(typ, b)
	}
	if d.cache == nil {
		d.cache = make([]cachedValue, cacheSlots)
	}
	c := &d.cache[hash(b)%cacheSlots]
	if c.typ == typ && string(c.raw) == string(b) {
		return c.text
	}
	v := decode(typ, b)
	if _, ok := v.(string); ok {
		c.typ, c.raw, c.text = typ, append(c.raw[:0], b...), v
	}
	return v
}

// hash mixes b, eight bytes at a time. A collision costs time, no more.
func hash(b []byte) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(b)) * prime
	for ; len(b) >= 8; b = b[8:] {
		h = (h ^ le.Uint64(b)) * prime
		h ^= h >> 29
	}
	for _, c := range b {
		h = (h ^ uint64(c)) * prime
	}
	return h ^ h>>32
}
