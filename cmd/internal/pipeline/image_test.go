package pipeline

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive/hivetest"
	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"
	"sharetrail/timeline"

	"github.com/google/go-cmp/cmp"
)

func buildHive(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hivetest.Build(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const computerWS01 = "[Select] 2026-01-01T00:00:00Z\nCurrent=dword:1\n[ControlSet001\\Control\\ComputerName\\ComputerName] 2026-01-01T00:00:00Z\nComputerName=WS01\n"

func ntfsOf(t *testing.T, files map[string][]byte, deleted ...string) []byte {
	t.Helper()
	v := ntfstest.Volume{Size: 8 << 20}
	for name, data := range files {
		v.Files = append(v.Files, ntfstest.File{Path: name, Data: data, Deleted: slices.Contains(deleted, name)})
	}
	slices.SortFunc(v.Files, func(a, b ntfstest.File) int { return strings.Compare(a.Path, b.Path) })
	b, err := v.Build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func analyzeImage(t *testing.T, img []byte, o Options) *Result {
	t.Helper()
	p := filepath.Join(t.TempDir(), "disk.dd")
	if err := os.WriteFile(p, img, 0o666); err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), []string{p}, o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestRemovedSinceSnapshot: the mapping stands in a shadow copy and not in the
// live hive.
func TestRemovedSinceSnapshot(t *testing.T) {
	system := buildHive(t, computerWS01)
	before := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Users/alice/NTUSER.DAT": buildHive(t, withZ)})
	after := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Users/alice/NTUSER.DAT": buildHive(t, withoutZ)})
	made := time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)
	img, err := vsstest.Write(after, []vsstest.Snapshot{{Image: before, Created: made, Machine: "WS01"}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	res := analyzeImage(t, img, Options{})
	rep := &res.Report
	g := onlyGap(t, rep)
	if g.Rule != "G01" || g.Confidence != timeline.Certain || g.Drive != "Z:" || g.Host != "WS01" || evidence.FormatTime(g.Window.NotAfter) != "2026-03-02T09:40:31.5621034Z" {
		t.Errorf("%s %s %s on %s %v: %s", g.Rule, g.Confidence, g.Drive, g.Host, g.Window, g.Claim)
	}
	if !slices.Equal(rep.Hosts, []string{"WS01"}) {
		t.Errorf("hosts %q", rep.Hosts)
	}
	mapped := 0
	for _, o := range rep.Observations {
		if o.Action != evidence.Mapped {
			continue
		}
		mapped++
		if o.State != evidence.Shadow || o.From.Volume != "disk.dd" || o.From.Snapshot != "disk.dd!vss1" || !o.From.AsOf.Equal(made) {
			t.Errorf("mapped: state %s, volume %q, snapshot %q as of %v", o.State, o.From.Volume, o.From.Snapshot, o.From.AsOf)
		}
	}
	if mapped != 1 {
		t.Errorf("%d rows of the mapping", mapped)
	}
	if res := analyzeImage(t, img, Options{NoSnapshots: true}); slices.ContainsFunc(res.Report.Gaps, func(g timeline.Gap) bool { return g.Rule == "G01" }) {
		t.Error("a snapshot is read although none should be")
	}
}

// TestOlderThanSnapshot: the snapshot has the newer times, and still is the state
// before the one that was collected. The count of writes tells whether that one is
// what it became.
func TestOlderThanSnapshot(t *testing.T) {
	const (
		later  = "[Software\\X] 2026-03-05T00:00:00Z\n"
		before = profileMade + "[Network] 2026-02-01T00:00:00Z\n"
		used   = before + "[Software\\X] 2026-03-06T00:00:00Z\n" // since it was put back
	)
	for _, test := range []struct {
		name, snapshot, live string
		confidence           timeline.Confidence
		restored             timeline.Verdict
		warned               string
	}{
		{"clock set back", "!seq=70\n" + withZ + later, "!seq=75\n" + before, timeline.Likely, timeline.Contradicted, ""},
		{"put back", "!seq=70\n" + withZ + later, "!seq=50\n" + before, timeline.Possible, timeline.Supported, "counts 50 writes"},
		{"no count", withZ + later, before, timeline.Possible, timeline.VerdictUnknown, "no key in it is newer"},
		{"put back and used", "!seq=70\n" + withZ + later, "!seq=60\n" + used, timeline.Possible, timeline.Supported, "counts 60 writes"},
		{"put back and used, no count", withZ + later, used, timeline.Possible, timeline.VerdictUnknown, "its last change is older"},
		{"put back, used, and Network written", "!seq=70\n" + withZ + later, "!seq=60\n" + profileMade + "[Network] 2026-03-06T00:00:00Z\n", timeline.Possible, timeline.Supported, "counts 60 writes"},
		{"counts anew", "!seq=70\n" + withZ + later, "!seq=60\n!reorganized=2026-03-05T12:00:00Z\n" + profileMade + "[Network] 2026-03-06T00:00:00Z\n", timeline.Certain, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			system := buildHive(t, computerWS01)
			old := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Users/alice/NTUSER.DAT": buildHive(t, test.snapshot)})
			now := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Users/alice/NTUSER.DAT": buildHive(t, test.live)})
			img, err := vsstest.Write(now, []vsstest.Snapshot{{Image: old, Created: time.Date(2026, 3, 5, 1, 0, 0, 0, time.UTC), Machine: "WS01"}}, 5<<20, 7<<20)
			if err != nil {
				t.Fatal(err)
			}
			rep := &analyzeImage(t, img, Options{}).Report
			i := slices.IndexFunc(rep.Gaps, func(g timeline.Gap) bool { return slices.Contains(g.Rules, "G01") })
			if i < 0 {
				t.Fatalf("gaps %v", rep.Gaps)
			}
			g := rep.Gaps[i]
			if g.Drive != "Z:" || g.Confidence != test.confidence {
				t.Errorf("%s %s %s: %s", g.Rule, g.Drive, g.Confidence, g.Claim)
			}
			var restored timeline.Verdict
			for _, b := range g.Benign {
				if strings.HasPrefix(b.Explanation, "an older hive was put back") {
					restored = b.Verdict
				}
			}
			if restored != test.restored {
				t.Errorf("an older hive was put back: %q, want %q", restored, test.restored)
			}
			want := timeline.StatusUnknown
			if test.confidence != timeline.Possible {
				want = timeline.StatusRemoved
			}
			for _, c := range rep.Connections {
				if c.Drive == "Z:" && c.Status != want {
					t.Errorf("%s is said to be %s", c.Drive, c.Status)
				}
			}
			warned := slices.ContainsFunc(rep.Problems, func(p evidence.Problem) bool { return strings.Contains(p.What, "older hive was put back") })
			if warned != (test.warned != "") || warned && !slices.ContainsFunc(rep.Problems, func(p evidence.Problem) bool { return strings.Contains(p.What, test.warned) }) {
				t.Errorf("problems %v", rep.Problems)
			}
		})
	}
}

// TestSharesOlderThanSnapshot: so it is with the shares that a SYSTEM hive stores.
func TestSharesOlderThanSnapshot(t *testing.T) {
	const shares = computerWS01 + "[ControlSet001\\Services\\LanmanServer\\Shares] "
	const data = "data=multi:CATimeout=0|Path=D:\\data|Permissions=0|ShareName=data|Type=0\n"
	for _, test := range []struct {
		name, live string
		confidence timeline.Confidence
		status     timeline.Status
	}{
		{"clock set back", "!seq=75\n" + shares + "2026-02-01T00:00:00Z\n", timeline.Likely, timeline.StatusRemoved},
		{"put back", "!seq=50\n" + shares + "2026-02-01T00:00:00Z\n", timeline.Possible, timeline.StatusUnknown},
		{"deleted", "!seq=75\n" + shares + "2026-03-05T00:00:00Z\n", timeline.Certain, timeline.StatusRemoved},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"C": test.live, "VSS1": "!seq=70\n" + shares + "2026-03-03T00:00:00Z\n" + data} {
			name = filepath.Join(dir, name, "Windows", "System32", "config", "SYSTEM")
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, buildHive(t, text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		res, err := Run(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(res.Report.Gaps, func(g timeline.Gap) bool { return g.Rule == "G32" }); i < 0 || res.Report.Gaps[i].Confidence != test.confidence {
			t.Errorf("%s: gaps %v", test.name, res.Report.Gaps)
		}
		if cs := res.Report.Connections; len(cs) != 1 || cs[0].Status != test.status {
			t.Errorf("%s: connections %v", test.name, cs)
		}
	}
}

// TestMappedInSnapshotOnly: what a snapshot remembers is not called mapped where the
// hive was collected later in a state that cannot tell.
func TestMappedInSnapshotOnly(t *testing.T) {
	for name, live := range map[string][]byte{
		"unreadable":  []byte(strings.Repeat("no hive ", 1000)),
		"not written": buildHive(t, "!seq=71,70\n"+profileMade),
	} {
		dir := t.TempDir()
		for file, data := range map[string][]byte{"C/Users/alice/NTUSER.DAT": live, "VSS1/Users/alice/NTUSER.DAT": buildHive(t, withZ)} {
			file = filepath.Join(dir, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		res, err := Run(t.Context(), []string{dir}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if cs := res.Report.Connections; len(cs) != 1 || cs[0].Status != timeline.StatusUnknown {
			t.Errorf("%s: connections %+v", name, cs)
		}
	}
}

// TestClearedSinceSnapshot: records that a shadow copy has and the cleared log has
// not are rows, and narrow what the log is blind for.
func TestClearedSinceSnapshot(t *testing.T) {
	system := buildHive(t, computerWS01)
	build := func(text string) []byte {
		events, err := evtxtest.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := evtxtest.Build(events, evtxtest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const head = "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01\n"
	event := func(at string, id int, cmd string) string {
		return fmt.Sprintf("%s 4688 id=%d\n  SubjectUserSid = S-1-5-21-1-2-3-1001\n  SubjectUserName = alice\n  SubjectLogonId = 0x3e7a1\n  NewProcessName = C:\\Windows\\System32\\net.exe\n  CommandLine = %s\n", at, id, cmd)
	}
	old := event("2026-03-01T09:00:00Z", 1, `net use Z: \\fs01\finance`) + event("2026-03-01T10:00:00Z", 2, `net use Z: /delete`)
	before := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Windows/System32/winevt/Logs/Security.evtx": build(head + old)})
	after := ntfsOf(t, map[string][]byte{"Windows/System32/config/SYSTEM": system, "Windows/System32/winevt/Logs/Security.evtx": build(head + event("2026-03-02T10:00:00Z", 50, `net use`))})
	img, err := vsstest.Write(after, []vsstest.Snapshot{{Image: before, Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Machine: "WS01"}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	from := func(o Options) (rows int, coverage timeline.CoverageRow) {
		rep := &analyzeImage(t, img, o).Report
		for _, o := range rep.Observations {
			if o.From.RecordID == 2 && o.State == evidence.Shadow && o.From.Snapshot == "disk.dd!vss1" {
				rows++
			}
		}
		for _, r := range rep.Coverage {
			if r.Evidence == "evtx:Security" {
				coverage = r
			}
		}
		return rows, coverage
	}
	rows, with := from(Options{})
	none, without := from(Options{NoSnapshots: true})
	if rows == 0 || none != 0 {
		t.Errorf("%d rows of the cleared record, %d without snapshots", rows, none)
	}
	if !with.From.Before(without.From) {
		t.Errorf("coverage from %v with the snapshot, from %v without", with.From, without.From)
	}
}

// TestUnchangedSinceSnapshot: a file that did not change gives one row, from the
// live volume, which names the snapshot too.
func TestUnchangedSinceSnapshot(t *testing.T) {
	files := map[string][]byte{"Windows/System32/config/SYSTEM": buildHive(t, computerWS01), "Users/alice/NTUSER.DAT": buildHive(t, withZ)}
	live := ntfsOf(t, files)
	img, err := vsstest.Write(live, []vsstest.Snapshot{{Image: live, Created: time.Date(2026, 3, 3, 0, 0, 0, 0, time.UTC)}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	rep := &analyzeImage(t, img, Options{}).Report
	for _, g := range rep.Gaps {
		if g.Severity != timeline.Info {
			t.Errorf("gap %s: %s", g.Rule, g.Claim)
		}
	}
	if len(rep.Connections) != 1 || rep.Connections[0].Status != timeline.StatusMapped {
		t.Errorf("connections %+v", rep.Connections)
	}
	for _, o := range rep.Observations {
		if o.Action == evidence.Mapped && (o.State != evidence.Live || o.From.Snapshot != "" || len(o.AlsoAt) != 1 || o.AlsoAt[0].Snapshot != "disk.dd!vss1") {
			t.Errorf("mapped: %s at %q, also at %+v", o.State, o.From.Snapshot, o.AlsoAt)
		}
	}
}

// TestDeletedHive: a hive whose MFT record is free says what was, never that
// anything is gone.
func TestDeletedHive(t *testing.T) {
	img := ntfsOf(t, map[string][]byte{
		"Windows/System32/config/SYSTEM": buildHive(t, computerWS01), "Users/alice/NTUSER.DAT": buildHive(t, withZ), "Users/bob/NTUSER.DAT": buildHive(t, withoutZ),
	}, "Users/alice/NTUSER.DAT", "Users/bob/NTUSER.DAT")
	rep := &analyzeImage(t, img, Options{}).Report
	found := false
	for _, o := range rep.Observations {
		if o.Drive == "Z:" {
			found = true
			if o.State != evidence.Deleted || o.Action != evidence.Present {
				t.Errorf("%s %s: %s", o.State, o.Action, o.Summary)
			}
		}
	}
	if !found {
		t.Error("the deleted hive was not read")
	}
	for _, c := range rep.Connections {
		if c.Status == timeline.StatusMapped || c.Status == timeline.StatusRemoved {
			t.Errorf("%s is %s", c.Share, c.Status)
		}
	}
	for _, r := range rep.Coverage {
		if strings.HasPrefix(r.Evidence, "registry:NTUSER") && r.Class != timeline.Absent {
			t.Errorf("a deleted hive attests %s: %s", r.Evidence, r.Class)
		}
	}
}

// All formats of one disk give the same rows, ids included, but for the names
// of source and volume; and the rows of the bare files.
func TestCorpusFormatsAgree(t *testing.T) {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	var want []string
	for i, name := range []string{"disk-split.E01", "disk-2gb.vmdk", "disk-dynamic.vhd", "disk-dynamic.vhdx", "disk-sparse.vmdk", "disk-streamopt.vmdk", "disk.qcow2", "kape-layout.zip"} {
		res, err := Run(t.Context(), []string{filepath.Join(dir, "derived", name)}, Options{Context: "all"})
		if err != nil {
			t.Fatal(err)
		}
		got := plainRows(t, res, name)
		if i == 0 {
			want = got
		}
		if name == "kape-layout.zip" {
			// File times are those of the archive, if it has any. They are also
			// how far the evidence of the host reaches.
			got, want = dropTimes(got), dropTimes(want)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-%s +got):\n%s", name, "disk-split.E01", d)
		}
	}
}

// plainRows are the rows of a run without the names of source and volume.
func plainRows(t *testing.T, res *Result, name string) []string {
	t.Helper()
	var b bytes.Buffer
	write := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	o := output.Options{Format: output.JSONL}
	write(output.WriteAll(&b, output.Timeline, res.Report.Observations, o))
	write(output.WriteAll(&b, output.Shares, res.Report.Connections, o))
	write(output.WriteAll(&b, output.Gaps, res.Report.Gaps, o))
	write(output.WriteAll(&b, output.Coverage, res.Report.Coverage, o))
	text := b.String()
	source := filepath.Join(os.Getenv("SHARETRAIL_CORPUS"), "derived", name)
	text = strings.ReplaceAll(text, `"`+source+`"`, `"SOURCE"`)
	for _, volume := range []string{name + "!p1", name} {
		text = strings.ReplaceAll(text, `"`+volume+`"`, `"VOLUME"`)
	}
	return strings.Split(text, "\n")
}

func dropTimes(rows []string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(s string) bool {
		return strings.Contains(s, `"files:`) || strings.Contains(s, `.pf"`) || strings.Contains(s, `"class":"absent"`)
	})
}

// TestDeletedHistory: the history of commands that somebody deleted is read where
// its MFT record still holds it, and says that it was deleted.
func TestDeletedHistory(t *testing.T) {
	const history = "Users/alice/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
	img := ntfsOf(t, map[string][]byte{
		"Windows/System32/config/SYSTEM": buildHive(t, computerWS01), "Users/alice/NTUSER.DAT": buildHive(t, profileMade),
		history: []byte("net use Z: \\\\fs01\\finance\r\nnet use Z: /delete\r\n"),
	}, history)
	rows := 0
	for _, o := range analyzeImage(t, img, Options{}).Report.Observations {
		if o.Artifact == "ps-history" {
			rows++
			if o.State != evidence.Deleted || o.Action != evidence.Command || o.User != "alice" || o.From.Path != history {
				t.Errorf("%s %s of %q at %s", o.State, o.Action, o.User, o.From.Path)
			}
		}
	}
	if rows != 2 {
		t.Errorf("%d rows", rows)
	}
	for _, r := range analyzeImage(t, img, Options{}).Report.Coverage {
		if strings.HasPrefix(r.Evidence, "files:ps-history") {
			t.Errorf("a deleted history covers %s", r.Evidence)
		}
	}
	for _, o := range analyzeImage(t, img, Options{NoDeleted: true}).Report.Observations {
		if o.Artifact == "ps-history" {
			t.Error("a deleted file is read although none should be")
		}
	}
}

const softwareHive = "[Microsoft\\Windows NT\\CurrentVersion] 2026-01-01T00:00:00Z\nProductName=Windows 10\n"

// TestAbsentOnWholeVolume: what the volume that Windows runs from does not hold is
// absent. Of what may be a collection, or was not read whole, that is not known.
func TestAbsentOnWholeVolume(t *testing.T) {
	files := func(more ...string) map[string][]byte {
		m := map[string][]byte{
			"Windows/System32/config/SYSTEM":   buildHive(t, computerWS01),
			"Windows/System32/config/SOFTWARE": buildHive(t, softwareHive),
		}
		for _, name := range more {
			m[name] = []byte("MZ")
		}
		return m
	}
	const kernel, log = "Windows/System32/ntoskrnl.exe", "Windows/System32/winevt/Logs/System.evtx"
	for _, test := range []struct {
		name    string
		files   map[string][]byte
		whole   bool
		damaged string // kind of evidence
		claim   string
	}{
		{"a volume", files(kernel), true, "", "The volume of WS01 that Windows runs from has no file of evtx:Security, evtx:System: it was read whole, and Windows makes one."},
		{"files of a volume", files(), false, "", "The collection of WS01 lacks evtx:Security, evtx:System: what is missing there cannot be told from what is absent."},
		{"a volume with a log that is none", files(kernel, log), false, "evtx:System", "The collection of WS01 lacks evtx:Security: what is missing there cannot be told from what is absent."},
	} {
		t.Run(test.name, func(t *testing.T) {
			rep := &analyzeImage(t, ntfsOf(t, test.files), Options{}).Report
			seen := 0
			for _, r := range rep.Coverage {
				if r.Evidence != "evtx:Security" && r.Evidence != "evtx:System" && r.Evidence != "registry:SECURITY" {
					continue
				}
				seen++
				if r.Evidence == test.damaged {
					if r.Class != timeline.UnknownClass || len(r.Holes) != 1 || r.Holes[0].Reason != evidence.Corrupt {
						t.Errorf("%s: %s, holes %v", r.Evidence, r.Class, r.Holes)
					}
					continue
				}
				said := slices.ContainsFunc(r.Holes, func(h evidence.Hole) bool { return h.Reason == evidence.NotCollected })
				if r.Class != timeline.Absent || said == test.whole {
					t.Errorf("%s: %s, holes %v", r.Evidence, r.Class, r.Holes)
				}
			}
			if seen != 3 {
				t.Errorf("%d of 3 rows", seen)
			}
			claims := ""
			for _, g := range rep.Gaps {
				claims += g.Rule + " " + g.Claim
			}
			if claims != "G34 "+test.claim {
				t.Errorf("findings: %s", claims)
			}
		})
	}
}

// TestLogsElsewhere: event logs that lie where Windows keeps none belong to the
// computer that their records name.
func TestLogsElsewhere(t *testing.T) {
	share := func(computer string) []byte {
		return buildLog(t, "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer="+computer+"\n2026-03-01T09:00:00Z 5140 id=7\n  SubjectUserName = bob\n  ShareName = \\\\*\\x\n  IpAddress = 10.0.0.9\n", evtxtest.Options{})
	}
	img := ntfsOf(t, map[string][]byte{
		"Windows/System32/config/SYSTEM": buildHive(t, computerWS01),
		"Logs/Security.evtx":             share("WS01"),
		"Users/bob/Downloads/a.evtx":     share("FS02.corp"),
	})
	got := map[string]string{}
	for _, o := range analyzeImage(t, img, Options{}).Report.Observations {
		if o.Action == evidence.Used {
			got[o.From.Path] = o.Host + " " + o.Share
		}
	}
	want := map[string]string{"Logs/Security.evtx": `WS01 \\WS01\x`, "Users/bob/Downloads/a.evtx": `FS02.corp \\FS02.corp\x`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}
