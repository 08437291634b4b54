package shell

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"sharetrail/parsers/binread"
)

// A JumpList is what the shell keeps of the places that one program opened. The
// formats are described in "Jump lists format" (J. Metz, dtformats).
type JumpList struct {
	Version  uint32 // of DestList (1 Windows 7 and 8, 3 and 4 Windows 10), or of a custom list (2)
	Entries  []JumpEntry
	Problems []error // what could not be read, each a *binread.FormatError
}

// A JumpEntry is one place in a jump list.
type JumpEntry struct {
	Stream   string    // name of its stream, hexadecimal; "" in a custom list
	Off      int64     // of its DestList entry, or of its link without one, from the start of the file, bytes
	Len      int64     // bytes
	Listed   bool      // DestList has it; false for a link that it has not, and in custom lists
	Path     string    // as DestList has it
	Host     string    // NetBIOS name of the computer that held the target when it was added
	Accessed time.Time // last use of the place through the program; UTC, 100 ns; zero if not Listed
	Pinned   bool
	Count    uint32 // uses, where the version has it; else 0
	Link     *Link  // nil if its stream is missing or unreadable
}

func (j *JumpList) problem(off int64, field, format string, args ...any) {
	j.Problems = append(j.Problems, binread.Errorf(off, field, format, args...))
}

// ReadAutomatic reads an .automaticDestinations-ms file of size bytes: a
// compound file with one link a stream, and the list of them in the stream
// DestList. Offsets inside a stream count from its first sector, which is
// exact for streams that lie in one piece. The error is for files that are no
// compound file.
func ReadAutomatic(r io.ReaderAt, size int64) (*JumpList, error) {
	if size > maxCompound {
		return nil, binread.Errorf(0, "compound file", "%d bytes, limit %d", size, int64(maxCompound))
	}
	b, err := readWhole(r, size)
	if err != nil {
		return nil, err
	}
	c, err := openCompound(b)
	if c == nil {
		return nil, err
	}
	j := &JumpList{}
	if err != nil {
		j.Problems = append(j.Problems, err)
	}
	if whole := int64(1) << c.shift; size%whole != 0 {
		j.problem(size, "compound file", "%d bytes are no whole number of sectors: the file may be cut", size)
	}
	links, order, list := j.streams(c)
	if list == nil {
		j.problem(0, "DestList", "the compound file has no such stream")
	} else {
		j.destList(span{list.data, list.off})
	}
	for i := range j.Entries {
		e := &j.Entries[i]
		e.Link = links[e.Stream]
		delete(links, e.Stream)
	}
	for _, name := range order {
		if l := links[name]; l != nil {
			j.Entries = append(j.Entries, JumpEntry{Stream: name, Off: l.Off, Len: l.Len, Link: l})
		}
	}
	return j, nil
}

// streams reads the links, by the lower-case names of their streams, whose
// order is that of the file, and finds DestList.
func (j *JumpList) streams(c *compound) (links map[string]*Link, order []string, list *stream) {
	links = map[string]*Link{}
	for i := range c.streams {
		st := &c.streams[i]
		if st.err != nil {
			j.Problems = append(j.Problems, fmt.Errorf("stream %q: %w", st.name, st.err))
		}
		if strings.EqualFold(st.name, "DestList") {
			list = st
			continue
		}
		if _, err := strconv.ParseUint(st.name, 16, 64); err != nil || len(st.data) == 0 {
			continue
		}
		l, err := ParseLink(st.data, st.off)
		if err != nil {
			j.Problems = append(j.Problems, fmt.Errorf("stream %q: %w", st.name, err))
			continue
		}
		for _, p := range l.Problems {
			j.Problems = append(j.Problems, fmt.Errorf("stream %q: %w", st.name, p))
		}
		name := strings.ToLower(st.name)
		if links[name] == nil {
			links[name] = l
			order = append(order, name)
		}
	}
	return links, order, list
}

// destList reads the entries of the stream DestList.
func (j *JumpList) destList(s span) {
	if !s.has(0, 32) {
		if len(s.b) > 0 {
			j.problem(s.off, "DestList", "%d bytes: %w", len(s.b), binread.ErrTruncated)
		}
		return
	}
	j.Version = s.u32(0)
	fixed, tail := 130, 4
	switch {
	case j.Version == 1:
		fixed, tail = 114, 0
	case j.Version < 1 || j.Version > 4:
		j.problem(s.off, "DestList version", "%d is unknown: read as 4", j.Version)
	}
	n := s.u32(4)
	at := 32
	for range n {
		if !s.has(at, fixed) {
			break
		}
		e := s.cut(at, at+fixed)
		size := 2 * int(e.u16(fixed-2))
		if !s.has(at+fixed, size) {
			break
		}
		host, _, _ := e.cut(72, 88).ansi(0)
		entry := JumpEntry{
			Stream: fmt.Sprintf("%x", e.u32(88)), Off: e.off, Len: int64(fixed + size + tail), Listed: true,
			Path: untilNUL(wideText(s.b[at+fixed : at+fixed+size])),
			Host: host, Accessed: e.filetime(100), Pinned: e.u32(108) != noStream,
		}
		if fixed == 130 {
			entry.Count = e.u32(116)
		}
		j.Entries = append(j.Entries, entry)
		at += fixed + size + tail
	}
	if uint64(len(j.Entries)) < uint64(n) {
		j.problem(s.off+4, "DestList", "read %d of %d entries, up to byte %d of %d: %w", len(j.Entries), n, at, len(s.b), binread.ErrTruncated)
	}
}

// linkMark is how a link begins: the size of its header and its class.
var linkMark = []byte{0x4c, 0, 0, 0, 0x01, 0x14, 0x02, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}

// maxLinks bounds the links of a custom list.
const maxLinks = 1 << 14

// ReadCustom reads a .customDestinations-ms file of size bytes: links that a
// program put there itself, one behind the other between categories. They are
// found by how a link begins, so that a damaged category costs none.
func ReadCustom(r io.ReaderAt, size int64) (*JumpList, error) {
	if size > maxCompound {
		return nil, binread.Errorf(0, "custom jump list", "%d bytes, limit %d", size, int64(maxCompound))
	}
	b, err := readWhole(r, size)
	if err != nil {
		return nil, err
	}
	s := span{b, 0}
	if len(b) < 12 {
		return nil, binread.Errorf(0, "custom jump list", "%d bytes: %w", len(b), binread.ErrTruncated)
	}
	j := &JumpList{Version: s.u32(0)}
	if j.Version != 2 {
		return nil, binread.Errorf(0, "custom jump list", "version %d, want 2", j.Version)
	}
	if s.u32(len(b)-4) != 0xbabffbab {
		j.problem(int64(len(b)-4), "footer", "%#x is not the mark of the end: the file may be cut", s.u32(len(b)-4))
	}
	for at := 0; ; {
		i := bytes.Index(b[at:], linkMark)
		if i < 0 {
			break
		}
		if len(j.Entries) == maxLinks {
			j.problem(int64(at), "custom jump list", "more than %d links", maxLinks)
			break
		}
		at += i
		l, err := ParseLink(b[at:min(len(b), at+MaxLink)], int64(at))
		if err != nil {
			j.Problems = append(j.Problems, err)
			break
		}
		j.Problems = append(j.Problems, l.Problems...)
		j.Entries = append(j.Entries, JumpEntry{Off: l.Off, Len: l.Len, Link: l})
		if len(l.Problems) > 0 {
			at += len(linkMark) // its end is not known
		} else {
			at += int(max(l.Len, int64(len(linkMark))))
		}
	}
	return j, nil
}
