package cli

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The garbage collector of Go lets the heap grow in proportion to what is in
// use: with little in use it runs all the time, with much it doubles it. We give
// it some room always, and of what is in use a part that is small where that is
// enough (one large log, of which facts are kept and little else is made) and
// grows where the collector would take too much time (many hosts).
const (
	heapRoom  = 16 << 20 // bytes above what is in use
	leastPart = 1. / 8   // of what is in use
	mostPart  = 1.
	gcShare   = 0.25 // of the processor time, that the collector may take
)

// A pacer sets the pace of the collector after each collection.
type pacer struct {
	part     float64 // of what is in use, to grow by before the next collection
	percent  int     // as last set
	samples  []metrics.Sample
	gc, rest float64 // seconds of processor time by the last collection
}

// paceHeap sets the pace of the collector. It leaves alone who has set GOGC.
func paceHeap() {
	if os.Getenv("GOGC") != "" {
		return
	}
	p := &pacer{part: leastPart, samples: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/cpu/classes/gc/mark/dedicated:cpu-seconds"}, {Name: "/cpu/classes/gc/mark/assist:cpu-seconds"}, {Name: "/cpu/classes/user:cpu-seconds"},
	}}
	p.pace(nil)
}

// A cycle is let go at once, so that the next collection finds it.
type cycle struct{ _ [16]byte }

func (p *pacer) pace(*cycle) {
	metrics.Read(p.samples)
	gc, rest := p.samples[1].Value.Float64()+p.samples[2].Value.Float64(), p.samples[3].Value.Float64()
	p.part = nextPart(p.part, gc-p.gc, rest-p.rest)
	p.gc, p.rest = gc, rest
	if percent := growth(p.samples[0].Value.Uint64(), p.part); percent < p.percent-p.percent/16 || percent > p.percent+p.percent/16 {
		debug.SetGCPercent(percent)
		p.percent = percent
	}
	runtime.SetFinalizer(&cycle{}, p.pace)
}

// nextPart returns the part for the next collection, from the processor time
// that the collector and the rest took since the one before.
func nextPart(part, gc, rest float64) float64 {
	switch took := gc / max(gc+rest, 1e-9); {
	case took > gcShare:
		return min(part*1.25, mostPart)
	case took < gcShare/2:
		return max(part/1.25, leastPart)
	}
	return part
}

// growth is the growth of the heap, in percent of the bytes that are in use,
// after which a collection is due.
func growth(live uint64, part float64) int {
	live = max(live, 4<<20) // the least heap of Go that percents are of
	return int(100 * (float64(heapRoom)/float64(live) + part))
}
