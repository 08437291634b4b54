// Package archive lists and reads zip archives of unknown origin (PKWARE
// APPNOTE.TXT 6.3.10). Unlike archive/zip's own file system it keeps duplicate
// names, ignores letter case, and says why it refuses a member.
package archive

import (
	"archive/zip"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strings"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// MaxDepth is how many directories deep a member may lie.
const MaxDepth = 64

// ErrTooMany is wrapped by the error for an archive with too many members.
var ErrTooMany = errors.New("too many members")

// ErrChecksum is the error at the end of a member whose CRC-32 is wrong.
var ErrChecksum = errors.New("the CRC-32 checksum does not match")

// A Member is one file or directory of an archive.
type Member struct {
	// Name is slash-separated and has no "." or ".." in it. Directories are
	// spelled as they are first met, so that names which differ in letter case
	// only meet in one place. It need not be unique.
	Name    string
	Dir     bool
	Size    int64     // in bytes, unpacked, as the archive claims; negative or more than it holds if it lies
	Packed  int64     // in bytes, in the archive, as it claims
	ModTime time.Time // UTC, 100 ns; zero if the archive has none in UTC: a DOS time has an unknown zone
	Sealed  string    // why it cannot be opened (encryption, method) and what to do; "" if it can
	file    *zip.File
	archive io.ReaderAt
}

// A Refusal is a member that was left out, and why.
type Refusal struct{ Name, Why string }

// An Archive is the list of members, in the order of the central directory.
type Archive struct {
	Members []Member
	Refused []Refusal
}

// Read lists the archive in the first size bytes of r. It reads the central
// directory only; one with more than maxMembers entries is an error that wraps
// ErrTooMany.
func Read(r io.ReaderAt, size int64, maxMembers int) (a *Archive, err error) {
	defer func() {
		if p := recover(); p != nil { // of archive/zip
			a, err = nil, binread.Errorf(-1, "zip", "panic: %v", p)
		}
	}()
	lim := &meter{r: r, left: int64(maxMembers)*entrySize + directoryEnd}
	z, err := zip.NewReader(lim, size)
	switch {
	case lim.left < 0, err == nil && len(z.File) > maxMembers:
		return nil, binread.Errorf(-1, "central directory", "%w: more than %d, or their names are too long", ErrTooMany, maxMembers)
	case err != nil && (z == nil || !errors.Is(err, zip.ErrInsecurePath)):
		return nil, binread.Errorf(size, "central directory", "%w: the archive is cut short or damaged", err)
	}
	lim.off = true
	a = &Archive{}
	dirs := map[string]string{}
	for _, f := range z.File {
		name, why := clean(f.Name)
		if why == "" {
			why = irregular(f)
		}
		if why != "" {
			a.Refused = append(a.Refused, Refusal{triage.Show(f.Name), why})
			continue
		}
		if name == "" {
			continue // "./"
		}
		a.Members = append(a.Members, Member{
			Name: spell(dirs, triage.Show(name)), Dir: f.Mode().IsDir(),
			Size: int64(f.UncompressedSize64), Packed: int64(f.CompressedSize64),
			ModTime: modTime(f), Sealed: sealed(f), file: f, archive: r,
		})
	}
	return a, nil
}

// A zip's directory is read before its length is known: these bound how much of
// it is. An entry has 46 bytes, a name and extra fields; the end has 22
// and a comment of up to 64 KiB.
const (
	entrySize    = 256
	directoryEnd = 256 << 10
)

// A meter fails once left bytes have been read through it, until it is off:
// members are read through it later, in parallel, and have limits of their own.
type meter struct {
	r    io.ReaderAt
	left int64
	off  bool
}

func (m *meter) ReadAt(b []byte, off int64) (int, error) {
	if m.off {
		return m.r.ReadAt(b, off)
	}
	if m.left -= int64(len(b)); m.left < 0 {
		return 0, ErrTooMany
	}
	return m.r.ReadAt(b, off)
}

// clean makes a relative, slash-separated path of a member's name, or says why
// it refuses to. A drive ("C:") is an ordinary directory: nothing is ever
// written under these names.
func clean(name string) (cleaned, why string) {
	name = strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(name, "/") {
		return "", "absolute path"
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			return "", `path leads out of the archive ("..")`
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) > MaxDepth {
		return "", fmt.Sprintf("more than %d directories deep", MaxDepth)
	}
	return strings.Join(parts, "/"), ""
}

func irregular(f *zip.File) string {
	switch m := f.Mode(); {
	case m.IsDir() && f.UncompressedSize64 > 0:
		return fmt.Sprintf("directory with %d bytes of content", f.UncompressedSize64)
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case !m.IsDir() && !m.IsRegular():
		return "not a regular file"
	}
	return ""
}

// spell replaces the directories of name by their first spelling.
func spell(dirs map[string]string, name string) string {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return name
	}
	key := strings.ToLower(name[:i])
	dir, ok := dirs[key]
	if !ok {
		dir = spell(dirs, name[:i])
		dirs[key] = dir
	}
	return dir + name[i:]
}

const (
	flagEncrypted = 1 << 0
	methodAES     = 99
)

// sealed says why f cannot be read.
func sealed(f *zip.File) string {
	const cure = ": not supported yet; extract it and point at the extracted folder"
	switch {
	case f.Method == methodAES:
		return "encrypted (AES)" + strings.Replace(cure, "extract it", "extract it with its password", 1)
	case f.Flags&flagEncrypted != 0:
		return "encrypted" + strings.Replace(cure, "extract it", "extract it with its password", 1)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Sprintf("compression method %d", f.Method) + cure
	}
	return ""
}

// modTime returns f's time if an extra field gives it in UTC: NTFS, extended
// timestamp and the two Unix fields (APPNOTE 4.5.2, 4.5.5, 4.5.7; Info-ZIP).
func modTime(f *zip.File) time.Time {
	for b := f.Extra; len(b) >= 4; {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		switch id {
		case 0x000a, 0x000d, 0x5455, 0x5855:
			if t := f.Modified.UTC().Truncate(100 * time.Nanosecond); t.Year() > 1980 {
				return t
			}
		}
		b = b[4+n:]
	}
	return time.Time{}
}

// Stored reports whether the member lies in the archive uncompressed.
func (m *Member) Stored() bool { return m.file.Method == zip.Store }

// InPlace returns a stored member's packed bytes where they lie, unchecked.
func (m *Member) InPlace() (*io.SectionReader, error) {
	off, err := m.file.DataOffset()
	if err != nil {
		return nil, binread.Errorf(-1, "local file header", "%w", err)
	}
	return io.NewSectionReader(m.archive, off, m.Packed), nil
}

// Open unpacks the member from its start. It yields at most Size bytes, and all
// bytes before a damage; the read that meets the end returns ErrChecksum instead
// of io.EOF if the CRC-32 is wrong.
func (m *Member) Open() (io.ReadCloser, error) {
	if m.Sealed != "" {
		return nil, errors.New(m.Sealed)
	}
	if m.Size < 0 || m.Packed < 0 {
		return nil, binread.Errorf(-1, "size", "%d bytes packed, %d unpacked", m.Packed, m.Size)
	}
	raw, err := m.file.OpenRaw()
	if err != nil {
		return nil, binread.Errorf(-1, "local file header", "%w", err)
	}
	r := &reader{src: io.NopCloser(raw), left: m.Size, want: m.file.CRC32}
	if !m.Stored() {
		r.src = flate.NewReader(raw)
	}
	return r, nil
}

// A reader holds what a member unpacks to against its directory entry.
// archive/zip's own does too, but drops the bytes before a damage.
type reader struct {
	src       io.ReadCloser
	left      int64 // bytes that the directory entry still promises
	sum, want uint32
}

func (r *reader) Read(b []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil { // of the decompressor
			n, err = 0, fmt.Errorf("panic: %v", p)
		}
	}()
	if int64(len(b)) > r.left {
		b = b[:r.left+1] // one more shows whether there is more
	}
	n, err = r.src.Read(b)
	if int64(n) > r.left {
		n, err = int(r.left), errors.New("unpacks to more than its directory entry says")
	}
	r.left -= int64(n)
	r.sum = crc32.Update(r.sum, crc32.IEEETable, b[:n])
	switch {
	case err == io.EOF && r.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF && r.sum != r.want:
		err = ErrChecksum
	}
	return n, err
}

func (r *reader) Close() error { return r.src.Close() }
