package ntfs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func corpus(t testing.TB) string {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return dir
}

// A truth is a row of the corpus's tables: what sleuthkit reads.
type truth struct {
	path, inode, sum string
	live             bool
	size             int64
}

// rows reads a table, keeping the columns that are named.
func rows(t *testing.T, file string, keep ...string) (out [][]string) {
	t.Helper()
	h, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var at []int
	for s := bufio.NewScanner(h); s.Scan(); {
		f := strings.Split(s.Text(), "\t")
		if at == nil {
			for _, k := range keep {
				for i := range f {
					if f[i] == k {
						at = append(at, i)
					}
				}
			}
			continue
		}
		row := make([]string, len(at))
		for i, k := range at {
			row[i] = f[k]
		}
		out = append(out, row)
	}
	return out
}

func TestCorpusImages(t *testing.T) {
	dir := corpus(t)
	images := map[string][]truth{}
	offsets := map[string]int64{}
	var order []string
	for _, r := range rows(t, filepath.Join(dir, "truth", "_images.tsv"), "image", "layer", "offset_sectors", "path", "inode", "allocated", "size", "sha256") {
		if r[1] != "volume" {
			continue
		}
		off, err := strconv.ParseInt(r[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		size, err := strconv.ParseInt(r[6], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		key := r[0] + "@" + r[2]
		if images[key] == nil {
			order = append(order, key)
		}
		images[key] = append(images[key], truth{path: r[3], inode: r[4], live: r[5] == "1", size: size, sum: r[7]})
		offsets[key] = off * 512
	}
	tested := 0
	for _, key := range order {
		name, _, _ := strings.Cut(key, "@")
		switch filepath.Ext(name) {
		case ".gz", ".qcow2", ".dd":
		default: // other containers: package container's business
			continue
		}
		if strings.HasSuffix(name, ".tar.gz") {
			continue
		}
		t.Run(key, func(t *testing.T) {
			file := raw(t, filepath.Join(dir, name))
			b := make([]byte, 512)
			h, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if _, err := h.ReadAt(b, offsets[key]); err != nil || string(b[3:11]) != "NTFS    " {
				t.Skip("not an NTFS volume")
			}
			tested++
			f := volume(t, file, offsets[key])
			compare(t, f, images[key])
			if p := f.Problems(); len(p) > 0 {
				t.Errorf("problems: %v", p)
			}
			if f.size < 12<<20 { // it reads every file several times
				if err := fstest.TestFS(f, "$MFT"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if tested == 0 {
		t.Error("no image was tested")
	}
}

// compare checks the files of f against the table.
func compare(t *testing.T, f *FS, want []truth) {
	t.Helper()
	gone := map[string]*Entry{}
	for e, err := range f.Deleted() {
		if err != nil {
			t.Errorf("deleted: %v", err)
			continue
		}
		gone[fmt.Sprint(e.Info.Record)] = e
	}
	live := 0
	for _, w := range want {
		num, _, _ := strings.Cut(w.inode, "-")
		if !w.live {
			if num != "0" { // else an entry in the slack of a directory
				compareDeleted(t, gone[num], w)
			}
			continue
		}
		live++
		h, err := f.Open(w.path)
		if err != nil {
			t.Error(err)
			continue
		}
		sum := sha256.New()
		n, err := io.Copy(sum, io.LimitReader(h, tableLimit))
		if got := fmt.Sprintf("%x", sum.Sum(nil)); err != nil || n != w.size || got != w.sum {
			t.Errorf("%s: %d bytes %s, %v; want %d %s", w.path, n, got, err, w.size, w.sum)
		}
		fi, err := h.Stat()
		if err != nil || fmt.Sprint(fi.Sys().(*Info).Record) != num {
			t.Errorf("%s: %+v, %v; want record %s", w.path, fi.Sys(), err, num)
		}
	}
	if live == 0 {
		t.Error("no live file in the table")
	}
	checkAll(t, f, want)
}

// tableLimit is how many bytes of a file the tables are made from.
const tableLimit = 50_000_000

func compareDeleted(t *testing.T, e *Entry, w truth) {
	t.Helper()
	if e == nil {
		t.Errorf("deleted %s: not found", w.path)
		return
	}
	if e.Path != w.path || e.Size != w.size {
		t.Errorf("deleted %s of %d bytes, want %s of %d", e.Path, e.Size, w.path, w.size)
	}
	h, err := e.Open()
	if err != nil {
		t.Logf("deleted %s: %v", e.Path, err)
		return
	}
	b, err := io.ReadAll(h)
	if got := fmt.Sprintf("%x", sha256.Sum256(b)); err != nil || got != w.sum {
		t.Errorf("deleted %s: %d bytes %s, %v; want %s", e.Path, len(b), got, err, w.sum)
	}
}

// checkAll walks the volume: every user file must be in the table too.
func checkAll(t *testing.T, f *FS, want []truth) {
	known := map[string]bool{}
	for _, w := range want {
		known[w.path] = true
	}
	err := fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
			return nil
		}
		if strings.HasPrefix(p, "$") && !strings.HasPrefix(p, "$RECYCLE") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() && !known[p] {
			t.Errorf("not in the table: %s", p)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCorpusDerived(t *testing.T) {
	dir := corpus(t)
	file := raw(t, filepath.Join(dir, "derived", "disk.raw.xz"))
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []truth
	for _, r := range rows(t, filepath.Join(dir, "truth", "derived__files.tsv"), "path", "inode", "sha256", "allocated") {
		want = append(want, truth{path: r[0], inode: r[1], sum: r[2], live: r[3] == "1", size: -1})
	}
	// The partition table is another package's business: look for the volume.
	for off := 0; off+512 <= len(b); off += 512 {
		if string(b[off+3:off+11]) != "NTFS    " || binary.LittleEndian.Uint16(b[off+510:]) != 0xaa55 {
			continue
		}
		f, err := Open(bytes.NewReader(b[off:]), int64(len(b)-off))
		if err != nil {
			t.Logf("at %#x: %v", off, err)
			continue
		}
		for i := range want {
			fi, err := f.Stat(want[i].path)
			if err != nil {
				t.Fatal(err)
			}
			want[i].size = fi.Size()
		}
		compare(t, f, want)
		return
	}
	t.Error("no volume found")
}
