package ntfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

// TestEndlessTree makes a directory an entry of its own child.
func TestEndlessTree(t *testing.T) {
	b := mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{{Path: "a/b", Dir: true}, {Path: "a/b/c", Dir: true}}})
	recA, _ := recordOf(t, b, "a")
	recB, _ := recordOf(t, b, "a/b")
	num := binary.LittleEndian.Uint32(recA[44:])
	root := attributeOf(t, recB, 0x90)
	at := 24 + 8 + 32 // header, "$I30", headers of root and node
	if string(root[at+16+66:at+16+68]) != "c\x00" {
		t.Fatalf("entry not found in %x", root[:200])
	}
	binary.LittleEndian.PutUint32(root[at:], num) // a/b/c is a
	f := mustOpen(t, b)
	n := 0
	var failed error
	err := fs.WalkDir(f, ".", func(p string, d fs.DirEntry, err error) error {
		if n++; n > 1000 {
			return errors.New("endless")
		}
		if err != nil {
			failed = err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	damaged(t, "a/b/c", failed, "does not have the name")
}

// A brokenReader fails where a disk has bad sectors.
type brokenReader struct {
	r          io.ReaderAt
	begin, end int64
}

var errSector = errors.New("bad sector")

func (b brokenReader) ReadAt(p []byte, off int64) (int, error) {
	if off >= b.end || off+int64(len(p)) <= b.begin {
		return b.r.ReadAt(p, off)
	}
	if off >= b.begin {
		return 0, errSector
	}
	n, err := b.r.ReadAt(p[:b.begin-off], off)
	if err == nil {
		err = errSector
	}
	return n, err
}

// TestBadSectors loses two MFT records: those around them are still found.
func TestBadSectors(t *testing.T) {
	v := sample()
	b := mustBuild(t, v)
	_, off := recordOf(t, b, "Users/alice/NTUSER.DAT")
	r := brokenReader{bytes.NewReader(b), off + 512, off + 1536}
	f, err := Open(r, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Open("Users/alice/NTUSER.DAT")
	damaged(t, "file", err, "bad sector")
	gone, bad := 0, 0
	for e, err := range f.Deleted() {
		switch {
		case errors.Is(err, errSector):
			bad++
		case err != nil:
			t.Error(err)
		case e.Path != "":
			gone++
		}
	}
	want := 0
	for _, w := range v.Files {
		if w.Deleted {
			want++
		}
	}
	if gone != want || bad != 2 {
		t.Errorf("%d files deleted, %d records lost; want %d and 2", gone, bad, want)
	}
}

// TestCutMFT reads what is left of the MFT in a cut image.
func TestCutMFT(t *testing.T) {
	v := sample()
	v.MFTRuns = 20
	b := mustBuild(t, v)
	f := mustOpen(t, b)
	end := f.mft.runs[10].lcn * f.geo.cluster
	cut, err := Open(bytes.NewReader(b[:end]), end)
	if err != nil {
		t.Fatal(err)
	}
	gone, bad := 0, 0
	for e, err := range cut.Deleted() {
		if err != nil {
			damaged(t, "record", err, "truncated")
			bad++
		} else if e.Path != "" {
			gone++
		}
	}
	if bad != 10 || gone == 0 { // one for each run that is missing
		t.Errorf("%d errors, %d files", bad, gone)
	}
}

// TestLostExtent has a file lose one of its MFT records: the rest is told to be
// incomplete, and no part of the content passes for the whole.
func TestLostExtent(t *testing.T) {
	b := mustBuild(t, sample())
	f := mustOpen(t, b)
	fi, err := f.Stat("list.bin")
	if err != nil {
		t.Fatal(err)
	}
	in, err := f.inode(fi.Sys().(*Info).Record)
	if err != nil {
		t.Fatal(err)
	}
	last := slices.MaxFunc(in.attrs, func(a, b attribute) int { return int(a.start - b.start) })
	clear(b[last.off&^1023 : last.off&^1023+1024])
	f = mustOpen(t, b)
	fi, err = f.Stat("list.bin")
	if err != nil {
		t.Fatal(err)
	}
	damaged(t, "Damage", fi.Sys().(*Info).Damage, "signature")
	if _, err = f.Open("list.bin"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if _, err = f.Open("list.bin:stream"); !errors.Is(err, fs.ErrNotExist) { // the list is whole and does not name it
		t.Errorf("stream: %v", err)
	}
}

// TestDeepTree stops at a depth that Windows does not reach.
func TestDeepTree(t *testing.T) {
	p := strings.TrimSuffix(strings.Repeat("d/", 600), "/")
	f := mustOpen(t, mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{{Path: p, Dir: true}}}))
	if _, err := f.Stat(p[:2*400-1]); err != nil {
		t.Error(err)
	}
	_, err := f.Stat(p)
	damaged(t, "600 levels", err, "deeper than")
}

// TestTwoNames has a directory stand twice in another: no tree may grow by that.
func TestTwoNames(t *testing.T) {
	b := mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{{Path: "a/b", Dir: true}, {Path: "a/c", Dir: true}}})
	rec, _ := recordOf(t, b, "a")
	recB, _ := recordOf(t, b, "a/b")
	root := attributeOf(t, rec, 0x90)
	at := 24 + 8 + 32 + 16 + 72 // the second entry
	if string(root[at+16+66:at+16+68]) != "c\x00" {
		t.Fatalf("entry not found in %x", root[:300])
	}
	copy(root[at:at+4], recB[44:48])
	f := mustOpen(t, b)
	list, err := f.ReadDir("a")
	if len(list) != 1 {
		t.Errorf("%v", list)
	}
	damaged(t, "ReadDir", err, "second name")
}
