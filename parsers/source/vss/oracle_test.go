package vss

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/source/container"
	"sharetrail/parsers/source/ntfs"
)

// tool returns the path of another reader of the format.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("oracle %s is not installed", name)
	}
	return path
}

// mount has libvshadow show the snapshots of an image, and returns the folder of
// them: vss1, vss2, …
func mount(t *testing.T, image string) string {
	t.Helper()
	vshadowmount, unmount := tool(t, "vshadowmount"), tool(t, "fusermount")
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skipf("oracle vshadowmount cannot mount here: %v", err)
	} else {
		f.Close()
	}
	dir := t.TempDir()
	if out, err := exec.Command(vshadowmount, image, dir).CombinedOutput(); err != nil {
		t.Fatalf("vshadowmount: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		var err error
		for range 50 { // it is busy for a moment after the last file was closed
			if err = exec.Command(unmount, "-u", dir).Run(); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("unmount: %v", err)
	})
	return dir
}

var infoLine = regexp.MustCompile(`(?m)^\t(Identifier|Shadow copy set ID|Creation time|Shadow copy ID|Volume size)\s*: (.*)$`)

// vshadowinfo returns what libvshadow says of the stores of an image, a text each.
func vshadowinfo(t *testing.T, image string) (stores []string) {
	t.Helper()
	out, err := exec.Command(tool(t, "vshadowinfo"), image).CombinedOutput()
	if err != nil {
		t.Fatalf("vshadowinfo: %v\n%s", err, out)
	}
	for _, s := range strings.Split(string(out), "\nStore: ")[1:] {
		var b strings.Builder
		for _, m := range infoLine.FindAllStringSubmatch(s, -1) {
			fmt.Fprintf(&b, "%s: %s\n", m[1], m[2])
		}
		stores = append(stores, b.String())
	}
	return stores
}

var sizeText = regexp.MustCompile(`(Volume size: ).*\((\d+ bytes)\)`)

func checkInfo(t *testing.T, s *Set, image string) {
	t.Helper()
	want := vshadowinfo(t, image)
	if len(want) != len(s.Snapshots) || len(want) == 0 {
		t.Fatalf("%d snapshots, vshadowinfo has %d", len(s.Snapshots), len(want))
	}
	for i, n := range s.Snapshots {
		got := fmt.Sprintf("Identifier: %s\nShadow copy set ID: %s\nCreation time: %s UTC\nShadow copy ID: %s\nVolume size: %d bytes\n",
			n.StoreID, n.SetID, n.Created.Format("Jan 02, 2006 15:04:05.000000000"), n.ID, n.VolumeSize)
		if w := sizeText.ReplaceAllString(want[i], "$1$2"); got != w {
			t.Errorf("store %d: got\n%swant\n%s", i+1, got, w)
		}
	}
}

// libvshadow accepts what vsstest writes, and shows what this package shows. It
// always shows zeros for blocks that were free.
func TestOracleSynthetic(t *testing.T) {
	for _, flags := range []uint64{0x40, 0x440} {
		t.Run(fmt.Sprintf("%#x", flags), func(t *testing.T) {
			live, snaps := history(flags)
			// libvshadow orders by time, not by the stack: no clock is set back here.
			snaps[1].Created = t1.Add(time.Hour)
			img := write(t, live, snaps)
			path := filepath.Join(t.TempDir(), "volume")
			if err := os.WriteFile(path, img, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, img)
			checkInfo(t, s, path)
			dir := mount(t, path)
			for i, n := range s.Snapshots {
				want, err := os.ReadFile(filepath.Join(dir, fmt.Sprint("vss", i+1)))
				if err != nil {
					t.Fatal(err)
				}
				if d := differ(read(t, n), want, free[i]...); len(d) > 0 {
					t.Errorf("snapshot %d differs: %q", i+1, d)
				}
				if d := differ(want, snaps[i].Image, free[i]...); len(d) > 0 {
					t.Errorf("snapshot %d: libvshadow does not show what was written: %q", i+1, d)
				}
			}
		})
	}
}

func corpus(t *testing.T, elem ...string) string {
	t.Helper()
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return filepath.Join(append([]string{dir, "image"}, elem...)...)
}

// openImage opens a disk image whose name is the only one of its kind there.
func openImage(t *testing.T, path string) container.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	im, err := container.Open(filepath.Base(path), f, st.Size(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return im
}

func sum(t *testing.T, r io.Reader) string {
	t.Helper()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{r}, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// A volume of Windows 7 with two snapshots: every byte is libvshadow's, but for
// blocks of the newest one that were free. Told to clear these, too, both agree.
func TestCorpusPlaso(t *testing.T) {
	im := openImage(t, corpus(t, "plaso-vss", "vsstest.qcow2"))
	for _, test := range []struct {
		clear  bool
		hashes []string // of vss1 and vss2; libvshadow 20190323 where clear is set
	}{
		{true, []string{"c8ada35c641a68447640b250f35e623b7f619aaae26bd55a06b8d4c34ebed1da", "41f940d92a534dd8e940a4983d2a766bcb262373f9dc2006851e81fa3a1fa2f2"}},
		{false, []string{"c8ada35c641a68447640b250f35e623b7f619aaae26bd55a06b8d4c34ebed1da", "b36b05cab3959751c9c2dbf8c5a6d1965941fb788ad337310ea494e94a0da26b"}},
	} {
		s, err := Open(im, im.Size())
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Snapshots) != 2 || len(s.Warnings) > 0 || s.EmptyCatalog || len(s.Orphans) > 0 || s.Freed > 0 {
			t.Fatalf("%+v", s)
		}
		for i, n := range s.Snapshots {
			if n.Flags != 0x40 || n.Deleted || n.OriginMachine != "infinity" || n.ServiceMachine != "infinity" || n.MayBeScoped() {
				t.Errorf("snapshot %d: %+v", i+1, n)
			}
			if test.clear && i == 1 { // libvshadow does it for the newest only
				n.Flags |= FlagZeroUnused
			}
		}
		for i := len(s.Snapshots) - 1; i >= 0; i-- {
			n := s.Snapshots[i]
			r, err := n.ReaderAt()
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 && test.clear {
				continue // it falls through to the newest, where libvshadow shows the live block
			}
			if got := sum(t, io.NewSectionReader(r, 0, n.Size())); got != test.hashes[i] {
				t.Errorf("snapshot %d, free blocks cleared: %v: sha256 %s, want %s", i+1, test.clear, got, test.hashes[i])
			}
			if w := append(n.Warnings, n.LateWarnings()...); len(w) > 0 {
				t.Errorf("snapshot %d: warnings %v", i+1, w)
			}
		}
	}
}

// The same against libvshadow itself, block by block.
func TestOracleCorpus(t *testing.T) {
	path := corpus(t, "plaso-vss", "vsstest.qcow2")
	im := openImage(t, path)
	raw := filepath.Join(t.TempDir(), "raw")
	if out, err := exec.Command(tool(t, "qemu-img"), "convert", "-O", "raw", path, raw).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img: %v\n%s", err, out)
	}
	s, err := Open(im, im.Size())
	if err != nil {
		t.Fatal(err)
	}
	checkInfo(t, s, raw)
	dir := mount(t, raw)
	for i, n := range s.Snapshots {
		f, err := os.Open(filepath.Join(dir, fmt.Sprint("vss", i+1)))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := n.ReaderAt()
		if err != nil {
			t.Fatal(err)
		}
		unused, err := n.bitmap()
		if err != nil {
			t.Fatal(err)
		}
		bits := table{unused: unused}
		got, want := make([]byte, blockSize), make([]byte, blockSize)
		cleared := 0
		for o := int64(0); o < n.Size(); o += blockSize {
			if _, err := r.ReadAt(got, o); err != nil {
				t.Fatal(err)
			}
			if _, err := f.ReadAt(want, o); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(got, want) {
				continue
			}
			if free, _ := bits.free(o, blockSize); !free || !bytes.Equal(want, make([]byte, blockSize)) {
				t.Fatalf("snapshot %d differs at %#x", n.Index, o)
			}
			cleared++
		}
		if t.Logf("snapshot %d: %d free blocks are zero there", n.Index, cleared); cleared != []int{0, 964}[i] {
			t.Errorf("snapshot %d: %d free blocks are zero there", n.Index, cleared)
		}
	}
}

// A volume whose stores are on another volume, which is not at hand.
func TestCorpusElsewhere(t *testing.T) {
	r := tarEntry(t, corpus(t, "dfir_ntfs-vss", "vss_1_vol.tar.gz"), 67584*512, 16<<20)
	s, err := Open(r, 10416128*512)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Snapshots) != 2 || s.StorageID != "bbaa763c-8204-11eb-90f4-080027768df7" || s.VolumeID == s.StorageID || s.EmptyCatalog {
		t.Fatalf("%+v", s)
	}
	for i, want := range []string{"2021-03-10T22:44:18.9998374Z", "2021-03-10T22:45:23.6866155Z"} {
		n := s.Snapshots[i]
		if got := n.Created.Format(time.RFC3339Nano); got != want {
			t.Errorf("created %s, want %s", got, want)
		}
		if _, err := n.ReaderAt(); err == nil || !strings.Contains(err.Error(), s.StorageID) {
			t.Errorf("snapshot %d: %v", n.Index, err)
		}
	}
}

// What holds no snapshot says so.
func TestCorpusNone(t *testing.T) {
	for _, elem := range [][]string{{"go-ntfs", "test.ntfs.dd"}, {"go-ewf-ntfs", "test.ntfs.dd.E01"}} {
		im := openImage(t, corpus(t, elem...))
		if _, err := Open(im, im.Size()); err != ErrNone {
			t.Errorf("%s: %v", elem, err)
		}
	}
}

// tarEntry returns the first n bytes from off on of the only file in an archive.
func tarEntry(t *testing.T, path string, off, n int64) io.ReaderAt {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	tr := tar.NewReader(z)
	if _, err := tr.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, tr, off); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(tr, b); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

// The files of each snapshot, as vshadowmount and The Sleuth Kit read them.
func TestCorpusFiles(t *testing.T) {
	im := openImage(t, corpus(t, "plaso-vss", "vsstest.qcow2"))
	truth, err := os.ReadFile(corpus(t, "..", "truth", "_images.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(im, im.Size())
	if err != nil {
		t.Fatal(err)
	}
	volumes := map[string]fs.FS{}
	for _, n := range s.Snapshots {
		r, err := n.ReaderAt()
		if err != nil {
			t.Fatal(err)
		}
		if volumes[fmt.Sprint("vss", n.Index)], err = ntfs.Open(r, n.Size()); err != nil {
			t.Fatal(err)
		}
	}
	files := 0
	for line := range strings.Lines(string(truth)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 8 || f[0] != "image/plaso-vss/vsstest.qcow2" || volumes[f[1]] == nil {
			continue
		}
		files++
		b, err := fs.ReadFile(volumes[f[1]], f[3])
		if f[6] == "50000000" && len(b) > 50e6 {
			b = b[:50e6] // where the table stopped
		}
		if got := fmt.Sprintf("%x", sha256.Sum256(b)); err != nil || got != f[7] {
			t.Errorf("%s: %s: sha256 %s, %v; want %s", f[1], f[3], got, err, f[7])
		}
	}
	if files != 8 {
		t.Errorf("%d files compared", files)
	}
}
