package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestHashing: whatever of a file is read, in whatever order and by however many,
// the hash is that of the file, and what was read in order is read once.
func TestHashing(t *testing.T) {
	data := make([]byte, 9<<20+123)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	s := sha256.Sum256(data)
	want := hex.EncodeToString(s[:])
	const piece = 64 << 10
	for name, offsets := range map[string]func() []int64{
		"nothing":  func() []int64 { return nil },
		"in order": func() []int64 { return steps(4096, int64(len(data)), piece) },
		"shuffled": func() []int64 {
			o := steps(0, int64(len(data)), piece)
			r.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
			return o
		},
		"overlapping": func() []int64 { return steps(0, int64(len(data)), piece/3) },
		"backwards": func() []int64 {
			o := steps(0, int64(len(data)), piece)
			for i, j := 0, len(o)-1; i < j; i, j = i+1, j-1 {
				o[i], o[j] = o[j], o[i]
			}
			return o
		},
	} {
		counted := &counting{r: bytes.NewReader(data)}
		x := newHashing(counted, int64(len(data)))
		x.ReadAt(make([]byte, 128), 0)
		todo := make(chan int64)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for off := range todo {
					b := make([]byte, piece)
					if n, err := x.ReadAt(b, off); err != nil && err != io.EOF || !bytes.Equal(b[:n], data[off:off+int64(n)]) {
						t.Errorf("%s: read at %d: %v", name, off, err)
					}
				}
			})
		}
		for _, off := range offsets() {
			todo <- off
		}
		close(todo)
		wg.Wait()
		if got := x.sum(); got != want {
			t.Errorf("%s: hash %s, want %s", name, got, want)
		}
		if name == "in order" && counted.n > int64(len(data))+maxAhead/2 {
			t.Errorf("%s: %d bytes read of %d", name, counted.n, len(data))
		}
	}
	for _, at := range []int64{0, 100, 5 << 20} {
		x := newHashing(broken{bytes.NewReader(data), at}, int64(len(data)))
		for _, off := range steps(0, int64(len(data)), piece) {
			x.ReadAt(make([]byte, piece), off)
		}
		if got := x.sum(); got != "" {
			t.Errorf("unreadable at %d: hash %s", at, got)
		}
	}
}

func steps(from, to, step int64) (all []int64) {
	for off := from; off < to; off += step {
		all = append(all, off)
	}
	return all
}

type counting struct {
	r  io.ReaderAt
	mu sync.Mutex
	n  int64
}

func (c *counting) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(b, off)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += int64(n)
	return n, err
}

type broken struct {
	r  io.ReaderAt
	at int64
}

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off <= b.at && b.at < off+int64(len(p)) {
		n, _ := b.r.ReadAt(p[:b.at-off], off)
		return n, errors.New("bad sector")
	}
	return b.r.ReadAt(p, off)
}
