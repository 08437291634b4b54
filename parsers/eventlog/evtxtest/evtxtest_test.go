package evtxtest_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

var start = time.Date(2024, 2, 29, 13, 14, 15, 123456700, time.UTC)

// sample has every type, both containers and enough records for some chunks.
func sample(n int) []evtxtest.Event {
	var list []evtxtest.Event
	for i := range n {
		at := start.Add(time.Duration(i) * time.Minute)
		list = append(list, evtxtest.Event{
			Channel: "Security", Provider: "Microsoft-Windows-Security-Auditing", Computer: "FS1.corp.local",
			EventID: 5140, Version: 1, Task: 12808, Keywords: 0x8020000000000000, Time: at, ProcessID: 4, ThreadID: 8,
			Data: []evtxtest.Field{
				{Name: "Sid", Type: "sid", Value: "S-1-5-21-1-2-3-1001"},
				{Name: "User", Value: "alice"},
				{Name: "Hex64", Type: "hexint64", Value: "0x3e7"},
				{Name: "Hex32", Type: "hexint32", Value: "0x12019f"},
				{Name: "U8", Type: "uint8", Value: "200"},
				{Name: "U16", Type: "uint16", Value: "65535"},
				{Name: "U32", Type: "uint32", Value: "4294967295"},
				{Name: "U64", Type: "uint64", Value: "18446744073709551615"},
				{Name: "I32", Type: "int32", Value: "-7"},
				{Name: "I64", Type: "int64", Value: "-5000000000"},
				{Name: "Bool", Type: "boolean", Value: "true"},
				{Name: "Guid", Type: "guid", Value: "{0CCE9215-69AE-11D9-BED3-505054503030}"},
				{Name: "Bin", Type: "binary", Value: "0AFF"},
				{Name: "FT", Type: "filetime", Value: "2024-02-29T13:14:15.1234567Z"},
				{Name: "Null", Type: "uint32"},
			},
		}, evtxtest.Event{
			Channel: "System", Provider: "EventLog", Computer: "FS1", EventID: 6008 | 0x80000000, Time: at, UserID: "S-1-5-18",
			Data: []evtxtest.Field{{Value: "13:14:15"}, {Value: "x"}, {Name: "Binary", Type: "binary", Value: "E407"}},
		}, evtxtest.Event{
			Channel: "Security", Provider: "Microsoft-Windows-Eventlog", Computer: "FS1", EventID: 1102, Time: at, UserData: "LogFileCleared",
			Data: []evtxtest.Field{{Name: "SubjectUserSid", Type: "sid", Value: "S-1-5-18"}, {Name: "SubjectUserName", Value: "mallory"}},
		})
	}
	return list
}

func build(t *testing.T, ev []evtxtest.Event, o evtxtest.Options) []byte {
	t.Helper()
	b, err := evtxtest.Build(ev, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	for _, o := range []evtxtest.Options{{}, {NoTemplates: true}, {RecordsPerChunk: 7}, {FirstRecordID: 1000, HeaderIDOffset: -999}} {
		ev := sample(50)
		b := build(t, ev, o)
		if !bytes.Equal(b, build(t, ev, o)) {
			t.Errorf("%+v: two builds differ", o)
		}
		l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for r, err := range l.Records(func(*eventlog.Record) bool { return true }) {
			if err != nil {
				t.Fatalf("%+v: %v", o, err)
			}
			fields, err := r.Data()
			if err != nil || r.Doubt != "" {
				t.Fatalf("%+v: record %d: %v, doubt %q", o, r.ID, err, r.Doubt)
			}
			e := ev[i]
			id := max(o.FirstRecordID, 1) + uint64(i)
			if r.ID != id || r.HeaderID != uint64(int64(id)+o.HeaderIDOffset) || !r.Time.Equal(e.Time) || r.Channel != e.Channel {
				t.Errorf("%+v: record %d, header %d, time %s, channel %q", o, r.ID, r.HeaderID, r.Time, r.Channel)
			}
			var got, want []string
			for _, f := range fields {
				got = append(got, f.Name+"="+strings.ToUpper(eventlog.Text(f.Value)))
			}
			for _, f := range e.Data {
				if f.Name == "" {
					f.Name = "Data"
				}
				want = append(want, f.Name+"="+strings.ToUpper(f.Value))
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%+v: record %d: %s", o, id, d)
			}
			i++
		}
		if c := l.Census(); i != len(ev) || c.Reexported() != (o.HeaderIDOffset != 0) {
			t.Errorf("%+v: %d records, reexported %v", o, i, c.Reexported())
		}
	}
}

func TestRecordIDs(t *testing.T) {
	ev := sample(1)
	ev[1].RecordID = 10
	b := build(t, ev, evtxtest.Options{FirstRecordID: 5})
	l, _ := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	var ids []uint64
	for r, err := range l.Records(nil) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	if d := cmp.Diff([]uint64{5, 10, 11}, ids); d != "" {
		t.Error(d)
	}
}

func TestBuildErrors(t *testing.T) {
	at := func(f evtxtest.Field, userData string) []evtxtest.Event {
		return []evtxtest.Event{{Time: start, Data: []evtxtest.Field{f}, UserData: userData}}
	}
	for want, ev := range map[string][]evtxtest.Event{
		"no events":         nil,
		"unknown type":      at(evtxtest.Field{Name: "x", Type: "cheese", Value: "1"}, ""),
		"out of range":      at(evtxtest.Field{Name: "x", Type: "uint8", Value: "256"}, ""),
		"bad SID":           at(evtxtest.Field{Name: "x", Type: "sid", Value: "alice"}, ""),
		"bad GUID":          at(evtxtest.Field{Name: "x", Type: "guid", Value: "{1}"}, ""),
		"needs a name":      at(evtxtest.Field{Value: "x"}, "LogFileCleared"),
		"longer than 65535": at(evtxtest.Field{Name: "x", Value: strings.Repeat("x", 40000)}, ""),
		"larger than a":     at(evtxtest.Field{Name: "x", Value: strings.Repeat("x", 32600)}, ""),
	} {
		if _, err := evtxtest.Build(ev, evtxtest.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestTables follows the chains of names and templates from the chunk header.
func TestTables(t *testing.T) {
	le := binary.LittleEndian
	c := build(t, sample(3), evtxtest.Options{})[4096:]
	names := map[string]bool{}
	for s := 128; s < 384; s += 4 {
		for at := le.Uint32(c[s:]); at != 0; at = le.Uint32(c[at:]) {
			n := int(le.Uint16(c[at+6:]))
			var b []byte
			for i := range n {
				b = append(b, c[int(at)+8+2*i])
			}
			if got := int(le.Uint16(c[at+4:])) % 64; got != (s-128)/4 {
				t.Errorf("%q is in bucket %d, not %d", b, (s-128)/4, got)
			}
			names[string(b)] = true
		}
	}
	for _, n := range []string{"Event", "System", "EventData", "UserData", "LogFileCleared", "Name"} {
		if !names[n] {
			t.Errorf("name %q is in no bucket", n)
		}
	}
	templates := 0
	for s := 384; s < 512; s += 4 {
		for at := le.Uint32(c[s:]); at != 0; at = le.Uint32(c[at:]) {
			templates++
		}
	}
	if templates != 4 {
		t.Errorf("%d templates, want one of the event and three of data", templates)
	}
}

// tool returns the path of another reader.
func tool(t *testing.T, name string) string {
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("oracle %s is not installed", name)
	}
	return p
}

func logFile(t *testing.T, ev []evtxtest.Event, o evtxtest.Options) string {
	p := filepath.Join(t.TempDir(), "Test.evtx")
	if err := os.WriteFile(p, build(t, ev, o), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

// TestLibevtx has libevtx read the log. It prints negative numbers as unsigned
// ones, so those are left out.
func TestLibevtx(t *testing.T) {
	export, info := tool(t, "evtxexport"), tool(t, "evtxinfo")
	ev := sample(40)
	p := logFile(t, ev, evtxtest.Options{FirstRecordID: 500})
	out, err := exec.Command(info, p).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("Number of records\t\t: %d", len(ev))) {
		t.Errorf("evtxinfo: %v\n%s", err, out)
	}
	out, err = exec.Command(export, p).CombinedOutput()
	if err != nil {
		t.Fatalf("evtxexport: %v\n%s", err, out)
	}
	text := string(out)
	for want, n := range map[string]int{
		"Event number\t\t\t: 500\n": 1, "Event number\t\t\t: 619\n": 1, "Event number": len(ev),
		"Event identifier\t\t: 0x00001414 (5140)": 40, "Source name\t\t\t: EventLog": 40, "Computer name\t\t\t: FS1.corp.local": 40,
		"User security identifier\t: S-1-5-18": 40, ": S-1-5-21-1-2-3-1001\n": 40, ": alice\n": 40, ": 0x00000000000003e7\n": 40,
		": 0x0012019f\n": 40, ": 200\n": 40, ": 65535\n": 40, ": 4294967295\n": 40, ": 18446744073709551615\n": 40, ": true\n": 40, ": {0CCE9215-69AE-11D9-BED3-505054503030}\n": 40, ": 0AFF\n": 40,
		": 2024-02-29T13:14:15.123456700Z\n": 40, ": 13:14:15\n": 40, ": E407\n": 40, ": mallory\n": 40,
	} {
		if got := strings.Count(text, want); got != n {
			t.Errorf("evtxexport prints %q %d times, want %d", want, got, n)
		}
	}
}

// TestPythonEvtx has python-evtx read the log.
func TestPythonEvtx(t *testing.T) {
	dump := tool(t, "evtx_dump.py")
	for _, o := range []evtxtest.Options{{}, {RecordsPerChunk: 5}} {
		out, err := exec.Command(dump, logFile(t, sample(5), o)).Output()
		if err != nil {
			t.Fatalf("evtx_dump.py: %v", err)
		}
		for want, n := range map[string]int{
			"<Event xmlns=": 15, `<Data Name="User">alice</Data>`: 5, "<SubjectUserName>mallory</SubjectUserName>": 5,
			"<Channel>System</Channel>": 5, `UserID="S-1-5-18"`: 5, "<EventRecordID>15</EventRecordID>": 1,
		} {
			if got := strings.Count(string(out), want); got != n {
				t.Errorf("%+v: evtx_dump.py prints %q %d times, want %d", o, want, got, n)
			}
		}
	}
}
