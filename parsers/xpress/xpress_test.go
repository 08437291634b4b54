package xpress

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"sharetrail/parsers/prefetch/prefetchtest"
)

// packed is b as a prefetch file of Windows 10 has it, without the head of one.
func packed(b []byte) []byte { return prefetchtest.Pack(b)[8:] }

// TestUnpack unpacks blocks of random bytes and of runs, over block ends.
func TestUnpack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 5, 1000, 1 << 16, 1<<16 + 1, 200_000} {
		want := make([]byte, size)
		for i := range want {
			if want[i] = byte(r.IntN(256)); i > 0 && r.IntN(3) > 0 {
				want[i] = want[i-1]
			}
		}
		got := make([]byte, size)
		if n, err := Unpack(got, packed(want)); err != nil || n != size || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", size, n, err)
		}
	}
}

// TestCut unpacks every beginning: what it gives is the beginning of the content.
func TestCut(t *testing.T) {
	want := bytes.Repeat([]byte("a row of bytes that is repeated; "), 20)
	in := packed(want)
	for n := range len(in) - 4 {
		got := make([]byte, len(want))
		done, err := Unpack(got, in[:n])
		if err == nil || !errors.Is(err, ErrDamaged) || !bytes.Equal(got[:done], want[:done]) {
			t.Errorf("%d of %d bytes: %d, %v", n, len(in), done, err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(packed([]byte("some bytes")), uint16(10))
	f.Fuzz(func(t *testing.T, in []byte, size uint16) {
		if n, err := Unpack(make([]byte, size), in); err == nil && n != int(size) || err != nil && (n > int(size) || !errors.Is(err, ErrDamaged)) {
			t.Errorf("%d of %d bytes, %v", n, size, err)
		}
	})
}
