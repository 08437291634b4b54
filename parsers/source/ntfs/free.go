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
	last   atomic.Pointer[freeBlock]
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
	d := m.last.Load()
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
	m.last.Store(d)
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

// locate returns where byte off of the free clusters lies in the volume, and how
// many bytes follow there without a break.
func (m *freeMap) locate(off int64) (at, n int64) {
	c := m.f.geo.cluster
	k := off / c
	i := sort.Search(len(m.before)-1, func(i int) bool { return m.before[i+1] > k })
	runs := m.block(int64(i)).runs
	j := search(runs, k)
	if j == len(runs) {
		return -1, 0
	}
	in := off - runs[j].vcn*c
	return runs[j].lcn*c + in, runs[j].n*c - in
}

func (m *freeMap) length() int64 { return m.before[len(m.before)-1] * m.f.geo.cluster }

// ReadAt reads the free clusters as if they followed each other.
func (m *freeMap) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	for n < len(p) {
		if off >= m.length() {
			return n, io.EOF
		}
		at, k := m.locate(off)
		if at < 0 {
			return n, binread.Errorf(-1, "$Bitmap", "it changed while it was read")
		}
		b := p[n : n+int(min(k, int64(len(p)-n)))]
		if k, err := m.f.readAt(b, at, "unallocated clusters"); err != nil {
			return n + k, err
		}
		n, off = n+len(b), off+int64(len(b))
	}
	return n, nil
}

// Unallocated returns the free clusters of the volume as one stream, its size in
// bytes, and a function that maps an offset in it to one in the volume (-1 beyond
// its end). Neighbours in the stream need not be neighbours in the volume. What
// $Bitmap does not tell is left out, with a problem.
func (f *FS) Unallocated() (io.ReaderAt, int64, func(off int64) (volumeOff int64)) {
	m := f.freeMap()
	return m, m.length(), func(off int64) int64 {
		if off < 0 || off >= m.length() {
			return -1
		}
		at, _ := m.locate(off)
		return at
	}
}
