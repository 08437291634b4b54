package ntfs

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

var (
	_ fs.ReadDirFS = (*FS)(nil)
	_ fs.StatFS    = (*FS)(nil)
	_ io.ReaderAt  = (*File)(nil)
	_ io.Seeker    = (*File)(nil)
)

var errNotDir = errors.New("not a directory")

// split separates the stream from a path: "dir/file:stream", with or without
// ":$DATA" behind it.
func split(name string) (file, stream string) {
	dir, base := path.Split(name)
	base, stream, _ = strings.Cut(base, ":")
	if k := len(stream) - len(":$DATA"); k >= 0 && strings.EqualFold(stream[k:], ":$DATA") {
		stream = stream[:k]
	}
	if file = dir + base; file == "" {
		file = "." // ":stream" is one of the root directory
	}
	return strings.TrimSuffix(file, "/"), stream
}

// Open opens a file, directory or "file:stream". A file is a *File.
func (f *FS) Open(name string) (fs.File, error) {
	fail := func(err error) (fs.File, error) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	file, stream := split(name)
	e, parent, d, err := f.resolve(file)
	if err != nil {
		return fail(err)
	}
	info, in, err := f.stat(e, parent, stream)
	if err != nil {
		return fail(err)
	}
	if info.dir {
		return &openDir{fileInfo: info, f: f, parent: parent, d: d, path: name}, nil
	}
	r, err := in.content(stream)
	if err != nil {
		return fail(err)
	}
	return newFile(info, r), nil
}

// stat describes what e names in the directory parent.
func (f *FS) stat(e entry, parent uint64, stream string) (*fileInfo, *inode, error) {
	in, err := f.load(e)
	if err != nil {
		return nil, nil, err
	}
	var as *fileName
	for _, n := range in.names() {
		if n.parent.num() == parent && n.name == e.key {
			as = &n
			break
		}
	}
	info := &fileInfo{name: e.name, dir: e.dir && stream == "", sys: in.info(as)}
	switch {
	case stream != "":
		ext, err := in.extents(typeData, stream)
		if err != nil {
			return nil, nil, err
		}
		if info.size = ext[0].size; ext[0].resident {
			info.size = int64(len(ext[0].value))
		}
		info.name += ":" + ext[0].name
		info.sys.Resident = ext[0].resident
	case !e.dir:
		info.size = in.size()
	}
	return info, in, nil
}

// Stat describes a file, directory or "file:stream" without opening it, which
// also works if its content cannot be read. The name is that of the directory,
// which may differ from the given one in case.
func (f *FS) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	file, stream := split(name)
	e, parent, _, err := f.resolve(file)
	if err == nil {
		var info *fileInfo
		if info, _, err = f.stat(e, parent, stream); err == nil {
			return info, nil
		}
	}
	return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
}

// ReadDir lists a directory. Of a damaged one it returns the entries that can be
// read together with an error, which is also among Problems.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	fail := func(err error) error { return &fs.PathError{Op: "readdir", Path: name, Err: err} }
	if !fs.ValidPath(name) {
		return nil, fail(fs.ErrInvalid)
	}
	e, _, d, err := f.resolve(name)
	if err == nil && d == nil {
		err = errNotDir
	}
	if err != nil {
		return nil, fail(err)
	}
	if d.err != nil {
		err = fail(d.err)
	}
	return f.entries(e.num, d), err
}

func (f *FS) entries(parent uint64, d *directory) []fs.DirEntry {
	out := make([]fs.DirEntry, len(d.list))
	all := make([]dirEntry, len(d.list))
	for i, e := range d.list {
		all[i] = dirEntry{e, parent, f}
		out[i] = &all[i]
	}
	return out
}

type dirEntry struct {
	entry
	parent uint64
	f      *FS
}

func (e *dirEntry) Name() string   { return e.name }
func (e *dirEntry) IsDir() bool    { return e.dir }
func (e *dirEntry) String() string { return fs.FormatDirEntry(e) }

func (e *dirEntry) Type() fs.FileMode {
	if e.dir {
		return fs.ModeDir
	}
	return 0
}

func (e *dirEntry) Info() (fs.FileInfo, error) {
	info, _, err := e.f.stat(e.entry, e.parent, "")
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: e.name, Err: err}
	}
	return info, nil
}

// A File is an open file or stream. ReadAt may be called concurrently.
type File struct {
	*io.SectionReader
	info *fileInfo
	r    reader
}

func newFile(info *fileInfo, r reader) *File {
	return &File{io.NewSectionReader(r, 0, r.length()), info, r}
}

// Stat implements fs.File.
func (f *File) Stat() (fs.FileInfo, error) { return f.info, nil }

// Close does nothing: a File holds no resources.
func (f *File) Close() error { return nil }

// VolumeOffset returns where byte off of the file lies in the volume, in bytes,
// or -1 if it does not lie there as it is (holes, compressed files). Of a file
// inside its MFT record, the last two bytes of a sector may be kept elsewhere.
func (f *File) VolumeOffset(off int64) int64 { return f.r.volumeOffset(off) }

// DataStart returns where the data of the file begins: behind the hole that it
// starts with, in bytes. It is 0 unless there is one.
func (f *File) DataStart() int64 {
	s, ok := f.r.(*stream)
	if !ok || len(s.runs) == 0 || s.runs[0].lcn >= 0 || s.unit > 0 {
		return 0
	}
	return min(s.runs[0].n*s.f.geo.cluster, s.size)
}

type openDir struct {
	*fileInfo
	f      *FS
	parent uint64
	d      *directory
	path   string
	rest   []fs.DirEntry
	begun  bool
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.fileInfo, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.path, Err: errors.New("is a directory")}
}

// ReadDir implements fs.ReadDirFile. The error of a damaged directory comes with
// its last entries.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	first := !d.begun
	if first {
		d.begun = true
		d.rest = d.f.entries(d.sys.Record, d.d)
	}
	var damage error
	if d.d.err != nil {
		damage = &fs.PathError{Op: "readdir", Path: d.path, Err: d.d.err}
	}
	if n <= 0 {
		out := d.rest
		d.rest = nil
		if !first && len(out) == 0 {
			damage = nil
		}
		return out, damage
	}
	if len(d.rest) == 0 {
		if damage != nil {
			return nil, damage
		}
		return nil, io.EOF
	}
	out := d.rest[:min(n, len(d.rest))]
	d.rest = d.rest[len(out):]
	return out, nil
}
