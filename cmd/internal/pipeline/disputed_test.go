package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sharetrail/timeline"
)

// TestDisputed: a record of which two copies of a log say different things is told;
// copies that agree, or hold other records, are not.
func TestDisputed(t *testing.T) {
	const head = "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS30\n"
	records := func(first, last int, line string) (s string) {
		for id := first; id <= last; id++ {
			said := "net  view"
			if id%10 == 5 {
				said = line
			}
			s += fmt.Sprintf("2026-02-01T%02d:%02d:00Z 4688 id=%d\n  NewProcessName = C:\\Windows\\System32\\net.exe\n  CommandLine = %s\n", id/60, id%60, id, said)
		}
		return s
	}
	const yes, no = "net  use X: /delete", "net  config"
	for _, c := range []struct {
		name, archive, live string
		want                string // "" for no problem
	}{
		{"the same", records(1, 60, yes), records(31, 90, yes), ""},
		{"one after the other", records(1, 30, yes), records(31, 60, no), ""},
		{"changed to something harmless", records(1, 38, yes), records(31, 90, no), "record 35 of Security, of 2026-02-01T00:35:00.0000000Z, says something else in x/Security.evtx: "},
		{"several", records(1, 60, yes), records(31, 90, no), "record 35 of Security, of 2026-02-01T00:35:00.0000000Z, says something else in x/Security.evtx, and so do 2 more of its records: "},
		{"taken out", records(1, 60, yes), strings.Replace(records(31, 90, yes), records(45, 45, yes), "", 1), ""}, // which G20 tells
	} {
		rep := analyzeScenario(t, "-- x/Archive-Security.evtx.txt --\n"+head+c.archive+"-- x/Security.evtx.txt --\n"+head+c.live, nil)
		var got []string
		for _, p := range rep.Problems {
			got = append(got, p.What)
		}
		if len(got) > 1 || (len(got) == 0) != (c.want == "") || !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		claims := 0
		for _, g := range rep.Gaps {
			if slices.ContainsFunc(g.Reasoning, func(s timeline.Step) bool {
				return strings.HasPrefix(s.Statement, "Some of what shows it must be doubted: the copy of the record in x/Security.evtx does not say so")
			}) {
				claims++
				if g.Confidence == timeline.Certain {
					t.Errorf("%s: certain: %s", c.name, g.Claim)
				}
			}
		}
		doubted := 0
		for _, o := range rep.Observations {
			if strings.Contains(o.Detail.Text("doubt"), "does not say so") {
				doubted++
			}
		}
		if (doubted > 0) != (c.want != "") || (claims > 0) != (c.want != "") {
			t.Errorf("%s: %d facts and %d claims are doubted", c.name, doubted, claims)
		}
	}
}
