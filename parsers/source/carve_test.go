package source

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// TestCarve: what may hold remains of event logs is listed when it is asked for,
// and only then.
func TestCarve(t *testing.T) {
	noise := strings.Repeat("0123456789abcdef", 512)
	windows := volume(t,
		ntfsFile("Windows/System32/config/SYSTEM", system),
		ntfsFile("Windows/explorer.exe", "MZ"),
		ntfsFile("pagefile.sys", noise), ntfsFile("HIBERFIL.SYS", noise), ntfsFile("swapfile.sys", noise),
		ntfsFile("Users/bob/pagefile.sys", noise))
	data := volume(t, ntfsFile("dump.mem", noise), ntfsFile("photo.jpg", noise), ntfsFile("chunk.bin", "ElfChnk\x00"+noise), ntfsFile("Security.evtx", "ElfChnk\x00"+noise))
	broken := bytes.Clone(data)
	for _, boot := range [][]byte{broken, broken[len(broken)-512:]} {
		clear(boot[48:64]) // where the MFT and its mirror lie
	}
	fat := make([]byte, 1<<20)
	copy(fat, "\xeb\x3c\x90MSDOS5.0")
	binary.LittleEndian.PutUint16(fat[11:], 512)
	fat[13], fat[14], fat[16], fat[21] = 1, 1, 2, 0xf8
	copy(fat[54:], "FAT16   ")
	disk := save(t, "case.dd", diskOf(windows, data, broken, fat))
	wantLines(t, open(t, disk, Options{Carve: true}),
		`volume id="case.dd!p1" root="" label="case" ntfs windows`,
		"  (unallocated space) raw",
		"  HIBERFIL.SYS raw",
		"  Users/bob/pagefile.sys raw",
		"  Windows/System32/config/SYSTEM hive expected",
		"  pagefile.sys raw",
		"  swapfile.sys raw",
		`  warning "HIBERFIL.SYS" @-1: hibernation file: Windows compresses most of what it writes there; only what lies there as it is was searched`,
		`volume id="case.dd!p2" root="" label="case" ntfs loose`,
		"  (unallocated space) raw",
		"  Security.evtx evtx expected",
		"  Security.evtx (slack) raw",
		"  chunk.bin raw",
		"  dump.mem raw",
		`volume id="case.dd!p3" root="" label="case" ntfs loose`,
		"  (whole volume) raw",
		`volume id="case.dd!p4" root="" label="case" fat loose`,
		"  (whole volume) raw",
		`  warning "" @-1: no file system is read in it: its bytes are searched for what event logs leave`,
		`warning "case.dd!p3" @-1: no file can be told from another: all of it is searched for what event logs leave, used or not`,
		`error "case.dd!p3" @48: NTFS volume cannot be read: cluster of $MFT: 0 lies outside of 2047 clusters`,
		`warning "case.dd!p4" @25231360: volume not read: FAT is not read: mount it read-only and point at the mounted folder; Windows itself does not run from it`,
	)
	for _, v := range open(t, disk, Options{}).Volumes {
		for _, f := range v.Files {
			if f.Kind == Raw {
				t.Errorf("%s is listed", f.Path)
			}
		}
	}
}

// TestCarveFile: a file that is nothing else is bytes of any kind, alone, in a
// folder or in an archive.
func TestCarveFile(t *testing.T) {
	noise := strings.Repeat("0123456789abcdef", 512)
	for _, name := range []string{"unalloc.blkls", "memory.raw", "anything", "disk.dd"} {
		path := save(t, name, []byte(noise))
		ev := open(t, path, Options{Carve: true})
		wantLines(t, ev, `volume id="" root="" label="`+name+`" file loose`, "  "+name+" raw")
		if got := readAll(t, ev.Volumes[0].Files[0]); got != noise {
			t.Errorf("%s: %d bytes", name, len(got))
		}
		if ev := open(t, path, Options{}); len(ev.Volumes) != 0 || len(ev.Problems) == 0 {
			t.Errorf("%s is listed", name)
		}
	}
	z := zipOf(t, member{name: "C/Windows/System32/config/SYSTEM", data: system}, member{name: "C/pagefile.sys", data: noise}, member{name: "free.bin", data: noise}, member{name: "notes.txt", data: noise})
	wantLines(t, open(t, save(t, "case.zip", z), Options{Carve: true}),
		`volume id="case.zip" root="" label="case" zip loose`, "  free.bin raw",
		`volume id="case.zip!C" root="C" label="case" zip windows`, "  Windows/System32/config/SYSTEM hive expected", "  pagefile.sys raw")
}
