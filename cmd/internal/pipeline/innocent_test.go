package pipeline

import "testing"

// TestInnocent holds that each rule about traces in hives is silent on evidence
// that differs from what it looks for in the one thing that matters, and that
// it speaks where that thing is changed.
func TestInnocent(t *testing.T) {
	const (
		explorer = `[Software\Microsoft\Windows\CurrentVersion\Explorer\`
		user     = "-- WS30/hive NTUSER ann --\n"
		system   = "-- WS30/hive SYSTEM --\n"
		shares   = `[ControlSet001\Services\LanmanServer\Shares`
		older    = `[ControlSet002\Services\LanmanServer\Shares`
		public   = `public=multi:CSCFlags=0|MaxUses=4294967295|Path=D:\public|Permissions=63|ShareName=public|Type=0` + "\n"
		plans    = explorer + "MountPoints2] 2026-03-03T08:05:44.2Z\n" + explorer + "MountPoints2\\##fs01#plans] 2026-03-03T08:05:44.2Z\n"
		mapped   = "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T08:00:00.5Z map ann Q: \\\\fs01\\plans\n" +
			"2026-03-04T08:00:01Z browse ann \\\\fs01\\plans\n2026-03-04T08:00:01.2Z wizard ann \\\\fs01\\plans\n"
		ran = "-- WS30/story --\n2026-03-04T07:00:00Z logon ann id=0x5101\n2026-03-04T09:00:00Z run ann "
	)
	for _, c := range []struct{ rule, name, innocent, guilty string }{
		{"G04", "the mapping of the wizard is still remembered", mapped, mapped + "2026-03-04T10:00:00Z unmap ann Q:\n"},
		{"G05", "MountPoints2 has the share that the list names",
			user + plans + explorer + "Map Network Drive MRU] 2026-03-03T08:06:00Z\na=\\\\fs01\\plans\nMRUList=a\n",
			user + plans + explorer + "Map Network Drive MRU] 2026-03-03T08:06:00Z\na=\\\\fs01\\payroll\nMRUList=a\n"},
		{"G06", "the list is whole, newest first",
			user + explorer + "Map Network Drive MRU] 2026-03-03T08:06:00Z\na=\\\\fs01\\plans\nb=\\\\fs01\\payroll\nMRUList=ba\n",
			user + explorer + "Map Network Drive MRU] 2026-03-03T08:06:00Z\na=\\\\fs01\\plans\nMRUList=ba\n"},
		{"G15", "no share was ever stored: both keys are as setup made them",
			system + shares + "] 2026-01-05T08:01:00Z\n" + shares + "\\Security] 2026-01-05T08:01:00Z\n",
			system + shares + "] 2026-03-04T10:10:10.1Z\n" + shares + "\\Security] 2026-01-05T08:01:00Z\n"},
		{"G16", "each stored share has its rights",
			system + shares + "] 2026-03-04T10:20:20.2Z\n" + public + shares + "\\Security] 2026-03-04T10:20:20.2Z\npublic=hex:01000480\n",
			system + shares + "] 2026-03-04T10:20:20.2Z\n" + public + shares + "\\Security] 2026-03-04T10:20:20.2Z\nloot$=hex:01000480\n"},
		{"G17", "both control sets store the share",
			system + shares + "] 2026-03-04T10:20:20.2Z\n" + public + older + "] 2026-03-02T10:20:20.2Z\n" + public,
			system + shares + "] 2026-03-04T10:20:20.2Z\n" + older + "] 2026-03-02T10:20:20.2Z\n" + public},
		{"G18", "the administrative shares are left on",
			system + `[ControlSet001\Services\LanmanServer\Parameters] 2026-03-04T10:30:30.3Z` + "\nAutoShareWks=dword:1\n",
			system + `[ControlSet001\Services\LanmanServer\Parameters] 2026-03-04T10:30:30.3Z` + "\nAutoShareWks=dword:0\n"},
		{"G24", "the history is read, not removed",
			ran + "powershell.exe -c Get-Content (Get-PSReadLineOption).HistorySavePath\n",
			ran + "powershell.exe -c Remove-Item (Get-PSReadLineOption).HistorySavePath\n"},
		{"G26", "the newest key of MountPoints2 is as young as itself", user + plans,
			user + explorer + "MountPoints2] 2026-03-04T11:20:00.5Z\n" + explorer + "MountPoints2\\##fs01#plans] 2026-03-03T08:05:44.2Z\n"},
	} {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			for story, want := range map[string]bool{c.innocent: false, c.guilty: true} {
				fired := false
				for _, g := range analyzeScenario(t, quietHost+story, nil).Gaps {
					for _, r := range g.Rules {
						fired = fired || r == c.rule
					}
				}
				if fired != want {
					t.Errorf("fired: %v, want %v, on\n%s", fired, want, story)
				}
			}
		})
	}
	for _, c := range []struct {
		rule, name string
		before     string
		after      []string
	}{
		{"G01", "both states hold the mapping", withZ, []string{withZ + "[Console] 2026-03-02T10:00:00Z\n"}},
		{"G02", "the deleted cell is an older copy of a key that stands", withZ + "-[Network\\Z] 2026-03-02T09:14:02Z\nRemotePath=\\\\fs01\\finance\n", nil},
		{"G30", "a mapping made after the older state", profileMade + "[Network] 2026-01-06T07:55:00Z\n", []string{withZ}},
	} {
		t.Run(c.rule+" "+c.name, func(t *testing.T) {
			for _, g := range analyzeHive(t, c.before, c.after...).Gaps {
				for _, r := range g.Rules {
					if r == c.rule {
						t.Errorf("%s: %s", r, g.Claim)
					}
				}
			}
		})
	}
}
