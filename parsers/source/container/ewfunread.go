package container

import (
	"fmt"
	"io"
	"slices"
	"sort"
)

// unread is a disk of which the acquisition could not read some sectors. The
// image has other bytes in their place, mostly zeros.
type unread struct {
	io.ReaderAt
	size int64
	bad  []span // sorted, apart from each other
}

// ReadAt implements io.ReaderAt.
func (u *unread) ReadAt(p []byte, off int64) (int, error) {
	i := sort.Search(len(u.bad), func(i int) bool { return u.bad[i].end > off })
	if off < 0 || off >= u.size || i == len(u.bad) || u.bad[i].start >= off+int64(len(p)) {
		return u.ReaderAt.ReadAt(p, off)
	}
	n, k := 0, max(u.bad[i].start-off, 0)
	if k > 0 {
		var err error
		if n, err = u.ReaderAt.ReadAt(p[:k], off); int64(n) < k {
			return n, err
		}
	}
	return n, fmt.Errorf("disk offset %#x: the acquisition could not read the %d bytes from %#x on", off+k, u.bad[i].end-u.bad[i].start, u.bad[i].start)
}

// unreadable returns what the acquisition could not read, in bytes.
func (e *ewf) unreadable() []span {
	slices.SortFunc(e.bad, func(a, b span) int { return int(min(max(a.start-b.start, -1), 1)) })
	var out []span
	for _, s := range e.bad {
		s.start, s.end = s.start*e.sector, s.end*e.sector
		if k := len(out) - 1; k >= 0 && s.start <= out[k].end {
			out[k].end = max(out[k].end, s.end)
			continue
		}
		out = append(out, s)
	}
	return out
}
