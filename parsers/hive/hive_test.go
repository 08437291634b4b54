package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

func build(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hivetest.Build(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, image []byte) *hive.Hive {
	t.Helper()
	h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func key(t testing.TB, h *hive.Hive, path string) *hive.Key {
	t.Helper()
	k, err := h.Key(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func value(t testing.TB, h *hive.Hive, path, name string) *hive.Value {
	t.Helper()
	v, err := key(t, h, path).Value(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBaseBlock(t *testing.T) {
	h := open(t, build(t, `!name=\??\C:\Users\alice\ntuser.dat
!seq=10,9
!reorganized=2026-01-02T03:04:05.6789012Z
[] 2026-02-01T00:00:00Z
[Network\Z] 2026-03-01T10:00:00.1234567Z
[Network] 2026-02-03T00:00:00Z
`))
	if got, want := h.FileName(), `\??\C:\Users\alice\ntuser.dat`; got != want {
		t.Errorf("file name %q, want %q", got, want)
	}
	if a, b := h.Sequences(); a != 10 || b != 9 || !h.Dirty() {
		t.Errorf("sequences %d, %d, dirty %v", a, b, h.Dirty())
	}
	if got, want := h.Reorganized(), time.Date(2026, 1, 2, 3, 4, 5, 678901200, time.UTC); !got.Equal(want) {
		t.Errorf("reorganized %v, want %v", got, want)
	}
	if got, want := h.Newest(), time.Date(2026, 3, 1, 10, 0, 0, 123456700, time.UTC); !got.Equal(want) {
		t.Errorf("newest %v, want %v", got, want)
	}
	if h.Kind() != hive.NTUSER || len(h.Problems()) != 0 {
		t.Error(h.Kind(), h.Problems())
	}
	for name, tt := range map[string]struct {
		text     string
		dirty    bool
		problems int
	}{
		"clean":        {"!seq=7", false, 0},
		"behind":       {"!seq=7,6", true, 0},
		"bad checksum": {"!seq=7\n!checksum=bad", true, 1},
	} {
		h := open(t, build(t, tt.text))
		if h.Dirty() != tt.dirty || len(h.Problems()) != tt.problems {
			t.Errorf("%s: dirty %v, problems %v", name, h.Dirty(), h.Problems())
		}
	}
	long := open(t, build(t, `!name=\Device\HarddiskVolume2\Users\somebody\NTUSER.DAT`))
	if got, want := long.FileName(), `Volume2\Users\somebody\NTUSER.DAT`; !strings.HasSuffix(want, got) || len(got) != 31 {
		t.Errorf("long file name %q", got)
	}
}

func TestSniff(t *testing.T) {
	image := build(t, "")
	for typ, want := range map[uint32][2]bool{0: {true, false}, 1: {false, true}, 2: {false, true}, 6: {false, true}, 9: {true, false}} {
		le.PutUint32(image[28:], typ)
		if isHive, isLog := hive.Sniff(image[:512]); isHive != want[0] || isLog != want[1] {
			t.Errorf("type %d: hive %v, log %v", typ, isHive, isLog)
		}
	}
	for _, head := range []string{"", "regf", "MZ" + strings.Repeat("\x00", 510)} {
		if isHive, isLog := hive.Sniff([]byte(head)); isHive || isLog {
			t.Errorf("%.4q taken for a hive", head)
		}
	}
}

func TestKinds(t *testing.T) {
	for text, want := range map[string]hive.Kind{
		"":                                   hive.Unknown,
		"[Network\\Z]":                       hive.NTUSER,
		"[Software\\Microsoft]":              hive.NTUSER,
		"[Control Panel]\n[Software]":        hive.NTUSER,
		"[Local Settings\\Software]":         hive.UsrClass,
		"[Select]\n[ControlSet001\\Control]": hive.System,
		"[Microsoft\\Windows]\n[Classes]":    hive.Software,
		"[Policy\\PolAdtEv]":                 hive.Security,
		"[SAM\\Domains\\Account]":            hive.SAM,
		"[Root\\InventoryApplicationFile]":   hive.Amcache,
		"[Objects]\n[Description]":           hive.BCD,
		"[DerivedData\\Components]":          hive.Components,
		"[Elsewhere]":                        hive.Unknown,
	} {
		if got := open(t, build(t, "!name=SYSTEM\n"+text)).Kind(); got != want {
			t.Errorf("%q: kind %s, want %s", text, got, want)
		}
	}
}

func TestAbsentIsNotDamaged(t *testing.T) {
	image := build(t, "[Network\\Z] 2026-03-01T10:00:00Z\nRemotePath=x\n[Network\\Y]\n[Software\\X]\n")
	h := open(t, image)
	k, err := h.Key(`network\Q\deeper`)
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, hive.ErrDamaged) || k == nil || k.Path != "Network" {
		t.Errorf("absent key: %v, %v", k, err)
	}
	if _, err := key(t, h, `NETWORK\z`).Value("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent value: %v", err)
	}
	network, z := key(t, h, "Network"), key(t, h, `Network\Z`)
	rp := value(t, h, `Network\Z`, "remotepath")

	for name, tt := range map[string]struct {
		patch func(b []byte)
		path  string
		value string
		want  string // "" = found in spite of the damage
	}{
		"list signature":   {func(b []byte) { copy(listOf(b, network), "xx") }, `Network\Q`, "", `subkey list: "Network": signature "xx"`},
		"list free":        {func(b []byte) { free(b, listOff(b, network)) }, `Network\Q`, "", "cell is free"},
		"list outside":     {func(b []byte) { le.PutUint32(b[network.Off+28:], 0x7ffffff8) }, `Network\Q`, "", "cell outside the hive bins"},
		"list nowhere":     {func(b []byte) { le.PutUint32(b[network.Off+28:], 0xffffffff) }, `Network\Q`, "", "reference to no cell"},
		"list odd":         {func(b []byte) { le.PutUint32(b[network.Off+28:], 36) }, `Network\Q`, "", "not a multiple of 8"},
		"list in header":   {func(b []byte) { le.PutUint32(b[network.Off+28:], 8) }, `Network\Q`, "", "into a bin header"},
		"list too long":    {func(b []byte) { le.PutUint16(listOf(b, network)[2:], 500) }, `Network\Q`, "", "500 entries in a cell with room for"},
		"list too short":   {func(b []byte) { le.PutUint16(listOf(b, network)[2:], 1) }, `Network\Q`, "", "read 1 of 2 subkeys"},
		"count hidden":     {func(b []byte) { le.PutUint32(b[network.Off+20:], 0) }, `Network\Q`, "", "no subkeys declared, but the list"},
		"entry twice":      {func(b []byte) { l := listOf(b, network); copy(l[4:8], l[12:16]) }, `Network\Q`, "", "listed twice"},
		"one entry bad":    {func(b []byte) { copy(b[z.Off:], "xx") }, `Network\Z`, "", `signature "xx", want "nk"`},
		"sibling survives": {func(b []byte) { copy(b[z.Off:], "xx") }, `Network\Y`, "", ""},
		"freed entry":      {func(b []byte) { free(b, z.Off) }, `Network\Z`, "", "cell is free"},
		"name too long":    {func(b []byte) { le.PutUint16(b[z.Off+72:], 400) }, `Network\Z`, "", "key name: 400 bytes"},
		"value list":       {func(b []byte) { le.PutUint32(b[z.Off+40:], 0x7ffffff8) }, `Network\Z`, "v", "value list: cell outside"},
		"value count":      {func(b []byte) { le.PutUint32(b[z.Off+36:], 0xfffffff0) }, `Network\Z`, "v", "values: hive damaged"},
		"value signature":  {func(b []byte) { copy(b[rp.Off:], "xx") }, `Network\Z`, "v", `want "vk"`},
		"value name":       {func(b []byte) { le.PutUint16(b[rp.Off+2:], 9999) }, `Network\Z`, "v", "value name: 9999 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			b := bytes.Clone(image)
			tt.patch(b)
			h := open(t, b)
			k, err := h.Key(tt.path)
			if err == nil && tt.value != "" {
				_, err = k.Value(tt.value)
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) || binread.Offset(err) < 4096 || !strings.Contains(fmt.Sprint(err), tt.want) {
				t.Errorf("error %v, want damage: %s", err, tt.want)
			}
		})
	}
}

// listOff returns the file offset of the payload of k's subkey list.
func listOff(b []byte, k *hive.Key) int64 { return 4096 + 4 + int64(le.Uint32(b[k.Off+28:])) }

func listOf(b []byte, k *hive.Key) []byte { return b[listOff(b, k):] }

// free marks the cell of the payload at off as free.
func free(b []byte, off int64) { le.PutUint32(b[off-4:], -le.Uint32(b[off-4:])) }

func TestOpenDamaged(t *testing.T) {
	image := build(t, "[Network\\Z]")
	root := open(t, image).Root()
	for name, tt := range map[string]struct {
		patch func(b []byte) []byte
		want  string
	}{
		"empty":            {func(b []byte) []byte { return nil }, "base block"},
		"4 bytes":          {func(b []byte) []byte { return b[:4] }, "base block"},
		"base block only":  {func(b []byte) []byte { return b[:4096] }, "root cell: cell outside"},
		"signature":        {func(b []byte) []byte { b[0] = 'x'; return b }, `signature "xegf"`},
		"log":              {func(b []byte) []byte { b[28] = 6; return b }, "a transaction log"},
		"root outside":     {func(b []byte) []byte { le.PutUint32(b[36:], 0x10000); return b }, "root cell: cell outside"},
		"root free":        {func(b []byte) []byte { free(b, root.Off); return b }, "root cell: cell is free"},
		"root of zeros":    {func(b []byte) []byte { clear(b[4096:]); return b }, "root cell"},
		"root not a key":   {func(b []byte) []byte { copy(b[root.Off:], "sk"); return b }, `signature "sk", want "nk"`},
		"root cell small":  {func(b []byte) []byte { le.PutUint32(b[root.Off-4:], 0xfffffff0); return b }, "root cell: cell holds 12 bytes"},
		"truncated in bin": {func(b []byte) []byte { return b[:root.Off+20] }, "root cell"},
	} {
		b := tt.patch(bytes.Clone(image))
		h, err := hive.Open(bytes.NewReader(b), int64(len(b)))
		if h != nil || !errors.Is(err, hive.ErrDamaged) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if _, err := hive.Open(bytes.NewReader(image), hive.MaxSize+1); !errors.Is(err, hive.ErrDamaged) {
		t.Errorf("size above the limit: %v", err)
	}
}

func TestProblems(t *testing.T) {
	image := build(t, "[Network\\Y]\n[Network\\Z]\n[Software\\Long]\nv=hex:"+strings.Repeat("00", 9000))
	h := open(t, image)
	network, y := key(t, h, "Network"), key(t, h, `Network\Y`)
	for name, tt := range map[string]struct {
		patch func(b []byte) []byte
		want  string
	}{
		"parent": {func(b []byte) []byte { le.PutUint32(b[y.Off+16:], 0x20); return b }, "parent: \"Network\\\\Y\": says 0x20"},
		"order": {func(b []byte) []byte {
			l := listOf(b, network)
			copy(l[4:], append(bytes.Clone(l[12:20]), l[4:12]...))
			return b
		}, "listed behind"},
		"more than said": {func(b []byte) []byte { le.PutUint32(b[network.Off+20:], 1); return b }, "2 subkeys, 1 declared"},
		"bin signature":  {func(b []byte) []byte { copy(b[4096:], "gbin"); return b }, `hive bin: signature "gbin"`},
		"bin offset":     {func(b []byte) []byte { le.PutUint32(b[4096+4:], 0x3000); return b }, "says it lies at"},
		"bin size":       {func(b []byte) []byte { le.PutUint32(b[4096+8:], 0x1001); return b }, "hive bin: size 0x1001"},
		"bins size":      {func(b []byte) []byte { le.PutUint32(b[40:], 0x10000000); return b }, "hive bins size: bins end at 0x10001000"},
		"bins size zero": {func(b []byte) []byte { le.PutUint32(b[40:], 0); return b }, "hive bins size"},
		"cell chain":     {func(b []byte) []byte { le.PutUint32(b[4096+32:], 0); return b }, "breaks the chain"},
		"version":        {func(b []byte) []byte { b[24] = 77; return b }, "version: 1.77 is unknown"},
		"file type":      {func(b []byte) []byte { b[28] = 9; return b }, "file type: 9"},
	} {
		h := open(t, tt.patch(bytes.Clone(image)))
		for k, err := range h.Walk() {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if k.Path == `Network\Y` && k.Off != y.Off {
				t.Errorf("%s: %v", name, k)
			}
		}
		key(t, h, `Network\Z`)
		list := h.Problems()
		if !strings.Contains(fmt.Sprint(list), tt.want) {
			t.Errorf("%s: problems %v, want %s", name, list, tt.want)
		}
		for range h.Walk() {
		}
		if again := h.Problems(); fmt.Sprint(again) != fmt.Sprint(list) {
			t.Errorf("%s: reading again made problems %v of %v", name, again, list)
		}
	}
}

func TestWalk(t *testing.T) {
	h := open(t, build(t, "[b\\x]\n[B\\y\\z]\n[a]\n[c\\s\\u{5C}d]\n"))
	var got []string
	for k, err := range h.Walk() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k.Path)
	}
	want := []string{"", "a", "b", `b\x`, `b\y`, `b\y\z`, "c", `c\s\d`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := h.Key(`c\s\d`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a name with a backslash opened by path: %v", err)
	}
	for k := range h.Walk() {
		if k.Path == "b" {
			break // must not panic
		}
	}
}

func TestWalkLoop(t *testing.T) {
	image := build(t, "[a\\b\\c]")
	h := open(t, image)
	c, b := key(t, h, `a\b\c`), key(t, h, `a\b`)
	le.PutUint32(image[c.Off+20:], 1) // c lists what a lists: b
	le.PutUint32(image[c.Off+28:], le.Uint32(image[key(t, h, "a").Off+28:]))
	r := readAll(t, open(t, image))
	if r.keys != 4 || len(r.errs) != 1 || binread.Offset(r.errs[0]) != b.Off {
		t.Errorf("%d keys, %v", r.keys, r.errs)
	}
}

func TestWalkDepth(t *testing.T) {
	r := readAll(t, open(t, build(t, "["+strings.Repeat(`x\`, 600)+"x]")))
	if r.keys != 512 || !strings.Contains(fmt.Sprint(r.errs), "more than 512 levels") {
		t.Errorf("%d keys, %v", r.keys, r.errs)
	}
}

func TestKeyFields(t *testing.T) {
	image := build(t, "[] 2026-02-01T00:00:00Z\n[Network\\Z] 2026-03-01T10:00:00.1234567Z volatile=3\nv=1\n[Network\\Z\\Sub]\n")
	h := open(t, image)
	z := key(t, h, `Network\Z`)
	if z.SubkeyCount != 1 || z.VolatileCount != 3 || z.ValueCount != 1 || z.Name != "Z" || z.Path != `Network\Z` {
		t.Errorf("%+v", z)
	}
	if string(image[z.Off:z.Off+2]) != "nk" || z.Len != int64(-int32(le.Uint32(image[z.Off-4:])))-4 {
		t.Errorf("offset %#x, length %d", z.Off, z.Len)
	}
	if got, want := key(t, h, `Network\Z\Sub`).LastWrite, z.LastWrite; got != want || got.Nanosecond() != 123456700 {
		t.Errorf("inherited time %v, want %v", got, want)
	}
	sub, err := z.Sub("SUB")
	if err != nil || sub.Path != `Network\Z\Sub` {
		t.Error(sub, err)
	}
	if root := h.Root(); root.Path != "" || root.Name != "ROOT" {
		t.Errorf("%+v", root)
	}
}

func TestConcurrentReaders(t *testing.T) {
	image := build(t, seedText)
	h := open(t, image)
	z := key(t, h, `Network\Z`)
	le.PutUint32(image[z.Off+16:], 0x20) // makes a problem
	h = open(t, image)
	out := make([]string, 8)
	var wg sync.WaitGroup
	for i := range out {
		wg.Go(func() {
			r := readAll(t, h)
			out[i] = fmt.Sprint(r, h.Problems())
		})
	}
	wg.Wait()
	if out = slices.Compact(out); len(out) != 1 {
		t.Errorf("readers differ: %q", out)
	}
}
