package container

import (
	"bytes"
	"fmt"
	"io/fs"
)

type handle struct {
	*bytes.Reader
	closed *int
}

func (h handle) Close() error { *h.closed++; return nil }

// in opens files of a map.
func (f files) in(closed *int) Opener {
	return func(base string) (Handle, int64, error) {
		b, ok := f[base]
		if !ok {
			return nil, 0, fmt.Errorf("open %s: %w", base, fs.ErrNotExist)
		}
		return handle{bytes.NewReader(b), closed}, int64(len(b)), nil
	}
}

func (f files) open(name string) (Image, error) {
	closed := 0
	return Open(name, bytes.NewReader(f[name]), int64(len(f[name])), f.in(&closed))
}

func (f files) clone() files {
	out := files{}
	for k, b := range f {
		out[k] = bytes.Clone(b)
	}
	return out
}

const (
	idA = "AAAAaaaaBBBBbbbb"
	idB = "CCCCccccDDDDdddd"
)

var (
	disk   = content(300*512+20*4096, 1)
	below  = content(200*512+20*4096, 2) // of a parent, which is smaller
	over   = mix(below, disk)
	large  = content(3<<20+40960, 3)
	lowest = content(2<<20+512*5, 4)
	merged = mix(lowest, large)
)

// mix returns a disk of b's size whose sectors are those of a, of b, and zeros in turn.
func mix(a, b []byte) []byte {
	out := bytes.Clone(b)
	for i := 0; i < len(out); i += 512 {
		if i/512%3 == 0 || i/8192%2 == 0 {
			clear(out[i : i+512])
			if i < len(a) {
				copy(out[i:i+512], a[i:])
			}
		}
	}
	clear(out[16384:32768])
	return out
}

// A sample is an image of every kind that is read.
type sample struct {
	name  string
	files files
	kind  string
	disk  []byte
	also  []string // the further files, in order
	hash  bool
}

func samples() []sample {
	written, _ := vmdkStream(disk, 4096)
	flat := "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n\nRW 100 FLAT \"a-flat.vmdk\" 3\nRW 20 ZERO\nRW 60 SPARSE \"C:\\vm\\a-s002.vmdk\"\n"
	flatDisk := append(append(bytes.Clone(disk[:51200]), make([]byte, 10240)...), disk[61440:61440+30720]...)
	guidA := guid([]byte(idA))
	e := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2}
	smart := e01{disk: disk, sectors: 16, perTable: 7, perSeg: 9, smart: true, noHash: true}
	late := e01{disk: disk, sectors: 64, perTable: 70, perSeg: 2, gap: true}
	return []sample{
		{"disk.dd", files{"disk.dd": disk}, "raw", disk, nil, false},
		{"d.001", files{"d.001": disk[:100000], "d.002": disk[100000:200000], "d.003": disk[200000:]}, "raw", disk, []string{"d.002", "d.003"}, false},
		{"d.000", files{"d.000": disk[:100000], "d.001": disk[100000:200000], "d.002": disk[200000:]}, "raw", disk, []string{"d.001", "d.002"}, false},
		{"d.0001", files{"d.0001": disk[:100000], "d.0002": disk[100000:200000], "d.0003": disk[200000:]}, "raw", disk, []string{"d.0002", "d.0003"}, false},
		{"d.dd.aa", files{"d.dd.aa": disk[:100000], "d.dd.ab": disk[100000:200000], "d.dd.ac": disk[200000:]}, "raw", disk, []string{"d.dd.ab", "d.dd.ac"}, false},
		{"xaa", files{"xaa": disk[:100000], "xab": disk[100000:200000], "xac": disk[200000:]}, "raw", disk, []string{"xab", "xac"}, false},
		{"D.AAA", files{"D.AAA": disk[:100000], "D.AAB": disk[100000:200000], "D.AAC": disk[200000:]}, "raw", disk, []string{"D.AAB", "D.AAC"}, false},
		{"d.00", files{"d.00": disk[:100000], "d.01": disk[100000:200000], "d.02": disk[200000:]}, "raw", disk, []string{"d.01", "d.02"}, false},
		{"a.2024", files{"a.2024": disk, "a.2023": below, "a.2025": below}, "raw", disk, nil, false},
		{"a.E01", e.write("a.E01"), "e01", disk, []string{"a.E02", "a.E03", "a.E04", "a.E05"}, true},
		{"a.s01", smart.write("a.s01"), "e01", disk, nil, false},
		{"a.e01", late.write("a.e01"), "e01", disk, nil, true},
		{"a.vmdk", files{"a.vmdk": vmdk{disk: disk, grain: 8192}.write()}, "vmdk", disk, nil, false},
		{"stream.vmdk", files{"stream.vmdk": vmdk{disk: disk, grain: 8192, packed: true}.write()}, "vmdk", disk, nil, false},
		{"written.vmdk", files{"written.vmdk": written}, "vmdk", disk, nil, false},
		{"flat.vmdk", files{"flat.vmdk": []byte(flat), "a-flat.vmdk": append(make([]byte, 3*512), disk[:51200]...),
			"a-s002.vmdk": vmdk{disk: disk[61440 : 61440+32768], grain: 4096}.write()}, "vmdk", flatDisk, []string{"a-flat.vmdk", "a-s002.vmdk"}, false},
		{"fixed.vhd", files{"fixed.vhd": vhdFixedOf(disk, idA)}, "vhd", disk, nil, false},
		{"fixed511.vhd", files{"fixed511.vhd": vhdFixedOf(disk, idA)[:len(disk)+511]}, "vhd", disk, nil, false},
		{"dyn.vhd", files{"dyn.vhd": vhdSparse(disk, nil, idA, "", "")}, "vhd", disk, nil, false},
		{"diff.vhd", files{"diff.vhd": vhdSparse(over, below, idB, idA, "base.vhd"), "base.vhd": vhdSparse(below, nil, idA, "", "")}, "vhd", over, []string{"base.vhd"}, false},
		{"a.vdi", files{"a.vdi": vdiOf(disk, 1)}, "vdi", disk, nil, false},
		{"a.qcow2", files{"a.qcow2": qcow{disk: disk}.write()}, "qcow2", disk, nil, false},
		{"z.qcow2", files{"z.qcow2": qcow{disk: disk, packed: true}.write()}, "qcow2", disk, nil, false},
		{"v2.qcow2", files{"v2.qcow2": qcow{disk: disk, packed: true, v2: true}.write()}, "qcow2", disk, nil, false},
		{"zstd.qcow2", files{"zstd.qcow2": qcow{disk: disk, packed: true, zstd: true}.write()}, "qcow2", disk, nil, false},
		{"over.qcow2", files{"over.qcow2": qcow{disk: over, base: below, backing: "/vm/base.img", format: "raw"}.write(), "base.img": below}, "qcow2", over, []string{"base.img"}, false},
		{"chain.qcow2", files{"chain.qcow2": qcow{disk: over, base: below, backing: "mid.qcow2", format: "qcow2"}.write(),
			"mid.qcow2": qcow{disk: below, backing: "low.vhd", format: "vpc"}.write(), "low.vhd": vhdFixedOf(make([]byte, 1<<20), idA)}, "qcow2", over, []string{"mid.qcow2", "low.vhd"}, false},
		{"a.vhdx", files{"a.vhdx": vhdxOf{disk: large, id: idA}.write()}, "vhdx", large, nil, false},
		{"a.avhdx", files{"a.avhdx": vhdxOf{disk: merged, base: lowest, id: idB, parentID: guidA, parent: "base.vhdx"}.write(),
			"base.vhdx": vhdxOf{disk: lowest, id: idA}.write()}, "vhdx", merged, []string{"base.vhdx"}, false},
	}
}
