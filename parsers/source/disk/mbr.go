package disk

import "fmt"

// Partition table of the master boot record, and the chain of extended boot
// records that lists logical partitions ("Disk Concepts and Troubleshooting",
// Windows Resource Kit).

const maxLogical = 256

// isTable reports whether a sector is an MBR: other boot sectors have the same
// signature, and code where the entries would be.
func isTable(b []byte) bool {
	if len(b) < 512 || b[510] != 0x55 || b[511] != 0xaa {
		return false
	}
	for i := 446; i < 510; i += 16 {
		if b[i]&0x7f != 0 {
			return false
		}
	}
	return true
}

// An mbrEntry is one entry of an MBR or extended boot record.
type mbrEntry struct {
	off      int64 // in the image
	kind     byte
	first, n int64 // sectors
}

func entry(b []byte, i int, at int64) mbrEntry {
	e := b[446+16*i:]
	return mbrEntry{at + 446 + int64(16*i), e[4], int64(le.Uint32(e[8:])), int64(le.Uint32(e[12:]))}
}

func (e mbrEntry) empty() bool    { return e.kind == 0 || e.n == 0 }
func (e mbrEntry) extended() bool { return e.kind == 0x05 || e.kind == 0x0f || e.kind == 0x85 }

// mbr reads the MBR and what it leads to.
func (d *table) mbr(first []byte) {
	if !isTable(first) {
		return
	}
	sector := d.sector(first)
	var chains []mbrEntry
	for i := range 4 {
		switch e := entry(first, i, 0); {
		case e.empty():
		case e.extended():
			chains = append(chains, e)
		case e.first == 0:
			d.warnf(e.off, "MBR", "partition %d begins at sector 0", i+1)
		default:
			d.add(e.off, Part{Index: i + 1, Start: e.first * sector, Size: e.n * sector, Type: mbrType(e.kind)})
		}
	}
	index := 5
	for _, e := range chains {
		d.extended = true
		index = d.logical(e, sector, index)
	}
}

func mbrType(kind byte) string { return typed(fmt.Sprintf("0x%02x", kind)) }

// logical follows the chain of an extended partition. In each record, the first
// entry counts from the record, the second from the extended partition.
func (d *table) logical(ext mbrEntry, sector int64, index int) int {
	seen := map[int64]bool{}
	for at := ext.first; ; {
		off := at * sector
		b := make([]byte, 512)
		switch {
		case seen[at]:
			d.warnf(off, "extended boot record", "the chain of logical partitions runs in a circle")
			return index
		case len(seen) == maxLogical:
			d.warnf(off, "extended boot record", "more than %d logical partitions: the others are left out", maxLogical)
			return index
		case off > d.size-512 || !full(d.r, b, off):
			d.warnf(off, "extended boot record", "cannot be read, so that %w; the image ends at %#x", ErrLost, d.size)
			return index
		case b[510] != 0x55 || b[511] != 0xaa:
			d.warnf(off, "extended boot record", "no signature, so that %w", ErrLost)
			return index
		}
		seen[at] = true
		if e := entry(b, 0, off); !e.empty() && !e.extended() {
			d.add(e.off, Part{Index: index, Start: (at + e.first) * sector, Size: e.n * sector, Type: mbrType(e.kind)})
			index++
		}
		next := entry(b, 1, off)
		if next.empty() {
			return index
		}
		if !next.extended() {
			d.warnf(next.off, "extended boot record", "links to a partition of type %#02x", next.kind)
			return index
		}
		at = ext.first + next.first
	}
}

// sector returns the unit of an MBR, which does not say it: 4096 bytes if that
// is where known content lies, and 512 is not.
func (d *table) sector(first []byte) int64 {
	for _, sector := range []int64{512, 4096} {
		for i := range 4 {
			e := entry(first, i, 0)
			b := make([]byte, 4096)
			if e.empty() || e.first == 0 || e.first*sector > d.size-4096 || !full(d.r, b, e.first*sector) {
				continue
			}
			if e.extended() && b[510] == 0x55 && b[511] == 0xaa || identify(b) != "unknown" {
				return sector
			}
		}
	}
	return 512
}
