package container

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"unicode/utf16"

	"github.com/klauspost/compress/zstd"
)

// Writers of the formats, after their specifications and apart from the readers.

// content returns n bytes of a disk: zeros, text, and noise in turn.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := 0; i < n; i += 4096 {
		p := b[i:min(i+4096, n)]
		switch i / 4096 % 4 {
		case 1:
			for j := range p {
				p[j] = "the quick brown fox "[j%20] + byte(i>>12)
			}
		case 2, 3:
			for j := range p {
				p[j] = byte(r.Uint32())
			}
		}
	}
	return b
}

func deflated(b []byte, z func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := z(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func zlibbed(b []byte) []byte {
	return deflated(b, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
}

type files map[string][]byte

// e01 says how to write an E01.
type e01 struct {
	disk     []byte
	sectors  int      // of a chunk
	perTable int      // chunks
	perSeg   int      // tables
	bad      []uint32 // pairs of sector and count for error2
	smart    bool     // EWF-S01
	noHash   bool
	gap      bool // the volume section only in the "data" section at the end
}

type e01seg struct {
	bytes.Buffer
}

func (s *e01seg) section(kind string, body []byte) {
	h := make([]byte, 76)
	copy(h, kind)
	next := s.Len() + 76 + len(body)
	if kind == "done" || kind == "next" {
		next = s.Len()
	}
	le.PutUint64(h[16:], uint64(next))
	le.PutUint64(h[24:], uint64(76+len(body)))
	s.Write(withSum(h[:72]))
	s.Write(body)
}

func withSum(b []byte) []byte {
	return le.AppendUint32(bytes.Clone(b), adler32.Checksum(b))
}

func (o e01) volume() []byte {
	n := 1048
	if o.smart {
		n = 90
	}
	b := make([]byte, n)
	b[0] = 1
	le.PutUint32(b[4:], uint32((len(o.disk)+o.sectors*512-1)/(o.sectors*512)))
	le.PutUint32(b[8:], uint32(o.sectors))
	le.PutUint32(b[12:], 512)
	le.PutUint32(b[16:], uint32(len(o.disk)/512))
	if !o.smart {
		copy(b[64:], "0123456789abcdef")
	}
	return withSum(b)
}

const e01header = "1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\ncase 7\tev 8\tdesc\tMüller\tline\t20140813\tLinux\t1700000000\t1700000001\t0\r\n\r\n"

func (o e01) write(name string) files {
	out := files{}
	size := o.sectors * 512
	var tables [][][]byte // of chunks
	for i := 0; i < len(o.disk); i += size {
		if i/size%o.perTable == 0 {
			tables = append(tables, nil)
		}
		k := len(tables) - 1
		tables[k] = append(tables[k], o.disk[i:min(i+size, len(o.disk))])
	}
	for no := 1; len(tables) > 0; no++ {
		s := &e01seg{}
		fmt.Fprintf(s, "EVF\x09\x0d\x0a\xff\x00\x01%c%c\x00\x00", no&0xff, no>>8)
		if no == 1 {
			if o.smart {
				s.section("header", zlibbed([]byte("1\nmain\nc\te\tm\ncase 7\tMeier\t2014 8 13 1 2 3\n\n")))
			} else {
				u := []byte{0xff, 0xfe}
				for _, c := range utf16.Encode([]rune(e01header)) {
					u = le.AppendUint16(u, c)
				}
				s.section("header2", zlibbed(u))
			}
			if !o.gap {
				s.section("volume", o.volume())
			}
		} else {
			s.section("data", o.volume())
		}
		for i := 0; i < o.perSeg && len(tables) > 0; i++ {
			o.table(s, tables[0])
			tables = tables[1:]
		}
		last, _ := ewfName(name, no)
		if len(tables) > 0 {
			s.section("next", nil)
		} else {
			if o.gap {
				s.section("data", o.volume())
			}
			o.end(s)
		}
		out[last] = s.Bytes()
	}
	return out
}

func (o e01) table(s *e01seg, chunks [][]byte) {
	n := len(chunks)
	var data []byte
	at := s.Len() + 76
	if o.smart {
		at += 24 + 4*n
	}
	var entries []byte
	for i, c := range chunks {
		off := uint32(at + len(data))
		if z := zlibbed(c); len(z) < len(c) || o.smart || i%3 == 2 {
			off |= 1 << 31
			data = append(data, z...)
		} else {
			data = append(data, withSum(c)...)
		}
		entries = le.AppendUint32(entries, off)
	}
	h := make([]byte, 20)
	le.PutUint32(h, uint32(n))
	table := append(withSum(h), entries...)
	if o.smart {
		s.section("table", append(table, data...))
		return
	}
	s.section("sectors", data)
	table = le.AppendUint32(table, adler32.Checksum(entries))
	s.section("table", table)
	s.section("table2", table)
}

func (o e01) end(s *e01seg) {
	if o.bad != nil {
		h := make([]byte, 516)
		le.PutUint32(h, uint32(len(o.bad)/2))
		var list []byte
		for _, x := range o.bad {
			list = le.AppendUint32(list, x)
		}
		s.section("error2", append(withSum(h), withSum(list)...))
	}
	if !o.noHash {
		m, h := md5.Sum(o.disk), sha1.Sum(o.disk)
		s.section("digest", withSum(append(append(m[:], h[:]...), make([]byte, 40)...)))
		s.section("hash", withSum(append(m[:], make([]byte, 16)...)))
	}
	s.section("done", nil)
}

// vmdk says how to write a sparse extent.
type vmdk struct {
	disk   []byte
	grain  int // bytes
	packed bool
	parent string // CID
	text   string // descriptor, if not the usual one
	unsure bool   // not closed
}

func (o vmdk) write() []byte {
	const gtes = 16
	grains := (len(o.disk) + o.grain - 1) / o.grain
	tables := (grains + gtes - 1) / gtes
	if o.parent == "" {
		o.parent = "ffffffff"
	}
	if o.text == "" {
		o.text = "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=" + o.parent + "\ncreateType=\"monolithicSparse\"\n\nRW " + fmt.Sprint(len(o.disk)/512) + " SPARSE \"old name.vmdk\"\n"
	}
	out := make([]byte, 512*(1+4))
	copy(out[512:], o.text)
	dirs := [2]int{}
	place := [2][]int{}
	for k := range 2 {
		dirs[k] = len(out) / 512
		out = append(out, make([]byte, 512)...)
		for range tables {
			place[k] = append(place[k], len(out)/512)
			out = append(out, make([]byte, 512)...)
		}
		for i, p := range place[k] {
			le.PutUint32(out[dirs[k]*512+4*i:], uint32(p))
		}
	}
	for g := range grains {
		b := make([]byte, o.grain)
		copy(b, o.disk[g*o.grain:])
		if isZero(b) {
			continue
		}
		at := len(out) / 512
		if o.packed {
			z := zlibbed(b)
			out = le.AppendUint64(out, uint64(g*o.grain/512))
			out = le.AppendUint32(out, uint32(len(z)))
			b = z
		}
		out = append(out, b...)
		out = append(out, make([]byte, (512-len(out)%512)%512)...)
		for k := range 2 {
			le.PutUint32(out[place[k][g/gtes]*512+4*(g%gtes):], uint32(at))
		}
	}
	h := make([]byte, 512)
	copy(h, "KDMV\x01\x00\x00\x00\x03\x00\x00\x00")
	le.PutUint64(h[12:], uint64(len(o.disk)/512))
	le.PutUint64(h[20:], uint64(o.grain/512))
	le.PutUint64(h[28:], 1)
	le.PutUint64(h[36:], 4)
	le.PutUint32(h[44:], gtes)
	le.PutUint64(h[48:], uint64(dirs[1]))
	le.PutUint64(h[56:], uint64(dirs[0]))
	if o.unsure {
		h[72] = 1
	}
	copy(h[73:], "\n \r\n")
	if o.packed {
		le.PutUint32(h[8:], 3|vmdkPacked|vmdkMarkers)
		le.PutUint16(h[77:], 1)
		out = append(out, make([]byte, 512)...) // footer marker
		out[len(out)-512+12] = 3
		out = append(out, h...)
		out = append(out, make([]byte, 512)...) // end of stream
		le.PutUint64(h[56:], vmdkAtEnd)
	}
	copy(out, h)
	return out
}

func vhdSummed(b []byte, at int) []byte {
	var sum uint32
	for _, c := range b {
		sum += uint32(c)
	}
	be.PutUint32(b[at:], ^sum)
	return b
}

func vhdFooterOf(size int, kind uint32, id string) []byte {
	b := make([]byte, 512)
	copy(b, "conectix\x00\x00\x00\x02\x00\x01\x00\x00")
	be.PutUint64(b[16:], 1<<64-1)
	if kind != vhdFixed {
		be.PutUint64(b[16:], 512)
	}
	be.PutUint64(b[40:], uint64(size))
	be.PutUint64(b[48:], uint64(size))
	be.PutUint32(b[60:], kind)
	copy(b[68:84], id)
	return vhdSummed(b, 64)
}

func vhdFixedOf(disk []byte, id string) []byte {
	return append(bytes.Clone(disk), vhdFooterOf(len(disk), vhdFixed, id)...)
}

// vhdSparse writes a dynamic disk, or a differencing one over base.
func vhdSparse(disk, base []byte, id, parentID, parent string) []byte {
	const block = 16384
	n := (len(disk) + block - 1) / block
	kind := uint32(vhdDynamic)
	if base != nil {
		kind = vhdDiff
	}
	foot := vhdFooterOf(len(disk), kind, id)
	out := append(bytes.Clone(foot), make([]byte, 1024+512*((4*n+511)/512))...)
	h := out[512 : 512+1024]
	copy(h, "cxsparse\xff\xff\xff\xff\xff\xff\xff\xff")
	be.PutUint64(h[16:], 512+1024)
	be.PutUint32(h[28:], uint32(n))
	be.PutUint32(h[32:], block)
	if base != nil {
		copy(h[40:], parentID)
		for i, c := range utf16.Encode([]rune(parent)) {
			be.PutUint16(h[64+2*i:], c)
		}
		path := le.AppendUint16(nil, '.')
		for _, c := range utf16.Encode([]rune(`\` + parent)) {
			path = le.AppendUint16(path, c)
		}
		l := h[576:]
		copy(l, "W2ru")
		be.PutUint32(l[4:], 512)
		be.PutUint32(l[8:], uint32(len(path)))
		be.PutUint64(l[16:], uint64(len(out)))
		out = append(out, path...)
		out = append(out, make([]byte, 512-len(path))...)
		h = out[512 : 512+1024]
	}
	vhdSummed(h, 36)
	bat := 512 + 1024
	for i := range n {
		b := make([]byte, block)
		copy(b, disk[i*block:])
		bits := make([]byte, 512)
		write := false
		for s := range block / 512 {
			sec := b[512*s : 512*s+512]
			old := make([]byte, 512)
			if at := i*block + 512*s; at < len(base) {
				copy(old, base[at:])
			}
			if !bytes.Equal(sec, old) {
				bits[s/8] |= 0x80 >> (s % 8)
				write = true
			} else if base != nil {
				for k := range sec {
					sec[k] = 0xcc // must not be read
				}
			}
		}
		if !write {
			be.PutUint32(out[bat+4*i:], vhdFree)
			continue
		}
		be.PutUint32(out[bat+4*i:], uint32(len(out)/512))
		out = append(append(out, bits...), b...)
	}
	return append(out, foot...)
}

func vdiOf(disk []byte, kind uint32) []byte {
	const block, data = 8192, 1024
	n := (len(disk) + block - 1) / block
	out := make([]byte, data)
	copy(out, "<<< an image >>>")
	le.PutUint32(out[64:], 0xbeda107f)
	le.PutUint32(out[68:], 0x10001)
	le.PutUint32(out[72:], 400)
	le.PutUint32(out[76:], kind)
	le.PutUint32(out[340:], 512)
	le.PutUint32(out[344:], data)
	le.PutUint64(out[368:], uint64(len(disk)))
	le.PutUint32(out[376:], block)
	le.PutUint32(out[384:], uint32(n))
	used := uint32(0)
	for i := range n {
		b := make([]byte, block)
		copy(b, disk[i*block:])
		if isZero(b) {
			le.PutUint32(out[512+4*i:], vdiFree-uint32(i%2))
			continue
		}
		le.PutUint32(out[512+4*i:], used)
		out = append(out, b...)
		used++
	}
	le.PutUint32(out[388:], used)
	return out
}

// qcow says how to write a QCOW2.
type qcow struct {
	disk, base   []byte
	packed, zstd bool
	v2           bool
	backing      string
	format       string
}

func (o qcow) write() []byte {
	const bits, cluster = 12, 1 << 12
	n := (len(o.disk) + cluster - 1) / cluster
	l2n := (n + cluster/8 - 1) / (cluster / 8)
	out := make([]byte, cluster*(2+l2n))
	copy(out, "QFI\xfb\x00\x00\x00\x03")
	be.PutUint32(out[20:], bits)
	be.PutUint64(out[24:], uint64(len(o.disk)))
	be.PutUint32(out[36:], uint32(l2n))
	be.PutUint64(out[40:], cluster)
	be.PutUint32(out[96:], 4)
	be.PutUint32(out[100:], 112)
	ext := 112
	if o.v2 {
		out[7] = 2
		clear(out[96:104])
		ext = 72
	}
	if o.zstd {
		be.PutUint64(out[72:], qcowMethod)
		out[104] = 1
	}
	if o.backing != "" {
		be.PutUint32(out[ext:], 0xe2792aca)
		be.PutUint32(out[ext+4:], uint32(len(o.format)))
		copy(out[ext+8:], o.format)
		be.PutUint64(out[8:], 512)
		be.PutUint32(out[16:], uint32(len(o.backing)))
		copy(out[512:], o.backing)
	}
	for i := range l2n {
		be.PutUint64(out[cluster+8*i:], uint64(cluster*(2+i))|qcowCopied)
	}
	for i := range n {
		b, old := make([]byte, cluster), make([]byte, cluster)
		copy(b, o.disk[i*cluster:])
		if i*cluster < len(o.base) {
			copy(old, o.base[i*cluster:])
		}
		e := uint64(0)
		switch {
		case bytes.Equal(b, old):
		case isZero(b) && !o.v2:
			e = qcowZero
		case o.packed && i%5 != 4:
			z := deflated(b, func(w io.Writer) io.WriteCloser {
				if o.zstd {
					z, _ := zstd.NewWriter(w, zstd.WithEncoderCRC(false))
					return z
				}
				z, _ := flate.NewWriterDict(w, 9, nil)
				return z
			})
			at := len(out)
			out = append(out, z...)
			e = qcowPacked | uint64(at) | uint64((at+len(z)-1)/512-at/512)<<(62-(bits-8))
		default:
			out = append(out, make([]byte, (cluster-len(out)%cluster)%cluster)...)
			e = uint64(len(out)) | qcowCopied
			out = append(out, b...)
		}
		be.PutUint64(out[2*cluster+8*i:], e)
	}
	if o.zstd { // the file ends in the middle of a sector; qemu-img does not read it so
		return out
	}
	out = append(out, make([]byte, (cluster-len(out)%cluster)%cluster)...)
	be.PutUint64(out[48:], uint64(len(out))) // reference counts, which nobody needs for reading
	be.PutUint32(out[56:], 1)
	return append(out, make([]byte, cluster)...)
}

// vhdxOf says how to write a VHDX.
type vhdxOf struct {
	disk, base []byte
	id         string // data write GUID, 16 bytes
	parentID   string // as GUID text
	parent     string
	log        func(img []byte) []byte // changes the image and returns a log, whose GUID is "log log log log "
}

const (
	vhdxLogAt  = 1 << 20
	vhdxBATAt  = 3 << 20
	vhdxMetaAt = 2 << 20
)

func sealed(b []byte) {
	clear(b[4:8])
	le.PutUint32(b[4:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func putGUID(b []byte, s string) {
	var v [16]byte
	for i, k := 0, 0; i < len(s) && k < 16; i++ {
		if s[i] != '-' {
			fmt.Sscanf(s[i:i+2], "%02x", &v[k])
			k++
			i++
		}
	}
	v[0], v[1], v[2], v[3] = v[3], v[2], v[1], v[0]
	v[4], v[5], v[6], v[7] = v[5], v[4], v[7], v[6]
	copy(b, v[:])
}

func (o vhdxOf) write() []byte {
	const block, sector = 1 << 20, 512
	out := make([]byte, 4<<20)
	copy(out, "vhdxfile")
	r := out[192<<10:]
	copy(r, "regi")
	le.PutUint32(r[8:], 2)
	for i, e := range []struct {
		id     string
		at, sz int
	}{{vhdxBAT, vhdxBATAt, 1 << 20}, {vhdxMetadata, vhdxMetaAt, 1 << 20}} {
		putGUID(r[16+32*i:], e.id)
		le.PutUint64(r[32+32*i:], uint64(e.at))
		le.PutUint32(r[40+32*i:], uint32(e.sz))
		le.PutUint32(r[44+32*i:], 1)
	}
	sealed(r[:64<<10])
	copy(out[256<<10:], r[:64<<10])
	o.metadata(out[vhdxMetaAt:], block, sector)
	n := (len(o.disk) + block - 1) / block
	entry := func(i int, v uint64) { le.PutUint64(out[vhdxBATAt+8*i:], v) }
	ratio := (1 << 23) * sector / block
	bits := make([]byte, 1<<20)
	for i := range n {
		b, old := make([]byte, block), make([]byte, block)
		copy(b, o.disk[i*block:])
		if i*block < len(o.base) {
			copy(old, o.base[i*block:])
		}
		same := 0
		for s := range block / sector {
			if bytes.Equal(b[s*sector:(s+1)*sector], old[s*sector:(s+1)*sector]) {
				same++
				continue
			}
			k := i*(block/sector) + s
			bits[k/8] |= 1 << (k % 8)
		}
		switch {
		case same == block/sector:
			entry(i, 0)
			continue
		case isZero(b):
			entry(i, vhdxZero)
			continue
		case same == 0 || o.base == nil:
			entry(i, uint64(len(out))|vhdxPresent)
		default:
			entry(i, uint64(len(out))|vhdxPartly)
			for s := range block / sector {
				if k := i*(block/sector) + s; bits[k/8]>>(k%8)&1 == 0 {
					b[s*sector] = 0xcc // must not be read
				}
			}
		}
		out = append(out, b...)
	}
	if o.base != nil {
		entry(ratio, uint64(len(out))|vhdxPresent)
		out = append(out, bits...)
	}
	id := make([]byte, 16)
	if o.log != nil {
		id = []byte("log log log log ")
		copy(out[vhdxLogAt:], o.log(out))
	}
	for i := range 2 {
		h := out[(64+64*i)<<10:][:4096]
		copy(h, "head")
		le.PutUint64(h[8:], uint64(7+i))
		copy(h[32:48], o.id)
		copy(h[48:], id)
		le.PutUint16(h[66:], 1)
		le.PutUint32(h[68:], 1<<20)
		le.PutUint64(h[72:], vhdxLogAt)
		sealed(h)
	}
	return out
}

func (o vhdxOf) metadata(m []byte, block, sector int) {
	copy(m, "metadata")
	var params, size, lss [8]byte
	le.PutUint32(params[:], uint32(block))
	if o.base != nil {
		params[4] = 2
	}
	le.PutUint64(size[:], uint64(len(o.disk)))
	le.PutUint32(lss[:], uint32(sector))
	items := []struct {
		id string
		b  []byte
	}{{vhdxParams, params[:]}, {vhdxSize, size[:]}, {vhdxLogical, lss[:4]}, {vhdxPhysical, lss[:4]}, {vhdxPage83, []byte("0123456789abcdef")}}
	if o.base != nil {
		items = append(items, struct {
			id string
			b  []byte
		}{vhdxLocator, locatorOf([][2]string{{"parent_linkage", "{" + o.parentID + "}"}, {"relative_path", `..\elsewhere\` + o.parent}})})
	}
	le.PutUint16(m[10:], uint16(len(items)))
	at := 64 << 10
	for i, it := range items {
		e := m[32+32*i:]
		putGUID(e, it.id)
		le.PutUint32(e[16:], uint32(at))
		le.PutUint32(e[20:], uint32(len(it.b)))
		le.PutUint32(e[24:], 4)
		copy(m[at:], it.b)
		at += 4096
	}
}

func locatorOf(pairs [][2]string) []byte {
	b := make([]byte, 20+12*len(pairs))
	putGUID(b, vhdxLocatorIs)
	le.PutUint16(b[18:], uint16(len(pairs)))
	for i, p := range pairs {
		for k, s := range p {
			at := len(b)
			for _, c := range utf16.Encode([]rune(s)) {
				b = le.AppendUint16(b, c)
			}
			le.PutUint32(b[20+12*i+4*k:], uint32(at))
			le.PutUint16(b[20+12*i+8+2*k:], uint16(len(b)-at))
		}
	}
	return b
}

// A change of a VHDX log: data over a page, or zeros if it is nil.
type change struct {
	off, n int64
	data   []byte
}

// logEntryOf writes one entry.
func logEntryOf(seq uint64, tail int, size int64, changes ...change) []byte {
	head := (64 + 32*len(changes) + 4095) / 4096 * 4096
	b := make([]byte, head)
	copy(b, "loge")
	le.PutUint32(b[12:], uint32(tail))
	le.PutUint64(b[16:], seq)
	le.PutUint32(b[24:], uint32(len(changes)))
	copy(b[32:], "log log log log ")
	le.PutUint64(b[48:], uint64(size))
	le.PutUint64(b[56:], uint64(size))
	for i, c := range changes {
		d := b[64+32*i:]
		le.PutUint64(d[16:], uint64(c.off))
		le.PutUint64(d[24:], seq)
		if c.data == nil {
			copy(d, "zero")
			le.PutUint64(d[8:], uint64(c.n))
			continue
		}
		copy(d, "desc")
		copy(d[8:16], c.data)
		copy(d[4:8], c.data[4092:])
		s := bytes.Clone(c.data)
		copy(s, "data")
		le.PutUint32(s[4:], uint32(seq>>32))
		le.PutUint32(s[4092:], uint32(seq))
		b = append(b, s...)
	}
	le.PutUint32(b[8:], uint32(len(b)))
	sealed(b)
	return b
}
