package hive

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"slices"
)

// StaleItems yields the keys, values and texts in the pages of the stale
// entries that the final view does not have at the same place: old content,
// without a time but that of its keys. What several entries hold alike comes
// once. Where an entry lacks a parent, the path leads through the final view;
// what it lacks else is Reused. Of a log of another hive there is nothing. Errors
// are as in [Hive.Deleted].
func (p *Replay) StaleItems() iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if len(p.Stale) == 0 {
			return
		}
		st := p.newStale()
		for _, e := range p.Stale {
			if e.Reason == foreign {
				continue
			}
			st.put(e)
			more := st.s.items(func(it Item) bool {
				for _, it := range st.news(it) {
					if !yield(it, nil) {
						return false
					}
				}
				return true
			})
			if !more {
				return
			}
			st.remove()
		}
		if err := st.s.err(); err != nil {
			yield(Item{}, err)
		}
	}
}

// A stale is the final view with the pages of one old entry in their places.
type stale struct {
	s     *scanner
	final []byte
	entry Entry
	pages []page // of entry, ascending
	seen  map[[sha256.Size]byte]bool
}

func (p *Replay) newStale() *stale {
	final := p.hive.image
	h := &Hive{cells: p.hive.cells, base: p.hive.base}
	size := int64(len(final))
	for _, e := range p.Stale {
		for _, pg := range e.pages {
			if end := pg.off + int64(len(pg.data)); end <= int64(len(final))+maxGrowth {
				size = max(size, end)
			}
		}
	}
	h.image = make([]byte, size)
	copy(h.image, final)
	s := newScanner(h, p.hive.mark())
	s.old = true
	return &stale{s: s, final: final, seen: make(map[[sha256.Size]byte]bool)}
}

// put puts the pages of e into the image and searches them.
func (st *stale) put(e Entry) {
	image := st.s.h.image
	st.entry = e
	st.pages = slices.SortedFunc(slices.Values(e.pages), func(a, b page) int { return cmp.Compare(a.off, b.off) })
	var regions []region
	for _, p := range st.pages {
		end := p.off + int64(len(p.data))
		if end > int64(len(image)) {
			continue // above maxGrowth: no hive the entry could belong to
		}
		copy(image[p.off:], p.data)
		if k := len(regions) - 1; k >= 0 && p.off <= regions[k].end {
			regions[k].end = max(end, regions[k].end)
		} else {
			regions = append(regions, region{p.off, end, OldLog})
		}
	}
	st.s.search(regions)
}

// remove puts the bytes of the final view back.
func (st *stale) remove() {
	for _, r := range st.s.regions {
		n := 0
		if r.start < int64(len(st.final)) {
			n = copy(st.s.h.image[r.start:r.end], st.final[r.start:])
		}
		clear(st.s.h.image[r.start+int64(n) : r.end])
	}
}

// same reports whether the final view has the same n bytes at off.
func (st *stale) same(off, n int64) bool {
	return off+n <= int64(len(st.final)) && bytes.Equal(st.final[off:off+n], st.s.h.image[off:off+n])
}

func (st *stale) sameValue(v *Value) bool {
	if !st.same(v.Off, v.Len) {
		return false
	}
	n := min(int64(v.Size), int64(len(st.s.h.image))-v.DataOff)
	return v.DataOff < 0 || n <= 0 || st.same(v.DataOff, n)
}

// news returns what of an item the final view lacks, and no item before had.
func (st *stale) news(it Item) (list []Item) {
	switch {
	case it.Key != nil && !st.same(it.Key.Off, it.Key.Len):
		list = append(list, it)
	case it.Key != nil: // only its values may have changed
		for _, v := range it.Values {
			if !st.sameValue(v.Value) {
				list = append(list, v)
			}
		}
	case it.Value != nil && !st.sameValue(it.Value), it.Text != "" && !st.same(it.Off, int64(len(it.Text))):
		list = append(list, it)
	}
	k := 0
	for _, it := range list {
		st.settle(&it)
		if sum := sum(&it); !st.seen[sum] {
			st.seen[sum] = true
			list[k] = it
			k++
		}
	}
	return list[:k]
}

// settle reads the data of an item, since the pages it lies in will go, and
// says where in the log the item is.
func (st *stale) settle(it *Item) {
	if v := it.Value; v != nil {
		b, err := v.Bytes()
		v.read = func() ([]byte, error) { return bytes.Clone(b), err }
		v.dead, v.budget = nil, nil
	}
	for i := range it.Values {
		st.settle(&it.Values[i])
	}
	i, found := slices.BinarySearchFunc(st.pages, it.Off, func(p page, off int64) int { return cmp.Compare(p.off, off) })
	if !found {
		i--
	}
	if i >= 0 && it.Off < st.pages[i].off+int64(len(st.pages[i].data)) {
		it.Log = st.entry.Log
		it.Off += st.pages[i].logOff - st.pages[i].off
	}
	it.doubt(true, fmt.Sprintf("from log entry %d, which is not applied: %s", st.entry.Sequence, st.entry.Reason))
}

// sum is the same for items that say the same of the same place of the hive.
func sum(it *Item) [sha256.Size]byte {
	h := sha256.New()
	var write func(it *Item)
	write = func(it *Item) {
		fmt.Fprintf(h, "%q %v", it.Path, it.Where)
		switch {
		case it.Key != nil:
			fmt.Fprintf(h, "key %d %d %d", it.Key.Off, it.Key.LastWriteRaw, len(it.Values))
		case it.Value != nil:
			b, _ := it.Value.Bytes()
			fmt.Fprintf(h, "value %d %q %d %d %x", it.Value.Off, it.Value.Name, it.Value.Type, it.Value.Size, b)
		default:
			fmt.Fprintf(h, "text %q", it.Text)
		}
		for i := range it.Values {
			write(&it.Values[i])
		}
	}
	write(it)
	return [sha256.Size]byte(h.Sum(nil))
}
