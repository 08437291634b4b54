package eventlog

import (
	"bytes"
	"hash/crc32"
	"runtime"
	"testing"
	"time"
)

// hostileStreams are what a stream can be made of to cost as much as possible.
// Each is repeated to the wanted size.
func hostileStreams() map[string][]byte {
	magics := bytes.Repeat([]byte(recordMagic), chunkSize/4)
	inChunk := bytes.Clone(magics)
	copy(inChunk, chunkMagic)
	signatures := bytes.Repeat(append([]byte(chunkMagic), make([]byte, sector-8)...), 128)
	// A header whose checksum is right and whose records reach to the end, in each
	// sector: every one asks for all of the chunk.
	sound := make([]byte, sector)
	copy(sound, chunkMagic)
	le.PutUint32(sound[48:], chunkSize)
	le.PutUint32(sound[124:], crc32.Update(crc32.ChecksumIEEE(sound[:headerSummed]), crc32.IEEETable, sound[128:]))
	// A record in each of them.
	record := bytes.Clone(sound)
	copy(record[200:], recordMagic)
	le.PutUint32(record[204:], 100)
	le.PutUint64(record[208:], 7)
	le.PutUint64(record[216:], 132000000000000000)
	record[224] = tokenFragment
	le.PutUint32(record[296:], 100)
	// Records of no chunk, each of which may tell where one begins.
	orphans := bytes.Repeat(record[200:300], 1000)
	return map[string][]byte{
		"records without a chunk": orphans,
		"record magics":           magics, "record magics in chunks": inChunk, "chunk signatures": signatures,
		"chunk headers": bytes.Repeat(sound, 128), "chunk headers with records": bytes.Repeat(record, 128),
	}
}

// repeated is a stream of size bytes without the memory for it.
type repeated struct {
	part []byte
	size int64
}

func (r repeated) ReadAt(b []byte, off int64) (int, error) {
	for n := 0; n < len(b); {
		n += copy(b[n:], r.part[(off+int64(n))%int64(len(r.part)):])
	}
	return len(b), nil
}

// TestCarveHostile reads hostile streams of 64 MiB to their end. What is bounded
// is the work, which a busy computer does not change: the bytes that are read for
// a byte of the stream, and the memory, which does not grow with it. What a chunk may cost is held by
// TestCost.
func TestCarveHostile(t *testing.T) {
	size := int64(64 << 20)
	if testing.Short() {
		size = 8 << 20
	}
	for name, part := range hostileStreams() {
		r := &meter{r: repeated{part, size}}
		l := Carve(r, size)
		start, n, peak := time.Now(), 0, uint64(0)
		for range l.Read(Options{Slack: true}) {
			if n++; n%512 == 0 {
				peak = max(peak, heap())
			}
		}
		peak = max(peak, heap())
		scanned, chunks := l.Searched()
		t.Logf("%s: %d chunks, %d elements, %.1f bytes read for each, %d MiB of memory, %v", name, chunks, n, float64(r.bytes)/float64(size), peak>>20, time.Since(start))
		if scanned != size || r.bytes > (3+checkedMore)*size+2*checkedFirst || peak > maxHeap {
			t.Errorf("%s: %d of %d bytes searched, %d read, %d MiB", name, scanned, size, r.bytes, peak>>20)
		}
	}
}

// maxHeap bounds the memory in use, garbage and all, in bytes.
const maxHeap = 96 << 20

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// meter counts the bytes that are read.
type meter struct {
	r     repeated
	bytes int64
}

func (m *meter) ReadAt(b []byte, off int64) (int, error) {
	m.bytes += int64(len(b))
	return m.r.ReadAt(b, off)
}
