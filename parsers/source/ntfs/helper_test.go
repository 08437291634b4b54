package ntfs

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// raw returns an image as a raw file, or skips.
func raw(t *testing.T, file string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "raw")
	switch {
	case strings.HasSuffix(file, ".gz"):
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		z, err := gzip.NewReader(in)
		if err != nil {
			t.Fatal(err)
		}
		h, err := os.Create(out)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(h, z); err != nil {
			t.Fatal(err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	case strings.HasSuffix(file, ".qcow2"):
		oracle(t, "qemu-img", "convert", "-O", "raw", file, out)
	case strings.HasSuffix(file, ".xz"):
		b := oracle(t, "xz", "-dc", file)
		if err := os.WriteFile(out, b, 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		return file
	}
	return out
}

// oracle runs another program and returns what it prints.
func oracle(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("oracle %s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	var out, msg bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &msg
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, msg.Bytes())
	}
	return out.Bytes()
}

// volume opens the volume at offset off of a raw file.
func volume(t testing.TB, file string, off int64) *FS {
	t.Helper()
	h, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	st, err := h.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r := io.NewSectionReader(h, off, st.Size()-off)
	f, err := Open(r, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	return f
}
