package source

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// regf is a base block as Windows writes it, as far as it is looked at.
func regf(fileType uint32, name string) string {
	b := make([]byte, 4096+32)
	copy(b, "regf")
	binary.LittleEndian.PutUint32(b[28:], fileType)
	for i, c := range utf16.Encode([]rune(name)) {
		binary.LittleEndian.PutUint16(b[48+2*i:], c)
	}
	copy(b[4096:], "hbin")
	return string(b)
}

// elf is an event log with one empty chunk.
func elf() string {
	b := make([]byte, 4096+512)
	copy(b, "ElfFile\x00")
	copy(b[4096:], "ElfChnk\x00")
	return string(b)
}

var (
	user     = regf(0, `\??\C:\Users\bob\ntuser.dat`)
	system   = regf(0, "emRoot\\System32\\Config\\SYSTEM")
	software = regf(0, `emRoot\System32\Config\SOFTWARE`)
	txlog    = regf(6, "")
	evtx     = elf()
)

// write makes a folder of files; a name that ends in "/" is a directory.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(p, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t testing.TB, path string, o Options) *Evidence {
	t.Helper()
	ev, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ev.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := ev.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	return ev
}

// describe renders volumes, files and problems, one line each.
func describe(ev *Evidence) []string {
	var lines []string
	for _, v := range ev.Volumes {
		kind := "windows"
		if v.Loose {
			kind = "loose"
		}
		lines = append(lines, fmt.Sprintf("volume id=%q root=%q label=%q %s %s", v.ID, v.Root, v.Label, v.Kind, kind))
		for _, f := range v.Files {
			line := fmt.Sprintf("  %s %s", f.Path, f.Kind)
			if f.Expected {
				line += " expected"
			}
			lines = append(lines, line)
		}
		for _, p := range v.Problems {
			lines = append(lines, "  "+describeProblem(p))
		}
	}
	for _, p := range ev.Problems {
		lines = append(lines, describeProblem(p))
	}
	return lines
}

func describeProblem(p Problem) string {
	return fmt.Sprintf("%s %q @%d: %s", p.Severity, p.Path, p.Offset, p.What)
}

func wantLines(t *testing.T, ev *Evidence, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, describe(ev)); d != "" {
		t.Errorf("evidence (-want +got):\n%s", d)
	}
}

func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"drive folder", map[string]string{
			"C/Windows/System32/config/SYSTEM":            system,
			"C/Windows/System32/config/SYSTEM.LOG1":       txlog,
			"C/Windows/System32/config/SYSTEM.LOG2":       "",
			"C/Windows/System32/winevt/Logs/System.evtx":  evtx,
			"C/Users/bob/NTUSER.DAT":                      user,
			"C/Users/bob/Documents/notes.txt":             "hello",
			"C/Users/bob/Documents/old.dat":               "hello",
			"C/Windows/System32/config/RegBack/SYSTEM":    "",
			"C/Windows/System32/config/RegBack/SECURITY":  regf(0, "SECURITY"),
			"C/Windows/Prefetch/NET.EXE-DF44F913.pf":      "MAM\x04",
			"C/Users/bob/Documents/NET.EXE-DF44F913.pf":   "MAM\x04",
			"C/Users/bob/AppData/Local/IconCache.db":      "x",
			"C/Users/bob/Desktop/backup.zip":              "PK\x03\x04",
			"C/Users/bob/Desktop/renamed-archived-log.tx": evtx,
		}, []string{
			`volume id="" root="C" label="case" folder windows`,
			"  Users/bob/Desktop/renamed-archived-log.tx evtx",
			"  Users/bob/NTUSER.DAT hive expected",
			"  Windows/Prefetch/NET.EXE-DF44F913.pf other",
			"  Windows/System32/config/RegBack/SECURITY hive expected",
			"  Windows/System32/config/SYSTEM hive expected",
			"  Windows/System32/config/SYSTEM.LOG1 hive-log expected",
			"  Windows/System32/config/SYSTEM.LOG2 hive-log expected",
			"  Windows/System32/winevt/Logs/System.evtx evtx expected",
		}},
		{"rooted at windows, any case", map[string]string{
			"WINDOWS/system32/CONFIG/system": system,
			"users/Bob/ntuser.dat":           user,
		}, []string{
			`volume id="" root="" label="case" folder windows`,
			"  WINDOWS/system32/CONFIG/system hive expected",
			"  users/Bob/ntuser.dat hive expected",
		}},
		{"several hosts, one with its drive folder encoded", map[string]string{
			"WS01/C/Windows/System32/config/SYSTEM":                           system,
			"WS02/Windows/System32/config/SYSTEM":                             system,
			"ws03/uploads/auto/C%3A/Windows/System32/winevt/Logs/A%254B.evtx": evtx,
			"ws03/uploads/auto/C%3A/Users/%2Ebob/NTUSER.DAT":                  user,
			"WS04/C/Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat":   user,
			"XP/Documents and Settings/bob/NTUSER.DAT":                        user,
		}, []string{
			`volume id="WS01/C" root="WS01/C" label="WS01" folder windows`,
			"  Windows/System32/config/SYSTEM hive expected",
			`volume id="WS02" root="WS02" label="WS02" folder windows`,
			"  Windows/System32/config/SYSTEM hive expected",
			`volume id="WS04/C" root="WS04/C" label="WS04" folder windows`,
			"  Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat hive expected",
			`volume id="XP" root="XP" label="XP" folder windows`,
			"  Documents and Settings/bob/NTUSER.DAT hive expected",
			`volume id="ws03/uploads/auto/C%3A" root="ws03/uploads/auto/C%3A" label="ws03" folder windows`,
			"  Users/.bob/NTUSER.DAT hive expected",
			"  Windows/System32/winevt/Logs/A%4B.evtx evtx expected",
		}},
		{"an older installation is a volume of its own", map[string]string{
			"WS01/C/Windows/System32/config/SYSTEM":             system,
			"WS01/C/Windows.old/Windows/System32/config/SYSTEM": system,
		}, []string{
			`volume id="WS01/C" root="WS01/C" label="WS01" folder windows`,
			"  Windows/System32/config/SYSTEM hive expected",
			`volume id="WS01/C/Windows.old" root="WS01/C/Windows.old" label="WS01" folder windows`,
			"  Windows/System32/config/SYSTEM hive expected",
		}},
		{"loose files with one SYSTEM hive are one host", map[string]string{
			"a/evidence.bin":            system,
			"b/c/profile":               user,
			"b/archived-2021.log":       evtx,
			"b/renamed.dat":             user,
			"b/tool.LOG1":               txlog,
			"b/WEVTUTIL.EXE-1.pf":       "MAM\x04",
			"readme.txt":                "x",
			"b/headless-log":            "ElfChnk\x00",
			"b/header-overwritten":      strings.Repeat("\x00", 4096) + "ElfChnk\x00",
			"b/ConsoleHost_history.txt": "net use",
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  a/evidence.bin hive",
			"  b/ConsoleHost_history.txt other",
			"  b/WEVTUTIL.EXE-1.pf other",
			"  b/archived-2021.log evtx",
			"  b/c/profile hive",
			"  b/header-overwritten evtx",
			"  b/headless-log evtx",
			"  b/renamed.dat hive expected",
			"  b/tool.LOG1 hive-log expected",
			`  warning "b/tool.LOG1" @-1: a transaction log of a registry hive, one of 1, without its hive: not read`,
		}},
		{"loose files with several SYSTEM hives go to the nearest", map[string]string{
			"one/hives/SYSTEM_pc1":     regf(0, ""),
			"one/hives/users/NTUSER.1": user,
			"one/Security.evtx":        evtx,
			"two/renamed":              system,
			"two/logs/Security.evtx":   evtx,
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  one/Security.evtx evtx expected",
			`volume id="one/hives" root="one/hives" label="hives" folder loose`,
			"  SYSTEM_pc1 hive",
			"  users/NTUSER.1 hive",
			`volume id="two" root="two" label="two" folder loose`,
			"  logs/Security.evtx evtx expected",
			"  renamed hive",
		}},
		{"two SYSTEM hives in one directory do not divide", map[string]string{
			"x/SYSTEM":     system,
			"x/SYSTEM.old": system,
			"y/NTUSER.DAT": user,
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  x/SYSTEM hive expected",
			"  x/SYSTEM.old hive",
			"  y/NTUSER.DAT hive expected",
		}},
		{"a tree and loose files", map[string]string{
			"C/Windows/System32/config/SYSTEM": system,
			"dc/ForwardedEvents.evtx":          evtx,
			"SYSTEM":                           system,
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  SYSTEM hive expected",
			"  dc/ForwardedEvents.evtx evtx expected",
			`volume id="C" root="C" label="case" folder windows`,
			"  Windows/System32/config/SYSTEM hive expected",
		}},
		{"a log stays a log whatever its type says", map[string]string{
			"C/Users/bob/NTUSER.DAT":      user,
			"C/Users/bob/NTUSER.DAT.LOG1": regf(0, ""),
			"C/Users/bob/NTUSER.DAT.LOG2": strings.Repeat("\x00", 512),
			"C/Users/bob/ntuser.dat.log":  regf(1, ""),
			"C/Users/bob/renamed":         regf(2, ""),
		}, []string{
			`volume id="" root="C" label="case" folder windows`,
			"  Users/bob/NTUSER.DAT hive expected",
			"  Users/bob/NTUSER.DAT.LOG1 hive-log expected",
			"  Users/bob/NTUSER.DAT.LOG2 hive-log expected",
			"  Users/bob/ntuser.dat.log hive-log expected",
			"  Users/bob/renamed hive-log",
			`  warning "Users/bob/renamed" @-1: a transaction log of a registry hive, one of 1, without its hive: not read`,
		}},
		{"hives in a Windows tree that are not where Windows keeps them", map[string]string{
			"C/Windows/System32/config/SYSTEM":                         system,
			"C/Windows/System32/config/SYSTEM.old":                     system,
			"C/Windows/Temp/s.hiv":                                     system,
			"C/Users/bob/NTUSER.DAT":                                   user,
			"C/Users/bob/NTUSER.DAT.bak":                               user,
			"C/Users/bob/Downloads/NTUSER.DAT":                         user,
			"C/Users/bob/AppData/Local/Packages/a/settings.dat":        user,
			"C/Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat": user,
			"C/Windows/ServiceProfiles/LocalService/NTUSER.DAT":        user,
			"C/put/here/NTUSER.DAT":                                    user,
		}, []string{
			`volume id="" root="C" label="case" folder windows`,
			"  Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat hive expected",
			"  Users/bob/NTUSER.DAT hive expected",
			"  Users/bob/NTUSER.DAT.bak hive",
			"  Windows/ServiceProfiles/LocalService/NTUSER.DAT hive expected",
			"  Windows/System32/config/SYSTEM hive expected",
			"  Windows/System32/config/SYSTEM.old hive",
			"  put/here/NTUSER.DAT hive expected",
			`  warning "Users/bob/Downloads/NTUSER.DAT" @-1: a registry hive where Windows keeps none, one of 2 on this volume: whose it is is not known, so it was not read; extract it and point at it`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantLines(t, open(t, write(t, test.files), Options{}), test.want...)
		})
	}
}

const noEvidence = `error "" @-1: ` + nothingFound

func TestProblems(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"empty folder", nil, []string{noEvidence}},
		{"no evidence", map[string]string{"readme.txt": "x", "a/b/photo.jpg": "\xff\xd8\xff"}, []string{noEvidence}},
		{"empty files", map[string]string{
			"C/Users/bob/NTUSER.DAT":                       "",
			"C/Users/bob/NTUSER.DAT.LOG1":                  "",
			"C/Windows/System32/winevt/Logs/Security.evtx": "",
			"C/Windows/System32/config/RegBack/SAM":        "",
			"C/Windows/System32/config/SAM":                "",
			"C/Windows/System32/empty.txt":                 "",
		}, []string{
			`volume id="" root="C" label="case" folder windows`,
			"  Users/bob/NTUSER.DAT other expected",
			"  Users/bob/NTUSER.DAT.LOG1 hive-log expected",
			"  Windows/System32/config/SAM other expected",
			"  Windows/System32/winevt/Logs/Security.evtx other expected",
			`  error "Users/bob/NTUSER.DAT" @-1: empty file`,
			`  error "Windows/System32/config/SAM" @-1: empty file`,
			`  error "Windows/System32/winevt/Logs/Security.evtx" @-1: empty file`,
		}},
		{"directories in the place of files", map[string]string{
			"C/Users/bob/NTUSER.DAT/":                       "",
			"C/Windows/System32/config/SYSTEM/x":            "x",
			"C/Windows/System32/winevt/Logs/Security.evtx/": "",
			"C/ProgramData/System/":                         "",
			"loose.evtx/inner":                              evtx,
			"Security/":                                     "",
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  loose.evtx/inner evtx",
			`  error "loose.evtx" @-1: is a directory, where a file of this name is expected`,
			`volume id="C" root="C" label="case" folder windows`,
			`  error "Users/bob/NTUSER.DAT" @-1: is a directory, where a file of this name is expected`,
			`  error "Windows/System32/config/SYSTEM" @-1: is a directory, where a file of this name is expected`,
			`  error "Windows/System32/winevt/Logs/Security.evtx" @-1: is a directory, where a file of this name is expected`,
		}},
		{"text under names of evidence", map[string]string{
			"NTUSER.DAT":      "not a hive at all",
			"Security.evtx":   "<Events>",
			"settings.dat":    "a=b",
			"SYSTEM.LOG1":     "Jan 1 started",
			"UsrClass.dat":    "PK\x03\x04",
			"notes.txt":       "x",
			"export/SAM":      "root:x:0:0",
			"export/SAM.json": "{}",
		}, []string{
			`volume id="" root="" label="case" folder loose`,
			"  NTUSER.DAT other expected",
			"  SYSTEM.LOG1 other expected",
			"  Security.evtx other expected",
			"  export/SAM other expected",
			"  settings.dat other expected",
			`  error "NTUSER.DAT" @0: not a registry hive: starts with "not a hive at al"`,
			`  error "SYSTEM.LOG1" @0: not a registry transaction log: starts with "Jan 1 started"`,
			`  error "Security.evtx" @0: not an event log: starts with "<Events>"`,
			`  error "export/SAM" @0: not a registry hive: starts with "root:x:0:0"`,
			`  error "settings.dat" @0: not a registry hive: starts with "a=b"`,
			`error "UsrClass.dat" @4: zip archive cannot be read: central directory: zip: not a valid zip file: the archive is cut short or damaged`,
		}},
		{"archives in the place of folders", map[string]string{
			"C/Windows/System32/config/SYSTEM":   system,
			"C/Windows/System32/winevt/Logs.zip": "PK\x03\x04",
			"C/Users/bob.7z":                     "7z\xbc\xaf\x27\x1c",
			"C/Users/bob/NTUSER.DAT":             user,
			"C/Users/bob/Desktop/backup.zip":     "PK\x03\x04",
			"C/ProgramData.zip":                  "PK\x03\x04",
		}, []string{
			`volume id="" root="C" label="case" folder windows`,
			"  Users/bob/NTUSER.DAT hive expected",
			"  Windows/System32/config/SYSTEM hive expected",
			`  warning "ProgramData.zip" @-1: an archive where Windows has folders: not opened, as those of users are not; if a folder was packed into it, extract it and point at the whole`,
			`  warning "Users/bob.7z" @-1: an archive where Windows has folders: not opened, as those of users are not; if a folder was packed into it, extract it and point at the whole`,
			`  warning "Windows/System32/winevt/Logs.zip" @-1: an archive where Windows has folders: not opened, as those of users are not; if a folder was packed into it, extract it and point at the whole`,
		}},
		{"names without a promise in a tree", map[string]string{
			"Windows/System32/config/systemprofile/x.dat": "text",
			"Windows/System32/drivers/etc/SYSTEM":         "text",
			"Users/bob/AppData/Local/settings.dat":        "text",
			"Users/bob/Downloads/image.vhdx":              "vhdxfile",
		}, []string{noEvidence}},
		{"containers that cannot be read", map[string]string{
			"a.E01":     "EVF\x09\x0d\x0a\xff\x00\x01\x01\x00\x00\x00",
			"b.bin":     "vhdxfile",
			"c":         "\xeb\x52\x90NTFS    ",
			"d.7z":      "7z\xbc\xaf\x27\x1c",
			"e.tar":     strings.Repeat("a", 257) + "ustar",
			"f.vhdx":    "plain text",
			"g.evt":     "\x30\x00\x00\x00LfLe",
			"h.qcow2":   "QFI\xfb",
			"i.vmdk":    "KDMV",
			"j.vhd":     "conectix",
			"k.dd":      mbr(),
			"boot.bin":  strings.Repeat("\x90", 510) + "\x55\xaa",
			"empty.zip": "",
			"l.ad1":     "ADSEGMENTEDFILE\x00",
			"m.hdd":     "WithoutFreeSpace",
			"n.hds":     "WithouFreSpacExt",
			"o":         "QED\x00",
			"p.wim":     "MSWIM\x00\x00\x00",
			"q.aff4":    string(zipOf(t, member{name: "container.description", data: "aff4://1"}, member{name: "information.turtle", data: "@prefix"}, member{name: "aff4%3A%2F%2F2/data/00000000", data: "x"})),
		}, []string{
			noEvidence,
			`error "a.E01" @13: disk image cannot be read: section: need 76 bytes, but the file ends at 0xd: truncated`,
			`error "b.bin" @131072: disk image cannot be read: header: need 4096 bytes, but the file ends at 0x8: truncated`,
			`error "c" @0: no volume can be read: first sector: the image has only 11 bytes: no partition table and no known volume`,
			`error "d.7z" @-1: 7z archive cannot be read: 7z: sevenzip: error reading signature header: unexpected EOF`,
			`error "e.tar" @262: tar archive cannot be read: member header: unexpected EOF: the archive is cut short or damaged here`,
			`error "empty.zip" @0: not what its name says: empty file`,
			`error "f.vhdx" @0: not what its name says: starts with "plain text"`,
			`error "g.evt" @0: is an event log of Windows XP or 2003 (EVT): not supported; convert it with wevtutil export-log /lf:true`,
			`error "h.qcow2" @0: disk image cannot be read: header: need 72 bytes, but the file ends at 0x4: truncated`,
			`error "i.vmdk" @0: disk image cannot be read: header: need 512 bytes, but the file ends at 0x4: truncated`,
			`error "j.vhd" @0: disk image cannot be read: footer copy: need 512 bytes, but the file ends at 0x8: truncated`,
			`error "k.dd!p1" @446: partition cannot be read: partition: begins at 0x100000: behind the end of the image, which has 512 bytes`,
			`error "l.ad1" @0: is a logical image of FTK (AD1): not supported; export its files with FTK Imager and point at the exported folder`,
			`error "m.hdd" @0: is a Parallels disk image: not supported; convert it with qemu-img convert -O qcow2`,
			`error "n.hds" @0: is a Parallels disk image: not supported; convert it with qemu-img convert -O qcow2`,
			`error "o" @0: is a QED disk image: not supported; convert it with qemu-img convert -O qcow2`,
			`error "p.wim" @0: is a Windows image (WIM): not supported yet; extract it and point at the extracted folder`,
			`error "q.aff4" @-1: is an AFF4 disk image: not supported; export it as raw or E01`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			wantLines(t, open(t, write(t, test.files), Options{}), test.want...)
		})
	}
}

// mbr is a partition table with one NTFS partition.
func mbr() string {
	b := make([]byte, 512)
	b[446], b[450] = 0x80, 0x07
	binary.LittleEndian.PutUint32(b[454:], 2048)
	binary.LittleEndian.PutUint32(b[458:], 4096)
	b[510], b[511] = 0x55, 0xaa
	return string(b)
}

func TestSingleFile(t *testing.T) {
	dir := write(t, map[string]string{
		"hive/NTUSER.DAT": user, "hive/ntuser.dat.LOG1": txlog, "hive/NTUSER.DAT.LOG2": "", "hive/NTUSER.DAT.bak": user, "hive/UsrClass.dat": user,
		"text.txt": "hello", "fake/Security.evtx": "hello", "empty": "", "log": evtx,
	})
	for _, test := range []struct {
		name string
		want []string
	}{
		{"hive/NTUSER.DAT", []string{
			`volume id="" root="" label="NTUSER.DAT" file loose`,
			"  NTUSER.DAT hive expected", "  NTUSER.DAT.LOG2 hive-log expected", "  ntuser.dat.LOG1 hive-log expected",
		}},
		{"log", []string{`volume id="" root="" label="log" file loose`, "  log evtx"}},
		{"text.txt", []string{`error "text.txt" @0: neither a registry hive nor an event log nor an archive nor a disk image: starts with "hello"`}},
		{"empty", []string{`error "empty" @0: neither a registry hive nor an event log nor an archive nor a disk image: empty file`}},
		{"fake/Security.evtx", []string{
			`volume id="" root="" label="Security.evtx" file loose`, "  Security.evtx other expected",
			`  error "Security.evtx" @0: not an event log: starts with "hello"`,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			ev := open(t, filepath.Join(dir, test.name), Options{})
			wantLines(t, ev, test.want...)
			if ev.Kind != "file" || ev.Tree == nil || ev.Tree.Kind != "file" {
				t.Errorf("kind %q, tree %+v; want a file", ev.Kind, ev.Tree)
			}
		})
	}
}

func TestMissingSource(t *testing.T) {
	ev, err := Open(context.Background(), filepath.Join(t.TempDir(), "nowhere"), Options{})
	if !errors.Is(err, fs.ErrNotExist) || ev != nil {
		t.Errorf("Open = %v, %v; want an error that wraps fs.ErrNotExist", ev, err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, write(t, map[string]string{"NTUSER.DAT": user}), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open = %v, want context.Canceled", err)
	}
}

func TestDriveFolderAsSource(t *testing.T) {
	dir := write(t, map[string]string{"WS07/C/Windows/System32/config/SYSTEM": system})
	ev := open(t, filepath.Join(dir, "WS07", "C"), Options{})
	wantLines(t, ev, `volume id="" root="" label="WS07" folder windows`, "  Windows/System32/config/SYSTEM hive expected")
}

func TestLimitsOfFolders(t *testing.T) {
	deep := strings.Repeat("d/", maxFolderDepth+1) + "NTUSER.DAT"
	ev := open(t, write(t, map[string]string{deep: user, "d/SAM": regf(0, "SAM")}), Options{})
	wantLines(t, ev, `volume id="" root="" label="case" folder loose`, "  d/SAM hive expected",
		fmt.Sprintf(`error %q @-1: more than 64 folders deep: not looked at`, strings.TrimSuffix(strings.Repeat("d/", maxFolderDepth+1), "/")))

	ev = open(t, write(t, map[string]string{"1": user, "2": user, "3": user}), Options{MaxEntries: 2})
	wantLines(t, ev, `volume id="" root="" label="case" folder loose`, "  1 hive", "  2 hive",
		`error "" @-1: more than 2 files and folders: the rest was not looked at (MaxEntries)`)
}

// readAll reads a file the way parsers do.
func readAll(t testing.TB, f File) string {
	t.Helper()
	h, err := f.Open()
	if err != nil {
		t.Fatalf("%s: %v", f.Path, err)
	}
	defer h.Close()
	if h.Size() != f.Size {
		t.Errorf("%s: open file has %d bytes, was listed with %d", f.Path, h.Size(), f.Size)
	}
	b, err := io.ReadAll(io.NewSectionReader(h, 0, h.Size()))
	if err != nil {
		t.Errorf("%s: %v", f.Path, err)
	}
	return string(b)
}

func TestTree(t *testing.T) {
	ev := open(t, write(t, map[string]string{
		"WS01/C/Users/bob/NTUSER.DAT": user, "WS02/C/Users/bob/NTUSER.DAT": user, "x.evtx": evtx,
		"a.zip": string(zipOf(t, member{name: "C/Users/eve/NTUSER.DAT", data: user})),
	}), Options{})
	var ids []string
	var walk func(*Node)
	walk = func(n *Node) {
		ids = append(ids, fmt.Sprintf("%s %s %d", n.Kind, n.ID, len(n.Files)))
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(ev.Tree)
	want := []string{"folder  0", "loose  1", "windows WS01/C 1", "windows WS02/C 1", "zip a.zip 1"}
	if d := cmp.Diff(want, ids); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
	if !slices.IsSortedFunc(ev.Volumes, func(a, b *Volume) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("volumes are not sorted by ID")
	}
}
