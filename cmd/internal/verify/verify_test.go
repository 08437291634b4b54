package verify

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"
)

const events = `
@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01.corp.example
2026-02-01T09:00:00.1234567Z 4688 id=100
  SubjectUserSid = S-1-5-21-1-2-3-1001
  NewProcessId = 0x1a4
  CommandLine = net use Z: \\fs01\finance
`

const keys = `
[Network] 2026-03-01T11:00:00.5Z
[Network\Z] 2026-02-01T09:00:00.1234567Z
RemotePath=\\fs01\finance
ProviderType=dword:0x20000
Short=hex:01,02
List=multi:one|two
`

func log(t testing.TB) []byte {
	parsed, err := evtxtest.Parse(events)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evtxtest.Build(parsed, evtxtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func registry(t testing.TB) []byte {
	b, err := hivetest.Build(keys)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecord(t *testing.T) {
	b := log(t)
	c, err := readChunk(bytes.NewReader(b), logHeader, logHeader+chunkHeader, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := c.record(logHeader+chunkHeader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !rec.whole {
		t.Error("the checksum does not hold")
	}
	for path, want := range map[string]string{
		"Event/System/EventRecordID":          "100",
		"Event/System/EventID":                "4688",
		"Event/System/Channel":                "Security",
		"Event/System/Provider@Name":          "Microsoft-Windows-Security-Auditing",
		"Event/System/TimeCreated@SystemTime": "2026-02-01T09:00:00.1234567Z",
	} {
		if got := rec.get(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for name, want := range map[string]string{"SubjectUserSid": "S-1-5-21-1-2-3-1001", "NewProcessId": "0x1a4", "CommandLine": `net use Z: \\fs01\finance`} {
		if i := slices.IndexFunc(rec.leaves, func(l leaf) bool { return l.name == name }); i < 0 || rec.leaves[i].text != want {
			t.Errorf("%s: %+v", name, rec.leaves)
		}
	}
}

func TestCells(t *testing.T) {
	h := &cells{b: registry(t)}
	at := h.find(`Network\Z`)
	if len(at) != 1 {
		t.Fatalf("found %d keys", len(at))
	}
	n, err := h.node(at[0])
	if err != nil || n.name != "Z" || n.last.Format("15:04:05.0000000") != "09:00:00.1234567" {
		t.Fatalf("%+v, %v", n, err)
	}
	want := map[string][]string{"RemotePath": {`\\fs01\finance`}, "ProviderType": {"131072"}, "Short": {"0102"}, "List": {"one", "two"}}
	for _, off := range h.values(n) {
		v, err := h.value(off)
		if err != nil {
			t.Fatal(err)
		}
		b, err := h.bytes(v)
		if got := render(v.kind, b); err != nil || !slices.Equal(got, want[v.name]) {
			t.Errorf("%s: %q, %v", v.name, got, err)
		}
		delete(want, v.name)
	}
	if len(want) > 0 {
		t.Errorf("not found: %v", want)
	}
	for _, path := range []string{"Network2", `Network\Y`, `Z`, `Network\Z\`, `network\Z`} {
		if got := h.find(path); path != `Network\Z\` && got != nil {
			t.Errorf("%q leads to %v", path, got)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, test := range []struct {
		raw, want string
		same      bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"ab", "a", false},
		{"", "", true},
		{"x", "", false},
		{"a\r\n\tb", "a b", true},
		{"net use Z: x secret /user:y", "net use Z: x *** /user:y", true},
		{"net use Y: x secret /user:y", "net use Z: x *** /user:y", false},
		{"net use Z: x secret /user:yz", "net use Z: x *** /user:y", false},
		{"0x10", "16", true},
		{"-1073741715", "0xc000006d", true},
		{"0x10", "17", false},
		{"abcdef", "abc ... (6 bytes in all)", true},
		{"abxdef", "abc ... (6 bytes in all)", false},
		{"020001BDC0A801010000000000000000", "192.168.1.1:445", true},
		{"020001BDC0A801020000000000000000", "192.168.1.1:445", false},
	} {
		if got := equal(test.raw, test.want); got != test.same {
			t.Errorf("%q, %q: %v", test.raw, test.want, got)
		}
	}
}

// Nothing in a damaged file stops or crashes the readers.
func FuzzRecord(f *testing.F) {
	b := log(f)
	f.Add(b[logHeader:], int64(chunkHeader))
	f.Fuzz(func(t *testing.T, b []byte, off int64) {
		b = append(make([]byte, logHeader), b...)
		c, err := readChunk(bytes.NewReader(b), logHeader+off/chunkSize*chunkSize, logHeader+off, int64(len(b)))
		if err != nil {
			return
		}
		if rec, err := c.record(logHeader+off, nil); err == nil && rec.whole && !bytes.Contains(b, []byte("ElfChnk")) {
			t.Error("a record without a chunk")
		}
	})
}

func FuzzCells(f *testing.F) {
	f.Add(registry(f), `Network\Z`)
	f.Fuzz(func(t *testing.T, b []byte, path string) {
		h := &cells{b: b}
		for _, off := range h.find(path) {
			n, err := h.node(off)
			if err != nil {
				continue
			}
			if path != "" && !strings.HasSuffix(strings.TrimSuffix(path, `\`), n.name) {
				t.Errorf("%q leads to %q", path, n.name)
			}
			for _, at := range h.values(n)[:min(len(h.values(n)), 100)] {
				if v, err := h.value(at); err == nil {
					data, _ := h.bytes(v)
					forms(v.kind, data)
				}
			}
		}
	})
}

func FuzzEntries(f *testing.F) {
	_, one, _, err := hivetest.BuildWithLog(keys, strings.Replace(keys, "finance", "fanance", 1))
	if err != nil {
		f.Fatal(err)
	}
	if len(entriesOf(one)) == 0 {
		f.Error("no entries in a log")
	}
	f.Add(one)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, e := range entriesOf(b) {
			for _, p := range e.pages {
				if p.from < 0 || p.from+int64(len(p.b)) > int64(len(b)) || !bytes.Equal(p.b, b[p.from:p.from+int64(len(p.b))]) {
					t.Errorf("page at %#x, %d bytes, lies elsewhere", p.from, len(p.b))
				}
			}
		}
	})
}

// Both readers agree with the tables that other people's tools made.
func TestCorpusTruth(t *testing.T) {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	compared := 0
	err := filepath.WalkDir(filepath.Join(dir, "evtx"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".evtx") {
			return err
		}
		rel, _ := filepath.Rel(dir, name)
		table, err := os.ReadFile(filepath.Join(dir, "truth", strings.ReplaceAll(filepath.ToSlash(rel), "/", "__")+".tsv"))
		if err != nil {
			return nil // not every log has one
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		truth := map[string][]string{} // record_id of the header: the row
		lines := strings.Split(string(table), "\n")
		head := strings.Split(lines[0], "\t")
		col := func(row []string, name string) string { return row[slices.Index(head, name)] }
		for _, l := range lines[1:] {
			if row := strings.Split(l, "\t"); len(row) == len(head) && col(row, "kind") == "" {
				truth[col(row, "event_record_id")] = row
			}
		}
		compared += compareLog(t, rel, b, truth, col)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if compared < 1000 {
		t.Errorf("%d records were compared", compared)
	}
}

// compareLog compares the records of a log with truth.
func compareLog(t *testing.T, name string, b []byte, truth map[string][]string, col func([]string, string) string) (compared int) {
	for start := int64(logHeader); start+chunkSize <= int64(len(b)); start += chunkSize {
		c, err := readChunk(bytes.NewReader(b), start, start+chunkHeader, int64(len(b)))
		if err != nil {
			continue
		}
		for off := chunkHeader; off+recordHead <= c.free && le.Uint32(c.b[off:]) == 0x2a2a; off += int(le.Uint32(c.b[off+4:])) {
			rec, err := c.record(start+int64(off), nil)
			if err != nil {
				t.Errorf("%s: record at %#x: %v", name, start+int64(off), err)
				break
			}
			row, ok := truth[rec.get("Event/System/EventRecordID")]
			if !ok {
				continue
			}
			compared++
			if got, want := rec.get("Event/System/TimeCreated@SystemTime"), col(row, "time_created_xml"); want != "" {
				if tm, err := time.Parse(time.RFC3339Nano, want); err != nil || !sameTime(got, tm) {
					t.Errorf("%s: time %s, want %s", name, got, want)
				}
			}
			for field, path := range map[string]string{"event_id": "EventID", "channel": "Channel", "provider": "Provider@Name", "computer": "Computer"} {
				if got := rec.get("Event/System/" + path); got != col(row, field) {
					t.Errorf("%s: record %s: %s is %q, want %q", name, rec.get("Event/System/EventRecordID"), field, got, col(row, field))
				}
			}
		}
	}
	return compared
}
