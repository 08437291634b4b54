package binread

import "bytes"

// IsZero reports whether all of b is zero, at the speed at which memory is read.
func IsZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}
