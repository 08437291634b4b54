package output

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"

	"github.com/google/go-cmp/cmp"
)

// strictCSV compares a CSV file with the texts that it must hold. The csv module
// of Python in strict mode accepts no quote out of place; with newline="" it sees
// line ends as they are.
const strictCSV = `
import csv, json, sys
csv.field_size_limit(1 << 30)
raw = open(sys.argv[1], 'rb').read()
assert raw.endswith(b'\r\n'), 'last line'
want = json.load(open(sys.argv[2], encoding='utf-8'))
with open(sys.argv[1], encoding='utf-8', newline='') as f:
    got = list(csv.reader(f, strict=True))
assert len(got) == len(want), (len(got), len(want))
for n, (g, w) in enumerate(zip(got, want)):
    for i in range(max(len(g), len(w))):
        assert g[i] == w[i], (n, i, g[i][:200], w[i][:200])
print(len(got), 'lines')
`

// texts returns the lines of CSV as lists.
func texts[R any](layout *Layout[R], rows []R) [][]string {
	var head []string
	for _, c := range layout.Columns {
		head = append(head, c.Name)
	}
	out := [][]string{head}
	for i := range rows {
		var line []string
		for _, c := range layout.Columns {
			line = append(line, Text(c.Get(&rows[i])))
		}
		out = append(out, line)
	}
	return out
}

func strict[R any](t *testing.T, layout *Layout[R], rows []R) {
	t.Helper()
	var out bytes.Buffer
	if err := WriteAll(&out, layout, rows, Options{Format: CSV}); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(texts(layout, rows))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s", layout.Name, python(t, strictCSV, keep(t, "rows.csv", out.Bytes()), keep(t, "want.json", want)))
}

// Other people's strict reader finds in CSV what we hold, whatever it is: line
// ends of every kind, quotes, NUL, characters beyond the BMP, names of 32 KB.
func TestCSVStrict(t *testing.T) {
	r := hostileReport()
	r.Observations = append(r.Observations, full(), evidence.Observation{})
	for _, s := range []string{"\r", "\n", "\r\n", `"`, `""`, `"",`, " ", "\t", ",", "a\rb", "\x00", "'", "\ufeff", " lead", "trail "} {
		r.Observations = append(r.Observations, evidence.Observation{ID: s, User: s, Share: s, Summary: s, Attack: []string{s, s}})
	}
	strict(t, Timeline, r.Observations)
	strict(t, TimelineExplorer, r.Observations)
	strict(t, Shares, r.Connections)
	strict(t, Gaps, r.Gaps)
	strict(t, Coverage, r.Coverage)
	strict(t, Problems, r.Problems)
}

// A spreadsheet separates cells at the comma, or, where the comma is for
// decimals, at the semicolon or tab, and then sees no quotes but those around a
// whole cell. Nothing that it finds may begin as a formula does.
func TestSpreadsheetSafe(t *testing.T) {
	evil := []string{"=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r\n=1", " =1", "  @x", "＝1", "＋1", "－1", "＠1", `"=1"`, "a;=1", "a; \"=1", "a\t=1", "a|=1", "a\n-1", "'=1", "=", "-", "safe", "a=b", "a-b", ""}
	rows := []gap{}
	for _, s := range evil {
		rows = append(rows, gap{ID: s, Host: s, Share: s, Claim: s, Rules: []string{s, s}, Benign: []timeline.Benign{{Explanation: s, Because: s}}})
	}
	write := func(safe bool) string {
		var out bytes.Buffer
		if err := WriteAll(&out, Gaps, rows, Options{Format: CSV, Safe: safe}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	active := regexp.MustCompile(`(?m)(?:^|[,;\t\r|])[ "]*[=+\-@＝＋－＠]`)
	if !active.MatchString(write(false)) {
		t.Fatal("the check finds nothing in what is not safe")
	}
	if m := active.FindString(write(true)); m != "" {
		t.Errorf("a cell begins with %q", m)
	}
	for in, want := range map[string]string{
		"=1": "'=1", " @x": "' @x", "a;-1": "a;'-1", "a; =1": "a;' =1", "x\r\n+1": "x\r\n'+1", "＝1": "'＝1", `net use z: \\a\b`: `net use z: \\a\b`, "a-b": "a-b", "": "", "2026-03-01": "2026-03-01",
	} {
		if got := inert(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	// Nothing but apostrophes came in.
	read := func(text string) (out []string) {
		lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines {
			out = append(out, strings.ReplaceAll(strings.Join(l, "\x00"), "'", ""))
		}
		return out
	}
	if diff := cmp.Diff(read(write(false)), read(write(true))); diff != "" {
		t.Error(diff)
	}
}
