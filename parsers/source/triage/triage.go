// Package triage knows where Windows keeps evidence and how collectors lay a
// Windows volume out in a folder or an archive. It sees paths, never bytes.
//
// A path is slash-separated and relative to the source. The root of a Windows
// volume is the directory that stands for C:\, whatever lies above it:
//
//	Windows/System32/config/SYSTEM            root ""
//	C/Windows/System32/config/SYSTEM          root "C"
//	WS01/C/Users/bob/NTUSER.DAT               root "WS01/C"
//	uploads/auto/C%3A/Users/bob/NTUSER.DAT    root "uploads/auto/C%3A"
package triage

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// below lists, in lower case, what shows a directory to be a Windows root: a
// first-level directory and the names that only Windows puts into it.
var below = map[string][]string{
	"windows": {"system32", "syswow64", "prefetch", "serviceprofiles", "appcompat"},
	"winnt":   {"system32", "prefetch"},
}

// profiles are the directories that hold one directory a user.
var profiles = map[string]bool{"users": true, "documents and settings": true}

// Roots yields the Windows roots that the path p proves, outermost first. Every
// one is "" or a prefix of p that ends before a slash.
//
// A directory is a Windows root if a child "Windows" of it holds System32,
// SysWOW64, Prefetch, ServiceProfiles or appcompat, or if "Users/<name>" (or
// "Documents and Settings/<name>") below it holds NTUSER.DAT or AppData. So is one that holds the change
// journal, $Extend/$UsnJrnl:$J. Letter
// case is ignored.
func Roots(p string) []string {
	var roots []string
	parts := strings.Split(p, "/")
	for i, off := 0, 0; i+1 < len(parts); off, i = off+len(parts[i])+1, i+1 {
		if isRoot(parts[i:]) {
			roots = append(roots, strings.TrimSuffix(p[:off], "/"))
		}
	}
	return roots
}

func isRoot(rest []string) bool {
	first := strings.ToLower(rest[0])
	for _, name := range below[first] {
		if strings.EqualFold(rest[1], name) {
			return true
		}
	}
	if first == "$extend" {
		return IsJournal(Decode(rest[1]))
	}
	if !profiles[first] || len(rest) < 3 {
		return false
	}
	third := strings.ToLower(rest[2])
	return third == "appdata" || third == "ntuser.man" || strings.HasPrefix(third, "ntuser.dat")
}

// Nearest returns the deepest of roots that p lies in, and whether there is one.
func Nearest(p string, roots map[string]bool) (string, bool) {
	for p != "" {
		if p = p[:max(0, strings.LastIndexByte(p, '/'))]; roots[p] {
			return p, true
		}
	}
	return "", false
}

// Rel returns p relative to root, of which it must be a descendant.
func Rel(root, p string) string {
	if root == "" {
		return p
	}
	return p[len(root)+1:]
}

// Encoded reports whether the names below root are percent-encoded, which
// Velociraptor does: its drive folder is then "C%3A" or "%5C%5C.%5CC%3A", or names
// another device.
func Encoded(root string) bool {
	name := path.Base(root)
	return strings.Contains(name, "%") && (IsDrive(name) || isSnapshot(name) || isDevice(name))
}

// isDevice reports whether a directory of this name stands for a volume that was read
// under the name of its device: "%5C%5C.%5CHarddiskVolume3".
func isDevice(name string) bool {
	if d, err := url.PathUnescape(name); err == nil {
		name = d
	}
	return strings.HasPrefix(name, `\\.\`) || strings.HasPrefix(name, `\\?\`)
}

// Decode undoes percent-encoding of the names in p. A name that is not valid
// encoding stays as it is, and so does one that would decode to a path.
func Decode(p string) string {
	parts := strings.Split(p, "/")
	for i, s := range parts {
		if d, err := url.PathUnescape(s); err == nil && !strings.Contains(d, "/") && d != "" && d != "." && d != ".." {
			parts[i] = d
		}
	}
	return strings.Join(parts, "/")
}

// IsDrive reports whether a directory of this name stands for a drive: "C",
// "C:", "C%3A", "%5C%5C.%5CC%3A".
func IsDrive(name string) bool {
	if d, err := url.PathUnescape(name); err == nil {
		name = d
	}
	for _, device := range []string{`\\.\`, `\\?\`} {
		name = strings.TrimPrefix(name, device)
	}
	if len(name) == 2 && name[1] == ':' {
		name = name[:1]
	}
	return len(name) == 1 && 'a' <= name[0]|0x20 && name[0]|0x20 <= 'z'
}

// noHosts are names of the directories that collectors, and Windows itself, put
// between the host and its Windows root.
var noHosts = map[string]bool{
	"uploads": true, "auto": true, "ntfs": true, "lazy_ntfs": true, "ntfs_vss": true, "file": true, "mft": true, // Velociraptor
	"windows.old": true,
}

// Label returns the name that a collection gives to the host of root: the last
// directory of root that is not a drive, a shadow copy ("VSS1") or part of a
// collector's own layout; or "" if there is none. A flow of Velociraptor
// ("F.CABC123.H") names the host only if nothing above it does: those of one hunt
// have the same name on every host.
func Label(root string) string {
	run := ""
	for root != "" {
		dir, name := path.Split(root)
		switch {
		case IsDrive(name) || isSnapshot(name) || isDevice(name) || noHosts[strings.ToLower(name)]:
		case flow.MatchString(name):
			run = cmp.Or(run, name)
		case run != "" && hunt[strings.ToLower(name)]:
		default:
			return name
		}
		root = strings.TrimSuffix(dir, "/")
	}
	return run
}

var (
	flow = regexp.MustCompile(`^F\.[0-9A-Z]{3,}(\.H)?$`)
	hunt = map[string]bool{"collections": true, "clients": true} // above a flow
)

func isSnapshot(name string) bool {
	_, ok := SnapshotNumber(name)
	return ok
}

// Show makes a name printable text: what is not UTF-8 becomes \xNN.
func Show(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}
