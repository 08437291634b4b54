package triage

import (
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// shadowDevice begins the last part of the name that Windows gives to the device
// of a shadow copy.
const shadowDevice = "harddiskvolumeshadowcopy"

// SnapshotNumber recognises the name of a directory that stands for a shadow
// copy: KAPE's "VSS3" and "vss003", or a device as Velociraptor writes it. One
// that is known by its GUID only ("vss{...}") has no number.
func SnapshotNumber(name string) (n int, ok bool) {
	if d, err := url.PathUnescape(name); err == nil {
		name = d
	}
	name = strings.ToLower(name)
	if i := strings.LastIndex(name, shadowDevice); i >= 0 && (i == 0 || name[i-1] == '\\') {
		return number(name[i+len(shadowDevice):])
	}
	if rest, found := strings.CutPrefix(name, "vss"); found {
		if strings.HasPrefix(rest, "{") && strings.HasSuffix(rest, "}") {
			return 0, true
		}
		return number(rest)
	}
	return 0, false
}

func number(s string) (int, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// Snapshot recognises the root of a shadow copy in a collection. The volume that
// it was made of lies in a drive folder of the directory parent.
func Snapshot(root string) (parent string, n int, ok bool) {
	dir, name := path.Split(root)
	dir = strings.TrimSuffix(dir, "/")
	if n, ok := SnapshotNumber(name); ok {
		return parentOf(dir), n, true
	}
	if !IsDrive(name) {
		return "", 0, false
	}
	if n, ok = SnapshotNumber(path.Base(dir)); ok {
		return parentOf(strings.TrimSuffix(dir[:len(dir)-len(path.Base(dir))], "/")), n, true
	}
	return "", 0, false
}

// parentOf goes up from Velociraptor's directory of an accessor to the one of
// all its uploads, which is that of the host.
func parentOf(dir string) string {
	if up, name := path.Split(dir); accessors[strings.ToLower(name)] && strings.EqualFold(path.Base(strings.TrimSuffix(up, "/")), "uploads") {
		return strings.TrimSuffix(up, "/")
	}
	return dir
}

// named are the names that collectors give to archives, and where the host stands:
// Velociraptor, DFIR-ORC.
var named = []*regexp.Regexp{
	regexp.MustCompile(`^Collection-(.+)-\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d`),
	regexp.MustCompile(`^(?i:DFIR-ORC|ORC)_(?:WorkStation|Server|DomainController)_(.+)_[^_]+$`),
}

// HostOf returns the host that the name of an archive gives, or the name itself.
func HostOf(name string) string {
	for _, re := range named {
		if m := re.FindStringSubmatch(name); m != nil {
			return m[1]
		}
	}
	return name
}

// accessors are the ways in which Velociraptor reads a file. What it read by
// different ones lies apart.
var accessors = map[string]bool{"auto": true, "ntfs": true, "lazy_ntfs": true, "file": true, "mft": true, "ntfs_vss": true}

// Drive splits a root that is a drive folder into the directory of the
// collection and the letter of the drive, in upper case. Roots that agree in both
// are parts of one volume.
func Drive(root string) (parent, letter string, ok bool) {
	dir, name := path.Split(root)
	if !IsDrive(name) {
		return "", "", false
	}
	if d, err := url.PathUnescape(name); err == nil {
		name = d
	}
	name = strings.TrimSuffix(name, ":")
	return parentOf(strings.TrimSuffix(dir, "/")), strings.ToUpper(name[len(name)-1:]), true
}

// Collector splits a path as a log of KAPE gives it into the number of the
// shadow copy that it leads into, 0 for the volume itself, and the path in the
// volume.
func Collector(p string) (n int, rest string) {
	p = strings.ReplaceAll(p, `\`, "/")
	parts := strings.Split(p, "/")
	for i, part := range parts {
		if n, ok := SnapshotNumber(part); ok && i+1 < len(parts) {
			return n, strings.Join(parts[i+1:], "/")
		}
	}
	for i, part := range parts {
		if IsDrive(part) && strings.HasSuffix(part, ":") {
			return 0, strings.Join(parts[i+1:], "/")
		}
	}
	return 0, strings.Trim(p, "/")
}
