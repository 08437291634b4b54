package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sharetrail/cmd/internal/lab"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline/rules"
)

// TestCases builds every scenario of testdata/cases and holds what a run over
// its evidence concludes to the rows that the scenario expects.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("../../../testdata/cases/*/scenario.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	seen := map[string]bool{} // rules that fire in some case
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sc, err := lab.Parse(file, text)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			if err := lab.Build(text, dir); err != nil {
				t.Fatal(err)
			}
			carve := slices.ContainsFunc(sc.Hosts, func(h *lab.Host) bool { return h.Remains })
			res, err := Run(t.Context(), []string{dir}, Options{Carve: carve})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range res.Report.Gaps {
				for _, r := range g.Rules {
					seen[r] = true
				}
			}
			checkSentences(t, res.Report.Gaps)
			if bad := lab.Check(sc.Expect.Gaps, rows(t, output.Gaps, res.Report.Gaps)); bad != "" {
				t.Errorf("gaps:\n%s", bad)
			}
			if bad := lab.Check(sc.Expect.Shares, rows(t, output.Shares, res.Report.Connections)); bad != "" {
				t.Errorf("shares:\n%s", bad)
			}
		})
	}
	for _, r := range rules.All() {
		if !seen[r.ID] && !slices.Contains(firesElsewhere, r.ID) {
			t.Errorf("rule %s fires in no case", r.ID)
		}
	}
}

// firesElsewhere are the rules whose evidence scenarios cannot build yet: tests
// of this package build it.
var firesElsewhere = []string{"G01", "G02", "G23", "G30", "G34"}

// rows returns list as the JSON output has it.
func rows[R any](t *testing.T, layout *output.Layout[R], list []R) (out []lab.Row) {
	t.Helper()
	var b bytes.Buffer
	if err := output.WriteAll(&b, layout, list, output.Options{Format: output.JSON}); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
