package artifacts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"
)

// TestRegistry checks that every artifact tells what it is, and can be read.
func TestRegistry(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range All() {
		if seen[a.Name] {
			t.Errorf("%s is registered twice", a.Name)
		}
		seen[a.Name] = true
		for what, s := range map[string]string{"title": a.Title, "what": a.What, "proves": a.Proves, "does not prove": a.DoesNotProve, "reference": a.Reference} {
			if s == "" {
				t.Errorf("%s: no %s", a.Name, what)
			}
		}
		isHive, isLog, kinds := a.ReadHive != nil, a.OpenLog != nil, 0
		for _, is := range []bool{isHive, isLog, a.ReadFile != nil} {
			if is {
				kinds++
			}
		}
		if kinds != 1 || isHive && (a.Hive == "" || len(a.Keys) == 0) || isLog && len(a.Events) == 0 || len(a.Files) == 0 {
			t.Errorf("%s: not wholly an artifact of hives, of logs or of files", a.Name)
		}
		for _, pattern := range a.Files {
			if _, err := filepath.Match(pattern, ""); err != nil {
				t.Errorf("%s: %q: %v", a.Name, pattern, err)
			}
		}
	}
	for _, name := range []string{"mapped-drives", "mountpoints2", "map-drive-mru", "run-mru", "typed-paths", "server-shares", "share-access", "share-changes", "process-creation", "powershell", "sysmon-registry", "logons", "log-clears", "clock", "power"} {
		if !seen[name] {
			t.Errorf("artifact %s of the interface is missing", name)
		}
	}
}

func TestParseShare(t *testing.T) {
	for _, tc := range []struct{ in, share, server, rest string }{
		{`\\fs01\finance`, `\\fs01\finance`, "fs01", ""},
		{`"\\fs01\finance\Q 1"`, `\\fs01\finance`, "fs01", `Q 1`},
		{`##fs01#x#y`, `\\fs01\x`, "fs01", "y"},
		{`\\fs01`, "", "fs01", ""},
		{`file://fs01/a%20b/c`, `\\fs01\a b`, "fs01", "c"},
		{`file:////fs01/x`, `\\fs01\x`, "fs01", ""},
		{`FILE:\\fs01\x`, `\\fs01\x`, "fs01", ""},
		{`file:x`, "", "", ""},
		{`file:///C:/x`, "", "", ""},
		{`http://dav.example/x/y`, `\\dav.example\x`, "dav.example", "y"},
		{`https://dav.example:8443/x`, `\\dav.example@SSL@8443\x`, "dav.example@SSL@8443", ""},
		{`https://`, "", "", ""},
		{`ftp://fs01/x`, "", "", ""},
		{`C:\x`, "", "", ""},
		{`\\?\C:\x`, "", "", ""},
		{``, "", "", ""},
	} {
		share, server, rest, ok := parseShare(tc.in)
		if share != tc.share || server != tc.server || rest != tc.rest || ok != (tc.server != "") {
			t.Errorf("parseShare(%q) = %q, %q, %q, %v", tc.in, share, server, rest, ok)
		}
	}
}

func TestSmallFields(t *testing.T) {
	for _, tc := range []struct{ what, got, want string }{
		{"address", address("::ffff:10.0.0.5"), "10.0.0.5"},
		{"address", address("fe80::1%12"), "fe80::1"},
		{"address", address("-"), ""},
		{"remote", remote("::1"), ""},
		{"remote", remote("127.0.0.1"), ""},
		{"remote", remote("10.0.0.5"), "10.0.0.5"},
		{"logonID", logonID("0x00000000000003E7"), "0x3e7"},
		{"logonID", logonID("999"), "0x3e7"},
		{"logonID", logonID("0x0"), ""},
		{"logonID", logonID("-"), ""},
		{"pid", pid("0x1a4"), "420"},
		{"pid", pid("x"), ""},
		{"seconds", seconds(time.Unix(10, 0), time.Unix(9, 500)), "-0.9999995"},
		{"seconds", seconds(time.Unix(0, 0), time.Unix(1<<33, 0)), "8589934592"},
		{"subcategory", subcategoryOf("%%12811"), "Detailed File Share"},
		{"subcategory", subcategoryOf("%%13312"), "Process Creation"},
		{"subcategory", subcategoryOf("%%1"), "%%1"},
		{"clip", clip(strings.Repeat("ä", maxText)), strings.Repeat("ä", maxText/2) + " ... (8192 bytes in all)"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.what, tc.got, tc.want)
		}
	}
}

// TestParseSID takes the two SIDs that everyone knows, and what is none.
func TestParseSID(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want string
	}{
		{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00", "S-1-5-18"},
		{"\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00", "S-1-5-32-544"},
		{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00", ""},
		{"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00\x00", ""},
		{"\x02\x00\x00\x00\x00\x00\x00\x05", ""},
		{"\x01\xff\x00\x00\x00\x00\x00\x05", ""},
		{"", ""},
	} {
		if got, ok := parseSID([]byte(tc.in)); got != tc.want || ok != (tc.want != "") {
			t.Errorf("parseSID(%x) = %q, %v", tc.in, got, ok)
		}
	}
}

// TestSegments checks what a row says of commands that act on something else
// than this computer now, or on traces instead of shares.
func TestSegments(t *testing.T) {
	for _, tc := range []struct{ line, side, drive, share, peer, attack, summary string }{
		{`net use * /delete`, "client", "", "", "", shareRemoval, "A command was given to end the connection of every drive."},
		{`net use Z: \\fs01\x /persistent:no`, "client", "Z:", `\\fs01\x`, "", "", `A command was given to map \\fs01\x as Z:.`},
		{`net share d:\data /delete`, "server", "", "", "", shareRemoval, `A command was given to stop exporting share d:\data.`},
		{`for %i in (C$ IPC$) do net share %i /delete`, "server", "", "", "", shareRemoval, "A command was given to stop exporting share C$, IPC$."},
		{`psexec \\ws02 net use Z: /delete`, "client", "", "", "ws02", shareRemoval, "A command was given to end the connection of Z:, on another computer."},
		{`schtasks /create /tn x /tr "net use z: /delete" /sc once /st 23:00`, "client", "Z:", "", "", shareRemoval, "A command was given to end the connection of Z:, at a later time."},
		{`reg delete HKCU\Network\Z /f`, "client", "Z:", "", "", shareRemoval, `A command was given to delete registry key HKCU\Network\Z.`},
		{`reg delete HKU\S-1-5-21-1\Network\Y /f`, "client", "Y:", "", "", shareRemoval, `A command was given to delete registry key HKU\S-1-5-21-1\Network\Y.`},
		{`reg delete HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Shares /v Data /f`, "server", "", `\\*\Data`, "", "", `A command was given to delete registry value HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Shares, Data.`},
		{`reg delete HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2\##fs01#x /f`, "", "", "", "", "", `A command was given to delete registry key HKCU\Software\Microsoft\Windows\CurrentVersion\Explorer\MountPoints2\##fs01#x.`},
		{`wevtutil cl Security`, "", "", "", "", logClearing, "A command was given to clear event log Security."},
		{`vssadmin delete shadows /all /quiet`, "", "", "", "", "", "A command was given to delete shadow copies."},
	} {
		segments := command.Classify(tc.line, command.Hint{})
		if len(segments) != 1 {
			t.Errorf("%s: %d segments", tc.line, len(segments))
			continue
		}
		o := observeSegment(segments[0])
		got := []string{string(o.Side), o.Drive, o.Share, o.Peer, strings.Join(o.Attack, " "), o.Summary}
		want := []string{tc.side, tc.drive, tc.share, tc.peer, tc.attack, tc.summary}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s:\n got %q\nwant %q", tc.line, got, want)
		}
		if o.Action != evidence.Command {
			t.Errorf("%s: a command line is a %s", tc.line, o.Action)
		}
	}
}

// TestScriptBlockBounds feeds parts that never become whole blocks: memory
// stays bounded, and the loss is told.
func TestScriptBlockBounds(t *testing.T) {
	b := &scriptBlocks{pending: map[string]*scriptBlock{}}
	out := &Emitter{place: &evidence.Place{}}
	part := "net use Z: /delete\n" + strings.Repeat("#", 60<<10)
	for i := range 1500 {
		rec := &eventlog.Record{Off: 4096, ID: uint64(i)}
		b.read(rec, Data{{Name: "MessageNumber", Value: int64(1)}, {Name: "MessageTotal", Value: int64(1 << 30)}, {Name: "ScriptBlockText", Value: part}, {Name: "ScriptBlockId", Value: fmt.Sprint(i)}}, out)
		if len(b.order) > maxBlocks || b.bytes > maxBlockBytes || len(b.pending) != len(b.order) {
			t.Fatalf("after %d parts: %d blocks, %d bytes", i+1, len(b.order), b.bytes)
		}
	}
	b.close(out)
	if b.bytes != 0 || len(b.pending) != 0 || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].What, "1500 of them") {
		t.Errorf("%d bytes, %d pending, problems %v", b.bytes, len(b.pending), out.Problems)
	}
	if len(out.Observations) == 0 || out.Observations[0].Detail.Text("parts") != "1 of 1073741824" {
		t.Errorf("%d observations", len(out.Observations))
	}
}

// TestManyCommands reads one line that repeats a command thousands of times.
func TestManyCommands(t *testing.T) {
	out := &Emitter{place: &evidence.Place{}}
	list := out.commands(4096, evidence.Process{CommandLine: strings.Repeat("net use Z: /d&", 2000)}, command.Hint{})
	if len(list) != maxSegments || len(out.Problems) != 1 || !strings.Contains(out.Problems[0].What, "2000 commands") {
		t.Errorf("%d rows, problems %v", len(list), out.Problems)
	}
}

// FuzzRead damages golden evidence: no artifact may panic, and every problem
// has a place.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"mapped-drives/odd", "map-drive-mru/holes", "server-shares/odd", "audit-policy/versions", "process-creation/commands", "sysmon-registry/network", "power/starts", "log-clears/cleared", "shellbags/network", "comdlg32/places", "recent-docs/names", "office-mru/items", "appcompatcache/formats", "bam/programs", "group-policy-scripts/ran"} {
		ar, err := txtar.ParseFile(filepath.Join("..", "testdata", "artifacts", pattern+".txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files {
			if file.Name == "want" {
				continue
			}
			_, data, _ := compile(f, file)
			f.Add(data, uint32(0x1030), byte(0xff))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint32, flip byte) {
		if len(data) > 1<<18 {
			return
		}
		data = bytes.Clone(data)
		if len(data) > 0 {
			data[int(at)%len(data)] ^= flip
		}
		in := File{Place: &evidence.Place{Path: "Users/x/NTUSER.DAT"}, R: bytes.NewReader(data), Size: int64(len(data))}
		read := ReadLog
		if isHive, _ := hive.Sniff(data); isHive {
			read = ReadHive
		}
		e := read(in)
		for _, p := range e.Problems {
			if strings.Contains(p.What, "gave up") || p.What == "" {
				t.Errorf("%+v", p)
			}
		}
		for _, o := range e.Observations {
			if o.Artifact == "" || o.Summary == "" || o.From().Place == nil {
				t.Errorf("%+v", o)
			}
		}
	})
}

// BenchmarkReadLog reads a real Security log with every event artifact.
func BenchmarkReadLog(b *testing.B) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		b.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	data, err := os.ReadFile(filepath.Join(root, "triage/museum-w10-belkasoft-insider/C/Windows/System32/winevt/Logs/Security.evtx"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		ReadLog(File{Place: &evidence.Place{}, R: bytes.NewReader(data), Size: int64(len(data))})
	}
}
