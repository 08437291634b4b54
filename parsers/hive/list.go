package hive

import (
	"iter"

	"sharetrail/parsers/binread"
)

// Subkeys yields the keys below k in the order of its list. An entry that
// cannot be read is an error and the iteration goes on behind it. If fewer keys
// came than k declares, the last element is an error that wraps ErrDamaged.
func (k *Key) Subkeys() iter.Seq2[*Key, error] {
	return func(yield func(*Key, error) bool) {
		if k.SubkeyCount == 0 {
			return
		}
		l := &subkeyList{k: k, budget: k.budget, yield: yield, seen: make(map[uint32]bool)}
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

// A subkeyList is one iteration over the subkeys of k.
type subkeyList struct {
	k      *Key
	budget *budget
	yield  func(*Key, error) bool
	seen   map[uint32]bool // references of lists and key nodes met
	got    uint32
	moved  bool // a subkey with another parent was noted
	spent  bool // the budget is
}

// list walks one list cell (REGF, "Subkeys list"). Only the top list may be an
// index root (ri), whose entries are lists themselves. It reports whether the
// consumer wants more.
func (l *subkeyList) list(ref uint32, top bool) bool {
	if !l.fresh(ref) {
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
	n := int(profile.CM_KEY_INDEX(&rec, 0).Count())
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
	if !l.fresh(ref) {
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
	if err := l.budget.spend(int(sub.Len)+len(sub.Path), sub.Off, "key node"); err != nil {
		l.spent = true
		return l.fail(err)
	}
	l.got++
	return l.yield(sub, nil)
}

func (l *subkeyList) fail(err error) bool { return l.yield(nil, err) }

func (l *subkeyList) fresh(ref uint32) bool {
	if l.seen[ref] {
		return false
	}
	l.seen[ref] = true
	return true
}
