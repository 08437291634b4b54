package disk

import (
	"errors"
	"io"
	"slices"

	"sharetrail/parsers/binread"
)

const (
	mebibyte = 1 << 20        // at multiples of which partitions begin since Windows Vista
	cylinder = 63 * 255 * 512 // and before; of logical partitions and the first one a track later
	track    = 63 * 512
	maxFound = 128
)

// Lost reports whether the table of a disk does not account for its volumes: it
// is gone, or a part of it is, or nothing that it lists is a volume.
func Lost(parts []Part, warnings []error, err error) bool {
	d := table{parts: parts}
	return err != nil || !d.knows() || slices.ContainsFunc(warnings, func(err error) bool { return errors.Is(err, ErrLost) })
}

// Search looks for volumes of NTFS, BitLocker's too, that parts do not list: for
// boot sectors where Windows lets partitions begin. It reads 512 bytes of each MiB.
// The space of a volume that is found is not searched.
func Search(r io.ReaderAt, size int64, parts []Part) (found []Part, warnings []error) {
	d := &table{r: r, size: size}
	index := 0
	var taken []Part
	for _, p := range parts {
		index = max(index, p.Index)
		if p.Err == nil && p.FS != "unknown" {
			taken = append(taken, p)
		}
	}
	b := make([]byte, 512)
	for off := int64(track); off <= size-512 && len(d.parts) < maxFound; {
		if i := slices.IndexFunc(taken, func(p Part) bool { return p.Start <= off && off < p.Start+p.Size }); i >= 0 {
			off = start(taken[i].Start + taken[i].Size)
			continue
		}
		if binread.Full(r, b, off, "boot sector") == nil && (isNTFS(b) || at(b, 3, "-FVE-FS-")) {
			index++
			p := Part{Index: index, Start: off, Size: size - off}
			if sectors := le.Uint64(b[40:]); isNTFS(b) && sectors > 0 && sectors < 1<<50 {
				p.Size = (int64(sectors) + 1) * int64(le.Uint16(b[11:])) // the last one holds the copy of the boot sector
			}
			d.add(off, p)
			taken = append(taken, d.parts[len(d.parts)-1])
			d.warnf(off, "boot sector", "partition %d: no partition table lists it, its boot sector was found", index)
		}
		off = start(off + 1)
	}
	return d.parts, d.warn
}

// start returns the next offset from off on at which a partition may begin.
func start(off int64) int64 {
	next := func(off, step, after int64) int64 { return (max(off-after, 0)+step-1)/step*step + after }
	return min(next(off, mebibyte, 0), next(off, cylinder, 0), next(off, cylinder, track))
}
