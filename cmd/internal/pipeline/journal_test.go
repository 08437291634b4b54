package pipeline

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"
	"sharetrail/parsers/usn/usntest"
	"sharetrail/timeline"
)

const historyDir = "Users/alice/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine"

// journalVolume is a volume whose change journal holds the records of text, in
// which HISTORY, RECENT and LOGS stand for the references of these directories.
// Windows has dropped its first bytes.
func journalVolume(t *testing.T, dropped int, text string) []byte {
	t.Helper()
	dirs := map[string]string{"HISTORY": historyDir, "RECENT": "Users/alice/AppData/Roaming/Microsoft/Windows/Recent", "LOGS": "Windows/System32/winevt/Logs"}
	v := ntfstest.Volume{Size: 8 << 20, Files: []ntfstest.File{
		{Path: "Windows/System32/config/SYSTEM", Data: buildHive(t, computerWS01)},
		{Path: "Users/alice/NTUSER.DAT", Data: buildHive(t, profileMade)},
	}}
	for _, name := range []string{"HISTORY", "LOGS", "RECENT"} {
		v.Files = append(v.Files, ntfstest.File{Path: dirs[name], Dir: true})
	}
	b, err := v.Build()
	if err != nil {
		t.Fatal(err)
	}
	f, err := ntfs.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for name, dir := range dirs {
		info, err := f.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		in := info.Sys().(*ntfs.Info)
		text = strings.ReplaceAll(text, name, fmt.Sprintf("%d-%d", in.Record, in.Sequence))
	}
	j, err := usntest.Build(fmt.Sprintf("at %d\n", dropped) + text)
	if err != nil {
		t.Fatal(err)
	}
	v.Files = append(v.Files, ntfstest.File{Path: "$Extend/$UsnJrnl", NamedOnly: true, Streams: []ntfstest.Stream{{Name: "$J", Hole: dropped, Data: j}}})
	if b, err = v.Build(); err != nil {
		t.Fatal(err)
	}
	return b
}

const someChanges = `2026-03-02T09:39:00Z 900-1 LOGS FileCreate|Close Archive-Security-2026-03-02-09-39-00-000.evtx
2026-03-02T09:40:20.1234567Z 901-3 HISTORY FileDelete|Close ConsoleHost_history.txt
2026-03-02T09:41:00Z 902-3 RECENT FileDelete|Close budget.lnk
2026-03-02T09:42:00Z 903-3 5-5 DataExtend|Close pagefile.sys
`

// TestJournal: the change journal of an image gives rows with paths, places in
// the whole journal, a span that it covers, and the removal of a history.
func TestJournal(t *testing.T) {
	res := analyzeImage(t, journalVolume(t, 1<<30, someChanges), Options{Context: "all"})
	rep := &res.Report
	for _, p := range rep.Problems {
		t.Errorf("problem: %s at %s: %s", p.Severity, p.From.Path, p.What)
	}
	var got []string
	for _, o := range rep.Observations {
		if o.Artifact == "usn-journal" {
			got = append(got, fmt.Sprintf("%s %d %s %s", evidence.FormatTime(o.Time), o.From.Offset, o.From.Path, o.Summary))
			if o.Host != "WS01" || o.Detail.Text("Usn") != fmt.Sprint(o.From.Offset) {
				t.Errorf("%s on %q, USN %s", o.Summary, o.Host, o.Detail.Text("Usn"))
			}
		}
	}
	const at = `$Extend/$UsnJrnl:$J`
	want := []string{
		`2026-03-02T09:39:00.0000000Z 1073741824 ` + at + ` The file \Windows\System32\winevt\Logs\Archive-Security-2026-03-02-09-39-00-000.evtx was created.`,
		`2026-03-02T09:40:20.1234567Z 1073741976 ` + at + ` The file \` + strings.ReplaceAll(historyDir, "/", `\`) + `\ConsoleHost_history.txt was deleted.`,
		`2026-03-02T09:41:00.0000000Z 1073742088 ` + at + ` The file \Users\alice\AppData\Roaming\Microsoft\Windows\Recent\budget.lnk was deleted.`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows:\n%s", strings.Join(got, "\n"))
	}
	g := onlyGap(t, rep)
	if g.Rule != "G24" || g.Confidence != timeline.Certain || g.User != "alice" || evidence.FormatTime(g.Window.NotAfter) != "2026-03-02T09:40:20.1234567Z" || !g.Window.NotBefore.Equal(g.Window.NotAfter) {
		t.Errorf("%s %s of %q in %v: %s", g.Rule, g.Confidence, g.User, g.Window, g.Claim)
	}
	for _, r := range rep.Coverage {
		if r.Evidence == "files:usn-journal" && (r.Class != timeline.Continuous || evidence.FormatTime(r.From) != "2026-03-02T09:39:00.0000000Z" || evidence.FormatTime(r.To) != "2026-03-02T09:42:00.0000000Z") {
			t.Errorf("coverage %s from %v to %v", r.Class, r.From, r.To)
		}
	}
}

// TestJournalInSnapshot: a record that Windows has dropped since is in the
// journal of a shadow copy; one that both have is one row.
func TestJournalInSnapshot(t *testing.T) {
	img, err := vsstest.Write(journalVolume(t, 1<<30, someChanges+"2026-03-03T00:00:00Z 906-1 RECENT FileDelete|Close new.lnk\n"),
		[]vsstest.Snapshot{{Image: journalVolume(t, 1<<30, someChanges), Created: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Machine: "WS01"}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	for _, o := range analyzeImage(t, img, Options{Context: "all"}).Report.Observations {
		if o.Artifact == "usn-journal" {
			if rows[o.Summary]++; o.State != evidence.Live {
				t.Errorf("%s: %s", o.State, o.Summary)
			}
		}
	}
	if len(rows) != 4 {
		t.Errorf("rows %v", rows)
	}
	for s, n := range rows {
		if n != 1 {
			t.Errorf("%d rows: %s", n, s)
		}
	}
}

// TestJournalOracle holds what is read of a journal against usnjls of sleuthkit.
func TestJournalOracle(t *testing.T) {
	usnjls, err := exec.LookPath("usnjls")
	if err != nil {
		t.Skip("usnjls is not installed")
	}
	name := filepath.Join(t.TempDir(), "disk.dd")
	b := journalVolume(t, 1<<20, someChanges) // it takes no hole larger than the volume
	if err := os.WriteFile(name, b, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(usnjls, "-f", "ntfs", "-l", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := 0
	entries := strings.Split(string(out), "Version: ")
	for _, o := range analyzeImage(t, b, Options{Context: "all"}).Report.Observations {
		if o.Artifact != "usn-journal" {
			continue
		}
		want++
		file := o.Detail.Text("File")
		parts := []string{
			"Update Sequence Number: " + fmt.Sprint(o.From.Offset) + "\n", "Reference Number: " + o.Detail.Text("FileReference") + "\n",
			"Length: " + fmt.Sprint(o.From.Length) + "\n", "Time: " + o.Time.Format("2006-01-02 15:04:05.000000000") + " (UTC)\n", "Name: " + file[strings.LastIndexByte(file, '\\')+1:] + "\n",
		}
		if !slices.ContainsFunc(entries, func(e string) bool {
			return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(e, p) })
		}) {
			t.Errorf("usnjls has no %q in\n%s", parts, out)
		}
	}
	if want != 3 || len(entries) != 5 {
		t.Errorf("%d rows, %d records by usnjls", want, len(entries)-1)
	}
}
