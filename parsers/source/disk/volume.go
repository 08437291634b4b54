package disk

import (
	"io"

	"sharetrail/parsers/binread"
)

// What an examiner can do about a volume that is not NTFS.
var advice = map[string]string{
	"bitlocker":      "encrypted with BitLocker: unlock it with the recovery key (dislocker, manage-bde, Arsenal Image Mounter) and point at the decrypted volume or the mounted folder",
	"refs":           "ReFS is not read: mount it read-only on Windows Server 2012 or later, or Windows 10 or later, and point at the mounted folder",
	"fat":            "FAT is not read: mount it read-only and point at the mounted folder; Windows itself does not run from it",
	"exfat":          "exFAT is not read: mount it read-only and point at the mounted folder; Windows itself does not run from it",
	"ext":            "a Linux file system, which holds no Windows of its own",
	"lvm":            "a Linux LVM volume, which holds no Windows of its own",
	"ldm":            "part of a Windows dynamic disk: its volumes can span disks; assemble them (ldmtool on Linux, or Windows with all disks attached) and point at the volume or the mounted folder",
	"storage spaces": "part of a Windows storage pool: attach all its disks to Windows read-only, and point at the mounted folder",
}

// luks is not a file system of its own here, but worth a word.
const luks = "encrypted with LUKS (Linux): unlock it with cryptsetup and point at the decrypted volume"

// unformatted is for a partition whose type promises a Windows volume.
const unformatted = "no known file system: never formatted, damaged, or encrypted by another product than BitLocker; decrypt it and point at the plain volume"

// look says what a partition holds. A type that stands for a pool of disks
// decides over the content, since a boot sector in there may belong to a volume
// that only begins on this disk.
func (d *table) look(p *Part) {
	kind := typeOf(p.Type)
	if fs := pools[kind]; fs != "" {
		p.FS, p.Advice = fs, advice[fs]
		return
	}
	p.FS = "unknown"
	b := make([]byte, min(p.Size, 4096))
	if err := binread.Full(d.r, b, p.Start, "first sectors"); err != nil {
		p.Err = err
		return
	}
	p.FS = identify(b)
	p.Advice = advice[p.FS]
	switch {
	case p.FS != "unknown":
	case at(b, 0, "LUKS\xba\xbe"):
		p.Advice = luks
	case kind != "" && d.backupNTFS(p):
	case kind == "0x07" || kind == basicData:
		p.Advice = unformatted
	}
}

// backupNTFS takes a partition for NTFS if its last sector is the copy of a boot
// sector for a volume of just this size.
func (d *table) backupNTFS(p *Part) bool {
	for _, sector := range []int64{512, 4096} {
		b := make([]byte, 512)
		if p.Size < 2*sector || !full(d.r, b, p.Start+p.Size-sector) || !isNTFS(b) {
			continue
		}
		if le.Uint64(b[40:]) != uint64(p.Size/int64(le.Uint16(b[11:]))-1) {
			continue
		}
		p.FS = "ntfs"
		d.warnf(p.Start, "boot sector", "partition %d has no boot sector of NTFS, but its copy in the last sector", p.Index)
		return true
	}
	return false
}

// toGo is the GUID 4967d63b-2e29-4ad8-8399-f6a339e3d001 of BitLocker To Go.
const toGo = "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01"

// identify names the file system by the first 4 KiB of a volume.
func identify(b []byte) string {
	switch {
	case isNTFS(b):
		return "ntfs"
	case at(b, 3, "-FVE-FS-"), at(b, 3, "MSWIN4.1") && at(b, 424, toGo):
		return "bitlocker"
	case at(b, 3, "ReFS\x00\x00\x00\x00"):
		return "refs"
	case at(b, 3, "EXFAT   "):
		return "exfat"
	case isFAT(b):
		return "fat"
	case at(b, 1024+56, "\x53\xef"):
		return "ext"
	case at(b, 0, "SPACEDB "):
		return "storage spaces"
	}
	for off := 0; off < 2048; off += 512 { // the label lies in one of the first four sectors
		if at(b, off, "LABELONE") && at(b, off+24, "LVM2 001") {
			return "lvm"
		}
	}
	return "unknown"
}

func at(b []byte, off int, magic string) bool {
	return len(b) >= off+len(magic) && string(b[off:off+len(magic)]) == magic
}

// isNTFS tells a boot sector of NTFS: the name, a sector size, and no value where
// FAT has its own.
func isNTFS(b []byte) bool {
	return at(b, 3, "NTFS    ") && sectorSize(b) && binread.IsZero(b[14:21])
}

// isFAT tells a boot sector of FAT by its parameters; the name of the type is a
// comment ("Microsoft FAT Specification", section 3), but written by Windows.
func isFAT(b []byte) bool {
	return len(b) >= 512 && (b[0] == 0xeb || b[0] == 0xe9) && sectorSize(b) &&
		b[13] != 0 && b[13]&(b[13]-1) == 0 && le.Uint16(b[14:]) != 0 && (b[16] == 1 || b[16] == 2) && b[21] >= 0xf0 &&
		(at(b, 54, "FAT") || at(b, 82, "FAT32"))
}

func sectorSize(b []byte) bool {
	n := le.Uint16(b[11:])
	return n >= 256 && n <= 4096 && n&(n-1) == 0
}

// full reads len(b) bytes and reports whether they are there.
func full(r io.ReaderAt, b []byte, off int64) bool {
	return off >= 0 && binread.Full(r, b, off, "sector") == nil
}
