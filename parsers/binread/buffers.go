package binread

import "sync"

// Buffers lends buffers of many sizes to those who need them for a short time. The
// zero value is ready. It may be used concurrently.
type Buffers struct{ free sync.Pool } // of *[]byte

// Get returns n bytes of any content.
func (p *Buffers) Get(n int64) []byte {
	if b, ok := p.free.Get().(*[]byte); ok && int64(cap(*b)) >= n {
		return (*b)[:n]
	}
	return make([]byte, n)
}

// Put takes b back. Nobody may use it then.
func (p *Buffers) Put(b []byte) { p.free.Put(&b) }
