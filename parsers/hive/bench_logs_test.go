package hive_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sharetrail/parsers/hive"
)

func BenchmarkDeleted(b *testing.B) {
	image := benchHive(b)
	free := bytes.Repeat(image, 1) // all of it once more, as one free cell
	_ = free
	for name, image := range map[string][]byte{"live": image, "free": freed(image)} {
		b.Run(name, func(b *testing.B) {
			h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(image)))
			b.ReportAllocs()
			for b.Loop() {
				for _, err := range h.Deleted() {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

var _ = os.Args
var _ = exec.Command
var _ = filepath.Join

// freed makes a hive of 64 MiB of which all but the first bin is free: zeros with some
// deleted records in between.
func freed(image []byte) []byte {
	const size = 64 << 20
	b := make([]byte, 4096+size)
	copy(b, image[:4096])
	le.PutUint32(b[40:], size)
	bin := int(le.Uint32(image[4096+8:]))
	copy(b[4096:], image[4096:4096+bin])
	for off := bin; off < size; off += 1 << 20 {
		end := min(off+1<<20, size)
		copy(b[4096+off:], "hbin")
		le.PutUint32(b[4096+off+4:], uint32(off))
		le.PutUint32(b[4096+off+8:], uint32(end-off))
		le.PutUint32(b[4096+off+32:], uint32(end-off-32))
		copy(b[4096+off+64:4096+end], image[4096+64:4096+64+10000])
	}
	return b
}
