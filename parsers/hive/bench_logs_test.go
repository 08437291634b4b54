package hive_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// freeHive has bins of size bytes, all free but the first, with about 150
// deleted records in each MiB: more than hives in use have.
func freeHive(b *testing.B, size int) []byte {
	const step = 1 << 20
	from := benchHive(b)
	image := make([]byte, 4096+size)
	copy(image, from[:4096+int(le.Uint32(from[4096+8:]))])
	le.PutUint32(image[40:], uint32(size))
	resum(image)
	for off := int(le.Uint32(from[4096+8:])); off < size; {
		end := off/step*step + step
		bin := image[4096+off : 4096+end]
		copy(bin[64:], from[4096+64:4096+64+10_000])
		copy(bin, "hbin")
		le.PutUint32(bin[4:], uint32(off))
		le.PutUint32(bin[8:], uint32(end-off))
		le.PutUint32(bin[32:], uint32(end-off-32))
		off = end
	}
	return image
}

func countDeleted(b *testing.B, h *hive.Hive) (n int) {
	for _, err := range h.Deleted() {
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	return n
}

func BenchmarkDeleted(b *testing.B) {
	for name, image := range map[string][]byte{"live": benchHive(b), "free": freeHive(b, 64<<20), "little": freeHive(b, 4<<20)} {
		h, err := hive.Open(bytes.NewReader(image), int64(len(image)))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(image)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = countDeleted(b, h)
			}
			b.ReportMetric(float64(n), "items")
		})
		// The other program reads the file and prints; so does this, but for the text.
		b.Run(name+"/reglookup-recover", func(b *testing.B) {
			program, err := exec.LookPath("reglookup-recover")
			if err != nil {
				b.Skip("oracle reglookup-recover is not installed")
			}
			if len(image) > 16<<20 {
				b.Skip("its time grows with the square of the free space")
			}
			file := filepath.Join(b.TempDir(), "hive")
			if err := os.WriteFile(file, image, 0o600); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(image)))
			for b.Loop() {
				if err := exec.Command(program, file).Run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReplay opens a hive of 12.8 MB with two logs.
func BenchmarkReplay(b *testing.B) {
	var text strings.Builder
	for i := range 38_000 {
		fmt.Fprintf(&text, "[Software\\Classes\\group%02d\\{%08x-0000-0000-0000-000000000000}]\n@=some text of a class\nThreadingModel=Both\nVersion=dword:%d\n", i%20, i*2654435761, i)
	}
	before := text.String()
	after := make([]string, 6)
	for i := range after {
		after[i] = strings.ReplaceAll(before, fmt.Sprintf("group%02d\\{", i), fmt.Sprintf("group%02d\\[", i))
	}
	image, log1, log2, err := hivetest.LogOptions{First: 3}.Build("!seq=9\n"+before, after...)
	if err != nil {
		b.Fatal(err)
	}
	for name, list := range map[string][]hive.LogFile{"primary": nil, "logs": {
		{Name: "LOG1", R: bytes.NewReader(log1), Size: int64(len(log1))},
		{Name: "LOG2", R: bytes.NewReader(log2), Size: int64(len(log2))},
	}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, p, err := hive.OpenWithLogs(bytes.NewReader(image), int64(len(image)), list)
				if err != nil || len(p.Applied) != 2*len(list)+len(list) || len(p.Problems) > 0 {
					b.Fatal(err, p)
				}
			}
			b.ReportMetric(float64(len(image))/1e6, "hive-MB")
			b.ReportMetric(float64(len(log1)+len(log2))/1e6, "log-MB")
		})
	}
}
