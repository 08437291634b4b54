package archive

import (
	"archive/zip"
	"bytes"
	"compress/bzip2"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"time"

	"sharetrail/parsers/binread"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// Zip lists the zip archive in the first size bytes of r (PKWARE APPNOTE.TXT
// 6.3.10). It reads the central directory and the first bytes of encrypted
// members only. Without that directory it returns what the start of the archive
// tells, and an error.
func Zip(r io.ReaderAt, size int64, o Options) (a *Archive, err error) {
	defer func() {
		if p := recover(); p != nil { // of archive/zip
			a, err = nil, binread.Errorf(-1, "zip", "panic: %v", p)
		}
	}()
	lim := &meter{r: r, left: int64(o.MaxMembers)*entrySize + directoryEnd}
	z, err := zip.NewReader(lim, size)
	a = &Archive{}
	switch {
	case lim.left < 0, err == nil && len(z.File) > o.MaxMembers:
		return nil, binread.Errorf(-1, "central directory", "%w: more than %d, or their names are too long", ErrTooMany, o.MaxMembers)
	case z != nil && (err == nil || errors.Is(err, zip.ErrInsecurePath)):
		if err = nil; isSplit(r, size, z) {
			return nil, binread.Errorf(-1, "central directory", "%w", errSplit)
		}
	default:
		z, r, a.Refused, err = withoutDirectory(r, size, o.MaxMembers, err)
		if err = binread.Errorf(size, "central directory", "%w", err); z == nil {
			return nil, err
		}
	}
	lim.off = true
	keys := newKeyring(o.Passwords)
	for _, f := range z.File {
		c := &zipped{File: f, archive: r, method: f.Method}
		a.add(nameOf(f), irregular(f), Member{
			Dir: f.Mode().IsDir(), Size: int64(f.UncompressedSize64), Packed: int64(f.CompressedSize64),
			ModTime: modTime(f), Sealed: c.unseal(keys), content: c,
		})
	}
	return a, err
}

// A zip's directory is read before its length is known: these bound how much of
// it is. An entry has 46 bytes, a name and extra fields; the end has 22
// and a comment of up to 64 KiB.
const (
	entrySize    = 256
	directoryEnd = 256 << 10
)

// A meter fails once left bytes have been read through it, until it is off:
// members are read through it later, in parallel, and have limits of their own.
type meter struct {
	r    io.ReaderAt
	left int64
	off  bool
}

func (m *meter) ReadAt(b []byte, off int64) (int, error) {
	if m.off {
		return m.r.ReadAt(b, off)
	}
	if m.left -= int64(len(b)); m.left < 0 {
		return 0, ErrTooMany
	}
	return m.r.ReadAt(b, off)
}

func irregular(f *zip.File) string {
	switch m := f.Mode(); {
	case m.IsDir() && f.UncompressedSize64 > 0:
		return fmt.Sprintf("directory with %d bytes of content", f.UncompressedSize64)
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	case !m.IsDir() && !m.IsRegular():
		return "not a regular file"
	}
	return ""
}

// The compression methods that are read (APPNOTE 4.4.5).
const (
	methodDeflate64 = 9
	methodBzip2     = 12
	methodLZMA      = 14
	methodZstd      = 93
	methodXZ        = 95
	methodAES       = 99 // the method proper stands in an extra field
)

// A zipped is a member of a zip archive.
type zipped struct {
	*zip.File
	archive io.ReaderAt
	method  uint16    // of compression
	key     cipherKey // nil if it is not encrypted
}

// unseal finds the password of an encrypted member, and says why it cannot be
// read.
func (z *zipped) unseal(k *keyring) string {
	if z.Mode().IsDir() {
		return ""
	}
	if z.Flags&flagEncrypted != 0 || z.Method == methodAES {
		if why := z.unlock(k); why != "" {
			return why
		}
	}
	switch z.method {
	case zip.Store, zip.Deflate, methodDeflate64, methodBzip2, methodLZMA, methodZstd, methodXZ:
		return ""
	}
	return fmt.Sprintf("compression method %d: not supported; extract it and point at the extracted folder", z.method)
}

const flagEncrypted = 1 << 0

// modTime returns f's time if an extra field gives it in UTC: NTFS, extended
// timestamp and the two Unix fields (APPNOTE 4.5.2, 4.5.5, 4.5.7; Info-ZIP).
func modTime(f *zip.File) time.Time {
	for b := f.Extra; len(b) >= 4; {
		id, n := binary.LittleEndian.Uint16(b), int(binary.LittleEndian.Uint16(b[2:]))
		if n > len(b)-4 {
			break
		}
		switch id {
		case 0x000a, 0x000d, 0x5455, 0x5855:
			if t := f.Modified.UTC().Truncate(100 * time.Nanosecond); t.Year() > 1980 {
				return t
			}
		}
		b = b[4+n:]
	}
	return time.Time{}
}

func (z *zipped) stored() bool {
	return z.method == zip.Store && (z.key == nil || z.key.seekable())
}

func (z *zipped) present(int64) int64 { return -1 }

// packed returns the bytes of the member as they lie in the archive.
func (z *zipped) packed() (*io.SectionReader, error) {
	off, err := z.DataOffset()
	if err != nil {
		return nil, binread.Errorf(-1, "local file header", "%w", err)
	}
	return io.NewSectionReader(z.archive, off, int64(z.CompressedSize64)), nil
}

func (z *zipped) inPlace(int64) (io.ReaderAt, error) {
	raw, err := z.packed()
	if err != nil || z.key == nil {
		return raw, err
	}
	return z.key.readerAt(raw), nil
}

func (z *zipped) open(size int64) (io.ReadCloser, error) {
	raw, err := z.packed()
	if err != nil {
		return nil, err
	}
	r := &reader{left: size, want: z.CRC32, damage: ErrChecksum}
	var src io.Reader = raw
	if z.key != nil {
		d := z.key.reader(raw)
		if r.tail = d.check; z.key.noCRC() {
			r.want, r.noCRC = 0, true
		}
		src = d
	}
	switch z.method {
	case zip.Store:
		r.src = io.NopCloser(src)
	case methodBzip2:
		r.src = io.NopCloser(bzip2.NewReader(src))
	case methodZstd:
		d, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		r.src = d.IOReadCloser()
	case methodDeflate64:
		r.src = newInflater64(src)
	case methodLZMA:
		d, err := lzmaOf(src, z.UncompressedSize64)
		if err != nil {
			return nil, err
		}
		r.src = io.NopCloser(d)
	case methodXZ:
		d, err := xz.ReaderConfig{DictCap: 1 << 20}.NewReader(src)
		if err != nil {
			return nil, err
		}
		r.src = io.NopCloser(d)
	default:
		r.src = flate.NewReader(src)
	}
	return r, nil
}

// lzmaOf unpacks LZMA as zip has it (APPNOTE 5.8): two bytes of version, the length
// of the properties, these, and the stream.
func lzmaOf(src io.Reader, size uint64) (io.Reader, error) {
	var head [9]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return nil, unexpected(err)
	}
	if n := binary.LittleEndian.Uint16(head[2:]); n != 5 {
		return nil, fmt.Errorf("LZMA: %d bytes of properties, not 5", n)
	}
	if n := binary.LittleEndian.Uint32(head[5:]); n > maxWindow {
		return nil, fmt.Errorf("LZMA: a dictionary of %d bytes exceeds the limit of %d", n, maxWindow)
	}
	classic := binary.LittleEndian.AppendUint64(head[4:9:9], size)
	return lzma.NewReader(io.MultiReader(bytes.NewReader(classic), src))
}

// maxWindow bounds the memory of zstd, which a frame claims.
const maxWindow = 128 << 20

// A reader holds what a member unpacks to against its directory entry.
// archive/zip's own does too, but drops the bytes before a damage.
type reader struct {
	src       io.ReadCloser
	left      int64 // bytes that the directory entry still promises
	sum, want uint32
	noCRC     bool
	damage    error
	tail      func() error // checks what lies behind the content; may be nil
}

func (r *reader) Read(b []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil { // of the decompressor
			n, err = 0, fmt.Errorf("panic: %v", p)
		}
	}()
	if int64(len(b)) > r.left {
		b = b[:r.left+1] // one more shows whether there is more
	}
	n, err = r.src.Read(b)
	if int64(n) > r.left {
		n, err = int(r.left), errors.New("unpacks to more than its directory entry says")
	}
	r.left -= int64(n)
	r.sum = crc32.Update(r.sum, crc32.IEEETable, b[:n])
	switch {
	case err == io.EOF && r.left > 0:
		err = io.ErrUnexpectedEOF
	case err == io.EOF && !r.noCRC && r.sum != r.want:
		err = r.damage
	case err == io.EOF && r.tail != nil:
		if terr := r.tail(); terr != nil {
			err = terr
		}
	}
	return n, err
}

func (r *reader) Close() error { return r.src.Close() }
