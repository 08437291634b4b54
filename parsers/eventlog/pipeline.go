package eventlog

import (
	"sync"

	"sharetrail/parsers/binread"
)

// A pipeline reads chunks, several at a time, and yields them in their order.
type pipeline struct {
	log    *Log
	opt    Options
	ahead  int // chunks that may wait for what the library makes of an earlier one
	next   chunkSource
	shapes map[shape]int
	lender *lender

	n       int            // chunks so far
	met     int            // of these that were yielded and not all zero, or not readable
	end     bool           // there is no other
	loading []*chunkReader // not yet chosen from, in their order
	pending []*chunkReader // not yet yielded
	free    []*chunkReader // the one used last is used next: its buffers are in the cache

	tasks chan func() // nil: the consumer does all work
	wait  sync.WaitGroup
}

// run yields the chunks. When a chunk is chosen from and when it is yielded
// must not depend on the workers, so it goes by what was chosen alone.
func (p *pipeline) run(yield func(*Record, error) bool) {
	p.log.census = censusBuilder{}
	p.shapes = make(map[shape]int)
	p.lender = &lender{logs: append([]Lender{{Log: p.log}}, p.opt.Lenders...)}
	p.start()
	defer p.stop()
	for last := uint64(0); ; {
		p.load()
		if len(p.loading) > 0 {
			c := p.loading[0]
			p.loading = append(p.loading[:0], p.loading[1:]...)
			c.wait()
			if p.log.carved == nil { // else it is not known what came before
				last = c.link(last)
			}
			if c.choose() {
				p.do(func() { c.guard(c.render) })
			} else {
				c.done <- struct{}{}
			}
			p.pending = append(p.pending, c)
			if p.pending[0].chosen() && len(p.pending) <= p.ahead {
				continue
			}
		}
		if len(p.pending) == 0 {
			p.lost(yield)
			return
		}
		for ok := true; ok; ok = len(p.pending) > 0 && !p.pending[0].chosen() {
			c := p.pending[0]
			p.pending = append(p.pending[:0], p.pending[1:]...)
			c.wait()
			if c.used || len(c.errs) > 0 {
				p.met++
			}
			if !c.emit(yield) {
				return
			}
			p.free = append(p.free, c)
		}
	}
}

// lost says that the file has fewer chunks than its header counts. The header may
// be older than the chunks, so it may count too few, and in none of 196 logs of a
// public corpus it counts more than there are.
func (p *pipeline) lost(yield func(*Record, error) bool) {
	h := p.log.header
	if p.log.carved != nil || !h.MagicOK || !h.ChecksumOK || int(h.Chunks) <= p.met {
		return
	}
	err := binread.Errorf(42, "file header", "counts %d chunks, of which %d are there: the file is cut short, or part of it was overwritten with zeros", h.Chunks, p.met)
	p.log.census.unread(err)
	yield(nil, err)
}

// A worker is woken for this many chunks at once, each of which takes it some
// 50 µs, and so many are loaded before they are needed.
const (
	group     = 4
	loadAhead = 4 * group
)

// load has the next chunks loaded.
func (p *pipeline) load() {
	if p.tasks == nil {
		if len(p.loading) == 0 {
			p.loadGroup(1)
		}
		return
	}
	for !p.end && len(p.loading) <= loadAhead-group {
		p.loadGroup(group)
	}
}

func (p *pipeline) loadGroup(size int) {
	var work [group]func()
	var list []*chunkReader
	for !p.end && len(list) < size {
		at, ok := p.next()
		if !ok {
			p.end = true
			break
		}
		c := p.chunk()
		c.n, c.off, c.size = p.n, at.off, at.size
		p.n++
		work[len(list)] = c.load
		if at.err != nil {
			work[len(list)] = func() { c.fail(at.err) }
		}
		list = append(list, c)
	}
	p.loading = append(p.loading, list...)
	p.do(func() {
		for i, c := range list {
			c.guard(work[i])
		}
	})
}

// start makes the workers for more than one job.
func (p *pipeline) start() {
	jobs := min(p.opt.Jobs, 2*p.ahead)
	if jobs < 2 {
		return
	}
	p.tasks = make(chan func(), 2*p.ahead+1)
	for range jobs {
		p.wait.Go(func() {
			for f := range p.tasks {
				f()
			}
		})
	}
}

// stop waits until nothing reads the file any more.
func (p *pipeline) stop() {
	if p.tasks != nil {
		close(p.tasks)
		p.wait.Wait()
	}
	for _, c := range p.free { // the others may still have a signal to give
		c.rest()
		idle.Put(c)
	}
}

// idle lends chunk readers. For a small log, to make one would be much of the work.
var idle sync.Pool // of *chunkReader

// chunk returns a reader that is not in use.
func (p *pipeline) chunk() *chunkReader {
	if n := len(p.free); n > 0 {
		c := p.free[n-1]
		p.free = p.free[:n-1]
		return c
	}
	c, ok := idle.Get().(*chunkReader)
	if !ok {
		c = &chunkReader{buf: make([]byte, chunkSize), dec: newDecoder(), done: make(chan struct{}, 1)}
	}
	c.log, c.opt, c.shapes, c.lender = p.log, &p.opt, p.shapes, p.lender
	c.dec.strict = p.log.carved != nil // other bytes may have taken the place of any
	return c
}

// rest forgets the log, but not the texts that the next one is likely to repeat.
func (c *chunkReader) rest() {
	c.log, c.opt, c.shapes, c.lender = nil, nil, nil, nil
	for _, d := range []*decoder{c.dec, c.slack.dec} {
		if d == nil {
			continue
		}
		d.foreign, d.borrowed, d.tally = nil, nil, tally{}
		if len(d.strings) > maxIntern/2 { // else there were no room for the next one's
			clear(d.strings)
		}
	}
}

// do has f done by a worker, if there are any.
func (p *pipeline) do(f func()) {
	if p.tasks == nil {
		f()
		return
	}
	p.tasks <- f
}

// guard calls f, which works on the chunk. A panic in a worker would end the
// process; it is handed to the consumer.
func (c *chunkReader) guard(f func()) {
	defer func() {
		c.died = recover()
		c.done <- struct{}{}
	}()
	f()
}

// wait waits for the work on the chunk.
func (c *chunkReader) wait() {
	<-c.done
	if c.died != nil {
		panic(c.died)
	}
}

// chosen reports whether the library is to read a record of the chunk.
func (c *chunkReader) chosen() bool { return len(c.lib.pick) > 0 }
