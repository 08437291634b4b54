package container

import (
	"fmt"

	"sharetrail/parsers/binread"
)

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
		if binread.IsZero(b) {
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

// vmdkStream writes a disk as VMware does: each table behind its grains, the directory
// and a footer at the end. It returns where the tables, the directory and the footer
// have their markers.
func vmdkStream(disk []byte, grain int) (out []byte, marks []int) {
	const gtes = 16
	marker := func(sectors, kind int) {
		marks = append(marks, len(out))
		out = le.AppendUint64(out, uint64(sectors))
		out = le.AppendUint32(append(out, 0, 0, 0, 0), uint32(kind))
		out = append(out, make([]byte, 496)...)
	}
	pad := func() { out = append(out, make([]byte, (512-len(out)%512)%512)...) }
	out = make([]byte, 512*5)
	copy(out[512:], "# Disk DescriptorFile\nparentCID=ffffffff\nRW "+fmt.Sprint(len(disk)/512)+" SPARSE \"x.vmdk\"\n")
	var dir []byte
	for first := 0; first < len(disk); first += gtes * grain {
		table, used := make([]byte, 512), false
		for k := 0; k < gtes && first+k*grain < len(disk); k++ {
			b := make([]byte, grain)
			if copy(b, disk[first+k*grain:]); binread.IsZero(b) {
				continue
			}
			used = true
			le.PutUint32(table[4*k:], uint32(len(out)/512))
			z := zlibbed(b)
			out = le.AppendUint32(le.AppendUint64(out, uint64((first+k*grain)/512)), uint32(len(z)))
			out = append(out, z...)
			pad()
		}
		at := 0
		if used {
			marker(1, vmdkTable)
			at = len(out) / 512
			out = append(out, table...)
		}
		dir = le.AppendUint32(dir, uint32(at))
	}
	marker((len(dir)+511)/512, vmdkDirectory)
	place := len(out) / 512
	out = append(out, dir...)
	pad()
	h := make([]byte, 512)
	copy(h, "KDMV\x03\x00\x00\x00")
	le.PutUint32(h[8:], 1|vmdkPacked|vmdkMarkers)
	le.PutUint64(h[12:], uint64(len(disk)/512))
	le.PutUint64(h[20:], uint64(grain/512))
	le.PutUint64(h[28:], 1)
	le.PutUint64(h[36:], 4)
	le.PutUint32(h[44:], gtes)
	le.PutUint64(h[56:], uint64(place))
	le.PutUint64(h[64:], 5)
	le.PutUint16(h[77:], 1)
	marker(1, vmdkFooter)
	out = append(out, h...)
	marker(0, vmdkEnd)
	le.PutUint64(h[56:], vmdkAtEnd)
	copy(out, h)
	return out, marks[:len(marks)-1]
}
