package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// progress is one line of a terminal that says how far the reading of evidence
// is, at which rate, and how long it will take. A short run shows none.
type progress struct {
	w     io.Writer
	width int // of the terminal, columns
	stop  chan struct{}
	ended sync.WaitGroup

	mu    sync.Mutex
	start time.Time // of the reading
	now   reached
}

// reached is how far it is.
type reached struct {
	files, allFiles int
	bytes, allBytes int64
	took            time.Duration // since the reading began
}

const (
	progressDelay = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
	eraseLine     = "\r\x1b[K"
)

// newProgress shows progress on the terminal w until end is called.
func newProgress(w io.Writer, width int) *progress {
	p := &progress{w: w, width: width, stop: make(chan struct{})}
	p.ended.Go(p.run)
	return p
}

// read is called while evidence is read.
func (p *progress) read(files, allFiles int, bytes, allBytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.start.IsZero() {
		p.start = time.Now()
	}
	p.now = reached{files: files, allFiles: allFiles, bytes: bytes, allBytes: allBytes}
}

func (p *progress) run() {
	select {
	case <-p.stop:
		return
	case <-time.After(progressDelay):
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		now := p.now
		if !p.start.IsZero() {
			now.took = time.Since(p.start)
		}
		p.mu.Unlock()
		fmt.Fprint(p.w, eraseLine+now.line(p.width))
		select {
		case <-p.stop:
			fmt.Fprint(p.w, eraseLine)
			return
		case <-tick.C:
		}
	}
}

// end removes the line.
func (p *progress) end() {
	close(p.stop)
	p.ended.Wait()
}

// bar is how many columns the bar takes.
const bar = 20

// line renders r for a terminal of width columns: what helps least goes first
// where it is narrow.
func (r reached) line(width int) string {
	switch {
	case r.allFiles == 0:
		return text.Trim("opening the evidence …", width-1)
	case r.files == r.allFiles:
		return text.Trim(fmt.Sprintf("all %d files read: drawing conclusions …", r.allFiles), width-1)
	}
	share := 0.0
	if r.allBytes > 0 {
		share = min(1, float64(r.bytes)/float64(r.allBytes))
	}
	parts := []string{fmt.Sprintf("%3.0f %%", share*100)}
	if seconds := r.took.Seconds(); seconds > 0.2 && r.bytes > 0 {
		rate := float64(r.bytes) / seconds
		parts = append(parts, "about "+clock(float64(r.allBytes-r.bytes)/rate)+" left", size(int64(rate))+"/s")
	}
	parts = append(parts, fmt.Sprintf("%d of %d files", r.files, r.allFiles), size(r.bytes)+" of "+size(r.allBytes))
	full := int(share * bar)
	line := ""
	if width > bar+10 {
		line = strings.Repeat("#", full) + strings.Repeat("-", bar-full) + " "
	}
	for i, part := range parts {
		if i > 0 {
			part = "  " + part
		}
		if len(line)+len(part) >= width {
			break
		}
		line += part
	}
	return line
}

// clock renders seconds as 0:12 or 1:02:03.
func clock(seconds float64) string {
	s := int(min(max(seconds, 0), 360000) + 0.5)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// size renders bytes in the unit that leaves few digits.
func size(bytes int64) string {
	switch {
	case bytes >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(bytes)/1e9)
	case bytes >= 1e6:
		return fmt.Sprintf("%d MB", bytes/1e6)
	}
	return fmt.Sprintf("%d kB", bytes/1e3)
}
