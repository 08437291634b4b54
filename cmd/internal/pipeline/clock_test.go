package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/timeline"
)

// TestClockSetBack: a clock that went back shows in the order of the Security log's
// records, whether or not one of them tells of it.
func TestClockSetBack(t *testing.T) {
	const moved = "2026-02-01T08:00:00Z 4616 id=61\n  SubjectUserName = bob\n  PreviousTime:filetime = 2026-02-01T11:00:30Z\n  NewTime:filetime = 2026-02-01T08:00:00Z\n  ProcessName = C:\\Windows\\System32\\cmd.exe\n"
	records := func(first, last, from int) (s string) {
		for id := first; id <= last; id++ {
			m := from + id - first
			s += fmt.Sprintf("2026-02-01T%02d:%02d:00Z 4672 id=%d\n", m/60, m%60, id)
		}
		return s
	}
	for _, c := range []struct {
		name, log, more string
		hole, claim     string
	}{
		{"and no record tells of it", records(1, 60, 600) + records(61, 90, 480), "", "clock_changed 01T08:00-01T10:59", "Record 61 of the log Security is of 2026-02-01T08:00:00.0000000Z"},
		{"and one tells of it", records(1, 60, 600) + moved + records(62, 90, 481), "", "clock_changed 01T08:00-01T11:00", "from 2026-02-01T11:00:30.0000000Z to 2026-02-01T08:00:00.0000000Z by bob"},
		{"while Windows did not run", records(1, 60, 600) + records(61, 90, 480), "-- x/System.evtx.txt --\n@Channel=System Provider=Microsoft-Windows-Kernel-General Computer=WS30\n2026-02-01T08:00:20Z 12 id=1\n", "clock_changed 01T08:00-01T10:59", ""},
		{"by less than a minute", records(1, 60, 600) + "2026-02-01T10:58:30Z 4672 id=61\n" + records(62, 90, 661), "", "", ""},
		{"in a log whose older records come last", records(61, 90, 660) + records(1, 60, 480), "", "", ""},
	} {
		rep := analyzeScenario(t, "-- x/Security.evtx.txt --\n@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS30\n"+c.log+c.more, nil)
		if got := holesOf(rep, "evtx:Security"); got != c.hole {
			t.Errorf("%s: holes %q, want %q", c.name, got, c.hole)
		}
		var claims []string
		for _, g := range rep.Gaps {
			claims = append(claims, g.Claim)
		}
		if len(claims) > 1 || (len(claims) == 0) != (c.claim == "") || !strings.Contains(strings.Join(claims, ""), c.claim) {
			t.Errorf("%s: %q, want %q", c.name, claims, c.claim)
		}
	}

	// Two logs record one change: a window is widened by it once.
	rep := analyzeScenario(t, quietHost+"-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x55\n2026-03-04T07:10:00Z map ann Z: \\\\fs01\\x\n2026-03-04T08:00:00Z run ann net use Z: /delete\n2026-03-04T08:00:00.1Z unmap ann Z:\n2026-03-04T08:20:00Z clock ann from=2026-03-04T08:50:00Z\n", nil)
	for _, g := range rep.Gaps {
		if g.Drive != "Z:" {
			continue
		}
		widened := 0
		for _, s := range g.Reasoning {
			if strings.Contains(s.Statement, "is widened") {
				widened++
			}
		}
		if widened != 1 || g.Confidence != timeline.Certain {
			t.Errorf("widened %d times: %s, %+v", widened, g.Confidence, g.Reasoning)
		}
		return
	}
	t.Errorf("no removal: %+v", rep.Gaps)
}

// TestStartInSecurity: where the System log is not there, the Security log tells of
// starts of Windows, which end what was not remembered.
func TestStartInSecurity(t *testing.T) {
	const (
		used  = "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x /persistent:no\n"
		start = "-- WS30/log Security --\n2026-03-04T11:50:00Z 4608\n"
	)
	lost := func(dir string) {
		if err := os.Remove(filepath.Join(dir, "WS30/C/Windows/System32/winevt/Logs/System.evtx")); err != nil {
			t.Fatal(err)
		}
	}
	for story, want := range map[string]timeline.Status{used: timeline.StatusUnknown, used + start: timeline.StatusEnded} {
		rep := analyzeScenario(t, quietHost+story, lost)
		if len(rep.Connections) != 1 || rep.Connections[0].Status != want {
			t.Errorf("%+v, want %s", rep.Connections, want)
		}
	}
}
