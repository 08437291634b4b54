package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test program stand in for the program that is scored: it
// prints the rows that the test has laid beside the evidence.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "analyze" {
		host := os.Args[len(os.Args)-1]
		data, err := os.ReadFile(filepath.Join(host, "rows.jsonl"))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Stdout.Write(data)
		if bytes.Contains(data, []byte(`"severity":"error"`)) {
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const scoreTruth = `{"row":"host","host":"A","benign":false,"process_log":[{"from":"2026-01-01T00:00:00.0000000Z","to":"2026-03-01T00:00:00.0000000Z","reason":"rolled_over"}]}
{"row":"connection","host":"A","side":"client","user":"alice","share":"\\\\fs01\\x","drive":"Z:","mapped":"2026-03-02T08:00:00.0000000Z","removed":"2026-03-02T10:00:00.5000000Z","removed_end":"2026-03-02T10:00:00.5000000Z","behaviour":"net use X: /delete","traces":["command","parent-key"],"window":{"not_before":"2026-03-02T10:00:00.5000000Z","not_after":"2026-03-02T10:00:00.5000000Z"},"exact_case":"E2","kinds":2,"settled":{"explorer":"contradicted"}}
{"row":"host","host":"B","benign":true,"process_log":[]}
{"row":"connection","host":"B","side":"client","user":"bob","share":"\\\\fs01\\y","drive":"Y:","mapped":"2026-03-02T08:00:00.0000000Z","removed":"","traces":[],"settled":{}}
`

const scoreCoverage = `{"row":"coverage","host":"A","evidence":"evtx:Security","class":"continuous","holes":[{"from":"","to":"2026-03-01T00:00:00.0000000Z","reason":"rolled_over"}]}
`

// gap is a row about alice's drive.
func gap(rule, confidence, from, to, verdict string) string {
	return fmt.Sprintf(`{"row":"gap","id":"%s-1","rule":%q,"rules":[%q],"confidence":%q,"host":"A","user":"alice","drive":"Z:","share":"\\\\FS01\\x","window":{"not_before":%q,"not_after":%q},"benign":[{"explanation":"the user disconnected the drive in Explorer","verdict":%q}]}`+"\n",
		rule, rule, rule, confidence, from, to, verdict)
}

func TestScore(t *testing.T) {
	const instant = "2026-03-02T10:00:00.5000000Z"
	right := gap("G31", "certain", instant, instant, "contradicted")
	for _, c := range []struct {
		name, a, b string
		missed     []string // beginnings of the goals that are missed
	}{
		{"all right", right, "", nil},
		{"a fact beside it", right + gap("G20", "certain", instant, instant, ""), `{"row":"gap","rule":"G09","rules":["G09"],"confidence":"strong","host":"B","user":"bob","drive":"Y:"}`, nil},
		{"window misses", gap("G31", "certain", "2026-03-02T10:00:01.0000000Z", "2026-03-02T10:00:01.0000000Z", "contradicted"), "",
			[]string{"windows_missed is 1", "removals_found is 0 of 1", "calibration of certain", "exact_certain", "two_kind_strong"}},
		{"nothing found", "", "", []string{"removals_found is 0 of 1", "exact_certain", "two_kind_strong"}},
		{"another drive", strings.ReplaceAll(right, "Z:", "X:"), "", []string{"removals_found", "calibration of certain", "exact_certain", "two_kind_strong"}},
		{"too wide", gap("G31", "certain", "2026-03-02T09:00:00.0000000Z", instant, "contradicted"), "", []string{"width_ratio_median", "width_ratio_p95"}},
		{"too weak", gap("G31", "likely", instant, instant, "contradicted"), "", []string{"exact_certain", "two_kind_strong"}},
		{"unsettled", gap("G31", "certain", instant, instant, "unknown"), "", []string{"benign_unknown_wrong is 1"}},
		{"by the hive's fact alone", `{"row":"gap","rule":"G03","rules":["G03"],"confidence":"likely","host":"A","user":"alice","window":{"not_before":"` + instant + `","not_after":"` + instant + `"},"benign":[{"explanation":"Explorer","verdict":"contradicted"}]}`, "",
			[]string{"exact_certain", "two_kind_strong"}},
		{"removal on a benign host", right, strings.NewReplacer(`"A"`, `"B"`, "alice", "bob", "Z:", "Y:").Replace(right), []string{"false_removals is 1", "calibration of certain"}},
		{"removed share on a benign host", right, `{"row":"share","host":"B","user":"bob","drive":"Y:","status":"removed","removed":{"not_before":"","not_after":""}}`, []string{"false_removals is 1"}},
		{"unread", right, `{"row":"problem","severity":"error","what":"hive damaged"}`, []string{"1 problems"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, dir, "truth.jsonl", scoreTruth)
			put(t, dir, "A/rows.jsonl", scoreCoverage+c.a)
			put(t, dir, "B/rows.jsonl", c.b)
			var out, errs bytes.Buffer
			status := execute([]string{"score", "--program", os.Args[0], "--format", "json", dir}, &out, &errs)
			var f Figures
			if err := json.Unmarshal(out.Bytes(), &f); err != nil {
				t.Fatalf("%v: %s %s", err, out.String(), errs.String())
			}
			if (status == 1) != (len(c.missed) > 0) || len(f.Missed) != len(c.missed) {
				t.Errorf("status %d, missed %q, want %q", status, f.Missed, c.missed)
			}
			for _, want := range c.missed {
				if !slices.ContainsFunc(f.Missed, func(m string) bool { return strings.HasPrefix(m, want) }) {
					t.Errorf("missed %q, want %q", f.Missed, want)
				}
			}
			if f.Hosts != 2 || f.BenignHosts != 1 || f.RemovalsWithTrace != 1 || f.CoverageRight != 1 {
				t.Errorf("%+v", f)
			}
		})
	}
}

func TestScoreFails(t *testing.T) {
	for _, c := range []struct{ truth, rows, want string }{
		{"", "", "no host"},
		{`{"row":"host","host":"../A"}`, "", "truth.jsonl:1: host \"../A\""},
		{`{"row":"connection","host":"A"}`, "", "truth.jsonl:1: row"},
		{"{", "", "truth.jsonl:1: "},
		{`{"row":"host","host":"A"}`, "no rows", "invalid character"},
		{`{"row":"host","host":"B"}`, "", "exit status 1"},
	} {
		dir := t.TempDir()
		put(t, dir, "truth.jsonl", c.truth)
		put(t, dir, "A/rows.jsonl", c.rows)
		var out, errs bytes.Buffer
		if status := execute([]string{"score", "--program", os.Args[0], dir}, &out, &errs); status != 1 || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: status %d, %s: want %q", c.truth, status, errs.String(), c.want)
		}
	}
}

func TestScoreUsage(t *testing.T) {
	for _, args := range [][]string{{"score"}, {"score", "--format", "xml", "."}, {"simulate"}, {"simulate", "--hosts", "0", "-o", "x"}} {
		var out, errs bytes.Buffer
		if status := execute(args, &out, &errs); status != 2 {
			t.Errorf("%q: status %d, %s", args, status, errs.String())
		}
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
