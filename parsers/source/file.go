package source

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sharetrail/parsers/source/container"
	"sharetrail/parsers/source/disk"
	"sharetrail/parsers/source/triage"
)

// single opens a lone file. The transaction logs beside a hive belong to it:
// without them its newest changes would be missing.
func (s *scanner) single(abs string) error {
	dir, base := filepath.Split(abs)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	s.ev.closers = append(s.ev.closers, root)
	info, err := root.Lstat(base)
	if err != nil {
		return err
	}
	s.ev.Kind, s.ev.Size = "file", info.Size()
	c := &scope{kind: "file", label: base, size: info.Size()}
	if !info.Mode().IsRegular() {
		c.problem(errorf(triage.Show(base), notRegular, typeName(info.Mode())))
	} else {
		c.file(root, base, info)
	}
	if len(c.items) == 1 {
		switch it := c.items[0]; {
		case it.lost:
		case it.archive() != "":
			s.ev.Kind = it.archive()
			s.ev.Tree, err = s.archive(it, it.archive(), triage.Show(base), 1, nil)
			return err
		case s.o.Carve && it.isImage() && s.noVolume(it, s.openImage(it, besides(root), 1)):
			it.raw = true
		case it.isImage() || it.head.kind == "" && it.head.foreign == "" && !promises(it.place) && it.size >= 512 && it.isDisk():
			im := s.openImage(it, besides(root), 1)
			s.ev.Kind = "image"
			if im.err == nil {
				s.parts(s.ev.dir(), im.Files()...)
			}
			s.ev.Tree, err = s.disk(it, im, triage.Show(base), 1)
			return err
		case it.head.kind == Hive:
			c.logs(root, dir, base)
			for _, it := range c.items[1:] {
				s.parts(s.ev.dir(), it.base)
			}
		case s.o.Carve && it.head.kind == "" && it.head.foreign == "" && !promises(it.place):
			it.raw = true
		case it.head.kind == "" && it.head.foreign == "" && !promises(it.place):
			what := "neither a registry hive nor an event log nor an archive nor a disk image: " + it.starts()
			if im := s.openImage(it, besides(root), 1); errors.Is(im.err, container.ErrPart) { // by its name
				what = "disk image cannot be read: " + text(im.err)
			}
			c.problem(Problem{Error, it.path, 0, what})
		}
	}
	s.ev.Tree, err = s.layout(c)
	return err
}

// logs adds the transaction logs of the hive base.
func (c *scope) logs(root *os.Root, dir, base string) {
	d, err := openAt(root, ".")
	if err != nil {
		c.problem(warnf(triage.Show(base), "cannot look for its transaction logs: %v", cause(err)))
		return
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		c.problem(warnf(triage.Show(base), "cannot look for its transaction logs: %v", cause(err)))
	}
	slices.Sort(names)
	for _, n := range names {
		if len(n) <= len(base) || !strings.EqualFold(n[:len(base)], base) {
			continue
		}
		switch strings.ToLower(n[len(base):]) {
		case ".log", ".log1", ".log2":
			if info, err := root.Lstat(n); err != nil || !info.Mode().IsRegular() {
				c.problem(errorf(triage.Show(n), "transaction log cannot be opened: not a regular file"))
			} else {
				c.file(root, n, info)
			}
		}
	}
}

// isDisk reports whether a lone file is a disk or volume that only its end
// shows, its start being lost.
func (it *item) isDisk() bool {
	h, err := it.open()
	if err != nil {
		return false
	}
	defer h.Close()
	found := container.Detect(h, h.Size()) != ""
	if !found {
		_, _, _, err = disk.Partitions(h, h.Size())
		found = err == nil
	}
	return found
}
