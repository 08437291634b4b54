package prefetch

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/prefetch/prefetchtest"
)

func build(t testing.TB, text string) []byte {
	t.Helper()
	b, err := prefetchtest.Build(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const body = `exe=NET.EXE
hash=0xDF44F913
count=7
run=2026-03-04T05:06:07.1234567Z
file=\DEVICE\HARDDISKVOLUME2\WINDOWS\SYSTEM32\NET.EXE
file=\DEVICE\MUP\FS01\FINANCE\BÜCHER.DLL
volume=\DEVICE\HARDDISKVOLUME2
volume=\DEVICE\MUP\FS01\FINANCE
`

func TestVersions(t *testing.T) {
	for _, version := range []int{17, 23, 26, 30, 31} {
		for _, packed := range []string{"no", "yes"} {
			b := build(t, fmt.Sprintf("version=%d\npacked=%s\n%s", version, packed, body))
			p, err := Read(bytes.NewReader(b), int64(len(b)))
			if err != nil || len(p.Problems) > 0 {
				t.Errorf("%d: %v %+v", version, err, p)
				continue
			}
			got := fmt.Sprintln(p.Version, p.Executable, p.Hash, p.RunCount, len(p.Runs), p.Runs[0].Time, p.Files, len(p.Volumes), p.Volumes[1].Device, p.Packed)
			want := fmt.Sprintln(version, "NET.EXE", 0xDF44F913, 7, 1, "2026-03-04 05:06:07.1234567 +0000 UTC", `[\DEVICE\HARDDISKVOLUME2\WINDOWS\SYSTEM32\NET.EXE \DEVICE\MUP\FS01\FINANCE\BÜCHER.DLL]`, 2, `\DEVICE\MUP\FS01\FINANCE`, packed == "yes")
			if got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		}
	}
}

func TestRuns(t *testing.T) {
	text := "version=30\nexe=X.EXE\n"
	for i := range 8 {
		text += fmt.Sprintf("run=2026-03-0%dT00:00:00Z\n", 8-i)
	}
	b := build(t, text)
	p, err := Read(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(p.Runs) != 8 || p.Runs[7].Time.Day() != 1 || p.Runs[1].Off != 136 {
		t.Errorf("%v %+v", err, p)
	}
}

// TestCut cuts a file everywhere: what is missing is told.
func TestCut(t *testing.T) {
	for _, packed := range []string{"no", "yes"} {
		whole := build(t, "packed="+packed+"\n"+body)
		for n := range len(whole) {
			b := whole[:n]
			p, err := Read(bytes.NewReader(b), int64(n))
			if err == nil && len(p.Problems) == 0 && !(packed == "yes" && n >= len(whole)-8) {
				t.Errorf("packed=%s: %d of %d bytes: no problem", packed, n, len(whole))
			}
			if err != nil && binread.Offset(err) < 0 {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	for what, b := range map[string][]byte{
		"huge":           append([]byte("MAM\x04\xff\xff\xff\xff"), make([]byte, 300)...),
		"bomb":           append([]byte("MAM\x04\x00\x00\x00\x01"), make([]byte, 300)...),
		"other method":   []byte("MAM\x03\x00\x01\x00\x00 what"),
		"no codes":       append([]byte("MAM\x04\x00\x01\x00\x00"), make([]byte, 300)...),
		"too many codes": append([]byte("MAM\x04\x00\x01\x00\x00"), bytes.Repeat([]byte{0x11}, 300)...),
		"not one":        []byte("SCCB"),
		"empty":          nil,
	} {
		if p, err := Read(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

// TestCorpus compares prefetch files with what libscca reads.
func TestCorpus(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	table, err := os.ReadFile(filepath.Join(root, "truth", "_prefetch.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(table), "\n"), "\n")[1:]
	if len(lines) == 0 {
		t.Fatal("no rows")
	}
	for _, line := range lines {
		file, want, _ := strings.Cut(line, "\t")
		b, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(p.Problems) > 0 {
			t.Errorf("%s: %v %+v", file, err, p)
			continue
		}
		if len(p.Files) == 0 || len(p.Volumes) == 0 || !strings.HasPrefix(p.Files[0], `\`) {
			t.Errorf("%s: files %q, volumes %v", file, p.Files, p.Volumes)
		}
		got := fmt.Sprintf("%s\t%#x\t%d\t%d", p.Executable, p.Hash, p.Version, p.RunCount)
		for i := range 8 {
			got += "\t"
			if i < len(p.Runs) {
				got += p.Runs[i].Time.Format("2006-01-02T15:04:05.0000000Z")
			}
		}
		if strings.TrimRight(got, "\t") != strings.TrimRight(want, "\t") {
			t.Errorf("%s:\n got %s\nwant %s", file, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(build(f, body))
	f.Add(build(f, "version=17\n"+body))
	f.Add(build(f, "packed=yes\n"+body))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if len(p.Runs) > 8 || len(p.Volumes) > maxVolumes || len(p.Files) > maxFiles {
			t.Errorf("%d runs, %d volumes, %d files", len(p.Runs), len(p.Volumes), len(p.Files))
		}
		for _, e := range p.Problems {
			if binread.Offset(e) < 0 {
				t.Error(e)
			}
		}
	})
}
