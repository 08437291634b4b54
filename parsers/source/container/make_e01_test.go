package container

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"hash/adler32"
	"unicode/utf16"
)

// e01 says how to write an E01.
type e01 struct {
	disk     []byte
	sectors  int      // of a chunk
	perTable int      // chunks
	perSeg   int      // tables
	bad      []uint32 // pairs of sector and count for error2
	smart    bool     // EWF-S01
	noHash   bool
	gap      bool // the volume section only in the "data" section at the end
}

type e01seg struct {
	bytes.Buffer
}

func (s *e01seg) section(kind string, body []byte) {
	h := make([]byte, 76)
	copy(h, kind)
	next := s.Len() + 76 + len(body)
	if kind == "done" || kind == "next" {
		next = s.Len()
	}
	le.PutUint64(h[16:], uint64(next))
	le.PutUint64(h[24:], uint64(76+len(body)))
	s.Write(withSum(h[:72]))
	s.Write(body)
}

func withSum(b []byte) []byte {
	return le.AppendUint32(bytes.Clone(b), adler32.Checksum(b))
}

func (o e01) volume() []byte {
	n := 1048
	if o.smart {
		n = 90
	}
	b := make([]byte, n)
	b[0] = 1
	le.PutUint32(b[4:], uint32((len(o.disk)+o.sectors*512-1)/(o.sectors*512)))
	le.PutUint32(b[8:], uint32(o.sectors))
	le.PutUint32(b[12:], 512)
	le.PutUint32(b[16:], uint32(len(o.disk)/512))
	if !o.smart {
		copy(b[64:], "0123456789abcdef")
	}
	return withSum(b)
}

const e01header = "1\r\nmain\r\nc\tn\ta\te\tt\tav\tov\tm\tu\tp\r\ncase 7\tev 8\tdesc\tMüller\tline\t20140813\tLinux\t1700000000\t1700000001\t0\r\n\r\n"

func (o e01) write(name string) files {
	out := files{}
	size := o.sectors * 512
	var tables [][][]byte // of chunks
	for i := 0; i < len(o.disk); i += size {
		if i/size%o.perTable == 0 {
			tables = append(tables, nil)
		}
		k := len(tables) - 1
		tables[k] = append(tables[k], o.disk[i:min(i+size, len(o.disk))])
	}
	for no := 1; len(tables) > 0; no++ {
		s := &e01seg{}
		fmt.Fprintf(s, "EVF\x09\x0d\x0a\xff\x00\x01%c%c\x00\x00", no&0xff, no>>8)
		if no == 1 {
			if o.smart {
				s.section("header", zlibbed([]byte("1\nmain\nc\te\tm\ncase 7\tMeier\t2014 8 13 1 2 3\n\n")))
			} else {
				u := []byte{0xff, 0xfe}
				for _, c := range utf16.Encode([]rune(e01header)) {
					u = le.AppendUint16(u, c)
				}
				s.section("header2", zlibbed(u))
			}
			if !o.gap {
				s.section("volume", o.volume())
			}
		} else {
			s.section("data", o.volume())
		}
		for i := 0; i < o.perSeg && len(tables) > 0; i++ {
			o.table(s, tables[0])
			tables = tables[1:]
		}
		last, _ := ewfName(name, no)
		if len(tables) > 0 {
			s.section("next", nil)
		} else {
			if o.gap {
				s.section("data", o.volume())
			}
			o.end(s)
		}
		out[last] = s.Bytes()
	}
	return out
}

func (o e01) table(s *e01seg, chunks [][]byte) {
	n := len(chunks)
	var data []byte
	at := s.Len() + 76
	if o.smart {
		at += 24 + 4*n
	}
	var entries []byte
	for i, c := range chunks {
		off := uint32(at + len(data))
		if z := zlibbed(c); len(z) < len(c) || o.smart || i%3 == 2 {
			off |= 1 << 31
			data = append(data, z...)
		} else {
			data = append(data, withSum(c)...)
		}
		entries = le.AppendUint32(entries, off)
	}
	h := make([]byte, 20)
	le.PutUint32(h, uint32(n))
	table := append(withSum(h), entries...)
	if o.smart {
		s.section("table", append(table, data...))
		return
	}
	s.section("sectors", data)
	table = le.AppendUint32(table, adler32.Checksum(entries))
	s.section("table", table)
	s.section("table2", table)
}

func (o e01) end(s *e01seg) {
	if o.bad != nil {
		h := make([]byte, 516)
		le.PutUint32(h, uint32(len(o.bad)/2))
		var list []byte
		for _, x := range o.bad {
			list = le.AppendUint32(list, x)
		}
		s.section("error2", append(withSum(h), withSum(list)...))
	}
	if !o.noHash {
		m, h := md5.Sum(o.disk), sha1.Sum(o.disk)
		s.section("digest", withSum(append(append(m[:], h[:]...), make([]byte, 40)...)))
		s.section("hash", withSum(append(m[:], make([]byte, 16)...)))
	}
	s.section("done", nil)
}
