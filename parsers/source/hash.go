package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// parts adds files of the folder dir to what the source consists of.
func (s *scanner) parts(dir string, bases ...string) {
	for _, base := range bases {
		if _, err := os.Lstat(filepath.Join(dir, base)); errors.Is(err, fs.ErrNotExist) {
			if root, err := os.OpenRoot(dir); err == nil {
				base = cmp.Or(folded(root, base), base)
				root.Close()
			}
		}
		s.ev.Parts = append(s.ev.Parts, filepath.Join(dir, base))
	}
}

// dir is the folder of the source, as the examiner spells it unless the source
// is a link.
func (e *Evidence) dir() string {
	if abs, err := filepath.Abs(e.Name); err == nil && abs == e.Path {
		return filepath.Dir(e.Name)
	}
	return filepath.Dir(e.Path)
}

// OpenReadOnly opens a file or folder of the evidence for reading, by any path,
// and keeps its access time where the system allows that.
func OpenReadOnly(name string) (*os.File, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	if target, err := filepath.EvalSymlinks(abs); err == nil {
		abs = target
	}
	dir, base := filepath.Split(abs)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openAt(root, native(base))
}

// SumSource returns the SHA-256 of what is at path: of a file that of its bytes,
// of a folder that of the lines "<sha256>  <path>" of its regular files, in
// order of path.
func SumSource(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		f, err := OpenReadOnly(path)
		if err != nil {
			return "", err
		}
		return sumOf(ctx, f)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return "", err
	}
	defer root.Close()
	tree := quiet{root}
	all := sha256.New()
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error { // in lexical order
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := tree.Open(name)
		if err != nil {
			return err
		}
		sum, err := sumOf(ctx, f)
		fmt.Fprintf(all, "%s  %s\n", sum, name)
		return err
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// quiet is a tree of which reading leaves no access times.
type quiet struct{ root *os.Root }

func (q quiet) Open(name string) (fs.File, error) { return openAt(q.root, native(name)) }

// sumOf hashes f to its end and closes it.
func sumOf(ctx context.Context, f fs.File) (string, error) {
	defer f.Close()
	sum := sha256.New()
	for {
		n, err := io.CopyN(sum, f, 16<<20)
		if n == 0 || err != nil && err != io.EOF {
			if err == io.EOF {
				err = nil
			}
			return hex.EncodeToString(sum.Sum(nil)), err
		}
		if err := ctx.Err(); err != nil {
			return "", err
		}
	}
}
