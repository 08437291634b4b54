package container

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"unicode/utf16"

	"sharetrail/parsers/binread"
)

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
		case binread.IsZero(b):
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
