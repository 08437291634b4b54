// Package container reads disk images as the disk they hold: EnCase (E01),
// VMDK, VHD, VHDX, QCOW2, VDI, and raw images in one or several pieces.
//
// The format is told by content; a name serves only to find the other files of
// the same image, and those come from the image's own folder, by base name,
// whatever path the image gives for them. Blocks that a format leaves out
// because they were never written read as zeros. Everything else that cannot be
// had is an error with its offset, never zeros: damage, a missing segment, and
// sectors that the acquisition could not read. What a format has no checksum for
// can be damaged unseen: in all but E01 that is the content of the disk, and but
// for VMDK, VHD and VHDX in part also the tables that place it.
//
// No error that a read returns wraps fs.ErrNotExist or io.EOF: a piece of an
// image that is missing must not look like a file that is absent in it.
package container

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
)

// Errors that an examiner can do something about.
var (
	ErrUnsupported  = errors.New("not supported")            // known, but not read; the text has the cure
	ErrPart         = errors.New("a part of an image")       // not its first file; the text names that
	ErrMissing      = errors.New("missing")                  // a file of the image, named in the text, is not beside it
	ErrNoStoredHash = errors.New("the image stores no hash") // nothing to verify against
	ErrHash         = errors.New("hash differs")             // the contents are not what was acquired
)

// A Handle is an open file. ReadAt may be called concurrently.
type Handle interface {
	io.ReaderAt
	io.Closer
}

// An Opener opens a file of the image's own folder by its base name, and gives
// its size in bytes. A file that is not there is an error that wraps
// fs.ErrNotExist.
type Opener func(base string) (Handle, int64, error)

// An Image is the disk in an image file. Its methods may be called concurrently,
// but for Close.
type Image interface {
	// ReadAt reads from the disk. It returns io.EOF at the end of the disk only.
	io.ReaderAt

	// Close closes the files that Open opened by its Opener; the reader given
	// to Open is the caller's.
	io.Closer

	// Size returns the size of the disk in bytes.
	Size() int64

	// Kind names the format: "e01", "vmdk", "vhd", "vhdx", "qcow2", "vdi", "raw".
	Kind() string

	// Files returns the base names of the further files that the image consists
	// of, in the order in which they were opened: segments, extents, parents.
	Files() []string

	// Warnings returns what must be doubted, in a fixed order: copies used in
	// place of damaged structures, missing segments, a log that was replayed.
	Warnings() []error

	// Stored returns what the image says of itself, as it says it: "md5" and
	// "sha1" in lower-case hex, "case number", "evidence number", "examiner",
	// "description", "notes", "software", "acquired" and others.
	Stored() map[string]string

	// Verify reads the whole disk and compares it with the stored hashes. It
	// returns ErrNoStoredHash if there are none, and an error that wraps
	// ErrHash if one differs.
	Verify(ctx context.Context) error
}

// Detect names the format of a disk image by its content: one of the names that
// Kind returns, or "ex01", "l01", "aff" for formats that are known and not read.
// It returns "" for everything else, raw images among it: a raw disk or volume
// is for package disk to recognise.
func Detect(r io.ReaderAt, size int64) string {
	b := make([]byte, min(max(size, 0), 512))
	n, _ := r.ReadAt(b, 0)
	b = b[:n]
	for _, m := range magics {
		if len(b) >= m.off+len(m.magic) && string(b[m.off:m.off+len(m.magic)]) == m.magic {
			return m.kind
		}
	}
	if size >= 512 { // a fixed VHD has its footer only
		b = make([]byte, 512)
		if n, _ := r.ReadAt(b, size-512); n == 512 && (isFooter(b) || isFooter(b[1:])) {
			return "vhd"
		}
	}
	return ""
}

var magics = []struct {
	off         int
	magic, kind string
}{
	{0, "EVF\x09\x0d\x0a\xff\x00", "e01"},
	{0, "EVF2\x0d\x0a\x81\x00", "ex01"},
	{0, "LVF\x09\x0d\x0a\xff\x00", "l01"},
	{0, "LEF2\x0d\x0a\x81\x00", "l01"},
	{0, "AFF10\r\n\x00", "aff"},
	{0, "KDMV", "vmdk"},
	{0, "COWD", "vmdk"},
	{0, "# Disk DescriptorFile", "vmdk"},
	{0, "\xef\xbb\xbf# Disk DescriptorFile", "vmdk"},
	{0, "vhdxfile", "vhdx"},
	{0, "conectix", "vhd"},
	{0, "QFI\xfb", "qcow2"},
	{64, "\x7f\x10\xda\xbe", "vdi"},
}

// Open opens the disk image of the given name whose size is in bytes. Content
// that Detect does not know is taken as a raw image; if its name ends in a number
// (.001), the files that follow are its further pieces. A nil Opener finds no
// other file.
func Open(name string, r io.ReaderAt, size int64, o Opener) (Image, error) {
	d := &folder{open: o, main: baseName(name)}
	im, err := d.image(&file{name: d.main, main: true, r: r, size: max(size, 0)}, "")
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return im, nil
}

// image opens f in the given format, or in the one that its content says.
func (d *folder) image(f *file, kind string) (*image, error) {
	if kind == "" {
		kind = Detect(f.r, f.size)
	}
	var im *image
	var err error
	switch kind {
	case "e01":
		im, err = openEWF(f, d)
	case "vmdk":
		im, err = openVMDK(f, d)
	case "vhd":
		im, err = openVHD(f, d)
	case "vhdx":
		im, err = openVHDX(f, d)
	case "qcow2":
		im, err = openQCOW2(f, d)
	case "vdi":
		im, err = openVDI(f)
	case "ex01", "l01", "aff":
		err = f.errorf(0, "signature", "%s: %w", foreign[kind], ErrUnsupported)
	default:
		kind = "raw"
		im, err = openRaw(f, d)
	}
	if err != nil {
		return nil, err
	}
	im.kind, im.dir = kind, d
	return im, nil
}

var foreign = map[string]string{
	"ex01": "an EnCase image of version 2 (Ex01); acquire it again as E01, or convert it to raw",
	"l01":  "an EnCase logical evidence file, which holds files and no disk; extract the files and point at the folder",
	"aff":  "an AFF image; convert it to raw with affconvert -r",
}

// An image implements Image.
type image struct {
	io.ReaderAt             // of the disk
	size        int64       // of the disk, in bytes
	hashed      io.ReaderAt // what the stored hashes are of, if not the above
	kind        string
	id          []byte // by which a child knows its parent; nil if it has none
	warn        []error
	stored      map[string]string
	dir         *folder
}

func (m *image) Size() int64               { return m.size }
func (m *image) Kind() string              { return m.kind }
func (m *image) Files() []string           { return slices.Clone(m.dir.names) }
func (m *image) Warnings() []error         { return slices.Clone(m.warn) }
func (m *image) Stored() map[string]string { return maps.Clone(m.stored) }
func (m *image) Close() error              { return m.dir.Close() }

func (m *image) Verify(ctx context.Context) error {
	sums := map[string]hash.Hash{"md5": md5.New(), "sha1": sha1.New()}
	var to []io.Writer
	for _, name := range []string{"md5", "sha1"} {
		if m.stored[name] != "" {
			to = append(to, sums[name])
		}
	}
	if len(to) == 0 {
		return ErrNoStoredHash
	}
	var r io.ReaderAt = m
	if m.hashed != nil {
		r = m.hashed
	}
	b := make([]byte, min(runtime.GOMAXPROCS(0), 16)*verifyPiece)
	for off := int64(0); off < m.size; off += int64(len(b)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		b = b[:min(int64(len(b)), m.size-off)]
		if err := readPieces(r, b, off); err != nil {
			return err
		}
		io.MultiWriter(to...).Write(b) // a hash never fails
	}
	var errs []error
	for _, name := range []string{"md5", "sha1"} {
		want, got := m.stored[name], hex.EncodeToString(sums[name].Sum(nil))
		if want != "" && want != got {
			errs = append(errs, fmt.Errorf("%w: %s: stored %s, computed %s", ErrHash, name, want, got))
		}
	}
	return errors.Join(errs...)
}

const verifyPiece = 1 << 20 // bytes

// readPieces fills b from off on, its pieces in parallel.
func readPieces(r io.ReaderAt, b []byte, off int64) error {
	errs := make([]error, (len(b)+verifyPiece-1)/verifyPiece)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			p := b[i*verifyPiece : min((i+1)*verifyPiece, len(b))]
			at := off + int64(i)*verifyPiece
			if n, err := r.ReadAt(p, at); n < len(p) {
				errs[i] = fmt.Errorf("disk offset %#x: %w", at+int64(n), err)
			}
		})
	}
	wg.Wait()
	return cmp.Or(errs...)
}

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)
