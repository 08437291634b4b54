package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type handle struct {
	*bytes.Reader
	closed *int
}

func (h handle) Close() error { *h.closed++; return nil }

// in opens files of a map.
func (f files) in(closed *int) Opener {
	return func(base string) (Handle, int64, error) {
		b, ok := f[base]
		if !ok {
			return nil, 0, fmt.Errorf("open %s: %w", base, fs.ErrNotExist)
		}
		return handle{bytes.NewReader(b), closed}, int64(len(b)), nil
	}
}

func (f files) open(name string) (Image, error) {
	closed := 0
	return Open(name, bytes.NewReader(f[name]), int64(len(f[name])), f.in(&closed))
}

func (f files) clone() files {
	out := files{}
	for k, b := range f {
		out[k] = bytes.Clone(b)
	}
	return out
}

const (
	idA = "AAAAaaaaBBBBbbbb"
	idB = "CCCCccccDDDDdddd"
)

var (
	disk   = content(300*512+20*4096, 1)
	below  = content(200*512+20*4096, 2) // of a parent, which is smaller
	over   = mix(below, disk)
	large  = content(3<<20+40960, 3)
	lowest = content(2<<20+512*5, 4)
	merged = mix(lowest, large)
)

// mix returns a disk of b's size whose sectors are those of a, of b, and zeros in turn.
func mix(a, b []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i < len(out); i += 512 {
		if i/512%3 == 0 || i/8192%2 == 0 {
			clear(out[i : i+512])
			if i < len(a) {
				copy(out[i:i+512], a[i:])
			}
		}
	}
	clear(out[16384:32768])
	return out
}

// A sample is an image of every kind that is read.
type sample struct {
	name  string
	files files
	kind  string
	disk  []byte
	also  []string // the further files, in order
	hash  bool
}

func samples() []sample {
	flat := "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n\nRW 100 FLAT \"a-flat.vmdk\" 3\nRW 20 ZERO\nRW 60 SPARSE \"C:\\vm\\a-s002.vmdk\"\n"
	flatDisk := append(append(bytes.Clone(disk[:51200]), make([]byte, 10240)...), disk[61440:61440+30720]...)
	guidA := guid([]byte(idA))
	e := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2}
	smart := e01{disk: disk, sectors: 16, perTable: 7, perSeg: 9, smart: true, noHash: true}
	late := e01{disk: disk, sectors: 64, perTable: 70, perSeg: 2, gap: true}
	return []sample{
		{"disk.dd", files{"disk.dd": disk}, "raw", disk, nil, false},
		{"d.001", files{"d.001": disk[:100000], "d.002": disk[100000:200000], "d.003": disk[200000:]}, "raw", disk, []string{"d.002", "d.003"}, false},
		{"d.00", files{"d.00": disk[:100000], "d.01": disk[100000:200000], "d.02": disk[200000:]}, "raw", disk, []string{"d.01", "d.02"}, false},
		{"a.2024", files{"a.2024": disk, "a.2023": below, "a.2025": below}, "raw", disk, nil, false},
		{"a.E01", e.write("a.E01"), "e01", disk, []string{"a.E02", "a.E03", "a.E04", "a.E05"}, true},
		{"a.s01", smart.write("a.s01"), "e01", disk, nil, false},
		{"a.e01", late.write("a.e01"), "e01", disk, nil, true},
		{"a.vmdk", files{"a.vmdk": vmdk{disk: disk, grain: 8192}.write()}, "vmdk", disk, nil, false},
		{"stream.vmdk", files{"stream.vmdk": vmdk{disk: disk, grain: 8192, packed: true}.write()}, "vmdk", disk, nil, false},
		{"flat.vmdk", files{"flat.vmdk": []byte(flat), "a-flat.vmdk": append(make([]byte, 3*512), disk[:51200]...),
			"a-s002.vmdk": vmdk{disk: disk[61440 : 61440+32768], grain: 4096}.write()}, "vmdk", flatDisk, []string{"a-flat.vmdk", "a-s002.vmdk"}, false},
		{"fixed.vhd", files{"fixed.vhd": vhdFixedOf(disk, idA)}, "vhd", disk, nil, false},
		{"fixed511.vhd", files{"fixed511.vhd": vhdFixedOf(disk, idA)[:len(disk)+511]}, "vhd", disk, nil, false},
		{"dyn.vhd", files{"dyn.vhd": vhdSparse(disk, nil, idA, "", "")}, "vhd", disk, nil, false},
		{"diff.vhd", files{"diff.vhd": vhdSparse(over, below, idB, idA, "base.vhd"), "base.vhd": vhdSparse(below, nil, idA, "", "")}, "vhd", over, []string{"base.vhd"}, false},
		{"a.vdi", files{"a.vdi": vdiOf(disk, 1)}, "vdi", disk, nil, false},
		{"a.qcow2", files{"a.qcow2": qcow{disk: disk}.write()}, "qcow2", disk, nil, false},
		{"z.qcow2", files{"z.qcow2": qcow{disk: disk, packed: true}.write()}, "qcow2", disk, nil, false},
		{"v2.qcow2", files{"v2.qcow2": qcow{disk: disk, packed: true, v2: true}.write()}, "qcow2", disk, nil, false},
		{"zstd.qcow2", files{"zstd.qcow2": qcow{disk: disk, packed: true, zstd: true}.write()}, "qcow2", disk, nil, false},
		{"over.qcow2", files{"over.qcow2": qcow{disk: over, base: below, backing: "/vm/base.img", format: "raw"}.write(), "base.img": below}, "qcow2", over, []string{"base.img"}, false},
		{"chain.qcow2", files{"chain.qcow2": qcow{disk: over, base: below, backing: "mid.qcow2", format: "qcow2"}.write(),
			"mid.qcow2": qcow{disk: below, backing: "low.vhd", format: "vpc"}.write(), "low.vhd": vhdFixedOf(make([]byte, 1<<20), idA)}, "qcow2", over, []string{"mid.qcow2", "low.vhd"}, false},
		{"a.vhdx", files{"a.vhdx": vhdxOf{disk: large, id: idA}.write()}, "vhdx", large, nil, false},
		{"a.avhdx", files{"a.avhdx": vhdxOf{disk: merged, base: lowest, id: idB, parentID: guidA, parent: "base.vhdx"}.write(),
			"base.vhdx": vhdxOf{disk: lowest, id: idA}.write()}, "vhdx", merged, []string{"base.vhdx"}, false},
	}
}

func whole(t *testing.T, im Image) []byte {
	t.Helper()
	b := make([]byte, im.Size())
	if n, err := im.ReadAt(b, 0); n != len(b) || err != nil && err != io.EOF {
		t.Fatalf("ReadAt: %d of %d bytes, %v", n, len(b), err)
	}
	return b
}

func firstDiff(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestFormats(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			closed := 0
			im, err := Open("/evidence/"+s.name, bytes.NewReader(s.files[s.name]), int64(len(s.files[s.name])), s.files.in(&closed))
			if err != nil {
				t.Fatal(err)
			}
			if im.Kind() != s.kind || im.Size() != int64(len(s.disk)) || len(im.Warnings()) > 0 {
				t.Errorf("%s, %d bytes, %v; want %s, %d, no warning", im.Kind(), im.Size(), im.Warnings(), s.kind, len(s.disk))
			}
			if d := cmp.Diff(s.also, im.Files()); d != "" {
				t.Errorf("files (-want +got):\n%s", d)
			}
			if got := whole(t, im); !bytes.Equal(got, s.disk) {
				t.Errorf("differs from offset %#x on", firstDiff(got, s.disk))
			}
			readerAt(t, im, s.disk)
			err = im.Verify(context.Background())
			if s.hash && err != nil || !s.hash && err != ErrNoStoredHash {
				t.Errorf("Verify: %v", err)
			}
			if err := im.Close(); err != nil || closed != len(s.also) {
				t.Errorf("Close: %v, %d files closed, want %d", err, closed, len(s.also))
			}
		})
	}
}

// readerAt holds r to the contract of io.ReaderAt, from several goroutines.
func readerAt(t *testing.T, r io.ReaderAt, want []byte) {
	size := int64(len(want))
	for _, c := range []struct {
		off, n int64
		eof    bool
	}{{0, 0, false}, {size, 0, false}, {size, 1, true}, {size + 5, 10, true}, {size - 1, 1, false}, {size - 1, 2, true}, {size - 700, 5000, true}} {
		b := make([]byte, c.n)
		n, err := r.ReadAt(b, c.off)
		k := max(min(c.n, size-c.off), 0)
		if int64(n) != k || !bytes.Equal(b[:k], want[min(c.off, size):][:k]) {
			t.Errorf("ReadAt(%d, %d): %d bytes, or wrong ones", c.off, c.n, n)
		}
		if c.eof != (err == io.EOF) && !(err == nil && int64(n) == c.n) {
			t.Errorf("ReadAt(%d, %d): %v", c.off, c.n, err)
		}
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil || err == io.EOF {
		t.Errorf("ReadAt(-1): %v", err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 7))
			for range 60 {
				off := rnd.Int64N(size)
				b := make([]byte, rnd.Int64N(min(size-off, 50000)+1))
				if n, err := r.ReadAt(b, off); n != len(b) || err != nil && err != io.EOF || !bytes.Equal(b, want[off:off+int64(len(b))]) {
					t.Errorf("ReadAt(%#x, %d): %d, %v, or wrong bytes", off, len(b), n, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestDetect(t *testing.T) {
	for _, s := range samples() {
		want := s.kind
		if want == "raw" {
			want = ""
		}
		b := s.files[s.name]
		if got := Detect(bytes.NewReader(b), int64(len(b))); got != want {
			t.Errorf("%s: %q, want %q", s.name, got, want)
		}
	}
	for magic, want := range map[string]string{"": "", "EVF2\x0d\x0a\x81\x00": "ex01", "LVF\x09\x0d\x0a\xff\x00": "l01", "AFF10\r\n\x00": "aff", "conecti": "", "COWD": "vmdk"} {
		if got := Detect(strings.NewReader(magic), int64(len(magic))); got != want {
			t.Errorf("%q: %q, want %q", magic, got, want)
		}
	}
}

func TestStored(t *testing.T) {
	f := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2}.write("a.E01")
	im, err := f.open("a.E01")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"case number": "case 7", "evidence number": "ev 8", "description": "desc", "examiner": "Müller", "notes": "line",
		"software": "20140813", "operating system": "Linux", "acquired": "2023-11-14T22:13:20Z", "system date": "2023-11-14T22:13:21Z",
		"md5": im.Stored()["md5"], "sha1": im.Stored()["sha1"],
	}
	if d := cmp.Diff(want, im.Stored()); d != "" || len(want["md5"]) != 32 || len(want["sha1"]) != 40 {
		t.Errorf("stored (-want +got):\n%s", d)
	}
	im, err = e01{disk: disk, sectors: 8, perTable: 99, perSeg: 2, smart: true, noHash: true}.write("a.s01").open("a.s01")
	if err != nil {
		t.Fatal(err)
	}
	if got := im.Stored()["acquired"]; got != "2014-08-13T01:02:03 (clock of the acquiring computer, its zone is not stored)" {
		t.Errorf("acquired %q", got)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	im, _ = f.open("a.E01")
	if err := im.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Verify of a cancelled context: %v", err)
	}
}

// A hash that is not that of the contents must be told.
func TestVerifyDiffers(t *testing.T) {
	for _, name := range []string{"md5", "sha1"} {
		f := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 9}.write("a.E01")
		b := f["a.E01"]
		at := bytes.LastIndex(b, []byte("digest\x00")) + 76
		if name == "sha1" {
			at += 16
		}
		b[at]++
		copy(b[bytes.LastIndex(b, []byte("digest\x00"))+76:], withSum(b[bytes.LastIndex(b, []byte("digest\x00"))+76:][:76]))
		im, err := f.open("a.E01")
		if err != nil {
			t.Fatal(err)
		}
		if err := im.Verify(context.Background()); !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The names of segments go on from .E99 to .EAA.
func TestSegmentNames(t *testing.T) {
	for _, tt := range []struct {
		no         int
		name, want string
	}{{2, "x.E01", "x.E02"}, {99, "x.E01", "x.E99"}, {100, "x.E99", "x.EAA"}, {100, "x.E01", "x.EAA"}, {125, "x.e01", "x.eaz"}, {126, "x.S01", "x.SBA"},
		{775, "x.E01", "x.EZZ"}, {776, "x.E01", "x.FAA"}, {14971, "x.E01", "x.ZZZ"}, {14972, "x.E01", ""}, {2, "x.img", ""}, {2, "x", ""}} {
		got, _ := ewfName(tt.name, tt.no)
		if got != tt.want {
			t.Errorf("segment %d of %s: %q, want %q", tt.no, tt.name, got, tt.want)
		}
	}
	// Over the edge in practice, and with the name of the last segment.
	f := e01{disk: disk, sectors: 1, perTable: 4, perSeg: 1}.write("x.E01")
	im, err := f.open("x.E01")
	if err != nil || len(f) < 101 {
		t.Fatalf("%d segments, %v", len(f), err)
	}
	if !bytes.Equal(whole(t, im), disk) || len(im.Warnings()) > 0 {
		t.Errorf("%d segments: wrong bytes, %v", len(f), im.Warnings())
	}
}

// readAll reads b sector by sector and returns what could not be read.
func readAll(t *testing.T, im Image, want []byte) (failed int, err error) {
	t.Helper()
	b := make([]byte, 512)
	for off := int64(0); off < im.Size(); off += 512 {
		n, e := im.ReadAt(b, off)
		if e != nil && e != io.EOF {
			failed++
			if err == nil {
				err = e
			}
			if errors.Is(e, io.EOF) || errors.Is(e, fs.ErrNotExist) {
				t.Errorf("offset %#x: %v passes for the end or an absent file", off, e)
			}
		} else if !bytes.Equal(b[:n], want[off:off+int64(n)]) {
			t.Fatalf("offset %#x: wrong bytes and no error", off)
		}
	}
	return failed, err
}
