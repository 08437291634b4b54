package container

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return dir
}

// openFile opens an image file with what lies beside it.
func openFile(t *testing.T, path string) (Image, error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	im, err := Open(path, f, info.Size(), func(base string) (Handle, int64, error) {
		g, err := os.Open(filepath.Join(filepath.Dir(path), base))
		if err != nil {
			return nil, 0, err
		}
		info, err := g.Stat()
		return g, info.Size(), err
	})
	if err == nil {
		t.Cleanup(func() { im.Close() })
	}
	return im, err
}

// sum hashes the first n bytes of a disk.
func sum(t *testing.T, im Image, n int64) string {
	t.Helper()
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(im, 0, n)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// All containers around the one derived disk must give the same bytes.
func TestCorpusDerived(t *testing.T) {
	dir := filepath.Join(corpus(t), "derived")
	const size = 64 << 20
	first := ""
	for _, tt := range []struct {
		name, kind string
		size       int64
	}{
		{"disk-split.E01", "e01", size}, {"disk-2gb.vmdk", "vmdk", size}, {"disk-sparse.vmdk", "vmdk", size}, {"disk-streamopt.vmdk", "vmdk", size},
		{"disk-dynamic.vhdx", "vhdx", size}, {"disk.qcow2", "qcow2", size},
		{"disk-dynamic.vhd", "vhd", 67125248}, // rounded up to cylinders by its writer
	} {
		im, err := openFile(t, filepath.Join(dir, tt.name))
		if err != nil {
			t.Fatal(err)
		}
		if im.Kind() != tt.kind || im.Size() != tt.size || len(im.Warnings()) > 0 {
			t.Errorf("%s: %s, %d bytes, %v", tt.name, im.Kind(), im.Size(), im.Warnings())
		}
		got := sum(t, im, size)
		if first == "" {
			first = got
			if err := im.Verify(context.Background()); err != nil { // the E01 has the MD5 of the disk
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if got != first {
			t.Errorf("%s: SHA-256 %s, that of the E01 is %s", tt.name, got, first)
		}
	}
}

// The containers among the images of others have the sizes that other tools say.
func TestCorpusImages(t *testing.T) {
	dir := corpus(t)
	info, err := os.ReadFile(filepath.Join(dir, "truth", "_images_info.txt"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range regexp.MustCompile(`(?m)^== (\S+) raw size (\d+)`).FindAllSubmatch(info, -1) {
		name := string(m[1])
		switch filepath.Ext(name) {
		case ".7z", ".gz":
			continue // archives are not for this package
		}
		im, err := openFile(t, filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n++
		if want, _ := strconv.ParseInt(string(m[2]), 10, 64); im.Size() != want || len(im.Warnings()) > 0 {
			t.Errorf("%s: %d bytes, want %d; %v", name, im.Size(), want, im.Warnings())
		}
		if err := im.Verify(context.Background()); err != nil && (im.Kind() == "e01" || err != ErrNoStoredHash) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n < 5 {
		t.Errorf("%d images tested", n)
	}
}
