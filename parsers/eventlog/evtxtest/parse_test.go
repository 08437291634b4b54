package evtxtest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	got, err := Parse(`
# comment
@Channel=App Provider="My Provider" Computer=WS01.corp.example
2026-03-01T10:00:00.1234567Z 42 v=1 id=7 level=3 opcode=2 task=5 keywords=0x80 user=S-1-5-18 pid=4 tid=8 qualifiers=16384
  A:uint32 = 5
  B = x = y \new\u{A}\u{1F600}
  | second
  :ansi = plain
@Channel="Other Channel"
2026-03-01T10:00:01Z 43 Provider=P keywords=failure userdata=Leaf
	C =
`)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		{
			Channel: "App", Provider: "My Provider", Computer: "WS01.corp.example", EventID: 42 | 16384<<16,
			Version: 1, Level: 3, Opcode: 2, Task: 5, Keywords: 0x80, RecordID: 7,
			Time: time.Date(2026, 3, 1, 10, 0, 0, 123456700, time.UTC), UserID: "S-1-5-18", ProcessID: 4, ThreadID: 8,
			Data: []Field{{"A", "uint32", "5"}, {"B", "", "x = y \\new\n\U0001F600\nsecond"}, {"", "ansi", "plain"}},
		},
		{
			Channel: "Other Channel", Provider: "P", Computer: "WS01.corp.example", EventID: 43,
			Keywords: 0x8010000000000000, Time: time.Date(2026, 3, 1, 10, 0, 1, 0, time.UTC),
			Data: []Field{{"C", "", ""}}, UserData: "Leaf",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseShape(t *testing.T) {
	const head = "@Channel=Security Provider=microsoft-windows-security-auditing\n2026-03-01T10:00:00Z 5144"
	got, err := Parse(head + "\n ShareName = \\\\*\\x\n Extra:uint32 = 1\n SubjectUserName = bob\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Field{
		{"SubjectUserSid", "sid", "S-1-0-0"}, {"SubjectUserName", "", "bob"}, {"SubjectDomainName", "", "-"}, {"SubjectLogonId", "hexint64", "0x0"},
		{"ShareName", "", `\\*\x`}, {"ShareLocalPath", "", ""}, {"Extra", "uint32", "1"},
	}
	if diff := cmp.Diff(want, got[0].Data); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if e := got[0]; e.Task != 12808 || e.Keywords != keywords["success"] || e.Version != 0 {
		t.Errorf("task %d, keywords %#x, version %d", e.Task, e.Keywords, e.Version)
	}
	for _, tc := range []struct {
		options string
		fields  int
	}{{" shape=none", 0}, {" v=9", 0}, {" v=0", 6}, {"", 6}} {
		got, err := Parse(head + tc.options)
		if err != nil || len(got[0].Data) != tc.fields {
			t.Errorf("%q: %d fields, %v; want %d", tc.options, len(got[0].Data), err, tc.fields)
		}
	}
}

// TestShapes builds each event of the table, so that no line of it is wrong.
func TestShapes(t *testing.T) {
	n := 0
	for key, list := range shapes {
		provider, _, _ := strings.Cut(key, "\x00")
		for _, s := range list {
			n++
			e := Event{Channel: "C", Provider: provider, Computer: "X", EventID: 1, Time: time.Unix(1, 0)}
			s.apply(&e, nil)
			if _, err := Build([]Event{e}, Options{}); err != nil {
				t.Errorf("%q version %d: %v", key, s.version, err)
			}
			options, err := parseOptions(s.options)
			if err != nil {
				t.Errorf("%q: %v", key, err)
			}
			for k, v := range options {
				if err := e.set(k, v); err != nil {
					t.Errorf("%q: %s=%s: %v", key, k, v, err)
				}
			}
			for _, f := range s.fields {
				if _, ok := types[f.Type]; strings.Contains(f.Name, "@") || f.Type != "" && !ok {
					t.Errorf("%q: bad field %+v", key, f)
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d shapes", n)
	}
}

func TestParseErrors(t *testing.T) {
	const ev = "2026-03-01T10:00:00Z 1"
	for _, tc := range []struct{ text, want string }{
		{"  A = 1", "data without an event"},
		{ev + "\n  A", "no ="},
		{ev + "\n  | x", "no value"},
		{ev + "\n  A = \\u{zz}", "bad escape"},
		{ev + "\n  A = \\u{41", "bad escape"},
		{"yesterday 1", "cannot parse"},
		{"2026-03-01T10:00:00Z one", "event id"},
		{"2026-03-01T10:00:00Z 70000", "event id"},
		{ev + " id", "no key=value"},
		{ev + " id=x", "invalid syntax"},
		{ev + " v=x", "invalid syntax"},
		{ev + " level=300", "out of range"},
		{ev + " color=red", "unknown option"},
		{`@Channel="x`, "no end"},
	} {
		if _, err := Parse(tc.text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.text, err, tc.want)
		}
	}
}
