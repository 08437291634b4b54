package ntfs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io/fs"
	"slices"

	"sharetrail/parsers/binread"
)

// maxList bounds an attribute list in bytes, as Windows does.
const maxList = 256 << 10

// maxLost is how many records of one file are looked for in vain.
const maxLost = 64

// An inode is a file or directory: its base record and the attributes of all
// its records.
type inode struct {
	*record
	f     *FS
	attrs []attribute
	lost  []lost
}

// A lost is an attribute whose record cannot be read.
type lost struct {
	typ  uint32
	name string
	err  error
}

// readRecord reads the record num at offset off of the volume.
func (f *FS) readRecord(num uint64, off int64) (*record, error) {
	b := make([]byte, f.geo.record)
	if err := binread.Full(f.r, b, off, "MFT record"); err != nil {
		return nil, err
	}
	return parseRecord(b, num, off)
}

// record reads a record of the MFT. For the first ones there is a mirror.
func (f *FS) record(num uint64) (*record, error) {
	if f.mft == nil || num >= uint64(f.mft.size/f.geo.record) {
		return nil, binread.Errorf(-1, "MFT record", "record %d lies beyond the $MFT", num)
	}
	b := make([]byte, f.geo.record)
	off := int64(num) * f.geo.record
	at := f.mft.volumeOffset(off)
	err := binread.Full(f.mft, b, off, "MFT record")
	if err == nil {
		var r *record
		if r, err = parseRecord(b, num, at); err == nil {
			return r, nil
		}
	}
	if num < uint64(max(4, f.geo.cluster/f.geo.record)) && f.geo.mirr > 0 {
		if r, err2 := f.readRecord(num, f.geo.mirr*f.geo.cluster+off); err2 == nil {
			f.warn("$MFT", fmt.Errorf("copy of record %d in $MFTMirr used instead of: %w", num, err))
			return r, nil
		}
	}
	return nil, err
}

// inode reads the file or directory with the base record num.
func (f *FS) inode(num uint64) (*inode, error) {
	r, err := f.record(num)
	if err != nil {
		return nil, err
	}
	if r.base != 0 {
		return nil, binread.Errorf(r.off+32, "MFT record", "record %d belongs to record %d", num, r.base.num())
	}
	return f.inodeOf(r), nil
}

// inodeOf collects the attributes of the file with base record r.
func (f *FS) inodeOf(r *record) *inode {
	in := &inode{record: r, f: f, attrs: r.attrs}
	i := slices.IndexFunc(r.attrs, func(a attribute) bool { return a.typ == typeAttributeList })
	if i < 0 {
		return in
	}
	in.attrs = slices.DeleteFunc(slices.Clone(r.attrs), func(a attribute) bool { return a.typ == typeAttributeList })
	list, err := f.readList(r.attrs[i : i+1])
	if err != nil && in.damage == nil {
		in.record = &record{r.num, r.off, r.seq, r.flags, r.base, r.attrs, err}
	}
	list = slices.DeleteFunc(list, func(e listed) bool { return e.ref.num() == r.num })
	slices.SortStableFunc(list, func(a, b listed) int { return cmp.Compare(a.ref, b.ref) })
	var failed error
	bad := 0
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].ref == list[0].ref {
			n++
		}
		if bad < maxLost {
			failed = in.extend(list[:n])
		}
		if failed != nil {
			bad++
			for _, e := range list[:n] {
				in.lost = append(in.lost, lost{e.typ, e.name, failed})
			}
		}
		list = list[n:]
	}
	return in
}

// extend adds the attributes that the entries of the list name, which are in one
// record. The error tells that some are missing.
func (in *inode) extend(list []listed) error {
	x, err := in.f.extension(in.record, list[0].ref)
	if err != nil {
		return err
	}
	type key struct {
		typ   uint32
		id    uint16
		start int64
		name  string
	}
	have := map[key]attribute{}
	for _, a := range x.attrs {
		have[key{a.typ, a.id, a.start, a.name}] = a
	}
	for _, e := range list {
		if a, ok := have[key{e.typ, e.id, e.start, e.name}]; ok {
			in.attrs = append(in.attrs, a)
		} else if err == nil {
			err = cmp.Or(x.damage, binread.Errorf(x.off, "MFT record", "record %d lacks an attribute of type %#x that the list of record %d names", x.num, e.typ, in.num))
		}
	}
	return err
}

// extension reads a further record of the file with base record r.
func (f *FS) extension(r *record, ref reference) (*record, error) {
	x, err := f.record(ref.num())
	if err != nil {
		return nil, err
	}
	want, seq := r.seq, ref.seq()
	if !r.inUse() { // deleting counts the sequence numbers up, but not those in references
		want = before(want)
		if x.seq != seq {
			seq = after(seq)
		}
	}
	switch {
	case x.base.num() != r.num || x.base.seq() != r.seq && x.base.seq() != want:
		err = binread.Errorf(x.off+32, "MFT record", "record %d belongs to record %d, not to %d", x.num, x.base.num(), r.num)
	case x.seq != seq:
		err = binread.Errorf(x.off+16, "MFT record", "record %d has sequence number %d, not %d", x.num, x.seq, seq)
	case x.inUse() != r.inUse():
		err = binread.Errorf(x.off+22, "MFT record", "record %d and its base record %d are not both in use", x.num, r.num)
	}
	return x, err
}

// before and after step a sequence number, which is never zero.
func before(seq uint16) uint16 {
	if seq--; seq == 0 {
		seq--
	}
	return seq
}

func after(seq uint16) uint16 {
	if seq++; seq == 0 {
		seq++
	}
	return seq
}

// A listed is an entry of an attribute list.
type listed struct {
	typ   uint32
	id    uint16
	start int64
	ref   reference
	name  string
}

// readList returns the entries before the first damage.
func (f *FS) readList(ext []attribute) (list []listed, err error) {
	const field = "attribute list"
	le := binary.LittleEndian
	st, err := f.newStream(ext, field)
	if st.size > maxList {
		return nil, binread.Errorf(ext[0].off, field, "%d bytes", st.size)
	}
	b := make([]byte, st.size)
	if err2 := binread.Full(st, b, 0, field); err2 != nil {
		return nil, cmp.Or(err, err2)
	}
	for p := 0; p < len(b); {
		e := b[p:]
		if len(e) < 26 {
			return list, cmp.Or(err, binread.Errorf(st.volumeOffset(int64(p)), field, "entry of %d bytes", len(e)))
		}
		n, k, at := int(le.Uint16(e[4:])), 2*int(e[6]), int(e[7])
		if n < 26 || n > len(e) || k > 0 && at+k > n {
			return list, cmp.Or(err, binread.Errorf(st.volumeOffset(int64(p)), field, "entry of %d bytes with a name of %d at %d", n, k, at))
		}
		x := listed{typ: le.Uint32(e), start: int64(le.Uint64(e[8:])), ref: reference(le.Uint64(e[16:])), id: le.Uint16(e[24:])}
		if k > 0 {
			x.name = decodeName(e[at : at+k])
		}
		list = append(list, x)
		p += n
	}
	return list, err
}

// extents returns the extents of an attribute, at least one. The error wraps
// fs.ErrNotExist only if the file is known to have no such attribute.
func (in *inode) extents(typ uint32, name string) ([]attribute, error) {
	var out []attribute
	for _, a := range in.attrs {
		if a.typ == typ && (a.name == name || name != "" && in.f.fold(a.name) == in.f.fold(name)) {
			out = append(out, a)
		}
	}
	if len(out) > 0 {
		if out[0].resident {
			out = out[:1]
		}
		return out, nil
	}
	if in.damage != nil {
		return nil, in.damage
	}
	for _, l := range in.lost {
		if l.typ == typ && l.name == name {
			return nil, l.err
		}
	}
	return nil, binread.Errorf(in.off, "MFT record", "record %d has no attribute of type %#x named %q: %w", in.num, typ, name, fs.ErrNotExist)
}

// has reports whether the file is known to have an attribute.
func (in *inode) has(typ uint32, name string) bool {
	return slices.ContainsFunc(in.attrs, func(a attribute) bool { return a.typ == typ && a.name == name })
}

// unknown tells why not all attributes of the file are known, or nil.
func (in *inode) unknown() error {
	if in.damage == nil && len(in.lost) > 0 {
		return in.lost[0].err
	}
	return in.damage
}

// open returns the content of an attribute.
func (in *inode) open(typ uint32, name, field string) (*stream, error) {
	ext, err := in.extents(typ, name)
	if err != nil {
		return nil, err
	}
	return in.f.newStream(ext, field)
}
