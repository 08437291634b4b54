package container

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
