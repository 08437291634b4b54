package eventlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

var start = time.Date(2024, 2, 29, 13, 14, 15, 123456700, time.UTC)

// shareEvents returns n events of a file server, a second apart.
func shareEvents(n int) []evtxtest.Event {
	var list []evtxtest.Event
	for i := range n {
		list = append(list, evtxtest.Event{
			Channel: "Security", Provider: "Microsoft-Windows-Security-Auditing", Computer: "FS1.corp.local",
			EventID: 5140, Version: 1, Task: 12808, Keywords: 0x8020000000000000, ProcessID: 4, ThreadID: uint32(i),
			Time: start.Add(time.Duration(i) * time.Second),
			Data: []evtxtest.Field{
				{Name: "SubjectUserSid", Type: "sid", Value: fmt.Sprintf("S-1-5-21-1-2-3-%d", 1000+i)},
				{Name: "SubjectUserName", Value: fmt.Sprintf("user%d", i)},
				{Name: "SubjectLogonId", Type: "hexint64", Value: fmt.Sprintf("%#x", 0x3e7+i)},
				{Name: "IpAddress", Value: "192.0.2.7"},
				{Name: "ShareName", Value: `\\*\Zahlen-äöü`},
				{Name: "AccessMask", Type: "hexint32", Value: "0x1"},
			},
		})
	}
	return list
}

func build(t testing.TB, events []evtxtest.Event, o evtxtest.Options) []byte {
	t.Helper()
	b, err := evtxtest.Build(events, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type result struct {
	ids    []uint64
	recs   []eventlog.Record
	data   [][]eventlog.Field
	errs   []error
	census eventlog.Census
}

func read(t testing.TB, b []byte) (r result) {
	t.Helper()
	l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		r.errs = append(r.errs, err)
		return r
	}
	for rec, err := range l.Records(func(*eventlog.Record) bool { return true }) {
		if err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		fields, err := rec.Data()
		if err != nil {
			r.errs = append(r.errs, err)
		}
		r.ids = append(r.ids, rec.ID)
		r.recs = append(r.recs, *rec)
		r.data = append(r.data, fields)
	}
	r.census = l.Census()
	for _, err := range r.errs {
		if binread.Offset(err) < 0 {
			t.Errorf("error without an offset: %v", err)
		}
	}
	return r
}

func TestRecord(t *testing.T) {
	ev := shareEvents(1)
	ev[0].UserID, ev[0].Level, ev[0].Opcode = "S-1-5-18", 4, 2
	ev[0].EventID |= 0x8000 << 16
	for _, o := range []evtxtest.Options{{FirstRecordID: 77}, {FirstRecordID: 77, NoTemplates: true}} {
		r := read(t, build(t, ev, o))
		if len(r.errs) > 0 || len(r.recs) != 1 {
			t.Fatalf("%+v: %d records, errors %v", o, len(r.recs), r.errs)
		}
		g := r.recs[0]
		got := []any{
			g.ID, g.HeaderID, g.Time, g.HeaderTime, g.Channel, g.Provider, g.Computer, g.EventID, g.Qualifiers, g.Version,
			g.Level, g.Opcode, g.Task, g.Keywords, g.UserID, g.ProcessID, g.ThreadID, g.State, g.Doubt, g.Off,
		}
		want := []any{
			uint64(77), uint64(77), start, start, "Security", "Microsoft-Windows-Security-Auditing", "FS1.corp.local",
			uint32(5140), uint16(0x8000), uint8(1), uint8(4), uint8(2), uint16(12808), uint64(0x8020000000000000), "S-1-5-18",
			uint32(4), uint32(0), "live", "", int64(4096 + 512),
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%+v: %s", o, d)
		}
		var text []string
		for _, f := range r.data[0] {
			text = append(text, f.Name+"="+eventlog.Text(f.Value))
		}
		if d := cmp.Diff([]string{
			"SubjectUserSid=S-1-5-21-1-2-3-1000", "SubjectUserName=user0", "SubjectLogonId=0x3e7", "IpAddress=192.0.2.7",
			`ShareName=\\*\Zahlen-äöü`, "AccessMask=0x1",
		}, text); d != "" {
			t.Errorf("%+v: %s", o, d)
		}
	}
}

func TestDataTypes(t *testing.T) {
	at := time.Date(2024, 2, 29, 13, 14, 15, 678e6, time.UTC)
	for _, c := range []struct {
		typ, value string
		want       any
		text       string
	}{
		{"", "", "", ""},
		{"unicode", "a\u00e9\U0001f600", "a\u00e9\U0001f600", "a\u00e9\U0001f600"},
		{"ansi", "net use", "net use", "net use"},
		{"int8", "-2", int64(-2), "-2"},
		{"int16", "-300", int64(-300), "-300"},
		{"int32", "-70000", int64(-70000), "-70000"},
		{"int64", "-5000000000", int64(-5000000000), "-5000000000"},
		{"uint8", "200", uint64(200), "200"},
		{"uint16", "65535", uint64(65535), "65535"},
		{"uint32", "4294967295", uint64(4294967295), "4294967295"},
		{"uint64", "18446744073709551615", uint64(18446744073709551615), "18446744073709551615"},
		{"float", "0.1", 0.1, "0.1"},
		{"double", "2.5", 2.5, "2.5"},
		{"boolean", "true", true, "true"},
		{"boolean", "false", false, "false"},
		{"binary", "0aff", []byte{10, 255}, "0AFF"},
		{"guid", "{0CCE9215-69AE-11D9-BED3-505054503030}", "{0CCE9215-69AE-11D9-BED3-505054503030}", "{0CCE9215-69AE-11D9-BED3-505054503030}"},
		{"pointer", "0x24c", eventlog.Hex(0x24c), "0x24c"},
		{"filetime", "2024-02-29T13:14:15.1234567Z", start, "2024-02-29T13:14:15.1234567Z"},
		{"systemtime", "2024-02-29T13:14:15.678Z", at, "2024-02-29T13:14:15.6780000Z"},
		{"sid", "S-1-16-12288", "S-1-16-12288", "S-1-16-12288"},
		{"hexint32", "0xffffffff", eventlog.Hex(0xffffffff), "0xffffffff"},
		{"hexint64", "0x3e7", eventlog.Hex(0x3e7), "0x3e7"},
		{"uint32", "", "", ""},
		{"filetime", "", "", ""},
	} {
		// The neighbours show when a value of a wrong length shifts them.
		r := read(t, build(t, []evtxtest.Event{{Time: start, Data: []evtxtest.Field{
			{Name: "Before", Value: "b"}, {Name: "X", Type: c.typ, Value: c.value}, {Name: "After", Type: "uint32", Value: "9"},
		}}}, evtxtest.Options{}))
		if len(r.errs) > 0 || len(r.data) != 1 {
			t.Errorf("%s %q: %v", c.typ, c.value, r.errs)
			continue
		}
		if d := cmp.Diff([]eventlog.Field{{"Before", "b"}, {"X", c.want}, {"After", uint64(9)}}, r.data[0]); d != "" {
			t.Errorf("%s %q: %s", c.typ, c.value, d)
		}
		if got := eventlog.Text(r.data[0][1].Value); got != c.text || r.recs[0].Doubt != "" {
			t.Errorf("%s %q: text %q, want %q; doubt %q", c.typ, c.value, got, c.text, r.recs[0].Doubt)
		}
	}
}

func TestDataShapes(t *testing.T) {
	r := read(t, build(t, []evtxtest.Event{
		{Time: start, Provider: "EventLog", Data: []evtxtest.Field{{Value: "one"}, {Value: ""}, {Value: "three"}, {Value: ""}, {Name: "Binary", Type: "binary", Value: "E407"}}},
		{Time: start, Provider: "Microsoft-Windows-Eventlog", UserData: "LogFileCleared", Data: []evtxtest.Field{{Name: "SubjectUserName", Value: "mallory"}, {Name: "BackupPath"}}},
		{Time: start, Data: []evtxtest.Field{{Name: "Twice", Value: "1"}, {Name: "Twice", Value: "2"}}},
		{Time: start, Data: []evtxtest.Field{{Name: "Only", Value: "1"}}},
		{Time: start},
	}, evtxtest.Options{}))
	want := [][]eventlog.Field{
		{{"Data", "one"}, {"Data", ""}, {"Data", "three"}, {"Data", ""}, {"Binary", []byte{0xe4, 7}}},
		{{"SubjectUserName", "mallory"}, {"BackupPath", ""}},
		{{"Twice", "1"}, {"Twice", "2"}},
		{{"Only", "1"}},
		nil,
	}
	if d := cmp.Diff(want, r.data); d != "" || len(r.errs) > 0 {
		t.Errorf("%v: %s", r.errs, d)
	}
}

func TestSniff(t *testing.T) {
	b := build(t, shareEvents(1), evtxtest.Options{})
	noHeader := bytes.Clone(b)
	clear(noHeader[:4096])
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"log": {b, true}, "no file header": {noHeader, true}, "chunk": {b[4096:], true},
		"empty": {nil, false}, "short": {b[:7], false}, "text": {[]byte("Elfenbein, nothing else"), false},
	} {
		if got := eventlog.Sniff(c.b); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestOpenRejects(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("ElfFile"), []byte("ElfFile\x00"), make([]byte, 70000), bytes.Repeat([]byte("x"), 4096)} {
		_, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
		if fe := (*binread.FormatError)(nil); !errors.As(err, &fe) {
			t.Errorf("%d bytes: error %v", len(b), err)
		}
	}
	if _, err := eventlog.Open(brokenReader{}, 1<<20); err == nil || !errors.Is(err, errBroken) {
		t.Errorf("broken reader: %v", err)
	}
}

var errBroken = errors.New("input/output error")

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, errBroken }

// A holedReader fails in [from, to).
type holedReader struct {
	io.ReaderAt
	from, to int64
}

func (h holedReader) ReadAt(b []byte, off int64) (int, error) {
	if off < h.to && off+int64(len(b)) > h.from {
		n, _ := h.ReaderAt.ReadAt(b[:max(0, h.from-off)], off)
		return n, errBroken
	}
	return h.ReaderAt.ReadAt(b, off)
}

// TestUnreadableSector: what lies before the sector and in other chunks is
// read, and the loss is said.
func TestUnreadableSector(t *testing.T) {
	b := build(t, shareEvents(300), evtxtest.Options{RecordsPerChunk: 100})
	l, err := eventlog.Open(holedReader{bytes.NewReader(b), 4096 + 65536 + 8192, 4096 + 65536 + 8704}, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	n, lost := 0, 0
	for _, err := range l.Records(nil) {
		if errors.Is(err, errBroken) || err != nil {
			lost++
		} else {
			n++
		}
	}
	if n <= 200 || n >= 300 || lost == 0 || l.Census().Missing != uint64(300-n) {
		t.Errorf("%d records, %d errors, %d missing", n, lost, l.Census().Missing)
	}
}

// blockReader reads all that is asked for, or nothing.
type blockReader struct{ holedReader }

func (r blockReader) ReadAt(b []byte, off int64) (int, error) {
	n, err := r.holedReader.ReadAt(b, off)
	if err != nil {
		n = 0
	}
	return n, err
}

// TestUnreadableHeader: what the file header means lies in its first 128 bytes.
func TestUnreadableHeader(t *testing.T) {
	b := build(t, shareEvents(100), evtxtest.Options{})
	hole := holedReader{bytes.NewReader(b), 512, 1024}
	for _, r := range []io.ReaderAt{hole, blockReader{hole}} {
		l, err := eventlog.Open(r, int64(len(b)))
		if err != nil || !l.Header().ChecksumOK || l.Header().NextRecord != 101 {
			t.Errorf("%T: %v", r, err)
		}
	}
}

func TestHeader(t *testing.T) {
	b := build(t, shareEvents(250), evtxtest.Options{Dirty: true, Full: true, RecordsPerChunk: 100})
	l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := eventlog.FileHeader{NextRecord: 101, Chunks: 1, Dirty: true, Full: true, MagicOK: true, ChecksumOK: true}
	if d := cmp.Diff(want, l.Header()); d != "" {
		t.Error(d)
	}
	if r := read(t, b); len(r.recs) != 250 || len(r.errs) != 0 {
		t.Errorf("stale header: %d records, %v", len(r.recs), r.errs)
	}
}
