package disk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sharetrail/parsers/source/container"
)

func oracle(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("oracle %s is not installed", name)
	}
	return path
}

// slot matches a partition in the output of mmls; 000 in a GPT, 000:000 in an MBR.
var slot = regexp.MustCompile(`(?m)^\d+:\s+\d+(?::\d+)?\s+(\d+)\s+\d+\s+(\d+)`)

func places(parts []Part, sector int64) (out []string) {
	for _, p := range parts {
		out = append(out, fmt.Sprintf("%d+%d", p.Start/sector, p.Size/sector))
	}
	return out
}

func TestMmls(t *testing.T) {
	mmls := oracle(t, "mmls")
	for _, tt := range []struct {
		name   string
		img    []byte
		sector int64
	}{{"gpt", wide(512), 512}, {"gpt4k", wide(4096), 4096}, {"mbr", logicals(512), 512}} {
		path := filepath.Join(t.TempDir(), "d.raw")
		if err := os.WriteFile(path, tt.img, 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.Command(mmls, "-b", fmt.Sprint(tt.sector), path).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", tt.name, err, text)
		}
		_, parts, _, err := Partitions(bytes.NewReader(tt.img), int64(len(tt.img)))
		if err != nil {
			t.Fatal(err)
		}
		compareSlots(t, tt.name, string(text), parts, tt.sector)
	}
}

// compareSlots compares with mmls, which orders by place.
func compareSlots(t *testing.T, name, text string, parts []Part, sector int64) {
	t.Helper()
	want := map[string]bool{}
	for _, m := range slot.FindAllStringSubmatch(text, -1) {
		var first, n int64
		fmt.Sscan(strings.TrimLeft(m[1], "0"), &first)
		fmt.Sscan(strings.TrimLeft(m[2], "0"), &n)
		want[fmt.Sprintf("%d+%d", first, n)] = true
	}
	got := map[string]bool{}
	for _, p := range places(parts, sector) {
		got[p] = true
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-mmls +got):\n%s\n%s", name, d, text)
	}
}

func TestSgdisk(t *testing.T) {
	sgdisk := oracle(t, "sgdisk")
	path := filepath.Join(t.TempDir(), "d.raw")
	if err := os.WriteFile(path, make([]byte, 16*mib), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(sgdisk, "-n", "1:2048:4095", "-t", "1:0c01", "-n", "7:8192:16383", "-t", "7:0700", "-c", "7:Daten", path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	img, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, wipe := range []bool{false, true} {
		if wipe {
			clear(img[512:1024])
		}
		scheme, parts, warn, err := Partitions(bytes.NewReader(img), int64(len(img)))
		want := []string{
			`p1 0x100000+0x100000 e3c9e316-0b5c-4db8-817d-f92df00215ae (Microsoft reserved) "" unknown`,
			`p7 0x400000+0x400000 ebd0a0a2-b9e5-4433-87c0-68b6b72699c7 (basic data) "Daten" unknown`,
		}
		if d := cmp.Diff(want, show(parts)); d != "" || scheme != GPT || err != nil || (len(warn) > 0) != wipe {
			t.Errorf("%s, %q, %v (-want +got):\n%s", scheme, texts(warn), err, d)
		}
	}
}

// TestCorpus compares with what mmls said of the corpus's images.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	info, err := os.ReadFile(filepath.Join(dir, "truth", "_images_info.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tested := 0
	for _, text := range strings.Split(string(info), "== ")[1:] {
		name, rest, _ := strings.Cut(text, " raw size ")
		r, size := corpusImage(t, filepath.Join(dir, name))
		if size < 0 {
			fmt.Sscan(rest, &size)
		}
		if r == nil {
			t.Logf("%s: not opened here", name)
			continue
		}
		tested++
		scheme, parts, warn, err := Partitions(r, size)
		if err != nil || len(warn) > 0 {
			t.Errorf("%s: %q, %v", name, texts(warn), err)
		}
		for _, m := range regexp.MustCompile(`(?m)^   offset (\d+) fs (\w+)`).FindAllStringSubmatch(text, -1) {
			var sector int64
			fmt.Sscan(m[1], &sector)
			fs := map[string]string{"ntfs": "ntfs", "ext4": "ext", "ext2": "ext", "exfat": "exfat", "fat32": "fat"}[m[2]]
			found := false
			for _, p := range parts {
				found = found || p.Start == 512*sector && p.FS == fs
			}
			if !found {
				t.Errorf("%s: no %s at sector %d: %q", name, fs, sector, show(parts))
			}
		}
		if strings.Contains(text, "Partition Table") {
			compareSlots(t, name, text, parts, 512)
		} else if scheme != Bare {
			t.Errorf("%s: %s", name, scheme)
		}
	}
	if tested < 8 {
		t.Errorf("%d images tested", tested)
	}
}

// corpusImage opens an image, or the first 64 MiB of one in an archive: then the
// size is -1. Nothing behind those needs to be read.
func corpusImage(t *testing.T, path string) (io.ReaderAt, int64) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	switch filepath.Ext(path) {
	case ".7z":
		return nil, 0
	case ".gz":
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = z
		if strings.HasSuffix(path, ".tar.gz") {
			tr := tar.NewReader(z)
			if _, err := tr.Next(); err != nil {
				t.Fatal(err)
			}
			r = tr
		}
		b, err := io.ReadAll(io.LimitReader(r, 64<<20))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.NewReader(b), -1
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	im, err := container.Open(filepath.Base(path), f, info.Size(), func(base string) (container.Handle, int64, error) {
		g, err := os.Open(filepath.Join(filepath.Dir(path), base))
		if err != nil {
			return nil, 0, err
		}
		info, err := g.Stat()
		return g, info.Size(), err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { im.Close() })
	return im, im.Size()
}
