package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNeighbours holds that a rule which speaks in a case is silent where one
// thing that matters is another.
func TestNeighbours(t *testing.T) {
	for _, c := range []struct{ rule, of, name, old, new string }{
		{"G10", "server-only", "the address was not this computer's", "DhcpIPAddress=10.10.1.41", "DhcpIPAddress=10.10.1.42"},
		{"G10", "server-only", "the lease had ended", "LeaseTerminatesTime=dword:0x69a929d3", "LeaseTerminatesTime=dword:0x69a7e663"},
		{"G10", "server-only", "Explorer knows the share", "id=0x6b1f04\n", "id=0x6b1f04\n2026-03-04T09:59:59Z browse alice \\\\fs41\\archive\n"},
		{"G10", "server-only", "only shares that Windows opens by itself", " archive\n", " IPC$\n"},
		{"G11", "used-log-gone", "the log was cleared before the files were opened", "T12:00:10.0Z clear", "T08:00:10.0Z clear"},
		{"G11", "used-log-gone", "the share was mapped", "2026-03-04T12:00:10", "2026-03-04T08:40:00.0Z map fred H: \\\\fs44\\hr\n2026-03-04T12:00:10"},
		{"G19", "credentials-only", "a share of that server was mapped", "2026-03-04T15:00", "2026-03-04T14:00:00.0Z browse dora \\\\fs09\\x\n2026-03-04T15:00"},
		{"G22", "run-unrecorded", "the log has the start", "2026-03-04T10:20:30.0Z run", "2026-03-04T10:14:01.5Z run eve net.exe user\n2026-03-04T10:20:30.0Z run"},
		{"G22", "run-unrecorded", "processes are not recorded", "audit = Process Creation:success\n", ""},
		{"G22", "run-unrecorded", "the log has lost records just then", "2026-03-04T10:20:30.0Z run", "2026-03-04T10:14:02.0Z lose Security 3\n2026-03-04T10:20:30.0Z run"},
		{"G27", "cleanup-cluster", "the removal alone", "2026-03-04T10:02:00.0Z run ian vssadmin", "# "},
		{"G29", "removed-while-away", "the owner was logged on again", "2026-03-04T19:30:00.25Z", "2026-03-04T19:20:00Z logon gina id=0x7c0010\n2026-03-04T19:30:00.25Z"},
		{"G29", "removed-while-away", "the owner had just logged off", "T16:00:00.0Z logoff gina", "T19:29:30.0Z logoff gina"},
		{"G29", "removed-while-away", "the log lost records meanwhile", "2026-03-04T19:30:00.25Z", "2026-03-04T18:00:00Z lose System 4\n2026-03-04T19:30:00.25Z"},
		{"G28", "robbinhood", "the command names one drive", "* /DELETE /Y", "S: /DELETE /Y"},
	} {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../../../testdata/cases", c.of, "scenario.txtar"))
			if err != nil {
				t.Fatal(err)
			}
			story, _, _ := strings.Cut(string(text), "-- expect/")
			changed := strings.ReplaceAll(story, c.old, c.new)
			if changed == story {
				t.Fatalf("%q is not in the case", c.old)
			}
			if c.rule == "G27" {
				changed = only(changed, " ian vssadmin", " ian powershell", " ian wevtutil", "clear ian")
			}
			for story, want := range map[string]bool{story: true, changed: false} {
				fired := false
				for _, g := range analyzeScenario(t, story, nil).Gaps {
					if slices.Contains(g.Rules, c.rule) {
						fired = true
						if want {
							t.Logf("%s: %s", g.ID, g.Claim)
						} else {
							t.Errorf("%s: %s", g.ID, g.Claim)
						}
					}
				}
				if want && !fired {
					t.Errorf("%s is silent on the case itself", c.rule)
				}
			}
		})
	}
}

// only leaves out the lines of a story that hold one of the words.
func only(story string, without ...string) string {
	var b strings.Builder
	for line := range strings.Lines(story) {
		if !slices.ContainsFunc(without, func(w string) bool { return strings.Contains(line, w) }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// TestClusterBounds holds what makes several acts one cluster: time, account,
// and two kinds.
func TestClusterBounds(t *testing.T) {
	const removal = "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T08:00:00Z run ann net use Z: \\\\fs01\\finance /persistent:yes\n" +
		"2026-03-04T08:00:00.3Z map ann Z: \\\\fs01\\finance\n2026-03-04T09:00:00Z run ann net use Z: /delete\n2026-03-04T09:00:00.4Z unmap ann Z:\n"
	for _, c := range []struct {
		name, more string
		fires      bool
	}{
		{"a history 14 minutes later", "2026-03-04T09:14:00Z run ann powershell.exe -c Remove-Item (Get-PSReadLineOption).HistorySavePath\n", true},
		{"a history 16 minutes later", "2026-03-04T09:16:00Z run ann powershell.exe -c Remove-Item (Get-PSReadLineOption).HistorySavePath\n", false},
		{"by another account", "2026-03-04T09:02:00Z run SYSTEM powershell.exe -c Remove-Item (Get-PSReadLineOption).HistorySavePath\n", false},
		{"a log", "2026-03-04T09:02:00Z clear ann System\n", true},
		{"Explorer's keys", "2026-03-04T09:02:00Z run ann reg.exe delete HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\MountPoints2\\##fs01#finance /f\n", true},
		{"another drive", "2026-03-04T09:01:00Z run ann net use Y: \\\\fs01\\y\n2026-03-04T09:02:00Z run ann net use Y: /delete\n", false},
		{"the command to clear a log and its record, and no more", "2026-03-04T11:00:00Z run ann wevtutil.exe cl System\n2026-03-04T11:00:00.1Z clear ann System\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := analyzeScenario(t, quietHost+removal+c.more, nil)
			fired := 0
			for _, g := range rep.Gaps {
				if g.Rule == "G27" {
					fired++
					if len(g.Connections) == 0 || g.Severity != "high" || strings.Contains(strings.ToLower(g.Claim), "forensic") {
						t.Errorf("%+v", g)
					}
				}
			}
			if fired > 1 || (fired == 1) != c.fires {
				t.Errorf("%d clusters, want one: %v", fired, c.fires)
			}
		})
	}
}

// TestSaidOfServer: what is no share of another computer is said to be none,
// and an administrative share carries its technique.
func TestSaidOfServer(t *testing.T) {
	for _, c := range []struct{ share, says, attack string }{
		{`\\localhost\c$`, "this computer itself", "T1021.002"},
		{`\\WS30\docs`, "this computer itself", ""},
		{`\\127.0.0.1\docs`, "this computer itself", ""},
		{`\\tsclient\c`, "no SMB share", ""},
		{`\\dav.example@SSL\DavWWWRoot\x`, "no SMB share", ""},
		{`\\?\UNC\fs01\docs`, "", ""},
		{`\\fs01\admin$`, "", "T1021.002"},
		{`\\fs01\docs`, "", ""},
	} {
		rep := analyzeScenario(t, quietHost+"-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T08:00:00Z run ann net use Z: "+c.share+" /persistent:no\n"+
			"2026-03-04T09:00:00Z run ann net use Z: /delete\n", nil)
		g := onlyGap(t, rep)
		var all []string
		for _, s := range g.Reasoning {
			all = append(all, s.Statement)
		}
		text := strings.Join(all, "\n")
		if strings.Contains(text, "this computer itself") != strings.HasPrefix(c.says, "this") || strings.Contains(text, "no SMB share") != strings.HasPrefix(c.says, "no") {
			t.Errorf("%s: %s", c.share, text)
		}
		if slices.Contains(g.Attack, "T1021.002") != (c.attack != "") {
			t.Errorf("%s: %v", c.share, g.Attack)
		}
	}
}
