package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"sync"

	"sharetrail/parsers/binread"
)

// hashing is a file that is hashed while it is read, so that what must be
// unpacked is unpacked once. Readers go through most files from front to back;
// what they leave out is read in the end. ReadAt may be called concurrently.
type hashing struct {
	r    io.ReaderAt
	size int64

	mu    sync.Mutex
	hash  hash.Hash
	next  int64            // bytes hashed
	ahead map[int64][]byte // read ahead of that, by offset
	held  int64            // bytes of them
	lost  bool             // a part cannot be read: it has no hash
}

// maxAhead bounds what is kept of a file that is not read in its order, in bytes.
const maxAhead = 4 << 20

// leastAhead: fewer bytes than these, in between, are read rather than waited for.
const leastAhead = 4096

func newHashing(r io.ReaderAt, size int64) *hashing {
	return &hashing{r: r, size: size, hash: sha256.New()}
}

func (x *hashing) ReadAt(b []byte, off int64) (int, error) {
	n, err := x.r.ReadAt(b, off)
	if n > 0 {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.feed(b[:n], off)
	}
	return n, err
}

// feed hashes what b adds to what was hashed, or keeps it until it can be.
func (x *hashing) feed(b []byte, off int64) {
	if off > x.next && !x.lost && off-x.next < leastAhead {
		x.read(off) // between the header of a log and its first chunk
	}
	if x.lost {
		return
	}
	if off > x.next {
		if x.ahead == nil {
			x.ahead = map[int64][]byte{}
		}
		if x.ahead[off] == nil {
			x.ahead[off] = append([]byte(nil), b...)
			x.held += int64(len(b))
		}
		if x.held > maxAhead {
			x.fill()
		}
		return
	}
	if !x.add(b, off) {
		return
	}
	for x.pull() {
	}
}

// add hashes the part of b behind what was hashed, if there is any.
func (x *hashing) add(b []byte, off int64) bool {
	if off > x.next || off+int64(len(b)) <= x.next {
		return false
	}
	x.hash.Write(b[x.next-off:]) // never fails
	x.next = off + int64(len(b))
	return true
}

// pull hashes a piece that was kept and now follows, and forgets those behind.
func (x *hashing) pull() (more bool) {
	for off, b := range x.ahead {
		if off <= x.next {
			more = x.add(b, off) || more
			delete(x.ahead, off)
			x.held -= int64(len(b))
		}
	}
	return more
}

// fill reads what lies before the first piece that was kept.
func (x *hashing) fill() {
	first := x.size
	for off := range x.ahead {
		first = min(first, off)
	}
	x.read(first)
	for !x.lost && x.pull() {
	}
}

var readAgain binread.Buffers

// read hashes up to the offset end.
func (x *hashing) read(end int64) {
	b := readAgain.Get(32 << 10)
	defer readAgain.Put(b)
	if n, err := io.CopyBuffer(x.hash, io.NewSectionReader(x.r, x.next, end-x.next), b); err != nil || n != end-x.next {
		x.lost, x.ahead = true, nil
	}
	x.next = end
}

// sum returns the SHA-256 of the file, "" if it cannot be read to its end. No
// read may follow.
func (x *hashing) sum() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.ahead) > 0 {
		x.fill()
	}
	if x.read(x.size); x.lost {
		return ""
	}
	return hex.EncodeToString(x.hash.Sum(nil))
}
