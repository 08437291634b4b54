package triage

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestRoots(t *testing.T) {
	for p, want := range map[string][]string{
		"Windows/System32/config/SYSTEM":                   {""},
		"C/windows/SYSTEM32/x":                             {"C"},
		"WS01/C/Users/bob/NTUSER.DAT.LOG1":                 {"WS01/C"},
		"WS01/C/Users/bob/AppData/x":                       {"WS01/C"},
		"XP/Documents and Settings/bob/ntuser.dat":         {"XP"},
		"C/Windows.old/Windows/System32/x":                 {"C/Windows.old"},
		"C/Users/bob/AppData/case/D/Windows/Prefetch/a.pf": {"C", "C/Users/bob/AppData/case/D"},
		"uploads/auto/C%3A/Windows/appcompat/x":            {"uploads/auto/C%3A"},
		"C/WINNT/system32/config/system":                   {"C"},
		"C/Users/bob/Documents/x":                          nil,
		"C/Windows/notepad.exe":                            nil,
		"Users/NTUSER.DAT":                                 nil,
		"Windows":                                          nil,
		"config/SYSTEM":                                    nil,
		"":                                                 nil,
	} {
		if got := Roots(p); !slices.Equal(got, want) {
			t.Errorf("Roots(%q) = %q, want %q", p, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	roots := map[string]bool{"C": true, "C/Windows.old": true, "a.": true}
	for p, want := range map[string]string{"C/x": "C", "C/Windows.old/x/y": "C/Windows.old", "C/Windows.older/x": "C", "a./x": "a."} {
		if got, ok := Nearest(p, roots); got != want || !ok {
			t.Errorf("Nearest(%q) = %q, %v; want %q", p, got, ok, want)
		}
	}
	for _, p := range []string{"", "C", "c/x", "D/x", "x"} {
		if got, ok := Nearest(p, roots); ok {
			t.Errorf("Nearest(%q) = %q, want none", p, got)
		}
	}
	if got, ok := Nearest("x", map[string]bool{"": true}); got != "" || !ok {
		t.Errorf("Nearest(x) = %q, %v; want the top", got, ok)
	}
}

func TestExpect(t *testing.T) {
	for _, test := range []struct {
		path        string
		tree, loose Name
	}{
		{"Windows/System32/config/SYSTEM", Hive, Hive},
		{"Windows/System32/config/SYSTEM.LOG1", HiveLog, HiveLog},
		{"Windows/System32/config/SYSTEM.LOG", HiveLog, HiveLog},
		{"Windows/System32/config/DRIVERS", Hive, None},
		{"Windows/System32/config/RegBack/SYSTEM", Backup, Backup},
		{"Windows/System32/config/x.dat", None, Hive},
		{"Windows/System32/SYSTEM", None, Hive},
		{"Users/bob/NTUSER.DAT", Hive, Hive},
		{"Users/bob/ntuser.man", Hive, Hive},
		{"Users/bob/NTUSER.DAT{1c2b59c6-c5f5-11eb-bacb-000d3a96488e}.TM.blf", None, None},
		{"Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat.LOG2", HiveLog, HiveLog},
		{"Users/bob/settings.dat", None, Hive},
		{"Windows/System32/winevt/Logs/Security.evtx", Log, Log},
		{"temp/archived.EVTX", Log, Log},
		{"Windows/Prefetch/NET.EXE-1.pf", Artifact, Artifact},
		{"Users/bob/NET.EXE-1.pf", None, Artifact},
		{"Users/bob/AppData/Roaming/Microsoft/Windows/Recent/a.lnk", Artifact, Artifact},
		{"Program Files/a.lnk", None, Artifact},
		{"Users/bob/AppData/Roaming/Microsoft/Windows/Recent/AutomaticDestinations/1.automaticDestinations-ms", Artifact, Artifact},
		{"Users/bob/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", Artifact, Artifact},
		{"Users/bob/Documents/PowerShell_transcript.WS01.x.20210304.txt", Artifact, Artifact},
		{"ProgramData/Microsoft/Group Policy/History/{31B2}/S-1-5-21/Preferences/Drives/Drives.xml", Artifact, Artifact},
		{"Users/bob/Drives.xml", None, Artifact},
		{"setup.log", None, None},
		{".log1", None, None},
		{"notes.txt", None, None},
	} {
		if got := Expect(test.path, false); got != test.tree {
			t.Errorf("Expect(%q) in a tree = %q, want %q", test.path, got, test.tree)
		}
		if got := Expect(test.path, true); got != test.loose {
			t.Errorf("Expect(%q) loose = %q, want %q", test.path, got, test.loose)
		}
	}
}

func TestDrives(t *testing.T) {
	for _, name := range []string{"C", "c", "C:", "C%3A", "%5C%5C.%5CC%3A", `\\.\D:`} {
		if !IsDrive(name) {
			t.Errorf("IsDrive(%q) = false", name)
		}
	}
	for _, name := range []string{"", "1", "CC", ":", "%3A", "Windows", "%", "C%"} {
		if IsDrive(name) {
			t.Errorf("IsDrive(%q) = true", name)
		}
	}
}

func TestLabel(t *testing.T) {
	for root, want := range map[string]string{
		"": "", "C": "", "WS01/C": "WS01", "cases/WS01/C": "WS01", "WS01": "WS01", "WS01-C.1a/uploads/auto/C%3A": "WS01-C.1a",
		"uploads/ntfs/%5C%5C.%5CC%3A": "", "WS01-C.1a/uploads/ntfs/%5C%5C.%5CHarddiskVolume3": "WS01-C.1a", "WS01/VSS12": "WS01", "VSSERVER/C": "VSSERVER", "VSS/C": "VSS", "WS01/C/Windows.old": "WS01",
		"clients/WS01-C.1a/collections/F.CABC123.H/uploads/auto/C%3A": "WS01-C.1a", "WS01-C.1a/F.CABC123/uploads/auto/C%3A": "WS01-C.1a",
		"clients/C.1a2b/collections/F.CABC123/uploads/auto/C%3A": "C.1a2b", "collections/F.CABC123/uploads/auto/C%3A": "F.CABC123", "clients/C": "clients",
	} {
		if got := Label(root); got != want {
			t.Errorf("Label(%q) = %q, want %q", root, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for p, want := range map[string]string{
		"Users/%2Ebob/a%254b": "Users/.bob/a%4b", "100%/x": "100%/x", "a%2F..%2Fb/c": "a%2F..%2Fb/c", "%2e%2e/x": "%2e%2e/x", "": "",
	} {
		if got := Decode(p); got != want {
			t.Errorf("Decode(%q) = %q, want %q", p, got, want)
		}
	}
	if !Encoded("uploads/auto/C%3A") || !Encoded("uploads/ntfs/%5C%5C.%5CHarddiskVolume3") || Encoded("100%/C") || Encoded("C") {
		t.Error("only a percent-encoded drive folder says that the names below it are")
	}
}

func TestShow(t *testing.T) {
	for name, want := range map[string]string{"Jürgen": "Jürgen", "J\xfcrgen": `J\xfcrgen`, "\xff\xfe": `\xff\xfe`, "a\xc3": `a\xc3`, "\ufffd": "\ufffd", "ü\xff": `ü\xff`} {
		if got := Show(name); got != want {
			t.Errorf("Show(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzPaths(f *testing.F) {
	f.Add("WS01/C%3A/Windows/System32/config/SYSTEM")
	f.Add("../Users/x/NTUSER.DAT")
	f.Fuzz(func(t *testing.T, p string) {
		for _, root := range Roots(p) {
			if root == "" {
				continue
			}
			if len(root) >= len(p) || p[:len(root)] != root || p[len(root)] != '/' {
				t.Errorf("Roots(%q) has %q, which is not above it", p, root)
			}
			Label(root)
			Decode(Rel(root, p))
		}
		Expect(p, true)
		name := path.Base(p)
		switch Expect(p, false); Expect(name, false) {
		case Log, Hive:
			if !slices.ContainsFunc(Endings, func(end string) bool { return strings.HasSuffix(strings.ToLower(name), end) }) {
				t.Errorf("no ending is that of %q, which is taken for evidence in any place", name)
			}
		}
	})
}
