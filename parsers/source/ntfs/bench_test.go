package ntfs

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

// logs is a volume with 150 event logs among 5000 other files.
func logs(t testing.TB) []byte {
	var v ntfstest.Volume
	for i := range 5000 {
		v.Files = append(v.Files, ntfstest.File{Path: fmt.Sprintf("Windows/System32/library number %d.dll", i), Data: []byte("MZ")})
	}
	for i := range 150 {
		v.Files = append(v.Files, ntfstest.File{Path: logName(i), Data: pattern(i, 69_632), Fragments: 4})
	}
	return mustBuild(t, v)
}

func logName(i int) string {
	return fmt.Sprintf("Windows/System32/winevt/Logs/Microsoft-Windows-Provider-%d%%4Operational.evtx", i)
}

func BenchmarkOpen150Logs(b *testing.B) {
	img := logs(b)
	b.ReportAllocs()
	for b.Loop() {
		f := mustOpen(b, img)
		for i := range 150 {
			if _, err := f.Open(logName(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	f := mustOpen(b, logs(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Stat("windows/system32/LIBRARY number 4321.dll"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	f := mustOpen(b, logs(b))
	for name, endings := range map[string][]string{"deleted": nil, "logs": {".evtx", ".dat"}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(f.mft.size)
			for b.Loop() {
				for _, err := range f.Scan(endings...) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	data := bytes.Repeat(mixed, 30)
	plain := ntfstest.File{Path: "plain", Data: data, Fragments: 40}
	packed := ntfstest.File{Path: "lznt1", Data: data, Compressed: true}
	f := mustOpen(b, mustBuild(b, ntfstest.Volume{Files: []ntfstest.File{plain, packed, wofFiles("xpress16k", data, 3, packWOF(data, 16384, packXpress))}}))
	for _, name := range []string{"plain", "lznt1", "xpress16k"} {
		b.Run(name, func(b *testing.B) {
			h, err := f.Open(name)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			buf := make([]byte, 64<<10)
			for b.Loop() {
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, io.NewSectionReader(h.(*File), 0, int64(len(data))), buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestConcurrent reads one volume from many goroutines; run with -race.
func TestConcurrent(t *testing.T) {
	v := sample()
	v.Files = v.Files[:80]
	f := mustOpen(t, mustBuild(t, v))
	shared, err := f.Open("packed.bin")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for _, w := range v.Files {
				if w.Deleted || w.Dir {
					continue
				}
				if b, err := fs.ReadFile(f, w.Path); err != nil || len(b) != len(w.Data) {
					t.Errorf("%s: %d bytes, %v", w.Path, len(b), err)
				}
			}
			p, off := make([]byte, 1000), int64(i*60_000)
			if _, err := shared.(*File).ReadAt(p, off); err != nil || !bytes.Equal(p, v.Files[9].Data[off:off+1000]) {
				t.Errorf("packed.bin at %d: %v", off, err)
			}
			n := 0
			for range f.Deleted() {
				n++
			}
			if u := f.Unallocated(); u.Free() == 0 || n == 0 {
				t.Errorf("%d bytes free, %d files deleted", u.Free(), n)
			}
		})
	}
	wg.Wait()
}

// TestSpeed holds the goals: ten known files in 0.05 of the time of ifind and
// icat, and 150 logs opened in 50 ms.
func TestSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("timing")
	}
	name := image(t, logs(t))
	h, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	st, err := h.Stat()
	if err != nil {
		t.Fatal(err)
	}
	open := func(n int, read bool) time.Duration {
		best := time.Hour
		for range 5 { // the machine may be busy
			start := time.Now()
			f, err := Open(h, st.Size())
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				x, err := f.Open(logName(i))
				if err != nil {
					t.Fatal(err)
				}
				if read {
					io.Copy(io.Discard, x)
				}
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	if d := open(150, false); d > 50*time.Millisecond {
		t.Errorf("150 logs opened in %v", d)
	} else {
		t.Logf("150 logs opened in %v", d)
	}
	ours := open(10, true)
	if _, err := exec.LookPath("ifind"); err != nil {
		t.Skip("oracle ifind is not installed")
	}
	start := time.Now()
	for i := range 10 {
		inode := bytes.TrimSpace(oracle(t, "ifind", "-n", logName(i), name))
		oracle(t, "icat", name, string(inode))
	}
	if theirs := time.Since(start); ours*20 > theirs {
		t.Errorf("10 files in %v, %v with ifind and icat", ours, theirs)
	} else {
		t.Logf("10 files in %v, %v with ifind and icat", ours, theirs)
	}
}
