package main

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// debVersion is the version as Debian orders it: 1.0-rc1 comes before 1.0
// (Debian Policy 5.6.12).
func debVersion(v string) string { return strings.ReplaceAll(v, "-", "~") }

// debPlaces says where the documents lie on Debian.
func debPlaces(name string) string {
	switch dir, file := path.Split(name); dir {
	case "man/":
		return "usr/share/man/man1/" + file + ".gz"
	case "completion/":
		return map[string]string{
			"sharetrail.bash": "usr/share/bash-completion/completions/sharetrail",
			"sharetrail.fish": "usr/share/fish/vendor_completions.d/sharetrail.fish",
			"_sharetrail":     "usr/share/zsh/vendor-completions/_sharetrail",
		}[file] // none for PowerShell
	}
	switch name {
	case "README.md":
		return "usr/share/doc/sharetrail/README.md.gz"
	case "CHANGELOG.md":
		return "usr/share/doc/sharetrail/CHANGELOG.md.gz"
	}
	return "" // the licence is in every Debian
}

const debCopyright = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sharetrail

Files: *
Copyright: 2026 The sharetrail authors
License: Apache-2.0
 On Debian systems, the text of the Apache License 2.0 is in
 /usr/share/common-licenses/Apache-2.0.
`

const debChangelog = `sharetrail (%s) unstable; urgency=medium

  * What changed for users: /usr/share/doc/sharetrail/CHANGELOG.md.gz.

 -- The sharetrail authors <sharetrail@example.com>  %s
`

// deb writes a binary package (deb(5)): an ar archive of the version of the
// format, the control files and the data.
func (r *release) deb(b *binary, program []byte, docs []document) ([]byte, error) {
	changes, err := gzipped([]byte(fmt.Sprintf(debChangelog, debVersion(r.version), r.time.Format(time.RFC1123Z))))
	if err != nil {
		return nil, err
	}
	files := []entry{
		{"usr/bin/sharetrail", 0o755, program},
		{"usr/share/doc/sharetrail/changelog.gz", 0o644, changes},
		{"usr/share/doc/sharetrail/copyright", 0o644, []byte(debCopyright)},
		{"usr/share/lintian/overrides/sharetrail", 0o644, []byte("# without cgo there is nothing to link to\nsharetrail: statically-linked-binary [usr/bin/sharetrail]\n")},
	}
	for _, d := range docs {
		place, data := debPlaces(d.name), d.data
		if place == "" {
			continue
		}
		if strings.HasSuffix(place, ".gz") {
			if data, err = gzipped(data); err != nil {
				return nil, err
			}
		}
		files = append(files, entry{place, 0o644, data})
	}
	slices.SortFunc(files, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	var sums strings.Builder
	size := 0
	tree := []entry{{"./", 0o755, nil}}
	made := map[string]bool{".": true}
	for _, f := range files {
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(f.data), f.name)
		size += (len(f.data) + 1023) / 1024
		tree = append(tree, folders(path.Dir(f.name), made)...)
		f.name = "./" + f.name
		tree = append(tree, f)
	}
	data, err := tarball(r.time, tree)
	if err != nil {
		return nil, err
	}
	control, err := tarball(r.time, []entry{{"./", 0o755, nil}, {"./control", 0o644, []byte(r.debControl(b, size))}, {"./md5sums", 0o644, []byte(sums.String())}})
	if err != nil {
		return nil, err
	}
	out := bytes.NewBufferString("!<arch>\n")
	for _, m := range []entry{{"debian-binary", 0, []byte("2.0\n")}, {"control.tar.gz", 0, control}, {"data.tar.gz", 0, data}} {
		fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, r.time.Unix(), 0, 0, "100644", len(m.data))
		out.Write(m.data)
		if len(m.data)%2 == 1 {
			out.WriteByte('\n')
		}
	}
	return out.Bytes(), nil
}

// folders are dir and its parents, as far as they are not made yet.
func folders(dir string, made map[string]bool) (out []entry) {
	if made[dir] {
		return nil
	}
	made[dir] = true
	return append(folders(path.Dir(dir), made), entry{"./" + dir + "/", 0o755, nil})
}

// debControl is the control file (Debian Policy 5.3). size is in KiB.
func (r *release) debControl(b *binary, size int) string {
	return fmt.Sprintf(`Package: sharetrail
Version: %s
Architecture: %s
Maintainer: The sharetrail authors <sharetrail@example.com>
Installed-Size: %d
Section: admin
Priority: optional
Description: offline forensics of Windows network shares
 Reconstructs from Windows evidence when network shares were mapped, used and
 removed, and shows the gaps that clean-up leaves (ATT&CK T1070.005). Reads
 registry hives, event logs, shortcuts and more in folders, archives, disk
 images and shadow copies; never writes to evidence and never uses the network.
`, debVersion(r.version), b.goarch, size)
}
