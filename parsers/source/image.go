package source

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/container"
	"sharetrail/parsers/source/disk"
	"sharetrail/parsers/source/triage"
)

// An image is an item that was opened as a disk image.
type image struct {
	container.Image
	err     error
	problem *Problem // of the item that holds it
	outer   *kape    // logs beside it that may tell of what it holds; nil if there are none
	partOf  string   // path of the image that it is a piece or parent of; "" if of none
}

// imageNames are the endings of names that promise a disk image. Those with
// false are also used for other things.
var imageNames = map[string]bool{
	".e01": true, ".ex01": true, ".vhd": true, ".vhdx": true, ".vmdk": true, ".qcow2": true, ".qcow": true, ".vdi": true,
	".dd": false, ".raw": false, ".img": false, ".001": false,
}

// isImage reports whether it may be a disk image, by content or else by name.
func (it *item) isImage() bool {
	if it.lost || it.dir || it.size == 0 || it.sealed != "" || it.head.kind != "" || it.head.archive != "" {
		return false
	}
	_, named := imageNames[strings.ToLower(path.Ext(it.place))]
	return it.head.image || named && it.head.foreign == ""
}

// images opens the disk images among the loose items. All are opened before
// any is looked into: only then is it known which are pieces of others.
func (l *layouter) images() error {
	l.opened = map[*item]*image{}
	beside := map[string]*item{}
	for _, it := range l.c.items {
		if !it.dir {
			beside[it.place] = it
		}
	}
	for _, it := range l.c.items {
		if err := l.s.ctx.Err(); err != nil {
			return err
		}
		if _, loose := l.where(it.place); loose && it.isImage() {
			im := l.s.openImage(it, l.opener(path.Dir(it.place), beside), l.c.depth+1)
			if it.raw = l.s.noVolume(it, im); it.raw {
				continue
			}
			l.opened[it] = im
		}
	}
	for _, it := range l.c.items {
		im := l.opened[it]
		if im == nil || im.err != nil {
			continue
		}
		for _, name := range im.Files() {
			if other := find(beside, path.Dir(it.place), name); other != nil && other != it && l.opened[other] != nil {
				l.opened[other].partOf = it.path
			}
		}
	}
	return nil
}

// find returns the item of a base name in dir: that of the same spelling, else
// the first that differs in letter case only.
func find(items map[string]*item, dir, base string) *item {
	p := path.Join(dir, base)
	if it := items[p]; it != nil {
		return it
	}
	var best *item
	for q, it := range items {
		if strings.EqualFold(p, q) && (best == nil || q < best.place) {
			best = it
		}
	}
	return best
}

// opener opens the other files of an image from its own directory.
func (l *layouter) opener(dir string, items map[string]*item) container.Opener {
	if l.c.beside != nil {
		return l.c.beside
	}
	return func(base string) (container.Handle, int64, error) {
		it := find(items, dir, base)
		if it == nil {
			return nil, 0, &fs.PathError{Op: "open", Path: base, Err: fs.ErrNotExist}
		}
		if it.sealed != "" {
			return nil, 0, errors.New(it.sealed)
		}
		if p := it.admit(); it.open == nil {
			return nil, 0, errors.New(p.What)
		}
		h, err := it.open()
		if err != nil {
			return nil, 0, err
		}
		return h, h.Size(), nil
	}
}

// openImage opens it as a disk image whose other files beside finds.
func (s *scanner) openImage(it *item, beside container.Opener, depth int) *image {
	im := &image{}
	if depth > s.o.MaxDepth {
		im.err = fmt.Errorf("more than %d containers inside each other (MaxDepth); extract it and point at the extracted file", s.o.MaxDepth)
		return im
	}
	h, err := s.keep(it)
	if err == nil && h == nil {
		err = errors.New(it.admit().What)
	}
	if err != nil {
		im.err = err
		return im
	}
	im.problem = it.damage()
	im.err = guard("disk image", func() (err error) {
		im.Image, err = container.Open(path.Base(it.place), h, h.Size(), beside)
		return err
	})
	if im.err == nil {
		s.ev.closers = append(s.ev.closers, im.Image)
	}
	return im
}

// guard turns a panic in f into an error.
func guard(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = binread.Errorf(-1, what, "gave up: %v", p)
		}
	}()
	return f()
}

// disk lays out the disk in the image it, or says why there is none. It
// returns nil if the item is a piece of another image.
func (s *scanner) disk(it *item, im *image, id string, depth int) (*Node, error) {
	node := &Node{ID: id, Kind: "image", Size: it.size, Offset: -1, Label: path.Base(it.path)}
	say := func(p Problem) {
		p.Path = id
		s.ev.problem(p)
		node.Problems = append(node.Problems, p)
	}
	if im.problem != nil {
		say(*im.problem)
	}
	switch {
	case im.partOf != "" && (im.err != nil || im.Kind() == "raw" || im.Kind() == "vmdk"):
		return nil, nil
	case im.partOf != "":
		say(warnf("", "is read as the parent of %s: the older state that it holds itself is not looked into; to see it, point at it alone", im.partOf))
		return node, nil
	case im.err != nil:
		say(Problem{Severity: Error, Offset: binread.Offset(im.err), What: "disk image cannot be read: " + text(im.err)})
		return node, nil
	}
	node.Kind, node.Size, node.Stored = im.Kind(), im.Size(), im.Stored()
	if node.Kind == "raw" {
		node.Kind = "disk"
	}
	node.image = im
	for _, err := range im.Warnings() {
		say(Problem{Severity: Warning, Offset: binread.Offset(err), What: text(err)})
	}
	var scheme string
	var parts []disk.Part
	var warnings []error
	err := guard("partition table", func() (err error) {
		scheme, parts, warnings, err = disk.Partitions(im, im.Size())
		return err
	})
	if disk.Lost(parts, warnings, err) {
		found, more := disk.Search(im, im.Size(), parts)
		if len(found) > 0 && err != nil {
			say(Problem{Severity: Error, Offset: binread.Offset(err), What: text(err) + ": volumes were found by their boot sectors; whether there are others is not known"})
			err, scheme = nil, disk.MBR
		}
		parts, warnings = append(parts, found...), append(warnings, more...)
	}
	for _, err := range warnings {
		sev := Warning
		if errors.Is(err, disk.ErrLost) {
			sev = Error
		}
		say(Problem{Severity: sev, Offset: binread.Offset(err), What: text(err)})
	}
	if err != nil {
		say(it.noDisk(im, err))
		if s.o.Carve {
			s.carved(node, labelOf(it), id, wholeDisk, im, im.Size())
		}
		return node, nil
	}
	for i := range parts {
		child, err := s.partition(it, im, &parts[i], scheme, id, depth)
		if err != nil {
			return nil, err
		}
		if scheme == disk.Bare {
			child.Stored, child.image = node.Stored, im
			child.Problems = append(node.Problems, child.Problems...)
			return child, nil
		}
		node.Children = append(node.Children, child)
	}
	return node, nil
}

// noDisk is the problem of an image in which no volume was found.
func (it *item) noDisk(im *image, err error) Problem {
	strong, named := imageNames[strings.ToLower(path.Ext(it.place))]
	switch {
	case im.Kind() == "raw" && named && strong && !it.head.image:
		return Problem{Severity: Error, What: "not what its name says: " + it.starts()}
	case im.Kind() == "raw" && named && !it.head.image:
		return Problem{Severity: Warning, What: "is named like a disk image, but holds no partition table and no known volume"}
	}
	return Problem{Severity: Error, Offset: binread.Offset(err), What: "no volume can be read: " + text(err)}
}

// partition lays out one partition of im. The only one of a disk without
// partitions has the id of the disk.
func (s *scanner) partition(it *item, im *image, p *disk.Part, scheme, id string, depth int) (*Node, error) {
	if scheme != disk.Bare {
		id = fmt.Sprintf("%s!p%d", id, p.Index)
	}
	node := &Node{ID: id, Kind: cmp.Or(p.FS, "unknown"), Size: p.Size, Offset: p.Start, Label: triage.Show(p.Name)}
	say := func(pr Problem) {
		pr.Path = id
		s.ev.problem(pr)
		node.Problems = append(node.Problems, pr)
	}
	switch {
	case p.Err != nil:
		say(Problem{Severity: Error, Offset: binread.Offset(p.Err), What: "partition cannot be read: " + text(p.Err)})
		return node, nil
	case p.FS != "ntfs":
		if p.Advice != "" && !(p.FS == "fat" && strings.Contains(p.Type, "EFI system")) {
			say(notRead(p))
		}
		if s.o.Carve && plain(p) {
			s.carved(node, labelOf(it), strings.TrimSuffix(id, fmt.Sprintf("!p%d", p.Index)), wholeVolume, io.NewSectionReader(im, p.Start, p.Size), p.Size)
		}
		return node, nil
	}
	return s.volume(&volumeSource{
		id: id, image: strings.TrimSuffix(id, fmt.Sprintf("!p%d", p.Index)), label: labelOf(it),
		r: io.NewSectionReader(im, p.Start, p.Size), offset: p.Start, size: p.Size, name: p.Name, depth: depth, outer: im.outer,
	})
}

// harmless are the file systems from which Windows does not run.
var harmless = []string{"fat", "exfat", "ext", "lvm"}

// notRead is the problem of a partition that is not read. What may hold a
// Windows volume is evidence that could not be read.
func notRead(p *disk.Part) Problem {
	sev := Error
	if slices.Contains(harmless, p.FS) {
		sev = Warning
	}
	return Problem{Severity: sev, Offset: p.Start, What: "volume not read: " + p.Advice}
}
