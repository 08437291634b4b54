package source

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"

	"sharetrail/parsers/source/archive"
)

// sniffLen is how much of a file is looked at: one hive base block or event log
// file header (4096 bytes each) and the signature of what follows.
const sniffLen = 4096 + 8

// A head is what the first bytes of a file say.
type head struct {
	kind    FileKind // Hive, HiveLog, EVTX, or ""
	system  bool     // a hive that calls itself SYSTEM
	archive string   // "zip", "tar", "7z", or the compression of a single file: "gzip", "zstd", "xz", "bzip2"
	image   bool     // a disk image, or a raw disk or volume
	foreign string   // another known format: what it is and, if it is not read, what to do
	first   []byte   // up to 16 bytes
	headed  bool     // an event log whose file header is there
}

// identify judges a file by its first bytes.
//
// Hives and their logs share a base block: signature "regf", file type at 28 (0
// primary, 1, 2 and 6 log), the hive's own name at 48 in UTF-16LE (Windows
// registry file format specification, "Base block"). Event logs start with
// "ElfFile\0"; a chunk "ElfChnk\0" follows at 4096, or comes first where the
// header is lost ([MS-EVEN6] does not cover the file; see "Windows XML Event Log
// (EVTX) format", 2 and 3).
func identify(b []byte) head {
	h := head{first: bytes.Clone(b[:min(16, len(b))])}
	switch {
	case bytes.HasPrefix(b, []byte("regf")):
		h.kind = Hive
		if len(b) >= 32 {
			switch binary.LittleEndian.Uint32(b[28:]) {
			case 1, 2, 6:
				h.kind = HiveLog
			}
		}
		h.system = h.kind == Hive && strings.HasSuffix(`\`+strings.ToUpper(hiveName(b)), `\SYSTEM`)
	case bytes.HasPrefix(b, []byte("ElfFile\x00")), at(b, 0, "ElfChnk\x00"), at(b, 4096, "ElfChnk\x00"):
		h.kind = EVTX
		h.headed = b[3] == 'F'
	case at(b, 0, "PK\x03\x04"), at(b, 0, "PK\x05\x06"), at(b, 0, "PK\x07\x08"):
		h.archive = "zip"
	case archive.IsTar(b):
		h.archive = "tar"
	default:
		for _, m := range packed {
			if at(b, 0, m.magic) {
				h.archive = m.kind
				return h
			}
		}
		h.foreign, h.image = foreign(b)
	}
	return h
}

// hiveName returns the end of the path that a base block gives for its hive.
func hiveName(b []byte) string {
	if len(b) < 48+64 {
		return ""
	}
	var u []uint16
	for i := 48; i < 48+64; i += 2 {
		c := binary.LittleEndian.Uint16(b[i:])
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}

func at(b []byte, off int, magic string) bool {
	return len(b) >= off+len(magic) && string(b[off:off+len(magic)]) == magic
}

var packed = []struct{ magic, kind string }{
	{"7z\xbc\xaf\x27\x1c", "7z"},
	{"\x1f\x8b\x08", "gzip"},
	{"\xfd7zXZ\x00", "xz"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"BZh", "bzip2"},
}

// What an examiner can do about a format that is not read.
const (
	extractIt = ": not supported yet; extract it and point at the extracted folder"
	convertIt = ": not supported; convert it with qemu-img convert -O qcow2"
)

// formats are those that are told by their first bytes. Those of disk images
// without a cure are read.
var formats = []struct {
	off         int
	magic, what string
	image       bool
	cure        string
}{
	{0, "EVF\x09\x0d\x0a\xff\x00", "an EnCase disk image (E01)", true, ""},
	{0, "EVF2\x0d\x0a\x81\x00", "an EnCase disk image (Ex01)", true, ""},
	{0, "LVF\x09\x0d\x0a\xff\x00", "an EnCase logical image (L01)", true, ""},
	{0, "LEF2\x0d\x0a\x81\x00", "an EnCase logical image (Lx01)", true, ""},
	{0, "AFF10\r\n\x00", "an AFF disk image", true, ""},
	{0, "KDMV", "a VMDK disk image", true, ""},
	{0, "COWD", "a VMDK disk image", true, ""},
	{0, "# Disk DescriptorFile", "the descriptor of a VMDK disk image", true, ""},
	{0, "\xef\xbb\xbf# Disk DescriptorFile", "the descriptor of a VMDK disk image", true, ""},
	{0, "vhdxfile", "a VHDX disk image", true, ""},
	{0, "conectix", "a VHD disk image", true, ""},
	{0, "QFI\xfb", "a QCOW2 disk image", true, ""},
	{64, "\x7f\x10\xda\xbe", "a VDI disk image", true, ""},
	{3, "NTFS    ", "a raw NTFS volume", true, ""},
	{3, "-FVE-FS-", "a BitLocker volume", true, ""},
	{3, "EXFAT   ", "a raw exFAT volume", true, ""},
	{3, "ReFS\x00\x00\x00\x00", "a raw ReFS volume", true, ""},
	{82, "FAT32   ", "a raw FAT volume", true, ""},
	{512, "EFI PART", "a raw disk image (GPT)", true, ""},
	{4096, "EFI PART", "a raw disk image (GPT)", true, ""},
	{0, "ADSEGMENTEDFILE\x00", "a logical image of FTK (AD1)", false, ": not supported; export its files with FTK Imager and point at the exported folder"},
	{0, "WithoutFreeSpace", "a Parallels disk image", false, convertIt},
	{0, "WithouFreSpacExt", "a Parallels disk image", false, convertIt},
	{0, "QED\x00", "a QED disk image", false, convertIt},
	{0, "MSWIM\x00\x00\x00", "a Windows image (WIM)", false, extractIt},
	{0, "Rar!\x1a\x07", "a RAR archive", false, extractIt},
	{0, "MSCF\x00\x00\x00\x00", "a cabinet archive", false, extractIt},
	{4, "LfLe", "an event log of Windows XP or 2003 (EVT)", false, ": not supported; convert it with wevtutil export-log /lf:true"},
}

// foreign names a format that is neither hive nor log nor zip archive.
func foreign(b []byte) (what string, image bool) {
	for _, f := range formats {
		if at(b, f.off, f.magic) {
			return "is " + f.what + f.cure, f.image
		}
	}
	if isMBR(b) {
		return "is a raw disk image (MBR)", true
	}
	return "", false
}

// isMBR reports whether b starts with a partition table: the signature alone
// ends boot sectors of any kind, and other data by chance.
func isMBR(b []byte) bool {
	if !at(b, 510, "\x55\xaa") {
		return false
	}
	used := false
	for e := 446; e < 510; e += 16 {
		if b[e]&0x7f != 0 {
			return false
		}
		used = used || b[e+4] != 0 && binary.LittleEndian.Uint32(b[e+12:]) != 0
	}
	return used
}
