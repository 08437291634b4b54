package artifacts

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
)

func TestProfileFolder(t *testing.T) {
	for p, want := range map[string]string{
		"Users/alice/Desktop/a.lnk":                             "alice",
		"Documents and Settings/bob/Recent/a.lnk":               "bob",
		"Windows/ServiceProfiles/LocalService/NTUSER.DAT":       "LocalService",
		"Windows/System32/config/systemprofile/AppData/x/a.lnk": "systemprofile",
		"Windows.old/Users/carol/NTUSER.DAT":                    "carol",
		"Users/Public/Desktop/a.lnk":                            "", "Documents and Settings/All Users/Desktop/a.lnk": "",
		"Users/jo\u0308rg/NTUSER.DAT":   "jörg",
		"Users/NTUSER.DAT":              "",
		"Windows/Prefetch/NET.EXE-1.pf": "",
		"a.lnk":                         "",
		"ProgramData/Microsoft/Group Policy/History/x/Drives.xml": "",
	} {
		if got := ProfileFolder(p); got != want {
			t.Errorf("ProfileFolder(%q) = %q, want %q", p, got, want)
		}
	}
}

func TestTemplateAndFormer(t *testing.T) {
	for p, want := range map[string][2]bool{
		"Users/Default/NTUSER.DAT":                                   {true, false},
		"Users/Default/AppData/Local/Microsoft/Windows/UsrClass.dat": {true, false},
		"Documents and Settings/Default User/NTUSER.DAT":             {true, false},
		"Users/DefaultAppPool/NTUSER.DAT":                            {false, false},
		"Users/alice/Default/NTUSER.DAT":                             {false, false},
		"Windows.old/Users/alice/NTUSER.DAT":                         {false, true},
		"Windows.old.000/Users/Default/NTUSER.DAT":                   {true, true},
		"Windows.older/Users/alice/NTUSER.DAT":                       {false, false},
		"Windows/System32/config/DEFAULT":                            {false, false},
	} {
		if got := [2]bool{isTemplate(p), IsFormer(p)}; got != want {
			t.Errorf("%s: template and former %v, want %v", p, got, want)
		}
	}
}

func TestWantsFile(t *testing.T) {
	for p, want := range map[string]bool{
		"Users/x/Recent/a.LNK": true, "Users/x/Recent/a.lnk~2": true, "x/1b4dd67f29cb1962.automaticDestinations-ms": true,
		"Windows/Prefetch/NET.EXE-1.PF": true, "x/ConsoleHost_history.txt": true, "y/Drives.xml~12": true,
		"a.lnk.bak": false, "Users/x/NTUSER.DAT": false, "Windows/Logs/Security.evtx": false, "x/history.txt": false, "a~2": false, "": false,
	} {
		if got := WantsFile(p); got != want {
			t.Errorf("WantsFile(%q) = %v", p, got)
		}
	}
}

func TestRedirected(t *testing.T) {
	for in, want := range map[string]string{
		`\DEVICE\MUP\FS01\X\A.DLL`:                                       `\\FS01\X\A.DLL `,
		`\Device\LanmanRedirector\;Z:0000000000012345\fs01\x\a.exe`:      `\\fs01\x\a.exe Z:`,
		`\DEVICE\MUP\;LANMANREDIRECTOR\;Y:0000000000012345\FS01\X\B.EXE`: `\\FS01\X\B.EXE Y:`,
		`\DEVICE\MUP\;WEBDAVREDIRECTOR\DAV@SSL\DAVWWWROOT\C.EXE`:         `\\DAV@SSL\DAVWWWROOT\C.EXE `,
		`\DEVICE\HARDDISKVOLUME2\MUP\FS01\X`:                             "",
		`\DEVICE\MUP\;LANMANREDIRECTOR`:                                  "",
		`\DEVICE\MUP`:                                                    "",
		`C:\DEVICE\MUP\FS01\X`:                                           "",
		``:                                                               "",
	} {
		unc, drive, ok := redirected(in)
		got := unc + " " + drive
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("redirected(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHistoryEntry(t *testing.T) {
	for _, tc := range []struct {
		in, entry string
		n         int
		lines     int64
	}{
		{"a\nb\n", "a", 2, 1},
		{"a\r\nb", "a", 3, 1},
		{"if (1) {`\nb`\n}\nc", "if (1) {\nb\n}", 15, 3},
		{"x `\n  -y 1\nz", "x    -y 1", 11, 2},
		{"x`\n| y\n", "x | y", 7, 2},
		{"x`", "x\n", 2, 1},
		{"\n", "", 1, 1},
	} {
		entry, n, lines := historyEntry([]byte(tc.in))
		if string(entry) != tc.entry || n != tc.n || lines != tc.lines {
			t.Errorf("historyEntry(%q) = %q, %d, %d", tc.in, entry, n, lines)
		}
	}
}

func TestSystemTime(t *testing.T) {
	b := func(f ...uint16) (b []byte) {
		for _, v := range f {
			b = append(b, byte(v), byte(v>>8))
		}
		return b
	}
	for _, tc := range []struct {
		in   []byte
		want time.Time
	}{
		{b(2026, 3, 3, 4, 12, 34, 56, 789), time.Date(2026, 3, 4, 12, 34, 56, 789e6, time.UTC)},
		{b(0, 0, 0, 0, 0, 0, 0, 0), time.Time{}},
		{b(2026, 2, 0, 30, 0, 0, 0, 0), time.Time{}},
		{b(2026, 3, 0, 4, 24, 0, 0, 0), time.Time{}},
		{b(2026, 3, 0, 4, 0, 0, 0, 1000), time.Time{}},
		{b(2026, 3, 0, 4), time.Time{}},
	} {
		if got := systemTime(tc.in); !got.Equal(tc.want) {
			t.Errorf("systemTime(%x) = %v, want %v", tc.in, got, tc.want)
		}
	}
}

// TestUnsetFileTimes takes the times that archives write where they have none.
func TestUnsetFileTimes(t *testing.T) {
	link, err := buildSpec("a.lnk", "share=\\\\fs01\\x\n")
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[time.Time]time.Time{
		time.Unix(0, 0): {}, time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC): {}, {}: {},
		time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC): time.Date(1980, 1, 2, 0, 0, 0, 0, time.UTC),
	} {
		e := ReadOther(File{Place: &evidence.Place{Path: "a.lnk"}, R: bytes.NewReader(link), Size: int64(len(link))}, in)
		if len(e.Observations) != 1 || !e.Observations[0].Time.Equal(want) || e.Observations[0].TimeKind == "" != want.IsZero() {
			t.Errorf("%v: %+v", in, e.Observations)
		}
	}
}

// TestCorpusFiles compares the rows of real shortcuts and prefetch files with
// what liblnk and libscca read: each share, and each start of a program that
// rows are made for, and no others.
func TestCorpusFiles(t *testing.T) {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	read := func(file string) *Emitter {
		b, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		e := ReadOther(File{Place: &evidence.Place{Path: file}, R: bytes.NewReader(b), Size: int64(len(b))}, time.Time{})
		if len(e.Problems) > 0 {
			t.Errorf("%s: %v", file, e.Problems)
		}
		return e
	}
	got, want := map[string][]string{}, map[string][]string{}
	for _, row := range readTable(t, filepath.Join(root, "truth", "_lnk_jumplist.tsv")) {
		file := row["file"]
		if p := row["network_path"]; p != "" {
			want[file] = append(want[file], p)
		}
		if got[file] == nil {
			for _, o := range read(file).Observations {
				p := o.Share
				if sub := o.Detail.Text("subpath"); sub != "" {
					p += `\` + sub
				}
				got[file] = append(got[file], p)
			}
		}
	}
	for _, row := range readTable(t, filepath.Join(root, "truth", "_prefetch.tsv")) {
		file := row["file"]
		e := read(file)
		if len(e.Observations) == 0 {
			continue // a program of no interest
		}
		for _, o := range e.Observations {
			got[file] = append(got[file], o.Detail.Text("Executable")+" "+evidence.FormatTime(o.Time))
		}
		for i := 1; i <= 8; i++ {
			if at := row[fmt.Sprintf("last_run_%d", i)]; at != "" {
				want[file] = append(want[file], row["executable"]+" "+at)
			}
		}
	}
	for file := range want {
		if fmt.Sprintf("%q", got[file]) != fmt.Sprintf("%q", want[file]) {
			t.Errorf("%s:\n got %q\nwant %q", file, got[file], want[file])
		}
	}
	for file, rows := range got {
		if len(rows) > 0 && want[file] == nil {
			t.Errorf("%s: rows that nobody else sees: %q", file, rows)
		}
	}
	if len(want) < 15 {
		t.Errorf("%d files compared", len(want))
	}
}

// FuzzReadFile damages golden evidence: no artifact of files may panic.
func FuzzReadFile(f *testing.F) {
	for _, pattern := range []string{"lnk/share", "jump-lists/*", "prefetch/runs", "ps-history/typed", "drive-maps/plans"} {
		cases, err := filepath.Glob(filepath.Join("..", "testdata", "artifacts", pattern+".txtar"))
		if err != nil || len(cases) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range cases {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for _, part := range ar.Files {
				if part.Name != "want" {
					name, data, _ := compile(f, part)
					f.Add(filepath.Ext(plainName(name)), data)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, ext string, data []byte) {
		if len(data) > 1<<18 {
			return
		}
		name := "Users/x/a" + ext
		switch ext {
		case ".txt":
			name = "Users/x/a_history.txt"
		case ".xml":
			name = "History/{GPO}/S-1-5-18/Preferences/Drives/Drives.xml"
		}
		e := ReadOther(File{Place: &evidence.Place{Path: name}, R: bytes.NewReader(data), Size: int64(len(data))}, time.Time{})
		for _, p := range e.Problems {
			if strings.Contains(p.What, "gave up") || p.What == "" {
				t.Errorf("%+v", p)
			}
		}
		for _, o := range e.Observations {
			if o.Artifact == "" || o.Summary == "" || o.From().Place == nil || o.From().Offset < 0 {
				t.Errorf("%+v", o)
			}
		}
	})
}

// FuzzCacheEntries reads any bytes as AppCompatCache.
func FuzzCacheEntries(f *testing.F) {
	f.Add([]byte{0x30, 0, 0, 0})
	f.Add(append(append([]byte{0x34}, make([]byte, 0x33)...), []byte("10ts\x00\x00\x00\x00\x0e\x00\x00\x00\x04\x00a\x00b\x00\x01\x02\x03\x04\x05\x06\x07\x08")...))
	f.Add(append([]byte{0xee, 0x0f, 0xdc, 0xba, 1, 0, 0, 0}, make([]byte, 168)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := cacheEntries(b, 100)
		if len(list) > maxCache {
			t.Errorf("%d entries", len(list))
		}
		if err != nil && binread.Offset(err) < 100 {
			t.Error(err)
		}
	})
}

// TestCorpusTexts looks for every text of real user hives that names a share,
// as other parsers found them: it is a row, or of a kind that is left out.
func TestCorpusTexts(t *testing.T) {
	leftOut := []string{
		`\group policy\history\`,      // where policies lie: the domain's own share, read at each logon
		`vmware tools\hgfs usability`, // a file system of the hypervisor
	}
	found := 0
	truth(t, []string{"hive-user/*"}, func(t *testing.T, path string, rows []map[string]string) {
		e := readEvidence(t, path, ReadHive)
		for _, row := range rows {
			key := row["key_path"]
			if row["kind"] != "unc_any" || !strings.HasPrefix(strings.TrimLeft(row["value_data"], `[]TO0123456789ABCDEF*`), `\\`) {
				continue // \\ in the middle of a local path
			}
			if slices.ContainsFunc(leftOut, func(s string) bool { return strings.Contains(strings.ToLower(key), s) }) {
				continue
			}
			found++
			if !slices.ContainsFunc(e.Observations, func(o *evidence.Fact) bool {
				return strings.EqualFold(o.From().Key, key) && (o.From().Value == "" || strings.EqualFold(o.From().Value, row["value_name"]))
			}) {
				t.Errorf("no row for %s, %s: %s", key, row["value_name"], row["value_data"])
			}
		}
	})
	if found == 0 && os.Getenv("SHARETRAIL_CORPUS") != "" {
		t.Error("no texts found")
	}
	t.Logf("%d texts", found)
}
