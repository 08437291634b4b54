package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/container"
	"sharetrail/parsers/source/disk"
	"sharetrail/parsers/source/triage"
	"sharetrail/parsers/source/vss"
)

// snapshots looks into the shadow copies of all volumes found. It comes last,
// since the stores of one volume may lie on another.
func (s *scanner) snapshots() error {
	if s.o.NoSnapshots {
		return nil
	}
	volumes := s.ntfs
	for i, v := range volumes {
		if err := s.shadows(v, i); err != nil {
			return err
		}
	}
	return nil
}

// shadows makes volumes of the shadow copies of v, the i-th volume found.
func (s *scanner) shadows(v *volumeSource, i int) error {
	var set *vss.Set
	open := func(others ...vss.Storage) error {
		return guard("shadow copies", func() (err error) {
			set, err = vss.Open(v.r, v.size, others...)
			return err
		})
	}
	err := open()
	if err == nil && set.StorageID != "" && set.StorageID != set.VolumeID {
		err = open(s.storages(v)...)
	}
	switch {
	case errors.Is(err, vss.ErrNone):
		return nil
	case err != nil:
		v.say(s, Problem{Severity: Error, Offset: binread.Offset(err), What: "shadow copies cannot be read: " + text(err)})
		return nil
	}
	for _, w := range set.Warnings {
		sev := Warning
		if w == set.Damaged() { // what it names is lost
			sev = Error
			for _, vol := range v.volumes {
				vol.Unreadable = append(vol.Unreadable, ShadowCopies)
			}
		}
		v.say(s, Problem{Severity: sev, Offset: binread.Offset(w), What: "shadow copies: " + text(w)})
	}
	for _, o := range set.Orphans {
		v.say(s, Problem{Severity: Warning, Offset: -1, What: fmt.Sprintf("a shadow copy store {%s} belongs to no snapshot in the catalog: it is another volume's, or what is left of a deleted snapshot", o.StoreID)})
	}
	if set.EmptyCatalog {
		v.say(s, Problem{Severity: Warning, Offset: -1, What: "shadow copies are enabled, and the catalog names none: none was made yet, or all were deleted"})
		for _, vol := range v.volumes {
			vol.EmptyCatalog = true
		}
	}
	newer := []view{{v.volumes, ""}}
	for _, snap := range slices.Backward(set.Snapshots) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		found, err := s.shadow(v, snap)
		if err != nil {
			return err
		}
		same(newer, found.volumes)
		newer = append(newer, found)
	}
	slices.SortStableFunc(v.node.Children, func(a, b *Node) int { return strings.Compare(a.ID, b.ID) })
	return nil
}

// say adds a problem of v.
func (v *volumeSource) say(s *scanner, p Problem) {
	v.node.Problems = append(v.node.Problems, p)
	if len(v.volumes) > 0 {
		v.volumes[0].problem(p)
		return
	}
	p.Path = join(v.id, p.Path)
	s.ev.problem(p)
}

// A view is the volume as collected, or a snapshot of it.
type view struct {
	volumes []*Volume
	id      string
}

// shadow makes volumes of one shadow copy.
func (s *scanner) shadow(v *volumeSource, snap *vss.Snapshot) (view, error) {
	id := fmt.Sprintf("%s!vss%d", v.id, snap.Index)
	var r io.ReaderAt
	err := guard("shadow copy", func() (err error) {
		r, err = snap.ReaderAt()
		return err
	})
	var said []Problem
	for _, w := range append(slices.Clone(snap.Warnings), snap.LateWarnings()...) {
		said = append(said, Problem{Severity: Warning, Offset: binread.Offset(w), What: text(w)})
	}
	if snap.Deleted {
		said = append(said, warnf("", "this snapshot was deleted, Windows no longer lists it: its content may be overwritten in part"))
	}
	if snap.MayBeScoped() {
		said = append(said, warnf("", "Windows may have kept some files out of this snapshot (ScopeSnapshots): those may show newer data"))
	}
	if snap.Created.IsZero() {
		said = append(said, warnf("", "the time of this snapshot is not known"))
	}
	if err != nil {
		p := Problem{Severity: Error, Path: id, Offset: binread.Offset(err), What: "shadow copy cannot be read: " + text(err)}
		if errors.Is(err, vss.ErrElsewhere) {
			p.What += "; give the image with that volume as a further source, or with --storage"
		}
		s.ev.problem(p)
		v.node.Children = append(v.node.Children, &Node{ID: id, Kind: "snapshot", Size: snap.Size(), Offset: -1, Created: snap.Created, Problems: append([]Problem{p}, said...)})
		return view{id: id}, nil
	}
	sv := &volumeSource{id: id, image: v.image, label: v.label, r: r, offset: -1, size: snap.Size(), depth: v.depth, snapshot: true, away: v.away}
	node, err := s.volume(sv)
	if err != nil {
		return view{}, err
	}
	node.Kind, node.Created, node.Label = "snapshot", snap.Created, snap.ID
	for _, p := range said {
		sv.say(s, p)
	}
	for _, vol := range sv.volumes {
		vol.Snapshot, vol.AsOf, vol.SnapshotID, vol.HostHint = id, snap.Created, snap.ID, snap.OriginMachine
		sortProblems(vol.Problems)
		for _, live := range v.volumes {
			if strings.EqualFold(live.Root, vol.Root) && live.Loose == vol.Loose {
				vol.Of = live
				if live.HostHint == "" {
					live.HostHint = snap.OriginMachine
				}
			}
		}
	}
	v.node.Children = append(v.node.Children, node)
	return view{sv.volumes, id}, nil
}

// same finds the files of a snapshot that newer views of the volume have with
// the same bytes. Names, sizes and times do not prove it: Windows writes hives
// through memory and may leave their times alone.
func same(newer []view, older []*Volume) {
	for _, vol := range older {
		for i := range vol.Files {
			f := &vol.Files[i]
			for _, v := range slices.Backward(newer) {
				if g, ref := v.find(vol, f); g != nil && equal(f, g) {
					f.SameAs = ref
					if g.SameAs != (Ref{}) {
						f.SameAs = g.SameAs
					}
					break
				}
			}
		}
	}
}

// find returns the file of v that may be the same as f of vol.
func (v view) find(vol *Volume, f *File) (*File, Ref) {
	for _, w := range v.volumes {
		if !strings.EqualFold(w.Root, vol.Root) || w.Loose != vol.Loose {
			continue
		}
		i, ok := slices.BinarySearchFunc(w.Files, f.Path, func(g File, p string) int { return strings.Compare(g.Path, p) })
		if ok && w.Files[i].Size == f.Size && w.Files[i].Kind == f.Kind && !w.Files[i].Deleted {
			return &w.Files[i], Ref{w.ID, f.Path}
		}
	}
	return nil, Ref{}
}

// equal reports whether both files could be read whole and have the same bytes.
func equal(a, b *File) bool {
	x, err := a.Open()
	if err != nil {
		return false
	}
	defer x.Close()
	y, err := b.Open()
	if err != nil {
		return false
	}
	defer y.Close()
	if x.Size() != y.Size() {
		return false
	}
	const piece = 256 << 10
	p, q := make([]byte, piece), make([]byte, piece)
	for off := int64(0); off < x.Size(); off += piece {
		n := min(piece, x.Size()-off)
		if binread.Full(x, p[:n], off, "file") != nil || binread.Full(y, q[:n], off, "file") != nil || !bytes.Equal(p[:n], q[:n]) {
			return false
		}
	}
	return true
}

// storages returns the volumes on which the stores of v may lie: the other
// volumes of the source, and those of the images in Options.Storage.
func (s *scanner) storages(v *volumeSource) []vss.Storage {
	var all []vss.Storage
	for _, o := range s.ntfs {
		if o != v && !o.snapshot {
			all = append(all, vss.Storage{R: o.r, Size: o.size})
		}
	}
	if !s.stored {
		s.stored = true
		for _, p := range s.o.Storage {
			if err := s.storage(p); err != nil {
				s.ev.problem(errorf("", "storage %q cannot be read: %s", p, text(err)))
			}
		}
		for _, p := range s.o.Beside {
			if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
				_ = s.storage(p) // no image, or one that its own problems tell of
			}
		}
	}
	return append(all, s.storageVolumes...)
}

// storage opens the image p for its volumes.
func (s *scanner) storage(p string) error {
	dir, base := filepath.Split(p)
	if dir == "" {
		dir = "."
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	s.ev.closers = append(s.ev.closers, root)
	info, err := root.Lstat(base)
	if err != nil {
		return err
	}
	c := &scope{}
	c.file(root, base, info)
	im := s.openImage(c.items[0], besides(root), 1)
	if im.err != nil {
		return im.err
	}
	if s.ev.Kind != "folder" {
		s.ev.Parts = append(s.ev.Parts, p)
		s.parts(dir, im.Files()...)
	}
	_, parts, _, err := disk.Partitions(im, im.Size())
	for _, part := range parts {
		if part.FS == "ntfs" && part.Err == nil {
			s.storageVolumes = append(s.storageVolumes, vss.Storage{R: io.NewSectionReader(im, part.Start, part.Size), Size: part.Size})
		}
	}
	if err == nil && len(s.storageVolumes) == 0 {
		err = errors.New("holds no NTFS volume")
	}
	return err
}

// folded returns the name of the only file of a folder that differs from base in
// letter case alone: other systems take them for one. "" if there is none.
func folded(root *os.Root, base string) (name string) {
	d, err := openAt(root, ".")
	if err != nil {
		return ""
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return ""
	}
	for _, n := range names {
		if strings.EqualFold(n, base) {
			if name != "" {
				return ""
			}
			name = n
		}
	}
	return name
}

// besides opens the regular files of a folder by name.
func besides(root *os.Root) container.Opener {
	return func(base string) (container.Handle, int64, error) {
		info, err := root.Lstat(base)
		if errors.Is(err, fs.ErrNotExist) {
			if other := folded(root, base); other != "" {
				base = other
				info, err = root.Lstat(base)
			}
		}
		if err != nil {
			return nil, 0, err
		}
		if !info.Mode().IsRegular() {
			return nil, 0, fmt.Errorf("%q "+notRegular, triage.Show(base), typeName(info.Mode()))
		}
		h, err := openFile(root, base, info)
		if err != nil {
			return nil, 0, err
		}
		return h, h.Size(), nil
	}
}
