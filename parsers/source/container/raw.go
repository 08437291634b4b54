package container

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// openRaw reads a raw image. If its name ends in .001 (or .000, .01, ...) the
// files that count on from there follow it on the disk.
func openRaw(f *file, d *folder) (*image, error) {
	whole := &image{ReaderAt: &blocks{f.size, max(f.size, 1), func(p []byte, _, in int64) error { return f.full(p, in, "disk") }}, size: f.size}
	dot := strings.LastIndexByte(f.name, '.')
	no, err := strconv.Atoi(f.name[dot+1:])
	digits := len(f.name) - dot - 1
	if dot < 0 || err != nil || no < 0 || digits < 2 || digits > 6 || d.open == nil || f.size == 0 {
		return whole, nil
	}
	name := func(no int) string { return fmt.Sprintf("%s%0*d", f.name[:dot+1], digits, no) }
	for first := range min(no, 2) {
		if _, err := d.sibling(name(first)); !errors.Is(err, ErrMissing) {
			if err != nil {
				return nil, err
			}
			return nil, f.errorf(0, "name", "%s comes before: open the first piece instead: %w", name(first), ErrPart)
		}
	}
	if no > 1 {
		return whole, nil
	}
	disk := pieces{}.add(section{f, 0, "disk"}, f.size)
	var warn []error
	for {
		no++
		s, err := d.sibling(name(no))
		if errors.Is(err, ErrMissing) {
			// The end, unless there are more behind a hole of one piece. That the
			// last pieces are missing only the partition table can tell.
			s, err = d.sibling(name(no + 1))
			if errors.Is(err, ErrMissing) {
				break
			}
			if err == nil {
				hole := fmt.Errorf("piece %q is %w", name(no), ErrMissing)
				warn = append(warn, fmt.Errorf("disk offsets %#x to %#x cannot be read, if pieces are equal in size: %w", disk.size(), disk.size()+f.size, hole))
				disk = disk.add(gone{hole}, f.size)
				no++
			}
		}
		if err != nil {
			return nil, err
		}
		if prev := disk[len(disk)-1].size; prev != f.size {
			warn = append(warn, fmt.Errorf("a piece before %q has %d bytes, the first has %d: it may be cut short", s.name, prev, f.size))
		}
		disk = disk.add(section{s, 0, "disk"}, s.size)
		if disk.size() > maxDisk {
			return nil, s.errorf(-1, "size", "the pieces have more than %d bytes", int64(maxDisk))
		}
	}
	if len(disk) < 2 {
		return whole, nil
	}
	return &image{ReaderAt: disk, size: disk.size(), warn: warn}, nil
}
