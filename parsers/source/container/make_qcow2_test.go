package container

import (
	"bytes"
	"compress/flate"
	"io"

	"github.com/klauspost/compress/zstd"

	"sharetrail/parsers/binread"
)

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
		case binread.IsZero(b) && !o.v2:
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
