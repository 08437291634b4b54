package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"sharetrail/parsers/binread"
)

func tarOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)}
		if to, ok := strings.CutPrefix(files[name], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, to, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, files[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// pack compresses b.
func pack(t testing.TB, kind string, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "xz":
		w, err = xz.NewWriter(&out)
	}
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTar(t *testing.T) {
	plain := tarOf(t, map[string]string{
		"./WS01/C/Users/bob/NTUSER.DAT":                     user,
		"WS01/C/Windows/System32/winevt/Logs/Security.evtx": evtx,
		"WS01/C/Windows/System32/config/SYSTEM":             "-> /etc/passwd",
		"../../etc/Security.evtx":                           evtx,
		"WS01/C/Users/bob/readme.txt":                       "x",
		"img.zip":                                           string(zipOf(t, member{name: "C/Users/eve/NTUSER.DAT", data: user})),
	})
	want := func(name, kind string) []string {
		return []string{
			`volume id="` + name + `" root="WS01/C" label="WS01" ` + kind + ` windows`,
			"  Users/bob/NTUSER.DAT hive expected",
			"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
			`  warning "Windows/System32/config/SYSTEM" @-1: member left out: link to "/etc/passwd"`,
			`volume id="` + name + `!img.zip" root="C" label="img" zip windows`,
			"  Users/eve/NTUSER.DAT hive expected",
			`warning "` + name + `!../../etc/Security.evtx" @-1: member left out: path leads out of the archive ("..")`,
		}
	}
	for name, kind := range map[string]string{"a.tar": "tar", "b.tar.gz": "gzip", "c.tgz": "gzip", "d.tar.zst": "zstd", "e.tar.xz": "xz", "noname": "tar"} {
		b := plain
		if kind != "tar" {
			b = pack(t, kind, plain)
		}
		ev := open(t, save(t, name, b), Options{})
		wantLines(t, ev, want(name, kind)...)
		for _, v := range ev.Volumes {
			for _, f := range v.Files {
				if got := readAll(t, f); got != user && got != evtx {
					t.Errorf("%s: %s differs", name, f.Path)
				}
			}
		}
		if f := ev.Volumes[0].Files[0]; !f.ModTime.Equal(time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)) {
			t.Errorf("%s: time %v", name, f.ModTime)
		}
	}
	// Cut short, the members before the damage are read.
	ev := open(t, save(t, "cut.tar", plain[:len(plain)-3000]), Options{})
	if len(ev.Volumes) == 0 || !slices.ContainsFunc(append(ev.Problems, ev.Volumes[0].Problems...), func(p Problem) bool { return p.Severity == Error }) {
		t.Errorf("cut:\n%s", strings.Join(describe(ev), "\n"))
	}
	gz := pack(t, "gzip", plain)
	ev = open(t, save(t, "cut.tgz", gz[:len(gz)-20]), Options{})
	if !slices.ContainsFunc(ev.Problems, func(p Problem) bool { return p.Severity == Error && strings.Contains(p.What, "is damaged") }) {
		t.Errorf("cut:\n%s", strings.Join(describe(ev), "\n"))
	}
}

// A compressed file that is no archive is that file; a bomb is refused.
func TestCompressed(t *testing.T) {
	ev := open(t, save(t, "Security.evtx.gz", pack(t, "gzip", []byte(evtx))), Options{})
	wantLines(t, ev, `volume id="Security.evtx.gz" root="" label="Security.evtx" gzip loose`, "  Security.evtx evtx expected")
	bomb := pack(t, "zstd", make([]byte, 3<<20))
	ev = open(t, save(t, "bomb.zst", bomb), Options{MaxTotal: 1 << 20})
	wantLines(t, ev, `error "bomb.zst" @-1: zstd archive cannot be read: unpacks to more than the limit of 1048576 bytes (MaxTotal, MaxRatio)`)
	if ev.Spooled() != 0 {
		t.Errorf("%d bytes in temporary files", ev.Spooled())
	}
}

// TestCompressedInPlace: files that were compressed one by one where Windows keeps
// them are read; archives there are named.
func TestCompressedInPlace(t *testing.T) {
	const logs = "C/Windows/System32/winevt/Logs/"
	cut := pack(t, "gzip", []byte(evtx))
	files := map[string]string{
		"C/Windows/System32/config/SYSTEM.zst": string(pack(t, "zstd", []byte(system))),
		"C/Windows/System32/config/all.zip":    "PK\x05\x06" + strings.Repeat("\x00", 18),
		"C/Users/bob/NTUSER.DAT.xz":            string(pack(t, "xz", []byte(user))),
		"C/Users/bob/mine.tar.gz":              string(pack(t, "gzip", tarOf(t, map[string]string{"Security.evtx": evtx}))),
		logs + "Security.evtx.gz":              string(pack(t, "gzip", []byte(evtx))),
		logs + "System.evtx.gz":                string(cut[:12]),
		logs + "Application.evtx.gz":           string(pack(t, "gzip", tarOf(t, map[string]string{"a": evtx, "b": evtx}))),
	}
	const whole = ": extract it and point at the extracted folder"
	want := []string{
		`volume id="" root="C" label="case" folder windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
		`  warning "Users/bob/NTUSER.DAT.xz" @-1: is compressed, one of 3 that are: read unpacked, under its name without the ending; offsets are those in what it holds`,
		`  error "Windows/System32/config/all.zip" @-1: an archive where Windows keeps its own files` + whole,
		`  error "Windows/System32/winevt/Logs/Application.evtx.gz" @-1: an archive where Windows keeps its own files` + whole,
		`  error "Windows/System32/winevt/Logs/System.evtx.gz" @-1: gzip archive cannot be read: unexpected EOF`,
	}
	ev := open(t, write(t, files), Options{})
	wantLines(t, ev, want...)
	if got := ev.Volumes[0].Unreadable; !slices.Equal(got, []string{"Windows/System32/winevt/Logs/Application.evtx.gz", "Windows/System32/winevt/Logs/System.evtx.gz"}) {
		t.Errorf("unreadable: %q", got)
	}
	for _, f := range ev.Volumes[0].Files {
		h, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if first := make([]byte, 4); binread.Full(h, first, 0, "file") != nil || string(first) != "regf" && string(first) != "ElfF" {
			t.Errorf("%s begins with %q", f.Path, first)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCompressedLoose: so are files that lie side by side and are of one computer.
func TestCompressedLoose(t *testing.T) {
	ev := open(t, write(t, map[string]string{
		"SYSTEM.gz":        string(pack(t, "gzip", []byte(system))),
		"Security.evtx.gz": string(pack(t, "gzip", []byte(evtx))),
		"NTUSER.DAT":       user,
		"more.tar.gz":      string(pack(t, "gzip", tarOf(t, map[string]string{"System.evtx": evtx}))),
	}), Options{})
	wantLines(t, ev,
		`volume id="" root="" label="case" folder loose`,
		"  NTUSER.DAT hive expected",
		"  SYSTEM hive expected",
		"  Security.evtx evtx expected",
		`volume id="more.tar.gz" root="" label="more" gzip loose`,
		"  System.evtx evtx expected",
		`warning "SYSTEM.gz" @-1: is compressed, one of 2 that are: read unpacked, under its name without the ending; offsets are those in what it holds`)
}

// sealedZip encrypts one member: by WinZip's AES of the given strength, or for 0
// by ZipCrypto.
func sealedZip(t testing.TB, name, data, password string, strength int, stored bool, more ...member) []byte {
	t.Helper()
	h := &zip.FileHeader{Name: name, Flags: 1, CRC32: crc32.ChecksumIEEE([]byte(data)), UncompressedSize64: uint64(len(data)), Method: zip.Deflate}
	packed := []byte(data)
	if stored {
		h.Method = zip.Store
	} else {
		packed = deflate(t, data)
	}
	if strength == 0 {
		packed = zipCrypto(append([]byte("0123456789a"+string(byte(h.CRC32>>24))), packed...), password)
	} else {
		n := 4 + 4*strength
		salt := []byte("0123456789abcdef")[:n]
		keys, err := pbkdf2.Key(sha1.New, password, salt, 1000, 4*n+2)
		if err != nil {
			t.Fatal(err)
		}
		block, err := aes.NewCipher(keys[:2*n])
		if err != nil {
			t.Fatal(err)
		}
		for i := range packed {
			var counter, pad [16]byte
			binary.LittleEndian.PutUint64(counter[:], uint64(i/16)+1)
			block.Encrypt(pad[:], counter[:])
			packed[i] ^= pad[i%16]
		}
		mac := hmac.New(sha1.New, keys[2*n:4*n])
		mac.Write(packed)
		h.Extra = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', byte(strength), byte(h.Method), 0}
		h.Method, h.CRC32 = 99, 0
		packed = slices.Concat(salt, keys[4*n:], packed, mac.Sum(nil)[:10])
	}
	h.CompressedSize64 = uint64(len(packed))
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.CreateRaw(h)
	if err == nil {
		_, err = f.Write(packed)
	}
	for _, m := range more {
		if err == nil {
			f, err = w.Create(m.name)
		}
		if err == nil {
			_, err = io.WriteString(f, m.data)
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// zipCrypto encrypts b (APPNOTE 6.1).
func zipCrypto(b []byte, password string) []byte {
	k0, k1, k2 := uint32(0x12345678), uint32(0x23456789), uint32(0x34567890)
	update := func(c byte) {
		k0 = crc32.IEEETable[byte(k0)^c] ^ k0>>8
		k1 = (k1+k0&0xff)*0x8088405 + 1
		k2 = crc32.IEEETable[byte(k2)^byte(k1>>24)] ^ k2>>8
	}
	for _, c := range []byte(password) {
		update(c)
	}
	out := make([]byte, len(b))
	for i, c := range b {
		s := k2&0xffff | 2
		out[i] = c ^ byte(s*(s^1)>>8)
		update(c)
	}
	return out
}

func TestEncryptedZip(t *testing.T) {
	for _, test := range []struct {
		name     string
		strength int
		stored   bool
	}{{"AES-128", 1, true}, {"AES-192", 2, false}, {"AES-256", 3, true}, {"AES-256 deflated", 3, false}, {"ZipCrypto", 0, true}, {"ZipCrypto deflated", 0, false}} {
		t.Run(test.name, func(t *testing.T) {
			b := sealedZip(t, "C/Users/bob/NTUSER.DAT", user, "infected", test.strength, test.stored)
			path := zipFileOf(t, b)
			many := [][]byte{[]byte("a"), []byte("b"), []byte("infected"), []byte("c")}
			ev := open(t, path, Options{Passwords: many})
			wantLines(t, ev, `volume id="case.zip" root="C" label="case" zip windows`, "  Users/bob/NTUSER.DAT hive expected")
			if readAll(t, ev.Volumes[0].Files[0]) != user {
				t.Error("decrypts to something else")
			}
			h, err := ev.Volumes[0].Files[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			piece := make([]byte, 100)
			if _, err := h.ReadAt(piece, 4001); err != nil || string(piece) != user[4001:4101] {
				t.Errorf("reading in the middle: %v", err)
			}
			wantLines(t, open(t, path, Options{}), `volume id="case.zip" root="C" label="case" zip windows`,
				`  error "Users/bob/NTUSER.DAT" @-1: member is encrypted: give its password with --password or --password-file`)
			wantLines(t, open(t, path, Options{Passwords: [][]byte{[]byte("wrong")}}), `volume id="case.zip" root="C" label="case" zip windows`,
				`  error "Users/bob/NTUSER.DAT" @-1: member is encrypted: none of the given passwords opens it`)
			if test.strength == 0 {
				return
			}
			i := bytes.Index(b, []byte("NTUSER.DAT")) + 200 // in the content
			b[i] ^= 1
			ev = open(t, zipFileOf(t, b), Options{Passwords: many})
			if v := ev.Volumes; len(v) != 1 || len(v[0].Problems) != 1 || v[0].Problems[0].Severity != Error {
				t.Errorf("a flipped bit:\n%s", strings.Join(describe(ev), "\n"))
			}
		})
	}
}

// Programs on Windows put a password that is not ASCII into a code page.
func TestPasswordInCodePage(t *testing.T) {
	for _, password := range []string{"geheimü", "geheim\xfc", "geheim\x81"} {
		for _, strength := range []int{0, 3} {
			path := zipFileOf(t, sealedZip(t, "C/Users/bob/NTUSER.DAT", user, password, strength, true))
			wantLines(t, open(t, path, Options{Passwords: [][]byte{[]byte("geheimü")}}),
				`volume id="case.zip" root="C" label="case" zip windows`, "  Users/bob/NTUSER.DAT hive expected")
		}
	}
}

// What Info-ZIP encrypted opens.
func TestEncryptedByInfoZip(t *testing.T) {
	if _, err := exec.LookPath("zip"); err != nil {
		t.Skip("no zip program to compare with")
	}
	dir := write(t, map[string]string{"C/Users/bob/NTUSER.DAT": user})
	out := filepath.Join(t.TempDir(), "case.zip")
	cmd := exec.Command("zip", "-q", "-r", "-P", "infected", out, "C")
	cmd.Dir = dir
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	ev := open(t, out, Options{Passwords: [][]byte{[]byte("x"), []byte("infected")}})
	if len(ev.Volumes) != 1 || readAll(t, ev.Volumes[0].Files[0]) != user {
		t.Errorf("%s", strings.Join(describe(ev), "\n"))
	}
}

// What 7-Zip encrypted opens: the samples of the library are there if its
// module is.
func TestEncrypted7z(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/bodgit/sevenzip").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skip("the module of the library is not at hand")
	}
	for _, name := range []string{"aes7z.7z", "t2.7z", "t3.7z", "t4.7z"} {
		p := filepath.Join(dir, "testdata", name)
		wantLines(t, open(t, p, Options{}), `error "`+name+`" @-1: 7z archive cannot be read: encrypted: give its password with --password or --password-file`)
		wantLines(t, open(t, p, Options{Passwords: [][]byte{[]byte("x")}}), `error "`+name+`" @-1: 7z archive cannot be read: encrypted: none of the given passwords opens it, or it is damaged`)
		wantLines(t, open(t, p, Options{Passwords: [][]byte{[]byte("x"), []byte("password")}}), noEvidence)
	}
}

// The members of an archive whose list can be read without the password.
func TestEncryptedMembersOf7z(t *testing.T) {
	path := filepath.Join(t.TempDir(), "case.7z")
	if err := os.WriteFile(path, sealed7z(t, "C/Users/bob/NTUSER.DAT", user, "long enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	ev := open(t, path, Options{Passwords: [][]byte{[]byte("wrong"), []byte("long enough")}})
	wantLines(t, ev, `volume id="case.7z" root="C" label="case" 7z windows`, "  Users/bob/NTUSER.DAT hive expected")
	if readAll(t, ev.Volumes[0].Files[0]) != user {
		t.Error("decrypts to something else")
	}
	const sealed = `error "case.7z" @-1: 7z archive cannot be read: encrypted: `
	wantLines(t, open(t, path, Options{}), sealed+"give its password with --password or --password-file")
	wantLines(t, open(t, path, Options{Passwords: [][]byte{[]byte("wrong")}}), sealed+"none of the given passwords opens it, or it is damaged")
}

// Where nothing is compressed, damage shows by the checksum only.
func TestDamaged7z(t *testing.T) {
	b := stored7z("C/Users/bob/NTUSER.DAT", user)
	path := filepath.Join(t.TempDir(), "case.7z")
	for _, damaged := range []bool{false, true} {
		want := []string{`volume id="case.7z" root="C" label="case" 7z windows`, "  Users/bob/NTUSER.DAT hive expected"}
		if damaged {
			b[bytes.Index(b, []byte("regf"))+2000] ^= 1
			want = append(want, `  error "Users/bob/NTUSER.DAT" @-1: member is damaged: the CRC-32 checksum does not match`)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		wantLines(t, open(t, path, Options{}), want...)
	}
}

// A tar archive that is cut short in its last member still has the start of it.
func TestTarCutShort(t *testing.T) {
	b := tarOf(t, map[string]string{"C/Users/bob/NTUSER.DAT": user})
	end := bytes.Index(b, []byte("regf")) + 2048
	wantLines(t, open(t, save(t, "cut.tar", b[:end]), Options{}),
		`volume id="cut.tar" root="C" label="cut" tar windows`, "  Users/bob/NTUSER.DAT hive expected",
		fmt.Sprintf(`  error "Users/bob/NTUSER.DAT" @2048: member is damaged: only its first 2048 of %d bytes are there`, len(user)),
		fmt.Sprintf(`error "cut.tar" @%d: tar archive cannot be read: member header: unexpected EOF: the archive is cut short or damaged here`, end))
}

// The list of members of a 7z archive stands at its end: without it nothing can be read.
func TestCut7z(t *testing.T) {
	b := stored7z("C/Users/bob/NTUSER.DAT", user)
	wantLines(t, open(t, save(t, "case.7z.001", b[:1000]), Options{}), fmt.Sprintf(`error "case.7z.001" @1000: 7z archive cannot be read: list of members: at %#x, it lies behind the end: the archive is cut short, or the first of several volumes: join them (cat CASE.7z.* >CASE.7z) and point at the whole`, 32+len(user)))
}
