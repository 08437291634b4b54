package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage collector of Go lets the heap grow in proportion to what is in
// use: with little in use it runs all the time, with much it doubles it. We give
// it the same room always, and a quarter of what is in use, so that many small
// files are read fast and one large log does not cost twice its facts.
const (
	heapRoom  = 32 << 20 // bytes above what is in use
	heapShare = 4        // and a part of what is in use, for less work where that is much
)

// paceHeap sets the pace of the collector now and after each collection. It
// leaves alone who has set GOGC.
func paceHeap() {
	if os.Getenv("GOGC") != "" {
		return
	}
	last := 0
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	var pace func(*cycle)
	pace = func(*cycle) {
		metrics.Read(live)
		if p := pacePercent(live[0].Value.Uint64()); p < last-last/16 || p > last+last/16 {
			debug.SetGCPercent(p)
			last = p
		}
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
