package source

import (
	"bytes"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/archive"
	"sharetrail/parsers/source/triage"

	"github.com/bodgit/sevenzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// A spool is the start of a stream that was unpacked: in memory, or in a file
// if it is large. It lives as long as the Evidence.
type spool struct {
	r    io.ReaderAt
	size int64
}

func (sp *spool) open() (Handle, error) {
	return inPlace{io.NewSectionReader(sp.r, 0, sp.size)}, nil
}

var errLimit = errors.New("unpacks to more than the limit")

// spool unpacks up to limit bytes of src. With an error it holds the bytes
// before the damage.
func (s *scanner) spool(src io.Reader, limit int64) (sp *spool, err error) {
	sp = &spool{}
	mem := max(0, inMemory-s.held)
	src = interruptible{s, io.LimitReader(src, limit+1)}
	var buf bytes.Buffer
	gerr := guard("decompressor", func() error {
		_, err := io.Copy(&buf, io.LimitReader(src, mem))
		return err
	})
	if gerr != nil || int64(buf.Len()) < mem {
		sp.r, sp.size = bytes.NewReader(buf.Bytes()), min(int64(buf.Len()), limit)
		s.held += sp.size
		s.total += sp.size
		if gerr == nil && int64(buf.Len()) > limit {
			gerr = errLimit
		}
		return sp, gerr
	}
	f, err := s.ev.tempFile(s.o.TempDir)
	if err != nil {
		return sp, err
	}
	s.ev.closers = append(s.ev.closers, f)
	to := spoolFile{f}
	n, err := to.Write(buf.Bytes())
	size := int64(n)
	if err == nil {
		err = guard("decompressor", func() error {
			more, err := io.Copy(to, src)
			size += more
			return err
		})
	}
	if size > limit {
		size, err = limit, errors.Join(err, errLimit)
	}
	f.size = size
	sp.r, sp.size = f.File, size
	s.total += size
	s.ev.mu.Lock()
	s.ev.spooled += size
	s.ev.mu.Unlock()
	return sp, err
}

// errSpool says that not the stream failed, but the writing of what it unpacks to.
var errSpool = errors.New("cannot write a temporary file (--temp-dir)")

// A spoolFile tells its errors from those of what is copied into it.
type spoolFile struct{ f *temp }

func (s spoolFile) Write(b []byte) (int, error) {
	n, err := s.f.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errSpool, cause(err))
	}
	return n, err
}

// An interruptible reader ends once the scan is cancelled.
type interruptible struct {
	s *scanner
	r io.Reader
}

func (i interruptible) Read(b []byte) (int, error) {
	if err := i.s.ctx.Err(); err != nil {
		return 0, err
	}
	return i.r.Read(b)
}

// streamFrom is what a compressed file may always unpack to: disk images consist
// of zeros for the most part.
const streamFrom = 1 << 30

// allowance is how many bytes packed bytes may unpack to.
func (s *scanner) allowance(packed, most int64) int64 {
	n := min(most, s.o.MaxTotal-s.total)
	if r := int64(s.o.MaxRatio); packed < n/max(r, 1) {
		n = min(n, max(streamFrom, packed*r))
	}
	return max(n, 0)
}

const maxWindow = 128 << 20 // bytes of memory that a zstd or xz stream may ask for

// compressed unpacks a single compressed file: a tar archive, whose members
// then are the items of c, or any other file, which is the only item.
func (s *scanner) compressed(it *item, c *scope, h Handle) error {
	src := io.NewSectionReader(h, 0, h.Size())
	var r io.Reader
	err := guard(c.kind, func() (err error) {
		switch c.kind {
		case "gzip":
			r, err = gzip.NewReader(src)
		case "zstd":
			var d *zstd.Decoder
			if d, err = zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
				s.ev.closers = append(s.ev.closers, d.IOReadCloser())
				r = d
			}
		case "xz":
			r, err = xz.ReaderConfig{DictCap: 1 << 20}.NewReader(src)
		default:
			r = bzip2.NewReader(src)
		}
		return err
	})
	if err != nil {
		return err
	}
	// A tar archive is bounded member by member, too.
	limit := s.allowance(h.Size(), s.o.MaxTotal)
	sp, err := s.spool(r, limit)
	switch {
	case s.ctx.Err() != nil:
		return s.ctx.Err()
	case errors.Is(err, errLimit):
		return fmt.Errorf("%w of %d bytes (MaxTotal, MaxRatio)", errLimit, limit)
	case sp.size == 0 && err != nil, errors.Is(err, errSpool):
		return err
	case err != nil:
		c.problem(Problem{Severity: Error, Offset: -1, What: fmt.Sprintf("is damaged: only the first %d bytes can be unpacked: %s", sp.size, text(err))})
		c.unlisted = append(c.unlisted, "")
	}
	hp, _ := sp.open()
	first := make([]byte, min(sniffLen, sp.size))
	if err := binread.Full(hp, first, 0, "unpacked file"); err != nil {
		return err
	}
	if archive.IsTar(first) {
		c.label = strings.TrimSuffix(c.label, ".tar")
		return s.members(c, hp, archive.Tar)
	}
	if sp.size > s.o.MaxMember {
		return fmt.Errorf("%d bytes exceed the limit of %d for one file (MaxMember)", sp.size, s.o.MaxMember)
	}
	name := strings.TrimSuffix(path.Base(it.place), path.Ext(it.place))
	c.items = append(c.items, &item{path: name, place: name, size: sp.size, mod: it.mod, head: identify(first), open: sp.open})
	return nil
}

// lone returns what c has unpacked from it, a file that was compressed by itself, as
// a file in its place, under its name without the ending; nil if that is no evidence,
// by its content and its name, or holds other files.
func (c *scope) lone(it *item) *item {
	ext := path.Ext(it.place)
	if c.kind == "zip" || c.kind == "7z" || c.kind == "tar" || len(c.items) != 1 || c.items[0].place != strings.TrimSuffix(path.Base(it.place), ext) ||
		c.items[0].head.kind == "" && triage.Expect(strings.TrimSuffix(it.place, ext), true) == triage.None {
		return nil
	}
	un := *c.items[0]
	un.cut = len(c.problems) > 0
	un.path, un.place, un.mod = strings.TrimSuffix(it.path, ext), strings.TrimSuffix(it.place, ext), it.mod
	return &un
}

// unpacked returns what a file in a Windows tree holds that was compressed by
// itself (Security.evtx.gz); nil if it is no evidence, or cannot be read. Archives of
// several files are not opened: users have many.
func (l *layouter) unpacked(it *item, at spot) (*item, error) {
	place := at.place
	bare := strings.TrimSuffix(place, path.Ext(place))
	kept := triage.KeepsLogs(place) || triage.Expect(path.Dir(place)+"/SYSTEM", false) == triage.Hive
	switch {
	case triage.Expect(place, false) != triage.None:
		return it, nil // not what its name says, which is told
	case it.head.archive == "" || triage.Expect(bare, false) == triage.None && !kept:
		return nil, nil
	}
	c, err := &scope{}, error(nil)
	if it.head.archive != "zip" && it.head.archive != "7z" && it.head.archive != "tar" {
		if c, err = l.s.listed(it, it.head.archive, join(l.c.id, it.path), l.c.depth+1, nil); err != nil {
			return nil, err
		}
	}
	un := c.lone(it)
	if un != nil {
		l.single = append(l.single, it.path)
	} else {
		if len(c.problems) == 0 {
			c.problem(errorf("", "an archive where Windows keeps its own files: extract it and point at the extracted folder"))
		}
		l.unreadable(spot{at.root, false, at.shown, bare})
	}
	for _, p := range c.problems {
		p.Path = at.shown
		l.at(at).problem(p)
	}
	return un, nil
}

// sevenZip fills in the items of c from a 7z archive. Its members are unpacked
// in one pass, since those of a solid one can be had in their order only; what
// is not evidence by its first bytes, name or place is passed over.
func (s *scanner) sevenZip(c *scope, h Handle) error {
	z, err := open7z(h, s.o.Passwords)
	if err != nil {
		return err
	}
	limit := s.o.entries(archiveEntries)
	if s.listedMembers += len(z.File); s.listedMembers > limit {
		return fmt.Errorf("more than %d members in all archives of the source (MaxEntries)", limit)
	}
	names := &archive.Archive{}
	taken := map[string]bool{}
	for _, f := range z.File {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		why := ""
		if !f.FileInfo().IsDir() && !f.FileInfo().Mode().IsRegular() {
			why = "not a regular file"
		}
		m, ok := names.Name(f.Name, why)
		if !ok {
			continue
		}
		it := &item{path: m, place: m, size: int64(f.UncompressedSize), mod: f.Modified.UTC().Truncate(timeResolution), dir: f.FileInfo().IsDir()}
		if f.Modified.IsZero() {
			it.mod = f.Modified
		}
		if !it.dir {
			it.path = unique(taken, m, strings.ToLower)
			s.member7z(c, it, f, h.Size())
		}
		c.items = append(c.items, it)
	}
	c.unusual(names)
	return nil
}

// open7z opens an archive with the first password that fits. That one does not
// shows in the content of the first member only.
func open7z(h Handle, passwords [][]byte) (*sevenzip.Reader, error) {
	z, encrypted, err := try7z(h, "")
	if !encrypted && z != nil {
		return z, nil // if it is damaged, what can be read is
	}
	if !encrypted {
		return nil, cmp.Or(cut7z(h), binread.Errorf(-1, "7z", "%w", err))
	}
	if len(passwords) == 0 {
		return nil, errors.New("encrypted: give its password with --password or --password-file")
	}
	for _, p := range passwords {
		if z, _, err := try7z(h, string(p)); err == nil {
			return z, nil
		}
	}
	return nil, errors.New("encrypted: none of the given passwords opens it, or it is damaged")
}

// cut7z says that the list of members, which stands at the end, is not there
// (7zFormat.txt, "Start Header").
func cut7z(h Handle) error {
	b := make([]byte, 32)
	if n, _ := h.ReadAt(b, 0); n < len(b) {
		return nil
	}
	at := 32 + binary.LittleEndian.Uint64(b[12:])
	if end := at + binary.LittleEndian.Uint64(b[20:]); end <= uint64(h.Size()) || at > 1<<62 {
		return nil
	}
	return binread.Errorf(h.Size(), "list of members", "at %#x, it lies behind the end: the archive is cut short, or the first of several volumes: join them (cat CASE.7z.* >CASE.7z) and point at the whole", at)
}

// tried7z is how many bytes of the first member are read to try a password.
const tried7z = 1 << 30

// try7z opens an archive with a password, and says whether it takes one. If it
// does, an error means that this is another, or that the archive is damaged.
func try7z(h Handle, password string) (z *sevenzip.Reader, encrypted bool, err error) {
	g := &gate{Handle: h}
	err = guard("7z", func() error {
		// That a member is encrypted the library tells only in an error of reading it.
		asked, err := sevenzip.NewReaderWithPassword(g, h.Size(), password)
		if err != nil {
			encrypted = isSealed7z(err)
			return err
		}
		g.shut = true
		encrypted = isSealed7z(check7z(asked, 1))
		if encrypted {
			tried, err := sevenzip.NewReaderWithPassword(h, h.Size(), password)
			if err == nil {
				err = check7z(tried, tried7z)
			}
			if err != nil {
				return err
			}
		}
		// A new one: a reader that makes a key for the first time writes the password over
		// the initialization vector that it read, and gives garbage when its first member
		// is opened again.
		z, err = sevenzip.NewReaderWithPassword(h, h.Size(), password)
		return err
	})
	return z, encrypted, err
}

func isSealed7z(err error) bool {
	re := (*sevenzip.ReadError)(nil)
	return errors.As(err, &re) && re.Encrypted
}

// check7z reads up to limit bytes of the first member, and compares its checksum if
// that is all of it.
func check7z(z *sevenzip.Reader, limit int64) error {
	i := slices.IndexFunc(z.File, func(f *sevenzip.File) bool { return f.UncompressedSize > 0 && !f.FileInfo().IsDir() })
	if i < 0 {
		return nil
	}
	f := z.File[i]
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := crc32.NewIEEE()
	n, err := io.Copy(sum, io.LimitReader(r, limit))
	switch {
	case err != nil:
		return err
	case uint64(n) < min(uint64(limit), f.UncompressedSize):
		return io.ErrUnexpectedEOF
	case uint64(n) == f.UncompressedSize && f.CRC32 != 0 && f.CRC32 != sum.Sum32(): // 0: none is stored
		return errSum7z
	}
	return nil
}

var errSum7z = errors.New("the CRC-32 checksum does not match")

// A gate is a file whose content can be made unreadable.
type gate struct {
	Handle
	shut bool
}

func (g *gate) ReadAt(b []byte, off int64) (int, error) {
	if g.shut {
		return 0, errors.New("shut")
	}
	return g.Handle.ReadAt(b, off)
}

// member7z looks at a member and unpacks it if it may be evidence.
func (s *scanner) member7z(c *scope, it *item, f *sevenzip.File, archiveSize int64) {
	if it.size == 0 {
		it.open = (&spool{r: bytes.NewReader(nil)}).open
		return
	}
	var r io.ReadCloser
	var first []byte
	err := guard("7z", func() (err error) {
		if r, err = f.Open(); err != nil {
			return err
		}
		first = make([]byte, min(sniffLen, it.size))
		n, err := io.ReadFull(r, first)
		first = first[:n]
		return err
	})
	if r != nil {
		defer func() { _ = guard("7z", r.Close) }()
	}
	if len(first) == 0 && err != nil {
		c.problem(errorf(it.path, "member cannot be read: %s", text(err)))
		it.lost = true
		return
	}
	it.head = identify(first)
	if !it.wanted() {
		it.passed = true
		return
	}
	limit := min(s.allowance(archiveSize, s.o.MaxMember), it.size)
	if limit < it.size {
		c.problem(errorf(it.path, "member not unpacked: %d bytes exceed a limit (MaxMember, MaxTotal, MaxRatio)", it.size))
		it.lost = true
		return
	}
	sum := crc32.NewIEEE()
	sp, err := s.spool(io.TeeReader(io.MultiReader(bytes.NewReader(first), r), sum), limit)
	if errors.Is(err, errSpool) {
		c.problem(errorf(it.path, "member not unpacked: %s", text(err)))
		it.lost = true
		return
	}
	if err == nil && sp.size < it.size {
		err = io.ErrUnexpectedEOF
	}
	it.open = sp.open
	if err == nil && f.CRC32 != 0 && f.CRC32 != sum.Sum32() { // 0: none is stored
		c.problem(errorf(it.path, "member is damaged: %s", errSum7z))
	}
	if err != nil {
		c.problem(Problem{Severity: Error, Path: it.path, Offset: sp.size, What: fmt.Sprintf("member is damaged: only its first %d of %d bytes can be read: %s", sp.size, it.size, text(err))})
	}
	it.cut = sp.size < it.size
	it.size = sp.size
}

// wanted reports whether it may be evidence, or hold some, wherever it lies.
func (it *item) wanted() bool {
	return it.head.kind != "" || it.head.archive != "" || it.head.image || it.isImage() || triage.IsMetadata(it.place) ||
		triage.Expect(it.place, true) != triage.None || triage.Expect(it.place, false) != triage.None || inRoot(it.place)
}

// inRoot judges by the place below a Windows root that the path itself proves.
func inRoot(p string) bool {
	for _, root := range triage.Roots(p) {
		if triage.Expect(triage.Rel(root, p), false) != triage.None {
			return true
		}
	}
	return false
}
