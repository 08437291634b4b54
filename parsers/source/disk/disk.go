// Package disk finds the volumes of a disk: by GPT, by MBR with its logical
// partitions, or as one bare volume.
//
// Nothing is left out in silence. A partition that begins behind the end of the
// image, or that cannot be read, is listed with its error; what is repaired from
// a copy, or cut at the end of the image, is a warning.
package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"sharetrail/parsers/binread"
)

// The schemes that Partitions returns.
const (
	GPT  = "gpt"
	MBR  = "mbr"
	Bare = "none" // the image is one volume
)

var (
	// ErrNoVolume says that neither a partition table nor a known volume is
	// there: the image may be no disk, or encrypted as a whole.
	ErrNoVolume = errors.New("no partition table and no known volume")

	// ErrBeyond is the error of a partition that begins behind the end of the
	// image: the image is cut short, or the table is wrong.
	ErrBeyond = errors.New("behind the end of the image")

	// ErrLost is wrapped by the warning that a part of a partition table cannot be
	// read: what it lists is not among the partitions.
	ErrLost = errors.New("further logical partitions are unknown")
)

// A Part is one partition, or the whole image if that is a bare volume.
type Part struct {
	Index  int    // as Windows and Linux count: the place in the GPT or MBR from 1 on, logical partitions from 5 on; 1 for a bare volume
	Start  int64  // in the image, in bytes
	Size   int64  // in bytes; no further than the image reaches
	Type   string // from the table, with its meaning if that is known: a GUID in lower case or a byte such as 0x07; "" for a bare volume
	Name   string // that the GPT gives it; mostly ""
	FS     string // by content, or by type where that decides: "ntfs", "bitlocker", "refs", "fat", "exfat", "lvm", "ldm", "storage spaces", "ext", "unknown"
	Advice string // what the examiner can do if FS is not "ntfs"; "" if nothing need be done
	Err    error  // why it cannot be read; FS is then "unknown"
}

var le = binary.LittleEndian

// Partitions returns the partitions of a disk of size bytes, ordered by index.
// A volume's boot sector at the start of the image decides first, since that of
// NTFS ends like an MBR; then a GPT for sectors of 512 or 4096 bytes; then an MBR.
func Partitions(r io.ReaderAt, size int64) (scheme string, parts []Part, warnings []error, err error) {
	d := &table{r: r, size: max(size, 0)}
	first := make([]byte, min(d.size, 512))
	if err := binread.Full(r, first, 0, "first sector"); err != nil {
		return "", nil, nil, err
	}
	if len(first) < 512 {
		return "", nil, nil, binread.Errorf(0, "first sector", "the image has only %d bytes: %w", len(first), ErrNoVolume)
	}
	bare := Part{Index: 1, Size: d.size}
	d.look(&bare)
	if sure[bare.FS] && bare.Err == nil {
		return Bare, []Part{bare}, d.warn, nil
	}
	found, err := d.gpt(first)
	if err != nil {
		return GPT, nil, d.warn, err
	}
	scheme = GPT
	if !found {
		scheme = MBR
		d.mbr(first)
	}
	if bare.FS == "fat" && !d.knows() {
		return Bare, []Part{bare}, nil, nil // its boot code passed for a table
	}
	if len(d.parts) > 0 {
		slices.SortStableFunc(d.parts, func(a, b Part) int { return a.Index - b.Index })
		d.overlaps()
		return scheme, d.parts, d.warn, nil
	}
	switch {
	case found || d.extended:
		return scheme, nil, d.warn, binread.Errorf(0, "partition table", "lists no partition: %w", ErrNoVolume)
	case bare.Err == nil && (bare.FS != "unknown" || d.backupNTFS(&bare)):
		return Bare, []Part{bare}, d.warn, nil
	}
	return Bare, nil, d.warn, binread.Errorf(0, "first sector", "%w", ErrNoVolume)
}

// sure are the file systems whose boot sector cannot be a partition table.
var sure = map[string]bool{"ntfs": true, "bitlocker": true, "refs": true, "exfat": true}

// A table collects what partition tables say.
type table struct {
	r        io.ReaderAt
	size     int64
	parts    []Part
	warn     []error
	extended bool // there is an MBR, if only with an extended partition
}

func (d *table) warnf(off int64, field, format string, args ...any) {
	d.warn = append(d.warn, binread.Errorf(off, field, format, args...))
}

// add adds a partition from the table entry at off.
func (d *table) add(off int64, p Part) {
	switch {
	case p.Start >= d.size:
		p.FS = "unknown"
		p.Err = binread.Errorf(off, "partition", "begins at %#x: %w, which has %d bytes", p.Start, ErrBeyond, d.size)
		d.parts = append(d.parts, p)
		return
	case p.Size > d.size-p.Start:
		d.warnf(off, "partition", "partition %d ends at %#x, the image at %#x: it is cut short", p.Index, p.Start+p.Size, d.size)
		p.Size = d.size - p.Start
	}
	d.look(&p)
	d.parts = append(d.parts, p)
}

// knows reports whether a partition holds what its type says or a known volume.
func (d *table) knows() bool {
	return slices.ContainsFunc(d.parts, func(p Part) bool { return p.Err == nil && p.FS != "unknown" })
}

// overlaps warns of partitions that share bytes.
func (d *table) overlaps() {
	p := slices.Clone(d.parts)
	slices.SortStableFunc(p, func(a, b Part) int { return int(min(max(a.Start-b.Start, -1), 1)) })
	for i := 1; i < len(p); i++ {
		if p[i-1].Err == nil && p[i].Err == nil && p[i-1].Start+p[i-1].Size > p[i].Start {
			d.warn = append(d.warn, fmt.Errorf("partitions %d and %d overlap", p[i-1].Index, p[i].Index))
		}
	}
}
