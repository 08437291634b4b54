package ntfstest_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/ntfs/ntfstest"
)

func TestDeterministic(t *testing.T) {
	v := ntfstest.Volume{Label: "x", MFTRuns: 5}
	for i := range 300 {
		v.Files = append(v.Files, ntfstest.File{Path: fmt.Sprintf("dir %d/file %d", i%7, i), Data: bytes.Repeat([]byte{byte(i)}, i*40), Fragments: i % 9, Deleted: i%11 == 0})
	}
	first, err := v.Build()
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b, err := v.Build()
		if err != nil || !bytes.Equal(b, first) {
			t.Fatalf("another image of %d bytes, %v", len(b), err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		v    ntfstest.Volume
		want string
	}{
		{"cluster", ntfstest.Volume{Cluster: 3000}, "power of two"},
		{"too small", ntfstest.Volume{Size: 1 << 20, Files: []ntfstest.File{{Path: "a", Data: make([]byte, 2<<20)}}}, "too small"},
		{"no name", ntfstest.Volume{Files: []ntfstest.File{{Path: ""}}}, "not one of a file"},
		{"above the root", ntfstest.Volume{Files: []ntfstest.File{{Path: "../a/.."}}}, "not one of a file"},
		{"long name", ntfstest.Volume{Files: []ntfstest.File{{Path: strings.Repeat("a", 256)}}}, "not one of a file"},
		{"twice", ntfstest.Volume{Files: []ntfstest.File{{Path: "a"}, {Path: "a"}}}, "twice"},
		{"system file", ntfstest.Volume{Files: []ntfstest.File{{Path: "$MFT"}}}, "twice"},
		{"file as directory", ntfstest.Volume{Files: []ntfstest.File{{Path: "a"}, {Path: "a/b"}}}, "is a file"},
		{"MFT in too many runs", ntfstest.Volume{Cluster: 512, MFTRuns: 5000, Files: make5000()}, "too many"},
	} {
		if _, err := c.v.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func make5000() (files []ntfstest.File) {
	for i := range 5000 {
		files = append(files, ntfstest.File{Path: fmt.Sprint(i)})
	}
	return files
}

// TestSizes reads back directories of every size around the limits of a node.
func TestSizes(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 10, 38, 39, 40, 41, 42, 43, 80, 81, 82, 1500} {
		var v ntfstest.Volume
		for i := range n {
			v.Files = append(v.Files, ntfstest.File{Path: fmt.Sprintf("d/%d", i)})
		}
		v.Files = append(v.Files, ntfstest.File{Path: "d", Dir: true})
		b, err := v.Build()
		if err != nil {
			t.Fatal(err)
		}
		f, err := ntfs.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		if list, err := fs.ReadDir(f, "d"); err != nil || len(list) != n || len(f.Problems()) > 0 {
			t.Errorf("%d files: %d read, %v, %v", n, len(list), err, f.Problems())
		}
	}
}
