package pipeline

import (
	"io"
	"sync"
	"sync/atomic"
)

// A meter counts what is read of the files of a run.
type meter struct {
	report func(done, total int, bytes, totalBytes int64)

	mu          sync.Mutex
	done, files int
	read, total int64 // bytes
}

// meterTasks gives each task that reads a file a meter.
func meterTasks(tasks []*task, report func(done, total int, bytes, totalBytes int64)) {
	var m *meter
	if report != nil {
		m = &meter{report: report}
	}
	for _, t := range tasks {
		t.meter = &fileMeter{m: m, size: t.file.Size}
		if m != nil && t.leader == nil {
			m.files++
			m.total += t.file.Size
		}
	}
}

func (m *meter) add(files int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.read = m.done+files, m.read+bytes
	m.report(m.done, m.files, m.read, m.total)
}

// A fileMeter counts what is read of one file; without m it counts nothing.
type fileMeter struct {
	m    *meter
	size int64 // bytes, as planned
	read atomic.Int64
}

// pass returns r so that what it reads is counted, each byte once.
func (f *fileMeter) pass(r io.ReaderAt) io.ReaderAt {
	if f.m == nil {
		return r
	}
	return &counted{r: r, f: f}
}

// finish counts what was not read, too: the file is done.
func (f *fileMeter) finish() {
	if f.m != nil {
		f.m.add(1, f.size-f.read.Load())
	}
}

// step is how many bytes are read before they are told, so that small reads
// cost nothing.
const step = 1 << 20

type counted struct {
	r    io.ReaderAt
	f    *fileMeter
	high atomic.Int64 // end of what was read and told
}

// ReadAt implements io.ReaderAt.
func (c *counted) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(b, off)
	for end := off + int64(n); ; {
		high := c.high.Load()
		if end < high+step || end > c.f.size {
			return n, err
		}
		if c.high.CompareAndSwap(high, end) {
			c.f.read.Add(end - high)
			c.f.m.add(0, end-high)
			return n, err
		}
	}
}
