package shell

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/shell/shelltest"
)

func list(t testing.TB, text string) []byte {
	t.Helper()
	b, err := shelltest.List(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPath(t *testing.T) {
	for _, tc := range []struct{ in, unc, drive, text string }{
		{`net | server:fs01 | share:\\fs01\finance | dir:2024@2026-01-02T03:04:06Z | file:a.xlsx`, `\\fs01\finance\2024\a.xlsx`, "", `\\fs01\finance\2024\a.xlsx`},
		{`net | share:\\fs01\Bücher`, `\\fs01\Bücher`, "", `\\fs01\Bücher`},
		{`net | share:\\説明\明`, `\\説明\明`, "", `\\説明\明`},
		{`net | server:fs01`, `\\fs01`, "", `\\fs01`},
		{`net`, "", "", ""},
		{`computer | drive:z: | dir:x`, "", "Z:", `z:\x`},
		{`computer | dir:x`, "", "", `x`},
		{`server:notes`, "", "", `notes`},
		{`uri:https://dav.example/x`, "", "", "https://dav.example/x"},
		// Bytes of a share as Windows 7 wrote it, from the literature.
		{`net | hex:c301c15c5c636f6e74726f6c6c65725c5765624461765368617265004d6963726f736f6674204e6574776f726b00000200`, `\\controller\WebDavShare`, "", `\\controller\WebDavShare`},
		// XP: the whole network, a provider, a workgroup, a server.
		{`hex:1f5860d08ba10f6b1a469d51d5e2a0b1c2d3 | hex:470000456e74697265204e6574776f726b00 | hex:4600004d6963726f736f66742057696e646f7773204e6574776f726b00 | hex:420000` + hex.EncodeToString([]byte(`\\FS01`)) + `00`, `\\FS01`, "", `\\FS01`},
	} {
		l, err := ParseList(list(t, tc.in), 100)
		p := l.Path()
		if err != nil || p.UNC != tc.unc || p.Drive != tc.drive || p.Text != tc.text {
			t.Errorf("%s: %+v, %v", tc.in, p, err)
		}
		if p.ANSI {
			t.Errorf("%s: read in an unknown code page, though UTF-16 is there or not needed", tc.in)
		}
	}
}

// TestItems looks at what a list says beyond the path.
func TestItems(t *testing.T) {
	b := list(t, `net | share:\\fs01\Bücher | dir:Jänner@2026-01-02T03:04:06Z`)
	l, err := ParseList(b, 1000)
	if err != nil || len(l) != 3 {
		t.Fatal(l, err)
	}
	share, dir := l[1], l[2]
	if l[0].GUID != GUIDNetwork || l[0].Off != 1000 || share.Off != 1000+20 || int(share.Off-1000)+share.Len != int(dir.Off-1000) {
		t.Errorf("%+v", l)
	}
	if share.Kind != Network || share.Class != 0xc3 || share.Description != "Microsoft Network" || share.Comment != "" {
		t.Errorf("%+v", share)
	}
	if dir.Kind != File || dir.Modified.String() != "2026-01-02 03:04:06 +0000 UTC" || dir.Created != dir.Modified || dir.Accessed != dir.Modified {
		t.Errorf("%+v", dir)
	}
	// Without the block that holds the Unicode name.
	old, err := ParseList(list(t, "hex:3100000000000000000010004ae46e6e657200"), 0)
	if err != nil || old[0].Name != "Jänner" || !old[0].ANSI || !old[0].Modified.IsZero() {
		t.Errorf("%+v %v", old, err)
	}
}

func TestListDamage(t *testing.T) {
	b := list(t, `net | share:\\fs01\x`)
	for _, tc := range []struct {
		b     []byte
		items int
		off   int64
	}{
		{b[:len(b)-2], 2, -1}, // without a terminator, as one item of a registry value
		{b[:len(b)-5], 1, 7 + 20},
		{[]byte{2, 0, 1, 2}, 0, 7},
		{[]byte{0xff, 0xff, 1, 2}, 0, 7},
		{[]byte{0, 0, 9}, 0, -1},
		{nil, 0, -1},
		{bytes.Repeat([]byte{3, 0, 0x70}, maxItems+1), maxItems, 7 + 3*maxItems},
	} {
		l, err := ParseList(tc.b, 7)
		if len(l) != tc.items || binread.Offset(err) != tc.off || (err == nil) != (tc.off < 0) {
			t.Errorf("%x: %d items, %v", tc.b[:min(8, len(tc.b))], len(l), err)
		}
	}
}

const linkText = `created=2026-03-01T08:00:00.1234567Z
accessed=2026-03-02T08:00:00Z
modified=2026-03-03T08:00:00Z
size=4711
items=net | share:\\fs01\finance | file:a.xlsx
share=\\fs01\finance
suffix=Q 1\a.xlsx
device=Z:
name=a note
relative=..\a.xlsx
workdir=Z:\Q 1
args=/x
icon=%SystemRoot%\x.dll
machine=fs01
`

func TestLink(t *testing.T) {
	b, err := shelltest.Link(linkText)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ParseLink(append(b, "behind it"...), 40)
	if err != nil || len(l.Problems) > 0 {
		t.Fatal(err, l)
	}
	got := fmt.Sprintf("%d %d %+v %q %q %q %q %q %s %s %s %d %s %s", l.Off, l.Len, *l.Network, l.Name, l.RelativePath, l.WorkingDir, l.Arguments, l.Icon,
		stamp(l.Created), stamp(l.Accessed), stamp(l.Modified), l.FileSize, l.Tracker.Machine, l.Items.Path().UNC)
	want := fmt.Sprintf(`40 %d {NetName:\\fs01\finance Device:Z: Provider:131072 Suffix:Q 1\a.xlsx ANSI:false} "a note" "..\\a.xlsx" "Z:\\Q 1" "/x" "%%SystemRoot%%\\x.dll" 2026-03-01T08:00:00.1234567Z 2026-03-02T08:00:00.0000000Z 2026-03-03T08:00:00.0000000Z 4711 fs01 \\fs01\finance\a.xlsx`, len(b))
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	if l.Local != nil {
		t.Errorf("%+v", l.Local)
	}
}

func TestLinkKinds(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"share=\\\\説\\明\ndevice=Y:\nsuffix=説明.txt", `{NetName:\\説\明 Device:Y: Provider:131072 Suffix:説明.txt ANSI:false}`},
		{"share=\\\\dav@SSL\\x\nprovider=0x2e0000", `{NetName:\\dav@SSL\x Device: Provider:3014656 Suffix: ANSI:false}`},
		{"local=C:\\x\nlabel=OS\ndrive-type=3\nsuffix=y", `{DriveType:3 Serial:305419896 Label:OS Path:C:\x\y ANSI:false}`},
		{"local=Z:\\\ndrive-type=4", `{DriveType:4 Serial:305419896 Label: Path:Z:\ ANSI:false}`},
		{"name=only a name", "none"},
	} {
		b, err := shelltest.Link(tc.text)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseLink(b, 0)
		if err != nil || len(l.Problems) > 0 {
			t.Errorf("%s: %v %v", tc.text, err, l)
			continue
		}
		got := "none"
		if l.Network != nil {
			got = fmt.Sprintf("%+v", *l.Network)
		}
		if l.Local != nil {
			got = fmt.Sprintf("%+v", *l.Local)
		}
		if got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.text, got, tc.want)
		}
	}
}

// TestLinkCut cuts a link everywhere: what is missing is told, unless only the
// end marker is, and nothing sound before it is lost.
func TestLinkCut(t *testing.T) {
	b, err := shelltest.Link(linkText)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(b) {
		l, err := ParseLink(b[:n], 0)
		switch {
		case n < headerSize:
			if fe := (*binread.FormatError)(nil); !errors.As(err, &fe) {
				t.Errorf("%d bytes: %v", n, err)
			}
		case err != nil:
			t.Errorf("%d bytes: %v", n, err)
		case len(l.Problems) == 0 && n < len(b)-4 && n != len(b)-4-0x60 && !cutInside(b, n):
			t.Errorf("%d of %d bytes: no problem", n, len(b))
		case stamp(l.Created) != "2026-03-01T08:00:00.1234567Z":
			t.Errorf("%d bytes: %v", n, l.Created)
		}
	}
}

// cutInside reports whether less than a size field is left behind the last
// whole block, which cannot be told from a writer that omits the end.
func cutInside(b []byte, n int) bool { return n > len(b)-4-0x60 && n < len(b)-0x60 }

func TestJumpList(t *testing.T) {
	text := `[1] 2026-03-04T05:06:07.1234567Z host=fs01 count=3 pinned path=\\fs01\finance\a.xlsx
share=\\fs01\finance
suffix=a.xlsx
[0x1f] 2026-03-05T00:00:00Z host=ws01 path=C:\x
local=C:\x
drive-type=3
name=` + strings.Repeat("long enough for sectors of its own ", 80) + `
[3] 2026-03-06T00:00:00Z nolink path=\\gone\x
[4] unlisted
share=\\fs02\old
`
	b, err := shelltest.JumpList(text)
	if err != nil {
		t.Fatal(err)
	}
	j, err := ReadAutomatic(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(j.Problems) > 0 || len(j.Entries) != 4 || j.Version != 4 {
		t.Fatalf("%v %+v", err, j)
	}
	e := j.Entries
	if e[0].Path != `\\fs01\finance\a.xlsx` || e[0].Host != "fs01" || e[0].Count != 3 || !e[0].Pinned || stamp(e[0].Accessed) != "2026-03-04T05:06:07.1234567Z" || e[0].Link.Network.Path() != e[0].Path {
		t.Errorf("%+v", e[0])
	}
	if e[1].Stream != "1f" || e[1].Pinned || e[1].Link.Local.Path != `C:\x` || len(e[1].Link.Name) < 2000 {
		t.Errorf("%+v", e[1])
	}
	if e[2].Link != nil || e[2].Path != `\\gone\x` || e[3].Listed || e[3].Link.Network.NetName != `\\fs02\old` {
		t.Errorf("%+v\n%+v", e[2], e[3])
	}
	for _, x := range []int{0, 3} { // offsets lead to the bytes
		if at := e[x].Link.Off; !IsLink(b[at:]) {
			t.Errorf("no link at %#x", at)
		}
	}
	if at := e[0].Off + 130; !bytes.HasPrefix(b[at:], []byte{'\\', 0, '\\', 0, 'f', 0}) {
		t.Errorf("no path at %#x", at)
	}
	for n := 0; n < len(b); n += 37 {
		j, err := ReadAutomatic(bytes.NewReader(b[:n]), int64(n))
		if err == nil && len(j.Problems) == 0 {
			t.Errorf("%d of %d bytes: no problem", n, len(b))
		}
	}
}

func TestCustom(t *testing.T) {
	b, err := shelltest.Custom("[]\nshare=\\\\fs01\\x\n[]\nlocal=C:\\y\ndrive-type=3\n")
	if err != nil {
		t.Fatal(err)
	}
	j, err := ReadCustom(bytes.NewReader(b), int64(len(b)))
	if err != nil || len(j.Problems) > 0 || len(j.Entries) != 2 || j.Entries[0].Link.Network.NetName != `\\fs01\x` || j.Entries[1].Link.Local.Path != `C:\y` {
		t.Fatalf("%v %+v", err, j)
	}
	for n := range len(b) {
		if j, err := ReadCustom(bytes.NewReader(b[:n]), int64(n)); err == nil && len(j.Problems) == 0 {
			t.Errorf("%d of %d bytes: no problem", n, len(b))
		}
	}
}

func TestCompoundLoops(t *testing.T) {
	b, err := shelltest.JumpList("[1] path=x\nshare=\\\\fs01\\x\n")
	if err != nil {
		t.Fatal(err)
	}
	// Every table entry leads to the first sector.
	loop := bytes.Clone(b)
	for i := len(loop) - 512; i < len(loop); i += 4 {
		copy(loop[i:], []byte{0, 0, 0, 0})
	}
	j, err := ReadAutomatic(bytes.NewReader(loop), int64(len(loop)))
	if err == nil && len(j.Problems) == 0 {
		t.Errorf("%+v", j)
	}
	// The table of tables leads to itself.
	loop = bytes.Clone(b)
	copy(loop[68:], []byte{0, 0, 0, 0})
	copy(loop[512+508:], []byte{0, 0, 0, 0})
	if _, err := ReadAutomatic(bytes.NewReader(loop), int64(len(loop))); err == nil {
		t.Error("no error")
	}
}

func FuzzList(f *testing.F) {
	f.Add(list(f, `net | server:fs01 | share:\\fs01\Bücher | dir:x@2026-01-02T03:04:06Z`))
	f.Add(list(f, `computer | drive:Z: | file:x | uri:http://x/y`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseList(b, 5)
		if off := binread.Offset(err); err != nil && (off < 5 || off > int64(len(b))+5) {
			t.Errorf("%v in %d bytes", err, len(b))
		}
		for _, it := range l {
			if it.Off < 5 || it.Off+int64(it.Len) > int64(len(b))+5 || len(it.Name) > 3*len(b) {
				t.Errorf("%+v", it)
			}
		}
		l.Path()
	})
}

func FuzzLink(f *testing.F) {
	for _, text := range []string{linkText, "share=\\\\説\\明\ndevice=Y:", "local=C:\\x\ndrive-type=3"} {
		b, err := shelltest.Link(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ReadLink(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if l != nil {
				t.Error("both a link and an error")
			}
			return
		}
		if l.Len < headerSize || l.Len > int64(len(b)) {
			t.Errorf("link of %d bytes in %d", l.Len, len(b))
		}
		for _, p := range l.Problems {
			if binread.Offset(p) < 0 || binread.Offset(p) > int64(len(b)) {
				t.Error(p)
			}
		}
	})
}

func FuzzJumpList(f *testing.F) {
	b, err := shelltest.JumpList("[1] 2026-03-04T05:06:07Z host=fs01 path=\\\\fs01\\x\nshare=\\\\fs01\\x\n[2] unlisted\nshare=\\\\fs02\\y\n")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	if b, err = shelltest.Custom("[]\nshare=\\\\fs01\\x\n"); err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, read := range []func() (*JumpList, error){
			func() (*JumpList, error) { return ReadAutomatic(bytes.NewReader(b), int64(len(b))) },
			func() (*JumpList, error) { return ReadCustom(bytes.NewReader(b), int64(len(b))) },
		} {
			j, err := read()
			if err != nil {
				continue
			}
			for _, e := range j.Entries {
				if e.Off < 0 || e.Len < 0 || e.Off > int64(len(b))+1<<20 {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}
