package source

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/archive"
	"sharetrail/parsers/source/triage"
)

const (
	archiveEntries = 1 << 18   // default of MaxEntries in archives
	inMemory       = 64 << 20  // a larger member is unpacked to a file
	ratioFrom      = 100 << 20 // a smaller member is no bomb, whatever its ratio
)

// archive opens the archive that it holds and lays out its members. Paths of
// its problems start with id.
func (s *scanner) archive(it *item, kind, id string, depth int, outer *kape) (*Node, error) {
	c, err := s.listed(it, kind, id, depth, outer)
	if err != nil {
		return nil, err
	}
	return s.layout(c)
}

// listed opens the archive that it holds. Only an interrupt is an error.
func (s *scanner) listed(it *item, kind, id string, depth int, outer *kape) (*scope, error) {
	c := &scope{outer: outer, id: id, kind: kind, label: triage.HostOf(strings.TrimSuffix(path.Base(it.path), path.Ext(it.path))), size: it.size, depth: depth}
	switch err := s.list(it, c); {
	case s.ctx.Err() != nil:
		return nil, s.ctx.Err()
	case err != nil:
		c.problem(Problem{Severity: Error, Offset: binread.Offset(err), What: c.kind + " archive cannot be read: " + text(err)})
		c.unlisted = append(c.unlisted, "")
	}
	return c, nil
}

// list fills in the items of c from the archive it.
func (s *scanner) list(it *item, c *scope) error {
	if c.depth > s.o.MaxDepth {
		return fmt.Errorf("more than %d archives inside each other (MaxDepth); extract it and point at the extracted folder", s.o.MaxDepth)
	}
	h, err := s.keep(it)
	if err != nil {
		return err
	}
	if p := it.damage(); p != nil {
		c.problem(*p)
	}
	if h == nil {
		return nil
	}
	switch c.kind {
	case "zip":
		return s.members(c, h, archive.Zip)
	case "tar":
		return s.members(c, h, archive.Tar)
	case "7z":
		return s.sevenZip(c, h)
	}
	return s.compressed(it, c, h)
}

// members fills in the items of c by a reader of archives. Those that it
// returns with an error are read.
func (s *scanner) members(c *scope, h Handle, read func(io.ReaderAt, int64, archive.Options) (*archive.Archive, error)) error {
	limit := s.o.entries(archiveEntries)
	a, err := read(h, h.Size(), archive.Options{MaxMembers: limit - s.listedMembers, Passwords: s.o.Passwords})
	if a != nil && len(s.o.KeyPEM) > 0 {
		if password, ok := s.collectorPassword(c, a); ok {
			a, err = read(h, h.Size(), archive.Options{MaxMembers: limit - s.listedMembers, Passwords: [][]byte{password}})
		}
	}
	if errors.Is(err, archive.ErrTooMany) {
		err = fmt.Errorf("more than %d members in all archives of the source (MaxEntries)", limit)
	}
	if a == nil {
		return err
	}
	s.listedMembers += len(a.Members)
	c.unusual(a)
	if isAFF4(a) {
		c.problem(errorf("", "is an AFF4 disk image: not supported; export it as raw or E01"))
	}
	z := &zipFile{s: s, size: h.Size()}
	taken := map[string]bool{}
	for i := range a.Members {
		if s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		z.member(c, &a.Members[i], taken)
	}
	return err
}

// isAFF4 reports whether an archive is a volume of AFF4, which is a zip archive that
// holds these two members (AFF4 Standard 1.0).
func isAFF4(a *archive.Archive) bool {
	has := func(name string) bool {
		return slices.ContainsFunc(a.Members, func(m archive.Member) bool { return m.Name == name })
	}
	return has("container.description") && has("information.turtle")
}

// unusual tells which members were left out, and whose names say more than where
// they lie in the archive.
func (c *scope) unusual(a *archive.Archive) {
	for _, r := range a.Refused {
		c.problem(warnf(r.Name, "member left out: %s", r.Why))
	}
	if a.Absolute > 0 {
		c.problem(warnf(a.Rooted, "absolute path: read as if it were below the top of the archive, as all such paths are (%d in all)", a.Absolute))
	}
}

// keep opens it for as long as the Evidence lives. It returns nil if check refuses it.
func (s *scanner) keep(it *item) (Handle, error) {
	if it.admit(); it.open == nil {
		return nil, nil
	}
	open := it.open
	if it.packed != nil {
		mem := max(0, inMemory-s.held)
		if it.size <= mem {
			s.held += it.size
		}
		open = func() (Handle, error) { return it.packed.open(mem) }
	}
	h, err := open()
	if err == nil {
		s.ev.closers = append(s.ev.closers, h)
	}
	return h, err
}

// A zipFile is an archive whose members are being looked at.
type zipFile struct {
	s    *scanner
	size int64 // of the archive, in bytes
	read int64 // packed bytes of the members read so far
}

// member adds m to c after a look at its first bytes.
func (z *zipFile) member(c *scope, m *archive.Member, taken map[string]bool) {
	it := &item{path: m.Name, place: m.Name, size: m.Size, mod: m.ModTime, dir: m.Dir, sealed: m.Sealed}
	if !m.Dir {
		it.path = unique(taken, m.Name, strings.ToLower)
	}
	if !m.Dir && m.Sealed == "" {
		b, err := peek(m)
		if err != nil {
			c.problem(errorf(it.path, "member cannot be read: %s", text(err)))
			it.lost = true
		}
		it.head = identify(b)
		it.check = func(it *item) *Problem { return z.check(it, m) }
		it.open = func() (Handle, error) { return inPlaceOf(m, it.size) }
		if !m.Stored() {
			it.packed = &packedMember{ev: z.s.ev, ctx: z.s.ctx, m: m, temp: z.s.o.TempDir}
			it.open = func() (Handle, error) { return it.packed.open(inMemory) }
		}
	}
	c.items = append(c.items, it)
}

// emptyDeflate is the packed size of nothing (RFC 1951: one final, empty block).
const emptyDeflate = 2

// peek returns the first bytes of a member.
func peek(m *archive.Member) ([]byte, error) {
	if m.Size == 0 && m.Packed <= emptyDeflate {
		return nil, nil
	}
	r, err := m.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := make([]byte, sniffLen)
	n, err := io.ReadFull(r, b)
	if n > 0 || err == io.EOF || errors.Is(err, archive.ErrChecksum) {
		err = nil // what is wrong further on shows when it is unpacked
	}
	return b[:n], err
}

// check holds a candidate against the limits, before anything believes its size.
// What it refuses has no open afterwards; of what is cut short, size is what is
// there. A checksum is compared when all is unpacked, which is done once.
func (z *zipFile) check(it *item, m *archive.Member) *Problem {
	if why := z.exceeds(m); why != "" {
		it.open, it.packed = nil, nil
		return &Problem{Severity: Error, Offset: -1, What: "member not unpacked: " + why}
	}
	z.read += z.present(m)
	n := m.Present()
	if n < 0 {
		z.s.total += m.Size
	}
	switch {
	case n >= 0 && n < m.Size: // it lies there as it is
		it.size, it.cut = n, true
		return &Problem{Severity: Error, Offset: n, What: fmt.Sprintf("member is damaged: only its first %d of %d bytes are there", n, m.Size)}
	case n < 0 && m.Stored():
		return z.sum(it, m)
	}
	return nil
}

// present is how many bytes of the archive m takes: fewer than it claims if the
// archive is cut short in it.
func (z *zipFile) present(m *archive.Member) int64 {
	if n := m.Present(); n >= 0 {
		return min(n, m.Packed)
	}
	return m.Packed
}

// exceeds names the limit that m breaks.
func (z *zipFile) exceeds(m *archive.Member) string {
	o := z.s.o
	switch {
	case m.Size < 0 || m.Packed < 0:
		return "impossible size"
	case m.Size > o.MaxMember:
		return fmt.Sprintf("%d bytes exceed the limit of %d for one member (MaxMember)", m.Size, o.MaxMember)
	case m.Present() < 0 && m.Size > ratioFrom && m.Size/max(1, m.Packed) > int64(o.MaxRatio):
		return fmt.Sprintf("%d bytes from %d exceed the ratio of %d (MaxRatio)", m.Size, m.Packed, o.MaxRatio)
	case m.Present() < 0 && m.Size > o.MaxTotal-z.s.total:
		return fmt.Sprintf("%d bytes exceed what is left of the limit of %d for all members (MaxTotal)", m.Size, o.MaxTotal)
	case z.present(m) > z.size-z.read:
		return "the members claim more bytes than the archive has: they overlap"
	}
	return ""
}

// sum compares the checksum of a member that lies in the archive as it is.
func (z *zipFile) sum(it *item, m *archive.Member) *Problem {
	p := &packedMember{ctx: z.s.ctx, m: m}
	if p.settle() != nil && p.size < it.size {
		if it.size, it.cut = p.size, true; p.size == 0 {
			it.open = nil
		}
	}
	return p.damage
}

func inPlaceOf(m *archive.Member, size int64) (Handle, error) {
	r, err := m.InPlace()
	if err != nil {
		return nil, err
	}
	return inPlace{io.NewSectionReader(r, 0, size)}, nil
}

// inPlace is a member that lies in the archive as it is.
type inPlace struct{ *io.SectionReader }

func (inPlace) Close() error { return nil }
