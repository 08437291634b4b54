package output

import (
	"bytes"
	"fmt"
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

// What many hosts have in common is said once, and no section has no end.
func TestSummaryOfManyHosts(t *testing.T) {
	r := &timeline.Report{}
	for i := range 60 {
		host := fmt.Sprintf("WS%02d", i)
		r.Hosts = append(r.Hosts, host)
		r.Coverage = append(r.Coverage, timeline.CoverageRow{Host: host, Evidence: "evtx:System", Class: timeline.Absent})
		for _, rule := range []string{"G01", "G03"} {
			r.NotRun = append(r.NotRun, timeline.NotRun{Rule: rule, Host: host, Why: "no registry:NTUSER was read"})
		}
	}
	r.NotRun = append(r.NotRun, timeline.NotRun{Rule: "G13", Host: "WS07", Why: "no evtx:Security was read"})
	r.Problems = []evidence.Problem{{Severity: evidence.Error, What: "offset 0x20: no hive", From: evidence.Provenance{Place: &evidence.Place{Path: "SAM"}, Offset: 0x20}}}
	var out bytes.Buffer
	if err := Summary(&out, r, Count(r), Options{Width: 120}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Rules not run (121)\n  G01, G03 on WS00, WS01, WS02, WS03, WS04, WS05 and 54 more hosts: no registry:NTUSER was read\n  G13 on WS07: no evtx:Security was read\n",
		"  WS49: absent evtx:System\n… 10 more rows of other hosts: see sharetrail coverage\n",
		"  error: SAM at 0x20: no hive\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// Where not all columns have room, those with nothing in them go first.
func TestEmptyColumnsGoFirst(t *testing.T) {
	rows := []connection{{Host: "WS05", User: "frank", Drive: "P:", Share: `\\fs01\projects`, Status: timeline.StatusMapped, Mapped: timeline.At(when, timeline.KeyLastWrite)}}
	var out bytes.Buffer
	if err := WriteAll(&out, Shares, rows, Options{Format: TableFormat, Width: 70}); err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(out.String(), "\n"); strings.Contains(head, "Removed") || !strings.Contains(head, "Mapped") {
		t.Errorf("the columns are %s", head)
	}
}
