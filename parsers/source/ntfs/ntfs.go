// Package ntfs reads NTFS volumes as an fs.FS, in place and without writing.
//
// Names are those of the directories, with what io/fs does not allow shown as
// \xNN or \uNNNN. Look-up ignores case by the volume's own $UpCase table; an
// exact match goes first, so names that differ in case only stay apart. Short
// (8.3) names are found too, but not listed. "file:stream" opens an alternate
// data stream; system files such as $MFT or "$Extend/$UsnJrnl:$J" are files like
// others. Links to other directories are named, not followed.
//
// The journal ($LogFile) is not replayed: the volume is what lies on the disk.
// Sizes and times come from the MFT record, never from the copy in a directory.
//
// An error that wraps fs.ErrNotExist says that a directory was read whole and
// does not hold the name. Every other error says that the answer is not known.
package ntfs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"sharetrail/parsers/binread"
)

// An FS is an NTFS volume. Its methods may be called concurrently.
type FS struct {
	r       io.ReaderAt
	size    int64 // of r, in bytes
	geo     geometry
	mft     *stream
	upcase  []uint16 // nil: Unicode's simple mapping
	label   string
	created time.Time

	mu       sync.Mutex
	problems []error
	told     map[string]bool
	dirs     map[uint64]*directory
	held     int // entries in dirs

	freeOnce sync.Once
	free     *freeMap
}

// Open reads the volume of size bytes in r. It needs a boot sector, or the
// backup at the end of the volume, and the first record of $MFT or $MFTMirr.
func Open(r io.ReaderAt, size int64) (*FS, error) {
	if size < 0 {
		return nil, fmt.Errorf("negative size %d: %w", size, fs.ErrInvalid)
	}
	found, bad := boots(r, size)
	var errs []error
	if bad != nil {
		errs = append(errs, bad)
	}
	for _, b := range found {
		f := &FS{r: r, size: size, geo: b.geometry, told: map[string]bool{}, dirs: map[uint64]*directory{}}
		err := f.openMFT()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if b.off != 0 {
			f.warn("", fmt.Errorf("boot sector at %#x used, its backup: %w", b.off, errors.Join(errs...)))
		}
		f.describe()
		return f, nil
	}
	return nil, errors.Join(errs...)
}

// openMFT finds the extents of the MFT, which describes itself.
func (f *FS) openMFT() error {
	var errs []error
	for i, lcn := range []int64{f.geo.mft, f.geo.mirr} {
		if i == 1 && lcn == 0 {
			break
		}
		rec, err := f.readRecord(recordMFT, lcn*f.geo.cluster)
		if err == nil {
			err = f.extendMFT(rec)
		}
		if err == nil {
			if i == 1 {
				f.warn("$MFT", fmt.Errorf("first record of $MFTMirr used instead of: %w", errs[0]))
			}
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// extendMFT builds the MFT from its own record. The records with its further
// extents lie in the extents before them.
func (f *FS) extendMFT(rec *record) error {
	if !rec.inUse() || rec.directory() {
		return binread.Errorf(rec.off+22, "$MFT", "flags %#x are not those of a file in use", rec.flags)
	}
	f.mft = nil
	var st *stream
	var err error
	for have := int64(-1); ; {
		ext, err2 := f.inodeOf(rec).extents(typeData, "")
		if err2 != nil {
			return err2
		}
		if ext[0].resident {
			return binread.Errorf(ext[0].off+8, "$MFT", "its data is resident")
		}
		st, err = f.newStream(ext, "$MFT")
		if len(st.runs) == 0 {
			return err
		}
		if err == nil || st.size <= have {
			break
		}
		have = st.size
		f.mft = st
	}
	for _, r := range st.runs {
		if r.lcn < 0 {
			return binread.Errorf(rec.off, "$MFT", "its data has a hole at cluster %d", r.vcn)
		}
	}
	f.mft = st
	if err != nil {
		f.problem("$MFT", fmt.Errorf("only records below %d can be read: %w", st.size/f.geo.record, err))
	}
	return nil
}

// describe reads what is known about the volume as a whole.
func (f *FS) describe() {
	if n := f.geo.bytes(); n > f.size {
		f.problem("", binread.Errorf(f.size, "volume", "it has %d bytes, of which the last %d are missing: %w", n, n-f.size, binread.ErrTruncated))
	}
	if in, err := f.inode(recordMFT); err != nil {
		f.problem("$MFT", err)
	} else {
		f.created = in.info(nil).SI.Created
	}
	if in, err := f.inode(recordVolume); err != nil {
		f.problem("$Volume", err)
	} else {
		f.describeVolume(in)
	}
	if up, err := f.readUpCase(); err != nil {
		f.warn("$UpCase", fmt.Errorf("case of names compared as in Unicode: %w", err))
	} else {
		f.upcase = up
	}
}

func (f *FS) describeVolume(in *inode) {
	if ext, err := in.extents(typeVolumeName, ""); err == nil {
		f.label = decodeName(ext[0].value)
	} else if !errors.Is(err, fs.ErrNotExist) {
		f.problem("$Volume", err)
	}
	ext, err := in.extents(typeVolumeInformation, "")
	switch {
	case err != nil:
		f.problem("$Volume", err)
	case len(ext[0].value) < 12:
		f.problem("$Volume", binread.Errorf(ext[0].off, "$VOLUME_INFORMATION", "%d bytes", len(ext[0].value)))
	case ext[0].value[10]&1 != 0:
		f.warn("$Volume", binread.Errorf(ext[0].valueOff+10, "$VOLUME_INFORMATION", "the volume is marked as dirty: directories may disagree with files"))
	}
}

func (f *FS) readUpCase() ([]uint16, error) {
	in, err := f.inode(recordUpCase)
	if err != nil {
		return nil, err
	}
	ext, err := in.extents(typeData, "")
	if err != nil {
		return nil, err
	}
	st, err := f.newStream(ext, "$UpCase")
	if err != nil {
		return nil, err
	}
	if st.size != 2<<16 {
		return nil, binread.Errorf(ext[0].off, "$UpCase", "%d bytes, not %d", st.size, 2<<16)
	}
	b := make([]byte, st.size)
	if err := binread.Full(st, b, 0, "$UpCase"); err != nil {
		return nil, err
	}
	up := make([]uint16, 1<<16)
	for i := range up {
		up[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	if up['a'] != 'A' || up['A'] != 'A' {
		return nil, binread.Errorf(ext[0].off, "$UpCase", "it maps %q to %q", 'a', rune(up['a']))
	}
	return up, nil
}

// A Warning is a problem that kept nothing from being read: another copy was
// used, or the volume says itself that it may be inconsistent.
type Warning struct{ Err error }

func (w *Warning) Error() string { return w.Err.Error() }

// Unwrap returns what the warning is about.
func (w *Warning) Unwrap() error { return w.Err }

func (f *FS) warn(path string, err error) { f.problem(path, &Warning{err}) }

// problem records err for the file at path, once.
func (f *FS) problem(path string, err error) {
	if path != "" {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := err.Error(); !f.told[s] && len(f.told) < maxProblems {
		f.told[s] = true
		f.problems = append(f.problems, err)
	}
}

// maxProblems bounds what is remembered; each call still returns its own error.
const maxProblems = 10000

// Problems returns what was found damaged or doubtful so far, in the order of
// discovery: of the volume, its system files and the directories that were
// looked at. Those of one file or directory are of type *fs.PathError. Damaged
// files that Open refuses are not among them. What is doubtful only wraps a
// *Warning.
func (f *FS) Problems() []error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.problems)
}

// Label returns the name of the volume, "" if it has none.
func (f *FS) Label() string { return f.label }

// Serial returns the 64-bit serial number; Windows shows its lower half.
func (f *FS) Serial() uint64 { return f.geo.serial }

// ClusterSize returns the size of a cluster in bytes.
func (f *FS) ClusterSize() int64 { return f.geo.cluster }

// Created returns when $MFT was created, which is when the volume was formatted.
// It is UTC and zero if not known.
func (f *FS) Created() time.Time { return f.created }
