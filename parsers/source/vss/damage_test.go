package vss

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/binread"
)

// metadata returns the offsets of the metadata blocks of the given type in the
// store area, in the order of the volume: those of the newest snapshot first.
func metadata(img []byte, typ uint32) (offs []int64) {
	for o := int64(areaFrom); o < areaTo; o += blockSize {
		if string(img[o:o+16]) == signature && (typ == 0 || le.Uint32(img[o+20:]) == typ) {
			offs = append(offs, o)
		}
	}
	return offs
}

// Damage is an error of what depends on it, with its offset, and of nothing else.
func TestDamage(t *testing.T) {
	live, snaps := history(0x440)
	clean := write(t, live, snaps)
	tables, infos, bitmaps := metadata(clean, typeTable), metadata(clean, typeInfo), metadata(clean, typeBitmap)
	cat := int64(areaFrom)
	entry := func(i int64) int64 { return cat + bodyOffset + i*entrySize } // newest first: 2, 3, 2, 3, 2, 3
	desc := func(i int, n int64) int64 { return tables[i] + bodyOffset + n*descriptorSize }
	put := func(off int64, v uint64) func([]byte) { return func(b []byte) { le.PutUint64(b[off:], v) } }
	for _, test := range []struct {
		name   string
		break_ func(img []byte)
		ok     int   // the newest snapshots that can still be read
		at     int64 // offset in the error of the others
		text   string
	}{
		{"table signature", put(tables[1], 0), 1, tables[1], "no shadow copy signature"},
		{"table type", put(tables[0]+20, 6), 0, tables[0] + 20, "record type 6, want 3"},
		{"table of another place", put(tables[0]+32, uint64(tables[1])), 0, tables[0] + 32, "says that its offset"},
		{"table comes back", put(tables[2]+40, uint64(tables[2])), 2, tables[2], "comes back"},
		{"table goes on in that of a newer store", put(tables[2]+40, uint64(tables[0])), 2, tables[0], "comes back"},
		{"table beyond the volume", put(tables[0]+40, 1<<62), 0, tables[0] + 40, "no block at 0x4000000000000000"},
		{"table without an offset", put(entry(1)+8, 0), 0, entry(1) + 8, "no offset"},
		{"descriptor of no block", put(desc(1, 0), 513), 1, desc(1, 0), "no block at 0x201"},
		{"descriptor of a negative block", put(desc(1, 0), 1<<63), 1, desc(1, 0), "no block"},
		{"descriptor wiped", func(b []byte) { clear(b[desc(1, 0):desc(1, 1)]) }, 1, desc(1, 0), "zeros before"},
		{"second entry", func(b []byte) { copy(b[entry(3):], b[entry(1):entry(2)]) }, 0, entry(3), "a second entry of store"},
		{"second snapshot", func(b []byte) { copy(b[entry(2):], b[entry(0):entry(1)]) }, 0, entry(2), "a second entry of snapshot"},
		{"unknown entry, and its other half", put(entry(0), 7), 0, entry(0), "unknown type 0x7"},
		{"store without an entry", put(entry(1), 1), 0, cat, "no entry of store"},
		{"gap in the stack", put(entry(0)+32, 5), 1, entry(2) + 32, "unknown"},
		{"two of one position", put(entry(4)+32, 2), 1, entry(4) + 32, "has 2, too"},
		{"volume of no size", put(entry(2)+8, 0), 0, entry(2) + 8, "0x0 bytes"},
		{"catalog comes back", put(cat+40, uint64(cat)), 0, cat, "comes back"},
		{"store header", put(infos[1], 0), 3, 0, ""},
		{"bitmap", put(bitmaps[1], 0), 3, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			img := bytes.Clone(clean)
			test.break_(img)
			s, err := Open(bytes.NewReader(img), int64(len(img)))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range s.Snapshots {
				_, err := n.ReaderAt()
				if ok := len(s.Snapshots)-n.Index < test.ok; ok != (err == nil) {
					t.Errorf("snapshot %d: %v", n.Index, err)
				}
				if err != nil && (binread.Offset(err) != test.at || !strings.Contains(err.Error(), test.text) || errors.Is(err, fs.ErrNotExist)) {
					t.Errorf("snapshot %d: %v; want offset %#x, %q", n.Index, err, test.at, test.text)
				}
			}
			if test.ok == 3 {
				n := s.Snapshots[1]
				if len(n.Warnings)+len(n.LateWarnings()) != 2 { // and the clock
					t.Errorf("warnings %v, %v", n.Warnings, n.LateWarnings())
				}
			}
		})
	}
}

// A descriptor whose place is damaged spoils one block, of this snapshot and all
// older ones that do not have it themselves.
func TestDamagedBlock(t *testing.T) {
	live, snaps := history(0x40)
	clean := write(t, live, snaps)
	table := metadata(clean, typeTable)[1] // of snapshot 2
	var at int64
	for name, damage := range map[string]func(b []byte){
		"no offset":       func(b []byte) { le.PutUint64(b[at+16:], 0) },
		"not a block":     func(b []byte) { b[at+17] ^= 1 },
		"negative":        func(b []byte) { b[at+23] |= 0x80 },
		"beyond the end":  func(b []byte) { le.PutUint64(b[at+16:], 1<<40) },
		"unknown flags":   func(b []byte) { b[at+25] = 1 },
		"two kinds":       func(b []byte) { b[at+24] = forwarder | overlay },
		"forward nowhere": func(b []byte) { b[at+24] = forwarder; le.PutUint64(b[at+8:], 1<<40) },
		"overlay nowhere": func(b []byte) { b[at+24] = overlay; le.PutUint64(b[at+16:], 0) },
	} {
		for _, which := range []int64{3, 12} { // the oldest has block 3 itself
			for at = table + bodyOffset; int64(le.Uint64(clean[at:])) != block(which); at += descriptorSize {
			}
			img := bytes.Clone(clean)
			damage(img)
			for _, n := range open(t, img).Snapshots {
				r, err := n.ReaderAt()
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				b := make([]byte, 3*blockSize)
				k, err := r.ReadAt(b, block(which-1))
				if bad := n.Index == 2 || n.Index == 1 && which == 12; bad != (err != nil) {
					t.Errorf("%s: snapshot %d, block %d: %v", name, n.Index, which, err)
				} else if bad && (k != blockSize || binread.Offset(err) != at) {
					t.Errorf("%s: snapshot %d, block %d: %d bytes, %v", name, n.Index, which, k, err)
				}
				if _, err := r.ReadAt(b[:blockSize], block(which+1)); err != nil {
					t.Errorf("%s: snapshot %d: the next block: %v", name, n.Index, err)
				}
			}
		}
	}
}

type failing struct {
	r   io.ReaderAt
	off int64
}

var errSector = errors.New("bad sector")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off <= f.off && off+int64(len(p)) > f.off {
		n, _ := f.r.ReadAt(p[:f.off-off], off)
		return n, errSector
	}
	return f.r.ReadAt(p, off)
}

// What the volume cannot give, the snapshot cannot either.
func TestReadError(t *testing.T) {
	live, snaps := history(0x40)
	img := write(t, live, snaps)
	s, err := Open(failing{bytes.NewReader(img), block(5) + 100}, int64(len(img)))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Snapshots {
		r, err := n.ReaderAt()
		if err != nil {
			t.Fatal(err)
		}
		if k, err := r.ReadAt(make([]byte, blockSize), block(5)); !errors.Is(err, errSector) || k != 100 || binread.Offset(err) != block(5)+100 {
			t.Errorf("snapshot %d: %d, %v", n.Index, k, err)
		}
	}
	cut := img[:areaTo]
	s = nil
	if s, err = Open(bytes.NewReader(cut), int64(len(cut))); err != nil {
		t.Fatal(err)
	}
	n := s.Snapshots[2]
	if n.Size() != areaTo || len(n.Warnings) != 1 || !strings.Contains(n.Warnings[0].Error(), "the rest cannot be read") {
		t.Errorf("a volume that was cut off: size %d, warnings %v", n.Size(), n.Warnings)
	}
}

// poke reads every snapshot that opens and holds the errors against the rules.
func poke(t *testing.T, img []byte, whole bool) (opened, failed int) {
	s, err := Open(bytes.NewReader(img), int64(len(img)))
	if err != nil {
		if !errors.Is(err, ErrNone) && binread.Offset(err) < 0 {
			t.Fatalf("no offset: %v", err)
		}
		return 0, 1
	}
	check := func(err error) bool {
		if err == nil || err == io.EOF {
			return true
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) || binread.Offset(err) < 0 && !errors.Is(err, ErrElsewhere) {
			t.Fatalf("wrong kind of error: %v", err)
		}
		failed++
		return false
	}
	for i, n := range s.Snapshots {
		if n.Index != i+1 || n.Size() < 0 || n.Size() > int64(len(img)) {
			t.Fatalf("snapshot %d: %+v", i, n)
		}
		r, err := n.ReaderAt()
		if !check(err) {
			continue
		}
		opened++
		step, b := int64(blockSize), make([]byte, sectorSize)
		if whole {
			step, b = 5*blockSize, make([]byte, 5*blockSize)
		}
		for o := int64(0); o < n.Size(); o += step {
			k, err := r.ReadAt(b, o)
			if check(err); k < 0 || k > len(b) || (k < len(b)) != (err != nil) {
				t.Fatalf("%d of %d bytes, %v", k, len(b), err)
			}
		}
	}
	return opened, failed
}

var interesting = []uint64{0, 1, 2, 3, 0x200, blockSize, areaFrom, areaTo, 1 << 31, 1 << 62, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// mutate changes one field of the header or of a metadata block.
func mutate(img []byte, where, field uint32, value uint64) {
	offs := append(metadata(img, 0), headerOffset)
	off := offs[int(where)%len(offs)]
	size := int64(1024) // most of what is not zero
	if off == headerOffset {
		size = 104
	}
	binary.LittleEndian.PutUint64(img[off+int64(field)%size&^3:], value)
}

func TestMutants(t *testing.T) {
	live, snaps := history(0x440)
	clean := write(t, live, snaps)
	img := bytes.Clone(clean)
	r := rand.New(rand.NewPCG(11, 12))
	opened, failed := 0, 0
	for i := range 3000 {
		copy(img[areaFrom:areaTo], clean[areaFrom:areaTo])
		copy(img[headerOffset:headerOffset+512], clean[headerOffset:headerOffset+512])
		for range 1 + r.IntN(3) {
			v := r.Uint64() >> r.IntN(64)
			if r.IntN(2) == 0 {
				v = interesting[r.IntN(len(interesting))]
			}
			mutate(img, r.Uint32(), r.Uint32(), v)
		}
		start := time.Now()
		o, f := poke(t, img, i%8 == 0)
		opened, failed = opened+o, failed+f
		if d := time.Since(start); d > 5*time.Second {
			t.Fatalf("mutant %d took %v", i, d)
		}
	}
	if t.Logf("%d snapshots opened, %d errors", opened, failed); opened == 0 || failed == 0 {
		t.Error("the mutants test nothing")
	}
}

func FuzzMetadata(f *testing.F) {
	live, snaps := history(0x440)
	clean := write(f, live, snaps)
	f.Add(uint32(0), uint32(bodyOffset), uint64(0), uint32(0), uint32(0), uint64(0))
	f.Add(uint32(2), uint32(40), uint64(areaFrom), uint32(5), uint32(bodyOffset+24), uint64(3))
	f.Add(uint32(3), uint32(bodyOffset+16), uint64(1<<62), uint32(1), uint32(48), uint64(1<<63))
	img := bytes.Clone(clean)
	f.Fuzz(func(t *testing.T, where1, field1 uint32, value1 uint64, where2, field2 uint32, value2 uint64) {
		copy(img, clean)
		mutate(img, where1, field1, value1)
		mutate(img, where2, field2, value2)
		poke(t, img, true)
	})
}

// FuzzTable takes the descriptors of a store as they come.
func FuzzTable(f *testing.F) {
	live, snaps := history(0x440)
	clean := write(f, live, snaps)
	tables := metadata(clean, typeTable)
	for _, o := range tables {
		f.Add(bytes.TrimRight(clean[o+bodyOffset:o+blockSize], "\x00"))
	}
	img := bytes.Clone(clean)
	f.Fuzz(func(t *testing.T, body []byte) {
		copy(img, clean)
		for _, o := range tables {
			copy(img[o+bodyOffset:o+blockSize], body)
		}
		poke(t, img, true)
	})
}

// A snapshot is read at no more than twice the cost of the live volume.
func BenchmarkRead(b *testing.B) {
	live, snaps := history(0x440)
	img := write(b, live, snaps)
	readers := map[string]io.ReaderAt{"live": bytes.NewReader(img)}
	s := open(b, img)
	for _, n := range s.Snapshots {
		r, err := n.ReaderAt()
		if err != nil {
			b.Fatal(err)
		}
		readers[fmt.Sprint("snapshot", n.Index)] = r
	}
	for _, size := range []int{4096, 1 << 20} {
		for _, name := range []string{"live", "snapshot1", "snapshot2", "snapshot3"} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				buf := make([]byte, size)
				b.SetBytes(int64(size))
				for off := int64(0); b.Loop(); off = (off + int64(size)) % int64(len(img)-size) {
					if _, err := readers[name].ReadAt(buf, off); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
