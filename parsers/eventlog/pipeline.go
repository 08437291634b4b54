package eventlog

import "sync"

// A pipeline reads chunks, several at a time, and yields them in their order.
type pipeline struct {
	log    *Log
	opt    Options
	ahead  int // chunks that are chosen from before they are yielded
	next   chunkSource
	shapes map[shape]int
	ring   []*chunkReader // chunk n is in ring[n%len(ring)]
	tasks  chan func()    // nil: the consumer does all work
	wait   sync.WaitGroup
}

func (p *pipeline) run(yield func(*Record, error) bool) {
	p.log.census = censusBuilder{}
	if p.opt.Slack {
		p.log.learn(&p.opt)
	}
	p.start()
	defer p.stop()
	loaded, total, last := 0, -1, uint64(0)
	for n := 0; total < 0 || n < total+p.ahead; n++ {
		for total < 0 && loaded <= n+p.loadAhead() {
			off, err, ok := p.next()
			if !ok {
				total = loaded
				break
			}
			c := p.chunk(loaded)
			c.n, c.off = loaded, off
			if err != nil {
				p.do(c, func() { c.fail(err) })
			} else {
				p.do(c, c.load)
			}
			loaded++
		}
		if total < 0 || n < total {
			c := p.done(n)
			if last = c.link(last); c.choose() {
				p.do(c, c.render)
			} else {
				c.done <- struct{}{}
			}
		}
		if i := n - p.ahead; i >= 0 && (total < 0 || i < total) && !p.done(i).emit(yield) {
			return
		}
	}
}

// loadAhead is how many chunks are loaded before they are chosen from.
func (p *pipeline) loadAhead() int {
	if p.tasks == nil {
		return 0
	}
	return p.ahead - 1
}

// start makes the buffers and, for more than one job, the workers.
func (p *pipeline) start() {
	p.shapes = make(map[shape]int)
	p.ring = make([]*chunkReader, max(1, 2*p.ahead))
	jobs := min(p.opt.Jobs, 2*p.ahead)
	if jobs < 2 {
		return
	}
	p.tasks = make(chan func(), 2*p.ahead)
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
}

// chunk returns the reader for the n-th chunk.
func (p *pipeline) chunk(n int) *chunkReader {
	c := &p.ring[n%len(p.ring)]
	if *c == nil {
		*c = &chunkReader{log: p.log, opt: &p.opt, shapes: p.shapes, buf: make([]byte, chunkSize), dec: newDecoder(), done: make(chan struct{}, 1)}
	}
	return *c
}

// do has f, which works on c, done by a worker. A panic there would end the
// process; it is handed to the consumer.
func (p *pipeline) do(c *chunkReader, f func()) {
	if p.tasks == nil {
		f()
		c.done <- struct{}{}
		return
	}
	p.tasks <- func() {
		defer func() {
			c.died = recover()
			c.done <- struct{}{}
		}()
		f()
	}
}

// done waits for the work on the n-th chunk.
func (p *pipeline) done(n int) *chunkReader {
	c := p.chunk(n)
	<-c.done
	if c.died != nil {
		panic(c.died)
	}
	return c
}
