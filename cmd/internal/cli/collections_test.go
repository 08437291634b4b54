package cli

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/source/ntfs/ntfstest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// A tree is a set of files by slash-separated path.
type tree map[string][]byte

// The files of the evidence of every script, by their paths on drive C.
func aliceFiles(t *testing.T) tree {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ev")
	must(t, writeEvidence(dir))
	files := tree{}
	for name := range evidenceTexts {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		must(t, err)
		files[strings.TrimPrefix(name, "C/")] = b
	}
	return files
}

// at moves files to other paths.
func (f tree) at(path func(string) string) tree {
	moved := tree{}
	for name, b := range f {
		moved[path(name)] = b
	}
	return moved
}

func (f tree) below(dir string) tree { return f.at(func(p string) string { return dir + p }) }

// with adds files; text is their content.
func (f tree) with(text map[string]string) tree {
	f = maps.Clone(f)
	for name, s := range text {
		f[name] = []byte(s)
	}
	return f
}

// without leaves out the files whose path has that end.
func (f tree) without(end string) tree {
	f = maps.Clone(f)
	maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasSuffix(name, end) })
	return f
}

func (f tree) write(t *testing.T, dir string) {
	t.Helper()
	for name, b := range f {
		p := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, b, 0o644))
		at := time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
		must(t, os.Chtimes(p, at, at))
	}
}

func (f tree) zip(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		out, err := w.Create(name)
		must(t, err)
		_, err = out.Write(f[name])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func (f tree) tar(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		must(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(f[name])), ModTime: time.Unix(1772712000, 0)}))
		_, err := w.Write(f[name])
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func (f tree) disk(t *testing.T) []byte {
	t.Helper()
	v := ntfstest.Volume{Size: imageSize}
	for _, name := range slices.Sorted(maps.Keys(f)) {
		v.Files = append(v.Files, ntfstest.File{Path: name, Data: f[name]})
	}
	b, err := v.Build()
	must(t, err)
	return partitioned(b)
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

func zstandard(t *testing.T, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	must(t, err)
	return w.EncodeAll(b, nil)
}

// sevenZip is a 7z archive (7zFormat.txt) that stores its members as they are.
func (f tree) sevenZip(t *testing.T) []byte {
	t.Helper()
	number := func(b []byte, n int) []byte { // REAL_UINT64 with its mark
		return binary.LittleEndian.AppendUint64(append(b, 0xff), uint64(n))
	}
	var data, names, sizes, sums []byte
	order := slices.Sorted(maps.Keys(f))
	for i, name := range order {
		data = append(data, f[name]...)
		names = append(append(names, utf16Bytes(name)...), 0, 0)
		sums = binary.LittleEndian.AppendUint32(sums, crc32.ChecksumIEEE(f[name]))
		if i < len(order)-1 {
			sizes = number(sizes, len(f[name]))
		}
	}
	h := []byte{0x01, 0x04, 0x06, 0x00, 0x01, 0x09} // header, streams, one packed stream from 0 on
	h = append(number(h, len(data)), 0x00)
	h = append(h, 0x07, 0x0b, 0x01, 0x00, 0x01, 0x01, 0x00, 0x0c) // one folder of one coder, copy
	h = append(number(h, len(data)), 0x00)
	h = number(append(h, 0x08, 0x0d), len(order)) // its parts
	h = append(append(h, 0x09), sizes...)
	h = append(append(h, 0x0a, 0x01), sums...)
	h = append(h, 0x00, 0x00)
	h = number(append(h, 0x05), len(order)) // files
	h = number(append(h, 0x11), len(names)+1)
	h = append(append(append(h, 0x00), names...), 0x00, 0x00)
	start := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	start = binary.LittleEndian.AppendUint64(start, uint64(len(h)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE(h))
	out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return slices.Concat(out, start, data, h)
}

// A collected case is one way in which collectors lay out the same evidence.
type collectedCase struct {
	name  string
	files func(t *testing.T, alice tree) tree // what lies in the folder of the case
	point string                              // what of it to point at; "" is the folder
	args  []string
	code  int
	paths func(string) string // paths that the rows give, if they differ from those on the drive
	// lacks says of the kinds of evidence that differ from a plain folder what
	// coverage says: class, then the reasons of the holes; "" for no row.
	lacks    map[string]string
	partial  bool     // not all of the evidence is there, or more than that
	problems []string // of each problem a part of its text, in any order
	hosts    string   // WS01 alone if ""
}

func TestCollections(t *testing.T) {
	alice := aliceFiles(t)
	plain := t.TempDir()
	alice.write(t, plain)
	wantRows, wantCoverage := rowsOf(t, 0, plain), coverageOf(t, 0, plain)
	if len(wantRows) < 5 {
		t.Fatalf("%d rows", len(wantRows))
	}
	for _, c := range slices.Concat(packedCases(), kapeCases(), velociraptorCases(t), otherCases()) {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			c.files(t, alice).write(t, dir)
			args := append([]string{filepath.Join(dir, c.point)}, c.args...)
			want := wantRows
			if c.paths != nil {
				want = dropPaths(want)
			}
			got := rowsOf(t, c.code, args...)
			if c.paths != nil {
				got = dropPaths(got)
			}
			hosts := map[string]bool{}
			for _, r := range got {
				hosts[r["host"].(string)] = true
			}
			if d := cmp.Diff(orWS01(c.hosts), strings.Join(slices.Sorted(maps.Keys(hosts)), " ")); d != "" {
				t.Errorf("hosts (-want +got):\n%s", d)
			}
			coverage := coverageOf(t, c.code, args...)
			if !c.partial {
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("rows (-folder +got):\n%s", d)
				}
				for kind, text := range wantCoverage {
					if _, ok := c.lacks[kind]; !ok && coverage[kind] != text {
						t.Errorf("coverage of %s: %q, of the folder %q", kind, coverage[kind], text)
					}
				}
			}
			for kind, text := range c.lacks {
				if coverage[kind] != text {
					t.Errorf("coverage of %s: %q, want %q", kind, coverage[kind], text)
				}
			}
			checkProblems(t, c.problems, args)
			checkTree(t, got, args)
		})
	}
}

func orWS01(hosts string) string {
	if hosts == "" {
		return "WS01"
	}
	return hosts
}

// rowsOf are the rows of the timeline without the names of source and volume.
func rowsOf(t *testing.T, code int, args ...string) (rows []map[string]any) {
	t.Helper()
	for _, row := range jsonRows(t, code, append([]string{"timeline", "--context", "all"}, args...)...) {
		for _, p := range append(row["also_at"].([]any), row["provenance"]) {
			p.(map[string]any)["source"] = ""
			if s := p.(map[string]any)["snapshot"].(string); s == "" {
				p.(map[string]any)["volume"] = ""
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// dropPaths takes out what depends on the spelling of paths.
func dropPaths(rows []map[string]any) (out []map[string]any) {
	for _, r := range rows {
		r = maps.Clone(r)
		delete(r, "id")
		delete(r, "provenance")
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b map[string]any) int {
		return strings.Compare(fmt.Sprint(a["time"], a["summary"]), fmt.Sprint(b["time"], b["summary"]))
	})
	return out
}

func jsonRows(t *testing.T, code int, args ...string) (rows []map[string]any) {
	t.Helper()
	got, stdout, stderr := runApp(append(args, "--format", "jsonl")...)
	if got != code && code >= 0 {
		t.Errorf("%v: exit %d, want %d: %s", args, got, code, stderr)
	}
	for line := range strings.Lines(stdout) {
		var row map[string]any
		must(t, json.Unmarshal([]byte(line), &row))
		rows = append(rows, row)
	}
	return rows
}

// coverageOf says for each kind of evidence its class and the reasons of holes.
func coverageOf(t *testing.T, code int, args ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, r := range jsonRows(t, code, append([]string{"coverage"}, args...)...) {
		text := r["class"].(string)
		for _, h := range r["holes"].([]any) {
			text += " " + h.(map[string]any)["reason"].(string)
		}
		out[r["evidence"].(string)] = text
	}
	return out
}

func checkProblems(t *testing.T, want, args []string) {
	t.Helper()
	_, stdout, _ := runApp(append([]string{"problems", "--format", "jsonl"}, args...)...)
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if stdout == "" {
		lines = nil
	}
	for _, w := range want {
		i := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, w) })
		if i < 0 {
			t.Errorf("no problem says %q:\n%s", w, stdout)
			continue
		}
		lines = slices.Delete(lines, i, i+1)
	}
	if len(lines) > 0 {
		t.Errorf("problems that were not expected:\n%s", strings.Join(lines, "\n"))
	}
}

// checkTree holds that the ids of the tree of sources are those of the rows.
func checkTree(t *testing.T, rows []map[string]any, args []string) {
	t.Helper()
	_, stdout, _ := runApp(append([]string{"sources", "--format", "jsonl"}, args...)...)
	ids := map[string]bool{}
	var walk func(n map[string]any)
	walk = func(n map[string]any) {
		ids[n["id"].(string)] = true
		for _, c := range n["children"].([]any) {
			walk(c.(map[string]any))
		}
	}
	for line := range strings.Lines(stdout) {
		var n map[string]any
		must(t, json.Unmarshal([]byte(line), &n))
		walk(n)
	}
	for _, r := range jsonRows(t, -1, append([]string{"timeline", "--context", "all"}, args...)...) {
		p := r["provenance"].(map[string]any)
		for _, name := range []string{"volume", "snapshot"} {
			if id := p[name].(string); !ids[id] && id != "" {
				t.Errorf("%s %q of a row is not in the tree", name, id)
			}
		}
	}
	if len(rows) == 0 && len(ids) == 0 {
		t.Error("no tree")
	}
}
