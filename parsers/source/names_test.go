package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestZipNames: a name that nothing calls UTF-8 is in the code page of DOS, unless
// it is UTF-8 or the archive was made where no code page is fixed.
func TestZipNames(t *testing.T) {
	const dos, unix = 0, 3
	const path = "Users/%/NTUSER.DAT"
	for _, test := range []struct {
		name  string // as it is stored
		host  uint16
		field string // the name in an extra field, if any
		of    string // for which stored name; "" for this one
		want  string
	}{
		{name: "j\x94rg", host: dos, want: "jörg"},
		{name: "jörg", host: dos, want: "jörg"},
		{name: "j\xf6rg", host: unix, want: `j\xf6rg`},
		{name: "j?rg", host: dos, field: "jőrg", want: "jőrg"},
		{name: "j?rg", host: dos, field: "jőrg", of: "other", want: "j?rg"},
		{name: "j\x94rg", host: dos, field: "\xff", want: "jörg"},
	} {
		at := func(name string) string { return strings.Replace(path, "%", name, 1) }
		h := &zip.FileHeader{Name: at(test.name), NonUTF8: true, CreatorVersion: test.host << 8}
		if test.field != "" {
			of := test.name
			if test.of != "" {
				of = test.of
			}
			h.Extra = binary.LittleEndian.AppendUint16([]byte{0x75, 0x70}, uint16(5+len(at(test.field))))
			h.Extra = binary.LittleEndian.AppendUint32(append(h.Extra, 1), crc32.ChecksumIEEE([]byte(at(of))))
			h.Extra = append(h.Extra, at(test.field)...)
		}
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, user); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		ev := open(t, zipFileOf(t, b.Bytes()), Options{})
		if got := describe(ev); !slices.Contains(got, "  "+at(test.want)+" hive expected") {
			t.Errorf("%q, made on %d:\n%s", test.name, test.host, strings.Join(got, "\n"))
		}
	}
}

// TestTarNames: a further name of a file that is in the archive is read, and an
// absolute one is a name below the top.
func TestTarNames(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "/mnt/C/Users/bob/NTUSER.DAT", Size: int64(len(user))},
		{Name: "/mnt/VSS1/Users/bob/NTUSER.DAT", Typeflag: tar.TypeLink, Linkname: "/mnt/C/Users/bob/NTUSER.DAT"},
		{Name: "/mnt/VSS2/Users/bob/NTUSER.DAT", Typeflag: tar.TypeLink, Linkname: "mnt/VSS1/Users/bob/NTUSER.DAT"},
		{Name: "/mnt/C/Users/eve/NTUSER.DAT", Typeflag: tar.TypeLink, Linkname: "/mnt/later"},
		{Name: "/mnt/C/Users/mal/NTUSER.DAT", Typeflag: tar.TypeSymlink, Linkname: "/mnt/C/Users/bob/NTUSER.DAT"},
	} {
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, user); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ev := open(t, save(t, "case.tar", b.Bytes()), Options{})
	wantLines(t, ev,
		`volume id="case.tar!mnt/C" root="mnt/C" label="mnt" tar windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		`  warning "Users/eve/NTUSER.DAT" @-1: member left out: link to "/mnt/later"`,
		`  warning "Users/mal/NTUSER.DAT" @-1: member left out: link to "/mnt/C/Users/bob/NTUSER.DAT"`,
		`volume id="case.tar!mnt/VSS1" root="mnt/VSS1" label="mnt" tar windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		`  warning "" @-1: is a shadow copy; the collection does not tell when it was made`,
		`volume id="case.tar!mnt/VSS2" root="mnt/VSS2" label="mnt" tar windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		`  warning "" @-1: is a shadow copy; the collection does not tell when it was made`,
		`warning "case.tar!/mnt/C/Users/bob/NTUSER.DAT" @-1: absolute path: read as if it were below the top of the archive, as all such paths are (3 in all)`)
	for _, v := range ev.Volumes {
		for _, f := range v.Files {
			if readAll(t, f) != user {
				t.Errorf("%s: %s differs", v.ID, f.Path)
			}
		}
	}
}
