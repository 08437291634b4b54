package container

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// openRaw reads a raw image. If its name counts (.001, .00, .aa, xaa) the files
// that count on from there follow it on the disk.
func openRaw(f *file, d *folder) (*image, error) {
	whole := &image{ReaderAt: &blocks{f.size, max(f.size, 1), func(p []byte, _, in int64) error { return f.full(p, in, "disk") }}, size: f.size}
	c, no, ok := counted(f.name)
	if !ok || d.open == nil || f.size == 0 {
		return whole, nil
	}
	for first := range min(no, c.starts) {
		s, err := d.sibling(c.name(first))
		if errors.Is(err, ErrMissing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.letters && s.size < f.size {
			return whole, d.leave() // names may end in letters for other reasons
		}
		return nil, f.errorf(0, "name", "%s comes before: open the first piece instead: %w", s.name, ErrPart)
	}
	if no >= c.starts {
		return whole, nil
	}
	disk := pieces{}.add(section{f, 0, "disk"}, f.size)
	var warn []error
	for {
		no++
		s, hole, err := d.following(c, no)
		if errors.Is(err, ErrMissing) {
			break
		}
		if err != nil {
			return nil, err
		}
		if c.letters && s.size > f.size { // split makes no piece larger than the first
			if err := d.leave(); err != nil {
				return nil, err
			}
			break
		}
		for range hole {
			err := fmt.Errorf("piece %q is %w", c.name(no), ErrMissing)
			warn = append(warn, fmt.Errorf("disk offsets %#x to %#x cannot be read, if pieces are equal in size: %w", disk.size(), disk.size()+f.size, err))
			disk = disk.add(gone{err}, f.size)
			no++
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

// maxHole is how many pieces in a row may be missing.
const maxHole = 4

// following opens the piece no, or else the next that is there and tells how many
// are missing before it. That the last pieces are missing only the partition
// table can tell.
func (d *folder) following(c *count, no int) (s *file, hole int, err error) {
	for hole = range maxHole + 1 {
		if s, err = d.sibling(c.name(no + hole)); !errors.Is(err, ErrMissing) {
			return s, hole, err
		}
		if grown := c.grown(no); hole == 0 && grown != "" {
			if s, gerr := d.sibling(grown); gerr == nil {
				c.long = true
				return s, 0, nil
			}
		}
	}
	return nil, 0, err
}

// A count is how the names of the pieces of an image go on.
type count struct {
	prefix  string
	width   int  // of the count, in characters
	starts  int  // the first piece is one of the first so many names
	letters bool // aa, ab, … as split(1) has it
	upper   bool
	long    bool // behind yz come zaaa, zaab, …
}

// counted takes the name of a piece apart. Digits count behind a dot only, from
// 0 or 1; letters, of which split makes two or three, also without.
func counted(name string) (c *count, no int, ok bool) {
	dot := strings.LastIndexByte(name, '.')
	if digits := name[dot+1:]; dot >= 0 && len(digits) >= 2 && len(digits) <= 6 {
		if no, err := strconv.Atoi(digits); err == nil && no >= 0 {
			return &count{prefix: name[:dot+1], width: len(digits), starts: 2}, no, true
		}
	}
	for _, width := range []int{3, 2} {
		if len(name) < width {
			continue
		}
		c := &count{prefix: name[:len(name)-width], width: width, starts: 1, letters: true}
		count := name[len(c.prefix):]
		c.upper = count == strings.ToUpper(count)
		if no := number(strings.ToLower(count)); no >= 0 && c.name(no) == name && (width == 2 || no == 0) {
			return c, no, true
		}
	}
	return nil, 0, false
}

// number is what letters count, or -1.
func number(letters string) (no int) {
	for _, r := range letters {
		if r < 'a' || r > 'z' {
			return -1
		}
		no = no*26 + int(r-'a')
	}
	return no
}

const twoLetters = 25 * 26 // aa to yz

// grown is the name that split gives piece no where it lengthens the count, or "".
func (c *count) grown(no int) string {
	if !c.letters || c.width != 2 || c.long || no != twoLetters {
		return ""
	}
	long := *c
	long.long = true
	return long.name(no)
}

func (c *count) name(no int) string {
	if !c.letters {
		return fmt.Sprintf("%s%0*d", c.prefix, c.width, no)
	}
	lead, width := "", c.width
	if c.long && no >= twoLetters {
		lead, width, no = "z", 3, no-twoLetters
	}
	b := make([]byte, width)
	for i := width - 1; i >= 0; i, no = i-1, no/26 {
		b[i] = byte('a' + no%26)
	}
	if s := lead + string(b); !c.upper {
		return c.prefix + s
	} else {
		return c.prefix + strings.ToUpper(s)
	}
}
