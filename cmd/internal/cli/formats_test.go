package cli

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/hive/hivetest"
	"sharetrail/parsers/source/ntfs/ntfstest"
	"sharetrail/parsers/source/vss/vsstest"
)

// partitioned puts a volume into the only partition of a disk (MBR).
func partitioned(volume []byte) []byte {
	disk := make([]byte, 128*512, 128*512+len(volume))
	e := disk[446:]
	e[4] = 0x07
	binary.LittleEndian.PutUint32(e[8:], 128)
	binary.LittleEndian.PutUint32(e[12:], uint32(len(volume)/512))
	disk[510], disk[511] = 0x55, 0xaa
	return append(disk, volume...)
}

// aliceDisk is a disk on which alice's Z: is gone since its shadow copy, and
// with enough noise on it to need several segments.
func aliceDisk(t *testing.T) []byte {
	t.Helper()
	noise := make([]byte, 2<<20)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise) // never fails
	build := func(user string) []byte {
		v := ntfstest.Volume{Size: 8 << 20, Files: []ntfstest.File{{Path: "noise.bin", Data: noise}}}
		for name, text := range evidenceTexts {
			b, err := []byte(nil), error(nil)
			switch {
			case strings.HasSuffix(name, ".evtx"):
				b, err = buildLog(text)
			case strings.HasSuffix(name, "NTUSER.DAT"):
				b, err = hivetest.Build(text + user)
			default:
				b, err = hivetest.Build(text)
			}
			if err != nil {
				t.Fatal(err)
			}
			v.Files = append(v.Files, ntfstest.File{Path: strings.TrimPrefix(name, "C/"), Data: b})
		}
		slices.SortFunc(v.Files, func(a, b ntfstest.File) int { return strings.Compare(a.Path, b.Path) })
		b, err := v.Build()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	old := build("[Network\\Y] 2026-02-20T09:00:00Z\nRemotePath=\\\\fs02\\hr\n")
	b, err := vsstest.Write(build(""), []vsstest.Snapshot{{Image: old, Created: time.Date(2026, 2, 25, 0, 0, 0, 0, time.UTC), Machine: "WS01"}}, 5<<20, 7<<20)
	if err != nil {
		t.Fatal(err)
	}
	return partitioned(b)
}

// An imageOf is a disk in one format: the file to point at, its further files, and
// the command that makes it of ../disk.raw; none for what the test writes itself.
type imageOf struct {
	name  string
	make  []string
	parts int // files in all
}

var formats = []imageOf{
	{"disk.dd", nil, 1},
	{"disk.001", nil, 4},
	{"disk.E01", []string{"ewfacquire", "-u", "-q", "-f", "encase6", "-c", "fast", "-S", "1048576", "-t", "disk", "../disk.raw"}, 3},
	{"disk-sparse.vmdk", []string{"qemu-img", "convert", "-O", "vmdk", "-o", "subformat=monolithicSparse"}, 1},
	{"disk-flat.vmdk", []string{"qemu-img", "convert", "-O", "vmdk", "-o", "subformat=monolithicFlat"}, 2},
	{"disk-2gb.vmdk", []string{"qemu-img", "convert", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"}, 2},
	{"disk-stream.vmdk", []string{"qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized"}, 1},
	{"disk.vhd", []string{"qemu-img", "convert", "-O", "vpc", "-o", "subformat=dynamic,force_size=on"}, 1},
	{"fixed.vhd", []string{"qemu-img", "convert", "-O", "vpc", "-o", "subformat=fixed,force_size=on"}, 1},
	{"disk.vhdx", []string{"qemu-img", "convert", "-O", "vhdx"}, 1},
	{"disk.qcow2", []string{"qemu-img", "convert", "-O", "qcow2", "-c"}, 1},
	{"zstd.qcow2", []string{"qemu-img", "convert", "-O", "qcow2", "-c", "-o", "compression_type=zstd"}, 1},
	{"disk.vdi", []string{"qemu-img", "convert", "-O", "vdi"}, 1},
}

// write makes the image in a folder of its own, dir.
func (f imageOf) write(t *testing.T, dir string, disk []byte) {
	t.Helper()
	must(t, os.Mkdir(dir, 0o755))
	switch {
	case f.name == "disk.001":
		for i := range 4 {
			piece := disk[i*len(disk)/4/512*512 : (i+1)*len(disk)/4/512*512]
			must(t, os.WriteFile(filepath.Join(dir, "disk.00"+string(rune('1'+i))), piece, 0o644))
		}
	case f.make == nil:
		must(t, os.WriteFile(filepath.Join(dir, f.name), disk, 0o644))
	default:
		if _, err := exec.LookPath(f.make[0]); err != nil {
			t.Skipf("%s is not installed", f.make[0])
		}
		cmd := exec.Command(f.make[0], f.make[1:]...)
		if f.make[0] == "qemu-img" {
			cmd.Args = append(cmd.Args, "../disk.raw", f.name)
		}
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFormatsAgree: one disk in every format gives byte-identical files, ids
// included, but for the names of the source and its volumes; and the manifest has
// the hash of every file that an image consists of.
func TestFormatsAgree(t *testing.T) {
	disk := aliceDisk(t)
	top := t.TempDir()
	must(t, os.WriteFile(filepath.Join(top, "disk.raw"), disk, 0o644))
	var want map[string]string
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			dir := filepath.Join(top, f.name)
			f.write(t, dir, disk)
			image, out := filepath.Join(dir, f.name), filepath.Join(t.TempDir(), "out")
			if code, _, stderr := runApp("analyze", image, "-o", out, "--hash-sources", "--context", "all", "-q"); code != 0 {
				t.Fatalf("exit %d: %s", code, stderr)
			}
			got := contents(t, out, image, f.name)
			if want == nil {
				want = got
				checkAlice(t, got)
			}
			for name := range want {
				if got[name] != want[name] {
					t.Errorf("%s differs from that of %s", name, formats[0].name)
				}
			}
			checkParts(t, filepath.Join(out, "manifest.json"), dir, f.parts)
			if code, stdout, stderr := runApp("verify", out, "--failures", "--format", "jsonl"); code != 0 {
				t.Errorf("verify: exit %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// contents are the files of a folder of results, with the names of source and
// volume taken out. The manifest tells the formats apart, and is in the page.
func contents(t *testing.T, dir, image, name string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		if e.Name() != "manifest.json" && e.Name() != "report.html" {
			all[e.Name()] = strings.NewReplacer(image, "SOURCE", name, "IMAGE").Replace(string(b))
		}
	}
	return all
}

// checkAlice looks whether the results show what is on the disk at all.
func checkAlice(t *testing.T, files map[string]string) {
	t.Helper()
	if !strings.Contains(files["gaps.jsonl"], `"G01"`) || !strings.Contains(files["timeline.jsonl"], `"snapshot":"IMAGE!p1!vss1"`) {
		t.Errorf("what happened on the disk is not seen:\n%s", files["gaps.jsonl"])
	}
}

// checkParts holds the only source of a manifest against the files in dir.
func checkParts(t *testing.T, manifest, dir string, want int) {
	t.Helper()
	b, err := os.ReadFile(manifest)
	must(t, err)
	var m struct {
		Sources []struct {
			SHA256 string
			Parts  []struct {
				Path   string
				Size   int64
				SHA256 string
			}
		}
	}
	must(t, json.Unmarshal(b, &m))
	sums := map[string]string{}
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		must(t, err)
		sum := sha256.Sum256(b)
		sums[filepath.Join(dir, e.Name())] = hex.EncodeToString(sum[:])
	}
	s := m.Sources[0]
	if len(sums) != want || s.SHA256 != sums[filepath.Join(dir, filepath.Base(dir))] {
		t.Errorf("%d files, hash %q of the source", len(sums), s.SHA256)
	}
	if want == 1 && len(s.Parts) == 0 {
		return
	}
	for _, p := range s.Parts {
		if p.SHA256 == "" || p.SHA256 != sums[p.Path] {
			t.Errorf("part %q has hash %q, want %q", p.Path, p.SHA256, sums[p.Path])
		}
		delete(sums, p.Path)
	}
	if len(sums) > 0 {
		t.Errorf("parts that the manifest lacks: %v", sums)
	}
}

// TestPartsAreProven: verify notices a change in a part of an image that no file
// of the evidence lies in.
func TestPartsAreProven(t *testing.T) {
	disk := aliceDisk(t)
	dir := filepath.Join(t.TempDir(), "image")
	split := formats[1]
	split.write(t, dir, disk)
	out := filepath.Join(t.TempDir(), "out")
	if code, _, stderr := runApp("analyze", filepath.Join(dir, split.name), "-o", out, "--hash-sources", "-q"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	name := filepath.Join(dir, "disk.004")
	b, err := os.ReadFile(name)
	must(t, err)
	b = bytes.Clone(b)
	b[len(b)-700] ^= 1
	must(t, os.WriteFile(name, b, 0o644))
	code, stdout, _ := runApp("verify", out, "--failures", "--format", "jsonl")
	if code != 3 || strings.Count(stdout, "\n") != 1 || !strings.Contains(stdout, `disk.004","ok":false,"why":"its SHA-256 is`) {
		t.Errorf("exit %d:\n%s", code, stdout)
	}
}
