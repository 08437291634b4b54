package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// holesOf tells the holes of one kind of evidence, but what rolled over.
func holesOf(rep *timeline.Report, kind string) string {
	minute := func(t time.Time) string {
		if t.IsZero() {
			return "?"
		}
		return t.Format("02T15:04")
	}
	var out []string
	for _, r := range rep.Coverage {
		for _, h := range r.Holes {
			if r.Evidence == kind && h.Reason != evidence.RolledOver {
				out = append(out, fmt.Sprintf("%s %s-%s", h.Reason, minute(h.From), minute(h.To)))
			}
		}
	}
	return strings.Join(out, ", ")
}

// TestHoleEnds: a hole ends where a record shows that its reason does, and a stop of
// the event log service is no end of Windows.
func TestHoleEnds(t *testing.T) {
	const (
		used    = "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n"
		service = "-- WS30/log Security --\n@Provider=Microsoft-Windows-Eventlog\n"
		sleep   = "-- WS30/log System --\n@Provider=Microsoft-Windows-Power-Troubleshooter\n2026-03-04T11:50:00Z 1\n"
		audit   = "-- WS30/log Security --\n2026-03-04T11:30:00Z 4719\n  SubcategoryId = %%13312\n  AuditPolicyChanges = %%8448\n"
	)
	for _, c := range []struct {
		name, story, want string
		claim             string // of the finding, "" for none
	}{
		{"the service was stopped and started",
			used + service + "2026-03-04T11:10:00Z 1100 userdata=ServiceShutdown\n" +
				"-- WS30/log System --\n@Provider=EventLog\n2026-03-04T11:10:00Z 6006\n2026-03-04T11:40:00Z 6005\n",
			"channel_off 04T11:10-04T11:40", "to 2026-03-04T11:40:00.0000000Z no log can tell anything"},
		{"and no Security log says so",
			used + "-- WS30/log System --\n@Provider=EventLog\n2026-03-04T11:10:00Z 6006\n2026-03-04T11:40:00Z 6005\n",
			"channel_off 04T11:10-04T11:40", "to 2026-03-04T11:40:00.0000000Z no log can tell anything"},
		{"the kernel's records are elsewhere in time",
			used + "-- WS30/log System --\n@Provider=EventLog\n2026-03-04T11:10:00Z 6006\n2026-03-04T11:40:00Z 6005\n" +
				"@Provider=Microsoft-Windows-Kernel-General\n2026-03-04T11:41:00Z 12\n", // before the clock was put right
			"powered_off 04T11:10-04T11:40", ""},
		{"it stopped, and no record tells of its start",
			used + service + "2026-03-04T11:10:00Z 1100 userdata=ServiceShutdown\n2026-03-04T11:50:00Z 1105 userdata=AutoBackup\n",
			"channel_off 04T11:10-04T11:50", "to 2026-03-04T11:50:00.0000000Z no log can tell anything"},
		{"full, and going on",
			used + service + "2026-03-04T11:10:00Z 1104\n2026-03-04T11:50:00Z 1105 userdata=AutoBackup\n",
			"channel_off 04T11:10-04T11:50", "to 2026-03-04T11:50:00.0000000Z it may lack"},
		{"asleep",
			used + sleep + "  SleepTime:filetime = 2026-03-04T11:10:00Z\n  WakeTime:filetime = 2026-03-04T11:50:00Z\n",
			"powered_off 04T11:10-04T11:50", ""},
		{"awake in between",
			used + sleep + "  SleepTime:filetime = 2026-03-04T09:30:00Z\n  WakeTime:filetime = 2026-03-04T11:50:00Z\n" +
				service + "2026-03-04T10:50:00Z 1105 userdata=AutoBackup\n",
			"", ""},
		{"audited again",
			used + audit + "2026-03-04T11:45:00Z 4688\n  NewProcessName = C:\\Windows\\System32\\net.exe\n  CommandLine = net use\n",
			"audit_off 04T11:30-04T11:45", "when it is seen to be on again"},
		{"audited again, by a logon that becomes no row",
			used + strings.ReplaceAll(audit, "%%13312", "%%12544") + "2026-03-05T15:59:58Z 4624\n  TargetUserName = svc\n  TargetLogonId = 0x77\n  LogonType = 3\n",
			"audit_off 04T11:30-05T15:59", "when it is seen to be on again"},
		{"audited again, as the log says",
			used + "2026-03-04T08:30:00Z audit ann Process Creation:none\n2026-03-05T15:58:00Z audit ann Process Creation:success\n",
			"audit_off 04T08:30-05T15:58", "up to 2026-03-05T15:58:00.0000000Z the log Security does not tell of it"},
		{"a policy that was applied anew",
			used + audit + "2026-03-04T11:30:00.2Z 4719\n  SubcategoryId = %%13312\n  AuditPolicyChanges = %%8449\n",
			"audit_off 04T11:30-04T11:30", ""},
		{"records while it was off",
			"-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n2026-03-04T10:30:00Z shutdown\n2026-03-05T06:00:00Z boot\n" +
				service + "2026-03-04T15:50:00Z 1105 userdata=AutoBackup\n", // the start before it was lost
			"", ""},
	} {
		rep := analyzeScenario(t, quietHost+c.story, nil)
		if got := holesOf(rep, "evtx:Security"); got != c.want {
			t.Errorf("%s: holes %q, want %q", c.name, got, c.want)
		}
		var claims []string
		for _, g := range rep.Gaps {
			if g.Rule == "G20" {
				claims = append(claims, g.Claim)
			}
		}
		if len(claims) > 1 || (len(claims) == 0) != (c.claim == "") || !strings.Contains(strings.Join(claims, ""), c.claim) {
			t.Errorf("%s: %q, want %q", c.name, claims, c.claim)
		}
	}
}

// TestSysmonStopped: Sysmon that was stopped while Windows ran has a hole up to its next
// record.
func TestSysmonStopped(t *testing.T) {
	const (
		sysmon = "-- WS30/log Sysmon --\n2026-03-04T11:10:00Z 4\n  State = Stopped\n2026-03-04T11:50:00Z 4\n  State = Started\n"
		down   = "-- WS30/story --\n2026-03-04T11:10:20Z shutdown\n2026-03-04T11:49:50Z boot\n"
	)
	for story, want := range map[string]string{"": "channel_off 04T11:10-04T11:50", down: ""} {
		rep := analyzeScenario(t, strings.Replace(quietHost, "user ann", "sysmon = yes\nuser ann", 1)+story+sysmon, nil)
		if got := holesOf(rep, "evtx:Microsoft-Windows-Sysmon/Operational"); got != want {
			t.Errorf("holes %q, want %q", got, want)
		}
		if len(rep.Gaps) != len(strings.Fields(want))/2 || len(rep.Gaps) > 0 && !strings.Contains(rep.Gaps[0].Claim, "to 2026-03-04T11:50:00.0000000Z it recorded nothing") {
			t.Errorf("findings %v", rep.Gaps)
		}
	}
}

// TestSeries: ids of records may go on across a clear, or begin anew; what copies hold
// is not called lost, and each record is counted.
func TestSeries(t *testing.T) {
	const head = "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS30\n"
	records := func(day, first, last int) (s string) {
		for id := first; id <= last; id++ {
			s += fmt.Sprintf("2026-02-%02dT%02d:%02d:00Z 4672 id=%d\n", day, id/60, id%60, id)
		}
		return s
	}
	clear := func(day, id int) string {
		return fmt.Sprintf("2026-02-%02dT00:00:00Z 1102 id=%d Provider=Microsoft-Windows-Eventlog userdata=LogFileCleared\n  SubjectUserName = bob\n", day, id)
	}
	for _, c := range []struct {
		name      string
		old, live string
		want      string
		records   int64
		class     timeline.Class
	}{
		{"the archive holds what was cleared", records(1, 1, 300), clear(2, 301) + records(3, 302, 360), "cleared 02T00:00-02T00:00", 360, timeline.Continuous},
		{"ids go on, some are lost", records(1, 1, 300), clear(2, 401) + records(3, 402, 460), "cleared 01T05:00-02T00:00", 360, timeline.ClearedClass},
		{"ids begin anew", records(1, 1, 300), clear(2, 1) + records(3, 2, 60) + records(4, 120, 180), "cleared 01T05:00-02T00:00, record_gap 03T01:00-04T02:00", 421, timeline.ClearedClass},
		{"they do, and nothing says why", records(1, 1, 300), records(3, 1, 60), "not_collected 01T05:00-03T00:01", 360, timeline.Partial},
		{"they do, below those of the archive", records(1, 500, 600), records(3, 1, 60), "not_collected 01T10:00-03T00:01", 161, timeline.Partial},
		{"a copy of the same", records(1, 1, 300), records(1, 200, 300) + records(3, 301, 310), "", 310, timeline.Continuous},
	} {
		rep := analyzeScenario(t, "-- x/Archive-Security.evtx.txt --\n"+head+c.old+"-- x/Security.evtx.txt --\n"+head+c.live, nil)
		if got := holesOf(rep, "evtx:Security"); got != c.want {
			t.Errorf("%s: holes %q, want %q", c.name, got, c.want)
		}
		for _, r := range rep.Coverage {
			if r.Evidence == "evtx:Security" && (r.Records != c.records || r.Class != c.class) {
				t.Errorf("%s: %d records, %s, want %d, %s", c.name, r.Records, r.Class, c.records, c.class)
			}
		}
		for _, g := range rep.Gaps {
			lost := strings.Contains(g.Claim, "can tell nothing")
			if lost && (c.class != timeline.ClearedClass || strings.Contains(g.Claim, "its beginning")) {
				t.Errorf("%s: %s", c.name, g.Claim)
			}
		}
	}

	// A full log was moved to a backup, which was not collected.
	moved := analyzeScenario(t, "-- x/Security.evtx.txt --\n"+head+"2026-02-01T05:01:00Z 1105 id=301 Provider=Microsoft-Windows-Eventlog userdata=AutoBackup\n  Channel = Security\n"+records(1, 302, 360), nil)
	if got := holesOf(moved, "evtx:Security"); got != "not_collected ?-01T05:01" {
		t.Errorf("moved to a backup: holes %q", got)
	}

	// A clear names the log as the account typed it.
	rep := analyzeScenario(t, quietHost+"-- WS30/log System --\n@Provider=Microsoft-Windows-Eventlog\n2026-03-05T11:30:00Z 104 userdata=LogFileCleared\n  Channel = application\n", nil)
	rows := 0
	for _, r := range rep.Coverage {
		if strings.EqualFold(r.Evidence, "evtx:application") {
			rows++
		}
	}
	if rows != 1 || len(rep.Gaps) != 1 {
		t.Errorf("a clear of application: %d rows, findings %v", rows, rep.Gaps)
	}

	// Two clears of a log, which began long after: it is cleared, whatever came between.
	rep = analyzeScenario(t, "-- x/System.evtx.txt --\n@Channel=System Provider=Microsoft-Windows-Eventlog Computer=WS30\n"+
		"2026-02-01T00:00:00Z 104 id=1 userdata=LogFileCleared\n  Channel = Application\n2026-02-02T00:00:00Z 104 id=2 userdata=LogFileCleared\n  Channel = Application\n"+
		"-- x/Application.evtx.txt --\n"+strings.Replace(head, "Security ", "Application ", 1)+records(4, 500, 510), nil)
	for _, r := range rep.Coverage {
		if r.Evidence == "evtx:Application" && r.Class != timeline.ClearedClass {
			t.Errorf("cleared twice: %s", r.Class)
		}
	}
}

// TestSwitches: a log that the registry says is not written any more is disabled, from
// its last record on; a switch that works from the next start is no proof alone.
func TestSwitches(t *testing.T) {
	const (
		channels = "-- WS30/hive SOFTWARE --\n[Microsoft\\Windows\\CurrentVersion\\WINEVT\\Channels\\Microsoft-Windows-PowerShell/Operational] 2026-03-04T08:00:00Z\nEnabled=dword:"
		script   = "-- WS30/log PowerShell --\n2026-03-04T07:30:00Z 4104\n  ScriptBlockText = Get-Date\n"
		ps       = "evtx:Microsoft-Windows-PowerShell/Operational"
		set      = "-- WS30/hive SYSTEM --\n[ControlSet001\\"
		service  = set + "Services\\EventLog] 2026-03-04T08:00:00Z\nStart=dword:4\n"
	)
	quiet := strings.Replace(quietHost, "2026-03-05T16:00:00Z every", "2026-03-04T09:00:00Z every", 1)
	later := "-- WS30/story --\n2026-03-05T15:00:00Z browse ann \\\\fs01\\x\n"
	for _, c := range []struct {
		name, story, kind, want string
		enabled                 timeline.Tri
		class                   timeline.Class
		found                   int // by G20
	}{
		{"a channel is off", quietHost + script + channels + "0\n", ps, "channel_off 04T08:00-?", timeline.No, timeline.Disabled, 1},
		{"a channel is on", quietHost + script + channels + "1\n", ps, "", timeline.Yes, timeline.Continuous, 0},
		{"it is off, and was not collected", quietHost + channels + "0\n", ps, "channel_off 04T08:00-?, not_collected ?-?", timeline.No, timeline.Absent, 0},
		{"the service is disabled, and logs end", quiet + later + service, "evtx:Security", "channel_off 04T09:00-?", timeline.No, timeline.Disabled, 1},
		{"it is disabled, and still runs", quietHost + service, "evtx:Security", "", timeline.Yes, timeline.Continuous, 0},
		{"the session is off", quiet + later + set + "Control\\WMI\\Autologger\\EventLog-Security] 2026-03-04T10:00:00Z\nStart=dword:0\n", "evtx:Security", "channel_off 04T10:00-?", timeline.No, timeline.Disabled, 1},
		{"the session of another log is off", quiet + later + set + "Control\\WMI\\Autologger\\EventLog-System] 2026-03-04T10:00:00Z\nStart=dword:0\n", "evtx:Security", "", timeline.Yes, timeline.Continuous, 1},
		{"as in Windows PE", quiet + later + set + "Control\\MiniNt] 2026-03-04T08:00:00Z\n", "evtx:Security", "channel_off 04T09:00-?", timeline.No, timeline.Disabled, 1},
		{"logs of before an upgrade", strings.Replace(quietHost, "installed = 2026-01-05", "installed = 2026-03-05", 1), "evtx:Security", "", timeline.Yes, timeline.Continuous, 0},
	} {
		rep := analyzeScenario(t, c.story, nil)
		if got := holesOf(rep, c.kind); got != c.want {
			t.Errorf("%s: holes %q, want %q", c.name, got, c.want)
		}
		for _, r := range rep.Coverage {
			if r.Evidence == c.kind && (r.Enabled != c.enabled || r.Class != c.class) {
				t.Errorf("%s: enabled %s, %s, want %s, %s", c.name, r.Enabled, r.Class, c.enabled, c.class)
			}
			for _, h := range r.Holes {
				if !h.To.IsZero() && h.From.After(h.To) {
					t.Errorf("%s: %s ends before it begins: %v", c.name, r.Evidence, h)
				}
			}
		}
		found := 0
		for _, g := range rep.Gaps {
			if g.Rule == "G20" {
				found++
			}
		}
		if found != c.found {
			t.Errorf("%s: %d findings, want %d: %v", c.name, found, c.found, rep.Gaps)
		}
	}
}

// TestLacks: a file of a log lacks records that a copy has, if they were taken out of it
// or an older file was put in its place; not if it rolled over, was cleared, is an
// export, or is older itself.
func TestLacks(t *testing.T) {
	const file = "Windows/System32/winevt/Logs/Security.evtx.txt --\n@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS30\n"
	records := func(day int, ids ...int) (s string) { // pairs of first and last
		for i := 0; i < len(ids); i += 2 {
			for id := ids[i]; id <= ids[i+1]; id++ {
				s += fmt.Sprintf("2026-02-%02dT%02d:%02d:00Z 4672 id=%d\n", day, id/60, id%60, id)
			}
		}
		return s
	}
	for _, c := range []struct {
		name, live, shadow string
		claims             []string
	}{
		{"taken out", records(1, 1, 299, 311, 399), records(1, 1, 349), []string{"lacks 11 of the records 300 to 310, between 2026-02-01T04:59:00.0000000Z and 2026-02-01T05:11:00.0000000Z"}},
		{"one taken out", records(1, 1, 299, 301, 399), records(1, 1, 349), []string{"lacks record 300,"}},
		{"in two places", records(1, 1, 99, 111, 299, 311, 399), records(1, 1, 349), []string{"lacks 22 of the records 100 to 310"}},
		{"put back", records(1, 1, 299), records(1, 1, 349), []string{"ends with record 299, of 2026-02-01T04:59:00.0000000Z"}},
		{"rolled over", records(1, 200, 399), records(1, 1, 349), nil},
		{"ids began anew", records(2, 1, 50), records(1, 1, 349), nil},
		{"they did, and the clock was set back", records(1, 1, 50), records(2, 1, 349), nil},
		{"the shadow copy lacks them, too", records(1, 1, 299, 311, 399), records(1, 1, 299, 311, 349), []string{"Records are missing"}},
	} {
		rep := analyzeScenario(t, "-- WS30/C/"+file+c.live+"-- WS30/VSS1/"+file+c.shadow, nil)
		var claims []string
		for _, g := range rep.Gaps {
			if g.Rule == "G20" {
				claims = append(claims, g.Claim)
			}
		}
		if len(claims) != len(c.claims) || len(claims) > 0 && !strings.Contains(claims[0], c.claims[0]) {
			t.Errorf("%s: %q, want %q", c.name, claims, c.claims)
		}
	}
}

// TestServiceRestart: a stop and start of the event log service ends no session and is
// no start of the computer, and a computer that crashed ran when it was last seen alive.
func TestServiceRestart(t *testing.T) {
	const (
		used    = "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x55\n2026-03-04T07:10:00Z run ann net use Z: \\\\fs01\\x /persistent:no\n"
		system  = "-- WS30/log System --\n@Provider=EventLog\n"
		restart = system + "2026-03-04T11:10:00Z 6006\n2026-03-04T11:12:00Z 6005\n"
		moved   = "-- WS30/log Security --\n2026-03-04T11:20:00Z 4616\n  SubjectUserName = bob\n  PreviousTime:filetime = 2026-03-04T11:14:00Z\n  NewTime:filetime = 2026-03-04T11:20:00Z\n  ProcessName = C:\\Windows\\System32\\cmd.exe\n"
		// last seen alive at 12:00 UTC, of both its times the second
		alive = "  Binary:binary = ea070300030004000d00000000000000ea070300030004000c00000000000000\n"
		crash = system + "2026-03-04T15:00:10Z 6008\n" + alive + "2026-03-04T15:00:11Z 6005\n@Provider=Microsoft-Windows-Kernel-General\n2026-03-04T15:00:00Z 12\n"
	)
	for _, c := range []struct{ name, story, rule, claim string }{
		{"no session ends", used + restart, "G25", ""},
		{"the clock was moved after it", used + restart + moved, "G21", "by bob with cmd.exe"},
		{"a crash ends it at the next start", used + crash, "G25", "at the latest at 2026-03-04T15:00:00.0000000Z"},
	} {
		rep := analyzeScenario(t, quietHost+c.story, nil)
		var claims string
		for _, g := range rep.Gaps {
			if g.Rule == c.rule {
				claims += g.Claim
			}
		}
		if (claims == "") != (c.claim == "") || !strings.Contains(claims, c.claim) {
			t.Errorf("%s: %q, want %q", c.name, claims, c.claim)
		}
	}
}

// TestCollected: a log with the events of several computers by turns is a collector's,
// which leaves events out; one whose computer was renamed is not.
func TestCollected(t *testing.T) {
	record := func(id int, computer string) string {
		return fmt.Sprintf("2026-02-01T%02d:%02d:00Z 4672 id=%d Computer=%s\n", id/60, id%60, id, computer)
	}
	var turns, renamed string
	for id := 1; id < 200; id++ {
		if id%5 < 2 {
			turns += record(id, []string{"WSA.corp.example", "WSB.corp.example"}[id%2])
		}
		if id < 100 {
			renamed += record(id, "WSA")
		} else if id < 130 || id > 150 {
			renamed += record(id, "WSB")
		}
	}
	for _, c := range []struct {
		name, log string
		found     bool
	}{{"a collector", turns, false}, {"renamed", renamed, true}} {
		rep := analyzeScenario(t, "-- WS30/C/Windows/System32/winevt/Logs/Security.evtx.txt --\n@Channel=Security Provider=Microsoft-Windows-Security-Auditing\n"+c.log, nil)
		found := false
		for _, g := range rep.Gaps {
			found = found || strings.Contains(g.Claim, "Records are missing")
		}
		if found != c.found {
			t.Errorf("%s: %v", c.name, rep.Gaps)
		}
	}
}

// TestDamagedGap: where a file is damaged, records may be missing by that; where it is
// sound, nothing says so.
func TestDamagedGap(t *testing.T) {
	var text strings.Builder
	text.WriteString("-- x/Security.evtx.txt --\n@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS30\n")
	for id := 1; id <= 400; id++ {
		if id < 50 || id > 60 {
			fmt.Fprintf(&text, "2026-02-01T%02d:%02d:00Z 4688 id=%d\n  CommandLine = %s\n", id/60, id%60, id, strings.Repeat("x", 200))
		}
	}
	damage := func(dir string) {
		name := filepath.Join(dir, "x/Security.evtx")
		b, err := os.ReadFile(name)
		if err != nil || len(b) < 4096+4*65536 {
			t.Fatal(len(b), err)
		}
		clear(b[4096+2*65536+512 : 4096+3*65536]) // the records of the third chunk
		if err := os.WriteFile(name, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		change func(dir string)
		gaps   int
		why    string
	}{{damage, 2, "part of x/Security.evtx cannot be read"}, {nil, 1, "the file does not say"}} {
		rep, found := analyzeScenario(t, text.String(), c.change), 0
		for _, g := range rep.Gaps {
			for _, b := range g.Benign {
				if strings.HasPrefix(b.Because, c.why) {
					found++
				}
			}
		}
		if found != c.gaps {
			t.Errorf("%s: %d, want %d: %v", c.why, found, c.gaps, rep.Gaps)
		}
	}
}

// TestManyStops: of many stops, full logs and changes of the policy each stop is a hole
// once, each full log is one, and the policy, never seen on again, is one.
func TestManyStops(t *testing.T) {
	var system, security strings.Builder
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const stops = 200
	for range stops {
		stamp := func(d time.Duration) string { return at.Add(d).Format(time.RFC3339) }
		fmt.Fprintf(&system, "%s 6006\n%s 6005\n", stamp(0), stamp(30*time.Second))
		fmt.Fprintf(&security, "%s 1100 userdata=ServiceShutdown\n%s 1104\n", stamp(time.Second), stamp(9*time.Minute))
		fmt.Fprintf(&security, "%s 4719 Provider=Microsoft-Windows-Security-Auditing\n  SubcategoryId = %%%%13312\n  AuditPolicyChanges = %%%%8448\n", stamp(9*time.Minute))
		at = at.Add(11 * time.Minute)
	}
	rep := analyzeScenario(t, "-- x/System.evtx.txt --\n@Channel=System Provider=EventLog Computer=WS30\n"+system.String()+
		"-- x/Security.evtx.txt --\n@Channel=Security Provider=Microsoft-Windows-Eventlog Computer=WS30\n"+security.String(), nil)
	for _, r := range rep.Coverage {
		if r.Evidence == "evtx:Security" && len(r.Holes) != 2*stops+1 {
			t.Errorf("%d holes, want %d", len(r.Holes), 2*stops+1)
		}
	}
}
