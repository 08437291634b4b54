package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sharetrail/timeline"
)

// TestDoubt holds that what may not have been is not said to have been removed:
// a map command may have failed, a command for all letters takes only those that
// stand, and a history does not date its lines.
func TestDoubt(t *testing.T) {
	removed := time.Date(2026, 3, 4, 9, 0, 0, 0, time.UTC)
	order := []timeline.Confidence{timeline.Certain, timeline.Strong, timeline.Likely, timeline.Possible}
	const failed = "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T07:10:00Z run ann net use J: \\\\fs09\\legal /persistent:yes\n"
	for _, c := range []struct {
		name, story, history, drive string
		status                      timeline.Status
		atMost                      timeline.Confidence
		exact                       bool
	}{
		{"the letter is mapped elsewhere after a map command that nothing confirms", failed +
			"2026-03-04T08:10:00Z run ann net use J: \\\\fs01\\legal /persistent:yes\n2026-03-04T08:10:00.3Z map ann J: \\\\fs01\\legal\n", "", "J:", timeline.StatusUnknown, timeline.Possible, false},
		{"all letters are dropped after two map commands that nothing confirms", failed +
			"2026-03-04T07:11:00Z run ann net use K: \\\\fs09\\media /persistent:yes\n2026-03-04T08:00:00Z map ann L: \\\\fs01\\home\n2026-03-04T09:00:00Z run ann net use * /delete /y\n2026-03-04T09:00:00.4Z unmap ann L:\n",
			"", "K:", timeline.StatusUnknown, timeline.Possible, false},
		{"a line of a history, saved a day after the removal", "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T07:10:00Z run ann net use J: \\\\fs01\\legal /persistent:yes\n2026-03-04T07:10:00.2Z map ann J: \\\\fs01\\legal\n2026-03-04T09:00:00Z unmap ann J:\n",
			"net use J: /delete\ndir\n", "J:", timeline.StatusRemoved, timeline.Strong, false},
		{"a map command that its key confirms", failed + "2026-03-04T07:10:00.3Z map ann J: \\\\fs09\\legal\n2026-03-04T09:00:00Z run ann net use J: /delete\n2026-03-04T09:00:00.4Z unmap ann J:\n",
			"", "J:", timeline.StatusRemoved, timeline.Certain, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := analyzeScenario(t, quietHost+c.story, func(dir string) {
				if c.history == "" {
					return
				}
				name := filepath.Join(dir, "WS30/C/Users/ann/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt")
				err := os.MkdirAll(filepath.Dir(name), 0o777)
				if err == nil {
					err = os.WriteFile(name, []byte(c.history), 0o666)
				}
				saved := removed.AddDate(0, 0, 1)
				if err == nil {
					err = os.Chtimes(name, saved, saved)
				}
				if err != nil {
					t.Fatal(err)
				}
			})
			found := false
			for _, s := range rep.Connections {
				if s.Drive != c.drive || found {
					continue
				}
				found = true
				t.Logf("%s %s %s %v", s.Share, s.Status, s.Confidence, s.Removed)
				if s.Status != c.status || slices.Index(order, s.Confidence) < slices.Index(order, c.atMost) || s.Removed.Exact() != c.exact {
					t.Errorf("%s is %s, %s, removed %v; want %s, at most %s, exact %v", c.drive, s.Status, s.Confidence, s.Removed, c.status, c.atMost, c.exact)
				}
				if c.history != "" && (s.Removed.NotBefore.After(removed) || s.Removed.NotAfter.Before(removed)) {
					t.Errorf("the window %v misses the removal", s.Removed)
				}
			}
			if !found {
				t.Errorf("no row of %s", c.drive)
			}
		})
	}
}
