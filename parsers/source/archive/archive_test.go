package archive

import (
	"archive/zip"
	"bytes"
	"errors"
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
		{"/a", "", "absolute path"},
		{`\\server\share\a`, "", "absolute path"},
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
	a, err := Read(bytes.NewReader(b), int64(len(b)), 10)
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
	if a, err := Read(bytes.NewReader(b), int64(len(b)), 5000); err != nil || len(a.Members) != 5000 {
		t.Errorf("Read = %v, want 5000 members", err)
	}
	// Long before the end of the directory, which is what bounds the memory.
	for _, limit := range []int{4999, 10, 0} {
		if _, err := Read(bytes.NewReader(b), int64(len(b)), limit); !errors.Is(err, ErrTooMany) {
			t.Errorf("Read up to %d = %v, want ErrTooMany", limit, err)
		}
	}
}

func TestCut(t *testing.T) {
	b := archiveOf(t, "a", "b")
	for n := range len(b) {
		_, err := Read(bytes.NewReader(b[:n]), int64(n), 10)
		if fe := (*binread.FormatError)(nil); !errors.As(err, &fe) || fe.Off != int64(n) {
			t.Fatalf("Read of %d bytes = %v, want a FormatError at the end", n, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(archiveOf(f, "a", `b\c`, "../d", "e/", "A"))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Read(bytes.NewReader(b), int64(len(b)), 100)
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
