package binread

import "testing"

func TestIsZero(t *testing.T) {
	for n := range 300 {
		b := make([]byte, n)
		if !IsZero(b) {
			t.Errorf("%d zeros", n)
		}
		for i := range b {
			if b[i] = 1; IsZero(b) {
				t.Errorf("%d bytes, byte %d is 1", n, i)
			}
			b[i] = 0
		}
	}
}
