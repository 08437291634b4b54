package usn

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/usn/usntest"
)

const journalText = `at 1073741824
2026-03-02T09:40:31.1234567Z 40-1 39-2 FileCreate|Close Security.evtx
2026-03-02T09:40:32Z 41-65535 39-2 FileDelete|Close ConsoleHost_history.txt
v3
2026-03-02T09:40:33Z 42-1 5-5 RenameOldName Jürgens Datei.lnk
`

func build(t testing.TB, text string) []byte {
	t.Helper()
	b, err := usntest.Build(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines are the records and errors of b.
func lines(r io.ReaderAt, size int64) (out []string) {
	for rec, err := range Read(r, size) {
		if err != nil {
			out = append(out, "error "+err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("@%d+%d usn %d %s %d-%d in %d-%d %#x %s", rec.Off, rec.Len, rec.USN, rec.Time.Format(time.RFC3339Nano),
			rec.File&(1<<48-1), rec.File>>48, rec.Parent&(1<<48-1), rec.Parent>>48, rec.Reason, rec.Name))
	}
	return out
}

func TestRead(t *testing.T) {
	b := build(t, journalText)
	want := []string{
		"@0+88 usn 1073741824 2026-03-02T09:40:31.1234567Z 40-1 in 39-2 0x80000100 Security.evtx",
		"@88+112 usn 1073741912 2026-03-02T09:40:32Z 41-65535 in 39-2 0x80000200 ConsoleHost_history.txt",
		"@200+112 usn 1073742024 2026-03-02T09:40:33Z 42-1 in 5-5 0x1000 Jürgens Datei.lnk",
	}
	if got := lines(bytes.NewReader(b), int64(len(b))); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	// Zeros before and between, and a start inside a record.
	holed := slices.Concat(make([]byte, 200_000), b, make([]byte, 3*window+8), b[40:])
	got := lines(bytes.NewReader(holed), int64(len(holed)))
	if len(got) != 6 || !strings.HasPrefix(got[3], "error offset ") || !strings.Contains(got[4], "ConsoleHost") || !strings.HasPrefix(got[0], "@200000+88 usn 1073741824 ") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestDamaged(t *testing.T) {
	line := "2026-03-02T09:40:31Z 40-1 39-2 FileCreate|Close a.evtx\n"
	b := build(t, line+"damage 4096\n"+line+"damage 16\n"+line)
	got := lines(bytes.NewReader(b), int64(len(b)))
	if len(got) != 5 || got[1] != "error offset 0x48: USN record: no record" || !strings.HasPrefix(got[3], "error offset ") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	// Cut inside a record.
	if got := lines(bytes.NewReader(b), 40); len(got) != 1 || !strings.HasPrefix(got[0], "error offset 0x0: USN record: truncated") {
		t.Errorf("got %q", got)
	}
	// Sectors that cannot be read.
	whole := build(t, strings.Repeat(line, 3000))
	bad := brokenAt{bytes.NewReader(whole), 2 * pageSize}
	records, failed := 0, 0
	for _, s := range lines(bad, int64(len(whole))) {
		if strings.HasPrefix(s, "error") {
			failed++
		} else {
			records++
		}
	}
	if failed != 1 || records != 3000-pageSize/72 {
		t.Errorf("%d records, %d errors", records, failed)
	}
	// Damage everywhere is told of in a bounded number of errors.
	worst := build(t, strings.Repeat(line+"damage 8\n", 5000))
	n := 0
	for _, s := range lines(bytes.NewReader(worst), int64(len(worst))) {
		if strings.HasPrefix(s, "error") {
			n++
		}
	}
	if n != maxErrors {
		t.Errorf("%d errors", n)
	}
}

// brokenAt cannot read the page at off.
type brokenAt struct {
	io.ReaderAt
	off int64
}

func (r brokenAt) ReadAt(b []byte, off int64) (int, error) {
	if off < r.off+pageSize && off+int64(len(b)) > r.off {
		return 0, errors.New("bad sector")
	}
	return r.ReaderAt.ReadAt(b, off)
}

func FuzzRead(f *testing.F) {
	f.Add(build(f, journalText))
	f.Add(build(f, journalText)[40:])
	f.Add(bytes.Repeat([]byte{0x40, 0, 0, 0, 4, 0, 0, 0}, 20))
	f.Fuzz(func(t *testing.T, b []byte) {
		last, errs := int64(-1), 0
		for rec, err := range Read(bytes.NewReader(b), int64(len(b))) {
			if err != nil {
				if errs++; binread.Offset(err) < 0 || errs > maxErrors {
					t.Fatal(err)
				}
				continue
			}
			if rec.Off <= last || rec.Len <= 0 || rec.Off+rec.Len > int64(len(b)) || rec.Name == "" {
				t.Fatalf("%+v after %d in %d bytes", rec, last, len(b))
			}
			last = rec.Off
		}
	})
}

func BenchmarkRead(b *testing.B) {
	j := build(b, strings.Repeat("2026-03-02T09:40:31Z 40-1 39-2 DataExtend|Close some ordinary file.dat\n", 50_000))
	b.SetBytes(int64(len(j)))
	for b.Loop() {
		for range Read(bytes.NewReader(j), int64(len(j))) {
		}
	}
}
