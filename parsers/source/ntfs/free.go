package ntfs

import (
	"fmt"
	"io"
	"io/fs"
	"math/bits"
	"sort"
	"sync/atomic"

	"sharetrail/parsers/binread"
)

// mapBlock is the part of $Bitmap that is looked at together, in bytes.
const mapBlock = 4096

// A freeMap finds the clusters that $Bitmap says are free. It keeps one number
// for each block of the bitmap, whatever the fragmentation.
type freeMap struct {
	f      *FS
	st     *stream // nil if $Bitmap cannot be read
	n      int64   // clusters known
	before []int64 // free clusters before each block, and at the end all of them
	last   [16]atomic.Pointer[freeBlock]
}

// A freeBlock holds the free runs of one block of the bitmap.
type freeBlock struct {
	n    int64
	runs []run // vcn counts the free clusters of the volume
}

// freeMap returns the map, reading $Bitmap the first time.
func (f *FS) freeMap() *freeMap {
	f.freeOnce.Do(func() {
		f.free = &freeMap{f: f, before: []int64{0}}
		if err := f.free.open(); err != nil {
			f.problem("$Bitmap", err)
		}
	})
	return f.free
}

func (m *freeMap) open() error {
	in, err := m.f.inode(recordBitmap)
	if err != nil {
		return err
	}
	st, err := in.open(typeData, "", "$Bitmap")
	if st == nil {
		return err
	}
	m.st = st
	// What lies beyond the end of an image cannot be read, free or not.
	m.n = min(m.f.geo.clusters, st.size*8, (m.f.size+m.f.geo.cluster-1)/m.f.geo.cluster)
	if err == nil && m.n < min(m.f.geo.clusters, m.f.size/m.f.geo.cluster) {
		err = binread.Errorf(in.off, "$Bitmap", "%d bytes for %d clusters", st.size, m.f.geo.clusters)
	}
	total := int64(0)
	b := make([]byte, mapBlock)
	for i := int64(0); i*mapBlock*8 < m.n; i++ {
		if err2 := m.read(b, i); err2 != nil && err == nil {
			err = fmt.Errorf("clusters taken as in use: %w", err2)
		}
		for _, x := range b {
			total += 8 - int64(bits.OnesCount8(x))
		}
		m.before = append(m.before, total)
	}
	return err
}

// read fills b with block i of the bitmap; what is not known is in use.
func (m *freeMap) read(b []byte, i int64) error {
	have := min(mapBlock, (m.n+7)/8-i*mapBlock)
	err := binread.Full(m.st, b[:have], i*mapBlock, "$Bitmap")
	if err != nil {
		have = 0
	}
	for k := have; k < mapBlock; k++ {
		b[k] = 0xff
	}
	if end := m.n - i*mapBlock*8; end < have*8 {
		b[have-1] |= 0xff << (8 - (have*8 - end))
	}
	return err
}

func (m *freeMap) block(i int64) *freeBlock {
	last := &m.last[i%int64(len(m.last))]
	d := last.Load()
	if d != nil && d.n == i {
		return d
	}
	d = &freeBlock{n: i}
	b := make([]byte, mapBlock)
	m.read(b, i) // told by open
	at := m.before[i]
	for k := range int64(mapBlock * 8) {
		if b[k/8] == 0xff || b[k/8]&(1<<(k%8)) != 0 {
			continue
		}
		d.runs = join(d.runs, run{at, i*mapBlock*8 + k, 1})
		at++
	}
	last.Store(d)
	return d
}

// isFree reports whether n clusters from lcn on are all known to be free.
func (m *freeMap) isFree(lcn, n int64) bool {
	if lcn < 0 || n > m.n || lcn > m.n-n {
		return false
	}
	return m.count(lcn+n)-m.count(lcn) == n
}

// count returns the number of free clusters before lcn.
func (m *freeMap) count(lcn int64) int64 {
	i := lcn / (mapBlock * 8)
	n := m.before[i]
	if lcn%(mapBlock*8) == 0 {
		return n
	}
	for _, r := range m.block(i).runs {
		if r.lcn >= lcn {
			break
		}
		n += min(r.n, lcn-r.lcn)
	}
	return n
}

// next returns the first row of free clusters from lcn on, n of them, or ok is
// false if there is none. A row may go on where another begins.
func (m *freeMap) next(lcn int64) (first, n int64, ok bool) {
	for i := lcn / (mapBlock * 8); i < int64(len(m.before))-1; i++ {
		if m.before[i] == m.before[i+1] {
			continue
		}
		runs := m.block(i).runs
		j := sort.Search(len(runs), func(j int) bool { return runs[j].lcn+runs[j].n > lcn })
		if j < len(runs) {
			first = max(lcn, runs[j].lcn)
			return first, runs[j].lcn + runs[j].n - first, true
		}
	}
	return 0, 0, false
}

// Unallocated is a volume of which only the free clusters are there. An offset
// in it is one in the volume, in bytes. It may be read concurrently.
type Unallocated struct{ m *freeMap }

// Unallocated returns the free clusters of the volume. What $Bitmap does not
// tell is taken as in use, with a problem.
func (f *FS) Unallocated() *Unallocated { return &Unallocated{f.freeMap()} }

// Size returns the size of the volume as far as its clusters are known, in bytes.
func (u *Unallocated) Size() int64 { return min(u.m.n*u.m.f.geo.cluster, u.m.f.size) }

// Free returns how many bytes the free clusters have.
func (u *Unallocated) Free() int64 { return u.m.before[len(u.m.before)-1] * u.m.f.geo.cluster }

// Next returns the first stretch of free clusters that ends behind off: from off
// or later up to, and not including, end. start is -1 if there is none. Another
// may follow at end.
func (u *Unallocated) Next(off int64) (start, end int64) {
	c := u.m.f.geo.cluster
	lcn, n, ok := u.m.next(max(off, 0) / c)
	if start, end = max(off, lcn*c), min((lcn+n)*c, u.Size()); !ok || start >= end {
		return -1, -1
	}
	return start, end
}

// ReadAt reads the volume. Clusters in use are not looked at: they read as zeros.
func (u *Unallocated) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	if left := u.Size() - off; left < int64(len(p)) {
		p, err = p[:max(0, left)], io.EOF
	}
	for n < len(p) {
		at := off + int64(n)
		start, end := u.Next(at)
		if start < 0 || start >= off+int64(len(p)) {
			clear(p[n:])
			return len(p), err
		}
		clear(p[n : start-off])
		b := p[start-off : min(int64(len(p)), end-off)]
		if k, err := u.m.f.readAt(b, start, "unallocated clusters"); err != nil {
			return int(start-off) + k, err
		}
		n = int(start-off) + len(b)
	}
	return n, err
}
