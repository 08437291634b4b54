package source

import (
	"io"
	"path"
	"slices"
	"strings"

	"sharetrail/parsers/source/disk"
	"sharetrail/parsers/source/ntfs"
)

// What is not a file is known by these paths. An offset in it is one in the
// volume, disk or file that it is of, in bytes.
const (
	unallocated = "(unallocated space)"
	wholeVolume = "(whole volume)"
	wholeDisk   = "(whole disk)"
	slackOf     = " (slack)" // behind the path of a file: what its clusters hold beyond it
)

// leastSlack is the room of a chunk with one record, in bytes.
const leastSlack = 1024

// rawSystem are the files in which Windows keeps memory.
var rawSystem = []string{"pagefile.sys", "hiberfil.sys", "swapfile.sys"}

// rawNames are the endings of names that promise bytes of any kind: a raw disk
// without a volume, an image of memory, unallocated space.
var rawNames = []string{".raw", ".dd", ".img", ".001", ".bin", ".mem", ".vmem", ".dmp", ".lime", ".blkls", ".unalloc"}

// isRaw reports whether it may hold remains of evidence without being any.
func (s *scanner) isRaw(it *item, place string, loose bool) bool {
	if !s.o.Carve || it.size == 0 || it.head.foreign != "" && !it.head.image {
		return false
	}
	name := strings.ToLower(path.Base(place))
	return it.raw || slices.Contains(rawSystem, name) || loose && slices.Contains(rawNames, path.Ext(name))
}

// hibernated says what a hibernation file hides.
func hibernated(place string) *Problem {
	if !strings.EqualFold(path.Base(place), "hiberfil.sys") {
		return nil
	}
	return &Problem{Severity: Warning, Offset: -1, What: "hibernation file: Windows compresses most of what it writes there; only what lies there as it is was searched"}
}

// noVolume reports whether a raw image holds no disk and no volume, so that it is
// a file of any bytes.
func (s *scanner) noVolume(it *item, im *image) bool {
	if !s.o.Carve || im.err != nil || im.Kind() != "raw" || it.head.image || len(im.Files()) > 1 {
		return false
	}
	return guard("partition table", func() error {
		_, _, _, err := disk.Partitions(im, im.Size())
		return err
	}) != nil
}

// stream adds bytes of the volume c that are no file.
func (c *scope) stream(name string, r io.ReaderAt, size int64) {
	c.streams = append(c.streams, &item{path: name, place: name, size: size, head: head{kind: Raw}, open: opener(r, size)})
}

func opener(r io.ReaderAt, size int64) func() (Handle, error) {
	return func() (Handle, error) { return bare{r, size}, nil }
}

// A bare is a stream that needs no closing.
type bare struct {
	io.ReaderAt
	size int64
}

func (b bare) Size() int64  { return b.size }
func (b bare) Close() error { return nil }

// Next tells which bytes of the stream are there, if the stream itself does.
func (b bare) Next(off int64) (start, end int64) {
	if s, ok := b.ReaderAt.(interface {
		Next(off int64) (start, end int64)
	}); ok {
		return s.Next(off)
	}
	if off >= b.size {
		return -1, -1
	}
	return off, b.size
}

// free adds the unallocated space of a volume or, if that cannot be told from
// the rest, all of it.
func (v *volumeSource) free(c *scope) {
	const all = "all of it is searched for what event logs leave, used or not"
	if v.fs == nil {
		c.problem(warnf("", "no file can be told from another: %s", all))
		c.stream(wholeVolume, v.r, v.size)
		return
	}
	err := guard("NTFS", func() error {
		u := v.fs.Unallocated()
		switch {
		case u.Size() == 0:
			c.problem(warnf("", "which clusters are free is not known: %s", all))
			c.stream(wholeVolume, v.r, v.size)
		case u.Free() > 0:
			c.stream(unallocated, u, u.Size())
		}
		return nil
	})
	if err != nil {
		c.problem(warnf("", "the unallocated space cannot be searched: %s", text(err)))
	}
}

// carved makes a volume of bytes in which no file system is read.
func (s *scanner) carved(node *Node, label, image, name string, r io.ReaderAt, size int64) {
	p := warnf("", "no file system is read in it: its bytes are searched for what event logs leave")
	f := File{Path: name, Size: size, Kind: Raw, Open: opener(r, size)}
	v := &Volume{ID: node.ID, Kind: node.Kind, Loose: true, Label: label, Image: image, Files: []File{f}, Problems: []Problem{p}, node: node}
	s.ev.Volumes = append(s.ev.Volumes, v)
	node.Files, node.Problems = v.Files, append(node.Problems, p)
}

// memory adds the files in which Windows keeps memory, in the root of a volume.
func (w *lister) memory() error {
	entries, err := w.fs.ReadDir(".")
	if err != nil && len(entries) == 0 {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() && slices.Contains(rawSystem, strings.ToLower(e.Name())) {
			w.file(e.Name(), e)
		}
	}
	return nil
}

// plain reports whether the bytes of a partition whose file system is not read may
// show anything: not if they are encrypted.
func plain(p *disk.Part) bool {
	return p.FS != "bitlocker" && !strings.HasPrefix(p.Advice, "encrypted")
}

// labelOf names the image it, for want of a host name.
func labelOf(it *item) string { return strings.TrimSuffix(path.Base(it.path), path.Ext(it.path)) }

// slack adds what the clusters of an event log hold beyond it, if a chunk can lie
// there.
func (w *lister) slack(it *item) {
	h, err := w.open(it.path)
	if err != nil {
		return // told when it is read
	}
	defer h.Close()
	f, ok := h.(*ntfs.File)
	if !ok {
		return
	}
	if k := f.Slack(); k != nil {
		if start, end := k.Next(0); end-start >= leastSlack {
			w.c.stream(it.path+slackOf, k, k.Size())
		}
	}
}
