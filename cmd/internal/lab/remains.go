package lab

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
)

// remains returns the unallocated space of a host, as a tool such as blkls takes
// it: clusters one behind the other. Windows frees those of a log that is cleared
// and leaves the chunks in them, until other files need them: of every third chunk
// the second half belongs to something else.
func (w *world) remains() (file, error) {
	const cluster, header, chunk = 4096, 4096, 64 << 10
	rnd := rand.New(rand.NewPCG(uint64(len(w.Name)), 7))
	var all []byte
	noise := func(clusters int) {
		for range clusters * cluster {
			all = append(all, byte(rnd.Uint32()))
		}
	}
	newest := time.Time{}
	noise(5)
	for _, channel := range slices.Sorted(maps.Keys(w.cleared)) {
		events := w.cleared[channel]
		b, err := logBytes(events, evtxtest.Options{})
		if err != nil {
			return file{}, err
		}
		for i := 0; header+i*chunk < len(b); i++ {
			c := b[header+i*chunk : header+(i+1)*chunk]
			if i%3 == 2 {
				all = append(all, c[:chunk/2]...)
				noise(chunk / 2 / cluster)
			} else {
				all = append(all, c...)
			}
			noise(1 + i%4)
		}
		if last := events[len(events)-1].Time; last.After(newest) {
			newest = last
		}
	}
	return file{w.Name + "/unallocated.bin", all, newest}, nil
}
