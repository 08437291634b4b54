package hive_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/binread/costtest"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// Each test here is for an input that a known hive library gets wrong: wrong
// times, names or data, a crash, or no end.

func TestTimes(t *testing.T) {
	for name, tt := range map[string]struct {
		time string
		raw  uint64
		want time.Time
	}{
		"100 ns":      {"2020-01-01T00:00:00.1234567Z", 132223104001234567, time.Date(2020, 1, 1, 0, 0, 0, 123456700, time.UTC)},
		"unset":       {"ft:0", 0, time.Time{}},
		"all ones":    {"ft:0xffffffffffffffff", 1<<64 - 1, time.Time{}},
		"signed max":  {"ft:0x7fffffffffffffff", 1<<63 - 1, time.Time{}},
		"year 9999":   {"9999-12-31T23:59:59.9999999Z", 2650467743999999999, time.Date(9999, 12, 31, 23, 59, 59, 999999900, time.UTC)},
		"before 1970": {"1601-01-01T00:00:00.0000001Z", 1, time.Date(1601, 1, 1, 0, 0, 0, 100, time.UTC)},
	} {
		h := open(t, build(t, "[] ft:0\n[a] "+tt.time))
		k := key(t, h, "a")
		if !k.LastWrite.Equal(tt.want) || k.LastWriteRaw != tt.raw {
			t.Errorf("%s: %v (%d), want %v (%d)", name, k.LastWrite, k.LastWriteRaw, tt.want, tt.raw)
		}
		if !h.Newest().Equal(tt.want) {
			t.Errorf("%s: newest %v, want %v", name, h.Newest(), tt.want)
		}
	}
}

func TestNames(t *testing.T) {
	names := map[string]string{ // written as, read as
		"Общий":                  "Общий",
		"Freigabe-für-alle":      "Freigabe-für-alle",
		`ÿ`:                      "ÿ",
		`\u{1F4C1} folder`:       "📁 folder",
		`half \u{D83D}`:          "half \ufffd",
		`nul\u{0}inside`:         "nul\x00inside",
		"with space ":            "with space ",
		"a/b":                    "a/b",
		strings.Repeat("n", 255): strings.Repeat("n", 255),
	}
	for _, list := range []string{"lh", "lf", "li"} {
		var text strings.Builder
		for name := range names {
			fmt.Fprintf(&text, "[keys\\%s]\n[values]\n\"%s\"=dword:7\n", name, name)
		}
		b, err := hivetest.BuildOptions{List: list}.Build(text.String())
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, b)
		for _, want := range names {
			if k := key(t, h, `KEYS\`+strings.ToLower(want)); k.Name != want {
				t.Errorf("key %q, want %q", k.Name, want)
			}
			if v := value(t, h, "values", strings.ToUpper(want)); v.Name != want {
				t.Errorf("value %q, want %q", v.Name, want)
			}
		}
		if r := readAll(t, h); r.keys != len(names)+3 || r.values != len(names) || len(r.errs)+len(h.Problems()) > 0 {
			t.Error(list, r, h.Problems())
		}
	}
	// Both ways to store the same name are the same name.
	h := open(t, build(t, "[für]utf16\n[Network]utf16"))
	key(t, h, "FÜR")
	key(t, h, "network")
}

func TestDuplicateNames(t *testing.T) {
	image := build(t, "[a] 2026-01-01T00:00:00Z\nv=first\nw=second\n[b] 2026-01-02T00:00:00Z\n")
	h := open(t, image)
	image[key(t, h, "b").Off+76] = 'A'
	image[value(t, h, "a", "w").Off+20] = 'V'
	h = open(t, image)
	if k := key(t, h, "A"); k.Name != "a" {
		t.Errorf("the second key of that name came first: %+v", k)
	}
	if s, _, err := value(t, h, "a", "V").Text(); s != "first" || err != nil {
		t.Errorf("value %q, %v", s, err)
	}
	if r := readAll(t, h); r.keys != 3 || r.values != 2 || len(r.errs) > 0 || !strings.Contains(fmt.Sprint(h.Problems()), "listed behind") {
		t.Errorf("%+v %v", r, h.Problems())
	}
}

// listHive has a root whose subkeys are reached through index roots only.
func listHive(t *testing.T, roots int) ([]byte, []int64) {
	var text strings.Builder
	for i := range 6 * roots {
		fmt.Fprintf(&text, "[k%04d]\n", i)
	}
	b, err := hivetest.BuildOptions{Leaf: 6}.Build(text.String())
	if err != nil {
		t.Fatal(err)
	}
	ri := listOff(b, open(t, b).Root())
	offs := []int64{ri}
	for i := range int64(roots) {
		offs = append(offs, 4096+4+int64(le.Uint32(b[ri+4+4*i:])))
	}
	return b, offs
}

func TestListLoop(t *testing.T) {
	image, lists := listHive(t, 10)
	self := uint32(lists[0] - 4 - 4096)
	le.PutUint32(image[lists[0]+4:], self) // the index root lists itself
	r := readAll(t, open(t, image))
	if r.keys != 1+9*6 || !strings.Contains(fmt.Sprint(r.errs), "listed twice") || !strings.Contains(fmt.Sprint(r.errs), "read 54 of 60") {
		t.Errorf("%d keys, %v", r.keys, r.errs)
	}
	if _, err := open(t, image).Key("k0000"); !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("key of a lost list: %v", err)
	}
	key(t, open(t, image), "k0059")
}

func TestListFanOut(t *testing.T) {
	image, lists := listHive(t, 10)
	for _, off := range lists[1:] { // ten index roots below the index root, each with all ten
		copy(image[off:], image[lists[0]:lists[0]+4+4*10])
	}
	start := time.Now()
	r := readAll(t, open(t, image))
	if r.keys != 1 || !strings.Contains(fmt.Sprint(r.errs), `signature "ri"`) || time.Since(start) > time.Second {
		t.Errorf("%d keys, %v", r.keys, r.errs)
	}
}

// badSector fails for any read that touches its range, and counts reads.
type badSector struct {
	io.ReaderAt
	from, to int64
	reads    int
}

func (s *badSector) ReadAt(p []byte, off int64) (int, error) {
	s.reads++
	if off < s.to && off+int64(len(p)) > s.from {
		return 0, errors.New("input/output error")
	}
	return s.ReaderAt.ReadAt(p, off)
}

func TestUnreadableSector(t *testing.T) {
	image := build(t, "[a]\n[b]\nv=hex:"+strings.Repeat("00", 9000)+"\n[c]\n")
	b := value(t, open(t, image), "b", "v")
	bad := b.DataOff&^4095 + 4096 // the second page of the data
	r := &badSector{ReaderAt: bytes.NewReader(image), from: bad, to: bad + 512}
	h, err := hive.Open(r, int64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	if r.reads > 20 {
		t.Errorf("%d reads", r.reads)
	}
	key(t, h, "c")
	if !strings.Contains(fmt.Sprint(h.Problems()), "page: input/output error") {
		t.Errorf("problems %v", h.Problems())
	}
	// A page that holds structures: nothing in it may be called absent.
	from := key(t, open(t, image), "a").Off &^ 4095
	r = &badSector{ReaderAt: bytes.NewReader(image), from: from, to: from + 1}
	if _, err := hive.Open(r, int64(len(image))); !errors.Is(err, hive.ErrDamaged) {
		t.Errorf("unreadable root: %v", err)
	}
	r = &badSector{ReaderAt: bytes.NewReader(image), from: 0, to: 1}
	if _, err := hive.Open(r, int64(len(image))); !errors.Is(err, hive.ErrDamaged) || !strings.Contains(fmt.Sprint(err), "input/output") {
		t.Errorf("unreadable base block: %v", err)
	}
}

// TestShortFile has a size that the file does not keep.
func TestShortFile(t *testing.T) {
	image := build(t, "[a]")
	h, err := hive.Open(bytes.NewReader(image), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprint(h.Problems()), "file ends before its size") {
		t.Errorf("problems %v", h.Problems())
	}
}

func TestReads(t *testing.T) {
	image := build(t, "[a]\nv=hex:"+strings.Repeat("00", 3<<20))
	r := &badSector{ReaderAt: bytes.NewReader(image), from: -1, to: -1}
	h, err := hive.Open(r, int64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, h)
	if r.reads > 6 {
		t.Errorf("%d reads for %d bytes", r.reads, len(image))
	}
}

func TestInlineData(t *testing.T) {
	h := open(t, build(t, "[a]\nb0=hex:\nb1=hex:aa\nb2=hex:aabb\nb3=hex:aabbcc\nb4=hex:aabbccdd\nb5=hex:aabbccddee\ns=raw:1:4100\ns3=raw:1:410042\n"))
	for name, want := range map[string]string{"b0": "", "b1": "aa", "b2": "aabb", "b3": "aabbcc", "b4": "aabbccdd", "b5": "aabbccddee", "s": "4100", "s3": "410042"} {
		v := value(t, h, "a", name)
		got, err := v.Bytes()
		if hex.EncodeToString(got) != want || err != nil || int(v.Size) != len(got) || (v.DataOff == -1) != (len(got) <= 4) {
			t.Errorf("%s: %x, %v, %+v; want %s", name, got, err, v, want)
		}
	}
}

func TestDataThatLooksBig(t *testing.T) {
	for _, n := range []int{20, 16344, 16345, 20000} {
		data := append([]byte("db\x01\x00"), bytes.Repeat([]byte{7}, n-4)...)
		for _, o := range []hivetest.BuildOptions{{}, {Plain: true}} {
			b, err := o.Build("[a]\nv=hex:" + hex.EncodeToString(data))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := value(t, open(t, b), "a", "v").Bytes(); !bytes.Equal(got, data) || err != nil {
				t.Errorf("%d bytes, plain %v: %d bytes, %v", n, o.Plain, len(got), err)
			}
		}
	}
}

func TestBigData(t *testing.T) {
	for _, tail := range []int{1, 2, 8, 10, 12, 13, 100, 106, 108, 16343, 16344, 16345, 50000} {
		data := make([]byte, 16344+tail)
		for i := range data {
			data[i] = byte(i * 7 / 3)
		}
		image := build(t, "[a]\nv=hex:"+hex.EncodeToString(data))
		v := value(t, open(t, image), "a", "v")
		if got, err := v.Bytes(); !bytes.Equal(got, data) || err != nil {
			t.Errorf("tail %d: %d bytes of %d, %v", tail, len(got), len(data), err)
		}
		if string(image[v.DataOff:v.DataOff+2]) != "db" {
			t.Errorf("tail %d: no big data at %#x", tail, v.DataOff)
		}
	}
}

func TestBigDataDamaged(t *testing.T) {
	image := build(t, "[a]\nv=hex:"+strings.Repeat("61", 40000))
	v := value(t, open(t, image), "a", "v")
	list := 4096 + 4 + int64(le.Uint32(image[v.DataOff+4:]))
	second := 4096 + 4 + int64(le.Uint32(image[list+4:]))
	for name, tt := range map[string]struct {
		patch func(b []byte)
		bytes int
	}{
		"count low":       {func(b []byte) { le.PutUint16(b[v.DataOff+2:], 2) }, 2 * 16344},
		"list free":       {func(b []byte) { free(b, list) }, 0},
		"segment free":    {func(b []byte) { free(b, second) }, 16344},
		"segment outside": {func(b []byte) { le.PutUint32(b[list+8:], 0x7ffffff8) }, 2 * 16344},
		"segment short":   {func(b []byte) { le.PutUint32(b[second-4:], ^uint32(103)) }, 16344 + 100},
		"size above":      {func(b []byte) { le.PutUint32(b[v.Off+4:], 0x7fffffff) }, 40000},
	} {
		b := bytes.Clone(image)
		tt.patch(b)
		got, err := value(t, open(t, b), "a", "v").Bytes()
		if len(got) < tt.bytes || len(got) > tt.bytes+8 || !errors.Is(err, hive.ErrDamaged) || bytes.Count(got, []byte("a")) != tt.bytes {
			t.Errorf("%s: %d bytes, want %d; %v", name, len(got), tt.bytes, err)
		}
	}
}

func TestDataOutside(t *testing.T) {
	image := build(t, "[a]\nd=raw:4:0102030405\nz=hex:"+strings.Repeat("61", 100)+"\n")
	h := open(t, image)
	d, z := value(t, h, "a", "d"), value(t, h, "a", "z")
	le.PutUint32(image[d.Off+8:], 0x00fff000) // a DWORD behind the end of the file
	le.PutUint32(image[d.Off+4:], 4)
	le.PutUint32(image[z.Off+4:], 0x7fffffff) // two gigabytes in a cell of 104 bytes
	h = open(t, image)
	if n, ok := value(t, h, "a", "d").Uint(); ok {
		t.Errorf("number %d out of nowhere", n)
	}
	if b, err := value(t, h, "a", "d").Bytes(); len(b) != 0 || !errors.Is(err, hive.ErrDamaged) {
		t.Errorf("%x, %v", b, err)
	}
	before := costtest.Allocated()
	b, err := value(t, h, "a", "z").Bytes()
	if !bytes.Equal(bytes.TrimRight(b, "\x00"), bytes.Repeat([]byte("a"), 100)) || len(b) > 108 || !errors.Is(err, hive.ErrDamaged) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if n := costtest.Allocated() - before; n > 1<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	le.PutUint32(image[z.Off+4:], 0x80000064) // a hundred bytes inline
	if b, err := value(t, open(t, image), "a", "z").Bytes(); len(b) != 4 || !errors.Is(err, hive.ErrDamaged) {
		t.Errorf("inline: %x, %v", b, err)
	}
}

// TestManyBigClaims reads a hundred values that all claim two gigabytes.
func TestManyBigClaims(t *testing.T) {
	var text strings.Builder
	text.WriteString("[a]\n")
	for i := range 100 {
		fmt.Fprintf(&text, "v%d=hex:%s\n", i, strings.Repeat("61", 50))
	}
	image := build(t, text.String())
	for v := range key(t, open(t, image), "a").Values() {
		le.PutUint32(image[v.Off+4:], 0x7fffffff)
	}
	before, start := costtest.Allocated(), time.Now()
	r := readAll(t, open(t, image))
	if r.values != 100 || len(r.errs) < 100 {
		t.Errorf("%d values, %d errors", r.values, len(r.errs))
	}
	if n := costtest.Allocated() - before; n > 16<<20 || time.Since(start) > 2*time.Second {
		t.Errorf("%d bytes allocated in %v", n, time.Since(start))
	}
}
