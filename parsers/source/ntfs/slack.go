package ntfs

import (
	"io"
	"io/fs"
)

// A Slack is a file of which only that is there which its clusters hold and
// Windows does not show: what lies behind its end, and what was allocated to it
// and not written since. An offset in it is one in the file, in bytes.
type Slack struct {
	s        *stream
	from, to int64
}

// Slack returns what the clusters of the file hold beyond it, nil if there are no
// such bytes or they do not lie there as they are.
func (f *File) Slack() *Slack {
	s, ok := f.r.(*stream)
	if !ok || s.value != nil || s.unit > 0 || len(s.runs) == 0 {
		return nil
	}
	last := s.runs[len(s.runs)-1]
	k := &Slack{s, min(s.init, s.size), (last.vcn + last.n) * s.f.geo.cluster}
	if k.from >= k.to {
		return nil
	}
	return k
}

// Size returns where the clusters of the file end, in bytes.
func (k *Slack) Size() int64 { return k.to }

// Next returns the first stretch of bytes from off on: up to, and not including,
// end. start is -1 if there is none.
func (k *Slack) Next(off int64) (start, end int64) {
	if off >= k.to {
		return -1, -1
	}
	return max(off, k.from), k.to
}

// ReadAt reads what the clusters hold. What belongs to the file reads as zeros.
func (k *Slack) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if left := k.to - off; left < int64(len(p)) {
		p, err = p[:max(0, left)], io.EOF
	}
	n = int(max(0, min(k.from-off, int64(len(p)))))
	clear(p[:n])
	if n == len(p) {
		return n, err
	}
	m, failed := k.s.read(p[n:], off+int64(n))
	if failed != nil {
		err = failed
	}
	return n + m, err
}
