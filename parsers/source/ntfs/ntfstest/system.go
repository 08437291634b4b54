package ntfstest

import "bytes"

// systemFiles adds the content of the files of the file system but the MFT,
// its mirror and $Bitmap, which are written last.
func (w *writer) systemFiles() {
	s := &w.system
	long := func(name string, b []byte) *attr {
		return &attr{typ: 0x80, name: name, runs: w.store(b, 1), size: len(b), valid: len(b), long: true}
	}
	s[2].attrs = append(s[2].attrs, long("", bytes.Repeat([]byte{0xff}, 256<<10)))
	version := make([]byte, 12)
	version[8], version[9] = 3, 1
	s[3].attrs = append(s[3].attrs, &attr{typ: 0x60, value: utf16le(w.Label)}, &attr{typ: 0x70, value: version}, &attr{typ: 0x80})
	s[4].attrs = append(s[4].attrs, long("", attrDef()))
	boot := run{0, (8192 + w.Cluster - 1) / w.Cluster}
	s[7].attrs = append(s[7].attrs, &attr{typ: 0x80, runs: []run{boot}, size: 8192, valid: 8192, long: true})
	all := w.clusters()
	s[8].attrs = append(s[8].attrs, &attr{typ: 0x80}, &attr{typ: 0x80, name: "$Bad", runs: []run{{-1, all}}, size: all * w.Cluster, long: true})
	s[9].attrs = append(s[9].attrs, long("$SDS", make([]byte, 256<<10)), emptyIndex("$SDH", 0x12), emptyIndex("$SII", 0x10))
	up := make([]byte, 0, 2<<16)
	for c := range 1 << 16 {
		up = le.AppendUint16(up, upcase(uint16(c)))
	}
	s[10].attrs = append(s[10].attrs, long("", up))
	for i := 12; i < 16; i++ { // reserved: in use, without a name
		n := &node{num: i, seq: uint16(i), f: File{Attributes: 6}}
		n.attrs = []*attr{{typ: 0x10, value: make([]byte, 72)}, {typ: 0x80}}
		w.write(n)
	}
	for i := 16; i < firstUser; i++ {
		w.put(&node{f: File{Deleted: true}}, i, 1, 0, nil)
	}
}

func emptyIndex(name string, collation uint32) *attr {
	b := make([]byte, 16)
	le.PutUint32(b[4:], collation)
	le.PutUint32(b[8:], blockSize)
	b[12] = 1
	return &attr{typ: 0x90, name: name, value: append(b, (&tree{size: blockSize, unit: blockSize}).node(nil, -1, 16)...)}
}

// attrDef returns the table of attribute types.
func attrDef() (b []byte) {
	for _, d := range []struct {
		name     string
		typ      uint32
		flags    uint32
		min, max int64
	}{
		{"$STANDARD_INFORMATION", 0x10, 0x40, 48, 72}, {"$ATTRIBUTE_LIST", 0x20, 0x80, 0, -1}, {"$FILE_NAME", 0x30, 0x42, 68, 578},
		{"$OBJECT_ID", 0x40, 0x40, 0, 256}, {"$SECURITY_DESCRIPTOR", 0x50, 0x80, 0, -1}, {"$VOLUME_NAME", 0x60, 0x40, 2, 256},
		{"$VOLUME_INFORMATION", 0x70, 0x40, 12, 12}, {"$DATA", 0x80, 0, 0, -1}, {"$INDEX_ROOT", 0x90, 0x40, 0, -1},
		{"$INDEX_ALLOCATION", 0xa0, 0x80, 0, -1}, {"$BITMAP", 0xb0, 0x80, 0, -1}, {"$REPARSE_POINT", 0xc0, 0x80, 0, 16 << 10},
		{"$EA_INFORMATION", 0xd0, 0x40, 8, 8}, {"$EA", 0xe0, 0, 0, 64 << 10}, {"$LOGGED_UTILITY_STREAM", 0x100, 0x80, 0, 64 << 10}, {},
	} {
		e := make([]byte, 160)
		copy(e, utf16le(d.name))
		le.PutUint32(e[128:], d.typ)
		le.PutUint32(e[140:], d.flags)
		le.PutUint64(e[144:], uint64(d.min))
		le.PutUint64(e[152:], uint64(d.max))
		b = append(b, e...)
	}
	return b
}

// finishMFT writes $MFT, its bitmap, its mirror and $Bitmap.
func (w *writer) finishMFT() {
	if w.err != nil {
		return
	}
	s := &w.system
	per := max(1, w.Cluster/w.Record)
	w.records = (w.records + per - 1) / per * per
	size, mirror := w.records*w.Record, max(4, per)*w.Record
	n := func(bytes int) int { return (bytes + w.Cluster - 1) / w.Cluster }
	bitmap := make([]byte, (w.records+63)/64*8)
	for i := range w.live {
		if w.live[i] {
			bitmap[i/8] |= 1 << (i % 8)
		}
	}
	for i := range 12 { // the three files to come too
		bitmap[i/8] |= 1 << (i % 8)
	}
	mft, mirr := w.scatter(n(size), w.MFTRuns), w.alloc(n(mirror))
	bm := w.store(bitmap, 1)
	free := w.alloc(n(len(w.used)))
	if w.err != nil {
		return
	}
	s[0].attrs = append(s[0].attrs, &attr{typ: 0x80, runs: mft, size: size, valid: size, long: true},
		&attr{typ: 0xb0, runs: bm, size: len(bitmap), valid: len(bitmap), long: true})
	s[1].attrs = append(s[1].attrs, &attr{typ: 0x80, runs: []run{mirr}, size: mirror, valid: mirror, long: true})
	s[6].attrs = append(s[6].attrs, &attr{typ: 0x80, runs: []run{free}, size: len(w.used), valid: len(w.used), long: true})
	for _, i := range []int{0, 1, 6} {
		w.write(s[i])
	}
	if w.err != nil {
		return
	}
	copy(w.img[free.lcn*w.Cluster:], w.used)
	out := make([]byte, size)
	for i := range w.records {
		if b := w.mft[i]; b != nil {
			protect(b, 48)
			copy(out[i*w.Record:], b)
		}
	}
	w.copy(mft, out)
	copy(w.img[mirr.lcn*w.Cluster:], out[:min(size, mirror)])
	w.places = [2]int{mft[0].lcn, mirr.lcn}
}

// boot writes the boot sector and its backup in the last sector.
func (w *writer) boot() {
	b := w.img[:512]
	copy(b, "\xeb\x52\x90NTFS    ")
	le.PutUint16(b[11:], uint16(w.Sector))
	b[13] = scale(w.Cluster/w.Sector, 128)
	b[21] = 0xf8
	le.PutUint16(b[24:], 63)
	le.PutUint16(b[26:], 255)
	le.PutUint32(b[36:], 0x800080)
	le.PutUint64(b[40:], uint64(int(w.Size)/w.Sector-1))
	le.PutUint64(b[48:], uint64(w.places[0]))
	le.PutUint64(b[56:], uint64(w.places[1]))
	b[64], b[68] = units(w.Record, w.Cluster), units(blockSize, w.Cluster)
	le.PutUint64(b[72:], w.Serial)
	b[510], b[511] = 0x55, 0xaa
	copy(w.img[int(w.Size)-w.Sector:], b)
}

// scale encodes n, above most as the negative power of two.
func scale(n, most int) byte {
	if n <= most {
		return byte(n)
	}
	return byte(-log2(n))
}

// units encodes size in clusters, or if it is smaller than one as the negative
// power of two.
func units(size, cluster int) byte {
	if size >= cluster {
		return byte(size / cluster)
	}
	return byte(-log2(size))
}

func log2(n int) (l int) {
	for ; n > 1; n >>= 1 {
		l++
	}
	return l
}
