package hive_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/binread/costtest"
	"sharetrail/parsers/hive"
)

const mapping = ` 2026-03-01T10:00:00Z%s
RemotePath=\\fs01\finance
UserName=
ProviderName=Microsoft Windows Network
ProviderType=dword:0x20000
ConnectionType=dword:1
DeferFlags=dword:4
`

// deletedLines shows items one a line.
func deletedLines(t testing.TB, h *hive.Hive) []string {
	t.Helper()
	var lines []string
	for it, err := range h.Deleted() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, itemLines(it, "")...)
	}
	return lines
}

func itemLines(it hive.Item, indent string) (lines []string) {
	more := ""
	if it.Reused {
		more += " reused"
	}
	if it.Doubt != "" {
		more += " (" + it.Doubt + ")"
	}
	switch {
	case it.Key != nil:
		path := it.Path
		if !it.PathComplete {
			path = "..." + path
		}
		lines = append(lines, fmt.Sprintf("%s[%s] %s %s%s", indent, path, it.Key.LastWrite.Format("15:04:05"), it.Where, more))
		for _, v := range it.Values {
			lines = append(lines, itemLines(v, indent+"  ")...)
		}
	case it.Value != nil:
		data, err := render(it.Value)
		if err != nil {
			data += "!"
		}
		lines = append(lines, fmt.Sprintf("%s%s=%s %s%s", indent, it.Value.Name, data[:min(40, len(data))], it.Where, more))
	default:
		lines = append(lines, fmt.Sprintf("%stext %s %s", indent, it.Text, it.Where))
	}
	return lines
}

func TestDeleted(t *testing.T) {
	values := []string{
		`  RemotePath=\\fs01\finance %s`, `  UserName= %s`, `  ProviderName=Microsoft Windows Network %s`,
		`  ProviderType=131072 %s`, `  ConnectionType=1 %s`, `  DeferFlags=4 %s`,
	}
	all := func(first, where string) []string {
		list := []string{first}
		for _, v := range values {
			list = append(list, fmt.Sprintf(v, where))
		}
		return list
	}
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"nothing": {"[Network\\Z]\nRemotePath=\\\\a\\b", nil},
		"mapping": {"[Network] 2026-03-02T00:00:00Z\n-[Network\\Z]" + fmt.Sprintf(mapping, ""),
			all(`[Network\Z] 10:00:00 free-cell`, "free-cell")},
		"not joined": {"[Network] 2026-03-02T00:00:00Z\n-[Network\\Z]" + fmt.Sprintf(mapping, " apart"),
			all(`[Network\Z] 10:00:00 free-cell`, "free-cell")},
		"still allocated": {"[Network] 2026-03-02T00:00:00Z\n-[Network\\Z]" + fmt.Sprintf(mapping, " unlinked"),
			all(`[Network\Z] 10:00:00 unlinked`, "unlinked")},
		"beside a live one of that name": {"[Network] 2026-03-02T00:00:00Z\n[Network\\Z]\nRemotePath=\\\\b\\c\n-[Network\\Z]" + fmt.Sprintf(mapping, ""),
			all(`[Network\Z] 10:00:00 free-cell`, "free-cell")},
		"overwritten": {"[Network] 2026-03-02T00:00:00Z\n-[Network\\Z] 2026-03-01T10:00:00Z overwritten\nRemotePath=\\\\fs01\\finance", []string{
			`[Network\Z] 10:00:00 free-cell`,
			"  RemotePath=\uaaaa\uaaaa\uaaaa\uaaaa\uaaaa\uaaaa\uaaaa\u00aainance free-cell reused (what lies before its data has been overwritten: no cell of 30 bytes begins there)",
		}},
		"tree": {"[A] 2026-03-02T00:00:00Z\n-[A\\B] 2026-03-01T01:00:00Z\n-[A\\B\\C] 2026-03-01T02:00:00Z\nv=dword:7", []string{
			`[A\B] 01:00:00 free-cell`,
			`[A\B\C] 02:00:00 free-cell`,
			`  v=7 free-cell`,
		}},
		"two of a name": {"[A] 2026-03-02T00:00:00Z\n-[A\\B] 2026-03-01T01:00:00Z\n-[A\\B] 2026-03-01T02:00:00Z", []string{
			`[A\B] 01:00:00 free-cell`,
			`[A\B] 02:00:00 free-cell`,
		}},
		"value": {"[Network\\Z] 2026-03-02T00:00:00Z\nRemotePath=\\\\fs02\\x\n-\"RemotePath\"=\\\\fs01\\finance", []string{
			`RemotePath=\\fs01\finance free-cell`,
		}},
		"names": {"-[\u041e\u0431\u0449\u0438\u0439] 2026-03-01T01:00:00Z\n-[nul\\u{0}in] 2026-03-01T02:00:00Z\n@=dword:1", []string{
			"[\u041e\u0431\u0449\u0438\u0439] 01:00:00 free-cell (the key that is now where its parent was has an earlier time: it may be another)",
			"[nul\x00in] 02:00:00 free-cell (the key that is now where its parent was has an earlier time: it may be another; its name cannot be printed)",
			"  =1 free-cell",
		}},
		"big data": {"[] 2026-03-02T00:00:00Z\n-[big] 2026-03-01T01:00:00Z\nv=hex:" + strings.Repeat("c5", 40000), []string{
			"[big] 01:00:00 free-cell",
			"  v=" + strings.Repeat("c5", 20) + " free-cell",
		}},
		"odd time": {"[A] 2026-03-02T00:00:00Z\n-[A\\B] ft:0", []string{`[A\B] 00:00:00 free-cell (its time is none that a computer would have)`}},
		"odd type": {"[a]\n-\"v\"=raw:0x227:00", []string{`v=00 free-cell (its type is none of Windows')`}},
		"junk": {"[a]\n-\"v\"=hex:" + strings.Repeat("00000000 766b0000 ", 40) + strings.Repeat("00000000 6e6b2000 ", 40), []string{
			"v=" + strings.Repeat("00000000766b0000", 2) + "00000000 free-cell",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			image := build(t, tt.text)
			h := open(t, image)
			got := deletedLines(t, h)
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
			if r := readAll(t, h); len(r.errs)+len(h.Problems()) > 0 {
				t.Error(r.errs, h.Problems())
			}
			checkNotLive(t, name, h)
		})
	}
}

// TestDeletedBigData reads a whole deleted value of several segments.
func TestDeletedBigData(t *testing.T) {
	h := open(t, build(t, "-[big]\nv=hex:"+strings.Repeat("0102030405", 8000)))
	for it := range h.Deleted() {
		b, err := it.Values[0].Value.Bytes()
		if err != nil || !bytes.Equal(b, bytes.Repeat([]byte{1, 2, 3, 4, 5}, 8000)) {
			t.Error(len(b), err)
		}
	}
}

const removed = "[Network] 2026-03-02T00:00:00Z\n-[Network\\Z] 2026-03-01T10:00:00Z\nRemotePath=\\\\fs01\\finance\n"

// swallow joins the free cell behind the allocated cell that begins with sig to
// it, as Windows does when it enlarges a cell and needs less than it gets.
func swallow(t *testing.T, image []byte, sig string) {
	for c := 4096 + 32; c < len(image); {
		size := int(int32(le.Uint32(image[c:])))
		next := c + max(size, -size)
		if size < 0 && bytes.HasPrefix(image[c+4:], []byte(sig)) && next < len(image) && int32(le.Uint32(image[next:])) > 0 {
			le.PutUint32(image[c:], uint32(size-int(le.Uint32(image[next:]))))
			return
		}
		c = next
	}
	t.Fatalf("no %q in front of a free cell", sig)
}

func TestDeletedSlack(t *testing.T) {
	// In the order of the writer: key, value list, subkey list, what is deleted.
	for sig, text := range map[string]string{
		"lh": "[Network] 2026-03-02T00:00:00Z\n[Network\\A]\n-[Network\\Z] 2026-03-01T10:00:00Z\nRemotePath=\\\\fs01\\finance\n",
		"nk": removed,
	} {
		image := build(t, text)
		swallow(t, image, sig)
		where := map[string]string{"lh": "list-slack", "nk": "cell-slack"}[sig]
		want := fmt.Sprintf("[Network\\Z] 10:00:00 %s\n  RemotePath=\\\\fs01\\finance %[1]s", where)
		if got := strings.Join(deletedLines(t, open(t, image)), "\n"); got != want {
			t.Errorf("%s: %q, want %q", sig, got, want)
		}
	}
}

// TestDeletedElsewhere: records outside the bins, in bins without a header, and
// below a tree that cannot be read.
func TestDeletedElsewhere(t *testing.T) {
	image := build(t, removed)
	for it := range open(t, append(build(t, "[a]"), image[4096:]...)).Deleted() {
		if it.Where != hive.BehindBins || it.Text == "" && !strings.Contains(it.Doubt, "behind the hive bins") {
			t.Errorf("behind the bins: %q: %q, %q", it.Path, it.Where, it.Doubt)
		}
	}

	bad := bytes.Clone(image)
	copy(bad[4096:], "gone")
	h := open(t, bad)
	if got := strings.Join(deletedLines(t, h), "\n"); !strings.Contains(got, `[Network\Z] 10:00:00 damaged-bin`) {
		t.Errorf("damaged bin: %q", got)
	}
	checkNotLive(t, "damaged bin", h)

	// Live text in such a bin is not deleted text.
	bad = build(t, "[a]\nRemotePath=\\\\fs01\\finance")
	copy(bad[4096:], "gone")
	if got := deletedLines(t, open(t, bad)); len(got) > 0 {
		t.Errorf("live in a damaged bin: %q", got)
	}

	torn := build(t, "[A\\B] 2026-03-02T00:00:00Z\nv=dword:1")
	copy(torn[bytes.Index(torn, []byte("lh\x01\x00")):], "xx")
	h = open(t, torn)
	for it := range h.Deleted() {
		if !strings.Contains(it.Doubt, "the live tree is damaged") {
			t.Errorf("torn: %q is no doubt for %q", it.Doubt, it.Path)
		}
	}
}

// TestDeletedReused: a list, a record or data that something else has now.
func TestDeletedReused(t *testing.T) {
	base := "[Network] 2026-03-02T00:00:00Z\nlive=something of another\n-[Network\\Z] 2026-03-01T10:00:00Z\nRemotePath=\\\\fs01\\finance\n"
	find := func(b []byte, s string, n int) int {
		off := -1
		for range n + 1 {
			off += 1 + bytes.Index(b[off+1:], []byte(s))
		}
		return off
	}
	image := build(t, base)
	liveVK, deadVK := find(image, "vk", 0), find(image, "vk", 1)
	if deadVK < liveVK {
		t.Fatal("layout has changed")
	}
	data := bytes.Clone(image)
	copy(data[deadVK+8:deadVK+12], data[liveVK+8:liveVK+12])
	got := strings.Join(deletedLines(t, open(t, data)), "\n")
	if !strings.Contains(got, "RemotePath=something of an free-cell reused (its data is in use again)") {
		t.Errorf("data: %q", got)
	}

	list := bytes.Clone(image)
	z := find(list, "nk", 2)
	le.PutUint32(list[find(list, string(le.AppendUint32(nil, uint32(deadVK-4-4096))), 0):], uint32(liveVK-4-4096))
	got = strings.Join(deletedLines(t, open(t, list)), "\n")
	if !strings.Contains(got, "  live=something of another in-use reused (it is in use again; its data is in use again)") || !strings.Contains(got, "\nRemotePath=") {
		t.Errorf("record: %q (key at %#x)", got, z)
	}
}

func TestDeletedText(t *testing.T) {
	image := build(t, "[a]\n-\"v\"=\\\\fs01\\finance\n-\"w\"=\\\\.\\pipe\n-\"x\"=\\\\\\\\\\\\\n-\"y\"=\\\\nas.corp.example\\Общий$\\\u00e4")
	for i := range image {
		if bytes.HasPrefix(image[i:], []byte("vk")) {
			image[i] = 0
		}
	}
	want := []string{`text \\fs01\finance free-cell`, `text \\nas.corp.example\Общий$\` + "\u00e4 free-cell"}
	if got := deletedLines(t, open(t, image)); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
	for it := range open(t, image).Deleted() {
		if s := string(utf16.Decode([]uint16{le.Uint16(image[it.Off:]), le.Uint16(image[it.Off+2:])})); s != `\\` {
			t.Errorf("%q: %#x has %q", it.Text, it.Off, s)
		}
	}
}

// TestDeletedOverlap: forged lists of deleted keys that all lead to the same
// values, and a chain of parents longer than any hive has.
func TestDeletedOverlap(t *testing.T) {
	const size = 1 << 20
	image := make([]byte, 4096+size)
	copy(image, build(t, "")[:4096])
	le.PutUint32(image[40:], size)
	resum(image)
	copy(image[4096:], build(t, "")[4096:])
	le.PutUint32(image[4096+8:], size)
	root := le.Uint32(image[36:])
	free := int(root) + 4 + 80
	free = (free + 7) &^ 7
	le.PutUint32(image[4096+free:], uint32(size-free))
	n := 0
	for at := free + 8; at+600 < size/2; at += 344 {
		nk := image[4096+at+4:]
		copy(nk, "nk\x20\x00")
		le.PutUint64(nk[4:], 133_000_000_000_000_000)
		le.PutUint32(nk[16:], uint32(max(at-344, free)))
		le.PutUint32(nk[36:], 1<<16)
		le.PutUint32(nk[40:], size/2)
		le.PutUint16(nk[72:], 255)
		copy(nk[76:], bytes.Repeat([]byte("p"), 255))
		n++
	}
	vk := size - 4096
	for at := size / 2; at < vk-8; at += 4 {
		le.PutUint32(image[4096+at+4:], uint32(vk))
	}
	copy(image[4096+vk+4:], "vk\x00\x00\x00\x00\x01\x00")
	h := open(t, image)
	items, start, before := 0, time.Now(), costtest.Allocated()
	var last error
	for it, err := range h.Deleted() {
		if last = err; err == nil {
			items += 1 + len(it.Values)
		}
	}
	t.Logf("%d keys: %d items, %v, %d MiB, %v", n, items, time.Since(start), (costtest.Allocated()-before)>>20, last)
	if last == nil || items < n {
		t.Errorf("%d items for %d keys, %v: want all keys and an error", items, n, last)
	}
	if time.Since(start) > 20*time.Second || costtest.Allocated()-before > 2<<30 {
		t.Error("work is not bounded")
	}
}

// TestDeletedKey: what is recovered answers no questions about the live tree.
func TestDeletedKey(t *testing.T) {
	h := open(t, build(t, removed))
	n := 0
	for it := range h.Deleted() {
		if it.Key == nil {
			continue
		}
		n++
		for _, err := range it.Key.Values() {
			if err == nil {
				t.Error("values without an error")
			}
		}
		for _, err := range it.Key.Subkeys() {
			if err == nil {
				t.Error("subkeys without an error")
			}
		}
		if _, err := it.Key.Sub("x"); err == nil {
			t.Error("a subkey")
		}
		// The consumer may stop anywhere.
		break
	}
	if n != 1 {
		t.Error(n)
	}
}
