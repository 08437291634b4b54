package archive

import (
	"archive/zip"
	"bytes"
	"encoding/hex"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// contents are of every kind that the methods differ for: nothing to gain, one byte
// again and again (copies of 65,538 bytes), copies over more than 32 KiB, text.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var text strings.Builder
	for text.Len() < 1_000_000 {
		text.WriteString([]string{"HKCU\\Network\\Z ", "net use ", "\\\\fs01\\finance ", "/delete ", "\r\n", "0123456789"}[r.IntN(6)])
	}
	far := append(append(noise[:50_000:50_000], noise[:50_000]...), noise[50_000:115_536]...)
	return map[string][]byte{"noise": noise, "zeros": make([]byte, 1_000_000), "text": []byte(text.String()), "far": append(far, far...), "one": {'x'}}
}

// TestMethodsOf7z unpacks what 7-Zip packs.
func TestMethodsOf7z(t *testing.T) {
	tool, err := exec.LookPath("7z")
	if err != nil {
		t.Skip("7z is not installed")
	}
	for _, method := range []string{"Deflate64", "LZMA", "Deflate", "BZip2", "Copy"} {
		for name, want := range contents() {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), want, 0o666); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(tool, "a", "-tzip", "-mm="+method, "-mx=9", "a.zip", name)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			b, err := os.ReadFile(filepath.Join(dir, "a.zip"))
			if err != nil {
				t.Fatal(err)
			}
			if got := onlyMember(t, b); !bytes.Equal(got, want) {
				t.Errorf("%s, %s: %d bytes, want %d", method, name, len(got), len(want))
			}
		}
	}
}

// TestMethodXZ unpacks xz in a zip.
func TestMethodXZ(t *testing.T) {
	var packed, b bytes.Buffer
	want := contents()["text"]
	x, err := xz.NewWriter(&packed)
	if err == nil {
		_, err = x.Write(want)
	}
	if err == nil {
		err = x.Close()
	}
	z := zip.NewWriter(&b)
	var w io.Writer
	if err == nil {
		w, err = z.CreateRaw(&zip.FileHeader{Name: "x", Method: methodXZ, CRC32: crc32.ChecksumIEEE(want), CompressedSize64: uint64(packed.Len()), UncompressedSize64: uint64(len(want))})
	}
	if err == nil {
		_, err = w.Write(packed.Bytes())
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := onlyMember(t, b.Bytes()); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
}

func onlyMember(t *testing.T, b []byte) []byte {
	t.Helper()
	a, err := Zip(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 10})
	if err != nil || len(a.Members) != 1 {
		t.Fatal(a, err)
	}
	r, err := a.Members[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return got
}

// deflate64 is 70,000 times "a" and "b", as 7-Zip 16.02 packs it: a copy with the
// length code 285.
const deflate64 = "" +
	"e4c181000000008020d6fd2506a9e2f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c" +
	"1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3" +
	"f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e" +
	"8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1eeff2e09800000000615057fb8730c52e80c7" +
	"e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc7e3f1783c1e8fc78bed"

// TestInflate64 unpacks one stream, and every beginning of it: what it gives is the
// beginning of the content.
func TestInflate64(t *testing.T) {
	packed, err := hex.DecodeString(deflate64)
	if err != nil {
		t.Fatal(err)
	}
	want := append(bytes.Repeat([]byte("a"), 70_000), 'b')
	for n := range packed {
		got, err := io.ReadAll(newInflater64(bytes.NewReader(packed[:n])))
		if err == nil || !bytes.HasPrefix(want, got) {
			t.Errorf("%d of %d bytes: %d bytes, %v", n, len(packed), len(got), err)
		}
	}
	if got, err := io.ReadAll(newInflater64(bytes.NewReader(packed))); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// FuzzInflate64 unpacks anything, of which there is an end.
func FuzzInflate64(f *testing.F) {
	packed, err := hex.DecodeString(deflate64)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{1, 3, 0, 0xFC, 0xFF, 'a', 'b', 'c'}) // stored
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := io.Copy(io.Discard, newInflater64(bytes.NewReader(b)))
		if most := int64(len(b)) * 8 * 65_538; n > most {
			t.Errorf("%d bytes of %d, %v", n, len(b), err)
		}
	})
}
