// Package eventlog reads Windows XML event logs (EVTX).
//
// It walks every chunk of a file to its end and every record of a chunk by
// itself, because chunk counts and record numbers in the headers are stale in
// every second log taken from a running computer. It checks what it finds
// before it decodes it, and keeps two numbers and two times apart: those of
// the record header and those of System/EventRecordID and System/TimeCreated.
//
// Layout: [MS-EVEN6] 2.2.12 to 2.2.17 (BinXML) and libevtx, "Windows XML Event
// Log (EVTX)", sections 2 (file header), 3 (chunk) and 4 (record).
package eventlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"sharetrail/parsers/binread"
)

const (
	fileHeaderSize  = 4096
	chunkSize       = 65536
	chunkHeaderSize = 512
	recordHeader    = 24 // magic, size, id, time
	recordMin       = recordHeader + 4

	fileMagic   = "ElfFile\x00"
	chunkMagic  = "ElfChnk\x00"
	recordMagic = "**\x00\x00"
)

var le = binary.LittleEndian

// Sniff reports whether head, the first bytes of a file, may begin an event
// log: a file header, or a chunk at 0 or 4096 where the header is damaged.
func Sniff(head []byte) bool {
	for _, m := range []struct {
		off   int
		magic string
	}{{0, fileMagic}, {0, chunkMagic}, {fileHeaderSize, chunkMagic}} {
		if len(head) >= m.off+8 && string(head[m.off:m.off+8]) == m.magic {
			return true
		}
	}
	return false
}

// A FileHeader is what the first 4096 bytes of a log say about the whole
// (libevtx section 2). In a log that was not closed cleanly its counts are
// older than the chunks. The zero value is a file without a header.
type FileHeader struct {
	FirstChunk, LastChunk uint64 // numbers of the oldest and newest chunk
	NextRecord            uint64 // record header number that the next record gets
	Chunks                uint16 // chunks in the file, at most 65535
	Dirty                 bool   // the log was open when the header was written
	Full                  bool   // the log reached its maximum size
	NoChecksums           bool   // the writer left the chunk checksums out
	MagicOK               bool   // "ElfFile" is there
	ChecksumOK            bool   // CRC-32 of the first 120 bytes is right
}

func parseFileHeader(b []byte) FileHeader {
	flags := le.Uint32(b[120:])
	return FileHeader{
		FirstChunk:  le.Uint64(b[8:]),
		LastChunk:   le.Uint64(b[16:]),
		NextRecord:  le.Uint64(b[24:]),
		Chunks:      le.Uint16(b[42:]),
		Dirty:       flags&1 != 0,
		Full:        flags&2 != 0,
		NoChecksums: flags&4 != 0,
		MagicOK:     string(b[:8]) == fileMagic,
		ChecksumOK:  crc32.ChecksumIEEE(b[:120]) == le.Uint32(b[124:]),
	}
}

// A Log is one event log file. It holds no chunk between iterations, so its
// size in memory does not grow with the file. It is not safe for concurrent
// use.
type Log struct {
	r      io.ReaderAt
	size   int64
	base   int64 // of the first chunk
	header FileHeader
	census censusBuilder

	carved *carving // of a stream that is no log, see Carve; else nil
}

// state is what records in the list of a chunk are.
func (l *Log) state() string {
	if l.carved != nil {
		return "carved"
	}
	return "live"
}

// heads lends room for file headers.
var heads binread.Buffers

// Open reads the header of the log in r, which is size bytes long. A damaged
// header is no error as long as there is a chunk; [Log.Header] tells.
func Open(r io.ReaderAt, size int64) (*Log, error) {
	l := &Log{r: r, size: size, base: fileHeaderSize}
	head := heads.Get(fileHeaderSize)
	defer heads.Put(head)
	n, err := r.ReadAt(head[:min(size, fileHeaderSize)], 0) // all of it: who hashes what is read need not read it again
	if n < 128 {
		n, err = r.ReadAt(head[:min(size, 128)], 0)
	}
	clear(head[max(n, 0):])
	if n < 8 {
		if err == nil || err == io.EOF {
			err = binread.ErrTruncated
		}
		return nil, binread.Errorf(0, "file header", "%w", err)
	}
	switch {
	case string(head[:8]) == chunkMagic:
		l.base = 0
		return l, nil
	case string(head[:8]) == fileMagic:
		if n < 128 {
			return nil, binread.Errorf(0, "file header", "need 128 bytes, have %d: %w", n, binread.ErrTruncated)
		}
		l.header = parseFileHeader(head[:128])
		if hs := int64(le.Uint16(head[40:])); l.header.ChecksumOK && hs >= 128 {
			l.base = hs
		}
		return l, nil
	}
	// The magic is gone: a chunk anywhere on the grid makes it a log still.
	for off := l.base; off+8 <= size; off += chunkSize {
		var m [8]byte
		if _, err := r.ReadAt(m[:], off); err == nil || err == io.EOF {
			if string(m[:]) == chunkMagic {
				l.header = parseFileHeader(head[:128])
				return l, nil
			}
		} else if off == l.base {
			return nil, binread.Errorf(off, "chunk", "%w", err)
		}
	}
	return nil, binread.Errorf(0, "file header", "%w", errNotLog)
}

var errNotLog = errors.New("not an event log: neither file nor chunk signature")

// Header returns the file header.
func (l *Log) Header() FileHeader { return l.header }
