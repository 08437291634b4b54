// Package costtest measures what the reading of hostile input costs, for tests.
// Time is that of the processor, of the thread that does the work: other work of
// a busy computer does not count.
package costtest

import (
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

// What any hostile chunk of 64 KiB, or hive, may cost at most.
const (
	MaxTime  = 100 * time.Millisecond
	MaxBytes = 128 << 20 // allocated
)

// again is how often an input that took too long is read again before that is
// believed: a collection of garbage, or a processor that was slowed down, is no
// fault of the input.
const again = 4

// A Worst is the most that any input of one kind has cost.
type Worst struct {
	Time   time.Duration
	Bytes  uint64
	N      int // inputs
	Chunks int // of each input, 0 is one: so many times may it cost what one may
}

func (w *Worst) limit() (time.Duration, uint64) {
	n := max(1, w.Chunks)
	return time.Duration(n) * MaxTime, uint64(n) * MaxBytes
}

// Read measures one input, which read must read in the calling goroutine.
func (w *Worst) Read(read func()) {
	took, bytes := measure(read)
	limit, _ := w.limit()
	for i := 0; i < again && took > limit; i++ {
		t, _ := measure(read)
		took = min(took, t)
	}
	w.Time, w.Bytes, w.N = max(w.Time, took), max(w.Bytes, bytes), w.N+1
}

func measure(read func()) (time.Duration, uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	start, before := thread(), Allocated()
	read()
	return thread() - start, Allocated() - before
}

// Allocated returns how many bytes the program has allocated so far.
func Allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// Check tells what the worst input has cost, and fails if it is too much. A short
// run, which is that of the race detector, takes ten times as long.
func (w *Worst) Check(t testing.TB, kind string) {
	t.Helper()
	t.Logf("%s: the worst of %d inputs took %v and %d KiB", kind, w.N, w.Time.Round(10*time.Microsecond), w.Bytes>>10)
	limit, most := w.limit()
	if testing.Short() {
		limit *= 20
	}
	if w.Time > limit || w.Bytes > most {
		t.Errorf("%s: %v and %d MiB for one input", kind, w.Time, w.Bytes>>20)
	}
}
