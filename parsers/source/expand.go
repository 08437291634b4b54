package source

import (
	"encoding/json"
	"fmt"
	"io"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/source/triage"
)

// expand makes f the file that it was collected from: b maps the parts of what
// was stored to where they lay; between them the file had holes.
func (f *File) expand(b []byte) error {
	var m struct {
		Ranges []struct {
			At     int64 `json:"file_offset"`
			Off    int64 `json:"original_offset"`
			Stored int64 `json:"file_length"`
			Len    int64 `json:"length"`
		}
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	x := &expanded{}
	whole := int64(0)
	for i, r := range m.Ranges {
		if r.Off < whole || r.Len < 0 || r.Off+r.Len < r.Off || r.Stored < 0 || r.Stored > r.Len || r.At < 0 {
			return fmt.Errorf("range %d leads out of the file or over another", i)
		}
		whole = r.Off + r.Len
		if f.Incomplete {
			continue
		}
		if r.Stored > 0 && (r.At > f.Size || r.Stored > f.Size-r.At) {
			f.Incomplete = true
			if r.Stored = max(0, f.Size-r.At); r.Stored > 0 {
				x.parts = append(x.parts, extent{r.Off, r.At, r.Stored})
			}
			x.size = r.Off + r.Stored
			continue
		}
		if r.Stored > 0 {
			x.parts = append(x.parts, extent{r.Off, r.At, r.Stored})
		}
		x.size = whole
	}
	f.collected = whole
	open := f.Open
	if triage.IsJournal(triage.Decode(f.Path)) && len(x.parts) > 0 {
		x.start = x.parts[0].off
	}
	f.start = x.start
	x.size -= x.start
	f.Size = x.size
	f.Open = func() (Handle, error) {
		h, err := open()
		if err != nil {
			return nil, err
		}
		return &expanded{h, x.parts, x.start, x.size}, nil
	}
	return nil
}

type extent struct{ off, at, n int64 } // in the file, in what was stored; bytes

// An expanded file reads as zeros where it had holes.
type expanded struct {
	Handle
	parts []extent
	start int64 // of what is read: behind the hole that a change journal begins with
	size  int64 // from start on
}

func (x *expanded) Size() int64 { return x.size }

func (x *expanded) Base() int64 { return x.start }

func (x *expanded) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= x.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), x.size-off))
	clear(b[:n])
	for _, p := range x.parts {
		p.off -= x.start
		lo, hi := max(off, p.off), min(off+int64(n), p.off+p.n)
		if lo < hi {
			if err := binread.Full(x.Handle, b[lo-off:hi-off], p.at+lo-p.off, "file"); err != nil {
				return int(lo - off), err
			}
		}
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
