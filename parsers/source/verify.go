package source

import (
	"context"
	"errors"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/container"
)

// A Check is the outcome of comparing an image with the hashes stored in it.
type Check struct {
	ID  string // of the image
	Err error  // nil if they agree; wraps container.ErrNoStoredHash if there are none
}

// Verify reads every disk image whole and compares it with the hashes stored in
// it. What differs or cannot be read becomes a Problem too. It must be called
// before Close.
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
	return checks, walk(e.Tree)
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
