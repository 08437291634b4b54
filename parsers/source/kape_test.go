package source

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/source/ntfs/ntfstest"
)

const copyHead = "\xef\xbb\xbfCopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,DeferredCopy,CreatedOnUtc,ModifiedOnUtc,LastAccessedOnUtc,CopyDuration\r\n"

// copyRow is a row of the log of copied files. where is below the collection.
func copyRow(from, where, data string) string {
	return fmt.Sprintf("2025-08-25 20:21:09.9776063,%s,D:\\cases\\out\\%s,%d,%X,True,2025-01-01 00:00:00.0000000,2025-08-24 11:22:33.4455667,2025-08-24 11:22:33.0000000,00:00:00.0154972\r\n", from, where, len(data), sha1.Sum([]byte(data)))
}

func kapeLogs(dir string) map[string]string {
	return map[string]string{
		dir + "2025-08-25T20_20_59_5246365_CopyLog.csv": copyHead +
			copyRow(`C:\Windows\System32\config\SYSTEM`, `C\Windows\System32\config\SYSTEM`, system) +
			copyRow(`C:\Users\bob\NTUSER.DAT`, `C\LongFileNames\0001.dat`, user) +
			copyRow(`C:\Windows\System32\winevt\Logs\System.evtx`, `C\Windows\System32\winevt\Logs\System.evtx`, evtx) +
			copyRow(`C:\___vssMount\vss001\Users\bob\NTUSER.DAT`, `VSS1\Users\bob\NTUSER.DAT`, user+"old") +
			copyRow(`C:\Users\bob\holiday.jpg`, `C\Users\bob\holiday.jpg`, "x"),
		dir + "2025-08-25T20_20_59_5246365_SkipLog.csv.csv": "\xef\xbb\xbfSourceFile,SourceFileSha1,Reason\r\n" +
			fmt.Sprintf("C:\\Windows\\System32\\config\\RegBack\\SYSTEM,%X,Deduped\r\n", sha1.Sum([]byte(system))) +
			`C:\Windows\System32\winevt\Logs\Security.evtx,,Excluded` + "\r\n",
		dir + "2025-08-25T20_20_59_5246365_ConsoleLog.txt": "[2025-08-25 13:20:59.6023456 | INF] Command line:   --tsource C: --tdest D:\\cases\\out --target EventLogs\r\n" +
			"[2025-08-25 13:20:59.6034567 | INF] System info: Machine name: FS03, 64-bit: true, User: Administrator OS: \"Windows10\" (10.0.19045)\r\n" +
			"[2025-08-25 13:21:07.2124525 | FTL] Could not copy file C:\\Users\\eve\\NTUSER.DAT to D:\\cases\\out\\C\\Users\\eve\\NTUSER.DAT. Error: Access denied\r\n",
		dir + "C/Windows/System32/config/SYSTEM": system,
		dir + "C/LongFileNames/0001.dat":         user,
		dir + "VSS1/Users/bob/NTUSER.DAT":        user + "old",
	}
}

// members are files as those of a zip archive, in order.
func members(files map[string]string) (all []member) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, member{name: name, data: files[name]})
	}
	return all
}

// The logs of KAPE give times, paths and what is not there.
func TestKAPELogs(t *testing.T) {
	checkKAPE := func(t *testing.T, ev *Evidence, id, dir string) {
		t.Helper()
		var vols []*Volume
		for _, v := range ev.Volumes {
			if strings.HasPrefix(v.ID, id) {
				vols = append(vols, v)
			}
		}
		if len(vols) != 2 {
			t.Fatalf("%s", strings.Join(describe(ev), "\n"))
		}
		c, old := vols[0], vols[1]
		var paths []string
		for _, f := range c.Files {
			paths = append(paths, f.Path)
			if want := time.Date(2025, 8, 24, 11, 22, 33, 445566700, time.UTC); !f.ModTime.Equal(want) {
				t.Errorf("%s of %v, want %v", f.Path, f.ModTime, want)
			}
		}
		if want := []string{"Users/bob/NTUSER.DAT", "Windows/System32/config/RegBack/SYSTEM", "Windows/System32/config/SYSTEM"}; !slices.Equal(paths, want) {
			t.Errorf("files %q, want %q", paths, want)
		}
		lacks := []string{ShadowCopies, "Users/eve/NTUSER.DAT", "Windows/System32/winevt/Logs/Security.evtx", "Windows/System32/winevt/Logs/System.evtx"}
		if !slices.Equal(c.NotCollected, lacks) || c.HostHint != "FS03" || !c.Collected.Equal(time.Date(2025, 8, 25, 20, 21, 9, 977606300, time.UTC)) {
			t.Errorf("not collected %q, host %q, collected %v", c.NotCollected, c.HostHint, c.Collected)
		}
		if len(old.Files) != 1 || old.Of != c || old.HostHint != "FS03" {
			t.Errorf("shadow copy: %v of %v", old.Files, old.Of)
		}
		var said []string
		for _, p := range c.Problems {
			said = append(said, describeProblem(p))
		}
		if want := []string{`error "Users/eve/NTUSER.DAT" @-1: the collector could not copy it: Access denied`,
			`error "Windows/System32/winevt/Logs/System.evtx" @-1: the collector's log says that it was copied, and it is not here`}; !slices.Equal(said, want) {
			t.Errorf("problems:\n%s", strings.Join(said, "\n"))
		}
	}
	t.Run("folder", func(t *testing.T) { checkKAPE(t, open(t, write(t, kapeLogs("")), Options{}), "", "") })
	t.Run("folder of a host", func(t *testing.T) {
		checkKAPE(t, open(t, write(t, kapeLogs("FS03/")), Options{}), "FS03", "FS03/")
	})
	t.Run("zip with its logs", func(t *testing.T) {
		checkKAPE(t, open(t, zipFileOf(t, zipOf(t, members(kapeLogs(""))...)), Options{}), "case.zip", "")
	})
	// KAPE packs what it copied and leaves its logs beside that.
	t.Run("logs beside a VHD in a zip", func(t *testing.T) {
		logs, tree := map[string]string{}, []ntfstest.File{}
		for name, data := range kapeLogs("") {
			if strings.Contains(name, "Log.") {
				logs[name] = data
			} else {
				tree = append(tree, ntfsFile(name, data))
			}
		}
		slices.SortFunc(tree, func(a, b ntfstest.File) int { return strings.Compare(a.Path, b.Path) })
		logs["2025-08-25T202059_FS03.zip"] = string(zipOf(t, member{name: "2025-08-25T202059_FS03.vhd", data: string(diskOf(volume(t, tree...)))}))
		logs["2025-08-26T202059_other.zip"] = string(zipOf(t, member{name: "C/Users/zoe/NTUSER.DAT", data: user}))
		ev := open(t, write(t, logs), Options{})
		checkKAPE(t, ev, "2025-08-25T202059_FS03.zip!2025-08-25T202059_FS03.vhd!p1", "")
		if last := ev.Volumes[len(ev.Volumes)-1]; len(last.NotCollected) > 0 || last.HostHint != "" {
			t.Errorf("the logs are taken for those of another container: %+v", last)
		}
	})
}

// Spreadsheets save logs anew with other separators, and PowerShell in UTF-16. A
// log without the columns it should have is told of.
func TestKAPELogsSavedAnew(t *testing.T) {
	const name = "2025-08-25T20_20_59_5246365_SkipLog.csv"
	wide := func(s string) string {
		b := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune(s)) {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
		return string(b)
	}
	const row = `Excluded;C:\Users\Jörg\NTUSER.DAT;` + "\r\n"
	for _, log := range []string{
		"Reason,SourceFile,SourceFileSha1\r\n" + strings.ReplaceAll(row, ";", ","),
		"Reason;SourceFile;SourceFileSha1\r\n" + row,
		"\xef\xbb\xbf\"Reason\";\"SourceFile\";\"SourceFileSha1\"\r\n" + row,
		wide("Reason\tSourceFile\tSourceFileSha1\r\n" + strings.ReplaceAll(row, ";", "\t")),
	} {
		ev := open(t, write(t, map[string]string{name: log, "C/Windows/System32/config/SYSTEM": system}), Options{})
		if want := []string{"Users/Jörg/NTUSER.DAT"}; len(ev.Volumes) != 1 || !slices.Equal(ev.Volumes[0].NotCollected, want) || len(ev.Problems) > 0 {
			t.Errorf("%q: not collected %q\n%s", log, ev.Volumes[0].NotCollected, strings.Join(describe(ev), "\n"))
		}
	}
	wantLines(t, open(t, write(t, map[string]string{name: "Grund,Datei\r\nExcluded,x\r\n", "C/Windows/System32/config/SYSTEM": system}), Options{}),
		`volume id="" root="C" label="case" folder windows`, "  Windows/System32/config/SYSTEM hive expected",
		`warning "`+name+`" @-1: tells about the collection and cannot be read: it has no column "SourceFile"`)
}

// A copy that is not what KAPE copied shows: its size at once, its bytes when
// asked for.
func TestKAPEChanged(t *testing.T) {
	files := kapeLogs("")
	files["C/Windows/System32/config/SYSTEM"] = system + "x"
	files["VSS1/Users/bob/NTUSER.DAT"] = user + "odd"
	ev := open(t, write(t, files), Options{})
	what := fmt.Sprintf(`error "Windows/System32/config/SYSTEM" @%d: the collector copied %d bytes, and %d are here`, len(system), len(system), len(system)+1)
	if !slices.ContainsFunc(ev.Volumes[0].Problems, func(p Problem) bool { return describeProblem(p) == what }) {
		t.Errorf("no %s\n%s", what, strings.Join(describe(ev), "\n"))
	}
	checks, err := ev.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, c := range checks {
		got[c.ID] = c.Err == nil
	}
	if len(got) != 3 || !got["C!Users/bob/NTUSER.DAT"] || got["C!Windows/System32/config/SYSTEM"] || got["VSS1!Users/bob/NTUSER.DAT"] {
		t.Errorf("verified: %v", got)
	}
}

// Logs whose collection is nowhere are reported, not passed over.
func TestKAPELogsAlone(t *testing.T) {
	files := kapeLogs("")
	for name := range files {
		if !strings.Contains(name, "Log.") {
			delete(files, name)
		}
	}
	files["other.zip"] = string(zipOf(t, member{name: "C/Users/zoe/NTUSER.DAT", data: user}))
	ev := open(t, write(t, files), Options{})
	lost := 0
	for _, p := range ev.Problems {
		if strings.Contains(p.What, "log says that it was copied") {
			lost++
		}
	}
	if lost != 4 {
		t.Errorf("%d files of the log reported:\n%s", lost, strings.Join(describe(ev), "\n"))
	}
}
