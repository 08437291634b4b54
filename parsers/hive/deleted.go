package hive

import (
	"fmt"
	"iter"
)

// An Item is something that the live tree does not hold (any more): a key with
// its values, a value that no recovered key leads to, or a bare text. That it
// was in the tree once, and was deleted, is the usual reason; Windows also
// leaves copies behind when it moves or renames a key or enlarges a value.
type Item struct {
	Key    *Key   // or nil. Its own iterators answer with an error: there is no tree below it
	Values []Item // of Key, in the order of its list; each has a Value
	Value  *Value // or nil
	Text   string // \\server\share in UTF-16 that belongs to no recovered value; Key and Value are nil

	Path         string // of the key, below the root if PathComplete, else from the last ancestor known; "" of a lone value
	PathComplete bool   // the chain of parents leads to the root. A cell in it may have been used again since
	Off          int64  // of the record or text, from the start of the hive or of Log, bytes
	Log          string // name of the log that holds the record; "" if the hive does
	Where        Where
	Reused       bool   // Value: it or its data lies, in part at least, where something else is now: it may be anything
	Doubt        string // what speaks against the item, "" if nothing is known
}

// Deleted yields what can be found in all space that no live key, value or list
// occupies: keys and values by file offset, then texts. Live rows are never
// among it. It looks at each place where a cell can have begun, and takes for
// junk
//
//   - a key whose name is empty, cut or above 256 characters, whose parent can
//     be no cell, or which counts more subkeys or values than the hive has room
//     for;
//   - a value whose name is cut, or whose data can be no cell of any hive or is
//     larger than this one.
//
// What is left can still be wrong: Where, Reused and Doubt tell how far to
// trust it. An error, the last element, says that forged references were not all
// followed: values may come without their keys, and paths be cut.
func (h *Hive) Deleted() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		m := h.mark()
		s := newScanner(h, m)
		s.search(m.regions())
		if !s.items(func(it Item) bool { return yield(it, nil) }) {
			return
		}
		if err := s.err(); err != nil {
			yield(Item{}, err)
		}
	}
}

// items yields what was found. It reports whether the consumer wants more.
func (s *scanner) items(yield func(Item) bool) bool {
	// A value is listed under its key: which ones are must be known first.
	entries := s.entries
	for _, ref := range s.keys {
		c, _ := s.dead(ref)
		s.valueRefs(c.data, func(ref uint32, c cell, r int) {
			if r >= 0 {
				s.claimed.add(ref)
			}
		})
	}
	s.entries = entries // the same lists are followed once more
	keys, vals := s.keys, s.vals
	for len(keys)+len(vals) > 0 {
		var it Item
		if len(vals) == 0 || len(keys) > 0 && keys[0] < vals[0] {
			it = s.key(s.dead(keys[0]))
			keys = keys[1:]
		} else {
			claimed := s.claimed.has(vals[0])
			c, r := s.dead(vals[0])
			if vals = vals[1:]; claimed {
				continue
			}
			it = s.value(c, r)
		}
		if !yield(it) {
			return false
		}
	}
	for i := range s.regions {
		if !s.texts(&s.regions[i], yield) {
			return false
		}
	}
	return true
}

func (s *scanner) key(c cell, in int) Item {
	b := c.data
	k := &Key{
		Name: nkName(b), Off: c.off, Len: nkSize + int64(le.Uint16(b[72:])), LastWriteRaw: le.Uint64(b[4:]),
		SubkeyCount: le.Uint32(b[20:]), VolatileCount: le.Uint32(b[24:]), ValueCount: le.Uint32(b[36:]),
		h: s.h, parent: le.Uint32(b[16:]), subkeys: noCell, values: noCell, dead: true,
	}
	k.LastWrite = keyTime(k.LastWriteRaw)
	s.take(c.off, k.Len)
	it := Item{Key: k, Off: c.off, Where: s.regions[in].where}
	if isRoot(b) {
		it.PathComplete = true
	} else {
		up := s.pathOf(k.parent, 1)
		k.Path, it.PathComplete = k.Name, false
		if !s.spend(&s.pathBytes, len(up.path)) {
			k.Path, it.PathComplete = join(up.path, k.Name), up.complete
		}
		it.doubt(up.time != 0 && up.time < k.LastWriteRaw, "the key that is now where its parent was has an earlier time: it may be another")
	}
	it.Path = k.Path
	it.doubt(!it.PathComplete, "the way from its parents to the root is lost")
	it.doubt(s.torn && it.Where == Unlinked, "the live tree is damaged: it may be a live key that could not be reached")
	it.doubt(it.Where == BadBin, badDoubt)
	it.doubt(it.Where == BehindBins, behindDoubt)
	it.doubt(k.LastWrite.Year() < 1990 || k.LastWrite.Year() > 2099, "its time is none that a computer would have")
	it.doubt(!printable(k.Name), "its name cannot be printed")

	list, r := s.dead(le.Uint32(b[40:]))
	it.doubt(k.ValueCount > 0 && r < 0, "its value list is "+s.elsewhere())
	reused := k.ValueCount > 0 && (r < 0 || len(list.data)/4 < int(k.ValueCount))
	s.valueRefs(b, func(_ uint32, c cell, r int) {
		v := s.value(c, r)
		v.Path, v.PathComplete = it.Path, it.PathComplete
		if reused {
			v.Reused = true
			v.doubt(true, "the list that leads from the key to it is "+s.elsewhere())
		}
		it.Values = append(it.Values, v)
	})
	it.doubt(len(it.Values) < int(k.ValueCount), fmt.Sprintf("%d of its %d values could not be read", int(k.ValueCount)-len(it.Values), k.ValueCount))
	return it
}

const badDoubt = "cells cannot be told apart here: it may be part of something live"

const behindDoubt = "it lies behind the hive bins: what it refers to may have been in another hive"

// elsewhere says of a cell what it means that it lies in no region.
func (s *scanner) elsewhere() string {
	if s.old {
		return "not in the log entry: what the hive has there now was read"
	}
	return "in use again"
}

func (it *Item) doubt(is bool, why string) {
	if !is {
		return
	}
	if it.Doubt != "" {
		it.Doubt += "; "
	}
	it.Doubt += why
}

// valueRefs calls f with each key value that the list of a deleted key leads
// to, and the region it lies in.
func (s *scanner) valueRefs(nk []byte, f func(ref uint32, c cell, r int)) {
	count := le.Uint32(nk[36:])
	if count == 0 {
		return
	}
	list, r := s.dead(le.Uint32(nk[40:]))
	if r < 0 {
		list = s.any(le.Uint32(nk[40:]))
	}
	for i := range int(min(int64(count), int64(len(list.data)/4))) {
		if s.spend(&s.entries, 1) {
			return
		}
		ref := le.Uint32(list.data[4*i:])
		c, r := s.dead(ref)
		if r < 0 {
			c = s.any(ref)
		}
		if c.has("vk") && s.passValue(c.data) {
			f(ref, c, r)
		}
	}
}

// value reads the key value at c, in a region or, if that is -1, elsewhere.
func (s *scanner) value(c cell, in int) Item {
	b := c.data
	n, size := int(le.Uint16(b[2:])), le.Uint32(b[4:])
	v := &Value{
		Name: text(b[vkSize:vkSize+n], le.Uint16(b[16:])&vkComp != 0), Type: le.Uint32(b[12:]), Size: size &^ inlineData,
		Off: c.off, Len: int64(vkSize + n), DataOff: -1,
		h: s.h, data: le.Uint32(b[8:]), inline: size&inlineData != 0, budget: s.budget, dead: s,
	}
	it := Item{Value: v, Off: c.off, Where: InUse}
	if in >= 0 {
		it.Where = s.regions[in].where
		s.take(c.off, v.Len)
	} else {
		it.Reused = true
		it.doubt(true, "it is "+s.elsewhere())
	}
	it.doubt(s.torn && it.Where == Unlinked, "the live tree is damaged: it may be a live value that could not be reached")
	it.doubt(it.Where == BadBin, badDoubt)
	it.doubt(it.Where == BehindBins, behindDoubt)
	it.doubt(!printable(v.Name), "its name cannot be printed")
	it.doubt(v.Type > regQword && v.Type>>16 != 0xffff, "its type is none of Windows'") // those of device properties begin with 0xffff
	if !v.inline && v.Size > 0 {
		v.DataOff = blockSize + int64(v.data) + 4
		s.judgeData(&it)
	}
	return it
}

// judgeData says how far the data of a value can be trusted.
func (s *scanner) judgeData(it *Item) {
	v := it.Value
	if !s.isCell(v.data) {
		it.doubt(true, "its data would lie where the hive has no cells: the record may come from another hive")
		return
	}
	d, r := s.dead(v.data)
	n := int64(v.Size)
	if n > segmentSize && d.has("db") && s.h.base.Minor() >= 4 {
		n = 8
	}
	head := int64(int32(le.Uint32(s.h.image[v.DataOff-4:])))
	head = max(head, -head)
	switch {
	case r < 0:
		it.Reused = true
		it.doubt(true, "its data is "+s.elsewhere())
		return
	case int64(len(d.data)) < n:
		it.Reused = true
		it.doubt(true, fmt.Sprintf("its data is %s from byte %d on", s.elsewhere(), len(d.data)))
	case head < n+4 || head%8 != 0:
		it.Reused = true
		it.doubt(true, fmt.Sprintf("what lies before its data has been overwritten: no cell of %d bytes begins there", n))
	}
	s.take(d.off, min(n, int64(len(d.data))))
}
