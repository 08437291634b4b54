package container

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
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
