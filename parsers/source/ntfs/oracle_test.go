package ntfs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

// image writes a volume to a file for other programs.
func image(t testing.TB, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "volume.raw")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestSleuthkit compares every stream of a volume that ntfstest wrote, live or
// deleted, with what fls and icat read.
func TestSleuthkit(t *testing.T) {
	for _, cluster := range []int{512, 4096, 65536} {
		t.Run(fmt.Sprint(cluster), func(t *testing.T) {
			v := sample()
			v.Cluster, v.MFTRuns = cluster, 3
			v.Files = slices.DeleteFunc(v.Files[:30], func(f ntfstest.File) bool { return cluster > 4096 && (f.Compressed || f.Fragments > 100) })
			b := mustBuild(t, v)
			name := image(t, b)
			f := mustOpen(t, b)
			compareSleuthkit(t, f, name)
			got := free(t, f.Unallocated())
			if want := oracle(t, "blkls", name); !bytes.Equal(got, want) {
				t.Errorf("unallocated: %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

// compareSleuthkit compares all files that fls lists in the volume at name.
func compareSleuthkit(t *testing.T, f *FS, name string) {
	t.Helper()
	gone := map[string]*Entry{}
	for e, err := range f.Deleted() {
		if err != nil {
			t.Fatal(err)
		}
		gone[e.Path] = e
	}
	n := 0
	for line := range strings.Lines(string(oracle(t, "fls", "-r", "-p", name))) {
		head, path, ok := strings.Cut(strings.TrimRight(line, "\n"), ":\t")
		if !ok || !strings.Contains(head, "/r ") || strings.HasSuffix(path, ":$SDH") || strings.HasSuffix(path, ":$SII") || path == "$BadClus:$Bad" {
			continue
		}
		fields := strings.Fields(strings.Replace(head, " * ", " ", 1))
		want := oracle(t, "icat", name, fields[1])
		var r io.Reader
		var err error
		if strings.Contains(head, "*") {
			e := gone[path]
			if e == nil {
				t.Errorf("deleted %s: not found", path)
				continue
			}
			if !e.Whole {
				continue
			}
			r, err = e.Open()
		} else {
			r, err = f.Open(path)
		}
		if err != nil {
			t.Error(err)
			continue
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes %x, %v; want %d", path, len(got), sha256.Sum256(got), err, len(want))
		}
		n++
	}
	if n < 20 {
		t.Errorf("%d files compared", n)
	}
}

// TestNTFSInfo has another program check what ntfstest writes.
func TestNTFSInfo(t *testing.T) {
	for _, c := range []struct{ sector, cluster, record, runs int }{{512, 512, 1024, 1}, {512, 4096, 1024, 700}, {4096, 4096, 4096, 1}, {512, 65536, 1024, 1}} {
		v := sample()
		v.Sector, v.Cluster, v.Record, v.MFTRuns = c.sector, c.cluster, c.record, c.runs
		v.Files = slices.DeleteFunc(v.Files, func(f ntfstest.File) bool { return c.cluster > 4096 && (f.Compressed || f.Fragments > 100) })
		name := image(t, mustBuild(t, v))
		out := string(oracle(t, "ntfsinfo", "-m", "-f", name))
		if !strings.Contains(out, "Volume Name: Evidence") || !strings.Contains(out, fmt.Sprintf("Cluster Size: %d", c.cluster)) {
			t.Errorf("%v: %s", c, out)
		}
		out = string(oracle(t, "ntfsfix", "-n", name))
		if !strings.Contains(out, "was processed successfully") {
			t.Errorf("%v: %s", c, out)
		}
	}
}

// mount makes a volume with mkntfs and mounts it with ntfs-3g.
func mount(t *testing.T, size int64, args ...string) (name, dir string, done func()) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "volume.raw")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		t.Fatal(err)
	}
	oracle(t, "mkntfs", append(args, "-F", "-Q", "-L", "made", name)...)
	dir = t.TempDir()
	if _, err := exec.LookPath("ntfs-3g"); err != nil {
		t.Skip("oracle ntfs-3g is not installed")
	}
	if out, err := exec.Command("ntfs-3g", "-o", "streams_interface=windows,compression", name, dir).CombinedOutput(); err != nil {
		t.Skipf("oracle ntfs-3g cannot mount here: %v: %s", err, out)
	}
	mounted := true
	done = func() {
		if !mounted {
			return
		}
		mounted = false
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	}
	t.Cleanup(done)
	return name, dir, done
}

// TestNTFS3G reads volumes that another driver wrote: compressed, sparse and
// fragmented files, streams, many names, deleted files.
func TestNTFS3G(t *testing.T) {
	for _, args := range [][]string{{"-c", "4096"}, {"-c", "512"}, {"-c", "65536"}, {"-s", "4096"}} {
		t.Run(strings.Join(args, ""), func(t *testing.T) {
			name, dir, done := mount(t, 24<<20, args...)
			want := map[string][]byte{}
			write := func(p string, b []byte) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, p)), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, p), b, 0o600); err != nil {
					t.Fatal(err)
				}
				want[p] = b
			}
			for i := range 400 {
				write(fmt.Sprintf("many/entry number %d.txt", i), fmt.Append(nil, "content ", i))
			}
			if args[1] != "65536" {
				if err := os.Mkdir(filepath.Join(dir, "packed"), 0o700); err != nil {
					t.Fatal(err)
				}
				oracle(t, "setfattr", "-n", "system.ntfs_attrib_be", "-v", "0x00000800", filepath.Join(dir, "packed"))
				write("packed/a", mixed)
				write("packed/b", bytes.Repeat(mixed, 3))
			}
			for i := range 200 { // holes between small files
				write(fmt.Sprintf("holes/%d", i), pattern(i, 5000))
			}
			for i := 0; i < 200; i += 2 {
				if err := os.Remove(filepath.Join(dir, fmt.Sprintf("holes/%d", i))); err != nil {
					t.Fatal(err)
				}
				delete(want, fmt.Sprintf("holes/%d", i))
			}
			write("fragmented", pattern(1, 4<<20))
			write("stream", []byte("main"))
			write("stream:other", pattern(2, 9000))
			done()
			compareDriver(t, name, want)
		})
	}
}

func compareDriver(t *testing.T, name string, want map[string][]byte) {
	t.Helper()
	f := volume(t, name, 0)
	packed := 0
	for p, w := range want {
		got, err := fs.ReadFile(f, p)
		if err != nil || !bytes.Equal(got, w) {
			t.Errorf("%s: %d bytes, %v; want %d", p, len(got), err, len(w))
		}
		if strings.HasPrefix(p, "packed/") {
			h, err := f.Open(p)
			if err != nil {
				t.Fatal(err)
			}
			if s := h.(*File).r.(*stream); s.unit > 0 {
				packed++
			}
		}
	}
	if _, ok := want["packed/a"]; ok && packed != 2 {
		t.Errorf("%d compressed files, want 2", packed)
	}
	if p := f.Problems(); len(p) > 0 {
		t.Errorf("problems: %v", p)
	}
	gone := 0
	for e, err := range f.Deleted() {
		if err != nil {
			t.Error(err)
		} else if strings.HasPrefix(e.Path, "holes/") && e.Rooted {
			gone++
		}
	}
	t.Logf("%d deleted files in holes", gone)
}
