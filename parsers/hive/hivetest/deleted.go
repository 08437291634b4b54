package hivetest

import "slices"

// A fate is what becomes of the cells of something deleted.
type fate struct{ deleted, apart, unlinked, overwritten bool }

// A deadCell is to be freed when all is written.
type deadCell struct {
	ref  int
	fate fate
}

func (f *fate) word(s string) bool {
	switch s {
	case "apart":
		f.apart = true
	case "unlinked":
		f.unlinked = true
	case "overwritten":
		f.overwritten = true
	default:
		return false
	}
	return true
}

// gone returns the subkey of that name on the way to a deleted key: a live one
// if there is one, else the last deleted one. The deleted key itself is new.
func (k *node) gone(name []uint16, last bool) *node {
	id := string(bytesOf(upper(name)))
	if s := k.index[id]; s != nil && !last {
		return s
	}
	for _, s := range slices.Backward(k.removed) {
		if !last && string(bytesOf(upper(s.name))) == id {
			return s
		}
	}
	s := &node{name: name, fate: fate{deleted: true}}
	k.removed = append(k.removed, s)
	return s
}

func (k *node) freedValue(line string) error {
	v, err := newValue(line)
	if err == nil {
		k.freed = append(k.freed, v)
	}
	return err
}

// deleted writes what was deleted from k.
func (w *writer) deleted(k *node, ref uint32) error {
	if len(k.freed) > 0 {
		above := w.fate
		w.fate.deleted = true
		for _, v := range k.freed {
			w.value(v)
		}
		w.fate = above
	}
	for _, s := range k.removed {
		if _, err := w.key(s, ref); err != nil {
			return err
		}
	}
	return nil
}

// bury frees the deleted cells, and joins free neighbours as Windows does.
func (w *writer) bury() {
	apart, inside := make(map[int]bool), make(map[int]bool)
	for _, c := range w.dead {
		if c.fate.unlinked {
			continue
		}
		le.PutUint32(w.b[c.ref:], -le.Uint32(w.b[c.ref:]))
		apart[c.ref] = c.fate.apart
	}
	if len(w.dead) == 0 {
		return
	}
	for bin := 0; bin < len(w.b); bin += int(le.Uint32(w.b[bin+8:])) {
		end := bin + int(le.Uint32(w.b[bin+8:]))
		before := -1 // the free cell in front, if it may be joined
		for ref := bin + 32; ref < end; {
			size := int(int32(le.Uint32(w.b[ref:])))
			switch {
			case size < 0 || apart[ref]:
				before = -1
				size = max(size, -size)
			case before >= 0:
				inside[ref] = true
				le.PutUint32(w.b[before:], le.Uint32(w.b[before:])+uint32(size))
			default:
				before = ref
			}
			ref += size
		}
	}
	for _, ref := range w.spoiled {
		if inside[ref] {
			copy(w.b[ref:], "\xaa\xaa\xaa\xaa")
		}
		for i := range int(w.size[ref]) / 2 {
			w.b[ref+4+i] = 0xaa
		}
	}
}
