// Package binread decodes little-endian structures and names the file offset
// of the first thing that does not fit.
package binread

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrTruncated is wrapped by a FormatError when a field runs past the data.
var ErrTruncated = errors.New("truncated")

// A FormatError places a malformed field in its file.
type FormatError struct {
	Off   int64  // of the field, from the start of the file, in bytes; -1 if it has none
	Field string // name used in the format's documentation
	Err   error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("offset %#x: %s: %v", e.Off, e.Field, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }

// Errorf returns a FormatError; format may use %w.
func Errorf(off int64, field, format string, args ...any) error {
	return &FormatError{off, field, fmt.Errorf(format, args...)}
}

// Offset returns the offset that err carries, or -1.
func Offset(err error) int64 {
	if fe := (*FormatError)(nil); errors.As(err, &fe) {
		return fe.Off
	}
	return -1
}

// Full reads len(b) bytes at off. Less than that is a *FormatError that wraps
// ErrTruncated at the end of the data, and the reader's own error elsewhere.
func Full(r io.ReaderAt, b []byte, off int64, field string) error {
	n, err := r.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || err == io.EOF || err == io.ErrUnexpectedEOF:
		err = ErrTruncated
	}
	return Errorf(off, field, "need %d bytes, have %d: %w", len(b), n, err)
}

// A Cursor reads consecutive fields. After the first failure every read
// returns zero and Err keeps that failure, so callers check once per struct.
type Cursor struct {
	r   io.ReaderAt
	off int64
	err error
	buf [8]byte
}

// At returns a Cursor that starts at file offset off.
func At(r io.ReaderAt, off int64) *Cursor { return &Cursor{r: r, off: off} }

// Err returns the first failure, always a *FormatError.
func (c *Cursor) Err() error { return c.err }

// Off returns the file offset of the next field.
func (c *Cursor) Off() int64 { return c.off }

func (c *Cursor) fixed(n int, field string) []byte {
	b := c.buf[:n]
	if c.err == nil {
		c.err = Full(c.r, b, c.off, field)
	}
	if c.err != nil {
		clear(b)
		return b
	}
	c.off += int64(n)
	return b
}

// U16 reads an unsigned 16-bit field.
func (c *Cursor) U16(field string) uint16 { return binary.LittleEndian.Uint16(c.fixed(2, field)) }

// U32 reads an unsigned 32-bit field.
func (c *Cursor) U32(field string) uint32 { return binary.LittleEndian.Uint32(c.fixed(4, field)) }

// U64 reads an unsigned 64-bit field.
func (c *Cursor) U64(field string) uint64 { return binary.LittleEndian.Uint64(c.fixed(8, field)) }
