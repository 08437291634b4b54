package ntfs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/xpress"
)

// small is a volume that is made quickly.
func small(t testing.TB) []byte {
	v := ntfstest.Volume{Size: 2 << 20, Cluster: 512, Files: []ntfstest.File{
		{Path: "file", Data: pattern(1, 9000), Fragments: 5},
		{Path: "list", Data: pattern(2, 100_000), Fragments: 200},
		{Path: "packed", Data: mixed[40_000:60_000], Compressed: true},
		{Path: "streams", Data: []byte("a"), Streams: []ntfstest.Stream{{Name: "s", Data: []byte("b")}}},
		{Path: "gone", Data: pattern(3, 9000), Fragments: 5, Deleted: true},
		{Path: "many/gone list", Data: pattern(2, 100_000), Fragments: 190, Deleted: true},
		{Path: "many/gone/small", Data: []byte("c"), Deleted: true},
		{Path: "link", Reparse: wofReparse(2, 1), Streams: []ntfstest.Stream{{Name: "WofCompressedData", Data: []byte("b")}}},
	}}
	v.MFTRuns = 90
	for i := range 40 {
		v.Files = append(v.Files, ntfstest.File{Path: fmt.Sprintf("many/name %d", i), Short: fmt.Sprintf("NAME~%d", i)})
	}
	return mustBuild(t, v)
}

func FuzzBoot(f *testing.F) {
	b := small(f)
	f.Add(b[:512])
	f.Add(b[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := parseBoot(b, 0); err == nil && (g.cluster > maxCluster || g.record > maxRecord || g.clusters <= 0 || g.mft >= g.clusters) {
			t.Errorf("%v accepted", g)
		}
	})
}

// fuzzFS is a volume for parsers that need one.
func fuzzFS() *FS {
	b := make([]byte, 1<<16)
	return &FS{r: bytes.NewReader(b), size: int64(len(b)), geo: geometry{sector: 512, cluster: 512, record: 1024, clusters: 128, sectors: 128, mft: 1}, told: map[string]bool{}, dirs: map[uint64]*directory{}}
}

func FuzzRecord(f *testing.F) {
	b := small(f)
	v := mustOpen(f, b)
	for _, p := range []string{"$MFT", "file", "many", "list", "packed", "streams", "link"} {
		fi, err := v.Stat(p)
		if err != nil {
			f.Fatal(err)
		}
		off := v.mft.volumeOffset(int64(fi.Sys().(*Info).Record) * v.geo.record)
		f.Add(b[off:off+1024], uint64(fi.Sys().(*Info).Record))
	}
	f.Fuzz(func(t *testing.T, b []byte, num uint64) {
		if len(b) < 1024 {
			return
		}
		r, err := parseRecord(bytes.Clone(b[:1024]), num, 0)
		if err != nil {
			return
		}
		in := fuzzFS().inodeOf(r)
		in.info(nil)
		for _, n := range append(in.info(nil).Streams, "") {
			c, err := in.content(n)
			if err != nil {
				continue
			}
			p := make([]byte, 4096)
			if n, err := c.ReadAt(p, 0); n < len(p) && err == nil {
				t.Errorf("%d bytes of %d without an error", n, len(p))
			}
		}
		x := &indexReader{f: in.f, in: in}
		x.read()
	})
}

func FuzzIndex(f *testing.F) {
	b := small(f)
	for i := range 2 {
		p := bytes.Index(b, []byte("INDX"))
		f.Add(b[p:p+4096], uint16(i))
		b = b[p+4096:]
	}
	f.Fuzz(func(t *testing.T, b []byte, num uint16) {
		x := &indexReader{f: fuzzFS(), in: &inode{record: &record{num: uint64(num)}}}
		if len(b) >= 512 {
			b = bytes.Clone(b[:len(b)/512*512])
			if fixup(b, "INDX", "index block", 0) == nil {
				b = b[24:]
			}
		}
		if len(b) >= 16 {
			x.node(b, 0, "node")
		}
		d := x.f.newDirectory(x)
		for _, e := range d.list {
			if got, ok := x.f.find(d, e.name); !ok || got.num != e.num || !fs.ValidPath(e.name) {
				t.Errorf("%q is not found, or not valid", e.name)
			}
		}
	})
}

func FuzzRuns(f *testing.F) {
	f.Add([]byte{0x11, 5, 90, 0x01, 3, 0x11, 2, 0xb0, 0}, int64(0))
	f.Add([]byte{0x81, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}, int64(9))
	f.Fuzz(func(t *testing.T, b []byte, start int64) {
		if start < 0 || start > maxClusters {
			return
		}
		const total = 1 << 20
		vcn := start
		runs, _ := appendRuns(nil, b, start, total, 0)
		for _, r := range runs {
			if r.vcn != vcn || r.n <= 0 || r.lcn < -1 || r.lcn+r.n > total && r.lcn >= 0 {
				t.Fatalf("run %v at %d", r, vcn)
			}
			vcn += r.n
		}
	})
}

func FuzzLZNT1(f *testing.F) {
	f.Add(ntfstest.LZNT1(mixed[40_000:60_000]), uint16(20_000))
	f.Add(ntfstest.LZNT1([]byte("aaaaaaaaab")), uint16(10))
	f.Fuzz(func(t *testing.T, in []byte, size uint16) {
		_, _, err := lznt1(make([]byte, size), in)
		if err != nil && !errors.Is(err, errLZNT1) {
			t.Error(err)
		}
		out := make([]byte, len(in))
		if _, _, err := lznt1(out, ntfstest.LZNT1(in)); err != nil || !bytes.Equal(out, in) {
			t.Errorf("round trip: %v", err)
		}
	})
}

func FuzzXpress(f *testing.F) {
	f.Add(packXpress(mixed[44_800:45_300]), uint16(500))
	f.Fuzz(func(t *testing.T, in []byte, size uint16) {
		if err := unpackXpress(make([]byte, size), in); err != nil && !errors.Is(err, xpress.ErrDamaged) {
			t.Error(err)
		}
		if in = in[:min(len(in), 1024)]; len(in) > 0 {
			out := make([]byte, len(in))
			if err := unpackXpress(out, packXpress(in)); err != nil || !bytes.Equal(out, in) {
				t.Errorf("round trip: %v", err)
			}
		}
	})
}

func FuzzLZX(f *testing.F) {
	f.Add([]byte{0x00, 0x60, 0x00, 0x50, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 'h', 'e', 'l', 'l', 'o', 0}, uint16(5))
	f.Add([]byte{0x00, 0x30, 0x11, 0x11, 0x11, 0x11}, uint16(300))
	f.Fuzz(func(t *testing.T, in []byte, size uint16) {
		if err := lzx(make([]byte, size&0x7fff), in); err != nil && !errors.Is(err, errLZX) {
			t.Error(err)
		}
	})
}

// TestMutants reads damaged volumes whole: each must end soon, with what can be
// read or with errors.
func TestMutants(t *testing.T) {
	good := small(t)
	f := mustOpen(t, good)
	var places [][2]int64 // metadata: boot sector, MFT, index blocks
	places = append(places, [2]int64{0, 90}, [2]int64{f.geo.mft * f.geo.cluster, 1024})
	for _, r := range f.mft.runs {
		places = append(places, [2]int64{r.lcn * f.geo.cluster, r.n * f.geo.cluster})
	}
	for p := 0; ; p += 4096 {
		i := bytes.Index(good[p:], []byte("INDX"))
		if i < 0 {
			break
		}
		p += i
		places = append(places, [2]int64{int64(p), 4096})
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	n := 2000
	if testing.Short() {
		n = 200
	}
	b := bytes.Clone(good)
	worst := time.Duration(0)
	for range n {
		type change struct {
			off int64
			old byte
		}
		var changes []change
		for range 1 + rnd.IntN(4) {
			p := places[rnd.IntN(len(places))]
			off := p[0] + rnd.Int64N(p[1])
			changes = append(changes, change{off, b[off]})
			b[off] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(rnd.IntN(256)), b[off] + 1, b[off] ^ 1<<rnd.IntN(8)}[rnd.IntN(8)]
		}
		start := time.Now()
		readAll(t, b)
		worst = max(worst, time.Since(start))
		for i := len(changes) - 1; i >= 0; i-- {
			b[changes[i].off] = changes[i].old
		}
	}
	t.Logf("%d mutants, the slowest took %v", n, worst)
	if worst > 10*time.Second {
		t.Errorf("a mutant took %v", worst)
	}
}

// readAll reads up to 8 MiB of every file, live or deleted.
func readAll(t *testing.T, b []byte) {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	n := 0
	err = fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		if n++; n > 100_000 {
			t.Fatal("endless tree")
		}
		if err != nil || d.IsDir() {
			return nil
		}
		if h, err := f.Open(p); err == nil {
			io.CopyN(io.Discard, h, 8<<20)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for e, err := range f.Deleted() {
		if err != nil {
			continue
		}
		if h, err := e.Open(); err == nil {
			io.CopyN(io.Discard, h, 8<<20)
		}
	}
	u := f.Unallocated()
	io.CopyN(io.Discard, io.NewSectionReader(u, 0, u.Size()), 1<<20)
	found := int64(0)
	for start, end := u.Next(0); start >= 0; start, end = u.Next(end) {
		if found += end - start; start < 0 || end <= start || end > u.Size() {
			t.Fatalf("free from %d to %d of %d", start, end, u.Size())
		}
	}
	if found > u.Free() {
		t.Errorf("%d bytes in free clusters, want %d", found, u.Free())
	}
}
