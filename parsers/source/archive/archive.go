// Package archive lists and reads zip and tar archives of unknown origin. Unlike
// the file systems of the standard library it keeps duplicate names, ignores
// letter case, and says why it refuses a member. Encrypted members of zip
// archives are read with a password.
package archive

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// MaxDepth is how many directories deep a member may lie.
const MaxDepth = 64

// ErrTooMany is wrapped by the error for an archive with too many members.
var ErrTooMany = errors.New("too many members")

// ErrChecksum is wrapped by the error at the end of a member whose CRC-32 or
// authentication code is wrong: all its bytes were read.
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

	content content
}

// A content is how the bytes of a member are stored.
type content interface {
	stored() bool
	inPlace(size int64) (io.ReaderAt, error) // of a stored member
	open(size int64) (io.ReadCloser, error)
	present(size int64) int64
}

// A Refusal is a member that was left out, and why.
type Refusal struct{ Name, Why string }

// An Archive is the list of members, in the order of the archive's directory.
type Archive struct {
	Members  []Member
	Refused  []Refusal
	Absolute int    // members whose names begin at a root: they are listed as if they did not
	Rooted   string // the first of these names, as it is stored
	dirs     map[string]string
}

// Options say how to read an archive.
type Options struct {
	MaxMembers int      // more are an error that wraps ErrTooMany
	Passwords  [][]byte // tried in turn
}

// clean makes a relative, slash-separated path of a member's name, or says why
// it refuses to. A root or a device at its start is left off, and a
// drive ("C:") is an ordinary directory: nothing is ever written under these names.
func clean(name string) (cleaned, why string) {
	name = strings.ReplaceAll(name, `\`, "/")
	for _, device := range []string{"//?/", "//./"} {
		name = strings.TrimPrefix(name, device)
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

// add appends a member of that name, or the reason to refuse it.
func (a *Archive) add(name, why string, m Member) {
	cleaned, unclean := clean(name)
	switch {
	case unclean != "":
		a.Refused = append(a.Refused, Refusal{triage.Show(name), unclean})
	case why != "":
		a.Refused = append(a.Refused, Refusal{triage.Show(cleaned), why})
	case cleaned != "": // else "./"
		if a.dirs == nil {
			a.dirs = map[string]string{}
		}
		m.Name = spell(a.dirs, triage.Show(cleaned))
		a.Members = append(a.Members, m)
		if name[0] != '/' && name[0] != '\\' {
			return
		}
		if a.Absolute++; a.Absolute == 1 {
			a.Rooted = triage.Show(name)
		}
	}
}

// Stored reports whether the member lies in the archive uncompressed, so that
// InPlace can open it.
func (m *Member) Stored() bool { return m.content.stored() }

// Present returns how many bytes of the member the archive holds, or -1 if only
// reading it tells. There is no checksum then.
func (m *Member) Present() int64 { return m.content.present(m.Size) }

// InPlace returns a stored member where it lies, unchecked; an encrypted one is
// decrypted as it is read.
func (m *Member) InPlace() (*io.SectionReader, error) {
	r, err := m.content.inPlace(m.Size)
	if err != nil {
		return nil, err
	}
	return io.NewSectionReader(r, 0, m.Size), nil
}

// Open unpacks the member from its start. It yields at most Size bytes, and all
// bytes before a damage; the read that meets the end returns an error that wraps
// ErrChecksum instead of io.EOF if what was read is not what was stored.
func (m *Member) Open() (io.ReadCloser, error) {
	if m.Sealed != "" {
		return nil, errors.New(m.Sealed)
	}
	if m.Size < 0 || m.Packed < 0 {
		return nil, binread.Errorf(-1, "size", "%d bytes packed, %d unpacked", m.Packed, m.Size)
	}
	return m.content.open(m.Size)
}

// Name returns the name under which a member of an archive of another format is
// listed, or notes down that it is refused.
func (a *Archive) Name(name, why string) (string, bool) {
	n := len(a.Members)
	if a.add(name, why, Member{}); len(a.Members) == n {
		return "", false
	}
	return a.Members[n].Name, true
}
