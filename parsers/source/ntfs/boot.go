package ntfs

import (
	"encoding/binary"
	"fmt"
	"io"

	"sharetrail/parsers/binread"
)

// Limits of a volume's geometry. Windows 10 formats with clusters up to 2 MiB.
const (
	minSector, maxSector   = 256, 4096
	minCluster, maxCluster = 256, 2 << 20
	minRecord, maxRecord   = 512, 64 << 10
	maxClusters            = 1 << 44
)

// A geometry is what the boot sector tells (NTFS documentation of the
// Linux-NTFS project, "$Boot").
type geometry struct {
	sector, cluster, record int64 // sizes in bytes
	sectors, clusters       int64 // of the volume, counts
	mft, mirr               int64 // first clusters of $MFT and $MFTMirr
	serial                  uint64
}

func power(n, low, high int64) bool { return n >= low && n <= high && n&(n-1) == 0 }

// scaled decodes a size that is a count of units, or if negative a power of two.
func scaled(v int8, unit int64) int64 {
	if v < 0 && v >= -31 {
		return 1 << -v
	}
	return int64(v) * unit
}

func parseBoot(b []byte, off int64) (g geometry, err error) {
	le := binary.LittleEndian
	if len(b) < 512 {
		return g, binread.Errorf(off, "boot sector", "need 512 bytes, have %d: %w", len(b), binread.ErrTruncated)
	}
	if string(b[3:11]) != "NTFS    " {
		return g, binread.Errorf(off+3, "OEM ID", "%q is not that of NTFS", b[3:11])
	}
	if b[510] != 0x55 || b[511] != 0xaa {
		return g, binread.Errorf(off+510, "end marker", "%#x is not 55aa", b[510:512])
	}
	g.sector = int64(le.Uint16(b[11:]))
	if !power(g.sector, minSector, maxSector) {
		return g, binread.Errorf(off+11, "bytes per sector", "%d", g.sector)
	}
	// Above 128 the byte is the negative power of two of a large cluster.
	per := int64(b[13])
	if per > 128 {
		per = scaled(int8(b[13]), 0)
	}
	g.cluster = g.sector * per
	if !power(g.cluster, minCluster, maxCluster) {
		return g, binread.Errorf(off+13, "sectors per cluster", "%d makes clusters of %d bytes", b[13], g.cluster)
	}
	sectors := le.Uint64(b[40:])
	if sectors == 0 || sectors > maxClusters {
		return g, binread.Errorf(off+40, "total sectors", "%d", sectors)
	}
	g.sectors = int64(sectors)
	g.clusters = g.sectors / per
	mft, mirr := le.Uint64(b[48:]), le.Uint64(b[56:])
	if mft == 0 || mft >= uint64(g.clusters) {
		return g, binread.Errorf(off+48, "cluster of $MFT", "%d lies outside of %d clusters", mft, g.clusters)
	}
	if mirr >= uint64(g.clusters) {
		mirr = 0 // not needed unless $MFT is damaged
	}
	g.mft, g.mirr = int64(mft), int64(mirr)
	g.record = scaled(int8(b[64]), g.cluster)
	if !power(g.record, minRecord, maxRecord) {
		return g, binread.Errorf(off+64, "size of MFT records", "%d makes %d bytes", int8(b[64]), g.record)
	}
	g.serial = le.Uint64(b[72:])
	return g, nil
}

// A placed is a boot sector and where it was found.
type placed struct {
	geometry
	off int64
}

// boots returns the usable boot sectors of a volume, the primary one first. The
// backup lies in the sector behind the last one of the volume, which is how it
// is told from a stale sector. The error tells what is wrong with the primary.
func boots(r io.ReaderAt, size int64) (found []placed, primary error) {
	b := make([]byte, 512)
	primary = binread.Full(r, b, 0, "boot sector")
	if primary == nil {
		var g geometry
		if g, primary = parseBoot(b, 0); primary == nil {
			found = append(found, placed{g, 0})
			if end := g.sectors * g.sector; end > 0 && end+g.sector <= size {
				if binread.Full(r, b, end, "backup boot sector") == nil {
					if g2, err := parseBoot(b, end); err == nil && g2 != g {
						found = append(found, placed{g2, end})
					}
				}
			}
			return found, nil
		}
	}
	tail := make([]byte, min(size, 64<<10)) // images are often cut or padded to some unit
	base := size - int64(len(tail))
	if binread.Full(r, tail, base, "end of the volume") != nil {
		return nil, primary
	}
	start := (512 - base%512) % 512
	for i := len(tail) - 512; i >= int(start); i-- {
		off := base + int64(i)
		if off%512 != 0 || off == 0 {
			continue
		}
		if g, err := parseBoot(tail[i:i+512], off); err == nil && g.sectors*g.sector == off {
			found = append(found, placed{g, off})
		}
	}
	return found, primary
}

func (g geometry) bytes() int64 { return g.sectors * g.sector }

func (g geometry) String() string {
	return fmt.Sprintf("%d clusters of %d bytes, MFT records of %d bytes", g.clusters, g.cluster, g.record)
}
