package container

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// dirty returns a VHDX of large whose block table and first block are in the log
// only: what is in their place is wrong.
func dirty(entries func(bat, block []byte, size int64) []byte) []byte {
	return vhdxOf{disk: large, id: idA, log: func(img []byte) []byte {
		bat := bytes.Clone(img[vhdxBATAt : vhdxBATAt+4096])
		block := bytes.Clone(img[4<<20+4096 : 4<<20+8192])
		log := entries(bat, block, int64(len(img)))
		clear(img[vhdxBATAt : vhdxBATAt+4096])
		for i := range 4096 {
			img[4<<20+4096+i] = 0xcc
			img[4<<20+i] = 0xcc
		}
		return log
	}}.write()
}

// pages puts the entries of a log at their places, round its end if need be.
func pages(at int, entries ...[]byte) []byte {
	log := make([]byte, 1<<20)
	for _, b := range slices.Concat(entries...) {
		log[at%len(log)] = b
		at++
	}
	return log
}

func TestVHDXLog(t *testing.T) {
	garbage := bytes.Repeat([]byte{0xee}, 4096)
	zero := change{off: 4 << 20, n: 4096} // the first page of the disk is zeros
	two := func(at int) func(bat, block []byte, size int64) []byte {
		return func(bat, block []byte, size int64) []byte {
			a := logEntryOf(8, at, size, change{off: vhdxBATAt, data: bat}, change{off: 4<<20 + 4096, data: garbage}, change{off: 4 << 20, data: garbage})
			b := logEntryOf(9, at, size, change{off: 4<<20 + 4096, data: block}, zero)
			return pages(at, a, b)
		}
	}
	for _, tt := range []struct {
		name string
		img  []byte
		warn string
	}{
		{"two entries", dirty(two(0)), "2 entries of its log, 5 changes, were replayed in memory"},
		{"in the middle", dirty(two(64 << 10)), "2 entries of its log"},
		{"round the end of the log", dirty(two(1<<20 - 8192)), "2 entries of its log"},
		{"an older sequence after it", dirty(func(bat, block []byte, size int64) []byte {
			log := two(0)(bat, block, size)
			copy(log[512<<10:], logEntryOf(3, 512<<10, size, change{off: 4 << 20, data: garbage}))
			return log
		}), "2 entries of its log"},
		{"an older entry before it", dirty(func(bat, block []byte, size int64) []byte {
			log := two(64<<10)(bat, block, size)
			copy(log[64<<10-8192:], logEntryOf(7, 64<<10-8192, size, change{off: 4 << 20, data: garbage}))
			return log
		}), "2 entries of its log"},
		{"a torn entry after it", dirty(func(bat, block []byte, size int64) []byte {
			log := two(0)(bat, block, size)
			torn := logEntryOf(10, 0, size, change{off: 4 << 20, data: garbage})
			torn[5000]++
			copy(log[28<<10:], torn)
			return log
		}), "2 entries of its log"},
		{"one entry", dirty(func(bat, block []byte, size int64) []byte {
			return pages(0, logEntryOf(1<<33, 0, size, change{off: vhdxBATAt, data: bat}, change{off: 4<<20 + 4096, data: block}, zero))
		}), "1 entries of its log, 3 changes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			im, err := files{"a.vhdx": tt.img}.open("a.vhdx")
			if err != nil {
				t.Fatal(err)
			}
			if got := whole(t, im); !bytes.Equal(got, large) {
				t.Errorf("differs from offset %#x on", firstDiff(got, large))
			}
			readerAt(t, im, large)
			if w := im.Warnings(); len(w) != 1 || !strings.Contains(w[0].Error(), tt.warn) {
				t.Errorf("warnings %v, want %q", w, tt.warn)
			}
		})
	}
}

// A log that cannot be replayed is told, and the disk given as it is in the file.
func TestVHDXLogDamaged(t *testing.T) {
	clean := vhdxOf{disk: large, id: idA, log: func([]byte) []byte { return pages(0, garbageEntry()) }}.write()
	im, err := files{"a.vhdx": clean}.open("a.vhdx")
	if err != nil {
		t.Fatal(err)
	}
	if w := im.Warnings(); len(w) != 1 || !strings.Contains(w[0].Error(), "its log cannot be replayed") || !strings.Contains(w[0].Error(), "offset 0x100000: log: no valid sequence") {
		t.Errorf("warnings %v", w)
	}
	if got := whole(t, im); !bytes.Equal(got, large) {
		t.Errorf("differs from offset %#x on", firstDiff(got, large))
	}
	short := vhdxOf{disk: large, id: idA, log: func(img []byte) []byte {
		return pages(0, logEntryOf(8, 0, 1<<40, change{off: 4 << 20, n: 4096}))
	}}.write()
	if _, err := (files{"a.vhdx": short}).open("a.vhdx"); err == nil || !strings.Contains(err.Error(), "the file is cut short") {
		t.Errorf("file shorter than when the log was written: %v", err)
	}
}

func garbageEntry() []byte {
	b := logEntryOf(8, 0, 0, change{off: 4 << 20, n: 4096})
	b[4]++
	return b
}
