package container

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"sharetrail/parsers/binread"
)

const (
	maxDisk  = 1 << 50  // bytes of a disk
	maxTable = 64 << 20 // bytes of a table that is kept in memory
	maxFiles = 16384    // further files of an image; an E01 can have 14,970
	maxChain = 32       // images below a differencing one
)

// A file is one file of an image. Its errors carry its name unless it is the
// file that the caller named.
type file struct {
	name string // base name
	main bool
	r    io.ReaderAt
	size int64
}

func (f *file) named(err error) error {
	if f.main {
		return err
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

func (f *file) errorf(off int64, field, format string, args ...any) error {
	return f.named(binread.Errorf(off, field, format, args...))
}

// full reads len(b) bytes at off.
func (f *file) full(b []byte, off int64, field string) error {
	if off < 0 || off > f.size || int64(len(b)) > f.size-off {
		return f.errorf(off, field, "need %d bytes, but the file ends at %#x: %w", len(b), f.size, binread.ErrTruncated)
	}
	if err := binread.Full(f.r, b, off, field); err != nil {
		return f.named(err)
	}
	return nil
}

// get reads a structure of n bytes. It allocates only what the file can fill.
func (f *file) get(off, n int64, field string) ([]byte, error) {
	switch {
	case n < 0 || n > maxTable:
		return nil, f.errorf(off, field, "%d bytes are more than the %d allowed", n, maxTable)
	case off < 0 || off > f.size || n > f.size-off:
		return nil, f.errorf(off, field, "need %d bytes, but the file ends at %#x: %w", n, f.size, binread.ErrTruncated)
	}
	b := make([]byte, n)
	return b, f.full(b, off, field)
}

// A folder opens the further files of one image and of the images it builds on.
type folder struct {
	open  Opener
	main  string // name of the image itself
	names []string
	files []io.Closer
	chain int
}

// sibling opens a file by the last element of a path as Windows or Unix write
// it. A file that is not there is ErrMissing.
func (d *folder) sibling(path string) (*file, error) {
	base := baseName(path)
	switch {
	case base == "" || base == "." || base == ".." || strings.ContainsRune(base, 0):
		return nil, fmt.Errorf("%q is no file name", path)
	case len(d.files) >= maxFiles:
		return nil, fmt.Errorf("%q: the image has more than %d files", base, maxFiles)
	case d.open == nil:
		return nil, fmt.Errorf("%q: %w: no folder to look for it", base, ErrMissing)
	}
	h, size, err := d.open(base)
	if errors.Is(err, fs.ErrNotExist) {
		// Not wrapped: the file is absent in the folder, nothing is in the evidence.
		return nil, fmt.Errorf("%q: %w: it is not in the folder of the image", base, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("%q: %w", base, err)
	}
	d.names = append(d.names, base)
	d.files = append(d.files, h)
	return &file{name: base, r: h, size: max(size, 0)}, nil
}

// leave closes the file that sibling opened last: it is no part of the image.
func (d *folder) leave() error {
	last := len(d.files) - 1
	h := d.files[last]
	d.names, d.files = d.names[:last], d.files[:last]
	return h.Close()
}

// parent opens the image that a differencing image builds on, by the first of
// the paths that is there.
func (d *folder) parent(kind string, paths ...string) (*image, *file, error) {
	if d.chain++; d.chain > maxChain {
		return nil, nil, fmt.Errorf("more than %d images build on each other", maxChain)
	}
	var errs []error
	for _, p := range paths {
		if d.has(baseName(p)) {
			return nil, nil, fmt.Errorf("parent %q: the image builds on itself", baseName(p))
		}
		f, err := d.sibling(p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		im, err := d.image(f, kind)
		if err != nil {
			return nil, nil, fmt.Errorf("parent %q: %w", f.name, err)
		}
		for i, w := range im.warn {
			im.warn[i] = fmt.Errorf("parent %q: %w", f.name, w)
		}
		return im, f, nil
	}
	if len(errs) == 0 {
		return nil, nil, fmt.Errorf("parent: the image gives no name for it: %w", ErrMissing)
	}
	return nil, nil, fmt.Errorf("parent %w", errors.Join(errs...))
}

// has reports whether a file is part of the image already.
func (d *folder) has(base string) bool {
	same := func(name string) bool { return strings.EqualFold(name, base) }
	return same(d.main) || slices.ContainsFunc(d.names, same)
}

// Close closes the files that were opened.
func (d *folder) Close() error {
	var errs []error
	for _, f := range d.files {
		errs = append(errs, f.Close())
	}
	d.files = nil
	return errors.Join(errs...)
}

func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\:`)+1:]
}
