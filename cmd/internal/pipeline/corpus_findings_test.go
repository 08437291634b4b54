package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// Negative controls: hives of people who never mapped a drive.
var controls = []string{"hive-user/plaso-joe", "hive-user/winreg-kb-bperry"}

// lookedAt is every finding on a real hive or collection, each with what a
// person saw who looked there.
var lookedAt = []struct{ source, rule, at, saw string }{
	{"hive-user/plaso-nfury", "G03", "2012-04-06T14:09:25.5935625Z",
		"Network is 227 days newer than p, its only child. Two seconds before, Software was stamped, and 36 seconds later MountPoints2\\CPC\\Volume: a logon was being processed. " +
			"MountPoints2 has ##controller#home#nfury with the label of a home drive, which Windows maps at logon: that such a drive came and went fits all of it. Low is right: the fact stands, the cause is not known."},
	{"hive-system/regipy-system", "G15", "2012-04-06T20:05:20.4379244Z",
		"Shares of ControlSet001 is empty and the only key of the hive that was written within that minute; Shares\\Security is as setup left it in 2009. Something was stored there and is gone; no cell keeps its name."},
	{"hive-system/regipy-system", "G15", "2012-03-26T21:20:55.0159114Z",
		"Shares of ControlSet002 is empty, too, and was written eleven days before that of ControlSet001, alone within that minute: an earlier act of the same kind, kept by the older control set."},
	{"triage/museum-w10-belkasoft-insider", "G21", "2020-08-01T18:57:53.2272389Z",
		"Somebody set the clock two hours ahead in Settings minutes after the first logon of a new Windows: the time zone was wrong, as the machine was just installed."},
	{"triage/museum-w10-belkasoft-insider", "G19", "2020-08-01T21:27:10.0856078Z",
		"4648 of the kernel's SMB client (process 4), 19 times with several spellings of two accounts, and 31001 beside some of them; the last are of the domain's administrator, then the category of the network changes and Windows restarts: " +
			"the computer joined a domain after some failures. No drive, list or shortcut names a share there. Info is right."},
	{"triage/museum-w10-rathbunvm", "G21", "", "vmtoolsd.exe set the clock each time the virtual machine was resumed: named in the row, and supported."},
	{"triage/museum-w11-rathbunvm", "G21", "", "vmtoolsd.exe set the clock each time the virtual machine was resumed: named in the row, and supported."},
	{"triage/velociraptor-genuine", "G20", "2019-02-09T17:05:24.6727578Z", "The sample of an attack course, re-exported: its Security log opens with 1102 by the account test."},
	{"triage/velociraptor-genuine", "G20", "2019-03-19T23:34:25.8943413Z", "The sample of an attack course, re-exported: its System log holds 104 by the account user01."},
}

// TestCorpusFindings holds every finding on real hives and collections to a
// sentence of somebody who looked, and the negative controls to low at most.
func TestCorpusFindings(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	seen := make([]int, len(lookedAt))
	sources := 0
	for _, kind := range []string{"hive-user", "hive-system", "hive-dirty", "hive-deleted", "triage"} {
		dirs, err := filepath.Glob(filepath.Join(root, kind, "*"))
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no evidence in %s: %v", kind, err)
		}
		for _, dir := range dirs {
			name := kind + "/" + filepath.Base(dir)
			sources++
			res, err := Run(t.Context(), []string{dir}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range res.Report.Gaps {
				if g.Severity.AtLeast(timeline.Medium) || slices.Contains(controls, name) && g.Severity != timeline.Info {
					t.Errorf("%s: %s %s: %s", name, g.Severity, g.ID, g.Claim)
				}
				at := evidence.FormatTime(g.Window.NotBefore)
				if at == "" {
					at = evidence.FormatTime(g.Window.NotAfter)
				}
				i := slices.IndexFunc(lookedAt, func(l struct{ source, rule, at, saw string }) bool {
					return l.source == name && l.rule == g.Rule && (l.at == "" || l.at == at)
				})
				if i < 0 {
					t.Errorf("%s: nobody has looked at %s %s: %s", name, g.ID, at, g.Claim)
					continue
				}
				seen[i]++
			}
		}
	}
	for i, n := range seen {
		if l := lookedAt[i]; n == 0 || l.at != "" && n > 1 || len(strings.Fields(l.saw)) < 8 {
			t.Errorf("%s %s %s: %d findings", l.source, l.rule, l.at, n)
		}
	}
	for _, c := range controls {
		if _, err := os.Stat(filepath.Join(root, c)); err != nil {
			t.Error(err)
		}
	}
	if sources < 20 {
		t.Errorf("%d sources only", sources)
	}
}

// TestCorpusLogs: no finding on the real logs is above low. Half of them are
// samples of attacks, but none shows a share that was removed.
func TestCorpusLogs(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	dirs, err := filepath.Glob(filepath.Join(root, "evtx", "*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no logs: %v", err)
	}
	for _, dir := range dirs {
		res, err := Run(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range res.Report.Gaps {
			if g.Severity.AtLeast(timeline.Medium) || !slices.Contains([]string{"G19", "G20", "G21", "G33"}, g.Rule) {
				t.Errorf("%s: %s %s: %s", filepath.Base(dir), g.Severity, g.ID, g.Claim)
			}
		}
		for _, c := range res.Report.Connections {
			if c.Status == timeline.StatusRemoved {
				t.Errorf("%s: %s %s is said to be removed", filepath.Base(dir), c.Drive, c.Share)
			}
		}
	}
}
