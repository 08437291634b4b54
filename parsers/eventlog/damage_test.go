package eventlog_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"

	"sharetrail/parsers/eventlog/evtxtest"
)

var le = binary.LittleEndian

// resum corrects the checksums of the chunk at off.
func resum(b []byte, off int) {
	c := b[off : off+65536]
	le.PutUint32(c[52:], crc32.ChecksumIEEE(c[512:le.Uint32(c[48:])]))
	le.PutUint32(c[124:], crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:512]))
}

// oneChunk makes a log of one chunk.
func oneChunk(header, chunk []byte) []byte {
	b := append(bytes.Clone(header), chunk...)
	le.PutUint16(b[42:], 1)
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
	return b
}

// offsets returns where the records of the chunk at off lie in the file.
func offsets(b []byte, off int) (list []int) {
	for p := off + 512; p < off+int(le.Uint32(b[off+48:])); p += int(le.Uint32(b[p+4:])) {
		list = append(list, p)
	}
	return list
}

func TestDamage(t *testing.T) {
	const n = 40
	sound := build(t, shareEvents(n), evtxtest.Options{RecordsPerChunk: 20})
	off := offsets(sound, 4096)
	for _, c := range []struct {
		name      string
		damage    func(b []byte) []byte
		records   int
		errs      string // substring of the errors, "" is none
		doubt     string // of the first record
		badChunks int
	}{
		{"sound", func(b []byte) []byte { return b }, n, "", "", 0},
		{"file header gone", func(b []byte) []byte { clear(b[:4096]); return b }, n, "", "", 0},
		{"starts at a chunk", func(b []byte) []byte { return b[4096:] }, n, "", "", 0},
		{"chunk checksum", func(b []byte) []byte { b[4096+124]++; return b }, n, "", "chunk header is wrong", 1},
		{"record checksum", func(b []byte) []byte { b[off[5]+16]++; return b }, n, "", "records is wrong", 1},
		{"magic of a record", func(b []byte) []byte { b[off[5]] = 0; return b }, n - 1, "records 6 to 6 by header number are lost", "records is wrong", 1},
		{"size 0", func(b []byte) []byte { le.PutUint32(b[off[5]+4:], 0); resum(b, 4096); return b }, n, "", "", 0},
		{"size 0 of the last", func(b []byte) []byte { le.PutUint32(b[off[19]+4:], 0); resum(b, 4096); return b }, n, "", "", 0},
		{"size and its copy", func(b []byte) []byte {
			le.PutUint32(b[off[5]+4:], 7)
			le.PutUint32(b[off[6]-4:], 7)
			resum(b, 4096)
			return b
		}, n - 1, "hold no whole record", "", 0},
		{"chunk signature", func(b []byte) []byte { b[4096] = 0; return b }, n, "no chunk signature", "signature of its chunk", 1},
		{"end of records", func(b []byte) []byte { le.PutUint32(b[4096+48:], 1<<31); return b }, n, "", "end of its records", 1},
		{"stale chunk header", func(b []byte) []byte {
			le.PutUint64(b[4096+16:], 10)
			le.PutUint32(b[4096+48:], uint32(off[10]-4096))
			resum(b, 4096)
			return b
		}, n, "", "", 0},
		{"cut", func(b []byte) []byte { return b[:4096+65536+offsets(b, 4096)[10]-4096+30] }, 30, "cut off", "", 1},
		{"cut before a chunk", func(b []byte) []byte { return b[:4096+65536] }, 20, "counts 2 chunks, of which 1 are there", "", 0},
		{"zeros for a chunk", func(b []byte) []byte { clear(b[4096 : 4096+65536]); return b }, 20, "counts 2 chunks, of which 1 are there", "", 0},
		{"fewer chunks by the header", func(b []byte) []byte { return append(oneChunk(b[:4096], b[4096:]), make([]byte, 65536)...) }, n, "", "", 0},
		{"slack cut", func(b []byte) []byte { return b[:len(b)-100] }, n, "", "", 0},
		{"record taken out", func(b []byte) []byte {
			size := uint32(off[2] - off[0])
			le.PutUint32(b[off[0]+4:], size)
			le.PutUint32(b[off[2]-4:], size)
			le.PutUint64(b[4096+16:], 19)
			resum(b, 4096)
			return b
		}, n - 1, "", "header number 2, lies hidden inside it", 0},
		{"count", func(b []byte) []byte { le.PutUint64(b[4096+16:], 25); resum(b, 4096); return b }, n, "", "", 0},
		{"count, and a damaged list", func(b []byte) []byte { le.PutUint64(b[4096+16:], 25); return b }, n, "5 of 25 records", "chunk header is wrong", 1},
	} {
		r := read(t, c.damage(bytes.Clone(sound)))
		all := errors.Join(r.errs...)
		switch {
		case len(r.recs) != c.records:
			t.Errorf("%s: %d records, want %d; %v", c.name, len(r.recs), c.records, all)
		case c.errs == "" && all != nil, c.errs != "" && (all == nil || !strings.Contains(all.Error(), c.errs)):
			t.Errorf("%s: errors %v, want %q", c.name, all, c.errs)
		case !strings.Contains(r.recs[0].Doubt, c.doubt) || c.doubt == "" && r.recs[0].Doubt != "":
			t.Errorf("%s: doubt %q, want %q", c.name, r.recs[0].Doubt, c.doubt)
		case c.badChunks > 0 && len(r.census.BadChunks) == 0 || r.census.Unreadable != len(r.errs):
			t.Errorf("%s: census %+v, %d errors", c.name, r.census, len(r.errs))
		}
	}
}
