package eventlog

import "sharetrail/parsers/binread"

// intern decodes UTF-16 text that many records repeat.
func (d *decoder) intern(b []byte) string {
	d.scratch = appendUTF16(d.scratch[:0], b)
	return d.kept(d.scratch)
}

// kept returns b as a string that is shared with others like it.
func (d *decoder) kept(b []byte) string {
	if s, ok := d.strings[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(d.strings) < maxIntern && len(s) <= 1024 {
		d.strings[s] = s
	}
	return s
}

// A latestValue is the last text that a System field had: most records repeat
// that of the one before.
type latestValue struct {
	typ  byte
	raw  []byte
	text string
}

// repeated decodes the text of a System field.
func (d *decoder) repeated(f sysField, typ byte, b []byte) string {
	v := &d.latest[f]
	if typ == v.typ && string(b) == string(v.raw) {
		return v.text
	}
	if v.typ, v.raw = typ, append(v.raw[:0], b...); typ == typeString {
		v.text = d.intern(trimNUL(b))
	} else {
		v.text = Text(decode(typ, b))
	}
	return v.text
}

// name reads the name that the field at off refers to, and returns it with
// the offset behind the field: names are stored where they are used first.
func (d *decoder) name(off, end int) (string, int, error) {
	if off+4 > end {
		return "", 0, d.errorf(off, "name offset", "%w", binread.ErrTruncated)
	}
	at := le.Uint32(d.b[off:])
	n, ok := d.names[at]
	if !ok {
		if at < 128 || at > chunkSize-8 {
			return "", 0, d.errorf(off, "name offset", "%#x is outside the chunk", at)
		}
		count := int(le.Uint16(d.b[at+6:]))
		n.next = int(at) + 8 + 2*count + 2 // NUL
		if count > maxName || n.next > chunkSize {
			return "", 0, d.errorf(int(at), "name", "length %d", count)
		}
		text := d.b[at+8 : int(at)+8+2*count]
		if d.strict && nameHash(text) != le.Uint16(d.b[at+4:]) {
			return "", 0, d.errorf(int(at), "name", "it has not the hash that is stored with it")
		}
		n.s = d.knownName(text, d.b[at+4])
		d.names[at] = n
	}
	if int(at) != off+4 {
		return n.s, off + 4, nil
	}
	if n.next > end {
		return "", 0, d.errorf(off, "name", "%w", binread.ErrTruncated)
	}
	return n.s, n.next, nil
}

// knownName decodes a name. Chunks repeat those of others.
func (d *decoder) knownName(b []byte, hash byte) string {
	if d.known == nil {
		return d.intern(b)
	}
	k := &d.known[hash]
	if string(k.raw) != string(b) {
		k.raw, k.text = append(k.raw[:0], b...), d.intern(b)
	}
	return k.text
}

// nameHash is the hash that is stored before a name (libevtx section 4.7).
func nameHash(b []byte) uint16 {
	h := uint32(0)
	for i := 0; i+1 < len(b); i += 2 {
		h = h*65599 + uint32(le.Uint16(b[i:]))
	}
	return uint16(h)
}
