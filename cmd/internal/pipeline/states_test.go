package pipeline

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive/hivetest"
	"sharetrail/parsers/shell/shelltest"
	"sharetrail/timeline"
)

const (
	profileMade = "[EUDC] 2026-01-06T07:55:00Z\n[AppEvents] 2026-01-06T07:55:00Z\n"
	withZ       = profileMade + "[Network] 2026-03-02T09:14:02Z\n[Network\\Z] 2026-03-02T09:14:02Z\nRemotePath=\\\\fs01\\finance\n"
	withoutZ    = profileMade + "[Network] 2026-03-02T09:40:31.5621034Z\n"
)

// analyzeHive runs over one user hive and its logs.
func analyzeHive(t *testing.T, before string, after ...string) *timeline.Report {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Users", "alice")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	primary, log1, log2, err := hivetest.BuildWithLog(before, after...)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"NTUSER.DAT": primary, "ntuser.dat.LOG1": log1, "ntuser.dat.LOG2": log2} {
		if len(data) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	res, err := Run(t.Context(), []string{filepath.Dir(filepath.Dir(dir))}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &res.Report
}

// TestRemovalInLog: the removal is only in the transaction log.
func TestRemovalInLog(t *testing.T) {
	rep := analyzeHive(t, withZ, withoutZ)
	g := onlyGap(t, rep)
	want := time.Date(2026, 3, 2, 9, 40, 31, 562103400, time.UTC)
	if g.Rule != "G01" || g.Confidence != timeline.Certain || g.Drive != "Z:" || !g.Window.Exact() || !g.Window.NotBefore.Equal(want) {
		t.Errorf("%s %s %s %v: %s", g.Rule, g.Confidence, g.Drive, g.Window, g.Claim)
	}
	if c := rep.Connections[0]; c.Status != timeline.StatusRemoved || c.Persistent != timeline.Yes || c.Facts.MappingGone != timeline.Yes {
		t.Errorf("connection: %+v", c)
	}
}

// TestMappingInMiddleState: the mapping stands in one state of the log only,
// neither in the primary nor in the final view.
func TestMappingInMiddleState(t *testing.T) {
	rep := analyzeHive(t, profileMade+"[Network] 2026-01-06T07:55:00Z\n", withZ, withoutZ)
	g := onlyGap(t, rep)
	if g.Rule != "G01" || g.Confidence != timeline.Certain || g.Share != `\\fs01\finance` || !g.Window.Exact() {
		t.Errorf("%s %s %s %v: %s", g.Rule, g.Confidence, g.Share, g.Window, g.Claim)
	}
	for _, o := range rep.Observations {
		if o.Action == evidence.Mapped && (o.State != evidence.Replayed || filepath.Base(o.From.Path) != "ntuser.dat.LOG1") {
			t.Errorf("the mapping comes from %s, state %s", o.From.Path, o.State)
		}
	}
}

// TestMappedInLog: a mapping that is only in the log is there, and no removal.
func TestMappedInLog(t *testing.T) {
	rep := analyzeHive(t, profileMade+"[Network] 2026-01-06T07:55:00Z\n", withZ)
	if len(rep.Gaps) != 0 || len(rep.Connections) != 1 || rep.Connections[0].Status != timeline.StatusMapped {
		t.Errorf("gaps %v, connections %+v", rep.Gaps, rep.Connections)
	}
}

// TestContradiction: the log brings back a mapping that is older than a state
// that lacks it.
func TestContradiction(t *testing.T) {
	rep := analyzeHive(t, withoutZ, withZ)
	found := false
	for _, g := range rep.Gaps {
		found = found || g.Rule == "G30"
	}
	if !found {
		t.Errorf("no G30 in %+v", rep.Gaps)
	}
}

// TestDeletedKey: the key is recovered from a free cell of a clean hive.
func TestDeletedKey(t *testing.T) {
	rep := analyzeHive(t, withoutZ+"-[Network\\Z] 2026-03-02T09:14:02Z\nRemotePath=\\\\fs01\\finance\n")
	g := onlyGap(t, rep)
	if g.Rule != "G02" || g.Confidence != timeline.Strong || g.Drive != "Z:" || g.Share != `\\fs01\finance` ||
		evidence.FormatTime(g.Window.NotBefore) != "2026-03-02T09:14:02.0000000Z" || evidence.FormatTime(g.Window.NotAfter) != "2026-03-02T09:40:31.5621034Z" {
		t.Errorf("%s %s %s %s %v: %s", g.Rule, g.Confidence, g.Drive, g.Share, g.Window, g.Claim)
	}
}

// onlyGap returns the one gap above info.
func onlyGap(t *testing.T, rep *timeline.Report) timeline.Gap {
	t.Helper()
	var gaps []timeline.Gap
	for _, g := range rep.Gaps {
		if g.Severity != timeline.Info {
			gaps = append(gaps, g)
		}
	}
	if len(gaps) != 1 {
		t.Fatalf("%d gaps: %+v; problems %+v", len(gaps), gaps, rep.Problems)
	}
	return gaps[0]
}

var shortcutUsed = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// analyzeShortcut runs over a user hive and a shortcut to a file on a share.
func analyzeShortcut(t *testing.T, hive, device string) *timeline.Report {
	t.Helper()
	root := t.TempDir()
	user := filepath.Join(root, "Users", "alice")
	recent := filepath.Join(user, "AppData", "Roaming", "Microsoft", "Windows", "Recent")
	if err := os.MkdirAll(recent, 0o777); err != nil {
		t.Fatal(err)
	}
	primary, err := hivetest.Build(hive)
	if err != nil {
		t.Fatal(err)
	}
	link, err := shelltest.Link("share=\\\\fs01\\finance\ndevice=" + device + "\nsuffix=plans.xlsx\nprovider=0x20000\n")
	if err != nil {
		t.Fatal(err)
	}
	lnk := filepath.Join(recent, "plans.lnk")
	for name, data := range map[string][]byte{filepath.Join(user, "NTUSER.DAT"): primary, lnk: link} {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(lnk, shortcutUsed, shortcutUsed); err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), []string{root}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &res.Report
}

// TestLetterOfShortcut: a shortcut ties a letter to a share that the hive does
// not remember; Network changed after the use.
func TestLetterOfShortcut(t *testing.T) {
	rep := analyzeShortcut(t, withoutZ, "Q:")
	for _, g := range rep.Gaps {
		if g.Rule == "G23" {
			if g.Drive != "Q:" || g.Share != `\\fs01\finance` || g.Confidence != timeline.Possible || !g.Window.NotBefore.Equal(shortcutUsed) ||
				evidence.FormatTime(g.Window.NotAfter) != "2026-03-02T09:40:31.5621034Z" {
				t.Errorf("%+v", g)
			}
			return
		}
	}
	t.Errorf("no G23 in %+v, problems %+v", rep.Gaps, rep.Problems)
}

// TestLetterStillRemembered: the hive still remembers the letter of the shortcut.
func TestLetterStillRemembered(t *testing.T) {
	for _, g := range analyzeShortcut(t, withZ, "Z:").Gaps {
		if g.Rule == "G23" {
			t.Errorf("%+v", g)
		}
	}
}

// TestSnapshotNewerThanPrimary: a snapshot may show more than the primary that was
// collected does, and what the primary has is then no later state, with its logs
// and without them.
func TestSnapshotNewerThanPrimary(t *testing.T) {
	primary, log1, _, err := hivetest.BuildWithLog(withZ, withoutZ+"[Software\\Later] 2026-03-02T12:00:00Z\n")
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := hivetest.Build(withoutZ)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		log  []byte
	}{{"with its log", log1}, {"without its log", nil}} {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"C/Users/alice/NTUSER.DAT": primary, "C/Users/alice/NTUSER.DAT.LOG1": test.log, "VSS1/Users/alice/NTUSER.DAT": snapshot} {
			if data == nil {
				continue
			}
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		res, err := Run(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		g := onlyGap(t, &res.Report)
		want := time.Date(2026, 3, 2, 9, 40, 31, 562103400, time.UTC)
		if g.Rule != "G01" || g.Drive != "Z:" || !g.Window.Exact() || !g.Window.NotBefore.Equal(want) {
			t.Errorf("%s: %s %s %v: %s", test.name, g.Rule, g.Drive, g.Window, g.Claim)
		}
		if c := res.Report.Connections[0]; c.Status != timeline.StatusRemoved {
			t.Errorf("%s: connection: %+v", test.name, c)
		}
	}
}

// TestLogOfDuplicate: of two members of one name each goes with its own log.
func TestLogOfDuplicate(t *testing.T) {
	primary, log1, _, err := hivetest.BuildWithLog(withZ, withoutZ)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"C/Users/alice/NTUSER.DAT", "C/Users/alice/ntuser.dat"} {
		for suffix, data := range map[string][]byte{"": primary, ".LOG1": log1} {
			w, err := z.Create(name + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "WS01.zip")
	if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), []string{file}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if g := onlyGap(t, &res.Report); g.Rule != "G01" || !g.Window.Exact() {
		t.Errorf("%s %v: %s", g.Rule, g.Window, g.Claim)
	}
	for _, p := range res.Report.Problems {
		t.Errorf("problem of %s: %s", p.From.Path, p.What)
	}
}

// TestProfileMadeAnew: where a user has a new profile, what the old one remembers
// was not removed from it.
func TestProfileMadeAnew(t *testing.T) {
	const (
		sid    = "S-1-5-21-2596563022-1406118043-1004336348-1104"
		list   = "[Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\" + sid
		old    = "[EUDC] 2026-01-06T07:55:00Z\n[AppEvents] 2026-01-06T07:55:00Z\n[Network] 2026-03-02T09:14:02Z\n[Network\\Z] 2026-03-02T09:14:02Z\nRemotePath=\\\\fs01\\finance\n"
		anew   = "[EUDC] 2026-03-03T10:00:00Z\n[AppEvents] 2026-03-03T10:00:00Z\n[Network] 2026-03-03T10:00:00Z\n[Software\\Later] 2026-03-04T12:00:00Z\n"
		inBob  = "C/Users/bob/NTUSER.DAT"
		config = "C/Windows/System32/config/"
	)
	for _, test := range []struct {
		name, software string
		hives          map[string]string
		user, says     string
	}{
		{"set aside", list + ".bak] 2026-03-03T10:00:00Z\nProfileImagePath=C:\\Users\\bob\n" + list + "] 2026-03-03T10:00:00Z\nProfileImagePath=C:\\Users\\bob.000\n",
			map[string]string{inBob: old, "C/Users/bob.000/NTUSER.DAT": anew}, "bob (former profile)", "has another profile now"},
		{"in the same folder", list + "] 2026-03-03T10:00:00Z\nProfileImagePath=C:\\Users\\bob\n",
			map[string]string{inBob: anew, "VSS1/Users/bob/NTUSER.DAT": old}, "bob", "was made anew at 2026-03-03T10:00:00.0000000Z"},
	} {
		dir := t.TempDir()
		test.hives[config+"SYSTEM"] = computerWS01
		test.hives[config+"SOFTWARE"] = test.software
		for name, text := range test.hives {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), buildHive(t, text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		res, err := Run(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rep := &res.Report
		for _, g := range rep.Gaps {
			if g.Rule != "G34" {
				t.Errorf("%s: %s: %s", test.name, g.Rule, g.Claim)
			}
		}
		if len(rep.Connections) != 1 || rep.Connections[0].User != test.user || rep.Connections[0].Status == timeline.StatusRemoved {
			t.Errorf("%s: connections %+v", test.name, rep.Connections)
		}
		if !slices.ContainsFunc(rep.Problems, func(p evidence.Problem) bool { return strings.Contains(p.What, test.says) }) {
			t.Errorf("%s: problems %v", test.name, rep.Problems)
		}
	}
}
