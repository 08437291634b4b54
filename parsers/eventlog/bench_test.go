//go:build unix

package eventlog

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"www.velocidex.com/golang/evtx"
)

// BenchmarkLog reads the sound log that SHARETRAIL_BENCH_LOG names in the ways
// that the program does, and as other readers do. cpu-s is what the computer
// worked for one reading, in user and system mode, whatever else it did.
// .ci/bench makes ratios of it.
func BenchmarkLog(b *testing.B) {
	path := os.Getenv("SHARETRAIL_BENCH_LOG")
	if path == "" {
		b.Skip("SHARETRAIL_BENCH_LOG is not set")
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	every := func(percent uint64, read bool) func(*Record) bool {
		return func(r *Record) bool {
			if r.ID%100 >= percent {
				return false
			}
			r.Data()
			return read
		}
	}
	run := func(name string, o Options) {
		bench(b, name, st.Size(), func(b *testing.B) (n int) {
			l, err := Open(f, st.Size())
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range l.Read(o) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			return n
		})
	}
	bench(b, "cat", st.Size(), func(*testing.B) int {
		buf := make([]byte, chunkSize)
		for off := int64(0); off < st.Size(); off += chunkSize {
			f.ReadAt(buf, off)
		}
		return 0
	})
	run("select", Options{})
	run("select,jobs=2", Options{Jobs: 2})
	run("field=25%", Options{Want: func(r *Record) bool {
		if r.ID%100 < 25 {
			r.Field("LogonType")
		}
		return false
	}})
	run("data=1%", Options{Want: every(1, false)})
	run("data=25%", Options{Want: every(25, false)})
	run("data=25%,jobs=2", Options{Want: every(25, false), Jobs: 2})
	run("rows=1%", Options{Want: every(1, true), Sample: 64})
	run("rows=25%", Options{Want: every(25, true), Sample: 64})
	run("rows=25%,jobs=2", Options{Want: every(25, true), Sample: 64, Jobs: 2})
	run("slack", Options{Slack: true})
	bench(b, "paths", st.Size(), func(b *testing.B) int { return paths(b, f, st.Size()) })
	bench(b, "velocidex", st.Size(), func(b *testing.B) int { return velocidex(b, f) })
	bench(b, "evtxexport", st.Size(), func(b *testing.B) int {
		cmd := exec.Command("evtxexport", path)
		if err := cmd.Run(); err != nil {
			b.Skip(err)
		}
		return 0
	})
}

// bench reports wall clock, processor time and records.
func bench(b *testing.B, name string, size int64, read func(*testing.B) int) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(size)
		n, before := 0, cpuTime()
		for b.Loop() {
			n = read(b)
		}
		b.ReportMetric((cpuTime()-before).Seconds()/float64(b.N), "cpu-s")
		b.ReportMetric(float64(n), "records")
	})
}

// cpuTime is what this process and those it waited for have used.
func cpuTime() (d time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		if syscall.Getrusage(who, &r) == nil {
			d += time.Duration(r.Utime.Nano() + r.Stime.Nano())
		}
	}
	return d
}

// paths reports how many records are read by the plan of their template, how
// many by a walk of their document.
func paths(b *testing.B, f io.ReaderAt, size int64) int {
	l, err := Open(f, size)
	if err != nil {
		b.Fatal(err)
	}
	n, fast := 0, 0
	for r, err := range l.Records(nil) {
		if err != nil {
			b.Fatal(err)
		}
		n++
		if s := (fieldSink{rec: r}); s.pick() {
			fast++
		}
	}
	b.ReportMetric(100*float64(fast)/float64(max(n, 1)), "fast-%")
	return n
}

// velocidex decodes every record with the library alone.
func velocidex(b *testing.B, f io.ReadSeeker) (n int) {
	chunks, err := evtx.GetChunks(f)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range chunks {
		recs, err := c.Parse(0)
		if err != nil {
			b.Fatal(err)
		}
		n += len(recs)
	}
	return n
}
