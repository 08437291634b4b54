package hive

import (
	"bytes"
	"iter"
	"slices"

	"sharetrail/parsers/binread"
)

// Subkeys yields the keys below k in the order of its list. An entry that
// cannot be read is an error and the iteration goes on behind it. If fewer keys
// came than k declares, the last element is an error that wraps ErrDamaged.
func (k *Key) Subkeys() iter.Seq2[*Key, error] {
	return func(yield func(*Key, error) bool) {
		if k.dead {
			yield(nil, binread.Errorf(k.Off, "subkey list", "%w: %w", errDeleted, ErrDamaged))
			return
		}
		if k.SubkeyCount == 0 {
			if err := k.hidden(); err != nil {
				yield(nil, err)
			}
			return
		}
		l := &subkeyList{k: k, budget: k.budget, yield: yield}
		if l.budget == nil {
			l.budget = k.h.cells.budget()
		}
		if !l.list(k.subkeys, true) {
			return
		}
		if l.got < k.SubkeyCount {
			yield(nil, binread.Errorf(k.Off, "subkey list", "%q: read %d of %d subkeys: %w", k.Path, l.got, k.SubkeyCount, ErrDamaged))
		} else if l.got > k.SubkeyCount {
			k.h.note(binread.Errorf(k.Off, "subkey list", "%q: %d subkeys, %d declared", k.Path, l.got, k.SubkeyCount))
		}
	}
}

// hidden returns an error if k declares no subkeys and yet has a list of some.
// Windows drops the list with the last subkey, so somebody has set the count.
func (k *Key) hidden() error {
	list, err := k.h.get(k.subkeys, "subkey list")
	if err != nil || len(list.data) < 8 || list.data[0] != 'l' || !bytes.ContainsRune([]byte("fhi"), rune(list.data[1])) {
		return nil
	}
	sub, err := k.h.key(le.Uint32(list.data[4:]), "key node", k)
	if err != nil || sub.parent != k.ref() {
		return nil
	}
	return binread.Errorf(k.Off, "subkey list", "%q: no subkeys declared, but the list at %#x leads to %q: %w", k.Path, list.off, sub.Path, ErrDamaged)
}

// A subkeyList is one iteration over the subkeys of k.
type subkeyList struct {
	k      *Key
	budget *budget
	yield  func(*Key, error) bool
	seen   refSet // lists and key nodes met
	got    uint32
	last   string // name of the key before
	moved  bool   // a subkey with another parent was noted
	mixed  bool   // wrong order was
	spent  bool   // the budget is
}

// list walks one list cell (REGF, "Subkeys list"). Only the top list may be an
// index root (ri), whose entries are lists themselves. It reports whether the
// consumer wants more.
func (l *subkeyList) list(ref uint32, top bool) bool {
	if !l.seen.add(ref) {
		return l.fail(binread.Errorf(blockSize+int64(ref), "subkey list", "%q: listed twice: %w", l.k.Path, ErrDamaged))
	}
	rec, err := l.k.h.get(ref, "subkey list")
	if err != nil {
		return l.fail(err)
	}
	step := 4
	switch {
	case rec.has("lf") || rec.has("lh"):
		step = 8
	case rec.has("li") || top && rec.has("ri"):
	default:
		return l.fail(binread.Errorf(rec.off, "subkey list", "%q: signature %q: %w", l.k.Path, rec.data[:2], ErrDamaged))
	}
	root := rec.has("ri")
	n := int(le.Uint16(rec.data[profile.Off_CM_KEY_INDEX_Count:]))
	if fit := (len(rec.data) - 4) / step; n > fit {
		if !l.fail(binread.Errorf(rec.off, "subkey list", "%q: %d entries in a cell with room for %d: %w", l.k.Path, n, fit, ErrDamaged)) {
			return false
		}
		n = fit
	}
	for i := range n {
		entry := le.Uint32(rec.data[4+i*step:])
		more := true
		if root {
			more = l.list(entry, false)
		} else {
			more = l.entry(entry)
		}
		if !more || l.spent {
			return more
		}
	}
	return true
}

func (l *subkeyList) entry(ref uint32) bool {
	if err := l.budget.spend(0, blockSize+int64(ref), "subkey list"); err != nil {
		l.spent = true
		return l.fail(err)
	}
	if !l.seen.add(ref) {
		return l.fail(binread.Errorf(blockSize+int64(ref), "key node", "listed twice by %q: %w", l.k.Path, ErrDamaged))
	}
	sub, err := l.k.h.key(ref, "key node", l.k)
	if err != nil {
		return l.fail(err)
	}
	sub.budget = l.budget
	if sub.parent != l.k.ref() && !l.moved {
		l.moved = true // once a list: a list that two keys share has thousands
		l.k.h.note(binread.Errorf(sub.Off, "parent", "%q: says %#x, but %#x lists it", sub.Path, sub.parent, l.k.ref()))
	}
	if !l.mixed && l.got > 0 && asciiCompare(l.last, sub.Name) >= 0 {
		l.mixed = true
		l.k.h.note(binread.Errorf(sub.Off, "subkey list", "%q: listed behind %q: Windows may not find one of them", sub.Path, l.last))
	}
	l.last = sub.Name
	if err := l.budget.spend(int(sub.Len)+len(sub.Path), sub.Off, "key node"); err != nil {
		l.spent = true
		return l.fail(err)
	}
	l.got++
	return l.yield(sub, nil)
}

func (l *subkeyList) fail(err error) bool { return l.yield(nil, err) }

// A refSet holds references. Most lists are short, and a map would cost more
// than all the rest of reading them.
type refSet struct {
	few  [8]uint32
	n    int
	many map[uint32]struct{}
}

// add reports whether ref is new.
func (s *refSet) add(ref uint32) bool {
	if slices.Contains(s.few[:s.n], ref) {
		return false
	}
	if s.n < len(s.few) {
		s.few[s.n] = ref
		s.n++
		return true
	}
	if s.many == nil {
		s.many = make(map[uint32]struct{})
	}
	size := len(s.many)
	s.many[ref] = struct{}{}
	return len(s.many) > size
}
