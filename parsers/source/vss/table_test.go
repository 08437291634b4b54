package vss

import (
	"bytes"
	"slices"
	"testing"

	"sharetrail/parsers/source/vss/vsstest"
)

// Successive descriptors of one block: what is left of them.
func TestDescriptors(t *testing.T) {
	type d struct {
		orig, rel, data int64 // in blocks
		flags, bits     uint32
	}
	type e struct {
		block, data int64 // in blocks
		kind        int
		bits        uint32
	}
	for _, test := range []struct {
		name string
		in   []d
		out  []e
	}{
		{"any order", []d{{9, 0, 50, 0, 0}, {3, 0, 51, 0x88, 0}}, []e{{3, 51, stored, 0}, {9, 50, stored, 0}}},
		{"the last wins", []d{{3, 0, 50, 0, 0}, {3, 0, 51, 0, 0}}, []e{{3, 51, stored, 0}}},
		{"not used", []d{{3, 0, 50, 0, 0}, {3, 0, 51, notUsed, 0}}, []e{{3, 50, stored, 0}}},
		{"forwarder", []d{{3, 8, 0, forwarder, 0}}, []e{{3, 8, forwarded, 0}}},
		{"a copy over a forwarder", []d{{3, 8, 0, forwarder, 0}, {3, 0, 50, 0, 0}}, []e{{3, 50, stored, 0}}},
		{"a forwarder over a copy", []d{{3, 0, 50, 0, 0}, {3, 8, 0, forwarder, 0}}, []e{{3, 50, stored, 0}}},
		{"moved, then overwritten", []d{{3, 8, 0, forwarder, 0}, {8, 0, 50, 0, 0}}, []e{{3, 50, stored, 0}}},
		{"overwritten twice", []d{{3, 8, 0, forwarder, 0}, {8, 0, 50, 0, 0}, {8, 0, 51, 0, 0}}, []e{{3, 50, stored, 0}, {8, 51, stored, 0}}},
		{"moved twice", []d{{3, 8, 0, forwarder, 0}, {8, 9, 0, forwarder, 0}}, []e{{3, 9, forwarded, 0}}},
		{"moved twice, then overwritten", []d{{3, 8, 0, forwarder, 0}, {8, 9, 0, forwarder, 0}, {9, 0, 50, 0, 0}}, []e{{3, 50, stored, 0}}},
		{"moved there and back", []d{{3, 8, 0, forwarder, 0}, {8, 3, 0, forwarder, 0}}, nil},
		{"overlay", []d{{3, 0, 50, overlay, 6}}, []e{{3, 50, layered, 6}}},
		{"overlay of an overlay", []d{{3, 0, 50, overlay, 6}, {3, 1, 50, overlay, 8}}, []e{{3, 50, layered, 6}, {3, 50, layered, 8}}},
		{"overlay without an offset", []d{{3, 0, 50, overlay, 6}, {3, 1, 0, overlay, 8}}, []e{{3, 50, layered, 6}, {3, 50, layered, 8}}},
		{"overlay before a copy", []d{{3, 0, 50, overlay, 6}, {3, 0, 51, 0, 0}}, []e{{3, 51, stored, 0}, {3, 50, layered, 6}}},
		{"overlay at the target of a forwarder", []d{{3, 8, 0, forwarder, 0}, {8, 0, 50, overlay, 6}}, []e{{3, 8, forwarded, 0}, {8, 50, layered, 6}}},
	} {
		v := &volume{size: block(100)}
		b := builder{n: &Snapshot{set: &Set{live: v}, home: v}, moved: map[int64]int64{}}
		for _, d := range test.in {
			raw := make([]byte, descriptorSize)
			le.PutUint64(raw, uint64(block(d.orig)))
			le.PutUint64(raw[8:], uint64(block(d.rel)))
			if d.flags&overlay != 0 {
				le.PutUint64(raw[8:], uint64(d.rel)) // 1 in an overlay that extends another
			}
			le.PutUint64(raw[16:], uint64(block(d.data)))
			le.PutUint32(raw[24:], d.flags)
			le.PutUint32(raw[28:], d.bits)
			if err := b.add(raw, 1); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		var got []e
		for _, x := range fold(b.entries) {
			got = append(got, e{x.block / blockSize, x.data / blockSize, x.kind(), x.bits})
		}
		if !slices.Equal(got, test.out) {
			t.Errorf("%s: %v, want %v", test.name, got, test.out)
		}
	}
}

// A block is free for certain only if it was so in the snapshot before, too.
func TestPreviousBitmap(t *testing.T) {
	live, snaps := history(0x440)
	img := write(t, live, snaps)
	bitmaps := metadata(img, typeBitmap)
	le.PutUint64(img[areaFrom+bodyOffset+entrySize+72:], uint64(bitmaps[1]))
	got := read(t, open(t, img).Snapshots[2])
	if !bytes.Equal(got[block(45):block(46)], live[block(45):block(46)]) {
		t.Error("block 45 was in use before, and does not show the live block")
	}
	if !bytes.Equal(got[block(46):block(47)], make([]byte, blockSize)) {
		t.Error("block 46 was free in both, and is not zero")
	}
}

// A table that needs more than one block.
func TestLong(t *testing.T) {
	const from, to = 100, 1400
	live := make([]byte, block(2000)+sectorSize)
	live[len(live)-1] = 1
	old := bytes.Clone(live)
	for i := int64(0); i < 600; i++ { // a block holds 508 descriptors
		old[block(i+to)] = byte(i)
		live[block(i+to)] = byte(i + 1)
	}
	img, err := vsstest.Write(live, []vsstest.Snapshot{{Image: old, Created: t1}}, block(from), block(to))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, img)
	got := read(t, s.Snapshots[0])
	clear(got[block(from):block(to)])
	clear(got[:blockSize])
	clear(old[:blockSize])
	if !bytes.Equal(got, old) {
		t.Error("other bytes")
	}
	if n := len(s.Snapshots[0].table.entries); n != 600 {
		t.Errorf("%d entries", n)
	}
}

func TestDeterministic(t *testing.T) {
	live, snaps := history(0x40)
	if !bytes.Equal(write(t, live, snaps), write(t, live, snaps)) {
		t.Error("two runs, two images")
	}
}

// Tables of servers have millions of descriptors.
func BenchmarkFold(b *testing.B) {
	entries := make([]entry, 1<<20)
	for i := range entries {
		entries[i] = entry{block(int64(i) * 7919 % (1 << 20)), block(int64(i) + 1), 0, uint32(i) << 3}
	}
	for b.Loop() {
		if n := len(fold(slices.Clone(entries))); n != 1<<20 {
			b.Fatal(n)
		}
	}
}

// sparse is a volume of which only some blocks are not zero.
type sparse map[int64][]byte

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	copy(p, s[off])
	return len(p), nil
}

// The bitmap of a volume of more than two gigabytes needs more than one block.
func TestLongBitmap(t *testing.T) {
	const bits = (blockSize - bodyOffset) * 8 // in a block
	v := &volume{r: sparse{}, size: block(2*bits + 100)}
	for i, next := range []int64{2, 3, 4, 0} { // the last one is of no use
		b := make([]byte, blockSize)
		copy(b, signature)
		b[20] = typeBitmap
		le.PutUint64(b[32:], uint64(block(int64(i)+1)))
		le.PutUint64(b[40:], uint64(block(next)))
		b[bodyOffset] = byte(i + 1)
		v.r.(sparse)[block(int64(i)+1)] = b
	}
	n := &Snapshot{set: &Set{live: v}, home: v, VolumeSize: v.size}
	got, err := n.readBitmap(0, block(1), "store bitmap")
	if err != nil || len(got) != (2*bits+100+7)/8 || got[0] != 1 || got[bits/8] != 2 || got[2*bits/8] != 3 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	u := table{unused: got}
	for off, want := range map[int64]bool{0: true, 1: false, bits: false, bits + 1: true, 2 * bits: true, 2*bits + 1: true, 2*bits + 2: false, 3 * bits: false} {
		if is, _ := u.free(block(off), blockSize); is != want {
			t.Errorf("block %d is free: %v", off, is)
		}
	}
	if is, n := u.free(block(2), block(500)); is || n != block(500) {
		t.Errorf("a run of %v for %d blocks", is, n/blockSize)
	}
	if is, n := u.free(block(2*bits), block(500)); !is || n != block(2) {
		t.Errorf("a run of %v for %d blocks", is, n/blockSize)
	}
	n.set.bitmaps = maxBitmaps
	if _, err := n.readBitmap(0, block(1), "store bitmap"); err == nil {
		t.Error("more bitmaps than fit")
	}
}
