package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

var when = time.Date(2026, 3, 1, 10, 0, 0, 123456700, time.UTC)

// nasty holds everything that a writer can get wrong.
const nasty = "a,\"b\"\r\nc\n\t \x00\x1b[31mred\x7f\u009b\u202eexe.txt\u2028 \xff\xfeÜ𝄞"

func full() evidence.Observation {
	place := &evidence.Place{Host: "WS01", Source: "case.zip", Volume: "case.zip!C", Snapshot: "vss2", AsOf: when, Path: "Users/al,ice/NTUSER.DAT"}
	return evidence.Observation{
		ID: "0123456789abcdef", Time: when, TimeKind: evidence.EventCreated, Action: evidence.Command, Host: "WS01",
		Side: evidence.Client, User: nasty, SID: "S-1-5-21-1-2-3-1001", Share: `\\fs01\finance`, Drive: "Z:", Peer: "10.0.0.5",
		Artifact: "process-creation", Summary: "A \"quoted\" sentence; with <html> & more.",
		Process: &evidence.Process{Image: `C:\Windows\System32\net.exe`, CommandLine: nasty, PID: "420", ParentImage: "p", ParentCommandLine: "pc"},
		LogonID: "0x3e7", State: evidence.Shadow, Attack: []string{"T1070.005", "T1021.002"},
		Detail: evidence.Detail{
			{Name: "zz", Value: "last"}, {Name: "Data", Value: nasty}, {Name: "Data", Value: int64(-5)}, {Name: "Data~2", Value: true},
			{Name: "big", Value: uint64(math.MaxUint64)}, {Name: "small", Value: int64(math.MinInt64)}, {Name: "edge", Value: uint64(1 << 53)},
			{Name: "list", Value: []string{"a", "b"}}, {Name: "none", Value: []string(nil)}, {Name: "time", Value: when},
			{Name: "in", Value: evidence.Detail{{Name: "y", Value: int64(1)}, {Name: "x", Value: "2"}}},
		},
		From: evidence.Provenance{Place: place, Offset: 4096, Length: 88, Channel: "Security", Provider: "P", EventID: 4688, RecordID: 1<<53 + 1},
		AlsoAt: []evidence.Provenance{
			{Place: place, Offset: -1, Length: -1, Key: `Network\Z`, Value: "RemotePath"},
			{Offset: 0, Length: 0},
		},
	}
}

// The fields and their order are those of the interface page.
func TestJSONOrder(t *testing.T) {
	provenance := "host source volume snapshot as_of path offset length key value channel provider event_id record_id"
	process := "image command_line pid parent_image parent_command_line"
	window := "not_before not_after basis"
	for _, test := range []struct {
		got  []byte
		want string
	}{
		{Timeline.AppendJSON(nil, &evidence.Observation{}), "id time time_kind action host side user sid share drive peer artifact summary process " + process + " logon_id state attack detail provenance " + provenance + " also_at"},
		{Shares.AppendJSON(nil, &timeline.Connection{}), "id host side user sid share drive status mapped " + window + " first_used last_used use_count removed " + window + " removed_by facts command_seen mapping_gone session_ended share_gone actor user process " + process + " persistent credentials_as aliases confidence observations gaps"},
		{Gaps.AppendJSON(nil, &timeline.Gap{}), "id rule rules severity confidence host user sid share drive window " + window + " claim reasoning benign missing observations connections attack"},
		{Coverage.AppendJSON(nil, &timeline.CoverageRow{}), "host evidence as_of from to records enabled class holes"},
		{Problems.AppendJSON(nil, &evidence.Problem{}), "severity what provenance " + provenance},
		{Gaps.AppendNamed(nil, &timeline.Gap{Reasoning: make([]timeline.Step, 1), Benign: make([]timeline.Benign, 1), Missing: make([]timeline.Missing, 1)}), "row id rule rules severity confidence host user sid share drive window " + window + " claim reasoning rule statement observations benign explanation verdict because observations missing what why observations connections attack"},
	} {
		if got := strings.Join(keys(t, test.got), " "); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// keys returns the keys of all objects in b in the order in which they stand.
func keys(t *testing.T, b []byte) (out []string) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(b))
	var object func()
	value := func(tok json.Token) {
		switch tok {
		case json.Delim('{'):
			object()
		case json.Delim('['):
			for dec.More() {
				if tok, err := dec.Token(); err != nil {
					t.Fatal(err)
				} else if tok == json.Delim('{') {
					object()
				}
			}
			dec.Token()
		}
	}
	object = func() {
		for dec.More() {
			tok, err := dec.Token()
			if err != nil {
				t.Fatalf("%v in %s", err, b)
			}
			out = append(out, tok.(string))
			if tok, err = dec.Token(); err != nil {
				t.Fatalf("%v in %s", err, b)
			}
			value(tok)
		}
		dec.Token()
	}
	tok, err := dec.Token()
	if err != nil {
		t.Fatal(err)
	}
	value(tok)
	return out
}

func TestJSONValues(t *testing.T) {
	o := full()
	b := Timeline.AppendJSON(nil, &o)
	if !utf8.Valid(b) || !json.Valid(b) {
		t.Fatalf("not valid: %q", b)
	}
	if i := bytes.IndexFunc(b, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }); i >= 0 {
		t.Errorf("a terminal would act on %q", b[i:min(i+8, len(b))])
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var got map[string]any
	if err := dec.Decode(&got); err != nil {
		t.Fatal(err)
	}
	clean := "a,\"b\"\r\nc\n\t \x00\x1b[31mred\x7f\u009b\u202eexe.txt\u2028 \\xff\\xfeÜ𝄞"
	want := map[string]any{
		"zz": "last", "Data": clean, "Data~2": json.Number("-5"), "Data~2~2": true,
		"big": "18446744073709551615", "small": "-9223372036854775808", "edge": json.Number("9007199254740992"),
		"list": []any{"a", "b"}, "none": []any{}, "time": "2026-03-01T10:00:00.1234567Z",
		"in": map[string]any{"x": "2", "y": json.Number("1")},
	}
	if diff := cmp.Diff(want, got["detail"]); diff != "" {
		t.Error(diff)
	}
	if got["user"] != clean {
		t.Errorf("user %q", got["user"])
	}
	p := got["provenance"].(map[string]any)
	if p["record_id"] != "9007199254740993" || p["event_id"] != json.Number("4688") || p["as_of"] != "2026-03-01T10:00:00.1234567Z" {
		t.Errorf("provenance %v", p)
	}
	also := got["also_at"].([]any)[0].(map[string]any)
	if also["offset"] != nil || also["length"] != nil || also["record_id"] != nil || also["event_id"] != nil {
		t.Errorf("unknown numbers are %v", also)
	}
	if pid := got["process"].(map[string]any)["pid"]; pid != json.Number("420") {
		t.Errorf("pid %v", pid)
	}
	if !bytes.Contains(b, []byte(`<html> & more`)) {
		t.Error("HTML is escaped")
	}
}

// CSV and JSON hold the same.
func TestCSV(t *testing.T) {
	rows := []evidence.Observation{full(), {}, full()}
	var out bytes.Buffer
	if err := WriteAll(&out, Timeline, rows, Options{Format: CSV}); err != nil {
		t.Fatal(err)
	}
	if bytes.HasPrefix(out.Bytes(), []byte("\xef\xbb\xbf")) || !utf8.Valid(out.Bytes()) {
		t.Error("has a byte order mark or is not UTF-8")
	}
	if n := strings.Count(out.String(), "also_at\r\n"); n != 1 {
		t.Errorf("%d headers", n)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 4 {
		t.Fatalf("%d records", len(records))
	}
	for n, o := range rows {
		var flat map[string]any
		dec := json.NewDecoder(bytes.NewReader(Timeline.AppendJSON(nil, &o)))
		dec.UseNumber()
		if err := dec.Decode(&flat); err != nil {
			t.Fatal(err)
		}
		for i, name := range records[0] {
			// encoding/csv reads every CRLF as LF.
			want := strings.ReplaceAll(flatten(t, flat, name), "\r\n", "\n")
			if got := records[n+1][i]; got != want {
				t.Errorf("row %d, %s: CSV has %q, JSON %q", n, name, got, want)
			}
		}
	}
}

// flatten returns what CSV has for the value called name of a JSON object.
func flatten(t *testing.T, o map[string]any, name string) string {
	t.Helper()
	if before, after, ok := strings.Cut(name, "."); ok {
		return flatten(t, o[before].(map[string]any), after)
	}
	switch v := o[name].(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case []any:
		var list []string
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return compact(t, v)
			}
			list = append(list, s)
		}
		if len(list) == 0 && name == "also_at" {
			return "[]"
		}
		return strings.Join(list, "; ")
	default:
		return compact(t, v)
	}
}

// compact renders v as this package does: encoding/json sorts the keys of a
// map, and has other escapes.
func compact(t *testing.T, v any) string {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		return string(AppendJSON(nil, Object(v).detail(), true))
	case []any:
		var parts []string
		for _, item := range v {
			parts = append(parts, compact(t, item))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return fmt.Sprint(v)
}

// What was written reads back to the same bytes.
func TestReadBack(t *testing.T) {
	w := timeline.Window{NotAfter: when, Basis: timeline.HiveState}
	ids := []string{"a", "b"}
	readBack(t, Timeline, ReadObservation, full(), evidence.Observation{})
	readBack(t, Shares, ReadConnection, timeline.Connection{}, timeline.Connection{
		ID: "c", Host: "h", Side: evidence.Server, User: nasty, SID: "S", Share: "s", Drive: "Z:", Status: timeline.StatusRemoved,
		Mapped: w, FirstUsed: when, LastUsed: when, UseCount: 1 << 60, Removed: timeline.At(when, timeline.Recorded), RemovedBy: timeline.ByAPI,
		Facts: timeline.Facts{CommandSeen: timeline.Yes, MappingGone: timeline.No}, Actor: timeline.Actor{User: "u", Process: evidence.Process{Image: "i", PID: "0"}},
		Persistent: timeline.No, CredentialsAs: "x", Aliases: ids, Confidence: timeline.Strong, Observations: ids, Gaps: ids,
	}, timeline.Connection{UseCount: -1})
	readBack(t, Gaps, ReadGap, timeline.Gap{}, timeline.Gap{
		ID: "G03-1", Rule: "G03", Rules: ids, Severity: timeline.Low, Confidence: timeline.Likely, Host: "h", User: "u", SID: "s", Share: "x", Drive: "Y:",
		Window: w, Claim: nasty, Reasoning: []timeline.Step{{Rule: "G03", Statement: nasty, Observations: ids}, {}},
		Benign:  []timeline.Benign{{Explanation: "e", Verdict: timeline.Supported, Because: "b", Observations: ids}},
		Missing: []timeline.Missing{{What: "w", Why: "y"}}, Observations: ids, Connections: ids, Attack: ids,
	})
	readBack(t, Coverage, ReadCoverage, timeline.CoverageRow{Records: -1}, timeline.CoverageRow{
		Host: "h", Evidence: "evtx:Security", AsOf: when, From: when, To: when, Records: 7, Enabled: timeline.Yes, Class: timeline.Rolled,
		Holes: []evidence.Hole{{From: when, Reason: evidence.RolledOver, Observations: ids}, {To: when}},
	})
	readBack(t, Problems, ReadProblem, evidence.Problem{}, evidence.Problem{Severity: evidence.Error, What: nasty, From: full().From})
}

func readBack[R any](t *testing.T, layout *Layout[R], read func(Object) R, rows ...R) {
	t.Helper()
	var first, second bytes.Buffer
	if err := WriteAll(&first, layout, rows, Options{Format: JSONL}); err != nil {
		t.Fatal(err)
	}
	again, err := ReadAll(bytes.NewReader(first.Bytes()), read)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteAll(&second, layout, again, Options{Format: JSONL}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first.String(), second.String()); diff != "" || len(again) != len(rows) {
		t.Errorf("%s: %s", layout.Name, diff)
	}
}

func TestReadAllErrors(t *testing.T) {
	_, err := ReadAll(strings.NewReader("{\"id\":\"a\"}\n{\"id\":\n"), ReadObservation)
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("got %v", err)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		`\\fs01\Büro`:         `\\fs01\Büro`,
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"one\r\ntwo\tthree":   `one\r\ntwo\tthree`,
		"\u202egpj.exe":       `\u202egpj.exe`,
		"zero\u200bwidth\x00": `zero\u200bwidth\x00`,
		"\xff\xfe\x9b31m":     `\xff\xfe\x9b31m`,
		"c1 \u009b31m":        `c1 \u009b31m`,
	} {
		if got := Visible(in); got != want {
			t.Errorf("Visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	o := full()
	rows := []evidence.Observation{o, {Summary: strings.Repeat("long ", 60), Host: "WS01"}}
	for _, width := range []int{30, 80, 120, 200} {
		var out bytes.Buffer
		if err := WriteAll(&out, Timeline, rows, Options{Format: TableFormat, Width: width}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		for _, head := range []string{"Time", "Action", "Host", "Summary"} {
			if width >= 80 && !strings.Contains(lines[0], head) {
				t.Errorf("width %d: no %s in %q", width, head, lines[0])
			}
		}
		for _, l := range lines {
			if n := text.StringWidthWithoutEscSequences(l); n > width {
				t.Errorf("width %d: line of %d: %q", width, n, l)
			}
		}
		if strings.ContainsFunc(strings.ReplaceAll(out.String(), "\n", ""), hidden) {
			t.Errorf("width %d: control characters in %q", width, out.String())
		}
	}
}

func TestTableCap(t *testing.T) {
	rows := make([]evidence.Problem, MaxTableRows+5)
	var out bytes.Buffer
	if err := WriteAll(&out, Problems, rows, Options{Format: TableFormat}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), "\n… 5 more rows: use --format csv\n") {
		t.Errorf("ends in %q", out.String()[out.Len()-100:])
	}
}

func TestZone(t *testing.T) {
	tokyo := Zone{time.FixedZone("JST", 9*60*60)}
	for _, test := range []struct {
		z        Zone
		from, to time.Time
		want     string
	}{
		{Zone{}, when, when, "2026-03-01T10:00:00Z"},
		{tokyo, when, when, "2026-03-01T19:00:00+09:00"},
		{Zone{}, time.Time{}, when, "until 2026-03-01T10:00:00Z"},
		{Zone{}, when, time.Time{}, "since 2026-03-01T10:00:00Z"},
		{Zone{}, time.Time{}, time.Time{}, "unknown"},
		{Zone{}, when, when.Add(time.Minute), "2026-03-01T10:00:00Z to 2026-03-01T10:01:00Z"},
		{Zone{}, when, when.Add(100), "2026-03-01T10:00:00.1234567Z to 2026-03-01T10:00:00.1234568Z"},
	} {
		if got := test.z.Span(test.from, test.to); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

func TestEmpty(t *testing.T) {
	for format, want := range map[Format]string{JSON: "[]\n", JSONL: "", CSV: string(Gaps.AppendHeader(nil))} {
		var out bytes.Buffer
		if err := WriteAll(&out, Gaps, nil, Options{Format: format}); err != nil || out.String() != want {
			t.Errorf("%s: %q, %v", format, out.String(), err)
		}
	}
}

func FuzzStrings(f *testing.F) {
	f.Add(nasty)
	f.Add("\xed\xa0\x80")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		b := AppendJSON(nil, s, false)
		if err := json.Unmarshal(b, &got); err != nil || got != Clean(s) {
			t.Errorf("%q: JSON %q, %v", s, b, err)
		}
		if utf8.ValidString(s) && got != s {
			t.Errorf("%q became %q", s, got)
		}
		if strings.ContainsFunc(Visible(s), hidden) {
			t.Errorf("%q is shown as %q", s, Visible(s))
		}
		line := appendCell(appendCell(nil, s, true, false), s, false, false)
		records, err := csv.NewReader(bytes.NewReader(append(line, "\r\n"...))).ReadAll()
		want := strings.ReplaceAll(Clean(s), "\r\n", "\n")
		if err != nil || len(records) != 1 || records[0][0] != want || records[0][1] != want {
			t.Errorf("%q: CSV %q, %q, %v", s, line, records, err)
		}
	})
}

// BenchmarkWrite writes 100,000 rows of the timeline in each form: at most 0.1 s
// each as CSV and JSON Lines, and a table no slower, because it is capped. That
// goal is of a computer, at rest, on which crc32 takes 0.04 s: at most 2.5 times
// as long as that takes on yours.
func BenchmarkWrite(b *testing.B) {
	r := bigReport(100_000)
	b.Run("crc32 of 384 MiB", func(b *testing.B) {
		data := make([]byte, 384<<20)
		for b.Loop() {
			crc32.ChecksumIEEE(data)
		}
	})
	for _, format := range []Format{CSV, JSONL, TableFormat} {
		b.Run(string(format), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := WriteAll(io.Discard, Timeline, r.Observations, Options{Format: format}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("safe csv", func(b *testing.B) {
		for b.Loop() {
			if err := WriteAll(io.Discard, Timeline, r.Observations, Options{Format: CSV, Safe: true}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("timesketch", func(b *testing.B) {
		for b.Loop() {
			if _, err := WriteTimesketch(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("xlsx", func(b *testing.B) {
		for b.Loop() {
			if err := WriteXLSX(io.Discard, r, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}
