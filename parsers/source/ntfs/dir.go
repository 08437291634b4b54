package ntfs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"

	"sharetrail/parsers/binread"
)

// An entry is a name in a directory.
type entry struct {
	name  string // unique in its directory
	key   string // as stored, but for escapes
	num   uint64
	seq   uint16
	dir   bool
	short bool // a short name whose long one is there too: not listed
}

// A directory is one that was read. It is not changed any more.
type directory struct {
	list   []entry // sorted by name
	short  map[string]entry
	folded map[string]int // of list, by folded name: the first
	seq    uint16
	names  []fileName // of the directory itself
	link   string     // what it is, if its content is elsewhere: links are not followed
	err    error      // what is damaged; entries may be missing then
}

// maxHeld bounds the entries of all directories that are kept.
const maxHeld = 1 << 20

// fold maps a name to upper case as the volume does.
func (f *FS) fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case f.upcase != nil && r < 1<<16:
			return rune(f.upcase[r])
		case f.upcase != nil:
			return r
		}
		return unicode.ToUpper(r)
	}, s)
}

// directory reads the directory that e names, which lies at path.
func (f *FS) directory(e entry, path string) (*directory, error) {
	f.mu.Lock()
	d := f.dirs[e.num]
	f.mu.Unlock()
	if d != nil && (d.seq == e.seq || e.num == recordRoot) {
		return d, nil
	}
	in, err := f.load(e)
	if err != nil {
		return nil, err
	}
	x := &indexReader{f: f, in: in}
	x.read()
	d = f.newDirectory(x)
	d.seq, d.names = in.seq, in.names()
	if data, meaning, _ := in.reparse(); len(data) > 0 {
		if tag := binary.LittleEndian.Uint32(data); tag == tagMountPoint || tag == tagSymlink {
			d.link = meaning
		}
	}
	if d.err = x.damage; x.count > 1 {
		d.err = fmt.Errorf("%d damages, the first: %w", x.count, d.err)
	}
	if d.err != nil {
		f.problem(path, d.err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held += len(d.list) + 1; f.held > maxHeld {
		clear(f.dirs)
		f.held = len(d.list) + 1
	}
	f.dirs[e.num] = d
	return d, nil
}

func (f *FS) newDirectory(x *indexReader) *directory {
	d := &directory{short: map[string]entry{}, folded: map[string]int{}}
	long, dirs := map[uint64]bool{}, map[uint64]bool{}
	for _, e := range x.list {
		if !e.short {
			long[e.num] = true
		}
	}
	for _, e := range x.list {
		if e.short && long[e.num] {
			if k := f.fold(e.name); d.short[k].name == "" {
				d.short[k] = e
			}
			continue
		}
		e.short = false // its long name is lost
		if e.num < firstUser {
			if r, err := f.record(e.num); err == nil { // formatting programs leave the flag out
				e.dir = r.directory()
			}
		}
		if e.dir { // see enter
			if dirs[e.num] {
				x.bad(binread.Errorf(x.in.off, "directory", "a second name %q of directory %d", e.name, e.num))
				continue
			}
			dirs[e.num] = true
		}
		d.list = append(d.list, e)
	}
	slices.SortStableFunc(d.list, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.num, b.num), cmp.Compare(a.seq, b.seq))
	})
	d.list = slices.CompactFunc(d.list, func(a, b entry) bool { return a.name == b.name && a.num == b.num && a.seq == b.seq })
	d.number()
	for i, e := range d.list {
		k := f.fold(e.name)
		if _, ok := d.folded[k]; !ok {
			d.folded[k] = i
		}
	}
	return d
}

// number makes names unique that a damaged directory has twice.
func (d *directory) number() {
	var seen map[string]bool
	for i := 1; i < len(d.list); i++ {
		if d.list[i].key != d.list[i-1].key {
			continue
		}
		if seen == nil {
			seen = map[string]bool{}
			for _, e := range d.list {
				seen[e.name] = true
			}
		}
		n := 2
		for seen[fmt.Sprintf("%s~%d", d.list[i].key, n)] {
			n++
		}
		d.list[i].name = fmt.Sprintf("%s~%d", d.list[i].key, n)
		seen[d.list[i].name] = true
	}
	if seen != nil {
		slices.SortStableFunc(d.list, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	}
}

// find looks name up: as it is, then by case, then among short names.
func (f *FS) find(d *directory, name string) (entry, bool) {
	if i, ok := slices.BinarySearchFunc(d.list, name, func(e entry, s string) int { return strings.Compare(e.name, s) }); ok {
		return d.list[i], true
	}
	k := f.fold(name)
	if i, ok := d.folded[k]; ok {
		return d.list[i], true
	}
	e, ok := d.short[k]
	return e, ok
}

var rootEntry = entry{name: ".", num: recordRoot, dir: true}

// load reads the file or directory that e names and checks that it is the one.
func (f *FS) load(e entry) (*inode, error) {
	in, err := f.inode(e.num)
	if err != nil {
		return nil, err
	}
	switch {
	case e.num != recordRoot && in.seq != e.seq:
		err = binread.Errorf(in.off+16, "MFT record", "record %d has sequence number %d, the directory entry says %d", in.num, in.seq, e.seq)
	case !in.inUse():
		err = binread.Errorf(in.off+22, "MFT record", "record %d is not in use, but a directory entry names it", in.num)
	case in.directory() != e.dir:
		err = binread.Errorf(in.off+22, "MFT record", "record %d and its directory entry disagree whether it is a directory", in.num)
	}
	return in, err
}

// enter reads the subdirectory e of parent, at path. A directory is in one
// place only, whatever entries say, so that no damage makes a tree endless.
func (f *FS) enter(parent uint64, e entry, path string) (*directory, error) {
	d, err := f.directory(e, path)
	if err != nil {
		return nil, err
	}
	named := func(n fileName) bool { return n.parent.num() == parent && n.name == e.key }
	if !slices.ContainsFunc(d.names, named) || d.names[0].parent.num() != parent {
		return nil, binread.Errorf(-1, "directory", "record %d does not have the name %q in directory %d", e.num, e.key, parent)
	}
	return d, nil
}

// resolve walks the path name.
func (f *FS) resolve(name string) (e entry, parent uint64, d *directory, err error) {
	e, parent = rootEntry, recordRoot
	if d, err = f.directory(e, "."); err != nil || name == "." {
		return e, parent, d, err
	}
	for i, depth := 0, 0; ; depth++ {
		if depth == maxDepth {
			return e, parent, nil, binread.Errorf(-1, "directory", "deeper than %d", maxDepth)
		}
		part, _, more := strings.Cut(name[i:], "/")
		parent = e.num
		next, ok := f.find(d, part)
		if !ok {
			switch {
			case d.link != "":
				return e, parent, nil, binread.Errorf(-1, "directory", "%q is a %s: %w", e.name, d.link, errors.ErrUnsupported)
			case d.err != nil:
				return e, parent, nil, fmt.Errorf("not found in a damaged directory: %w", d.err)
			}
			return e, parent, nil, fs.ErrNotExist
		}
		e, d = next, nil
		i += len(part)
		if e.dir {
			if d, err = f.enter(parent, e, name[:i]); err != nil || !more {
				return e, parent, d, err
			}
		} else if more {
			return e, parent, nil, fs.ErrNotExist
		} else {
			return e, parent, nil, nil
		}
		i++
	}
}
