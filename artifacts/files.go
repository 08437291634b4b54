package artifacts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/command"

	"golang.org/x/text/unicode/norm"
)

// A DataFile is an evidence file that is neither hive nor log.
type DataFile struct {
	R       io.ReaderAt
	Size    int64     // bytes
	Path    string    // inside the volume
	Name    string    // last element of Path, lower case, without the "~2" of a duplicate
	Profile string    // profile folder that it lies in; "" if it lies in none
	ModTime time.Time // last write of the file; zero if the source does not tell
	// Directory finds the path of a directory of the volume by its reference; nil if
	// that is not known.
	Directory func(ref uint64) (dir string, ok bool)
}

// ReadOther runs the artifacts that are read from files of f's name over f.
// modTime is the file's last write, zero if the source does not tell.
func ReadOther(f File, modTime time.Time) *Emitter {
	out := f.emitter()
	defer out.guard()
	if modTime.Equal(time.Unix(0, 0)) || modTime.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
		modTime = time.Time{} // what archives write for a time that they have not
	}
	in := &DataFile{R: f.R, Size: f.Size, Path: f.Place.Path, Name: plainName(f.Place.Path), Profile: ProfileFolder(f.Place.Path), ModTime: modTime, Directory: f.Directory}
	if out.user = in.Profile; out.user == systemProfile {
		out.user = "SYSTEM"
	}
	if f.Place.Snapshot == "" {
		f.Place.AsOf = modTime
	}
	for _, a := range All() {
		if a.ReadFile == nil || !a.named(in.Name) {
			continue
		}
		out.artifact = a.Name
		if err := a.ReadFile(in, out); err != nil {
			out.Unreadable("", err)
			continue
		}
		c := evidence.Coverage{Evidence: evidence.Files + a.Name, AsOf: modTime, To: modTime, Records: 1, Place: f.Place, User: out.user}
		if c.User != "" {
			c.Evidence += ":" + c.User
		}
		if !out.last.IsZero() {
			c.From, c.To, c.AsOf = out.first, out.last, out.last
		}
		c.Complete = !slices.ContainsFunc(out.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error })
		out.Coverage = append(out.Coverage, c)
	}
	setApart(f.Place.Path, f.Former, out.Observations)
	return out
}

// WantsFile reports whether an artifact is read from a file of that path that
// is neither hive nor log.
func WantsFile(p string) bool {
	name := plainName(p)
	return slices.ContainsFunc(registry, func(a *Artifact) bool { return a.ReadFile != nil && a.named(name) })
}

// named reports whether name, in lower case, ends a pattern of a.Files.
func (a *Artifact) named(name string) bool {
	return slices.ContainsFunc(a.Files, func(pattern string) bool {
		ok, _ := path.Match(strings.ToLower(path.Base(pattern)), name)
		return ok
	})
}

// plainName returns the last element of p in lower case, without the "~2" that
// tells apart files of one name; of the change journal, which collectors call in
// several ways, the name that Windows has for it.
func plainName(p string) string {
	name := strings.ToLower(path.Base(p))
	if i := strings.LastIndexByte(name, '~'); i > 0 && i+1 < len(name) && strings.Trim(name[i+1:], "0123456789") == "" && path.Ext(name[:i]) != "" {
		name = name[:i]
	}
	if name == "$j" || name == "$usnjrnl_$j" {
		return "$usnjrnl:$j" // as collectors call the stream
	}
	return name
}

// ProfileFolder names the profile folder that a path inside a volume leads
// through; "" if it leads through none. Its letters are composed, as Windows
// composes them; a file system or archiver of macOS may have taken them apart.
func ProfileFolder(p string) string {
	parts := strings.Split(p, "/")
	for i, part := range parts[:max(len(parts)-2, 0)] {
		switch strings.ToLower(part) {
		case "users", "documents and settings", "serviceprofiles":
			if name := strings.ToLower(parts[i+1]); name == "public" || name == "all users" {
				return "" // what everybody has
			}
			return norm.NFC.String(parts[i+1])
		}
	}
	for _, part := range parts[:max(len(parts)-1, 0)] {
		if strings.EqualFold(part, "systemprofile") {
			return systemProfile
		}
	}
	return ""
}

// systemProfile is the folder of the system account, whose hive is not in it:
// that is config\DEFAULT.
const systemProfile = "systemprofile"

// ObserveBytes records o as what the structure of n bytes at off states.
func (e *Emitter) ObserveBytes(off, n int64, o evidence.Observation) {
	o = e.stamp(o)
	o.From.Offset, o.From.Length = e.base+off, n
	if b := make([]byte, min(n, maxSummed)); n <= maxSummed && e.bytes != nil && binread.Full(e.bytes, b, off, "structure") == nil {
		sum := sha256.Sum256(b)
		o.Detail = append(o.Detail, evidence.Field{Name: "sha256", Value: hex.EncodeToString(sum[:])})
	}
	e.Observations = append(e.Observations, evidence.NewFact(o))
}

// maxSummed is the longest structure whose bytes are summed up in its row, so
// that it can be proven later.
const maxSummed = 1 << 20

// whole reads a file of up to limit bytes.
func (f *DataFile) whole(limit int64) ([]byte, error) {
	if f.Size > limit {
		return nil, binread.Errorf(0, "file", "%d bytes, limit %d", f.Size, limit)
	}
	b := make([]byte, f.Size)
	return b, binread.Full(f.R, b, 0, "file")
}

// seen adds to out what went wrong in reading, which cost some of the file.
func (e *Emitter) seen(problems []error) {
	for _, err := range problems {
		e.Unreadable("", err)
	}
}

// maskedText is a text that may be of a command line, its secrets masked.
func (e *Emitter) maskedText(s string) string {
	if !e.unmasked {
		s, _ = command.Mask(s)
	}
	return s
}

// detail appends the fields whose values are set.
func detail(d evidence.Detail, fields ...evidence.Field) evidence.Detail {
	for _, f := range fields {
		switch v := f.Value.(type) {
		case string:
			if v == "" {
				continue
			}
			f.Value = clip(v)
		case time.Time:
			if v.IsZero() {
				continue
			}
		case bool:
			if !v {
				continue
			}
		case int64:
			if v == 0 {
				continue
			}
		}
		d = append(d, f)
	}
	return d
}

// isAbsent reports whether err says that a key or value is not there, its
// parent having been read whole.
func isAbsent(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// hex32 renders a number as Windows headers write it.
func hex32(n uint32) string { return fmt.Sprintf("%#x", n) }
