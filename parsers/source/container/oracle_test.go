package container

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func oracle(t *testing.T, name string) func(args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("oracle %s is not installed", name)
	}
	return func(args ...string) {
		t.Helper()
		if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
	}
}

func write(t *testing.T, path string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What qemu-img writes must read as what it was given.
func TestQemuWrites(t *testing.T) {
	qemu := oracle(t, "qemu-img")
	dir := t.TempDir()
	disk := content(5<<20+512*7, 11)
	clear(disk[1<<20 : 3<<20])
	raw := write(t, filepath.Join(dir, "disk.raw"), disk)
	for _, tt := range []struct{ name, kind, format, options string }{
		{"a.vmdk", "vmdk", "vmdk", "subformat=monolithicSparse"},
		{"b.vmdk", "vmdk", "vmdk", "subformat=monolithicFlat"},
		{"c.vmdk", "vmdk", "vmdk", "subformat=twoGbMaxExtentSparse"},
		{"d.vmdk", "vmdk", "vmdk", "subformat=twoGbMaxExtentFlat"},
		{"e.vmdk", "vmdk", "vmdk", "subformat=streamOptimized"},
		{"f.vhd", "vhd", "vpc", "subformat=dynamic,force_size=on"},
		{"g.vhd", "vhd", "vpc", "subformat=fixed,force_size=on"},
		{"h.vhdx", "vhdx", "vhdx", "subformat=dynamic,block_size=1M"},
		{"i.vhdx", "vhdx", "vhdx", "subformat=fixed"},
		{"j.qcow2", "qcow2", "qcow2", "cluster_size=512"},
		{"k.qcow2", "qcow2", "qcow2", "cluster_size=2M"},
		{"l.qcow2", "qcow2", "qcow2", "compat=0.10"},
		{"m.vdi", "vdi", "vdi", "static=off"},
		{"n.vdi", "vdi", "vdi", "static=on"},
		{"o.qcow2", "qcow2", "qcow2", "compression_type=zlib"},
		{"p.qcow2", "qcow2", "qcow2", "compression_type=zstd"},
	} {
		path := filepath.Join(dir, tt.name)
		args := []string{"convert", "-f", "raw", "-O", tt.format, "-o", tt.options}
		if strings.HasPrefix(tt.options, "compression") {
			args = append(args, "-c")
		}
		qemu(append(args, raw, path)...)
		im, err := openFile(t, path)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if im.Kind() != tt.kind || im.Size() != int64(len(disk)) || len(im.Warnings()) > 0 {
			t.Errorf("%s: %s, %d bytes, %v", tt.name, im.Kind(), im.Size(), im.Warnings())
		} else if got := whole(t, im); !bytes.Equal(got, disk) {
			t.Errorf("%s %s: differs from offset %#x on", tt.name, tt.options, firstDiff(got, disk))
		}
	}
}

// qemu-img must read what the writers of these tests write as the disk that they
// were given: what the other tests compare with is then right.
func TestQemuReads(t *testing.T) {
	qemu := oracle(t, "qemu-img")
	formats := map[string]string{"raw": "raw", "vmdk": "vmdk", "vhd": "vpc", "vhdx": "vhdx", "qcow2": "qcow2", "vdi": "vdi"}
	for _, s := range samples() {
		switch s.name {
		case "a.avhdx", "diff.vhd", "chain.qcow2", "over.qcow2", "flat.vmdk", "d.001", "d.00", "d.000", "d.0001", "d.dd.aa", "xaa", "D.AAA", "fixed511.vhd", "a.vdi", "zstd.qcow2":
			continue // qemu-img has no parents of VHD and VHDX, takes paths as they are, VDI blocks of 1 MiB only, and wants reference counts
		}
		format := formats[s.kind]
		if format == "" {
			continue
		}
		dir := t.TempDir()
		path := write(t, filepath.Join(dir, s.name), s.files[s.name])
		out := filepath.Join(dir, "out")
		args := []string{"convert", "-f", format, "-O", "raw", path, out}
		if format == "vpc" {
			args = append([]string{"convert", "--image-opts", "-O", "raw"}, "driver=vpc,force_size_calc=current_size,file.filename="+path, out)
		}
		qemu(args...)
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, s.disk) {
			t.Errorf("%s: qemu-img reads another disk of %d bytes (%d), from offset %#x on", s.name, len(got), len(s.disk), firstDiff(got, s.disk))
		}
	}
}

// qemu-img replays the log of a VHDX into the file: the disk must be the same.
func TestQemuReplays(t *testing.T) {
	qemu := oracle(t, "qemu-img")
	dir := t.TempDir()
	img := dirty(func(bat, block []byte, size int64) []byte {
		a := logEntryOf(8, 0, size, change{off: vhdxBATAt, data: bat}, change{off: 4<<20 + 4096, data: bytes.Repeat([]byte{1}, 4096)})
		b := logEntryOf(9, 0, size, change{off: 4<<20 + 4096, data: block}, change{off: 4 << 20, n: 4096})
		return pages(0, a, b)
	})
	im, err := files{"a.vhdx": img}.open("a.vhdx")
	if err != nil {
		t.Fatal(err)
	}
	ours := whole(t, im)
	path := write(t, filepath.Join(dir, "a.vhdx"), img)
	qemu("check", "-r", "all", path)
	out := filepath.Join(dir, "out")
	qemu("convert", "-f", "vhdx", "-O", "raw", path, out)
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, ours) {
		t.Errorf("qemu-img replays to another disk, from offset %#x on", firstDiff(got, ours))
	}
}

// What ewfacquire writes must read as what it was given, and hash so.
func TestEwfWrites(t *testing.T) {
	acquire := oracle(t, "ewfacquire")
	dir := t.TempDir()
	disk := content(3<<20+512*7, 12)
	clear(disk[1<<20 : 2<<20])
	raw := write(t, filepath.Join(dir, "disk.raw"), disk)
	for _, tt := range []struct{ format, first, compress, sectors string }{
		{"encase1", "E01", "fast", "64"}, {"encase3", "E01", "none", "64"}, {"encase5", "E01", "best", "64"}, {"encase6", "E01", "fast", "16"},
		{"encase6", "E01", "empty-block", "1024"}, {"encase7", "E01", "fast", "64"}, {"ftk", "E01", "fast", "64"}, {"linen6", "E01", "fast", "64"},
		{"smart", "s01", "fast", "64"}, {"ewfx", "e01", "fast", "64"}, {"ewf", "e01", "fast", "64"},
	} {
		target := filepath.Join(dir, tt.format+tt.compress+tt.sectors)
		acquire("-u", "-q", "-f", tt.format, "-c", tt.compress, "-b", tt.sectors, "-S", "1MiB", "-C", "case 9", "-e", "Müller", "-t", target, raw)
		im, err := openFile(t, target+"."+tt.first)
		if err != nil {
			t.Errorf("%s: %v", tt.format, err)
			continue
		}
		if im.Size() != int64(len(disk)) || len(im.Warnings()) > 0 || len(im.Files()) == 0 && tt.sectors != "1024" {
			t.Errorf("%s: %d bytes, %v, %v", tt.format, im.Size(), im.Warnings(), im.Files())
		} else if got := whole(t, im); !bytes.Equal(got, disk) {
			t.Errorf("%s: differs from offset %#x on", tt.format, firstDiff(got, disk))
		}
		if err := im.Verify(context.Background()); err != nil {
			t.Errorf("%s: %v", tt.format, err)
		}
		if got := im.Stored()["case number"]; got != "case 9" && tt.format != "encase1" {
			t.Errorf("%s: case number %q of %v", tt.format, got, im.Stored())
		}
	}
}

// ewfexport must read what the writer of these tests writes.
func TestEwfReads(t *testing.T) {
	export := oracle(t, "ewfexport")
	for _, s := range samples() {
		if s.kind != "e01" || s.name == "a.e01" { // libewf wants the volume section first
			continue
		}
		dir := t.TempDir()
		for name, b := range s.files {
			write(t, filepath.Join(dir, name), b)
		}
		out := filepath.Join(dir, "out")
		export("-u", "-q", "-f", "raw", "-t", out, filepath.Join(dir, s.name))
		got, err := os.ReadFile(out + ".raw")
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, s.disk) {
			t.Errorf("%s: ewfexport reads another disk of %d bytes, from offset %#x on", s.name, len(got), firstDiff(got, s.disk))
		}
	}
}
