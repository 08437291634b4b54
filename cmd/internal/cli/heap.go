package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage collector of Go lets the heap grow in proportion to what is in
// use: with little in use it runs all the time, with much it doubles it. We give
// it the same room always, and an eighth of what is in use, so that many small
// files are read fast and one large log does not cost twice its facts.
const (
	heapRoom  = 24 << 20 // bytes above what is in use
	heapShare = 8        // and a part of what is in use, for less work where that is much
	heapSlack = 16 << 20 // bytes that the heap may hold in pieces, or not yet have given back
)

// paceHeap sets the pace of the collector now and after each collection. It
// leaves alone who has set it.
func paceHeap() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	last := 0
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var pace func(*cycle)
	pace = func(*cycle) {
		metrics.Read(sample)
		live := sample[0].Value.Uint64()
		if p := pacePercent(live); p < last-last/16 || p > last+last/16 {
			debug.SetGCPercent(p)
			last = p
		}
		debug.SetMemoryLimit(int64(live + live/heapShare + heapRoom + heapSlack))
		runtime.SetFinalizer(&cycle{}, pace)
	}
	pace(nil)
}

// A cycle is let go at once, so that the next collection finds it.
type cycle struct{ _ [16]byte }

// pacePercent is the growth of the heap, in percent of the bytes that are in
// use, after which a collection is due.
func pacePercent(live uint64) int {
	live = max(live, 4<<20) // the least heap of Go that percents are of
	return int((heapRoom + live/heapShare) * 100 / live)
}
