package container

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
)

// A deflated block that is cut, damaged, or of another size is an error, and
// none that passes for the end of a disk.
func TestInflate(t *testing.T) {
	plain := content(9000, 5)
	z := zlibbed(plain)
	flip := bytes.Clone(z)
	flip[len(flip)-1] ^= 1
	for _, tt := range []struct {
		name     string
		c        []byte
		n, short int64
		ok       bool
	}{
		{"whole", z, 9000, 9000, true},
		{"with what follows", append(bytes.Clone(z), 1, 2, 3), 9000, 9000, true},
		{"shorter, as allowed", z, 16384, 9000, true},
		{"shorter", z, 16384, 16384, false},
		{"longer", z, 8999, 8999, false},
		{"checksum cut", z[:len(z)-1], 9000, 9000, false},
		{"checksum gone", z[:len(z)-4], 9000, 9000, false},
		{"checksum wrong", flip, 9000, 9000, false},
		{"cut", z[:len(z)/2], 9000, 1, false},
		{"nothing", nil, 9000, 1, false},
	} {
		b, err := unzlib(tt.c, make([]byte, tt.n), tt.short)
		if tt.ok != (err == nil) || tt.ok && !bytes.Equal(b, plain) {
			t.Errorf("%s: %d bytes, %v", tt.name, len(b), err)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v wraps an end", tt.name, err)
		}
	}
}

// A cache stays within its bound, loads a key once at a time, and forgets errors.
func TestCache(t *testing.T) {
	c := &cache{max: 1000}
	var mu sync.Mutex
	loads := map[int64]int{}
	load := func(k int64) func() ([]byte, error) {
		return func() ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if loads[k]++; k == 7 && loads[k] == 1 {
				return nil, errors.New("once")
			}
			return bytes.Repeat([]byte{byte(k)}, 100), nil
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if b, err := c.get(1, load(1)); err != nil || b[0] != 1 {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if loads[1] != 1 {
		t.Errorf("loaded %d times", loads[1])
	}
	if _, err := c.get(7, load(7)); err == nil {
		t.Error("no error")
	}
	if b, err := c.get(7, load(7)); err != nil || b[0] != 7 {
		t.Errorf("second try: %v", err)
	}
	for k := int64(100); k < 200; k++ {
		if b, err := c.get(k, load(k)); err != nil || b[0] != byte(k) {
			t.Fatalf("%d: %v", k, err)
		}
	}
	if c.used > c.max || len(c.slots) != len(c.order) || len(c.slots) > 10 {
		t.Errorf("%d bytes, %d slots, %d keys", c.used, len(c.slots), len(c.order))
	}
}
