package output

import (
	"bytes"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"

	"github.com/jedib0t/go-pretty/v6/text"
)

// wideReport has names that take two columns a character, marks that take none,
// and words that no line holds.
func wideReport() *timeline.Report {
	r := &timeline.Report{}
	for _, name := range []string{"経理部サーバー", "e\u0301te\u0301", "👩\u200d💻💾", strings.Repeat("長", 90), strings.Repeat("x", 300), "עברית"} {
		r.Gaps = append(r.Gaps, timeline.Gap{
			ID: "G03-" + name, Severity: timeline.High, Confidence: timeline.Likely, Host: name, User: name, Share: `\\` + name + `\` + name, Drive: "Z:", Claim: "The mapping of Z: to " + name + " was removed " + strings.Repeat(name+" ", 8),
			Window: timeline.At(when, timeline.Recorded), Benign: []timeline.Benign{{Explanation: "a script " + name, Verdict: timeline.Supported, Because: name}}, Missing: []timeline.Missing{{What: name, Why: name}},
		})
		r.Connections = append(r.Connections, timeline.Connection{Host: name, User: name, Share: `\\` + name + `\` + name, Drive: "Z:", Status: timeline.StatusRemoved, Removed: timeline.Window{NotBefore: when.AddDate(0, 0, -1), NotAfter: when, Basis: timeline.BySnapshot}, RemovedBy: timeline.ByTheCommand})
		r.Coverage = append(r.Coverage, timeline.CoverageRow{Host: name, Evidence: "registry:NTUSER:" + name, Class: timeline.Continuous})
		r.NotRun = append(r.NotRun, timeline.NotRun{Rule: "G13", Host: name, Why: name})
		r.Problems = append(r.Problems, evidence.Problem{Severity: evidence.Error, What: name, From: evidence.Provenance{Place: &evidence.Place{Path: name}, Offset: -1}})
	}
	return r
}

// No line is wider than the terminal, at any width that people have, whatever
// names are made of; colours take no room, and are there only when asked for.
func TestSummaryWidth(t *testing.T) {
	r := wideReport()
	for _, width := range []int{60, 80, 200} {
		plain := ""
		for _, color := range []bool{false, true} {
			var out bytes.Buffer
			if err := Summary(&out, r, Count(r), Options{Width: width, Color: color}); err != nil {
				t.Fatal(err)
			}
			for l := range strings.Lines(out.String()) {
				if n := text.StringWidthWithoutEscSequences(strings.TrimRight(l, "\n")); n > width {
					t.Errorf("width %d: a line of %d: %q", width, n, l)
				}
			}
			if got := strings.Contains(out.String(), "\x1b["); got != color {
				t.Errorf("width %d, colours %v: escapes %v", width, color, got)
			}
			if !color {
				plain = out.String()
			} else if text.StripEscape(out.String()) != plain {
				t.Errorf("width %d: colours change the text", width)
			}
		}
		for _, want := range []string{"経理部サーバー", "Findings (6)", "Connections (6)", "HIGH"} {
			if !strings.Contains(plain, want) {
				t.Errorf("width %d: no %s", width, want)
			}
		}
	}
}
