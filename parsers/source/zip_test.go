package source

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A member is one entry of an archive made for a test.
type member struct {
	name, data string
	stored     bool
	mode       fs.FileMode
	flags      uint16
	method     uint16 // claimed in the headers, if not 0
	crc        uint32 // to add to the right one
	size       int64  // to add to the right one
	modified   time.Time
}

// zipOf makes an archive, as wrong as its members ask for.
func zipOf(t testing.TB, members ...member) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: m.modified, Flags: m.flags}
		h.SetMode(m.mode | 0o644)
		packed := []byte(m.data)
		if m.stored || m.data == "" {
			h.Method = zip.Store
		} else {
			packed = deflate(t, m.data)
		}
		if m.method != 0 {
			h.Method = m.method
		}
		h.CRC32 = crc32.ChecksumIEEE([]byte(m.data)) + m.crc
		h.UncompressedSize64 = uint64(int64(len(m.data)) + m.size)
		h.CompressedSize64 = uint64(len(packed))
		f, err := w.CreateRaw(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(packed); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func deflate(t testing.TB, data string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	f, err := w.CreateHeader(&zip.FileHeader{Name: "x", Method: zip.Deflate})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	off, err := r.File[0].DataOffset()
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()[off : off+int64(r.File[0].CompressedSize64)]
}

// zipFileOf writes an archive "case.zip".
func zipFileOf(t testing.TB, b []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "case.zip")
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestZip(t *testing.T) {
	nested := func(n int) []byte {
		b := zipOf(t, member{name: "NTUSER.DAT", data: user})
		for range n {
			b = zipOf(t, member{name: "in.zip", data: string(b), stored: n%2 == 0})
		}
		return b
	}
	zeros := strings.Repeat("\x00", 101<<20)
	const encrypted = `encrypted: give its password with --password or --password-file`
	for _, test := range []struct {
		name string
		zip  []byte
		o    Options
		want []string
	}{
		{"a tree, stored and deflated", zipOf(t,
			member{name: "C/"}, member{name: "C/Users/bob/NTUSER.DAT", data: user, stored: true},
			member{name: `C\Windows\System32\config\SYSTEM`, data: system}, member{name: "notes.txt", data: "x"}), Options{}, []string{
			`volume id="case.zip" root="C" label="case" zip windows`,
			"  Users/bob/NTUSER.DAT hive expected", "  Windows/System32/config/SYSTEM hive expected"}},
		{"directories that differ in case only", zipOf(t,
			member{name: "c/WINDOWS/System32/config/SAM", data: software}, member{name: "C/Windows/system32/config/SYSTEM", data: system}), Options{}, []string{
			`volume id="case.zip" root="c" label="case" zip windows`,
			"  WINDOWS/System32/config/SAM hive expected", "  WINDOWS/System32/config/SYSTEM hive expected"}},
		{"several hosts and loose files", zipOf(t,
			member{name: "WS01/C/Users/a/NTUSER.DAT", data: user}, member{name: "WS02/Users/a/NTUSER.DAT", data: user}, member{name: "x.evtx", data: evtx}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  x.evtx evtx expected",
			`volume id="case.zip!WS01/C" root="WS01/C" label="WS01" zip windows`, "  Users/a/NTUSER.DAT hive expected",
			`volume id="case.zip!WS02" root="WS02" label="WS02" zip windows`, "  Users/a/NTUSER.DAT hive expected"}},
		{"duplicates are kept", zipOf(t,
			member{name: "NTUSER.DAT", data: user}, member{name: "ntuser.dat", data: txlog}, member{name: "NTUSER.DAT", data: software}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`,
			"  NTUSER.DAT hive expected", "  NTUSER.DAT~3 hive expected", "  ntuser.dat~2 hive-log expected",
			`  warning "ntuser.dat~2" @-1: a transaction log of a registry hive, one of 1, without its hive: not read`}},
		{"names that lead elsewhere", zipOf(t,
			member{name: "/etc/NTUSER.DAT", data: user}, member{name: `..\..\NTUSER.DAT`, data: user}, member{name: "a/../NTUSER.DAT", data: user},
			member{name: "link/NTUSER.DAT", data: "/etc/passwd", mode: fs.ModeSymlink}, member{name: "pipe", mode: fs.ModeNamedPipe}, member{name: "d/NTUSER.DAT", data: user, mode: fs.ModeDir},
			member{name: "./C:/Users/bob/NTUSER.DAT", data: user}, member{name: strings.Repeat("d/", 65) + "x", data: user}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  etc/NTUSER.DAT hive expected",
			`volume id="case.zip!C:" root="C:" label="case" zip windows`, "  Users/bob/NTUSER.DAT hive expected",
			`warning "case.zip!..\\..\\NTUSER.DAT" @-1: member left out: path leads out of the archive ("..")`,
			`warning "case.zip!/etc/NTUSER.DAT" @-1: absolute path: read as if it were below the top of the archive, as all such paths are (1 in all)`,
			`warning "case.zip!a/../NTUSER.DAT" @-1: member left out: path leads out of the archive ("..")`,
			`warning "case.zip!d/NTUSER.DAT" @-1: member left out: directory with 4128 bytes of content`,
			`warning "case.zip!` + strings.Repeat("d/", 65) + `x" @-1: member left out: more than 64 directories deep`,
			`warning "case.zip!link/NTUSER.DAT" @-1: member left out: symbolic link`,
			`warning "case.zip!pipe" @-1: member left out: not a regular file`}},
		{"encrypted", zipOf(t,
			member{name: "C/Users/bob/NTUSER.DAT", data: user, flags: 1}, member{name: "C/Users/bob/a.txt", data: "x", flags: 1},
			member{name: "data.zip", data: "x", method: 99, flags: 1}, member{name: "b.txt", data: "x", flags: 1}, member{name: "SAM", data: software, method: 98}), Options{}, []string{
			`volume id="case.zip" root="C" label="case" zip windows`,
			`  error "Users/bob/NTUSER.DAT" @-1: member is ` + encrypted,
			`error "case.zip" @-1: 2 more members cannot be opened, the first is "C/Users/bob/a.txt": ` + encrypted,
			`error "case.zip!SAM" @-1: member is compression method 98: not supported; extract it and point at the extracted folder`,
			`error "case.zip!data.zip" @-1: member is encrypted: no AES extra field`}},
		{"checksums", zipOf(t,
			member{name: "a", data: user, crc: 1}, member{name: "b", data: user, crc: 1, stored: true}, member{name: "c", data: user}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  a hive", "  b hive", "  c hive",
			`  error "a" @-1: member is damaged: the CRC-32 checksum does not match`,
			`  error "b" @-1: member is damaged: the CRC-32 checksum does not match`}},
		{"unpacks to less and to more than it says", zipOf(t,
			member{name: "less", data: user, size: 100}, member{name: "more", data: user, size: -100}, member{name: "all", data: user, size: -int64(len(user))}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  less hive", "  more hive",
			`  error "less" @4128: member is damaged: only its first 4128 of 4228 bytes can be read: unexpected EOF`,
			`  error "more" @4028: member is damaged: only its first 4028 of 4028 bytes can be read: unpacks to more than its directory entry says`,
			`error "case.zip!all" @-1: member cannot be read: unpacks to more than its directory entry says`}},
		{"bomb: ratio", zipOf(t, member{name: "NTUSER.DAT", data: zeros}), Options{}, []string{
			`error "case.zip!NTUSER.DAT" @-1: member not unpacked: 105906176 bytes from 102952 exceed the ratio of 200 (MaxRatio)`}},
		{"bomb: member", zipOf(t, member{name: "NTUSER.DAT", data: user}, member{name: "x", data: regf(0, "")[:4096]}), Options{MaxMember: 4100}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  x hive",
			`error "case.zip!NTUSER.DAT" @-1: member not unpacked: 4128 bytes exceed the limit of 4100 for one member (MaxMember)`}},
		{"bomb: total", zipOf(t, member{name: "a", data: user}, member{name: "b", data: user}), Options{MaxTotal: 5000}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  a hive",
			`error "case.zip!b" @-1: member not unpacked: 4128 bytes exceed what is left of the limit of 5000 for all members (MaxTotal)`}},
		{"bomb: entries", zipOf(t, member{name: "a", data: user}, member{name: "b", data: user}), Options{MaxEntries: 1}, []string{
			`error "case.zip" @-1: zip archive cannot be read: more than 1 members in all archives of the source (MaxEntries)`}},
		{"nested", nested(3), Options{}, []string{
			`volume id="case.zip!in.zip!in.zip!in.zip" root="" label="in" zip loose`, "  NTUSER.DAT hive expected"}},
		{"bomb: nested too deep", nested(4), Options{}, []string{
			`error "case.zip!in.zip!in.zip!in.zip!in.zip" @-1: zip archive cannot be read: more than 4 archives inside each other (MaxDepth); extract it and point at the extracted folder`}},
		{"cut short", cut(zipOf(t, member{name: "NTUSER.DAT", data: user}), 30), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  NTUSER.DAT hive expected",
			`error "case.zip" @171: zip archive cannot be read: central directory: zip: not a valid zip file: the archive is cut short or damaged; members known without it: 1, up to 0x7b`}},
		{"a program before the archive", append([]byte("MZ\x90\x00stub"), zipOf(t, member{name: "NTUSER.DAT", data: user})...), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip loose`, "  NTUSER.DAT hive expected"}},
		{"no evidence", zipOf(t, member{name: "readme.txt", data: "x"}), Options{}, []string{noEvidence}},
		{"names that are not UTF-8", zipOf(t, member{name: "Users/J\x81rgen/NTUSER.DAT", data: user}), Options{}, []string{
			`volume id="case.zip" root="" label="case" zip windows`, `  Users/J\x81rgen/NTUSER.DAT hive expected`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ev := open(t, zipFileOf(t, test.zip), test.o)
			wantLines(t, ev, test.want...)
			if ev.Kind != "zip" || ev.Size != int64(len(test.zip)) {
				t.Errorf("kind %q, %d bytes; want a zip of %d", ev.Kind, ev.Size, len(test.zip))
			}
		})
	}
}

func cut(b []byte, n int) []byte { return b[:len(b)-n] }

func TestZipContent(t *testing.T) {
	inner := zipOf(t, member{name: "deep", data: user + "3"}, member{name: "deep-stored", data: user + "4", stored: true})
	ev := open(t, zipFileOf(t, zipOf(t,
		member{name: "packed", data: user + "1"}, member{name: "stored", data: user + "2", stored: true},
		member{name: "damaged", data: user + "5", crc: 1}, member{name: "in.zip", data: string(inner)})), Options{})
	got := map[string]string{}
	for _, v := range ev.Volumes {
		for _, f := range v.Files {
			got[f.Path] = strings.TrimPrefix(readAll(t, f), user)
		}
	}
	for name, want := range map[string]string{"packed": "1", "stored": "2", "deep": "3", "deep-stored": "4", "damaged": "5"} {
		if got[name] != want {
			t.Errorf("%s ends in %.20q, want %q", name, got[name], want)
		}
	}
	if ev.Spooled() != 0 {
		t.Errorf("%d bytes in temporary files, want none", ev.Spooled())
	}
}

// Times of day in a zip have no zone, unless an extra field gives UTC.
func TestZipTimes(t *testing.T) {
	at := time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, h := range []*zip.FileHeader{{Name: "1-utc", Modified: at}, {Name: "2-dos", ModifiedDate: 0x5264, ModifiedTime: 0x28c3}, {Name: "3-none"}} {
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(user)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	files := open(t, zipFileOf(t, buf.Bytes()), Options{}).Volumes[0].Files
	if !files[0].ModTime.Equal(at) || !files[1].ModTime.IsZero() || !files[2].ModTime.IsZero() {
		t.Errorf("times %v, %v, %v; want %v and none", files[0].ModTime, files[1].ModTime, files[2].ModTime, at)
	}
}

// A member too large for memory goes to a private file that is gone afterwards.
func TestZipTemporaryFiles(t *testing.T) {
	noise := make([]byte, 1<<20)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	data := user + strings.Repeat(string(noise), 65)
	dir := t.TempDir()
	ev, err := Open(context.Background(), zipFileOf(t, zipOf(t, member{name: "NTUSER.DAT", data: data})), Options{TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	h, err := ev.Volumes[0].Files[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, len(data))
	if _, err := h.ReadAt(b, 0); err != nil || string(b) != data {
		t.Errorf("unpacked member differs (%v)", err)
	}
	made, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(made) != 1 || ev.Spooled() != int64(len(data)) {
		t.Fatalf("files %v, %v, %d bytes said; want one of %d", made, err, ev.Spooled(), len(data))
	}
	for _, p := range []string{made[0], filepath.Dir(made[0])} {
		if info, err := os.Stat(p); err != nil || info.Mode()&0o077 != 0 {
			t.Errorf("%s: mode %v, %v; want private", p, info.Mode(), err)
		}
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(made[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("temporary file after Close: %v, want none", err)
	}
	if err := ev.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := ev.Volumes[0].Files[0].Open(); err == nil {
		t.Error("file of a closed source opens")
	}
}

// Members that claim the same bytes would multiply the work.
func TestZipOverlap(t *testing.T) {
	b := zipOf(t, member{name: "1", data: user, stored: true}, member{name: "2", data: user, stored: true}, member{name: "3", data: user, stored: true})
	first := bytes.Index(b, []byte("PK\x01\x02"))
	for n, at := 0, first; n < 3; n++ {
		copy(b[at+42:], []byte{0, 0, 0, 0}) // all point at the first local header
		at += len("PK\x01\x02") + bytes.Index(b[at+4:], []byte("PK"))
	}
	short := append(bytes.Clone(b[:30+1+len(user)]), b[first:]...)
	eocd := bytes.LastIndex(short, []byte("PK\x05\x06"))
	off := uint32(30 + 1 + len(user))
	copy(short[eocd+16:], []byte{byte(off), byte(off >> 8), byte(off >> 16), 0})
	wantLines(t, open(t, zipFileOf(t, short), Options{}),
		`volume id="case.zip" root="" label="case" zip loose`, "  1 hive",
		`error "case.zip!2" @-1: member not unpacked: the members claim more bytes than the archive has: they overlap`,
		`error "case.zip!3" @-1: member not unpacked: the members claim more bytes than the archive has: they overlap`)
}

func FuzzZip(f *testing.F) {
	f.Add(zipOf(f, member{name: "C/Users/bob/NTUSER.DAT", data: user}, member{name: `a\b.evtx`, data: evtx, stored: true}))
	f.Add(zipOf(f, member{name: "in.zip", data: string(zipOf(f, member{name: "x", data: user})), stored: true}))
	f.Add(zipOf(f, member{name: "../x", data: user, crc: 1}, member{name: "y", data: user, size: 9, flags: 1}, member{name: "l", mode: fs.ModeSymlink}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &scanner{ctx: context.Background(), o: Options{MaxMember: 1 << 20, MaxTotal: 1 << 22, MaxEntries: 1000}.withDefaults(), ev: &Evidence{}}
		it := &item{path: "f.zip", place: "f.zip", size: int64(len(b)), open: func() (Handle, error) { return &unpacked{Reader: bytes.NewReader(b)}, nil }}
		if _, err := s.archive(it, "zip", "f.zip", 1, nil); err != nil {
			t.Fatal(err)
		}
		paths := map[string]bool{}
		for _, v := range s.ev.Volumes {
			for _, f := range v.Files {
				if id := v.ID + "!" + v.Root + "!" + f.Path; paths[id] {
					t.Errorf("%q is there twice", id)
				} else {
					paths[id] = true
				}
				if p := f.Path; p == "" || strings.HasPrefix(p, "/") || strings.Contains("/"+p+"/", "/../") {
					t.Errorf("path %q leads elsewhere", p)
				}
				if f.Size > 0 {
					readAll(t, f)
				}
			}
		}
	})
}

// An archive that is cut short still has the members before the cut, and the
// start of the one that it is cut in.
func TestZipCutShort(t *testing.T) {
	const first, second = "C/Users/amy/NTUSER.DAT", "C/Users/bob/NTUSER.DAT"
	var streamed bytes.Buffer // sizes behind the content
	w := zip.NewWriter(&streamed)
	for _, name := range []string{first, second} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, user); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const known = `volume id="case.zip" root="C" label="case" zip windows`
	for _, test := range []struct {
		name   string
		b      []byte
		before string // where it is cut: so many bytes before this
		bytes  int
		want   []string
	}{
		{"stored, in the directory", zipOf(t, member{name: first, data: user, stored: true}, member{name: second, data: user, stored: true}), "PK\x01\x02", -10, []string{
			"  Users/amy/NTUSER.DAT hive expected", "  Users/bob/NTUSER.DAT hive expected"}},
		{"deflated, in the directory", zipOf(t, member{name: first, data: user}, member{name: second, data: user}), "PK\x01\x02", -10, []string{
			"  Users/amy/NTUSER.DAT hive expected", "  Users/bob/NTUSER.DAT hive expected"}},
		{"stored, in a member", zipOf(t, member{name: first, data: user, stored: true}, member{name: second, data: user, stored: true}), "PK\x01\x02", 100, []string{
			"  Users/amy/NTUSER.DAT hive expected", "  Users/bob/NTUSER.DAT hive expected",
			fmt.Sprintf(`  error "Users/bob/NTUSER.DAT" @%d: member is damaged: only its first %d of %d bytes can be read: unexpected EOF`, len(user)-100, len(user)-100, len(user))}},
		{"streamed, in the directory", streamed.Bytes(), "PK\x01\x02", -10, []string{
			"  Users/amy/NTUSER.DAT hive expected", "  Users/bob/NTUSER.DAT hive expected"}},
		{"streamed, in a member", streamed.Bytes(), "PK\x01\x02", 30, []string{
			"  Users/amy/NTUSER.DAT hive expected",
			`  warning "Users/bob/NTUSER.DAT" @-1: member left out: the archive ends in it, and its size stood behind it`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			end := bytes.Index(test.b, []byte(test.before)) - test.bytes
			ev := open(t, zipFileOf(t, test.b[:end]), Options{})
			var got []string
			for _, line := range describe(ev) {
				if strings.HasPrefix(line, "  ") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if len(ev.Volumes) != 1 || readAll(t, ev.Volumes[0].Files[0]) != user {
				t.Errorf("the first member differs:\n%s", strings.Join(describe(ev), "\n"))
			}
			all := strings.Join(describe(ev), "\n")
			if !strings.Contains(all, known) || !strings.Contains(all, "the archive is cut short or damaged; members known without it: ") {
				t.Error(all)
			}
		})
	}
}

// What Info-ZIP splits is one archive only when it is whole.
func TestSplitZip(t *testing.T) {
	b := zipOf(t, member{name: "NTUSER.DAT", data: user})
	last := bytes.Clone(b)
	last[bytes.LastIndex(last, []byte("PK\x05\x06"))+4] = 1 // number of this disk
	for _, b := range [][]byte{last, append([]byte("PK\x07\x08"), b[:100]...)} {
		ev := open(t, zipFileOf(t, b), Options{})
		if all := strings.Join(describe(ev), "\n"); len(ev.Volumes) != 0 || !strings.Contains(all, "a part of a split archive: join the parts") {
			t.Error(all)
		}
	}
}

// To unpack a member costs more than all that is done with it: what was read is not
// unpacked again to compare its checksum. The archive is overwritten in between.
func TestUnpackedOnce(t *testing.T) {
	name := zipFileOf(t, zipOf(t,
		member{name: "C/Users/a/NTUSER.DAT", data: user},
		member{name: "C/Users/b/NTUSER.DAT", data: user, crc: 1},
		member{name: "C/Users/c/NTUSER.DAT", data: user}))
	ev, err := Open(t.Context(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	for i := range 2 {
		h, err := ev.Volumes[0].Files[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len(user))
		if _, err := h.ReadAt(b, 0); err != nil || string(b) != user || h.Size() != int64(len(user)) {
			t.Errorf("file %d is %q of %d bytes, %v", i, b, h.Size(), err)
		}
		h.Close()
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, info.Size()), 0o644); err != nil {
		t.Fatal(err)
	}
	if len(ev.Volumes[0].Problems) != 0 {
		t.Errorf("known before anything is read: %v", ev.Volumes[0].Problems)
	}
	for range 2 { // the second time, all is settled
		if err := ev.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, p := range ev.Volumes[0].Problems {
		got = append(got, p.Path+" "+p.What)
	}
	want := []string{"Users/b/NTUSER.DAT member is damaged: the CRC-32 checksum does not match", "Users/c/NTUSER.DAT member cannot be read: local file header: zip: not a valid zip file"}
	if !slices.Equal(got, want) {
		t.Errorf("problems %q, want %q", got, want)
	}
	if f := ev.Volumes[0].Files[2]; f.Size != 0 || !f.Incomplete {
		t.Errorf("%d bytes, incomplete %v, of a file that is not there", f.Size, f.Incomplete)
	}
}
