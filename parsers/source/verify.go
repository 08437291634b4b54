package source

import (
	"context"
	"errors"
	"fmt"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/container"
)

// A Check is the outcome of comparing an image with the hashes stored in it, or a
// file with the one that its collector logged.
type Check struct {
	ID   string // of the image; of a file, id of its volume and path
	File bool
	Err  error // nil if they agree; wraps container.ErrNoStoredHash if there are none
}

// Verify reads every disk image whole and compares it with the hashes stored in
// it, and every file of which a collector logged the hash with that. What differs
// or cannot be read becomes a Problem too. It must be called before Close.
func (e *Evidence) Verify(ctx context.Context) (checks []Check, err error) {
	var walk func(n *Node) error
	walk = func(n *Node) error {
		if n.image != nil {
			c := Check{ID: n.ID, Err: guard("disk image", func() error { return n.image.Verify(ctx) })}
			if err := ctx.Err(); err != nil {
				return err
			}
			checks = append(checks, c)
			if c.Err != nil && !errors.Is(c.Err, container.ErrNoStoredHash) {
				p := Problem{Severity: Error, Path: n.ID, Offset: binread.Offset(c.Err), What: "does not verify: " + text(c.Err)}
				n.Problems = append(n.Problems, p)
				e.problem(p)
			}
		}
		for _, child := range n.Children {
			if err := walk(child); err != nil {
				return err
			}
		}
		return nil
	}
	if e.Tree == nil {
		return nil, nil
	}
	if err := walk(e.Tree); err != nil {
		return checks, err
	}
	files, err := e.verifyFiles(ctx)
	return append(checks, files...), err
}

// verifyFiles compares files with the hashes that their collector logged.
func (e *Evidence) verifyFiles(ctx context.Context) (checks []Check, err error) {
	for _, v := range e.Volumes {
		for i := range v.Files {
			f := &v.Files[i]
			if f.SHA1 == "" {
				continue
			}
			c := Check{ID: join(v.ID, f.Path), File: true}
			switch got := f.sha1(); {
			case ctx.Err() != nil:
				return checks, ctx.Err()
			case got == "":
				c.Err = errors.New("cannot be read whole")
			case got != f.SHA1:
				c.Err = fmt.Errorf("has the SHA-1 %s, and had %s when the collector copied it", got, f.SHA1)
			}
			if checks = append(checks, c); c.Err != nil {
				v.found(errorf(f.Path, "does not verify: %s", c.Err))
			}
		}
	}
	return checks, nil
}

// Acquisition returns what the disk images of the source say of themselves, as
// package container's Stored, by the id of the image. It is never nil.
func (e *Evidence) Acquisition() map[string]map[string]string {
	all := map[string]map[string]string{}
	var walk func(n *Node)
	walk = func(n *Node) {
		if len(n.Stored) > 0 {
			all[n.ID] = n.Stored
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	if e.Tree != nil {
		walk(e.Tree)
	}
	return all
}
