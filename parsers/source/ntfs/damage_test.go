package ntfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/ntfs/ntfstest"
)

// recordOf returns the record of the file at path in the image b, and where the
// image has it.
func recordOf(t *testing.T, b []byte, path string) (rec []byte, off int64) {
	t.Helper()
	f := mustOpen(t, b)
	fi, err := f.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	off = f.mft.volumeOffset(int64(fi.Sys().(*Info).Record) * f.geo.record)
	return b[off : off+f.geo.record], off
}

// attributeOf returns the first attribute of a type in a record as it lies on the
// disk. It must not reach over the end of a sector.
func attributeOf(t *testing.T, rec []byte, typ uint32) []byte {
	t.Helper()
	for p := int(binary.LittleEndian.Uint16(rec[20:])); p < 1000; p += int(binary.LittleEndian.Uint32(rec[p+4:])) {
		if binary.LittleEndian.Uint32(rec[p:]) == typ {
			return rec[p:]
		}
	}
	t.Fatalf("no attribute %#x", typ)
	return nil
}

// damaged checks that err tells of damage with a place, not of absence.
func damaged(t *testing.T, what string, err error, want string) {
	t.Helper()
	var fe *binread.FormatError
	if err == nil || errors.Is(err, fs.ErrNotExist) || !errors.As(err, &fe) || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v; want a *binread.FormatError with %q", what, err, want)
	}
}

func hasProblem(f *FS, want string) bool {
	return slices.ContainsFunc(f.Problems(), func(err error) bool { return strings.Contains(err.Error(), want) })
}

func TestBootSector(t *testing.T) {
	v := sample()
	good := mustBuild(t, v)
	f := mustOpen(t, good)
	mft, mirr := f.geo.mft*f.geo.cluster, f.geo.mirr*f.geo.cluster
	for _, c := range []struct {
		name    string
		damage  func(b []byte)
		problem string
		fail    string
	}{
		{"boot sector wiped", func(b []byte) { clear(b[:512]) }, "its backup", ""},
		{"boot sector leads nowhere", func(b []byte) { binary.LittleEndian.PutUint64(b[48:], 7); binary.LittleEndian.PutUint64(b[56:], 8) }, "its backup", ""},
		{"both wiped", func(b []byte) { clear(b[:512]); clear(b[len(b)-512:]) }, "", "OEM ID"},
		{"stale backup", func(b []byte) { clear(b[:512]); b[len(b)-512+41]++ }, "", "OEM ID"},
		{"first MFT record wiped", func(b []byte) { clear(b[mft : mft+1024]) }, "$MFTMirr used", ""},
		{"first MFT record torn", func(b []byte) { b[mft+1023]++ }, "torn", ""},
		{"both MFT records wiped", func(b []byte) { clear(b[mft : mft+1024]); clear(b[mirr : mirr+1024]) }, "", "FILE"},
		{"volume record wiped", func(b []byte) { clear(b[mft+3*1024 : mft+4*1024]) }, "copy of record 3 in $MFTMirr used", ""},
		{"cluster of 3 sectors", func(b []byte) { b[13] = 3 }, "sectors per cluster", ""},
		{"record size", func(b []byte) { b[64] = 0x80 }, "size of MFT records", ""},
		{"$UpCase wiped", func(b []byte) { clear(b[mft+10*1024 : mft+11*1024]) }, "compared as in Unicode", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := slices.Clone(good)
			c.damage(b)
			f, err := Open(bytes.NewReader(b), int64(len(b)))
			if c.fail != "" {
				damaged(t, "open", err, c.fail)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !hasProblem(f, c.problem) {
				t.Errorf("problems %v lack %q", f.Problems(), c.problem)
			}
			for _, p := range f.Problems() {
				if w := (*Warning)(nil); !errors.As(p, &w) {
					t.Errorf("%v is not a warning", p)
				}
			}
			checkFile(t, f, v.Files[0])
			if f.Label() != "Evidence" {
				t.Errorf("label %q", f.Label())
			}
		})
	}
}

func TestOpenNothing(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 100), make([]byte, 512), make([]byte, 70_000)} {
		if _, err := Open(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%d zeros opened", len(b))
		}
	}
	if _, err := Open(bytes.NewReader(nil), -1); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("negative size: %v", err)
	}
}

func TestDamagedDirectory(t *testing.T) {
	b := mustBuild(t, sample())
	i := 0
	for n := 0; n < 2; n++ { // the second block of leaves of the directory many
		i += bytes.Index(b[i:], []byte("INDX")) + 4
		for !bytes.Contains(b[i:i+4092], wide("file 0")) {
			i += bytes.Index(b[i:], []byte("INDX")) + 4
		}
	}
	b[i-4+4095]++
	f := mustOpen(t, b)
	list, err := f.ReadDir("many")
	damaged(t, "ReadDir", err, "torn")
	if len(list) < 500 || len(list) >= 700 {
		t.Errorf("%d entries of 700", len(list))
	}
	if !hasProblem(f, "torn") {
		t.Errorf("problems: %v", f.Problems())
	}
	present := map[string]bool{}
	for _, e := range list {
		present[e.Name()] = true
	}
	for i := range 700 {
		name := fmt.Sprintf("file %03d with a longer name.log", i)
		_, err := f.Open("many/" + name)
		if present[name] && err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !present[name] {
			damaged(t, name, err, "not found in a damaged directory")
		}
	}
	h, err := f.Open("many")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for {
		l, err := h.(fs.ReadDirFile).ReadDir(100)
		n += len(l)
		if err == nil {
			continue
		}
		if err != io.EOF {
			damaged(t, "ReadDir by parts", err, "torn")
		} else {
			t.Error("ReadDir by parts hides the damage")
		}
		break
	}
	if n != len(list) {
		t.Errorf("%d entries by parts, %d at once", n, len(list))
	}
}

func wide(s string) (b []byte) {
	for _, c := range s {
		b = binary.LittleEndian.AppendUint16(b, uint16(c))
	}
	return b
}

func TestDamagedFile(t *testing.T) {
	v := sample()
	good := mustBuild(t, v)
	const ntuser, list = "Users/alice/NTUSER.DAT", "list.bin"
	le := binary.LittleEndian
	for _, c := range []struct {
		name, path string
		damage     func(rec []byte)
		want       string
	}{
		{"torn", ntuser, func(r []byte) { r[511]++ }, "torn"},
		{"wiped", ntuser, func(r []byte) { clear(r) }, "signature"},
		{"used again", ntuser, func(r []byte) { r[16]++ }, "sequence number 2"},
		{"free", ntuser, func(r []byte) { r[22] = 0 }, "not in use"},
		{"another record", ntuser, func(r []byte) { r[44]++ }, "it says it is record"},
		{"a directory", ntuser, func(r []byte) { r[22] |= 2 }, "whether it is a directory"},
		{"used size", ntuser, func(r []byte) { le.PutUint32(r[24:], 1<<31) }, "used size"},
		{"attribute length", ntuser, func(r []byte) { le.PutUint32(attributeOf(t, r, 0x80)[4:], 8) }, "length 8"},
		{"run header", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[64] = 0x99 }, "mapping pairs"},
		{"run outside", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[67] = 0x7f }, "from the last one"},
		{"size beyond runs", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[51] = 1 }, "but clusters for"},
		{"last cluster", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[24]++ }, "extent ends"},
		{"size", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[55] = 0x80 }, "initialised"},
		{"EFS", ntuser, func(r []byte) { attributeOf(t, r, 0x80)[13] = 0x40 }, "EFS"},
		{"unit", "packed.bin", func(r []byte) { attributeOf(t, r, 0x80)[34] = 60 }, "compression unit"},
		{"list entry", list, func(r []byte) { attributeOf(t, r, 0x20)[24+4] = 3 }, "attribute list"},
		{"record in list", list, func(r []byte) { attributeOf(t, r, 0x20)[24+32*3+16]++ }, "extent"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := slices.Clone(good)
			rec, _ := recordOf(t, b, c.path)
			c.damage(rec)
			f := mustOpen(t, b)
			_, err := f.Open(c.path)
			damaged(t, c.path, err, c.want)
			if _, err := fs.ReadFile(f, "case.txt"); err != nil {
				t.Errorf("another file: %v", err)
			}
		})
	}
}

func TestMissingEnd(t *testing.T) {
	v := sample()
	b := mustBuild(t, v)
	b = b[:len(b)-len(b)/8]
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !hasProblem(f, "are missing") {
		t.Errorf("problems: %v", f.Problems())
	}
	checkFile(t, f, v.Files[0])
	// A file in the part that is missing fails where that begins.
	f.size, f.r = 200<<10, bytes.NewReader(b[:200<<10])
	in := &stream{f: f, size: 1 << 20, init: 1 << 20, runs: []run{{0, 40, 256}}, field: "$DATA"}
	p := make([]byte, 64<<10)
	n, err := in.ReadAt(p, 0)
	if n != 40<<10 || binread.Offset(err) != 200<<10 || !errors.Is(err, binread.ErrTruncated) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := in.ReadAt(p[:40<<10], 0); n != 40<<10 || err != nil {
		t.Errorf("the part that is there: %d bytes, %v", n, err)
	}
}

// TestDamagedUnit puts an end mark into compressed data: the rest must not read
// as zeros.
func TestDamagedUnit(t *testing.T) {
	data := pattern(1, 120_000)
	b := mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{{Path: "f", Data: data, Compressed: true}}})
	h, err := mustOpen(t, b).Open("f")
	if err != nil {
		t.Fatal(err)
	}
	off := h.(*File).r.(*stream).runs[0].lcn * 4096
	n := int64(binary.LittleEndian.Uint16(b[off:])&0xfff) + 3
	clear(b[off+n : off+n+2])
	got, err := fs.ReadFile(mustOpen(t, b), "f")
	damaged(t, "end mark", err, "LZNT1")
	if len(got) > 0 {
		t.Errorf("%d bytes read", len(got))
	}
	p := make([]byte, 1000)
	h, err = mustOpen(t, b).Open("f")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := h.(*File).ReadAt(p, 70_000); n != len(p) || err != nil || !bytes.Equal(p, data[70_000:71_000]) {
		t.Errorf("the next unit: %d bytes, %v", n, err)
	}
}

// TestIndexBitmap makes the marks of used blocks and the tree disagree.
func TestIndexBitmap(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(bitmap, root []byte)
	}{
		{"a block unmarked", "not marked as used", func(b, _ []byte) { b[0] &^= 1 }},
		{"all blocks unmarked", "not marked as used", func(b, _ []byte) { clear(b[:8]) }},
		{"a large index called small", "", func(_, r []byte) { r[16+12] = 0 }},
		{"a child elsewhere", "leads to cluster", func(_, r []byte) {
			n := int(binary.LittleEndian.Uint32(r[20:]))
			r[16+n-8] = 99
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := small(t)
			rec, _ := recordOf(t, b, "many")
			bitmap, root := attributeOf(t, rec, 0xb0), attributeOf(t, rec, 0x90)
			c.damage(bitmap[24+8:], root[24+8:])
			f := mustOpen(t, b)
			list, err := f.ReadDir("many")
			if c.want != "" {
				damaged(t, "ReadDir", err, c.want)
			} else if err != nil {
				t.Error(err)
			}
			if len(list) != 41 {
				t.Errorf("%d entries of 41", len(list))
			}
			if _, err := f.Open("many/NAME~39"); err != nil {
				t.Error(err)
			}
		})
	}
}
