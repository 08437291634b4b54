package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sharetrail/timeline"
)

// TestSilence: a span in which no log has a record, though the computer was in use, is a
// hole; not if the computer may not have been in use, or was silent before.
func TestSilence(t *testing.T) {
	const (
		host  = "Threads of the event log service were killed.\n\n-- host WS30 --\ndomain = corp.example\ninstalled = 2026-01-05T08:00:00Z\ncollected = 2026-03-05T16:00:00Z\nuser ann S-1-5-21-2596563022-1406118043-1004336348-1130 profile-created=2026-01-06T07:55:00Z\n\n"
		used  = "-- WS30/story --\n2026-03-04T12:00:00Z map ann Z: \\\\fs01\\x\n"
		later = "-- WS30/story --\n2026-03-04T15:05:00Z map ann Z: \\\\fs01\\x\n"
		app   = "-- WS30/log Application --\n@Provider=x\n2026-03-04T09:00:00Z 1\n2026-03-04T12:30:00Z 1\n2026-03-04T16:00:00Z 1\n"
		sleep = "@Provider=Microsoft-Windows-Power-Troubleshooter\n2026-03-04T15:00:00Z 1\n  SleepTime:filetime = 2026-03-04T10:00:30Z\n  WakeTime:filetime = 2026-03-04T14:59:30Z\n"
		off   = "-- WS30/story --\n2026-03-04T10:00:10Z shutdown\n2026-03-04T12:00:00Z map ann Z: \\\\fs01\\x\n2026-03-04T14:59:40Z boot\n"
	)
	records := func(silent ...[2]string) (s string) {
		for _, log := range []string{"Security", "System"} {
			s += "-- WS30/log " + log + " --\n@Provider=x\n"
			for at := time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC); at.Day() < 5; at = at.Add(10 * time.Minute) {
				now, quiet := at.Format("02T15:04"), false
				for _, span := range silent {
					quiet = quiet || now > span[0] && now < span[1]
				}
				if !quiet {
					s += fmt.Sprintf("%s 4672\n", at.Format(time.RFC3339))
				}
			}
		}
		return s
	}
	killed := [2]string{"04T10:00", "04T15:00"}
	for _, c := range []struct{ name, text, want string }{
		{"killed", used + records(killed), "channel_off 04T10:00-04T15:00"},
		{"nobody used it", later + records(killed), ""},
		{"another log has a record", used + app + records(killed), ""},
		{"asleep", used + records(killed) + sleep, "powered_off 04T10:00-04T14:59"},
		{"off", off + records(killed), "powered_off 04T10:00-04T14:59"},
		{"as silent the day before", used + records(killed, [2]string{"03T12:00", "03T15:00"}), ""},
	} {
		rep := analyzeScenario(t, host+c.text, nil)
		if got := holesOf(rep, "evtx:Security"); got != c.want {
			t.Errorf("%s: holes %q, want %q", c.name, got, c.want)
		}
		told := 0
		for _, g := range rep.Gaps {
			if g.Rule == "G20" && strings.HasPrefix(g.Claim, "No log has a record between 2026-03-04T10:00:00.0000000Z and 2026-03-04T15:00:00.0000000Z, and none lacks one, though the computer was in use") {
				told++
				if g.Confidence != timeline.Likely {
					t.Errorf("%s: %s", c.name, g.Confidence)
				}
			}
		}
		if told > 1 || (told == 1) != strings.HasPrefix(c.want, "channel_off") {
			t.Errorf("%s: told %d times", c.name, told)
		}
	}
}
