package source

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/ntfs"
	"sharetrail/parsers/source/triage"
)

// sniffAll is how many files of a volume without Windows are looked at each by
// its content. In larger ones the name or place of a file must promise
// something, as reading the start of each would cost more than all evidence.
const sniffAll = 1 << 16

// A volumeSource is an NTFS volume that is to be looked into.
type volumeSource struct {
	id, image string // ids of the volume and of its disk image
	label     string // name of the image, for want of a host name
	name      string // of the partition
	r         io.ReaderAt
	offset    int64 // in the image, in bytes
	size      int64 // in bytes
	depth     int
	snapshot  bool
	outer     *kape    // of scope
	away      []string // directories where the live volume has evidence, and Windows keeps none

	node    *Node
	fs      *ntfs.FS
	volumes []*Volume
}

// volume lays out an NTFS volume, and notes it down for its shadow copies.
func (s *scanner) volume(v *volumeSource) (*Node, error) {
	if !v.snapshot {
		s.ntfs = append(s.ntfs, v) // also if it cannot be read: its snapshots may be
	}
	c := &scope{outer: v.outer, id: v.id, kind: "ntfs", label: v.label, size: v.size, depth: v.depth, shut: v.snapshot}
	var listed *lister
	err := guard("NTFS", func() (err error) {
		v.fs, err = ntfs.Open(v.r, v.size)
		return err
	})
	if err != nil {
		c.problem(Problem{Severity: Error, Offset: binread.Offset(err), What: "NTFS volume cannot be read: " + text(err)})
	} else {
		listed = &lister{s: s, c: c, fs: v.fs, listed: map[string]bool{}, away: v.away}
		w := listed
		if err := guard("NTFS", w.list); err != nil {
			if s.ctx.Err() != nil {
				return nil, s.ctx.Err()
			}
			c.problem(Problem{Severity: Error, Offset: binread.Offset(err), What: "the rest of the volume was not looked at: " + text(err)})
			c.unlisted = append(c.unlisted, "")
		}
		if !v.snapshot {
			w.scan()
			v.away = w.away
		}
		for _, err := range v.fs.Problems() {
			p := ofVolume(err)
			c.problem(p)
			if p.Severity == Error {
				c.unlisted = append(c.unlisted, p.Path)
			}
		}
	}
	whole := v.fs != nil && v.whole(listed)
	if s.o.Carve && !v.snapshot {
		v.free(c)
	}
	if v.node, err = s.layout(c); err != nil {
		return nil, err
	}
	v.node.Offset, v.node.Label = v.offset, v.name
	if v.fs != nil {
		v.node.Created = v.fs.Created()
		if label := v.fs.Label(); label != "" {
			v.node.Label = triage.Show(label)
		}
	}
	v.volumes = c.volumes
	for _, vol := range v.volumes {
		vol.Image = v.image
		isError := func(p Problem) bool { return p.Severity == Error }
		vol.Whole = whole && vol.Root == "" && !vol.Loose && !slices.ContainsFunc(vol.Problems, isError)
	}
	return v.node, nil
}

// kernel is what a Windows cannot run without, and what no collector takes.
const kernel = "Windows/System32/ntoskrnl.exe"

// whole reports whether the volume is that of a Windows and all of it was listed.
func (v *volumeSource) whole(w *lister) bool {
	if v.snapshot || w.unsure || len(v.fs.Problems()) > 0 {
		return false
	}
	info, err := v.fs.Stat(kernel)
	return err == nil && !info.IsDir()
}

// ofVolume is the problem that an error of package ntfs tells. What it found
// damaged cost something; all else it has overcome.
func ofVolume(err error) Problem {
	p := Problem{Severity: Warning, Offset: binread.Offset(err), What: text(err)}
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		p.Path = pe.Path
		if p.Path == "." {
			p.Path = ""
		}
		if !strings.HasPrefix(p.Path, "$") { // the file system's own
			p.Severity = Error
		}
		p.What = "is damaged, something in it may be missing: " + p.What
	}
	return p
}
