package archive

import (
	"archive/tar"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// IsTar reports whether b, the first 512 bytes of a file, are the header of a
// tar archive: its checksum is right (POSIX.1-2024, pax, "ustar Interchange
// Format"; archives of Version 7 have no signature).
func IsTar(b []byte) bool {
	if len(b) < 512 || b[0] == 0 {
		return false
	}
	want, err := strconv.ParseUint(strings.Trim(string(b[148:156]), " \x00"), 8, 32)
	if err != nil {
		return false
	}
	var sum uint64
	for i, c := range b[:512] {
		if i >= 148 && i < 156 {
			c = ' '
		}
		sum += uint64(c)
	}
	return sum == want
}

// Tar lists the tar archive in the first size bytes of r. With an error it
// returns the members before the damage.
func Tar(r io.ReaderAt, size int64, o Options) (a *Archive, err error) {
	a = &Archive{}
	defer func() {
		if p := recover(); p != nil {
			err = binread.Errorf(-1, "tar", "panic: %v", p)
		}
	}()
	sr := io.NewSectionReader(r, 0, size)
	t := tar.NewReader(sr)
	var files links
	for n := 0; ; n++ {
		h, err := t.Next()
		if err == io.EOF {
			return a, nil
		}
		at, serr := sr.Seek(0, io.SeekCurrent)
		switch {
		case errors.Is(err, tar.ErrInsecurePath) && h != nil: // the name is judged below
		case err != nil:
			return a, binread.Errorf(min(at, size), "member header", "%w: the archive is cut short or damaged here", err)
		case serr != nil:
			return a, serr
		}
		if n >= o.MaxMembers {
			return a, binread.Errorf(at, "members", "%w: more than %d", ErrTooMany, o.MaxMembers)
		}
		m := Member{Dir: h.Typeflag == tar.TypeDir, Size: h.Size, Packed: h.Size, content: &tarred{r: io.NewSectionReader(r, at, h.Size), end: size - at}}
		why := special(h)
		if h.Typeflag == tar.TypeLink {
			if target := files.target(a, h.Linkname); target != nil {
				m.Size, m.content, why = target.Size, target.content, ""
				m.Packed = 0 // its bytes lie in the archive once
			}
		}
		if isSparse(h) && why == "" {
			c, packed, err := newSparse(r, at, size, h)
			if err != nil {
				return a, err
			}
			m.Packed, m.content = packed, c
		}
		if !h.ModTime.IsZero() && h.ModTime.Unix() != 0 {
			m.ModTime = h.ModTime.UTC().Truncate(100 * time.Nanosecond)
		}
		a.add(h.Name, why, m)
	}
}

// links finds the earlier member that a further name of the same file leads to.
type links struct {
	byName map[string]int
	seen   int // members in byName
}

func (l *links) target(a *Archive, name string) *Member {
	if l.byName == nil {
		l.byName = map[string]int{}
	}
	for ; l.seen < len(a.Members); l.seen++ {
		l.byName[a.Members[l.seen].Name] = l.seen
	}
	cleaned, why := clean(name)
	if why != "" || cleaned == "" {
		return nil
	}
	i, ok := l.byName[spell(a.dirs, triage.Show(cleaned))]
	if !ok || a.Members[i].Dir {
		return nil
	}
	return &a.Members[i]
}

// isSparse reports whether the holes of a file are left out.
func isSparse(h *tar.Header) bool {
	return h.Typeflag == tar.TypeGNUSparse || h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.size"] != ""
}

// special says why a member is no file or directory.
func special(h *tar.Header) string {
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeGNUSparse, 0, tar.TypeDir: // old archives write 0 for a file
		return ""
	case tar.TypeSymlink, tar.TypeLink:
		return fmt.Sprintf("link to %q", h.Linkname)
	}
	return "not a regular file"
}

// A tarred is a member of a tar archive.
type tarred struct {
	r   *io.SectionReader
	end int64 // of the archive, in r
}

func (*tarred) stored() bool                         { return true }
func (t *tarred) inPlace(int64) (io.ReaderAt, error) { return t.r, nil }

func (t *tarred) open(size int64) (io.ReadCloser, error) {
	return &reader{src: io.NopCloser(io.NewSectionReader(t.r, 0, t.r.Size())), left: size, noCRC: true}, nil
}

func (t *tarred) present(size int64) int64 { return max(0, min(size, t.end)) }

// A part is a run of bytes of a sparse member.
type part struct{ off, at, size int64 } // in the member, in the archive

// A sparse is a member whose holes are left out. It is read where it lies.
type sparse struct {
	r     io.ReaderAt
	end   int64  // of the archive
	parts []part // by offset
}

// maxMap is the longest list of parts that is read, in bytes.
const maxMap = 16 << 20

// newSparse reads the list of parts of the member whose content begins at at
// (GNU tar manual, "Storing Sparse Files"). The standard library knows it, but
// does not show it.
func newSparse(r io.ReaderAt, at, end int64, h *tar.Header) (*sparse, int64, error) {
	head := at // the header lies before the content, the rest of the list between
	block := make([]byte, 512)
	for {
		if head -= 512; head < 0 || at-head > maxMap {
			return nil, 0, binread.Errorf(at, "sparse file", "no list of its parts before its content")
		}
		if err := binread.Full(r, block, head, "sparse file"); err != nil {
			return nil, 0, err
		}
		if IsTar(block) {
			break
		}
	}
	var nums []int64
	var err error
	switch rest := at - head - 512; {
	case h.PAXRecords["GNU.sparse.map"] != "":
		nums, err = decimals(strings.Split(h.PAXRecords["GNU.sparse.map"], ","))
	case h.PAXRecords["GNU.sparse.major"] == "1":
		b := make([]byte, rest)
		if err := binread.Full(r, b, head+512, "list of parts"); err != nil {
			return nil, 0, err
		}
		text := strings.Split(string(b), "\n")
		var count []int64
		if count, err = decimals(text[:1]); err == nil && count[0] <= int64(len(text)-1)/2 {
			nums, err = decimals(text[1 : 1+2*count[0]])
		}
	default:
		b := append([]byte(nil), block[386:482]...)
		for off := head + 512; off < at; off += 512 {
			if err := binread.Full(r, block, off, "list of parts"); err != nil {
				return nil, 0, err
			}
			b = append(b, block[:504]...)
		}
		for ; len(b) >= 24 && b[0] != 0; b = b[24:] {
			var pair []int64
			if pair, err = octals(b[:12], b[12:24]); err != nil {
				break
			}
			nums = append(nums, pair...)
		}
	}
	if err != nil {
		return nil, 0, binread.Errorf(head, "sparse file", "list of its parts: %w", err)
	}
	s := &sparse{r: r, end: end}
	pos, from := int64(0), at
	for ; len(nums) >= 2; nums = nums[2:] {
		off, n := nums[0], nums[1]
		if off < pos || n < 0 || n > h.Size-off {
			return nil, 0, binread.Errorf(head, "sparse file", "part of %d bytes at %d of a file of %d", n, off, h.Size)
		}
		if n > 0 {
			s.parts = append(s.parts, part{off, from, n})
		}
		pos, from = off+n, from+n
	}
	return s, from - at, nil
}

func decimals(list []string) (nums []int64, err error) {
	for _, s := range list {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, err
		}
		nums = append(nums, n)
	}
	return nums, nil
}

// octals reads numbers of GNU tar: octal digits, or big-endian behind a first
// bit that is set.
func octals(fields ...[]byte) (nums []int64, err error) {
	for _, f := range fields {
		if f[0]&0x80 != 0 {
			nums = append(nums, int64(binary.BigEndian.Uint64(f[4:])))
			continue
		}
		n, err := strconv.ParseInt(strings.Trim(string(f), " \x00"), 8, 64)
		if err != nil {
			return nil, err
		}
		nums = append(nums, n)
	}
	return nums, nil
}

func (*sparse) stored() bool                         { return true }
func (s *sparse) inPlace(int64) (io.ReaderAt, error) { return s, nil }

// ReadAt gives the parts, and zeros for the holes, without an end.
func (s *sparse) ReadAt(b []byte, off int64) (n int, err error) {
	for len(b) > 0 {
		i := sort.Search(len(s.parts), func(i int) bool { return s.parts[i].off+s.parts[i].size > off })
		k := int64(len(b))
		switch {
		case i == len(s.parts):
			clear(b)
		case off < s.parts[i].off:
			k = min(k, s.parts[i].off-off)
			clear(b[:k])
		default:
			p := s.parts[i]
			k = min(k, p.off+p.size-off)
			if err := binread.Full(s.r, b[:k], p.at+off-p.off, "sparse file"); err != nil {
				return n, err
			}
		}
		b, off, n = b[k:], off+k, n+int(k)
	}
	return n, nil
}

func (s *sparse) open(size int64) (io.ReadCloser, error) {
	return &reader{src: io.NopCloser(io.NewSectionReader(s, 0, size)), left: size, noCRC: true}, nil
}

func (s *sparse) present(size int64) int64 {
	for _, p := range s.parts {
		if p.at+p.size > s.end {
			return p.off + max(0, s.end-p.at)
		}
	}
	return size
}
