// Package vsstest writes volume shadow copies into an NTFS volume, for tests. The
// same arguments always give the same bytes. Structures and their section names
// are those of package vss.
package vsstest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
)

const (
	blockSize    = 16384
	headerOffset = 0x1e00
	bodyOffset   = 0x80
	signature    = "\x6b\x87\x08\x38\x76\xc1\x48\x4e\xb7\xae\x04\x04\x6e\x6c\xc7\x52"
)

var le = binary.LittleEndian

// A Snapshot is one shadow copy to be written.
type Snapshot struct {
	Image   []byte    // the volume as it was; of the same size as the live one
	Created time.Time // as it will stand in the catalog
	Machine string    // name of the computer
	Flags   uint64    // of the catalog entry; 0 stands for 0x40, the ordinary one

	// Overlay says which of the changed blocks, given by their offset, are
	// written as overlays.
	Overlay func(off int64) bool

	// Moved maps blocks that the file system moved after the snapshot to where
	// they went; the target was free when the snapshot was made.
	Moved map[int64]int64

	// Free lists further blocks that were free when the snapshot was made.
	Free []int64
}

// Write returns the live volume with shadow copies (oldest first) whose stores lie
// in the area [from, to). It refuses an area that is not zero in all the images.
// Without snapshots it writes a header and no catalog.
func Write(live []byte, snaps []Snapshot, from, to int64) ([]byte, error) {
	img, _, err := write(live, live, snaps, from, to, false)
	return img, err
}

// WriteTo keeps the stores on another volume, in the area [from, to) of that one.
// It returns the live and the storage volume. Each has its own catalog, of one
// block: that of the live volume at home, which must be free there.
func WriteTo(live, storage []byte, snaps []Snapshot, home, from, to int64) ([]byte, []byte, error) {
	for _, s := range append(snaps[:len(snaps):len(snaps)], Snapshot{Image: live}) {
		if end := home + blockSize; home <= 0 || int64(len(s.Image)) < end || !zero(s.Image, home, end) {
			return nil, nil, fmt.Errorf("the block at %#x is in use", home)
		}
	}
	img, st, err := write(live, storage, snaps, from, to, true)
	if err != nil {
		return nil, nil, err
	}
	var mine, other []byte
	cat := st[from+bodyOffset : from+blockSize]
	for ; cat[0] != 0; cat = cat[128:] {
		if cat[0] == 2 {
			mine = append(mine, cat[:128]...)
		} else {
			other = append(other, cat[:128]...)
		}
	}
	metadata(st, from, 2, 0, 0, other)
	metadata(img, home, 2, 0, 0, mine)
	header(img, home, 0xc0, 0xd0)
	header(st, from, 0xd0, 0xd0)
	return img, st, nil
}

func write(live, storage []byte, snaps []Snapshot, from, to int64, apart bool) ([]byte, []byte, error) {
	w := &writer{live: bytes.Clone(live), next: from, end: to}
	w.store = w.live
	if apart {
		w.store = bytes.Clone(storage)
	} else {
		w.from, w.to = from, to
	}
	if err := check(live, storage, snaps, from, to, apart); err != nil {
		return nil, nil, err
	}
	if len(snaps) == 0 {
		header(w.live, 0, 0xc0, 0xc0)
		return w.live, w.store, nil
	}
	if len(snaps) > (blockSize-bodyOffset)/256 {
		return nil, nil, fmt.Errorf("%d snapshots do not fit into one block of catalog", len(snaps))
	}
	w.base = bytes.Clone(live)
	cat := w.alloc()
	var entries []byte
	for k := len(snaps) - 1; k >= 0; k-- { // the catalog is not ordered by age in real volumes either
		entries = append(entries, w.snapshot(&snaps[k], k)...)
	}
	if w.err != nil {
		return nil, nil, w.err
	}
	metadata(w.store, cat, 2, 0, 0, entries)
	if !apart {
		header(w.live, cat, 0xc0, 0xc0)
	}
	return w.live, w.store, nil
}

func check(live, storage []byte, snaps []Snapshot, from, to int64, apart bool) error {
	if from%blockSize != 0 || from <= 0 || to > int64(len(storage)) || from > to {
		return fmt.Errorf("no store area at %#x-%#x", from, to)
	}
	if !zero(storage, from, to) {
		return fmt.Errorf("the store area is in use")
	}
	for k, s := range snaps {
		switch {
		case len(s.Image) != len(live):
			return fmt.Errorf("image %d has another size than the live volume", k)
		case !apart && !zero(s.Image, from, to):
			return fmt.Errorf("the store area is in use in image %d", k)
		}
	}
	return nil
}

func zero(b []byte, from, to int64) bool { return binread.IsZero(b[from:to]) }

type writer struct {
	live, store []byte
	base        []byte // what an older snapshot sees of a block that its store does not have
	from, to    int64  // the store area, if it is on the live volume
	next, end   int64  // what is free of it
	err         error
}

func (w *writer) alloc() int64 {
	if w.next+blockSize > w.end {
		w.err = fmt.Errorf("the store area is full")
		return w.end - blockSize
	}
	w.next += blockSize
	return w.next - blockSize
}

// snapshot writes one store, and returns its two catalog entries.
func (w *writer) snapshot(s *Snapshot, k int) []byte {
	start := w.alloc()
	d := &differ{w: w, s: s, start: start, flags: s.Flags, free: make([]byte, (len(w.live)/blockSize+7)/8)}
	if d.flags == 0 {
		d.flags = 0x40
	}
	for _, f := range s.Free {
		d.setFree(f)
	}
	for _, t := range s.Moved {
		d.setFree(t)
	}
	table := w.chain(3, start, d.run(), 32)
	bitmap := w.chain(6, start, d.free, 1)
	ranges := w.chain(5, start, le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, uint64(start)), 0), uint64(w.next+blockSize-start)), 24)

	info := make([]byte, 64)
	copy(info, guid(0x40+k))
	copy(info[16:], guid(0x80+k))
	copy(info[32:], guid(0xa0+k))
	le.PutUint32(info[48:], 0xd)
	le.PutUint32(info[56:], 0x42000d)
	for range 2 {
		name := utf16.Encode([]rune(s.Machine))
		info = le.AppendUint16(info, uint16(2*len(name)))
		for _, c := range name {
			info = le.AppendUint16(info, c)
		}
	}
	metadata(w.store, start, 4, 0, 0, info)
	le.PutUint64(w.store[start+48:], uint64(len(info)))

	e := make([]byte, 256)
	le.PutUint64(e, 2)
	le.PutUint64(e[8:], uint64(len(w.live)))
	copy(e[16:], guid(0x10+k))
	le.PutUint64(e[32:], uint64(k+1))
	le.PutUint64(e[40:], d.flags)
	le.PutUint64(e[48:], filetime.From(s.Created))
	le.PutUint64(e[128:], 3)
	le.PutUint64(e[136:], uint64(table))
	copy(e[144:], guid(0x10+k))
	le.PutUint64(e[160:], uint64(start))
	le.PutUint64(e[168:], uint64(ranges))
	le.PutUint64(e[176:], uint64(bitmap))
	le.PutUint64(e[192:], uint64(w.next-start))
	return e
}

// A differ finds what the store of s must hold.
type differ struct {
	w     *writer
	s     *Snapshot
	start int64 // of the store
	flags uint64
	free  []byte // bitmap

	table, last []byte // descriptors; those of moved blocks come last
}

func (d *differ) setFree(off int64)     { d.free[off/blockSize/8] |= 1 << (off / blockSize % 8) }
func (d *differ) isFree(off int64) bool { return d.free[off/blockSize/8]>>(off/blockSize%8)&1 != 0 }

func (d *differ) run() []byte {
	w := d.w
	next := bytes.Clone(w.base)
	for off := int64(0); off+blockSize <= int64(len(w.live)); off += blockSize {
		if off < w.to && off >= w.from {
			continue
		}
		old, base := d.s.Image[off:off+blockSize], w.base[off:off+blockSize]
		if off == 0 { // the header itself is not kept
			old = bytes.Clone(old)
			copy(old[headerOffset:], w.live[headerOffset:headerOffset+512])
		}
		target, moved := d.s.Moved[off]
		switch {
		case d.isFree(off):
			if d.flags&0x400 != 0 {
				clear(next[off : off+blockSize])
			}
		case bytes.Equal(old, base):
		case moved:
			d.last = append(d.last, descriptor(off, target, 0, 1, 0)...)
			if !bytes.Equal(w.base[target:target+blockSize], old) {
				// Overwritten after the move: the copy is listed at the new place.
				at := w.copyOf(old)
				d.last = append(d.last, descriptor(target, at-d.start, at, 0, 0)...)
			}
			copy(next[off:], old)
		case d.s.Overlay != nil && d.s.Overlay(off):
			at := w.alloc()
			var sectors uint32
			for i := range int64(32) {
				if o := old[i*512 : i*512+512]; !bytes.Equal(o, base[i*512:i*512+512]) {
					sectors |= 1 << i
					copy(w.store[at+i*512:], o)
				}
			}
			d.table = append(d.table, descriptor(off, at-d.start, at, 2, sectors)...)
		default:
			at := w.copyOf(old)
			d.table = append(d.table, descriptor(off, at-d.start, at, 0, 0)...)
			copy(next[off:], old)
		}
	}
	w.base = next
	return append(d.table, d.last...)
}

func (w *writer) copyOf(block []byte) int64 {
	at := w.alloc()
	copy(w.store[at:], block)
	return at
}
