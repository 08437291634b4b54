package pipeline

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/timeline"
)

// carvedRows are the rows of state carved, one line each.
func carvedRows(rep *timeline.Report) (rows []string) {
	for _, o := range rep.Observations {
		if o.State == evidence.Carved {
			rows = append(rows, fmt.Sprintf("%s %s %s %s %d", o.Host, o.Artifact, o.Action, o.From.Path, o.From.RecordID))
		}
	}
	return rows
}

func wantRows(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// TestCarvedNarrows: what a hive can only say of some mapping, a carved command
// says of one. The hive dates it.
func TestCarvedNarrows(t *testing.T) {
	old := buildLog(t, securityHead+command4688("2026-03-01T09:00:00Z", 47, `net use Z: \\fs01\finance`)+command4688("2026-03-02T09:40:31.2Z", 49, `net use Z: /delete`), evtxtest.Options{})
	img := clearedDisk(t, old)
	removal := func(rep *timeline.Report) *timeline.Gap {
		i := slices.IndexFunc(rep.Gaps, func(g timeline.Gap) bool { return slices.Contains(g.Rules, "G03") })
		if i < 0 {
			t.Fatalf("no removal: %+v", rep.Gaps)
		}
		return &rep.Gaps[i]
	}
	if g := removal(&analyzeImage(t, img, Options{}).Report); g.Drive != "" || g.Share != "" {
		t.Fatalf("without carving: %s", g.Claim)
	}
	rep := &analyzeImage(t, img, Options{Carve: true}).Report
	g := removal(rep)
	if g.Rule != "G31" || g.Drive != "Z:" || g.Share != `\\fs01\finance` || !g.Window.Exact() || g.Confidence != timeline.Strong {
		t.Errorf("%s %s %s: %s", g.Rule, g.Drive, g.Confidence, g.Claim)
	}
	said := slices.ContainsFunc(g.Reasoning, func(s timeline.Step) bool {
		return strings.HasPrefix(s.Statement, "Some of what shows it was recovered from unallocated space of disk.dd") && len(s.Observations) == 2
	})
	if !said {
		t.Errorf("nothing says what it rests on: %+v", g.Reasoning)
	}
	for _, c := range rep.Connections {
		if c.Drive == "Z:" && (c.Status != timeline.StatusRemoved || c.Confidence != timeline.Strong) {
			t.Errorf("connection is %s, %s", c.Status, c.Confidence)
		}
	}
}

// TestRecoveredOnly: a finding that rests on nothing but what was recovered says so.
func TestRecoveredOnly(t *testing.T) {
	sysmon := buildLog(t, `@Channel=Microsoft-Windows-Sysmon/Operational Provider=Microsoft-Windows-Sysmon Computer=WS01 user=S-1-5-18
2026-03-01T11:00:00Z 12 id=12
  EventType = DeleteKey
  ProcessId = 88
  Image = C:\Windows\System32\net.exe
  TargetObject = HKU\S-1-5-21-1-2-3-1001\Network\Z
`, evtxtest.Options{})
	for name, c := range map[string]struct {
		path string
		o    Options
		said string
	}{
		"deleted": {"Windows/System32/winevt/Logs/Sysmon.evtx", Options{}, "Everything that shows it was recovered from what had been deleted"},
		"carved":  {oldLog, Options{Carve: true}, "All that shows it was recovered from unallocated space of disk.dd"},
	} {
		b, err := ntfstest.Volume{Size: 8 << 20, Files: []ntfstest.File{
			{Path: "Windows/System32/config/SYSTEM", Data: buildHive(t, computerWS01)},
			{Path: "Windows/System32/winevt/Logs/Microsoft-Windows-Sysmon%4Operational.evtx", Data: buildLog(t, "@Channel=Microsoft-Windows-Sysmon/Operational Provider=Microsoft-Windows-Sysmon Computer=WS01\n2026-03-02T11:00:00Z 4 id=20\n  State = Started\n", evtxtest.Options{})},
			{Path: c.path, Data: sysmon, Deleted: true},
		}}.Build()
		if err != nil {
			t.Fatal(err)
		}
		rep := &analyzeImage(t, b, c.o).Report
		g := gapOn(rep, "Z:")
		if g == nil {
			t.Errorf("%s: %+v", name, rep.Gaps)
			continue
		}
		if name == "carved" && g.Confidence != timeline.Likely || !slices.ContainsFunc(g.Reasoning, func(s timeline.Step) bool { return strings.HasPrefix(s.Statement, c.said) }) {
			t.Errorf("%s: %s, %+v", name, g.Confidence, g.Reasoning)
		}
	}
}

// TestCarvedKinds: the events that record a removal themselves.
func TestCarvedKinds(t *testing.T) {
	old := buildLog(t, `@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=ws01.corp.example
2026-03-01T10:00:00Z 5142 id=10
  SubjectUserSid = S-1-5-21-1-2-3-1001
  SubjectUserName = alice
  ShareName = \\*\Loot
  ShareLocalPath = C:\Loot
2026-03-01T11:00:00Z 5144 id=11
  SubjectUserSid = S-1-5-21-1-2-3-1001
  SubjectUserName = alice
  ShareName = \\*\Loot
  ShareLocalPath = C:\Loot
@Channel=Microsoft-Windows-Sysmon/Operational Provider=Microsoft-Windows-Sysmon Computer=WS01 user=S-1-5-18
2026-03-01T11:00:00Z 12 id=12
  EventType = DeleteKey
  ProcessId = 88
  Image = C:\Windows\System32\net.exe
  TargetObject = HKU\S-1-5-21-1-2-3-1001\Network\Y
@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=OTHER
2026-03-01T12:00:00Z 5144 id=13
  SubjectUserName = bob
  ShareName = \\*\Loot
`, evtxtest.Options{})
	img := clearedDisk(t, old)
	wantRows(t, "without carving", carvedRows(&analyzeImage(t, img, Options{}).Report))
	rep := &analyzeImage(t, img, Options{Carve: true}).Report
	wantRows(t, "rows", carvedRows(rep),
		"WS01 share-changes share_created (unallocated space) 10",
		"WS01 share-changes share_deleted (unallocated space) 11",
		"WS01 sysmon-registry removed (unallocated space) 12",
		"OTHER share-changes share_deleted (unallocated space) 13")
	for _, g := range rep.Gaps {
		if g.Share != "" && g.Host == "OTHER" && !strings.HasPrefix(g.Share, `\\OTHER\`) || g.Rule == "G32" && g.Confidence != timeline.Likely {
			t.Errorf("%s on %s: %s %s", g.Rule, g.Host, g.Confidence, g.Claim)
		}
	}
	if !slices.ContainsFunc(rep.Gaps, func(g timeline.Gap) bool { return g.Host == "WS01" && g.Share == `\\WS01\Loot` }) {
		t.Errorf("the share that was deleted is no finding: %+v", rep.Gaps)
	}
	// That other computers are spoken of gives them no logs.
	for _, r := range rep.Coverage {
		if r.Host == "OTHER" && r.Class != timeline.Absent {
			t.Errorf("coverage of OTHER: %+v", r)
		}
	}
}

// TestCarvedOnce: a record that stands in a log, in a deleted file or several
// times in the stream is one row, at the best place.
func TestCarvedOnce(t *testing.T) {
	old := beforeClear(t)
	// The deleted log: its records are its own, the free clusters name them too.
	img := clearedDisk(t, make([]byte, 9000), ntfstest.File{Path: "Windows/System32/winevt/Logs/Archive-Security.evtx", Data: old, Deleted: true})
	rep := &analyzeImage(t, img, Options{Carve: true}).Report
	wantRows(t, "deleted file", carvedRows(rep))
	also := 0
	for _, o := range rep.Observations {
		if o.State == evidence.Deleted && len(o.AlsoAt) == 1 && o.AlsoAt[0].Path == "(unallocated space)" {
			also++
		}
	}
	if also != 2 {
		t.Errorf("%d rows of the deleted log", also)
	}
	// Twice in the stream.
	img = clearedDisk(t, append(bytes.Clone(old), old[4096:]...))
	rep = &analyzeImage(t, img, Options{Carve: true}).Report
	wantRows(t, "twice", carvedRows(rep), "WS01 process-creation command (unallocated space) 47", "WS01 process-creation command (unallocated space) 49")
	for _, o := range rep.Observations {
		if o.State == evidence.Carved && (len(o.AlsoAt) != 1 || o.AlsoAt[0].Offset != o.From.Offset+65536) {
			t.Errorf("record %d at %#x, also at %+v", o.From.RecordID, o.From.Offset, o.AlsoAt)
		}
	}
}

// TestCarvedFlood: what a log counts in one row is not counted again.
func TestCarvedFlood(t *testing.T) {
	access := func(id, second int) string {
		return fmt.Sprintf("2026-03-02T11:00:%02dZ 5145 id=%d\n  SubjectUserSid = S-1-5-21-1-2-3-1001\n  SubjectUserName = alice\n  SubjectLogonId = 0x3e7a1\n  IpAddress = 10.0.0.5\n  ShareName = \\\\*\\Finance\n  RelativeTargetName = f%d.xlsx\n", second, id, id)
	}
	live := securityHead + access(60, 1) + access(61, 2) + access(62, 3)
	gone := securityHead + access(55, 0) + access(56, 0)
	log := buildLog(t, live, evtxtest.Options{})
	remains := append(buildLog(t, gone, evtxtest.Options{}), log[4096:]...)
	remains = append(remains, remains[4096:4096+65536]...)
	img := clearedDisk(t, remains, ntfstest.File{Path: "Windows/System32/winevt/Logs/Security-2.evtx", Data: log})
	var counts []string
	for _, o := range analyzeImage(t, img, Options{Carve: true}).Report.Observations {
		if o.Artifact == "share-access" {
			counts = append(counts, fmt.Sprint(o.State, " ", o.Detail.Get("count")))
		}
	}
	wantRows(t, "counts", counts, "carved 2", "live 3")
}

// TestCarvedLent: the templates of a chunk are overwritten; a log of the volume
// has them.
func TestCarvedLent(t *testing.T) {
	old := beforeClear(t)
	first := 4096 + 512
	size := int(binary.LittleEndian.Uint32(old[first+4:]))
	clear(old[first+24 : first+size]) // the record that holds the definitions
	img := clearedDisk(t, old)
	rep := &analyzeImage(t, img, Options{Carve: true}).Report
	wantRows(t, "rows", carvedRows(rep), "WS01 process-creation command (unallocated space) 49")
	for _, o := range rep.Observations {
		if o.State != evidence.Carved {
			continue
		}
		if lent := o.Detail.List("lent_templates"); len(lent) == 0 || !strings.HasSuffix(lent[0], " Windows/System32/winevt/Logs/Security.evtx") || !strings.Contains(o.Detail.Text("doubt"), "its template is overwritten, and read from a definition with the same id and types of values at 0x") {
			t.Errorf("%q, doubt %q", lent, o.Detail.Text("doubt"))
		}
		if o.Process.CommandLine != "net use Z: /delete" {
			t.Errorf("command line %q", o.Process.CommandLine)
		}
	}
}

// TestCarvedSlack: clusters that a log was given and has not written yet hold what
// was there before.
func TestCarvedSlack(t *testing.T) {
	log := buildLog(t, clearedAt, evtxtest.Options{})
	b, err := ntfstest.Volume{Size: 8 << 20, Files: []ntfstest.File{
		{Path: "Windows/System32/config/SYSTEM", Data: buildHive(t, computerWS01)},
		{Path: "Windows/System32/winevt/Logs/Security.evtx", Data: append(bytes.Clone(log), beforeClear(t)[4096:]...), Valid: len(log)},
	}}.Build()
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, "without carving", carvedRows(&analyzeImage(t, b, Options{}).Report))
	rep := &analyzeImage(t, b, Options{Carve: true}).Report
	const path = "Windows/System32/winevt/Logs/Security.evtx (slack)"
	wantRows(t, "slack", carvedRows(rep), "WS01 process-creation command "+path+" 47", "WS01 process-creation command "+path+" 49")
	for _, o := range rep.Observations {
		if o.State == evidence.Carved && (o.From.Offset < int64(len(log))+512 || o.From.Offset > int64(len(log))+65536) {
			t.Errorf("record %d at %#x", o.From.RecordID, o.From.Offset)
		}
	}
}

// TestCarvedVolume: a volume that cannot be read as one still gives its records,
// and says that it could not be read.
func TestCarvedVolume(t *testing.T) {
	img := clearedDisk(t, beforeClear(t))
	for _, boot := range [][]byte{img, img[len(img)-512:]} {
		clear(boot[48:64]) // where the MFT and its mirror lie
	}
	rep := &analyzeImage(t, img, Options{Carve: true}).Report
	got := carvedRows(rep)
	if len(got) < 3 || !slices.ContainsFunc(got, func(s string) bool { return s == "WS01 process-creation command (whole volume) 49" }) {
		t.Errorf("rows %q", got)
	}
	if !slices.ContainsFunc(rep.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error }) {
		t.Errorf("problems %+v", rep.Problems)
	}
	for _, r := range rep.Coverage {
		if r.Class != timeline.Absent {
			t.Errorf("%s is %s", r.Evidence, r.Class)
		}
	}
}
