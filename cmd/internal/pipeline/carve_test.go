package pipeline

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/timeline"
)

func buildLog(t testing.TB, text string, o evtxtest.Options) []byte {
	t.Helper()
	events, err := evtxtest.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	b, err := evtxtest.Build(events, o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	securityHead = "@Channel=Security Provider=Microsoft-Windows-Security-Auditing Computer=WS01\n"
	clearedAt    = "@Channel=Security Provider=Microsoft-Windows-Eventlog Computer=WS01\n2026-03-01T12:00:00Z 1102 id=50 userdata=LogFileCleared\n  SubjectUserSid = S-1-5-21-1-2-3-1001\n  SubjectUserName = alice\n"
	oldLog       = "Windows/Temp/~etl.tmp" // no name that promises an event log
)

// command4688 is the record of a command of alice.
func command4688(at string, id int, line string) string {
	return fmt.Sprintf("%s 4688 v=2 id=%d\n  SubjectUserSid = S-1-5-21-1-2-3-1001\n  SubjectUserName = alice\n  SubjectLogonId = 0x3e7a1\n  NewProcessName = C:\\Windows\\System32\\net.exe\n  CommandLine = %s\n", at, id, line)
}

// clearedDisk is a volume whose Security log was cleared, its old chunks lying in
// clusters that are free.
func clearedDisk(t testing.TB, old []byte, more ...ntfstest.File) []byte {
	t.Helper()
	v := ntfstest.Volume{Size: 8 << 20, Files: append([]ntfstest.File{
		{Path: "Users/alice/NTUSER.DAT", Data: buildHive(t, withoutZ)},
		{Path: "Windows/System32/config/SYSTEM", Data: buildHive(t, computerWS01)},
		{Path: "Windows/System32/winevt/Logs/Security.evtx", Data: buildLog(t, clearedAt+securityHead+command4688("2026-03-02T10:00:00Z", 51, "net use"), evtxtest.Options{FirstRecordID: 50})},
		{Path: oldLog, Data: old, Deleted: true},
	}, more...)}
	b, err := v.Build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// beforeClear is the log as it was before.
func beforeClear(t testing.TB) []byte {
	return buildLog(t, securityHead+command4688("2026-03-01T09:00:00Z", 47, `net use Z: \\fs01\finance`)+
		command4688("2026-03-01T09:30:00Z", 48, `ping fs01`)+command4688("2026-03-01T10:00:00Z", 49, `net use Z: /delete`), evtxtest.Options{FirstRecordID: 47})
}

func gapOn(rep *timeline.Report, drive string) *timeline.Gap {
	for i := range rep.Gaps {
		if rep.Gaps[i].Drive == drive {
			return &rep.Gaps[i]
		}
	}
	return nil
}

// TestCarved: what a clear took away is found in unallocated space if it is asked
// for, says where it lies, and makes no coverage.
func TestCarved(t *testing.T) {
	old := beforeClear(t)
	img := clearedDisk(t, old)
	without := &analyzeImage(t, img, Options{}).Report
	if g := gapOn(without, "Z:"); g != nil {
		t.Fatalf("without carving: %s %s", g.Rule, g.Claim)
	}
	res := analyzeImage(t, img, Options{Carve: true})
	rep := &res.Report
	at := int64(bytes.Index(img, old[4096:4096+512]))
	commands := 0
	for _, o := range rep.Observations {
		if o.State != evidence.Carved {
			continue
		}
		if o.Host != "WS01" || o.From.Path != "(unallocated space)" || o.From.Volume != "disk.dd" || o.From.Offset < at || o.From.Offset > at+65536 || string(img[o.From.Offset:o.From.Offset+4]) != "**\x00\x00" {
			t.Errorf("%s of %s at %s %s %#x", o.Summary, o.Host, o.From.Volume, o.From.Path, o.From.Offset)
		}
		if commands++; o.Action != evidence.Command || o.Detail.Text("sha256") == "" {
			t.Errorf("%s %s: %+v", o.Action, o.Summary, o.Detail)
		}
	}
	if commands != 2 {
		t.Errorf("%d rows", commands)
	}
	g := gapOn(rep, "Z:")
	if g == nil {
		t.Fatalf("not found: %+v", rep.Gaps)
	}
	t.Logf("%s %s %s: %s %+v", g.Rule, g.Confidence, g.Severity, g.Claim, g.Reasoning)
	coverage := func(rep *timeline.Report) (out []string) {
		for _, r := range rep.Coverage {
			if strings.HasPrefix(r.Evidence, "evtx:") {
				out = append(out, fmt.Sprint(r.Evidence, r.Class, r.From, r.To, r.Records, len(r.Holes)))
			}
		}
		return out
	}
	if a, b := coverage(without), coverage(rep); !slices.Equal(a, b) {
		t.Errorf("coverage changes:\n%q\n%q", a, b)
	}
	var s []string
	for _, f := range res.Files {
		if f.Search != nil {
			s = append(s, fmt.Sprint(f.Path, f.Search.Chunks, f.Search.Records))
		}
	}
	if !slices.Equal(s, []string{"(unallocated space)1 3"}) {
		t.Errorf("searched: %q", s)
	}
}
