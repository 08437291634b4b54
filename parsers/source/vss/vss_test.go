package vss

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/vss/vsstest"
)

var (
	t1 = time.Date(2021, 3, 4, 5, 6, 7, 123456700, time.UTC)
	t2 = time.Date(2021, 3, 5, 5, 6, 7, 765432100, time.UTC)
	t3 = time.Date(2021, 3, 3, 0, 0, 0, 0, time.UTC) // a clock that was set back
)

const (
	volumeBlocks = 120
	areaFrom     = 60 * blockSize
	areaTo       = 115 * blockSize
)

func block(n int64) int64 { return n * blockSize }

// image returns a volume of noise with an empty store area, and the boot sector
// that other readers want to see.
func image() []byte {
	img := make([]byte, block(volumeBlocks)+3*sectorSize) // the last block is not whole
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img {
		img[i] = byte(r.Uint32())
	}
	clear(img[areaFrom:areaTo])
	clear(img[:0x2000])
	copy(img, "\xeb\x52\x90NTFS    \x00\x02\x08")
	le.PutUint64(img[40:], uint64(len(img)/sectorSize-1))
	img[510], img[511] = 0x55, 0xaa
	return img
}

// edit returns a copy of img in which the given sectors are others.
func edit(img []byte, seed uint64, secs ...int64) []byte {
	img = bytes.Clone(img)
	r := rand.New(rand.NewPCG(seed, 0))
	for _, s := range secs {
		for i := range sectorSize {
			img[s*sectorSize+int64(i)] = byte(r.Uint32())
		}
	}
	return img
}

func sector(block, n int64) int64 { return block*blockSize/sectorSize + n }

// move returns a copy of img in which a block has gone elsewhere.
func move(img []byte, from, to int64) []byte {
	img = bytes.Clone(img)
	copy(img[block(to):block(to+1)], img[block(from):block(from+1)])
	return edit(img, uint64(from), sector(from, 0), sector(from, 7))
}

// history is the life of a volume in three snapshots and the live state.
func history(flags uint64) (live []byte, snaps []vsstest.Snapshot) {
	a := image()
	b := move(edit(a, 7, sector(3, 4), sector(3, 5), sector(9, 31), sector(50, 0)), 20, 21)
	c := edit(b, 8, sector(3, 4), sector(0, 3), sector(11, 0), sector(12, 1), sector(13, 30))
	live = move(edit(c, 9, sector(9, 30), sector(11, 1), sector(40, 2)), 30, 31)
	live = edit(live, 10, sector(31, 2), sector(45, 1), sector(46, 9)) // what was moved to block 31 is overwritten
	return live, []vsstest.Snapshot{
		{Image: a, Created: t1, Machine: "ALPHA", Flags: flags, Moved: map[int64]int64{block(20): block(21)}, Free: []int64{block(46)}},
		{Image: b, Created: t3, Machine: "ALPHA", Flags: flags | FlagDeleted, Free: []int64{block(46)}},
		{Image: c, Created: t2, Machine: "BÊTA", Flags: flags, Moved: map[int64]int64{block(30): block(31)},
			Overlay: func(off int64) bool { return off == block(11) || off == block(9) }, Free: []int64{block(45), block(46)}},
	}
}

func write(t testing.TB, live []byte, snaps []vsstest.Snapshot) []byte {
	t.Helper()
	img, err := vsstest.Write(live, snaps, areaFrom, areaTo)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func open(t testing.TB, img []byte, others ...Storage) *Set {
	t.Helper()
	s, err := Open(bytes.NewReader(img), int64(len(img)), others...)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Warnings {
		t.Errorf("warning: %v", err)
	}
	return s
}

func read(t testing.TB, s *Snapshot) []byte {
	t.Helper()
	r, err := s.ReaderAt()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(io.NewSectionReader(r, 0, s.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// free are the blocks of each snapshot that were free when it was made.
var free = [][]int64{{block(21), block(46)}, {block(46)}, {block(31), block(45), block(46)}}

// differ returns the first few sectors in which two volumes differ, leaving out
// the shadow copies' own places.
func differ(got, want []byte, skip ...int64) (out []string) {
	if len(got) != len(want) {
		return []string{fmt.Sprintf("%d bytes, want %d", len(got), len(want))}
	}
	for o := int64(0); o < int64(len(want)); o += sectorSize {
		in := o == headerOffset || o >= areaFrom && o < areaTo || slices.Contains(skip, o&^(blockSize-1))
		if !in && !bytes.Equal(got[o:o+sectorSize], want[o:o+sectorSize]) && len(out) < 8 {
			out = append(out, fmt.Sprintf("block %d sector %d", o/blockSize, o%blockSize/sectorSize))
		}
	}
	return out
}

func TestSnapshots(t *testing.T) {
	for _, flags := range []uint64{0x40, 0x440} {
		t.Run(fmt.Sprintf("%#x", flags), func(t *testing.T) {
			live, snaps := history(flags)
			s := open(t, write(t, live, snaps))
			if len(s.Snapshots) != 3 || s.EmptyCatalog || len(s.Orphans) != 0 || s.VolumeID != s.StorageID || s.VolumeID == "" {
				t.Fatalf("%+v", s)
			}
			for i, n := range s.Snapshots {
				if d := differ(read(t, n), snaps[i].Image, free[i]...); len(d) > 0 {
					t.Errorf("snapshot %d differs: %q", i+1, d)
				}
				if n.Index != i+1 || !n.Created.Equal(snaps[i].Created) || n.OriginMachine != snaps[i].Machine ||
					n.ServiceMachine != snaps[i].Machine || n.Deleted != (i == 1) || n.MayBeScoped() != (flags&0x400 != 0) {
					t.Errorf("snapshot %d: %+v", i+1, n)
				}
				if w := fmt.Sprint(n.Warnings); i == 1 && !strings.Contains(w, "before that of snapshot 1") || i != 1 && w != "[]" {
					t.Errorf("snapshot %d: warnings %v", i+1, w)
				}
			}
			if got, want := s.Snapshots[0].ID, "83828180-8584-8786-8889-8a8b8c8d8e8f"; got != want {
				t.Errorf("id %s, want %s", got, want)
			}
		})
	}
}

// A block that was free in the snapshot shows what Windows shows: zeros since
// Windows 8, else the live block.
func TestUnused(t *testing.T) {
	for flags, zero := range map[uint64]bool{0x40: false, 0x440: true} {
		live, snaps := history(flags)
		s := open(t, write(t, live, snaps))
		for i, blocks := range free { // block 46 falls through to the newest
			got := read(t, s.Snapshots[i])
			for _, off := range blocks {
				want := live[off : off+blockSize]
				if zero {
					want = make([]byte, blockSize)
				}
				if i == 0 && off == block(21) {
					continue // a newer snapshot has it
				}
				if !bytes.Equal(got[off:off+blockSize], want) {
					t.Errorf("flags %#x: snapshot %d: block %d: zero is not %v", flags, i+1, off/blockSize, zero)
				}
			}
		}
	}
}

func TestOffsets(t *testing.T) {
	live, snaps := history(0x440)
	s := open(t, write(t, live, snaps))
	for _, n := range s.Snapshots {
		want := read(t, n)
		r, _ := n.ReaderAt()
		rnd := rand.New(rand.NewPCG(3, 4))
		for range 2000 {
			off := rnd.Int64N(int64(len(want)))
			b := make([]byte, rnd.IntN(3*blockSize))
			k, err := r.ReadAt(b, off)
			w := want[off:min(off+int64(len(b)), int64(len(want)))]
			if !bytes.Equal(b[:k], w) || (err == io.EOF) != (len(w) < len(b)) || err != nil && err != io.EOF {
				t.Fatalf("%d bytes at %#x: %d, %v", len(b), off, k, err)
			}
		}
		if k, err := r.ReadAt(make([]byte, 1), int64(len(want))); k != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", k, err)
		}
		if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
			t.Error("a negative offset was read")
		}
	}
}

func TestConcurrent(t *testing.T) {
	live, snaps := history(0x440)
	img := write(t, live, snaps)
	want := open(t, img)
	var sums [3][]byte
	for i, n := range want.Snapshots {
		sums[i] = read(t, n)
	}
	s := open(t, img)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			n := s.Snapshots[k%3]
			r, err := n.ReaderAt()
			if err != nil {
				t.Error(err)
				return
			}
			got, err := io.ReadAll(io.NewSectionReader(r, 0, n.Size()))
			if err != nil || !bytes.Equal(got, sums[k%3]) {
				t.Errorf("snapshot %d: other bytes, or %v", n.Index, err)
			}
		})
	}
	wg.Wait()
}

func TestNone(t *testing.T) {
	img := image()
	if _, err := Open(bytes.NewReader(img), int64(len(img))); !errors.Is(err, ErrNone) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no header: %v", err)
	}
	if _, err := Open(bytes.NewReader(img[:7000]), 7000); !errors.Is(err, binread.ErrTruncated) || errors.Is(err, ErrNone) {
		t.Errorf("a volume that ends before the header is not one without: %v", err)
	}
	img = write(t, img, nil)
	if s := open(t, img); !s.EmptyCatalog || len(s.Snapshots) != 0 || s.CatalogOffset != 0 {
		t.Errorf("no catalog: %+v", s)
	}
	img[headerOffset+20] = 2
	if _, err := Open(bytes.NewReader(img), int64(len(img))); errors.Is(err, fs.ErrNotExist) || binread.Offset(err) != headerOffset+20 {
		t.Errorf("damaged header: %v", err)
	}
}

// Entries that are all freed are an empty catalog, too, and say that there was something.
func TestFreedCatalog(t *testing.T) {
	live, snaps := history(0x40)
	img := write(t, live, snaps)
	for o := int64(areaFrom + bodyOffset); img[o] != 0; o += entrySize {
		clear(img[o : o+entrySize])
		img[o] = 1
	}
	if s := open(t, img); !s.EmptyCatalog || s.Freed != 6 || s.CatalogOffset != areaFrom {
		t.Errorf("%+v", s)
	}
}

func TestElsewhere(t *testing.T) {
	live, snaps := history(0x40)
	img, st, err := vsstest.WriteTo(live, make([]byte, block(100)), snaps, areaFrom, block(2), block(90))
	if err != nil {
		t.Fatal(err)
	}
	storage := Storage{bytes.NewReader(st), int64(len(st))}
	plain := Storage{bytes.NewReader(image()), int64(len(live))}
	s := open(t, img, plain, storage)
	if s.VolumeID == s.StorageID {
		t.Error("the volume keeps its own stores")
	}
	for i, n := range s.Snapshots {
		if d := differ(read(t, n), snaps[i].Image, free[i]...); len(d) > 0 {
			t.Errorf("snapshot %d differs: %q", i+1, d)
		}
		if n.OriginMachine == "" || n.FileRef != 0 || n.Allocated == 0 {
			t.Errorf("snapshot %d: %+v", i+1, n)
		}
	}
	o := open(t, st)
	if len(o.Snapshots) != 0 || len(o.Orphans) != 3 || o.EmptyCatalog || o.Orphans[0].OriginMachine != "ALPHA" || o.Orphans[0].Err != nil {
		t.Errorf("the storage: %+v", o)
	}
	s = open(t, img, plain)
	for _, n := range s.Snapshots {
		if _, err := n.ReaderAt(); !errors.Is(err, ErrElsewhere) || errors.Is(err, fs.ErrNotExist) || len(n.Warnings) == 0 {
			t.Errorf("snapshot %d without its storage: %v, %v", n.Index, err, n.Warnings)
		}
	}
	empty := bytes.Clone(st)
	clear(empty[block(2)+bodyOffset:][:3*entrySize])
	s = open(t, img, Storage{bytes.NewReader(empty), int64(len(st))})
	if _, err := s.Snapshots[0].ReaderAt(); err == nil || errors.Is(err, ErrElsewhere) || !strings.Contains(err.Error(), "belongs here") {
		t.Errorf("the storage has lost the stores: %v", err)
	}
	damaged := bytes.Clone(st) // the table of the newest
	clear(damaged[le.Uint64(st[block(2)+bodyOffset+8:]):][:16])
	s = open(t, img, plain, Storage{bytes.NewReader(damaged), int64(len(st))})
	if _, err := s.Snapshots[0].ReaderAt(); err == nil || !strings.Contains(err.Error(), "on storage volume 2") {
		t.Errorf("damage on the storage: %v", err)
	}
	if s = open(t, img, storage, storage); len(s.Snapshots[0].Warnings) != 1 || !strings.Contains(s.Snapshots[0].Warnings[0].Error(), "two of the volumes") {
		t.Errorf("two storages: %v", s.Snapshots[0].Warnings)
	}
}

func TestWriterRefuses(t *testing.T) {
	live, snaps := history(0x40)
	used := bytes.Clone(live)
	used[areaTo-1] = 1
	short := slices.Clone(snaps)
	short[1].Image = live[:100]
	stale := slices.Clone(snaps)
	stale[0].Image = used
	for name, err := range map[string]error{
		"area used live":       second(vsstest.Write(used, snaps, areaFrom, areaTo)),
		"area used in image":   second(vsstest.Write(live, stale, areaFrom, areaTo)),
		"other size":           second(vsstest.Write(live, short, areaFrom, areaTo)),
		"area full":            second(vsstest.Write(live, snaps, areaFrom, areaFrom+4*blockSize)),
		"area not aligned":     second(vsstest.Write(live, snaps, areaFrom+512, areaTo)),
		"area beyond the size": second(vsstest.Write(live, snaps, areaFrom, int64(len(live))+1)),
	} {
		if err == nil {
			t.Errorf("%s: written", name)
		}
	}
}

func second(_ []byte, err error) error { return err }
