package vss

import (
	"cmp"
	"fmt"
	"slices"

	"sharetrail/parsers/binread"
)

// Bits of a block descriptor ("Store block descriptor flags"). Others occur and
// change nothing.
const (
	forwarder = 1
	overlay   = 2
	notUsed   = 4
)

const (
	descriptorSize = 32

	// maxEntries bounds the memory of all tables of a volume, 24 bytes an entry.
	// It is the number of blocks in a terabyte of stores.
	maxEntries = 1 << 26

	maxBitmaps = 1 << 30 // bytes of all bitmaps of a volume; one has 8 MiB for a terabyte
)

// What an entry of a table does, in the order in which the entries of one block
// are kept.
const (
	stored    = iota // data: offset of the block on the volume that keeps the store
	forwarded        // data: offset of the block in the next newer view that now has the contents
	broken           // data: offset of the descriptor that is damaged
	layered          // data, bits: sectors of the block that differ for this snapshot only
	dropped          // forget what came before; not kept
)

// An entry says what a store knows about one block of the volume.
type entry struct {
	block int64  // offset on the volume
	data  int64  // see above
	bits  uint32 // of an overlay: the sectors that it has, lowest first
	tag   uint32 // number of the descriptor << 3 | kind
}

func (e entry) kind() int { return int(e.tag & 7) }

// A table is what a store holds. Entries are sorted by block; a block has one that
// is not layered at most, and that is the first.
type table struct {
	entries []entry
	unused  []byte // a bit for each block that was free; nil if nothing follows from it
}

// load reads the table, and the bitmap if it decides what is read. The caller
// holds the lock of the set.
func (n *Snapshot) load() error {
	if n.home == nil {
		return n.lost
	}
	t := builder{n: n, moved: map[int64]int64{}}
	if n.loc.table == 0 {
		return n.home.errorf(n.loc.at+8, "store block list", "no offset")
	}
	if err := n.home.chain(n.loc.at+8, n.loc.table, typeTable, "store block list", n.set.claimed, t.block); err != nil {
		return err
	}
	n.set.entries += len(t.entries)
	n.table.entries = fold(t.entries)
	if n.Flags&FlagZeroUnused == 0 {
		return nil
	}
	unused, err := n.bitmap()
	if err != nil {
		n.late = append(n.late, fmt.Errorf("blocks that were free may show newer data: %w", err))
		return nil
	}
	n.set.bitmaps += int64(len(unused))
	n.table.unused = unused
	return nil
}

// A builder collects the entries of one table.
type builder struct {
	n       *Snapshot
	entries []entry
	moved   map[int64]int64 // target of a forwarder → the block that it stands for
}

func (t *builder) block(body []byte, off int64) (bool, error) {
	if t.n.set.entries+len(t.entries) > maxEntries {
		return false, t.n.home.errorf(off, "store block list", "more than %d descriptors in the stores of this volume", maxEntries)
	}
	end := int64(0)
	for i := 0; i+descriptorSize <= len(body); i += descriptorSize {
		d, at := body[i:i+descriptorSize], off+int64(i)
		switch {
		case binread.IsZero(d):
			end = cmp.Or(end, at)
			continue
		case end != 0: // part of the table was wiped, or could not be acquired
			return false, t.n.home.errorf(end, "block descriptor", "zeros before the last descriptor of a block, at %#x", at)
		}
		if err := t.add(d, at); err != nil {
			return false, err
		}
	}
	return true, nil
}

// add adds a descriptor ("Block descriptor", "Successive block descriptors").
// One that names no block leaves unknown which block shows newer data, so that
// nothing of the store can be believed; one whose block is known spoils that only.
func (t *builder) add(d []byte, off int64) error {
	orig, rel, data := int64(le.Uint64(d)), int64(le.Uint64(d[8:])), int64(le.Uint64(d[16:]))
	flags, sectors := le.Uint32(d[24:]), le.Uint32(d[28:])
	if flags&notUsed != 0 {
		return nil
	}
	if orig < 0 || orig%blockSize != 0 {
		return t.n.home.errorf(off, "block descriptor", "no block at %#x", uint64(orig))
	}
	if flags > 0xff || flags&(forwarder|overlay) == forwarder|overlay {
		t.put(broken, orig, off, 0, off)
		return nil
	}
	if flags&overlay != 0 {
		t.put(layered, orig, data, sectors, off)
		return nil
	}
	if from, ok := t.moved[orig]; ok {
		delete(t.moved, orig)
		orig = from
	}
	switch {
	case flags&forwarder == 0:
		t.put(stored, orig, data, 0, off)
	case orig == rel: // back where it began
		t.put(dropped, orig, data, 0, off)
	case rel < 0 || rel%blockSize != 0 || rel >= t.n.set.live.size:
		t.put(broken, orig, off, 0, off)
	default:
		t.moved[rel] = orig
		t.put(forwarded, orig, rel, 0, off)
	}
	return nil
}

func (t *builder) put(kind uint32, block, data int64, sectors uint32, off int64) {
	switch {
	case kind == layered && data == 0:
		data = -off // extends the overlay before it, which fold finds
	case kind != stored && kind != layered:
	case data <= 0 || data >= t.n.home.size || data%blockSize != 0:
		kind, data = broken, off
	}
	t.entries = append(t.entries, entry{block, data, sectors, uint32(len(t.entries))<<3 | kind})
}

// fold sorts the entries and keeps what is left after all descriptors of a block.
func fold(entries []entry) []entry {
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.block, b.block), cmp.Compare(a.tag, b.tag))
	})
	out := entries[:0]
	var layers []entry
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].block == entries[0].block {
			n++
		}
		base, known := entry{}, false
		layers = layers[:0]
		for _, e := range entries[:n] {
			kind := e.kind()
			if kind == layered && e.data < 0 {
				if len(layers) == 0 { // it extends nothing
					e = entry{e.block, -e.data, 0, broken}
					kind = broken
				} else {
					e.data = layers[len(layers)-1].data
				}
			}
			switch {
			case kind == layered:
				layers = append(layers, e)
			case known && base.kind() == broken:
			case kind == dropped:
				known = false
			case known && base.kind() == stored && kind == forwarded:
			default:
				base, known = e, true
			}
		}
		entries = entries[n:]
		if known {
			out = append(out, base)
		}
		out = append(out, layers...)
	}
	return out
}

// at returns the entries of the block at off, and the offset of the next block
// that has entries.
func (t *table) at(off int64) ([]entry, int64) {
	i, end := 0, len(t.entries)
	for i < end { // every read comes here for every newer store: slices.BinarySearchFunc takes twice the time
		if mid := int(uint(i+end) / 2); t.entries[mid].block < off {
			i = mid + 1
		} else {
			end = mid
		}
	}
	j := i
	for j < len(t.entries) && t.entries[j].block == off {
		j++
	}
	if j == len(t.entries) {
		return t.entries[i:j], 1<<63 - 1
	}
	return t.entries[i:j], t.entries[j].block
}

// free reports whether the block at off was free when the snapshot was made, and
// for how many of the next bytes, up to limit, the answer is the same.
func (t *table) free(off, limit int64) (bool, int64) {
	bit := func(i int64) bool { return i/8 < int64(len(t.unused)) && t.unused[i/8]>>(i%8)&1 != 0 }
	first := off / blockSize
	is, i := bit(first), first+1
	for (i-first)*blockSize < limit && bit(i) == is {
		i++
	}
	return is, min(limit, (i-first)*blockSize)
}

// bitmap returns the blocks that were free in this snapshot and, if it has a
// bitmap for that, in the one before ("Store bitmap").
func (n *Snapshot) bitmap() ([]byte, error) {
	if n.loc.bitmap == 0 {
		return nil, n.home.errorf(n.loc.at+48, "store bitmap", "no offset")
	}
	unused, err := n.readBitmap(n.loc.at+48, n.loc.bitmap, "store bitmap")
	if err != nil || n.loc.previous == 0 {
		return unused, err
	}
	previous, err := n.readBitmap(n.loc.at+72, n.loc.previous, "store previous bitmap")
	for i := range min(len(unused), len(previous)) {
		unused[i] &= previous[i]
	}
	return unused, err
}

func (n *Snapshot) readBitmap(ref, off int64, field string) (out []byte, err error) {
	want := (n.Size() + 8*blockSize - 1) / (8 * blockSize)
	if n.set.bitmaps+want > maxBitmaps {
		return nil, n.home.errorf(off, field, "%d bytes, and the bitmaps of newer stores have %d: more than fits into memory", want, n.set.bitmaps)
	}
	// The previous bitmap may be the current one of another store: no claims here.
	err = n.home.chain(ref, off, typeBitmap, field, map[place]bool{}, func(body []byte, _ int64) (bool, error) {
		out = append(out, body[:min(want-int64(len(out)), int64(len(body)))]...)
		return int64(len(out)) < want, nil
	})
	return out, err
}
