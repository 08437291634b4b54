package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/archive"
)

// A packedMember is a compressed member of an archive. To unpack it costs more than all
// that is done with it after, so it is held against its checksum only then.
type packedMember struct {
	ev   *Evidence
	ctx  context.Context // of the scan
	m    *archive.Member
	temp string // directory for temporary files; "" is the system's

	mu      sync.Mutex
	settled bool     // it was unpacked to its end
	size    int64    // bytes of it that can be read, then
	damage  *Problem // what is wrong with it, then; nil if nothing is
}

// open unpacks it: in memory if it takes up to mem bytes, else in a temporary file.
// Of a damaged one it opens what can be read.
func (p *packedMember) open(mem int64) (Handle, error) {
	if p.m.Size <= mem {
		b := buffers.Get(p.m.Size + 1) // of which the last is for what comes behind its end
		n, err := p.unpack(b, nil)
		if err != nil {
			return nil, err
		}
		return &unpacked{Reader: bytes.NewReader(b[:n]), b: b}, nil
	}
	f, err := p.ev.tempFile(p.temp)
	if err != nil {
		return nil, err
	}
	f.size, err = p.unpack(make([]byte, 256<<10), spoolFile{f})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p.ev.mu.Lock()
	defer p.ev.mu.Unlock()
	p.ev.spooled += f.size
	return f, nil
}

// settle returns what is wrong with it, nil if nothing is.
func (p *packedMember) settle() *Problem {
	p.mu.Lock()
	known := p.settled
	p.mu.Unlock()
	if !known {
		_, _ = p.unpack(make([]byte, 256<<10), io.Discard) // it notes its errors
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.damage
}

// unpack fills b, which is larger than the member, or if w is not nil writes to w by
// way of b, and returns how many bytes there are. It is an error if there are none, or w fails.
func (p *packedMember) unpack(b []byte, w io.Writer) (n int64, err error) {
	r, err := p.m.Open()
	if err != nil {
		return 0, p.note(0, err)
	}
	defer r.Close()
	for {
		to := b
		if w == nil {
			to = b[n:]
		}
		k, err := r.Read(to)
		if n += int64(k); w != nil && k > 0 {
			if _, err := w.Write(to[:k]); err != nil {
				return n, err
			}
		}
		if err == nil {
			err = p.ctx.Err()
		}
		if err != nil {
			return n, p.note(n, err)
		}
	}
}

// note notes down how unpacking ended, behind n bytes, and returns err if there
// is nothing to read.
func (p *packedMember) note(n int64, err error) error {
	if cerr := p.ctx.Err(); cerr != nil {
		return cerr
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled, p.size = true, n
	switch {
	case err == io.EOF:
		return nil
	case errors.Is(err, archive.ErrChecksum):
		p.damage = &Problem{Severity: Error, Offset: -1, What: "member is damaged: " + err.Error()}
	case n == 0:
		p.damage = &Problem{Severity: Error, Offset: 0, What: "member cannot be read: " + text(err)}
		return err
	default:
		p.damage = &Problem{Severity: Error, Offset: n, What: fmt.Sprintf("member is damaged: only its first %d of %d bytes can be read: %s", n, p.m.Size, text(err))}
	}
	return nil
}

// damage returns what check says of it, or what shows when it is unpacked.
func (it *item) damage() *Problem {
	if p := it.admit(); p != nil || it.packed == nil {
		return p
	}
	return it.packed.settle()
}

// settle returns what is wrong with f as a member, and sets how much of it is there.
func (f *File) settle() *Problem {
	if f.packed == nil {
		return nil
	}
	p := f.packed.settle()
	if p != nil && f.packed.size < f.Size {
		f.Size, f.Incomplete = f.packed.size, true
	}
	return p
}

// Settle adds what is wrong with compressed members to the problems of their
// volumes, and sets the sizes of those that are damaged. Members that were not
// opened before are unpacked for that. It must be called before Close, once all
// else is read; until then the Size of a File in an archive is what the archive
// says.
func (e *Evidence) Settle(ctx context.Context) error {
	for _, v := range e.Volumes {
		var found []Problem
		for i := range v.Files {
			f := &v.Files[i]
			if f.packed == nil {
				continue
			}
			p := f.settle()
			if err := ctx.Err(); err != nil {
				return err
			}
			if p != nil {
				found = append(found, Problem{p.Severity, f.Path, p.Offset, p.What})
			}
			f.packed = nil
		}
		if len(found) > 0 {
			v.found(found...)
		}
	}
	return nil
}

// unpacked is a member in memory. Close gives the memory to the next one: members
// are large, and one after the other would be garbage.
type unpacked struct {
	*bytes.Reader
	b    []byte
	once sync.Once
}

func (u *unpacked) Close() error {
	u.once.Do(func() {
		u.Reader.Reset(nil)
		buffers.Put(u.b)
	})
	return nil
}

var buffers binread.Buffers

// A temp is a member in a file of its own, which Close removes.
type temp struct {
	*os.File
	size int64
}

func (t *temp) Size() int64 { return t.size }

func (t *temp) Close() error {
	err := t.File.Close()
	if rerr := os.Remove(t.Name()); !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

// tempFile makes a file with a random name in the private directory of e.
func (e *Evidence) tempFile(dir string) (*temp, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, fs.ErrClosed
	}
	if e.temp == "" {
		d, err := os.MkdirTemp(dir, "sharetrail-")
		if err != nil {
			return nil, err
		}
		e.temp = d
	}
	f, err := os.CreateTemp(e.temp, "member-")
	if err != nil {
		return nil, err
	}
	return &temp{File: f}, nil
}
