package ntfs

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"testing"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

func TestReparse(t *testing.T) {
	point := func(tag uint32, data ...byte) []byte {
		b := binary.LittleEndian.AppendUint32(nil, tag)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(data)))
		return append(append(b, 0, 0), data...)
	}
	name := wide(`\??\C:\Users`)
	junction := append([]byte{0, 0, byte(len(name)), 0, byte(len(name) + 2), 0, 0, 0}, name...)
	f := mustOpen(t, mustBuild(t, ntfstest.Volume{Files: []ntfstest.File{
		{Path: "Documents and Settings", Dir: true, Reparse: point(tagMountPoint, junction...)},
		{Path: "placeholder", Data: make([]byte, 9000), Attributes: attributeRecall, Reparse: point(0x9000701a, 1, 2)},
		{Path: "hydrated", Data: []byte("local"), Reparse: point(0x9000601a, 1, 2), Streams: []ntfstest.Stream{{Name: "s", Data: []byte("x")}}},
		{Path: "dedup", Data: make([]byte, 10), Reparse: point(0x80000013, 1), Streams: []ntfstest.Stream{{Name: "s", Data: []byte("x")}}},
		{Path: "unknown", Reparse: point(0x80001234)},
	}}))
	for _, c := range []struct{ path, reparse, fail string }{
		{"Documents and Settings", `mount point or junction to \??\C:\Users`, ""},
		{"placeholder", "cloud file (OneDrive or alike)", "content not on this disk"},
		{"hydrated", "cloud file (OneDrive or alike)", ""},
		{"dedup", "deduplicated file", "deduplicated file"},
		{"unknown", "reparse point 0x80001234", "reparse point 0x80001234"},
	} {
		fi, err := f.Stat(c.path)
		if err != nil || fi.Sys().(*Info).Reparse != c.reparse {
			t.Errorf("%s: %+v, %v", c.path, fi, err)
		}
		_, err = f.Open(c.path)
		if c.fail == "" && err != nil {
			t.Errorf("%s: %v", c.path, err)
		} else if c.fail != "" {
			damaged(t, c.path, err, c.fail)
			if !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("%s: %v does not wrap errors.ErrUnsupported", c.path, err)
			}
		}
	}
	_, err := f.Open("Documents and Settings/alice/NTUSER.DAT")
	damaged(t, "through a junction", err, `to \??\C:\Users`)
	for _, p := range []string{"dedup:s", "hydrated:s"} {
		if b, err := fs.ReadFile(f, p); err != nil || string(b) != "x" {
			t.Errorf("%s: %q, %v", p, b, err)
		}
	}
}

func TestDecodeName(t *testing.T) {
	for in, want := range map[string]string{
		"a\x00": "a", ".\x00": `\x2e`, ".\x00.\x00": `\x2e\x2e`, "a\x00/\x00b\x00": `a\x2fb`, "\x00\x00": `\x00`, "\\\x00": `\x5c`, ":\x00": `\x3a`,
		"\x00\xd8": `\ud800`, "\x35\xd8\xb3\xdc": "𝒳", "\x35\xd8a\x00": `\ud835a`, "\xb3\xdc\x35\xd8": `\udcb3\ud835`,
	} {
		if got := decodeName([]byte(in)); got != want {
			t.Errorf("%x: %q, want %q", in, got, want)
		}
		if !fs.ValidPath(decodeName([]byte(in))) {
			t.Errorf("%x: not a valid path", in)
		}
	}
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []byte
		want  []run
		fail  string
	}{
		{"empty", []byte{0}, nil, ""},
		{"one", []byte{0x11, 5, 9, 0}, []run{{0, 9, 5}}, ""},
		{"back and a hole", []byte{0x11, 5, 90, 0x01, 3, 0x11, 2, 0xb0, 0}, []run{{0, 90, 5}, {5, -1, 3}, {8, 10, 2}}, ""},
		{"neighbours", []byte{0x11, 5, 9, 0x11, 2, 5}, []run{{0, 9, 7}}, ""},
		{"no length", []byte{0x10, 5, 0}, nil, "header"},
		{"cut", []byte{0x21, 5, 0}, nil, "header"},
		{"length 0", []byte{0x11, 0, 9, 0}, nil, "run of 0"},
		{"negative length", []byte{0x11, 0xff, 9, 0}, nil, "run of -1"},
		{"before the volume", []byte{0x11, 1, 0xff, 0}, nil, "lie outside"},
		{"behind the volume", []byte{0x21, 1, 0xe8, 0x03, 0}, nil, "lie outside"},
		{"far", []byte{0x81, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0}, nil, "from the last one"},
		{"too long", []byte{0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0}, nil, "run of"},
	} {
		got, err := appendRuns(nil, c.pairs, 0, 1000, 0)
		if c.fail != "" {
			damaged(t, c.name, err, c.fail)
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
