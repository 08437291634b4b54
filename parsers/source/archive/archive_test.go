package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
)

func archiveOf(t testing.TB, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range names {
		f, err := w.Create(name)
		if err == nil && !strings.HasSuffix(name, "/") {
			_, err = f.Write([]byte(strings.Repeat(name, 100)))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestClean(t *testing.T) {
	for _, test := range []struct{ name, want, why string }{
		{"a/b", "a/b", ""},
		{`C\Users\bob`, "C/Users/bob", ""},
		{"./a//b/", "a/b", ""},
		{"C:/Users", "C:/Users", ""},
		{"./", "", ""},
		{"a..b/...", "a..b/...", ""},
		{"/a", "a", ""},
		{`\\server\share\a`, "server/share/a", ""},
		{`\\?\C:\Users`, "C:/Users", ""},
		{"/../a", "", `path leads out of the archive ("..")`},
		{"a/../b", "", `path leads out of the archive ("..")`},
		{"..", "", `path leads out of the archive ("..")`},
		{strings.Repeat("a/", MaxDepth), strings.TrimSuffix(strings.Repeat("a/", MaxDepth), "/"), ""},
		{strings.Repeat("a/", MaxDepth+1), "", "more than 64 directories deep"},
	} {
		if got, why := clean(test.name); got != test.want || why != test.why {
			t.Errorf("clean(%q) = %q, %q; want %q, %q", test.name, got, why, test.want, test.why)
		}
	}
}

func TestDirectoriesKeepTheirFirstSpelling(t *testing.T) {
	b := archiveOf(t, "Users/", "Users/Bob/x", "users/bob/y", "USERS/eve/z", "users/bob/x")
	a, err := Zip(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 10})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range a.Members {
		got = append(got, m.Name)
	}
	if want := "Users Users/Bob/x Users/Bob/y Users/eve/z Users/Bob/x"; strings.Join(got, " ") != want {
		t.Errorf("members %q, want %q", got, want)
	}
}

func TestTooMany(t *testing.T) {
	names := make([]string, 5000)
	for i := range names {
		names[i] = strings.Repeat("n", 200)
	}
	b := archiveOf(t, names...)
	if a, err := Zip(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 5000}); err != nil || len(a.Members) != 5000 {
		t.Errorf("Read = %v, want 5000 members", err)
	}
	// Long before the end of the directory, which is what bounds the memory.
	for _, limit := range []int{4999, 10, 0} {
		if _, err := Zip(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: limit}); !errors.Is(err, ErrTooMany) {
			t.Errorf("Read up to %d = %v, want ErrTooMany", limit, err)
		}
	}
}

func TestCut(t *testing.T) {
	b := archiveOf(t, "a", "b")
	for n := range len(b) {
		_, err := Zip(bytes.NewReader(b[:n]), int64(n), Options{MaxMembers: 10})
		if fe := (*binread.FormatError)(nil); !errors.As(err, &fe) || fe.Off != int64(n) {
			t.Fatalf("Read of %d bytes = %v, want a FormatError at the end", n, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(archiveOf(f, "a", `b\c`, "../d", "e/", "A"))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Zip(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 100})
		if err != nil {
			if fe := (*binread.FormatError)(nil); !errors.As(err, &fe) {
				t.Errorf("%v is not a FormatError", err)
			}
			return
		}
		if len(a.Members)+len(a.Refused) > 100 {
			t.Errorf("%d members", len(a.Members))
		}
		for _, m := range a.Members {
			r, err := m.Open()
			if err != nil {
				continue
			}
			if n, err := io.Copy(io.Discard, io.LimitReader(r, 1<<20)); n > m.Size {
				t.Errorf("%q: %d bytes of %d, %v", m.Name, n, m.Size, err)
			}
			r.Close()
		}
	})
}

func FuzzTar(f *testing.F) {
	for _, h := range []tar.Header{{Name: "C/Users/bob/NTUSER.DAT", Size: 5}, {Name: "../x", Size: 5}, {Name: "l", Typeflag: tar.TypeSymlink, Linkname: "x"}} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if err := w.WriteHeader(&h); err != nil {
			f.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := w.Write([]byte("hello")); err != nil {
				f.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add(sparseTar())
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Tar(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 100})
		if fe := (*binread.FormatError)(nil); err != nil && !errors.As(err, &fe) {
			t.Errorf("error without an offset: %v", err)
		}
		for _, m := range a.Members {
			if m.Dir || m.Size > 1<<20 {
				continue
			}
			r, err := m.Open()
			if err != nil {
				continue
			}
			got, err := io.ReadAll(r)
			if n := m.Present(); int64(len(got)) > m.Size || err == nil && (n != m.Size || int64(len(got)) != n) {
				t.Errorf("%d bytes read, %d present, %d listed: %v", len(got), n, m.Size, err)
			}
		}
	})
}

// sparseTar is an archive with one file of 10,000 bytes, of which only five at
// 4096 are there, in the old format of GNU tar.
func sparseTar() []byte {
	b := make([]byte, 512)
	copy(b, "disk.raw")
	copy(b[100:], "0000644\x000000000\x000000000\x0000000000005\x0000000000000\x00        S")
	copy(b[257:], "ustar  \x00")
	copy(b[386:], "00000010000\x0000000000005\x00")
	copy(b[483:], "00000023420\x00")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	b = append(b, "hello"...)
	return append(b, make([]byte, 512-5+1024)...)
}

// A file whose holes are left out reads as it was.
func TestSparse(t *testing.T) {
	b := sparseTar()
	a, err := Tar(bytes.NewReader(b), int64(len(b)), Options{MaxMembers: 10})
	if err != nil || len(a.Members) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	m := &a.Members[0]
	r, err := m.InPlace()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	want := make([]byte, 10000)
	copy(want[4096:], "hello")
	if err != nil || !bytes.Equal(got, want) || m.Present() != 10000 || m.Packed != 5 {
		t.Errorf("%d bytes, %d present, %d packed, %v", len(got), m.Present(), m.Packed, err)
	}
	if a, err := Tar(bytes.NewReader(b[:514]), 514, Options{MaxMembers: 10}); err == nil && a.Members[0].Present() != 4098 {
		t.Errorf("cut short: %d bytes present", a.Members[0].Present())
	}
}
