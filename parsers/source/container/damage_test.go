package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sharetrail/parsers/binread"
)

// at returns the offset of the n-th section of a kind in an E01 segment.
func sectionAt(b []byte, kind string, n int) int {
	name := append([]byte(kind), make([]byte, 16-len(kind))...)
	at := 0
	for ; n >= 0; n-- {
		at += bytes.Index(b[at:], name) + 1
	}
	return at - 1
}

func TestDamage(t *testing.T) {
	e := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2}.write("a.E01")
	one := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 99}.write("a.E01")
	smart := e01{disk: disk, sectors: 16, perTable: 7, perSeg: 99, smart: true, noHash: true}.write("a.s01")
	bad := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2, bad: []uint32{70, 2, 10, 3, 12, 4}}.write("a.E01")
	xa := files{"xaa": disk[:50176], "xab": disk[50176:100352], "xac": disk[100352:150528], "xad": disk[150528:200704], "xae": disk[200704:]}
	dd := files{"d.001": disk[:100352], "d.002": disk[100352:200704], "d.003": disk[200704:]}
	vm := files{"a.vmdk": vmdk{disk: disk, grain: 8192}.write()}
	stream := files{"a.vmdk": vmdk{disk: disk, grain: 8192, packed: true}.write()}
	written, marks := vmdkStream(disk, 4096)
	vmw := files{"a.vmdk": written}
	last := len(marks) - 3 // the last table; the directory and the footer follow
	flat := files{"a.vmdk": []byte("# Disk DescriptorFile\nparentCID=ffffffff\nRW 100 FLAT \"a-flat.vmdk\" 0\nRW 100 FLAT \"b-flat.vmdk\" 0\n"),
		"a-flat.vmdk": disk[:51200], "b-flat.vmdk": disk[51200:102400]}
	split := files{"a.vmdk": []byte("# Disk DescriptorFile\nparentCID=ffffffff\nRW 100 FLAT \"a-flat.vmdk\" 0\nRW 100 SPARSE \"b-s002.vmdk\"\n"),
		"a-flat.vmdk": disk[:51200], "b-s002.vmdk": vmdk{disk: disk[51200:102400], grain: 4096}.write()}
	umlaut := func(encoding string) files {
		return files{"a.vmdk": []byte("# Disk DescriptorFile\n" + encoding + "parentCID=ffffffff\nRW 100 FLAT \"C:\\VM\\B\xfcro \x9a-flat.vmdk\" 0\n"), "Büro š-flat.vmdk": disk[:51200], "Büro љ-flat.vmdk": disk[51200:102400]}
	}
	dyn := files{"a.vhd": vhdSparse(disk, nil, idA, "", "")}
	fixed := files{"a.vhd": vhdFixedOf(disk, idA)}
	vdi := files{"a.vdi": vdiOf(disk, 1)}
	z := files{"a.qcow2": qcow{disk: disk, packed: true}.write()}
	zs := files{"a.qcow2": qcow{disk: disk, packed: true, zstd: true}.write()}
	vx := files{"a.vhdx": vhdxOf{disk: large, id: idA}.write()}
	firstChunk := sectionAt(e["a.E01"], "sectors", 0) + 76 + 8
	table := sectionAt(e["a.E01"], "table", 0) + 76

	for _, tt := range []struct {
		name  string
		files files
		open  string
		edit  func(f files)
		disk  []byte
		fail  int    // sectors of 512 bytes that cannot be read; -1: Open fails
		err   string // part of the first error
		warn  string // part of a warning, "" if there is none
	}{
		{"e01, bit in a chunk", e, "a.E01", func(f files) { f["a.E01"][firstChunk] ^= 4 }, disk, 8, "disk offset 0x0: chunk 0: offset ", ""},
		{"e01, bit in a chunk of another segment", e, "a.E01", func(f files) { b := f["a.E02"]; b[sectionAt(b, "sectors", 0)+80] ^= 1 }, disk, 8, "chunk 14: a.E02: offset ", ""},
		{"e01, bit in an entry", e, "a.E01", func(f files) { f["a.E01"][table+24] ^= 1 }, disk, 0, "", "copy of a table is used: offset "},
		{"e01, bit in a table's head", e, "a.E01", func(f files) { f["a.E01"][table] ^= 1 }, disk, 0, "", "copy of a table is used"},
		{"e01, bit in an entry and its copy", e, "a.E01", func(f files) {
			f["a.E01"][table+24] ^= 1
			f["a.E01"][sectionAt(f["a.E01"], "table2", 0)+76+24] ^= 1
		}, disk, 7 * 8, "table entries: checksum differs", "7 chunks from chunk 0 on cannot be read"},
		{"e01, bit in a table's head and an entry of its copy", e, "a.E01", func(f files) {
			f["a.E01"][table] ^= 1
			f["a.E01"][sectionAt(f["a.E01"], "table2", 0)+76+24] ^= 1
		}, disk, 7 * 8, "checksum differs", "7 chunks from chunk 0 on cannot be read"},
		{"e01, bit in both heads", e, "a.E01", func(f files) {
			f["a.E02"][sectionAt(f["a.E02"], "table", 0)+76] ^= 1
			f["a.E02"][sectionAt(f["a.E02"], "table2", 0)+76] ^= 1
		}, disk, 7 * 8, "unknown how many chunks", "disk offsets 0xe000 to 0x15000 cannot be read"},
		{"e01, bit in both heads, twice", e, "a.E01", func(f files) {
			for _, name := range []string{"a.E02", "a.E04"} {
				f[name][sectionAt(f[name], "table", 0)+76] ^= 1
				f[name][sectionAt(f[name], "table2", 0)+76] ^= 1
			}
		}, disk, 5 * 7 * 8, "unknown how many chunks", "what lies between this and an earlier loss cannot be placed: it is unknown how many chunks a damaged table lists: a.E04"},
		{"e01, bit in the volume section", e, "a.E01", func(f files) { f["a.E01"][sectionAt(f["a.E01"], "volume", 0)+76+4] ^= 1 }, disk, 0, "", "volume section: checksum differs: not used"},
		{"e01, bit in the only volume section", one, "a.E01", func(f files) { f["a.E01"][sectionAt(f["a.E01"], "volume", 0)+76+4] ^= 1 }, disk, -1, "does not say how large the disk is", ""},
		{"e01, bit in the hash", e, "a.E01", func(f files) { b := f["a.E05"]; b[sectionAt(b, "digest", 0)+76] ^= 1 }, disk, 0, "", "digest section: checksum differs: the hash in it is not used"},
		{"e01, bit in a section's head", e, "a.E01", func(f files) { b := f["a.E03"]; b[sectionAt(b, "table", 0)+20] ^= 1 }, disk, 14 * 8, "a.E03: offset ", "chain of sections is broken: checksum differs"},
		{"e01, segment missing", e, "a.E01", func(f files) { delete(f, "a.E03") }, disk, 14 * 8, `segment "a.E03": missing`, "disk offsets 0x1c000 to 0x2a000 cannot be read"},
		{"e01, two segments missing", e, "a.E01", func(f files) { delete(f, "a.E02"); delete(f, "a.E03") }, disk, 28 * 8, `segment "a.E02": missing`, `segment "a.E03": missing`},
		{"e01, segments missing apart", e, "a.E01", func(f files) { delete(f, "a.E02"); delete(f, "a.E04") }, disk, 42 * 8, `segment "a.E02": missing`, `an earlier loss cannot be placed: segment "a.E04": missing`},
		{"e01, segments missing in between and at the end", e, "a.E01", func(f files) { delete(f, "a.E03"); delete(f, "a.E05") }, disk, 460 - 28*8, `segment "a.E03": missing`, "disk offsets from 0x1c000 on cannot be read"},
		{"e01, last segment missing", e, "a.E01", func(f files) { delete(f, "a.E05") }, disk, 460 - 56*8, `segment "a.E05": missing`, "cannot be read"},
		{"e01, segments swapped", e, "a.E01", func(f files) { f["a.E02"], f["a.E03"] = f["a.E03"], f["a.E02"] }, disk, 28 * 8, "a.E02: offset 0x9: segment number: 3 instead of 2", "cannot be read"},
		{"e01, segment of another image", e, "a.E01", func(f files) {
			b := f["a.E02"]
			at := sectionAt(b, "data", 0) + 76
			b[at+64]++
			copy(b[at:], withSum(b[at:at+1048]))
		}, disk, 14 * 8, "belongs to another image", "cannot be read"},
		{"e01, segment is something else", e, "a.E01", func(f files) { f["a.E02"] = []byte("it was a text once") }, disk, 14 * 8, "a.E02: offset 0x0: signature", "cannot be read"},
		{"e01, segment cut short", e, "a.E01", func(f files) { f["a.E02"] = f["a.E02"][:len(f["a.E02"])-76] }, disk, 0, "", "all chunks are there, but not all of the segments: a.E02: offset "},
		{"e01, segment cut in its chunks", e, "a.E01", func(f files) { b := f["a.E02"]; f["a.E02"] = b[:sectionAt(b, "sectors", 0)+200] }, disk, 14 * 8, "truncated", "disk offsets 0xe000 to 0x1c000 cannot be read"},
		{"e01, second segment opened", e, "a.E02", func(f files) {}, disk, -1, "segment 2 of an image: open a.E01 instead: a part of an image", ""},
		{"e01, name that does not count", files{"x.img": e["a.E01"]}, "x.img", func(f files) {}, disk, 460 - 14*8, "segment 2 is missing", "its own cannot be told"},
		{"e01, sectors that could not be acquired", bad, "a.E01", func(f files) {}, disk, 6 + 2, "disk offset 0x1400: the acquisition could not read the 3072 bytes from 0x1400 on", "could not read 9 sectors"},
		{"e01, list of unread sectors damaged", bad, "a.E01", func(f files) { b := f["a.E05"]; b[sectionAt(b, "error2", 0)+76+520] ^= 1 }, disk, 0, "", "may read as zeros"},
		{"e01, of smart, bit in a chunk", smart, "a.s01", func(f files) { b := f["a.s01"]; b[sectionAt(b, "table", 0)+76+24+28+100] ^= 1 }, disk, 16, "disk offset", ""},
		{"e01, only its head", files{"a.E01": e["a.E01"][:13]}, "a.E01", func(f files) {}, disk, -1, "offset 0xd: section: need 76 bytes", ""},

		{"raw, piece missing", dd, "d.001", func(f files) { delete(f, "d.002") }, disk, 196, `piece "d.002" is missing`, "disk offsets 0x18800 to 0x31000 cannot be read"},
		{"raw, pieces missing", xa, "xaa", func(f files) { delete(f, "xab"); delete(f, "xac") }, disk, 196, `piece "xab" is missing`, "disk offsets 0xc400 to 0x18800 cannot be read"},
		{"raw, third piece by letters opened", xa, "xac", func(f files) {}, disk, -1, "xaa comes before", ""},
		{"raw, piece cut short", dd, "d.001", func(f files) { f["d.002"] = f["d.002"][:512] }, append(bytes.Clone(disk[:100864]), disk[200704:]...), 0, "", `a piece before "d.003" has 512 bytes`},
		{"raw, second piece opened", dd, "d.002", func(f files) {}, disk, -1, "d.001 comes before", ""},

		{"vmdk, delta", files{"a.vmdk": vmdk{disk: disk, grain: 8192, parent: "12345678"}.write()}, "a.vmdk", func(f files) {}, disk, -1, "a snapshot (delta) disk", ""},
		{"vmdk, delta with a descriptor", files{"a.vmdk": []byte("# Disk DescriptorFile\nparentCID=00000001\nparentFileNameHint=\"base.vmdk\"\nRW 1 SPARSE \"x\"\n")}, "a.vmdk", func(f files) {}, disk, -1, `its parent "base.vmdk" (CID 00000001)`, ""},
		{"vmdk, sesparse", files{"a.vmdk": []byte("# Disk DescriptorFile\nparentCID=ffffffff\nRW 1 SESPARSE \"x\"\n")}, "a.vmdk", func(f files) {}, disk, -1, "extents of type SESPARSE", ""},
		{"vmdk, cowd", files{"a.vmdk": []byte("COWD")}, "a.vmdk", func(f files) {}, disk, -1, "ESX sparse disk (COWD)", ""},
		{"vmdk, no extent", files{"a.vmdk": []byte("# Disk DescriptorFile\nparentCID=ffffffff\n")}, "a.vmdk", func(f files) {}, disk, -1, "lists no extent", ""},
		{"vmdk, descriptor unreadable", files{"a.vmdk": vmdk{disk: disk, grain: 8192, text: "garbage"}.write()}, "a.vmdk", func(f files) {}, disk, -1, "unknown whether the disk has a parent", ""},
		{"vmdk, entry differs from its copy", vm, "a.vmdk", func(f files) { f["a.vmdk"][512*6+4] ^= 1 }, disk, 16, "offset 0xc04: grain table entry: sector ", ""},
		{"vmdk, entry zeroed", vm, "a.vmdk", func(f files) { clear(f["a.vmdk"][512*6+4 : 512*6+8]) }, disk, 16, "grain table entry: sector 0, but sector ", ""},
		{"vmdk, cut short", vm, "a.vmdk", func(f files) { f["a.vmdk"] = f["a.vmdk"][:len(f["a.vmdk"])-4096] }, disk, 4, "truncated", ""},
		{"vmdk, not closed", files{"a.vmdk": vmdk{disk: disk, grain: 8192, unsure: true}.write()}, "a.vmdk", func(f files) {}, disk, 0, "", "the disk was in use"},
		{"vmdk stream, bit in a grain", stream, "a.vmdk", func(f files) { b := f["a.vmdk"]; at := bytes.Index(b[5*512:], []byte{0x78, 0x9c}); b[5*512+at+50] ^= 1 }, disk, 16, "grain: ", ""},
		{"vmdk stream, grain of another place", stream, "a.vmdk", func(f files) { b := f["a.vmdk"]; at := bytes.Index(b[5*512:], []byte{0x78, 0x9c}); b[5*512+at-12] ^= 1 }, disk, 16, "grain marker: is that of sector", ""},
		{"vmdk stream, cut short", stream, "a.vmdk", func(f files) { f["a.vmdk"] = f["a.vmdk"][:len(f["a.vmdk"])-2048] }, disk, -1, "footer with the place of the tables", ""},
		{"vmdk as written, cut in the footer", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:marks[last+2]+600] }, disk, 0, "", "grains were found by their markers: footer"},
		{"vmdk as written, cut in the directory", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:marks[last+1]+520] }, disk, 0, "", "grains were found by their markers: footer"},
		{"vmdk as written, cut in the last table", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:marks[last]+520] }, disk, 24, "the stream is cut short or damaged here", "grains were found, and the others cannot be read"},
		{"vmdk as written, cut in a grain", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:marks[last]-600] }, disk, 28, "the stream is cut short or damaged here", "grains were found, and the others cannot be read"},
		{"vmdk as written, cut behind a table", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:marks[last-1]+1024] }, disk, 76, "the stream is cut short or damaged here", "0 grains were found, and the others cannot be read"},
		{"vmdk as written, cut, and an entry of a table changed", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = bytes.Clone(written[:marks[last]+520]); f["a.vmdk"][marks[0]+512]++ }, disk, 364, "the stream is cut short or damaged here", "grains were found"},
		{"vmdk as written, cut in its first grain", vmw, "a.vmdk", func(f files) { f["a.vmdk"] = written[:5*512+10] }, disk, -1, "footer with the place of the tables", ""},
		{"vmdk flat, extent missing", flat, "a.vmdk", func(f files) { delete(f, "a-flat.vmdk") }, disk[:102400], 100, `extent "a-flat.vmdk": missing`, "disk offsets 0x0 to 0xc800 cannot be read"},
		{"vmdk flat, extent cut short", flat, "a.vmdk", func(f files) { f["b-flat.vmdk"] = f["b-flat.vmdk"][:512*60] }, disk[:102400], 40, "b-flat.vmdk: offset 0x7800: extent: need 512 bytes", "the file is cut short"},

		{"vhd, footer damaged", dyn, "a.vhd", func(f files) { f["a.vhd"][len(f["a.vhd"])-500] ^= 1 }, disk, 0, "", "the copy of the footer is used"},
		{"vhd, footer lost, cut short", dyn, "a.vhd", func(f files) { f["a.vhd"] = f["a.vhd"][:len(f["a.vhd"])-512-12288] }, disk, 4, "block: need 512 bytes", "the copy of the footer is used"},
		{"vhd, header damaged", dyn, "a.vhd", func(f files) { f["a.vhd"][512+40] ^= 1 }, disk, -1, "offset 0x200: dynamic disk header", ""},
		{"vhd, two blocks in a place", dyn, "a.vhd", func(f files) { copy(f["a.vhd"][1536:1540], f["a.vhd"][1540:1544]) }, disk, 64, "block 0 lies over another one", "2 blocks lie over each other"},
		{"vhd fixed, footer damaged", fixed, "a.vhd", func(f files) { f["a.vhd"][len(disk)+24] ^= 1 }, disk, 0, "", "its checksum differs"},
		{"vhd fixed, size damaged", fixed, "a.vhd", func(f files) { f["a.vhd"][len(disk)+55] ^= 1 }, disk, -1, "its checksum differs", ""},
		{"vhd, parent missing", files{"a.vhd": vhdSparse(over, below, idB, idA, "base.vhd")}, "a.vhd", func(f files) {}, over, -1, `parent "base.vhd": missing`, ""},
		{"vhd, parent is another disk", files{"a.vhd": vhdSparse(over, below, idB, idA, "base.vhd"), "base.vhd": vhdFixedOf(below, idB)}, "a.vhd", func(f files) {}, over, -1, "it is not the parent", ""},
		{"vhd, parent of itself", files{"a.vhd": vhdSparse(over, below, idA, idA, "a.vhd")}, "a.vhd", func(f files) {}, over, -1, `parent "a.vhd": the image builds on itself`, ""},

		{"vdi, two blocks in a place", vdi, "a.vdi", func(f files) { copy(f["a.vdi"][512:516], f["a.vdi"][516:520]) }, disk, 32, "lies over another one", "2 blocks lie over each other"},
		{"vdi, count differs", vdi, "a.vdi", func(f files) { f["a.vdi"][388]++ }, disk, 0, "", "but the block table lists"},
		{"vdi, cut short", vdi, "a.vdi", func(f files) { f["a.vdi"] = f["a.vdi"][:len(f["a.vdi"])-8192] }, disk, 12, "block: need 512 bytes", ""},
		{"vdi, snapshot", files{"a.vdi": vdiOf(disk, 4)}, "a.vdi", func(f files) {}, disk, -1, "clone the disk", ""},
		{"vmdk split, header of an extent damaged", split, "a.vmdk", func(f files) { f["b-s002.vmdk"][1] ^= 1 }, disk[:102400], 100, `b-s002.vmdk: offset 0x0: header: signature`, "disk offsets 0xc800 to 0x19000 cannot be read"},
		{"vmdk split, extent too small", split, "a.vmdk", func(f files) { f["b-s002.vmdk"][12]-- }, disk[:102400], 100, `b-s002.vmdk: offset 0xc: capacity`, "disk offsets 0xc800 to 0x19000 cannot be read"},
		{"vmdk, names in a code page", umlaut("encoding=\"windows-1252\"\n"), "a.vmdk", func(f files) {}, disk[:51200], 0, "", ""},
		{"vmdk, names in a code page that is not named", umlaut(""), "a.vmdk", func(f files) {}, disk[:51200], 0, "", ""},
		{"vmdk, names in an unknown code page", umlaut("encoding=\"x-klingon\"\n"), "a.vmdk", func(f files) {}, disk[:51200], 100, "missing", "disk offsets 0x0 to 0xc800 cannot be read"},

		{"qcow2, bit in a cluster", z, "a.qcow2", func(f files) { f["a.qcow2"][3*4096] = 0xff }, disk, 8, "offset 0x3000: compressed cluster", ""},
		{"qcow2 zstd, bit in a cluster", zs, "a.qcow2", func(f files) { f["a.qcow2"][3*4096] ^= 0xff }, disk, 8, "offset 0x3000: compressed cluster", ""},
		{"qcow2, reserved bit in level 1", z, "a.qcow2", func(f files) { f["a.qcow2"][4096+7] |= 2 }, disk, 460, "offset 0x1000: level 1 entry", ""},
		{"qcow2, reserved bit in level 2", z, "a.qcow2", func(f files) { f["a.qcow2"][2*4096+8*4+7] |= 2 }, disk, 8, "offset 0x2020: level 2 entry", ""},
		{"qcow2, level 2 behind the end", z, "a.qcow2", func(f files) { f["a.qcow2"][4096+2] = 0x7f }, disk, 460, "level 2 table: need 4096 bytes, but the file ends", ""},
		{"qcow2, external data", z, "a.qcow2", func(f files) { f["a.qcow2"][79] = 4 }, disk, -1, "external file", ""},
		{"qcow2, extended", z, "a.qcow2", func(f files) { f["a.qcow2"][79] = 16 }, disk, -1, "extended level 2 entries", ""},
		{"qcow2, encrypted", z, "a.qcow2", func(f files) { f["a.qcow2"][35] = 2 }, disk, -1, "encryption", ""},
		{"qcow2, dirty", z, "a.qcow2", func(f files) { f["a.qcow2"][79] = 1 }, disk, 0, "", "the disk was in use"},
		{"qcow2, snapshots", z, "a.qcow2", func(f files) { f["a.qcow2"][63] = 2 }, disk, 0, "", "2 internal snapshots are not read"},
		{"qcow2, backing file missing", files{"a.qcow2": qcow{disk: over, base: below, backing: "base.img", format: "raw"}.write()}, "a.qcow2", func(f files) {}, over, -1, `parent "base.img": missing`, ""},
		{"qcow2, backing over the network", files{"a.qcow2": qcow{disk: over, base: below, backing: "nbd://x/y", format: "raw"}.write()}, "a.qcow2", func(f files) {}, over, -1, "is no file", ""},
		{"qcow2, backing itself", files{"a.qcow2": qcow{disk: over, base: below, backing: "a.qcow2", format: "qcow2"}.write()}, "a.qcow2", func(f files) {}, over, -1, "the image builds on itself", ""},

		{"vhdx, first header damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][64<<10+100] ^= 1 }, large, 0, "", "the other header is used, which may be older: offset 0x10000"},
		{"vhdx, second header damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][128<<10+100] ^= 1 }, large, 0, "", "offset 0x20000: header"},
		{"vhdx, both headers damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][64<<10+100] ^= 1; f["a.vhdx"][128<<10+100] ^= 1 }, large, -1, "offset 0x20000: header: signature or checksum differs", ""},
		{"vhdx, first region table damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][192<<10+100] ^= 1 }, large, 0, "", "copy of the region table is used: offset 0x30000"},
		{"vhdx, second region table damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][256<<10+100] ^= 1 }, large, 0, "", "offset 0x40000"},
		{"vhdx, both region tables damaged", vx, "a.vhdx", func(f files) { f["a.vhdx"][192<<10+100] ^= 1; f["a.vhdx"][256<<10+100] ^= 1 }, large, -1, "region table: signature or checksum differs", ""},
		{"vhdx, state of no meaning", vx, "a.vhdx", func(f files) { f["a.vhdx"][vhdxBATAt] = 5 }, large, 2048, "block 0 has state 5", ""},
		{"vhdx, partly without a parent", vx, "a.vhdx", func(f files) { f["a.vhdx"][vhdxBATAt] |= 7 }, large, 2048, "block 0 has state 7", ""},
		{"vhdx, cut short", vx, "a.vhdx", func(f files) { f["a.vhdx"] = f["a.vhdx"][:len(f["a.vhdx"])-1<<20] }, large, 80, "block: need 512 bytes", ""},
		{"vhdx, parent was written to", files{"a.vhdx": vhdxOf{disk: merged, base: lowest, id: idB, parentID: guid([]byte(idB)), parent: "b.vhdx"}.write(), "b.vhdx": vhdxOf{disk: lowest, id: idA}.write()},
			"a.vhdx", func(f files) {}, merged, -1, "it is not the parent, or was written to since", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := tt.files.clone()
			tt.edit(f)
			im, err := f.open(tt.open)
			if tt.fail == -1 {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("Open: %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if im.Size() != int64(len(tt.disk)) {
				t.Fatalf("%d bytes, want %d", im.Size(), len(tt.disk))
			}
			failed, err := readAll(t, im, tt.disk)
			if failed != tt.fail {
				t.Errorf("%d sectors failed, want %d: %v", failed, tt.fail, err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) || err == nil && tt.err != "" {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			found := tt.warn == ""
			for _, w := range im.Warnings() {
				found = found || strings.Contains(w.Error(), tt.warn)
			}
			if !found || tt.warn == "" && len(im.Warnings()) > 0 {
				t.Errorf("warnings %v, want %q", im.Warnings(), tt.warn)
			}
		})
	}
}

// An E01 has checksums over everything but its file header: whatever bit flips, no
// wrong byte of the disk may come without an error.
func TestE01NeverWrong(t *testing.T) {
	f := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2, bad: []uint32{}}.write("a.E01")
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		m := f.clone()
		name, _ := ewfName("a.E01", 1+rnd.IntN(len(f)))
		b := m[name]
		i, bit := rnd.IntN(len(b)), rnd.IntN(8)
		b[i] ^= 1 << bit
		im, err := m.open("a.E01")
		if err != nil {
			continue
		}
		if im.Size() != int64(len(disk)) {
			t.Fatalf("%s, bit %d of %#x: %d bytes", name, bit, i, im.Size())
		}
		readAll(t, im, disk)
		if err := im.Verify(context.Background()); errors.Is(err, ErrHash) {
			t.Fatalf("%s, bit %d of %#x: %v", name, bit, i, err)
		}
	}
}

// Mutants of every kind must end soon, with what they can give, and alike twice.
func TestMutants(t *testing.T) {
	for _, s := range samples() {
		if s.kind == "raw" {
			continue
		}
		rnd := rand.New(rand.NewPCG(3, uint64(len(s.name))))
		n := 40
		if s.kind == "vhdx" {
			n = 25
		}
		for k := range n {
			name := s.name
			if i := rnd.IntN(len(s.also) + 1); i > 0 {
				name = s.also[i-1]
			}
			m := files{}
			for k, b := range s.files {
				m[k] = b
			}
			b := mutate(rnd, s.files[name], s.kind)
			m[name] = b
			start := time.Now()
			im, err := m.open(s.name)
			if err == nil {
				p := make([]byte, 70000)
				for off := int64(0); off < min(im.Size(), 8<<20); off += int64(len(p)) - 1 {
					if n, err := im.ReadAt(p, off); n < len(p) && err == nil || n > len(p) {
						t.Fatalf("%s, mutant %d: %d bytes, no error", s.name, k, n)
					}
				}
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%s, mutant %d: took %v", s.name, k, d)
			}
		}
	}
}

// mutate changes a few bytes, most of them where the structures are, or cuts b.
func mutate(rnd *rand.Rand, b []byte, kind string) []byte {
	b = bytes.Clone(b)
	if rnd.IntN(8) == 0 {
		return b[:rnd.IntN(len(b))]
	}
	areas := [][2]int{{0, min(len(b), 4096)}, {max(0, len(b)-1536), len(b)}, {0, len(b)}}
	if kind == "vhdx" {
		areas = [][2]int{{vhdxBATAt, vhdxBATAt + 64}, {vhdxMetaAt, vhdxMetaAt + 300}, {vhdxMetaAt + 64<<10, vhdxMetaAt + 90<<10}, {0, len(b)}}
	}
	for range 1 + rnd.IntN(4) {
		a := areas[rnd.IntN(len(areas))]
		i := a[0] + rnd.IntN(max(a[1]-a[0], 1))
		if i >= len(b) {
			continue
		}
		switch rnd.IntN(3) {
		case 0:
			b[i] ^= 1 << rnd.IntN(8)
		case 1:
			b[i] = byte(rnd.Uint32())
		default:
			for k := range min(8, len(b)-i) {
				b[i+k] = 0xff
			}
		}
	}
	return b
}

// Damage carries the offset in its file.
func TestErrorOffset(t *testing.T) {
	f := e01{disk: disk, sectors: 8, perTable: 7, perSeg: 2}.write("a.E01")
	at := sectionAt(f["a.E01"], "sectors", 0) + 76
	f["a.E01"][at+9] ^= 1
	im, err := f.open("a.E01")
	if err != nil {
		t.Fatal(err)
	}
	_, err = im.ReadAt(make([]byte, 10), 0)
	if got := binread.Offset(err); got != int64(at) {
		t.Errorf("offset %#x, want %#x: %v", got, at, err)
	}
}

// Only base names reach the folder of the image.
func TestSiblingNames(t *testing.T) {
	for _, name := range []string{"../../../etc/passwd", `\\server\share\x.vmdk`, "C:x.vmdk", "..", ".", "", "a/"} {
		text := fmt.Sprintf("# Disk DescriptorFile\nparentCID=ffffffff\nRW 1 FLAT %q 0\n", name)
		text = strings.ReplaceAll(text, `\\`, `\`)
		var asked []string
		im, err := Open("a.vmdk", strings.NewReader(text), int64(len(text)), func(base string) (Handle, int64, error) {
			asked = append(asked, base)
			return nil, 0, errors.New("refused")
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(im.Warnings()) != 1 {
			t.Errorf("%q: %v", name, im.Warnings())
		}
		for _, base := range asked {
			if strings.ContainsAny(base, `/\:`) || base == ".." || base == "." || base == "" {
				t.Errorf("%q: asked for %q", name, base)
			}
		}
	}
}
