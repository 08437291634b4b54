package source

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"sharetrail/parsers/source/ntfs"

	"github.com/klauspost/compress/zlib"
)

// cpu returns the processor seconds that this process has used, and its children.
func cpu(b *testing.B) float64 {
	b.Helper()
	total := 0.0
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		total += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	return total
}

// seconds runs f and returns the processor time that it took.
func seconds(b *testing.B, f func()) float64 {
	b.Helper()
	before := cpu(b)
	f()
	return cpu(b) - before
}

// least runs f a few times and returns the least processor time that it took: what
// takes a fraction of a second varies.
func least(b *testing.B, f func()) float64 {
	t := seconds(b, f)
	for range 4 {
		t = min(t, seconds(b, f))
	}
	return t
}

// BenchmarkImage reads every evidence file of the disk image or archive that
// SHARETRAIL_BENCH_SOURCE names, and compares that with inflating the same bytes.
// Of a raw image it also compares reading ten files with ifind and icat.
func BenchmarkImage(b *testing.B) {
	name := os.Getenv("SHARETRAIL_BENCH_SOURCE")
	if name == "" {
		b.Skip("SHARETRAIL_BENCH_SOURCE is not set")
	}
	for b.Loop() {
		var ev *Evidence
		b.ReportMetric(seconds(b, func() {
			var err error
			if ev, err = Open(context.Background(), name, Options{}); err != nil {
				b.Fatal(err)
			}
		}), "open-s")
		files, size := 0, int64(0)
		read := seconds(b, func() {
			for _, v := range ev.Volumes {
				for i := range v.Files {
					files++
					size += copyFile(b, &v.Files[i], io.Discard)
				}
			}
		})
		b.ReportMetric(read, "read-s")
		b.ReportMetric(float64(files), "files")
		b.ReportMetric(float64(size)/1e6, "MB")
		b.ReportMetric(inflating(b, ev), "inflate-s")
		if raw := strings.HasSuffix(name, ".dd"); raw {
			ours, theirs, searched := fetch(b, ev, name)
			b.ReportMetric(ours*1e3, "ten-ms")
			b.ReportMetric(searched*1e3, "searched-ms")
			b.ReportMetric(theirs*1e3, "icat-ms")
		}
		if err := ev.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func copyFile(b *testing.B, f *File, w io.Writer) int64 {
	h, err := f.Open()
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	return copyAll(b, h, w)
}

// copyAll copies a file in the pieces in which logs are read, else nearly all is the
// cost of the calls.
func copyAll(b *testing.B, h interface {
	io.ReaderAt
	Size() int64
}, w io.Writer) int64 {
	n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.NewSectionReader(h, 0, h.Size()), make([]byte, 64<<10))
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// inflating returns how long it takes to inflate the files of ev in pieces of
// 32 KiB, as an E01 has them.
func inflating(b *testing.B, ev *Evidence) (total float64) {
	const piece = 32 << 10
	for _, v := range ev.Volumes {
		for i := range v.Files {
			var data bytes.Buffer
			copyFile(b, &v.Files[i], &data)
			var packed [][]byte
			for rest := data.Bytes(); len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				var z bytes.Buffer
				w, _ := zlib.NewWriterLevel(&z, zlib.BestSpeed) // the level is a valid one
				w.Write(rest[:min(piece, len(rest))])
				w.Close()
				packed = append(packed, z.Bytes())
			}
			total += seconds(b, func() {
				var r io.ReadCloser
				for _, p := range packed {
					if r == nil {
						r, _ = zlib.NewReader(bytes.NewReader(p))
					} else if err := r.(zlib.Resetter).Reset(bytes.NewReader(p), nil); err != nil {
						b.Fatal(err)
					}
					io.Copy(io.Discard, r)
				}
			})
		}
	}
	return total
}

// fetch reads ten files whose paths are known, from the opening of the volume on,
// and has ifind and icat read the same. The third figure is for all that Open does
// and reading them, which includes the search of the whole MFT.
func fetch(b *testing.B, ev *Evidence, image string) (ours, theirs, searched float64) {
	var paths []string
	for _, f := range ev.Volumes[0].Files {
		if !f.Deleted && len(paths) < 10 {
			paths = append(paths, f.Path)
		}
	}
	ours = least(b, func() {
		f, err := os.Open(image)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		volume, err := ntfs.Open(f, ev.Size)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range paths {
			f, err := volume.Open(p)
			if err != nil {
				b.Fatal(err)
			}
			copyAll(b, f.(*ntfs.File), io.Discard)
		}
	})
	searched = least(b, func() {
		again, err := Open(context.Background(), image, Options{NoDeleted: true, NoSnapshots: true})
		if err != nil {
			b.Fatal(err)
		}
		defer again.Close()
		for i := range again.Volumes[0].Files {
			if f := &again.Volumes[0].Files[i]; f.Path <= paths[len(paths)-1] {
				copyFile(b, f, io.Discard)
			}
		}
	})
	if _, err := exec.LookPath("ifind"); err != nil {
		return ours, 0, searched
	}
	theirs = least(b, func() {
		for _, p := range paths {
			out, err := exec.Command("ifind", "-f", "ntfs", "-n", "/"+p, image).Output()
			if err == nil {
				err = exec.Command("sh", "-c", "icat -f ntfs '"+image+"' "+strings.TrimSpace(string(out))+" >/dev/null").Run()
			}
			if err != nil {
				b.Fatal(p, err)
			}
		}
	})
	return ours, theirs, searched
}
