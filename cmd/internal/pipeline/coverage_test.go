package pipeline

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/lab"
	"sharetrail/timeline"

	"github.com/google/go-cmp/cmp"
)

const quietHost = `A computer on which nothing happens but what a test adds.

-- host WS30 --
domain = corp.example
installed = 2026-01-05T08:00:00Z
collected = 2026-03-05T16:00:00Z
audit = Process Creation:success
cmdline-logging = yes
background = 2026-03-04T06:00:00Z..2026-03-05T16:00:00Z every=1h
user ann S-1-5-21-2596563022-1406118043-1004336348-1130 profile-created=2026-01-06T07:55:00Z

`

// analyzeScenario builds a scenario, lets change edit its evidence, and runs.
func analyzeScenario(t *testing.T, text string, change func(dir string)) *timeline.Report {
	t.Helper()
	dir := t.TempDir()
	if err := lab.Build([]byte(text), dir); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(dir)
	}
	res, err := Run(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &res.Report
}

// TestHoles builds a log for every reason that a hole may have, and holds that
// it shows exactly that reason, and no other in the span.
func TestHoles(t *testing.T) {
	security := func(dir string) string {
		return filepath.Join(dir, "WS30/C/Windows/System32/winevt/Logs/Security.evtx")
	}
	for _, c := range []struct {
		name, story string
		change      func(dir string)
		evidence    string
		reason      evidence.Reason
		class       timeline.Class
	}{
		{"cleared", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n2026-03-04T10:30:00Z clear ann Security\n", nil, "evtx:Security", evidence.Cleared, timeline.ClearedClass},
		{"rolled over", "-- WS30/story --\n2026-02-01T07:00:00Z map ann Z: \\\\fs01\\x\n", nil, "evtx:Security", evidence.RolledOver, timeline.Rolled},
		{"record gap", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n2026-03-04T10:30:00Z lose Security 40\n", nil, "evtx:Security", evidence.RecordGap, timeline.Partial},
		{"audit off", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n2026-03-04T10:30:00Z audit ann Process Creation:none\n", nil, "evtx:Security", evidence.AuditOff, timeline.Partial},
		{"powered off", "-- WS30/story --\n2026-03-04T10:30:00Z shutdown\n2026-03-05T06:00:00Z boot\n", nil, "evtx:Security", evidence.PoweredOff, timeline.Continuous},
		{"clock changed", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n-- WS30/log System --\n@Provider=Microsoft-Windows-Kernel-General\n2026-03-04T11:30:00.0Z 1 v=2\n  NewTime = 2026-03-04T11:30:00Z\n  OldTime = 2026-03-04T12:30:00Z\n  Reason = 1\n  ProcessName = cmd.exe\n  ProcessID = 4312\n", nil, "evtx:Security", evidence.ClockWasMoved, timeline.Partial},
		{"service stopped", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n-- WS30/log Security --\n@Provider=Microsoft-Windows-Eventlog\n2026-03-04T11:30:00.0Z 1100 userdata=ServiceShutdown\n", nil, "evtx:Security", evidence.ChannelOff, timeline.Disabled},
		{"corrupt", "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n", func(dir string) {
			b, err := os.ReadFile(security(dir))
			if err == nil {
				err = os.WriteFile(security(dir), b[:4096+20000], 0o666)
			}
			if err != nil {
				t.Fatal(err)
			}
		}, "evtx:Security", evidence.Corrupt, timeline.Partial},
		{"not collected", "", func(dir string) {
			if err := os.Remove(security(dir)); err != nil {
				t.Fatal(err)
			}
		}, "evtx:Security", evidence.NotCollected, timeline.Absent},
	} {
		t.Run(c.name, func(t *testing.T) {
			rep := analyzeScenario(t, quietHost+c.story, c.change)
			for _, r := range rep.Coverage {
				if r.Evidence != c.evidence {
					continue
				}
				var got []string
				for _, h := range r.Holes {
					got = append(got, string(h.Reason))
				}
				others := strings.ReplaceAll(strings.Join(got, " "), string(evidence.RolledOver), "")
				if c.reason == evidence.RolledOver {
					others = strings.Join(got, " ")
				}
				if strings.TrimSpace(strings.ReplaceAll(others, string(c.reason), "")) != "" || !strings.Contains(strings.Join(got, " "), string(c.reason)) {
					t.Errorf("holes %v, want %s", got, c.reason)
				}
				if r.Class != c.class {
					t.Errorf("class %s, want %s: %+v", r.Class, c.class, r)
				}
				return
			}
			t.Errorf("no row for %s", c.evidence)
		})
	}
}

// TestNotCollected holds that G34 names what is missing of a host whose system
// hives are there, and says nothing of a lone log or a whole collection.
func TestNotCollected(t *testing.T) {
	remove := func(path string) func(string) {
		return func(dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "WS30/C", path)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ name, path, names string }{
		{"nothing missing", "no such file", ""},
		{"a user's hive", "Users/ann/NTUSER.DAT", "registry:NTUSER:"},
		{"the Security log", "Windows/System32/winevt/Logs/Security.evtx", "evtx:Security"},
		{"the system hives too", "Windows/System32/config", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var text string
			for _, g := range analyzeScenario(t, quietHost, remove(c.path)).Gaps {
				if g.Rule == "G34" {
					text += fmt.Sprint(g.Claim, g.Reasoning)
				}
			}
			if (text == "") != (c.names == "") || !strings.Contains(text, c.names) {
				t.Errorf("G34 says %q, want %q in it", text, c.names)
			}
		})
	}
}

// TestUnread: evidence that is there and cannot be read is damaged, not left
// behind by the collection; a log without a record is neither.
func TestUnread(t *testing.T) {
	const logs, user = "WS30/C/Windows/System32/winevt/Logs/", "WS30/C/Users/ann/NTUSER.DAT"
	keep := func(n int) func(b []byte) []byte { return func(b []byte) []byte { return b[:n] } }
	zeros := func(b []byte) []byte { return make([]byte, len(b)) }
	for _, c := range []struct {
		name, path string
		change     func(b []byte) []byte
		evidence   string
		class      timeline.Class
		damaged    bool
	}{
		{"a log of zeros", logs + "System.evtx", zeros, "evtx:System", timeline.UnknownClass, true},
		{"an empty file", logs + "System.evtx", keep(0), "evtx:System", timeline.UnknownClass, true},
		{"a log cut before its chunks", logs + "System.evtx", keep(4096), "evtx:System", timeline.UnknownClass, true},
		{"a log without a record", logs + "System.evtx", func(b []byte) []byte {
			binary.LittleEndian.PutUint16(b[42:], 0) // chunks
			binary.LittleEndian.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
			clear(b[4096:])
			return b
		}, "evtx:System", timeline.UnknownClass, false},
		{"a hive cut in its first bin", user, keep(5000), "registry:NTUSER:ann", timeline.UnknownClass, true},
		{"a hive of zeros", user, zeros, "registry:NTUSER:ann", timeline.UnknownClass, true},
	} {
		rep := analyzeScenario(t, quietHost, func(dir string) {
			p := filepath.Join(dir, filepath.FromSlash(c.path))
			b, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, c.change(b), 0o666); err != nil {
				t.Fatal(err)
			}
		})
		for _, r := range rep.Coverage {
			if r.Evidence != c.evidence {
				continue
			}
			corrupt, missing := 0, 0
			for _, h := range r.Holes {
				switch h.Reason {
				case evidence.Corrupt:
					corrupt++
				case evidence.NotCollected:
					missing++
				}
			}
			if r.Class != c.class || (corrupt == 1) != c.damaged || missing > 0 {
				t.Errorf("%s: %s, holes %v", c.name, r.Class, r.Holes)
			}
		}
		for _, g := range rep.Gaps {
			if strings.Contains(g.Claim, "lacks") {
				t.Errorf("%s: %s", c.name, g.Claim)
			}
		}
		said := false
		for _, p := range rep.Problems {
			said = said || p.Severity == evidence.Error
		}
		if said != c.damaged {
			t.Errorf("%s: problems %v", c.name, rep.Problems)
		}
	}
}

// TestForeignFiles: hives and logs of other computers that lie in the tree of a
// Windows say nothing of this one.
func TestForeignFiles(t *testing.T) {
	const other = `
-- host FS77 --
installed = 2026-01-05T08:00:00Z
collected = 2026-02-05T16:00:00Z
background = 2026-02-04T06:00:00Z..2026-02-05T16:00:00Z every=1h
user zed S-1-5-21-2596563022-1406118043-1004336348-1199 profile-created=2026-01-06T07:55:00Z

-- FS77/story --
2026-01-10T08:15:00Z share zed path="D:\x" stored
2026-02-04T07:00:00Z map zed Q: \\fs01\quotes
2026-02-04T08:00:00Z save zed
2026-02-05T07:00:00Z unmap zed Q:
`
	const config = "C/Windows/System32/config/"
	for from, to := range map[string][]string{
		config + "SYSTEM":                              {"C/Users/ann/Downloads/SYSTEM", "C/Windows/Temp/s.hiv", config + "SYSTEM_old"},
		"C/Users/zed/NTUSER.DAT":                       {"C/Users/ann/Downloads/NTUSER.DAT", "C/Users/ann/Documents/a/x.dat", "C/ProgramData/NTUSER.DAT"},
		"C/Windows/System32/winevt/Logs/Security.evtx": {"C/Users/ann/Desktop/Security.evtx", "C/Logs/old.evtx"},
	} {
		for _, name := range to {
			rep := analyzeScenario(t, quietHost+other, func(dir string) {
				b, err := os.ReadFile(filepath.Join(dir, "FS77", from))
				if err == nil {
					err = os.MkdirAll(filepath.Dir(filepath.Join(dir, "WS30", name)), 0o777)
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "WS30", name), b, 0o666)
				}
				if err == nil {
					err = os.RemoveAll(filepath.Join(dir, "FS77"))
				}
				if err != nil {
					t.Fatal(err)
				}
			})
			isLog := strings.HasSuffix(name, ".evtx")
			if len(rep.Gaps) > 0 || len(rep.Connections) > 0 || rep.Hosts[len(rep.Hosts)-1] != "WS30" || (len(rep.Hosts) == 2) != isLog {
				t.Errorf("%s: hosts %v, gaps %v, connections %v", name, rep.Hosts, rep.Gaps, rep.Connections)
			}
			if (len(rep.Problems) == 1) == isLog {
				t.Errorf("%s: problems %v", name, rep.Problems)
			}
		}
	}
}

// TestDrivesTogether: the drives of one collection are of one computer, and a
// profile is one user's however its folder is spelt.
func TestDrivesTogether(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"profiles on D": func(dir string) error {
			if err := os.Mkdir(filepath.Join(dir, "D"), 0o777); err != nil {
				return err
			}
			return os.Rename(filepath.Join(dir, "C", "Users"), filepath.Join(dir, "D", "Users"))
		},
		"upper case": func(dir string) error {
			return os.Rename(filepath.Join(dir, "C", "Users", "ann"), filepath.Join(dir, "C", "Users", "ANN"))
		},
	} {
		dir := t.TempDir()
		if err := lab.Build([]byte(quietHost+"-- WS30/story --\n2026-03-04T07:00:00Z map ann Z: \\\\fs01\\x\n"), dir); err != nil {
			t.Fatal(err)
		}
		// The name of the collection is not that of the computer.
		if err := os.Rename(filepath.Join(dir, "WS30"), filepath.Join(dir, "case")); err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, "case")); err != nil {
			t.Fatal(err)
		}
		res, err := Run(t.Context(), []string{filepath.Join(dir, "case")}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		rep := &res.Report
		if len(rep.Hosts) != 1 || rep.Hosts[0] != "WS30" || len(rep.Gaps) > 0 || len(rep.Connections) != 1 || rep.Connections[0].User != "ann" || rep.Connections[0].SID == "" {
			t.Errorf("%s: hosts %v, gaps %v, connections %v", name, rep.Hosts, rep.Gaps, rep.Connections)
		}
	}
}

// TestWhyLogBegins: a log whose record ids do not begin with 1 has overwritten what
// was before, where it may have been full; else it was cleared, though no record
// says so.
func TestWhyLogBegins(t *testing.T) {
	const security = "WS30/C/Windows/System32/winevt/Logs/Security.evtx"
	const hive = "-- WS30/hive SYSTEM --\n[ControlSet001\\Services\\EventLog\\Security]"
	edit := func(change func(b []byte)) func(dir string) {
		return func(dir string) {
			name := filepath.Join(dir, security)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			change(b)
			binary.LittleEndian.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
			if err := os.WriteFile(name, b, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	const large = hive + " 2026-02-01T00:00:00Z\nMaxSize=dword:0x1400000\nRetention=dword:0\n"
	for _, c := range []struct {
		name, options, hive string
		change              func(dir string)
		want                evidence.Reason // "" for no hole
		found               bool            // by G20
	}{
		{"as large as it may be", "", "", nil, evidence.RolledOver, false},
		{"far from full", "", large, nil, evidence.Cleared, true},
		{"from its first record on", "log Security first=1\n", large, nil, "", false},
		{"enlarged since its first record", "", hive + " 2026-03-04T09:00:00Z\nMaxSize=dword:0x1400000\n", nil, evidence.RolledOver, false},
		{"a policy of 20,480 KiB", "", "-- WS30/hive SYSTEM --\n[ControlSet001\\Services\\EventLog\\Security] 2026-02-01T00:00:00Z\nMaxSize=dword:0x1400000\n" +
			"-- WS30/hive SOFTWARE --\n[Policies\\Microsoft\\Windows\\EventLog\\Security] 2026-02-01T00:00:00Z\nMaxSize=dword:20480\n", nil, evidence.Cleared, true},
		{"a policy of 64 KiB", "", large + "-- WS30/hive SOFTWARE --\n[Policies\\Microsoft\\Windows\\EventLog\\Security] 2026-02-01T00:00:00Z\nMaxSize=dword:64\n", nil, evidence.RolledOver, false},
		{"never overwritten", "", hive + " 2026-02-01T00:00:00Z\nRetention=dword:0xFFFFFFFF\n", nil, evidence.Cleared, true},
		{"saved when full", "", hive + " 2026-02-01T00:00:00Z\nRetention=dword:0xFFFFFFFF\nAutoBackupLogFiles=dword:1\n", nil, evidence.NotCollected, false},
		{"an export", "log Security header-offset=-9\n", large, nil, evidence.RolledOver, false},
		{"once full", "", large, edit(func(b []byte) { b[120] |= 2 }), evidence.RolledOver, false},
		{"wrapped", "", large, edit(func(b []byte) { b[8] = 3 }), evidence.RolledOver, false},
		{"cut short", "", large, func(dir string) {
			if err := os.Truncate(filepath.Join(dir, security), 4096+20000); err != nil {
				t.Fatal(err)
			}
		}, evidence.RolledOver, false},
		{"cut short where a chunk ends, as the collector's log says", "", large, func(dir string) {
			const row = "SourceFile,DestinationFile,FileSize\r\n" + `C:\Windows\System32\winevt\Logs\Security.evtx,D:\out\C\Windows\System32\winevt\Logs\Security.evtx,20975616`
			if err := os.WriteFile(filepath.Join(dir, "WS30/2026-03-05T160000_CopyLog.csv"), []byte(row), 0o666); err != nil {
				t.Fatal(err)
			}
		}, evidence.RolledOver, false},
		{"a new computer", "", large + "-- WS30/hive SOFTWARE --\n[Microsoft\\Windows NT\\CurrentVersion]\nInstallDate=dword:1772582400\n", nil, evidence.RolledOver, false}, // 2026-03-04
	} {
		rep := analyzeScenario(t, strings.Replace(quietHost, "user ann", c.options+"user ann", 1)+c.hive, c.change)
		var got evidence.Reason
		for _, r := range rep.Coverage {
			if r.Evidence == "evtx:Security" {
				for _, h := range r.Holes {
					if h.Reason != evidence.Corrupt {
						got = h.Reason
					}
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: hole %q, want %q", c.name, got, c.want)
		}
		found := slices.IndexFunc(rep.Gaps, func(g timeline.Gap) bool { return g.Rule == "G20" })
		if found >= 0 != c.found || c.found && (rep.Gaps[found].Confidence != timeline.Likely || len(rep.Gaps[found].Observations) == 0) {
			t.Errorf("%s: findings %v", c.name, rep.Gaps)
		}
	}
}

// TestHoleBetweenCopies: ids that are missing inside a log are a gap in it,
// whatever copies lie beside it; those between an older copy and the beginning of
// the log have rolled over; those that only an export lacks were not collected.
func TestHoleBetweenCopies(t *testing.T) {
	const logs = "C/Windows/System32/winevt/Logs/"
	const lose = "-- WS30/story --\n2026-03-04T07:00:00Z run ann net use Z: \\\\fs01\\x\n2026-03-04T10:30:00Z lose Security 40\n"
	older := strings.Replace(strings.ReplaceAll(quietHost, "2026-03-05T16", "2026-03-02T16"), "background = 2026-03-04", "log Security first=100\nbackground = 2026-03-01", 1)
	export := strings.Replace(quietHost, "user ann", "log Security header-offset=-9\nuser ann", 1)
	for _, c := range []struct {
		name, live, copy string
		want             evidence.Reason
		found            bool // by G20
	}{
		{"an export with the same hole", quietHost + lose, export + lose, evidence.RecordGap, true},
		{"an export alone", export + lose, export + lose, evidence.NotCollected, false},
		{"an older copy", strings.Replace(quietHost, "user ann", "log Security first=9000\nuser ann", 1), older, evidence.RolledOver, false},
		{"an older copy of a log that overwrites nothing", strings.Replace(quietHost, "user ann", "log Security first=9000\nuser ann", 1) +
			"-- WS30/hive SYSTEM --\n[ControlSet001\\Services\\EventLog\\Security]\nAutoBackupLogFiles=dword:1\n", older, evidence.RecordGap, true},
	} {
		rep := analyzeScenario(t, c.live, func(dir string) {
			other := t.TempDir()
			err := lab.Build([]byte(c.copy), other)
			if err == nil {
				err = os.Rename(filepath.Join(other, "WS30", logs, "Security.evtx"), filepath.Join(dir, "WS30", logs, "copy.evtx"))
			}
			if err != nil {
				t.Fatal(err)
			}
		})
		for _, r := range rep.Coverage {
			if r.Evidence == "evtx:Security" && (len(r.Holes) == 0 || r.Holes[len(r.Holes)-1].Reason != c.want) {
				t.Errorf("%s: holes %v", c.name, r.Holes)
			}
		}
		found := false
		for _, g := range rep.Gaps {
			found = found || g.Rule == "G20"
		}
		if found != c.found {
			t.Errorf("%s: findings %v", c.name, rep.Gaps)
		}
	}
}

// TestUnlisted: what is not found where not all could be listed may be there: it was
// not left behind by the collection.
func TestUnlisted(t *testing.T) {
	dir := t.TempDir()
	if err := lab.Build([]byte(quietHost), dir); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"Windows/System32/config/SYSTEM", "Windows/System32/config/SOFTWARE", "Windows/System32/config/SECURITY", "Windows/System32/winevt/Logs/Security.evtx", "Windows/System32/winevt/Logs/System.evtx", "Users/ann/NTUSER.DAT"} {
		b, err := os.ReadFile(filepath.Join(dir, "WS30/C", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for _, name := range slices.Sorted(maps.Keys(files))[1:5] { // neither the user's hive nor the log System
		err := w.WriteHeader(&tar.Header{Name: "C/" + name, Mode: 0o644, Size: int64(len(files[name]))})
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	cut := slices.Concat(packed.Bytes(), make([]byte, 100))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	image := ntfsOf(t, files)
	damaged := 0
	for at := 0; at+1024 <= len(image); at += 1024 { // the record of the directory Logs
		if r := image[at : at+1024]; string(r[:4]) == "FILE" && bytes.Contains(r, []byte("L\x00o\x00g\x00s\x00")) && !bytes.Contains(r, []byte("w\x00i\x00n\x00e\x00v\x00t\x00")) {
			clear(r)
			damaged++
		}
	}
	if damaged != 1 {
		t.Fatalf("%d records are that of the directory", damaged)
	}
	for _, c := range []struct {
		name    string
		b       []byte
		unknown []string
		lacks   bool // G34 says so
	}{
		{"all.tar", packed.Bytes(), nil, true},
		{"cut.tar", cut, []string{"evtx:Microsoft-Windows-PowerShell/Operational", "evtx:System", "registry:NTUSER:ann"}, false},
		{"damaged.dd", image, []string{"evtx:Microsoft-Windows-PowerShell/Operational"}, false}, // the others are found by their own records
	} {
		file := filepath.Join(t.TempDir(), c.name)
		if err := os.WriteFile(file, c.b, 0o666); err != nil {
			t.Fatal(err)
		}
		res, err := Run(t.Context(), []string{file}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var unknown []string
		for _, r := range res.Report.Coverage {
			if r.Class == timeline.UnknownClass && len(r.Holes) == 1 && r.Holes[0].Reason == evidence.Corrupt {
				unknown = append(unknown, r.Evidence)
			}
		}
		if d := cmp.Diff(c.unknown, unknown); d != "" {
			t.Errorf("%s: unknown (-want +got):\n%s", c.name, d)
		}
		if lacks := slices.ContainsFunc(res.Report.Gaps, func(g timeline.Gap) bool { return g.Rule == "G34" }); lacks != c.lacks {
			t.Errorf("%s: findings %v", c.name, res.Report.Gaps)
		}
	}
}

// TestUnreadMember: a member that cannot be unpacked is in the collection.
func TestUnreadMember(t *testing.T) {
	dir := t.TempDir()
	if err := lab.Build([]byte(quietHost), dir); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	tree := os.DirFS(filepath.Join(dir, "WS30"))
	err := fs.WalkDir(tree, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: p, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data), UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data))}
		if strings.HasSuffix(p, "System.evtx") {
			h.Method = 14 // LZMA
		}
		w, err := z.CreateRaw(h)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
	if err == nil {
		err = z.Close()
	}
	file := filepath.Join(dir, "case.zip")
	if err == nil {
		err = os.WriteFile(file, b.Bytes(), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	res, err := Run(t.Context(), []string{file}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Report.Coverage {
		if r.Evidence == "evtx:System" && (r.Class != timeline.UnknownClass || len(r.Holes) != 1 || r.Holes[0].Reason != evidence.Corrupt) {
			t.Errorf("%s, holes %v", r.Class, r.Holes)
		}
	}
	if len(res.Report.Gaps) > 0 {
		t.Errorf("findings %v", res.Report.Gaps)
	}
}
