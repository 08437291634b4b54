package ntfs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/bits"

	"sharetrail/parsers/binread"
)

// Limits of a directory. Blocks are counted before they are looked at.
const (
	maxBlocks  = 1 << 20
	maxEntries = 1 << 22
	maxBad     = 1024 // damaged blocks in a row before a directory is given up
)

// An indexReader collects the entries of one directory. It takes all blocks that
// the directory's bitmap says are in use, so that a damaged block hides no other,
// and those that the tree leads to. The two must be the same. Other blocks hold
// old entries: these are not names that exist.
type indexReader struct {
	f        *FS
	in       *inode
	list     []entry
	children []int64 // clusters that entries point to, in the index
	damage   error   // the first
	count    int     // of damages
}

func (x *indexReader) bad(err error) {
	x.damage = cmp.Or(x.damage, err)
	x.count++
}

// read collects all entries that can be read.
func (x *indexReader) read() {
	ext, err := x.in.extents(typeIndexRoot, "$I30")
	if err != nil {
		x.bad(notAbsent(err))
		return
	}
	const field = "$INDEX_ROOT"
	root, off := ext[0].value, ext[0].valueOff
	if !ext[0].resident || len(root) < 32 {
		x.bad(binread.Errorf(ext[0].off, field, "%d bytes", len(root)))
		return
	}
	le := binary.LittleEndian
	if t := le.Uint32(root); t != typeFileName {
		x.bad(binread.Errorf(off, field, "index of attributes %#x, not of names", t))
		return
	}
	size := int64(le.Uint32(root[8:]))
	large := root[28]&1 != 0
	x.node(root[16:], off+16, field)
	if !large && len(x.children) == 0 && !x.in.has(typeIndexAllocation, "$I30") {
		return
	}
	if !power(size, 512, 64<<10) {
		x.bad(binread.Errorf(off+8, field, "index blocks of %d bytes", size))
		return
	}
	x.blocks(size)
}

// notAbsent hides that something is missing which must be there.
func notAbsent(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return binread.Errorf(binread.Offset(err), "directory", "%s", err)
	}
	return err
}

// blocks reads the index blocks of size bytes.
func (x *indexReader) blocks(size int64) {
	const field = "$INDEX_ALLOCATION"
	st, err := x.in.open(typeIndexAllocation, "$I30", field)
	if err != nil {
		x.bad(notAbsent(err))
		if st == nil {
			return
		}
	}
	n := st.size / size
	if n > maxBlocks {
		x.bad(binread.Errorf(x.in.off, field, "%d blocks", n))
		n = maxBlocks
	}
	used, known := x.bitmap(n)
	b := make([]byte, size)
	for i, bad := int64(0), 0; i < n && bad < maxBad; i++ {
		if used[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		if err := x.block(st, b, i*size); err != nil {
			x.bad(err)
			bad++
		} else {
			bad = 0
		}
	}
	x.follow(st, b, used, known)
}

// follow reads the blocks that the tree leads to although they are not marked as
// used, and compares the tree with the marks.
func (x *indexReader) follow(st *stream, b, used []byte, known bool) {
	size := int64(len(b))
	in := make([]byte, len(used))
	for k, bad := 0, 0; k < len(x.children) && bad < maxBad; k++ {
		i := x.children[k] / max(1, size/x.unit(size))
		if i < 0 || i >= int64(len(used))*8 || (i+1)*size > st.size {
			x.bad(binread.Errorf(x.in.off, "index block", "an entry leads to cluster %d of the index", x.children[k]))
			bad++
			continue
		}
		bit := byte(1) << (i % 8)
		if in[i/8]&bit != 0 {
			continue
		}
		in[i/8] |= bit
		if used[i/8]&bit != 0 {
			continue
		}
		x.bad(binread.Errorf(st.volumeOffset(i*size), "index block", "block %d is not marked as used, but an entry leads to it", i))
		if err := x.block(st, b, i*size); err != nil {
			x.bad(err)
			bad++
		}
	}
	if !known || x.damage != nil {
		return // what leads to a block may be lost
	}
	for i := range used {
		if left := used[i] &^ in[i]; left != 0 {
			n := int64(i*8 + bits.TrailingZeros8(left))
			x.bad(binread.Errorf(st.volumeOffset(n*size), "index block", "block %d is marked as used, but no entry leads to it", n))
		}
	}
}

// unit returns what the numbers of blocks of size bytes count, in bytes.
func (x *indexReader) unit(size int64) int64 {
	if x.f.geo.cluster > size {
		return 512
	}
	return x.f.geo.cluster
}

// bitmap returns which of n blocks are in use, and whether that is known: if not,
// all may be.
func (x *indexReader) bitmap(n int64) (used []byte, known bool) {
	used = make([]byte, (n+7)/8)
	st, err := x.in.open(typeBitmap, "$I30", "$BITMAP")
	if err == nil {
		err = binread.Full(st, used, 0, "$BITMAP")
	}
	if err != nil {
		x.bad(notAbsent(err))
		for i := range used {
			used[i] = 0xff
		}
	} else if n%8 != 0 {
		used[n/8] &= 1<<(n%8) - 1
	}
	return used, err == nil
}

// block reads the index block at off of st into b. Its own number is checked,
// so that clusters which a damaged directory has twice count once.
func (x *indexReader) block(st *stream, b []byte, off int64) error {
	const field = "index block"
	at := st.volumeOffset(off)
	if err := binread.Full(st, b, off, field); err != nil {
		return err
	}
	if err := fixup(b, "INDX", field, at); err != nil {
		return err
	}
	want := off / x.unit(int64(len(b)))
	if vcn := int64(binary.LittleEndian.Uint64(b[16:])); vcn != want {
		return binread.Errorf(at+16, field, "it says it is at cluster %d, not %d", vcn, want)
	}
	x.node(b[24:], at+24, field)
	return nil
}

// node takes the entries of the index node in b.
func (x *indexReader) node(b []byte, off int64, field string) {
	le := binary.LittleEndian
	p, end := int64(le.Uint32(b)), int64(le.Uint32(b[4:]))
	if p < 16 || end < p || end > int64(len(b)) {
		x.bad(binread.Errorf(off, field, "entries from %#x to %#x in %d bytes", p, end, len(b)))
		return
	}
	for {
		if end-p < 16 {
			x.bad(binread.Errorf(off+p, field, "no last entry"))
			return
		}
		n, k, flags := int64(le.Uint16(b[p+8:])), int64(le.Uint16(b[p+10:])), le.Uint16(b[p+12:])
		if n < 16 || n > end-p || flags&1 != 0 && n < 24 || flags&2 == 0 && k > n-16 {
			x.bad(binread.Errorf(off+p+8, field, "entry of %d bytes with a key of %d in %d", n, k, end-p))
			return
		}
		if flags&1 != 0 {
			x.children = append(x.children, int64(le.Uint64(b[p+n-8:])))
		}
		if flags&2 != 0 {
			return
		}
		x.entry(b[p+16:p+16+k], reference(le.Uint64(b[p:])), off+p)
		p += n
	}
}

func (x *indexReader) entry(key []byte, ref reference, off int64) {
	name, ok := parseFileName(key)
	switch {
	case !ok:
		x.bad(binread.Errorf(off+16, "directory entry", "key of %d bytes is not a name", len(key)))
	case name.parent.num() != x.in.num:
		x.bad(binread.Errorf(off+16, "directory entry", "%q belongs to directory %d, not to %d", name.name, name.parent.num(), x.in.num))
	case x.in.num == recordRoot && ref.num() == recordRoot: // the root's own name
	case len(x.list) == maxEntries:
		x.bad(binread.Errorf(off, "directory entry", "more than %d", maxEntries))
	default:
		x.list = append(x.list, entry{name: name.name, key: name.name, num: ref.num(), seq: ref.seq(), dir: name.dir, short: name.dos})
	}
}
