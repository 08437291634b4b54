package ntfs

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

// pattern returns n bytes that compress a little and differ by seed.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		if i%7 == 0 {
			x = x*1664525 + 1013904223
		}
		b[i] = byte(x >> 24)
	}
	return b
}

func mustBuild(t testing.TB, v ntfstest.Volume) []byte {
	t.Helper()
	b, err := v.Build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustOpen(t testing.TB, b []byte) *FS {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

var at = time.Date(2026, 2, 3, 4, 5, 6, 789012300, time.UTC)

// sample is a volume with one file of every kind.
func sample() ntfstest.Volume {
	v := ntfstest.Volume{Label: "Evidence", Serial: 0x1122334455667788, Created: at, Files: []ntfstest.File{
		{Path: "Users/alice/NTUSER.DAT", Data: pattern(1, 300_000), Fragments: 7, Created: at.Add(time.Hour), Modified: at.Add(2 * time.Hour), Changed: at.Add(3 * time.Hour), Accessed: at.Add(4 * time.Hour), Attributes: 0x22},
		{Path: "Users/alice/small.txt", Data: []byte("resident"), Streams: []ntfstest.Stream{{Name: "Zone.Identifier", Data: []byte("[ZoneTransfer]\r\n")}, {Name: "big", Data: pattern(2, 70_000)}}},
		{Path: "Users/Zoë/ünïcode 𝒳.txt", Data: []byte("names")},
		{Path: "Program Files/a.txt", Data: []byte("a")},
		{Path: "Program Files", Dir: true, Short: "PROGRA~1"},
		{Path: "case.txt", Data: []byte("lower")},
		{Path: "CASE.TXT", Data: []byte("upper")},
		{Path: "empty", Data: nil},
		{Path: "sparse.bin", Data: slices.Concat(make([]byte, 40_000), pattern(3, 5_000), make([]byte, 100_000), []byte{1}), Sparse: true},
		{Path: "packed.bin", Data: slices.Concat(bytes.Repeat([]byte("abcdefgh"), 30_000), make([]byte, 200_000), pattern(4, 100_001)), Compressed: true},
		{Path: "valid.bin", Data: bytes.Repeat([]byte{7}, 20_000), Valid: 10_000},
		{Path: "list.bin", Data: pattern(5, 3_000_000), Fragments: 700},
		{Path: "$Extend/$UsnJrnl", Data: nil, Streams: []ntfstest.Stream{{Name: "$J", Data: pattern(6, 50_000)}, {Name: "$Max", Data: make([]byte, 32)}}},
		{Path: "gone.evtx", Data: pattern(7, 69_632), Fragments: 3, Deleted: true, Created: at},
		{Path: "Users/alice/gone small.txt", Data: []byte("still here"), Deleted: true},
		{Path: "old/deep", Dir: true, Deleted: true},
		{Path: "old/deep/lost.dat", Data: pattern(8, 9_000), Deleted: true},
		{Path: "reused.dat", Data: pattern(9, 9_000), Deleted: true, Reused: true},
		{Path: "gone list.bin", Data: pattern(10, 2_000_000), Fragments: 450, Deleted: true},
	}}
	for i := range 700 {
		v.Files = append(v.Files, ntfstest.File{Path: fmt.Sprintf("many/file %03d with a longer name.log", i), Data: fmt.Append(nil, i)})
	}
	return v
}

func TestVolume(t *testing.T) {
	for _, c := range []struct{ sector, cluster, record int }{{512, 512, 1024}, {512, 4096, 1024}, {4096, 4096, 4096}, {512, 65536, 1024}, {512, 2 << 20, 4096}} {
		t.Run(fmt.Sprintf("%d-%d-%d", c.sector, c.cluster, c.record), func(t *testing.T) {
			v := sample()
			v.Sector, v.Cluster, v.Record = c.sector, c.cluster, c.record
			if c.cluster > 4096 { // Windows does not compress there; and keep the image small
				v.Files = slices.DeleteFunc(v.Files, func(f ntfstest.File) bool { return f.Compressed || f.Fragments > 100 })
			}
			b := mustBuild(t, v)
			f := mustOpen(t, b)
			if f.Label() != "Evidence" || f.Serial() != 0x1122334455667788 || f.ClusterSize() != int64(c.cluster) || !f.Created().Equal(at) {
				t.Errorf("label %q, serial %#x, cluster %d, created %v", f.Label(), f.Serial(), f.ClusterSize(), f.Created())
			}
			for _, w := range v.Files {
				if !w.Deleted && !w.Dir {
					checkFile(t, f, w)
				}
			}
			if p := f.Problems(); len(p) > 0 {
				t.Errorf("problems: %v", p)
			}
			names, err := fs.ReadDir(f, "many")
			if err != nil || len(names) != 700 {
				t.Errorf("many: %d entries, %v", len(names), err)
			}
		})
	}
}

func checkFile(t *testing.T, f *FS, w ntfstest.File) {
	t.Helper()
	want := slices.Clone(w.Data)
	if w.Valid > 0 {
		clear(want[w.Valid:])
	}
	got, err := fs.ReadFile(f, w.Path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes %x, %v; want %d", w.Path, len(got), sha256.Sum256(got), err, len(want))
	}
	for _, s := range w.Streams {
		for _, name := range []string{s.Name, strings.ToUpper(s.Name), s.Name + ":$DATA"} {
			got, err := fs.ReadFile(f, w.Path+":"+name)
			if err != nil || !bytes.Equal(got, s.Data) {
				t.Errorf("%s:%s: %d bytes, %v; want %d", w.Path, name, len(got), err, len(s.Data))
			}
		}
	}
}

func TestFSRules(t *testing.T) {
	v := sample()
	v.Files = v.Files[:len(v.Files)-680]
	f := mustOpen(t, mustBuild(t, v))
	if err := fstest.TestFS(f, "Users/alice/NTUSER.DAT", "many/file 003 with a longer name.log", "$MFT", "$Extend/$UsnJrnl"); err != nil {
		t.Error(err)
	}
}

func TestLookup(t *testing.T) {
	f := mustOpen(t, mustBuild(t, sample()))
	for _, c := range []struct{ path, want string }{
		{"case.txt", "lower"}, {"CASE.TXT", "upper"}, {"Case.txt", "upper"}, {"USERS/ALICE/SMALL.TXT", "resident"},
		{"users/ZOË/ÜNÏCODE 𝒳.TXT", "names"}, {"progra~1/A.TXT", "a"}, {"Users/alice/small.txt:zone.identifier", "[ZoneTransfer]\r\n"},
		{"users/alice/small.txt::$data", "resident"}, {"empty", ""}, {"$secure", ""}, {"$BADCLUS", ""},
	} {
		b, err := fs.ReadFile(f, c.path)
		if err != nil || string(b) != c.want {
			t.Errorf("%s: %q, %v; want %q", c.path, b, err, c.want)
		}
	}
	for _, p := range []string{"none", "Users/none", "case.txt/x", "case.txt:none", "Users:none", "gone.evtx", "none/x"} {
		if _, err := f.Open(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v, want one that wraps fs.ErrNotExist", p, err)
		}
		if _, err := f.Stat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stat %s: %v, want one that wraps fs.ErrNotExist", p, err)
		}
	}
	for _, p := range []string{"", "/", "../x", "a//b", "Users/"} {
		if _, err := f.Open(p); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%q: %v, want one that wraps fs.ErrInvalid", p, err)
		}
	}
	if _, err := f.ReadDir("case.txt"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadDir of a file: %v", err)
	}
}

func TestInfo(t *testing.T) {
	b := mustBuild(t, sample())
	f := mustOpen(t, b)
	fi, err := f.Stat("Users/alice/NTUSER.DAT")
	if err != nil {
		t.Fatal(err)
	}
	in := fi.Sys().(*Info)
	want := Times{at.Add(time.Hour), at.Add(2 * time.Hour), at.Add(3 * time.Hour), at.Add(4 * time.Hour)}
	if in.SI != want || in.FN != want || !fi.ModTime().Equal(want.Modified) || fi.Size() != 300_000 || in.Attributes != 0x22 || in.Sequence != 1 || in.Record < 24 || in.Deleted || in.Resident {
		t.Errorf("%+v of %d bytes", in, fi.Size())
	}
	fi, err = f.Stat("Users/alice/small.txt")
	if err != nil {
		t.Fatal(err)
	}
	if in := fi.Sys().(*Info); !in.Resident || !slices.Equal(in.Streams, []string{"Zone.Identifier", "big"}) {
		t.Errorf("%+v", in)
	}
	for _, p := range []string{"Users/alice/NTUSER.DAT", "Users/alice/small.txt"} {
		h, err := f.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		off := h.(*File).VolumeOffset(3)
		c := make([]byte, 4)
		if _, err := h.(*File).ReadAt(c, 3); err != nil || off < 0 || !bytes.Equal(b[off:off+4], c) {
			t.Errorf("%s: byte 3 at %#x of the volume, %v", p, off, err)
		}
	}
}

func TestDeleted(t *testing.T) {
	v := sample()
	v.MFTRuns = 700 // with an attribute list of $MFT itself
	f := mustOpen(t, mustBuild(t, v))
	got := map[string]*Entry{}
	for e, err := range f.Deleted() {
		if err != nil {
			t.Fatal(err)
		}
		got[e.Path] = e
	}
	n := 0
	for _, w := range v.Files {
		if !w.Deleted {
			continue
		}
		n++
		e := got[w.Path]
		if e == nil {
			t.Errorf("%s: not found", w.Path)
			continue
		}
		if !e.Rooted || !e.Info.Deleted || e.Dir != w.Dir || e.Size != int64(len(w.Data)) || e.Whole == w.Reused {
			t.Errorf("%s: %+v", w.Path, e)
		}
		h, err := e.Open()
		if w.Reused || w.Dir {
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: opened, %v", w.Path, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", w.Path, err)
			continue
		}
		if b, err := io.ReadAll(h); err != nil || !bytes.Equal(b, w.Data) {
			t.Errorf("%s: %d bytes, %v; want %d", w.Path, len(b), err, len(w.Data))
		}
	}
	if len(got) != n {
		t.Errorf("%d entries, want %d", len(got), n)
	}
}

// free returns the free clusters of f, one behind the other.
func free(t testing.TB, u *Unallocated) (all []byte) {
	t.Helper()
	for start, end := u.Next(0); start >= 0; start, end = u.Next(end) {
		b := make([]byte, end-start)
		if n, err := u.ReadAt(b, start); n != len(b) || err != nil && err != io.EOF {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		all = append(all, b...)
	}
	return all
}

func TestUnallocated(t *testing.T) {
	v := sample()
	b := mustBuild(t, v)
	f := mustOpen(t, b)
	u := f.Unallocated()
	all := free(t, u)
	gone := pattern(7, 69_632)
	if !bytes.Contains(all, gone[:4096]) {
		t.Fatal("a deleted file's cluster is not among the free ones")
	}
	if bytes.Contains(all, pattern(9, 9_000)[:4096]) || bytes.Contains(all, pattern(1, 300_000)[:4096]) {
		t.Error("clusters in use are among the free ones")
	}
	// Offsets are those of the volume, and what is in use reads as zeros.
	whole := make([]byte, u.Size())
	if n, err := u.ReadAt(whole, 0); n != len(whole) || err != nil {
		t.Fatalf("%d of %d bytes, %v", n, len(whole), err)
	}
	for i, c := range whole {
		if c != 0 && c != b[i] {
			t.Fatalf("byte %d is %#x, and %#x in the volume", i, c, b[i])
		}
	}
	if i := bytes.Index(whole, gone[:4096]); i < 0 || !bytes.Equal(b[i:i+4096], gone[:4096]) {
		t.Errorf("a deleted file's cluster is said to be at %#x", i)
	}
	part := make([]byte, 100_001)
	for off := int64(0); off < u.Size(); off += 77_777 {
		n, err := u.ReadAt(part, off)
		if want := min(int64(len(part)), u.Size()-off); int64(n) != want || (err == io.EOF) != (n < len(part)) || !bytes.Equal(part[:n], whole[off:off+want]) {
			t.Errorf("at %d: %d bytes, %v", off, n, err)
		}
	}
	if start, _ := u.Next(u.Size()); start != -1 {
		t.Errorf("behind the end, the next free cluster is at %d", start)
	}
	bitmap, err := fs.ReadFile(f, "$Bitmap")
	if err != nil {
		t.Fatal(err)
	}
	var want []byte
	for i := range f.geo.clusters {
		if bitmap[i/8]&(1<<(i%8)) == 0 {
			want = append(want, b[i*f.geo.cluster:(i+1)*f.geo.cluster]...)
		}
	}
	if !bytes.Equal(all, want) || u.Free() != int64(len(want)) {
		t.Errorf("%d bytes are free, said to be %d, want %d", len(all), u.Free(), len(want))
	}
}

// TestSlack: what the clusters of a file hold behind its end, or where it was not
// written yet, and nothing of the file itself.
func TestSlack(t *testing.T) {
	data := pattern(3, 20_000)
	b := mustBuild(t, ntfstest.Volume{Cluster: 4096, Files: []ntfstest.File{
		{Path: "part", Data: data, Valid: 9_000, Fragments: 2}, {Path: "whole", Data: data[:8192]}, {Path: "small", Data: data[:5000]},
		{Path: "resident", Data: data[:10]}, {Path: "packed", Data: make([]byte, 70_000), Compressed: true}}})
	f := mustOpen(t, b)
	slack := func(name string) *Slack {
		h, err := f.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		return h.(*File).Slack()
	}
	for _, name := range []string{"whole", "resident", "packed"} {
		if k := slack(name); k != nil {
			t.Errorf("%s has slack: %+v", name, k)
		}
	}
	k := slack("part")
	all := make([]byte, 30_000)
	n, err := k.ReadAt(all, 0)
	if n != 20_480 || err != io.EOF || k.Size() != 20_480 || !bytes.Equal(all[9_000:20_000], data[9_000:]) || !bytes.Equal(all[:9_000], make([]byte, 9_000)) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if start, end := k.Next(0); start != 9_000 || end != 20_480 {
		t.Errorf("from %d to %d", start, end)
	}
	if start, end := k.Next(10_000); start != 10_000 || end != 20_480 {
		t.Errorf("from %d to %d", start, end)
	}
	if start, _ := k.Next(20_480); start != -1 {
		t.Errorf("from %d", start)
	}
	part := make([]byte, 100)
	if n, err := k.ReadAt(part, 8_950); n != 100 || err != nil || !bytes.Equal(part, all[8_950:9_050]) {
		t.Errorf("across the begin: %d, %v", n, err)
	}
	if start, end := slack("small").Next(0); start != 5000 || end != 8192 {
		t.Errorf("small: from %d to %d", start, end)
	}
}

// TestLostParent has the record of a directory used again: what was in it has no
// path to the root any more.
func TestLostParent(t *testing.T) {
	b := mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{
		{Path: "old", Dir: true, Deleted: true}, {Path: "old/sub", Dir: true, Deleted: true}, {Path: "old/sub/NTUSER.DAT", Data: []byte("regf"), Deleted: true}}})
	paths := func() (out []string) {
		for e, err := range mustOpen(t, b).Deleted() {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(e.Path, " ", e.Rooted))
		}
		return out
	}
	if got, want := paths(), []string{"old true", "old/sub true", "old/sub/NTUSER.DAT true"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	f := mustOpen(t, b)
	off := f.mft.volumeOffset(24 * f.geo.record)
	b[off+16]++ // sequence number of old
	if got, want := paths(), []string{"old true", "sub false", "sub/NTUSER.DAT false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	b[off+22] |= recordInUse // and by a directory in use
	if got, want := paths(), []string{"sub false", "sub/NTUSER.DAT false"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestScan: files in use are found by the ends of their names, also where the name
// lies across the end of a sector, and in either case; directories are not.
func TestScan(t *testing.T) {
	var v ntfstest.Volume
	want := map[string]bool{}
	for n := 1; n < 246; n += 3 { // up to 255 letters
		for _, end := range []string{".evtx", ".EvTx", ".evtx2", "evtx", ".log"} {
			p := strings.Repeat("é", n) + strconv.Itoa(n) + end
			v.Files = append(v.Files, ntfstest.File{Path: p, Data: []byte(p)})
			want[p] = strings.EqualFold(end, ".evtx")
		}
	}
	v.Files = append(v.Files, ntfstest.File{Path: "folder.evtx/file", Data: []byte("x")})
	found := map[string]bool{}
	for e, err := range mustOpen(t, mustBuild(t, v)).Scan(".evtx") {
		if err != nil {
			t.Fatal(err)
		}
		if !want[e.Path] || found[e.Path] || !e.Rooted || e.Info.Deleted {
			t.Errorf("found %q", e.Path)
		}
		found[e.Path] = true
	}
	for p, is := range want {
		if is && !found[p] {
			t.Errorf("%q was not found", p)
		}
	}
}
