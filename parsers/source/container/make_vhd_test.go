package container

import (
	"bytes"
	"unicode/utf16"

	"sharetrail/parsers/binread"
)

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
		if binread.IsZero(b) {
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
