package ntfs

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"sync/atomic"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/xpress"
)

// A reader is the content of an open file.
type reader interface {
	io.ReaderAt
	volumeOffset(off int64) int64
	length() int64
}

func (s *stream) length() int64 { return s.size }

// A wofFile is a file that the Windows Overlay Filter compressed (CompactOS):
// its stream WofCompressedData holds a table of the ends of all chunks but the
// last, and then the chunks.
type wofFile struct {
	st         *stream
	size       int64 // of the content, in bytes
	chunk      int64 // size of an uncompressed chunk
	wide       int64 // bytes of a table entry
	base       int64 // of the first chunk in st
	decompress func(out, in []byte) error
	last       atomic.Pointer[unitData]
}

// wof opens a file of size bytes by its reparse data: WOF_EXTERNAL_INFO and
// FILE_PROVIDER_EXTERNAL_INFO (MS-FSCC 2.1.2, wdk wof.h).
func (in *inode) wof(data []byte, size int64) (reader, error) {
	const field = "WOF reparse point"
	le := binary.LittleEndian
	if len(data) < 24 {
		return nil, binread.Errorf(in.off, field, "%d bytes", len(data))
	}
	if p := le.Uint32(data[12:]); p != 2 {
		return nil, binread.Errorf(in.off, field, "provider %d, content in another file: %w", p, errors.ErrUnsupported)
	}
	w := &wofFile{size: size, decompress: unpackXpress}
	switch a := le.Uint32(data[20:]); a {
	case 0:
		w.chunk = 4 << 10
	case 1:
		w.chunk, w.decompress = 32<<10, lzx
	case 2:
		w.chunk = 8 << 10
	case 3:
		w.chunk = 16 << 10
	default:
		return nil, binread.Errorf(in.off, field, "algorithm %d: %w", a, errors.ErrUnsupported)
	}
	st, err := in.open(typeData, "WofCompressedData", "WofCompressedData")
	if errors.Is(err, fs.ErrNotExist) {
		// The file is there; only its content is not.
		return nil, binread.Errorf(in.off, field, "the file has no stream WofCompressedData")
	}
	if err != nil {
		return nil, err
	}
	w.st, w.wide = st, 4
	if size > 1<<32-1 {
		w.wide = 8
	}
	if chunks := (size + w.chunk - 1) / w.chunk; chunks > 0 {
		w.base = (chunks - 1) * w.wide
	}
	if w.base > st.size {
		return nil, binread.Errorf(in.off, "WofCompressedData", "%d bytes cannot hold %d bytes of content", st.size, size)
	}
	return w, nil
}

func (w *wofFile) length() int64            { return w.size }
func (w *wofFile) volumeOffset(int64) int64 { return -1 }

func (w *wofFile) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	for n < len(p) {
		if off >= w.size {
			return n, io.EOF
		}
		i := off / w.chunk
		d := w.last.Load()
		if d == nil || d.n != i {
			b, err := w.read(i)
			if err != nil {
				return n, err
			}
			d = &unitData{i, b}
			w.last.Store(d)
		}
		k := copy(p[n:], d.b[off-i*w.chunk:])
		n, off = n+k, off+int64(k)
	}
	return n, nil
}

// end returns where chunk i ends, from the first chunk on.
func (w *wofFile) end(i int64) (int64, error) {
	switch {
	case i < 0:
		return 0, nil
	case (i+1)*w.chunk >= w.size:
		return w.st.size - w.base, nil
	}
	var b [8]byte
	if err := binread.Full(w.st, b[:w.wide], i*w.wide, "WofCompressedData"); err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(b[:])), nil
}

// read returns chunk i. One that did not shrink is stored as it is.
func (w *wofFile) read(i int64) ([]byte, error) {
	start, err := w.end(i - 1)
	if err != nil {
		return nil, err
	}
	end, err := w.end(i)
	if err != nil {
		return nil, err
	}
	out := make([]byte, min(w.chunk, w.size-i*w.chunk))
	if start < 0 || end <= start || end-start > int64(len(out)) || end > w.st.size-w.base {
		return nil, binread.Errorf(w.st.volumeOffset(i*w.wide), "WofCompressedData", "chunk %d lies from %d to %d", i, start, end)
	}
	in := make([]byte, end-start)
	if err := binread.Full(w.st, in, w.base+start, "WofCompressedData"); err != nil {
		return nil, err
	}
	if len(in) == len(out) {
		return in, nil
	}
	if err := w.decompress(out, in); err != nil {
		return nil, binread.Errorf(w.st.volumeOffset(w.base+start), "WofCompressedData", "chunk %d: %w", i, err)
	}
	return out, nil
}

func unpackXpress(out, in []byte) error {
	_, err := xpress.Unpack(out, in)
	return err
}
