package source

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"

	"github.com/google/go-cmp/cmp"
)

const volumeSize = 8 << 20

// volume is an NTFS volume that holds files.
func volume(t testing.TB, files ...ntfstest.File) []byte {
	t.Helper()
	b, err := ntfstest.Volume{Size: volumeSize, Label: "OS", Files: files}.Build()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ntfsFile(path, data string) ntfstest.File { return ntfstest.File{Path: path, Data: []byte(data)} }

// diskOf is a disk with one MBR partition for each volume.
func diskOf(volumes ...[]byte) []byte {
	const sector, first = 512, 128
	disk := make([]byte, first*sector)
	for i, v := range volumes {
		e := disk[446+16*i:]
		e[4] = 0x07
		binary.LittleEndian.PutUint32(e[8:], uint32(len(disk)/sector))
		binary.LittleEndian.PutUint32(e[12:], uint32(len(v)/sector))
		disk = append(disk, v...)
	}
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}

func save(t testing.TB, name string, data []byte) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// What lies outside of the places of evidence is not looked at in a volume with
// Windows, but for event logs; all else is, as in a folder.
func TestVolumes(t *testing.T) {
	windows := volume(t,
		ntfsFile("Windows/System32/config/SYSTEM", system),
		ntfsFile("Windows/System32/config/SYSTEM.LOG1", txlog),
		ntfsFile("Windows/System32/config/renamed.bin", software),
		ntfsFile("WINDOWS/System32/winevt/Logs/deep/er/System.evtx", evtx),
		ntfsFile("Windows/Prefetch/NET.EXE-DF44F913.pf", "MAM\x04"),
		ntfsFile("Windows/explorer.exe", "MZ"),
		ntfsFile("Windows/ServiceProfiles/LocalService/NTUSER.DAT", user),
		ntfsFile("Users/bob/NTUSER.DAT", user),
		ntfsFile("Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat", user),
		ntfsFile("Users/bob/AppData/Local/Temp/hidden.evtx", evtx),
		ntfsFile("Users/bob/AppData/Local/Temp/hidden.bin", evtx),
		ntfsFile("backup/of/ann/ntuser.dat", user),
		ntfsFile("Users/bob/AppData/Roaming/Microsoft/Windows/Recent/AutomaticDestinations/1.automaticDestinations-ms", "x"),
		ntfsFile("Users/bob/Desktop/log.bin", evtx),
		ntfsFile("Users/bob/Documents/20210304/PowerShell_transcript.WS01.txt", "x"),
		ntfsFile("Users/bob/Documents/20210304/photo.bin", evtx),
		ntfsFile("Windows.old/Windows/System32/config/SYSTEM", system),
		ntfsFile("Windows.old/Users/bob/NTUSER.DAT", user),
	)
	data := volume(t,
		ntfsFile("exports/Security.evtx", evtx),
		ntfsFile("C/Users/eve/NTUSER.DAT", user),
		ntfsFile("backup.zip", string(zipOf(t, member{name: "C/Users/ann/NTUSER.DAT", data: user}))),
		ntfsFile("notes.txt", "x"),
	)
	ev := open(t, save(t, "case.dd", diskOf(windows, data)), Options{})
	wantLines(t, ev,
		`volume id="case.dd!p1" root="" label="case" ntfs windows`,
		"  Users/bob/AppData/Local/Microsoft/Windows/UsrClass.dat hive expected",
		"  Users/bob/AppData/Local/Temp/hidden.evtx evtx expected",
		"  Users/bob/AppData/Roaming/Microsoft/Windows/Recent/AutomaticDestinations/1.automaticDestinations-ms other",
		"  Users/bob/Desktop/log.bin evtx",
		"  Users/bob/Documents/20210304/PowerShell_transcript.WS01.txt other",
		"  Users/bob/NTUSER.DAT hive expected",
		"  WINDOWS/System32/winevt/Logs/deep/er/System.evtx evtx expected",
		"  Windows/Prefetch/NET.EXE-DF44F913.pf other",
		"  Windows/ServiceProfiles/LocalService/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/config/SYSTEM.LOG1 hive-log expected",
		"  Windows/System32/config/renamed.bin hive",
		`  warning "backup/of/ann/ntuser.dat" @-1: a registry hive where Windows keeps none, one of 1 on this volume: whose it is is not known, so it was not read; extract it and point at it`,
		`volume id="case.dd!p1!Windows.old" root="Windows.old" label="case" ntfs windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		`volume id="case.dd!p2" root="" label="case" ntfs loose`,
		"  exports/Security.evtx evtx expected",
		`volume id="case.dd!p2!C" root="C" label="case" ntfs windows`,
		"  Users/eve/NTUSER.DAT hive expected",
		`volume id="case.dd!p2!backup.zip" root="C" label="backup" zip windows`,
		"  Users/ann/NTUSER.DAT hive expected",
	)
	if ev.Kind != "image" || ev.Tree.Kind != "disk" || len(ev.Tree.Children) != 2 || ev.Tree.Children[1].Offset != 128*512+volumeSize {
		t.Errorf("kind %q, tree %+v", ev.Kind, ev.Tree)
	}
	if n := ev.Tree.Children[0]; n.Kind != "ntfs" || n.Label != "OS" || n.Size != volumeSize || n.Created.IsZero() {
		t.Errorf("node of the volume %+v", n)
	}
	for _, f := range ev.Volumes[0].Files {
		if f.Path == "Users/bob/NTUSER.DAT" && readAll(t, f) != user {
			t.Error("the content of a file differs")
		}
		if away := strings.HasSuffix(f.Path, "hidden.evtx") || strings.HasSuffix(f.Path, "Desktop/log.bin"); f.Away != away || away && readAll(t, f) != evtx {
			t.Errorf("%s: away %v, or its content differs", f.Path, f.Away)
		}
	}
}

// junction is the content of a reparse point that leads to target.
func junction(target string) []byte {
	u := utf16.Encode([]rune(target))
	b := make([]byte, 16+2*len(u)+4)
	binary.LittleEndian.PutUint32(b, 0xa0000003)
	binary.LittleEndian.PutUint16(b[4:], uint16(len(b)-8))
	binary.LittleEndian.PutUint16(b[10:], uint16(2*len(u)))
	binary.LittleEndian.PutUint16(b[12:], uint16(2*len(u)+2))
	for i, c := range u {
		binary.LittleEndian.PutUint16(b[16+2*i:], c)
	}
	return b
}

// The junctions that every Windows has are neither followed nor a problem.
func TestJunctions(t *testing.T) {
	link := func(at, to string) ntfstest.File {
		return ntfstest.File{Path: at, Dir: true, Reparse: junction(to), Attributes: 0x410}
	}
	img := volume(t, ntfsFile("Windows/System32/config/SYSTEM", system), ntfsFile("Users/bob/NTUSER.DAT", user),
		link("Documents and Settings", `\??\C:\Users`), link("Users/All Users", `\??\C:\ProgramData`),
		link("Users/bob/Recent", `\??\C:\Users\bob\AppData\Roaming\Microsoft\Windows\Recent`), link("Users/bob/Documents/My Music", `\??\C:\Users\bob\Music`))
	wantLines(t, open(t, save(t, "c.dd", img), Options{}),
		`volume id="c.dd" root="" label="c" ntfs windows`, "  Users/bob/NTUSER.DAT hive expected", "  Windows/System32/config/SYSTEM hive expected")
}

// history is a volume whose Windows changed: what was live, and an older image.
func history(t testing.TB) (live, old []byte) {
	logged := evtx + strings.Repeat("old", 1000)
	old = volume(t,
		ntfsFile("Windows/System32/config/SYSTEM", system),
		ntfsFile("Users/bob/NTUSER.DAT", user+"old"),
		ntfsFile("Windows/System32/winevt/Logs/Security.evtx", logged),
		ntfsFile("Users/bob/Desktop/gone.evtx", evtx))
	live = volume(t,
		ntfsFile("Windows/System32/config/SYSTEM", system),
		ntfsFile("Users/bob/NTUSER.DAT", user+"new"),
		ntfsFile("Windows/System32/winevt/Logs/Security.evtx", evtx))
	return live, old
}

var (
	monday  = time.Date(2021, 3, 1, 10, 0, 0, 0, time.UTC)
	tuesday = time.Date(2021, 3, 2, 10, 0, 0, 0, time.UTC)
)

func TestSnapshots(t *testing.T) {
	live, old := history(t)
	img, err := vsstest.Write(live, []vsstest.Snapshot{
		{Image: old, Created: monday, Machine: "WS01"},
		{Image: old, Created: tuesday, Machine: "WS01", Flags: 0x440},
	}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	path := save(t, "c.dd", diskOf(img))
	ev := open(t, path, Options{})
	wantLines(t, ev,
		`volume id="c.dd!p1" root="" label="c" ntfs windows`,
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
		`volume id="c.dd!p1!vss1" root="" label="c" ntfs windows`,
		"  Users/bob/Desktop/gone.evtx evtx expected",
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
		`volume id="c.dd!p1!vss2" root="" label="c" ntfs windows`,
		"  Users/bob/Desktop/gone.evtx evtx expected",
		"  Users/bob/NTUSER.DAT hive expected",
		"  Windows/System32/config/SYSTEM hive expected",
		"  Windows/System32/winevt/Logs/Security.evtx evtx expected",
		`  warning "" @-1: Windows may have kept some files out of this snapshot (ScopeSnapshots): those may show newer data`,
	)
	var same []string
	for i, v := range ev.Volumes[1:] {
		if want := fmt.Sprintf("c.dd!p1!vss%d", i+1); v.Snapshot != want || v.Of != ev.Volumes[0] || v.HostHint != "WS01" || v.SnapshotID == "" || !v.AsOf.Equal([]time.Time{monday, tuesday}[i]) {
			t.Errorf("%s: snapshot %q of %v at %v, id %q, host %q", v.ID, v.Snapshot, v.Of, v.AsOf, v.SnapshotID, v.HostHint)
		}
		for _, f := range v.Files {
			if f.SameAs != (Ref{}) {
				same = append(same, f.Path+" of "+v.ID+" = "+f.SameAs.Volume)
			}
			if f.Path == "Users/bob/NTUSER.DAT" && readAll(t, f) != user+"old" {
				t.Error("the snapshot does not show the old hive")
			}
		}
	}
	want := []string{
		"Users/bob/Desktop/gone.evtx of c.dd!p1!vss1 = c.dd!p1!vss2",
		"Users/bob/NTUSER.DAT of c.dd!p1!vss1 = c.dd!p1!vss2",
		"Windows/System32/config/SYSTEM of c.dd!p1!vss1 = c.dd!p1",
		"Windows/System32/winevt/Logs/Security.evtx of c.dd!p1!vss1 = c.dd!p1!vss2",
		"Windows/System32/config/SYSTEM of c.dd!p1!vss2 = c.dd!p1",
	}
	if d := cmp.Diff(want, same); d != "" {
		t.Errorf("unchanged files (-want +got):\n%s", d)
	}
	kinds := []string{}
	for _, n := range ev.Tree.Children[0].Children {
		kinds = append(kinds, n.Kind+" "+n.ID+" "+n.Created.Format(time.DateOnly))
	}
	if d := cmp.Diff([]string{"snapshot c.dd!p1!vss1 2021-03-01", "snapshot c.dd!p1!vss2 2021-03-02"}, kinds); d != "" {
		t.Errorf("tree (-want +got):\n%s", d)
	}
	if ev := open(t, path, Options{NoSnapshots: true}); len(ev.Volumes) != 1 {
		t.Errorf("%d volumes without snapshots", len(ev.Volumes))
	}
}

// What tells of shadow copies that are not there, or not whole.
func TestSnapshotsLost(t *testing.T) {
	live, old := history(t)
	build := func(snaps ...vsstest.Snapshot) []byte {
		img, err := vsstest.Write(live, snaps, 5<<20, 7<<20)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	has := func(name string, img []byte, want string) *Evidence {
		t.Helper()
		ev := open(t, save(t, "c.dd", img), Options{})
		if !slices.ContainsFunc(describe(ev), func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("%s: no %q in\n%s", name, want, strings.Join(describe(ev), "\n"))
		}
		return ev
	}
	if ev := has("all deleted", build(), "the catalog names none"); !ev.Volumes[0].EmptyCatalog {
		t.Error("the volume does not say that its catalog is empty")
	}
	snap := vsstest.Snapshot{Image: old, Created: monday, Machine: "WS01"}
	snap.Flags = 0x140
	has("deleted", build(snap), "this snapshot was deleted")
	img := build(vsstest.Snapshot{Image: old, Created: monday, Machine: "WS01"})
	clear(img[5<<20+16384 : 5<<20+6*16384]) // the tables of the store
	ev := has("damaged", img, `error "c.dd!vss1"`)
	if v := ev.Volumes[0]; len(v.Files) != 3 {
		t.Errorf("damage of a snapshot costs files of the volume: %d left", len(v.Files))
	}
	img = build(snap)
	clear(img[5<<20 : 5<<20+16384]) // the catalog
	if ev := has("no catalog", img, `error "" @`); !slices.Equal(ev.Volumes[0].Unreadable, []string{ShadowCopies}) || ev.Volumes[0].EmptyCatalog {
		t.Errorf("no catalog: %+v", ev.Volumes[0])
	}
	// Without a boot sector and its copy the volume cannot be read, but that is said.
	img = build(vsstest.Snapshot{Image: old, Created: monday})
	clear(img[0x30000 : 0x30000+1024])
	if ev := open(t, save(t, "d.dd", img), Options{}); ev.Tree == nil {
		t.Error("no tree")
	}
}

// Stores on another volume are found there: in the same source, or where
// Options.Storage says.
func TestSnapshotsElsewhere(t *testing.T) {
	live, old := history(t)
	other := volume(t)
	img, st, err := vsstest.WriteTo(live, other, []vsstest.Snapshot{{Image: old, Created: monday, Machine: "WS01"}}, 6<<20, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	old1 := func(ev *Evidence) bool {
		return slices.ContainsFunc(ev.Volumes, func(v *Volume) bool {
			return v.Snapshot != "" && slices.ContainsFunc(v.Files, func(f File) bool { return f.Path == "Users/bob/NTUSER.DAT" && readAll(t, f) == user+"old" })
		})
	}
	if ev := open(t, save(t, "both.dd", diskOf(img, st)), Options{}); !old1(ev) {
		t.Errorf("same source:\n%s", strings.Join(describe(ev), "\n"))
	}
	alone, store := save(t, "c.dd", img), save(t, "d.dd", diskOf(st))
	if ev := open(t, alone, Options{Storage: []string{store}}); !old1(ev) {
		t.Errorf("with storage:\n%s", strings.Join(describe(ev), "\n"))
	}
	ev := open(t, alone, Options{})
	if old1(ev) || !slices.ContainsFunc(ev.Problems, func(p Problem) bool {
		return p.Severity == Error && strings.Contains(p.What, "not on a volume at hand")
	}) {
		t.Errorf("without storage:\n%s", strings.Join(describe(ev), "\n"))
	}
}

func TestDeletedFiles(t *testing.T) {
	files := []ntfstest.File{
		ntfsFile("Windows/System32/config/SYSTEM", system),
		ntfsFile("Users/bob/NTUSER.DAT", user),
		{Path: "Users/eve/NTUSER.DAT", Data: []byte(user + "eve"), Deleted: true},
		{Path: "Windows/System32/winevt/Logs/Security.evtx", Data: []byte(evtx), Deleted: true},
		{Path: "Windows/System32/winevt/Logs/System.evtx", Data: []byte(evtx), Deleted: true, Reused: true},
		{Path: "Users/eve/holiday.jpg", Data: []byte("x"), Deleted: true},
		{Path: "Users/bob/AppData/Roaming/Microsoft/Windows/Recent/a.lnk", Data: []byte("L\x00\x00\x00\x01\x14\x02\x00 and so on"), Deleted: true},
		{Path: "Users/bob/AppData/Roaming/Microsoft/Windows/Recent/b.lnk", Data: []byte("something else"), Deleted: true},
		{Path: "Users/bob/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", Data: []byte("net use Z: /delete\r\n"), Deleted: true},
		{Path: "Windows/Prefetch/NET.EXE-11111111.pf", Data: []byte(strings.Repeat("MAM\x04", 4000)), Deleted: true, Reused: true},
	}
	path := save(t, "c.dd", volume(t, files...))
	ev := open(t, path, Options{})
	var got []string
	for _, f := range ev.Volumes[0].Files {
		if f.Deleted {
			got = append(got, f.Path+" "+string(f.Kind))
			if f.Path == "Users/eve/NTUSER.DAT" && readAll(t, f) != user+"eve" {
				t.Error("the content differs")
			}
		}
	}
	if d := cmp.Diff([]string{
		"Users/bob/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt other", "Users/bob/AppData/Roaming/Microsoft/Windows/Recent/a.lnk other",
		"Users/eve/NTUSER.DAT hive", "Windows/System32/winevt/Logs/Security.evtx evtx"}, got); d != "" {
		t.Errorf("deleted files (-want +got):\n%s", d)
	}
	if ps := ev.Volumes[0].Problems; len(ps) != 1 || ps[0].Severity != Warning || ps[0].Path != "Windows/System32/winevt/Logs/System.evtx" || !strings.Contains(ps[0].What, "whose content is lost") {
		t.Errorf("problems %+v", ps)
	}
	for _, f := range open(t, path, Options{NoDeleted: true}).Volumes[0].Files {
		if f.Deleted {
			t.Errorf("%s with NoDeleted", f.Path)
		}
	}
}

// Images inside of archives, split ones too, and archives inside of images.
func TestNestedImages(t *testing.T) {
	img := diskOf(volume(t, ntfsFile("C/Users/bob/NTUSER.DAT", user)))
	half := len(img) / 2
	inner := zipOf(t, member{name: "out/disk.001", data: string(img[:half])}, member{name: "out/disk.002", data: string(img[half:]), stored: true})
	ev := open(t, save(t, "case.zip", zipOf(t, member{name: "inner.zip", data: string(inner)})), Options{})
	wantLines(t, ev, `volume id="case.zip!inner.zip!out/disk.001!p1" root="C" label="disk" ntfs windows`, "  Users/bob/NTUSER.DAT hive expected")
	readAll(t, ev.Volumes[0].Files[0])

	ev = open(t, save(t, "case.zip", zipOf(t, member{name: "inner.zip", data: string(inner)})), Options{MaxDepth: 2})
	wantLines(t, ev, `error "case.zip!inner.zip!out/disk.001" @-1: disk image cannot be read: more than 2 containers inside each other (MaxDepth); extract it and point at the extracted file`)
}

// A damaged volume gives what can be read, and says what cannot.
func TestDamagedVolume(t *testing.T) {
	good := volume(t, ntfsFile("Windows/System32/config/SYSTEM", system), ntfsFile("Users/bob/NTUSER.DAT", user))
	b := bytes.Clone(good)
	clear(b[:512]) // the copy of the boot sector is used
	ev := open(t, save(t, "c.dd", diskOf(b)), Options{})
	if len(ev.Volumes) != 1 || len(ev.Volumes[0].Files) != 2 || len(ev.Problems) == 0 {
		t.Errorf("no boot sector:\n%s", strings.Join(describe(ev), "\n"))
	}
	ev = open(t, save(t, "c.dd", diskOf(good)[:3<<20]), Options{})
	if !slices.ContainsFunc(ev.Problems, func(p Problem) bool { return strings.Contains(p.What, "cut short") }) {
		t.Errorf("cut:\n%s", strings.Join(describe(ev), "\n"))
	}
	dir := write(t, map[string]string{"c-flat.vmdk": string(good), "d.vmdk": strings.Repeat("x", 512),
		"c.vmdk": fmt.Sprintf("# Disk DescriptorFile\nparentCID=ffffffff\nRW %d FLAT \"c-flat.vmdk\" 0\nRW 8 SPARSE \"d.vmdk\"\n", len(good)/512)})
	ev = open(t, filepath.Join(dir, "c.vmdk"), Options{})
	want := fmt.Sprintf(`warning "c.vmdk" @0: disk offsets %#x to %#x cannot be read: d.vmdk: header: signature "xxxx"`, len(good), len(good)+4096)
	if len(ev.Volumes) != 1 || len(ev.Volumes[0].Files) != 2 || !slices.Contains(describe(ev), want) {
		t.Errorf("an extent is damaged, no %s:\n%s", want, strings.Join(describe(ev), "\n"))
	}
}

// Every image stays as it is: bytes, attributes and times.
func TestImageIsNotTouched(t *testing.T) {
	path := save(t, "c.dd", volume(t, ntfsFile("Windows/System32/config/SYSTEM", system)))
	if err := os.Chmod(path, 0o444); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	readAll(t, ev.Volumes[0].Files[0])
	if err := ev.Close(); err != nil {
		t.Error(err)
	}
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(data, again) || after.ModTime() != before.ModTime() || after.Mode() != before.Mode() || after.Size() != before.Size() {
		t.Errorf("the image changed: %v", err)
	}
}

// The pieces that split makes are one disk, and the first names it.
func TestPiecesByLetters(t *testing.T) {
	img := diskOf(volume(t, ntfsFile("Users/bob/NTUSER.DAT", user)))
	dir := write(t, map[string]string{"xaa": string(img[:3<<20]), "xab": string(img[3<<20 : 6<<20]), "xac": string(img[6<<20:])})
	ev := open(t, filepath.Join(dir, "xaa"), Options{})
	wantLines(t, ev, `volume id="xaa!p1" root="" label="xaa" ntfs windows`, "  Users/bob/NTUSER.DAT hive expected")
	if len(ev.Parts) != 3 || readAll(t, ev.Volumes[0].Files[0]) != user {
		t.Errorf("read from %q", ev.Parts)
	}
	wantLines(t, open(t, filepath.Join(dir, "xac"), Options{}), `error "xac" @0: disk image cannot be read: name: xaa comes before: open the first piece instead: a part of an image`)
	ev = open(t, dir, Options{})
	if len(ev.Volumes) != 1 || ev.Volumes[0].ID != "xaa!p1" || len(ev.Problems) != 0 {
		t.Errorf("the folder:\n%s", strings.Join(describe(ev), "\n"))
	}
}

// An event log that was moved is looked for in the snapshots where the live volume
// has one.
func TestMovedLogs(t *testing.T) {
	base := []ntfstest.File{ntfsFile("Windows/System32/config/SYSTEM", system)}
	old := volume(t, append(base, ntfsFile("Logs/Security.evtx", evtx+"old"), ntfsFile("Logs/notes.txt", "x"))...)
	live := volume(t, append(base, ntfsFile("Logs/Security.evtx", evtx+"new"), ntfsFile("Logs/notes.txt", "y"))...)
	img, err := vsstest.Write(live, []vsstest.Snapshot{{Image: old, Created: monday, Machine: "WS01"}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	ev := open(t, save(t, "c.dd", diskOf(img)), Options{NoDeleted: true})
	wantLines(t, ev,
		`volume id="c.dd!p1" root="" label="c" ntfs windows`,
		"  Logs/Security.evtx evtx expected",
		"  Windows/System32/config/SYSTEM hive expected",
		`volume id="c.dd!p1!vss1" root="" label="c" ntfs windows`,
		"  Logs/Security.evtx evtx expected",
		"  Windows/System32/config/SYSTEM hive expected",
	)
	for i, want := range []string{evtx + "new", evtx + "old"} {
		if f := ev.Volumes[i].Files[0]; !f.Away || readAll(t, f) != want {
			t.Errorf("%s of %s: away %v, or its content differs", f.Path, ev.Volumes[i].ID, f.Away)
		}
	}
}

// A volume is whole if Windows can run from it, and all of it could be read.
func TestWhole(t *testing.T) {
	base := []ntfstest.File{ntfsFile("Windows/System32/config/SYSTEM", system)}
	runs := append(base, ntfsFile("Windows/System32/ntoskrnl.exe", "MZ"))
	for _, test := range []struct {
		name  string
		files []ntfstest.File
		whole bool
	}{
		{"of Windows", runs, true},
		{"files of one", base, false},
		{"a file unreadable", append(runs, ntfsFile("Windows/System32/winevt/Logs/System.evtx", "none")), false},
	} {
		ev := open(t, save(t, "c.dd", diskOf(volume(t, test.files...))), Options{})
		if v := ev.Volumes[0]; v.Whole != test.whole {
			t.Errorf("%s: whole %v", test.name, v.Whole)
		}
	}
	b := volume(t, runs...)
	clear(b[:512]) // its boot sector
	if v := open(t, save(t, "c.dd", diskOf(b)), Options{}).Volumes[0]; v.Whole {
		t.Error("a damaged volume is whole")
	}
}

// TestSearchedPartitions: volumes that no partition table lists any more are found
// where partitions begin, each once.
func TestSearchedPartitions(t *testing.T) {
	const mib = 1 << 20
	first, second := volume(t, ntfsFile("Users/bob/NTUSER.DAT", user)), volume(t, ntfsFile("Users/eve/NTUSER.DAT", user))
	image := make([]byte, 63*512, 64*mib)
	image = append(image, first...)
	image = append(image, make([]byte, (len(image)/mib+2)*mib-len(image))...)
	at := len(image)
	image = append(image, second...)
	image = append(image, make([]byte, mib)...)
	table := bytes.Clone(image) // lists neither: its entries are damaged
	table[510], table[511] = 0x55, 0xaa
	table[446+4], table[446+8], table[446+12] = 0x07, 5, 9
	for _, test := range []struct {
		name  string
		image []byte
		says  string
		index int
	}{
		{"wiped", image, `error "case.dd" @0: first sector: no partition table and no known volume: volumes were found by their boot sectors; whether there are others is not known`, 1},
		{"damaged", table, "", 2},
	} {
		got := describe(open(t, save(t, "case.dd", test.image), Options{}))
		want := []string{"  Users/bob/NTUSER.DAT hive expected", "  Users/eve/NTUSER.DAT hive expected", test.says}
		for i, off := range []int{63 * 512, at} {
			want = append(want, fmt.Sprintf(`warning "case.dd" @%d: boot sector: partition %d: no partition table lists it, its boot sector was found`, off, test.index+i))
		}
		for _, line := range want {
			if n := len(slices.DeleteFunc(slices.Clone(got), func(s string) bool { return s != line })); line != "" && n != 1 {
				t.Errorf("%s: %d times %s in\n%s", test.name, n, line, strings.Join(got, "\n"))
			}
		}
	}
}

// TestLostPartitions: partitions that a table lists where the image cannot be read
// are evidence that could not be read.
func TestLostPartitions(t *testing.T) {
	b := diskOf(volume(t, ntfsFile("Users/bob/NTUSER.DAT", user)), nil)
	b[446+16+4] = 0x0f // extended, behind the end
	binary.LittleEndian.PutUint32(b[446+16+12:], 4096)
	ev := open(t, save(t, "case.dd", b), Options{})
	want := fmt.Sprintf(`error "case.dd" @%d: extended boot record: cannot be read, so that further logical partitions are unknown; the image ends at %#x`, len(b), len(b))
	if got := describe(ev); !slices.Contains(got, want) || !slices.Contains(got, "  Users/bob/NTUSER.DAT hive expected") {
		t.Errorf("want %s in\n%s", want, strings.Join(got, "\n"))
	}
}
