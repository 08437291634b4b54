package eventlog

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"sharetrail/parsers/binread/costtest"
)

// A costlyChunk is one that is made to cost as much as possible.
type costlyChunk struct {
	name  string
	forge func(f *forge)
	errs  bool // the bounds must act
}

func costly() []costlyChunk {
	fill := func(f *forge, body func()) {
		for chunkSize-f.off > 120 {
			f.record(body)
		}
	}
	use := func(f *forge, def int, list ...forgedValue) {
		f.u8(0x0c, 1)
		f.u32(7)
		f.u32(def)
		f.values(list...)
	}
	const def = chunkHeaderSize + recordHeader + 4 + instanceHeader
	long := forgedValue{typeString, chars(strings.Repeat("x", 15000))}
	return []costlyChunk{
		{"one large template, many records", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, make([]byte, 800), nil)
				f.values(forgedValue{typeString, nil})
			})
			fill(f, func() { use(f, def, forgedValue{typeString, nil}) })
		}, true},
		{"one long value, many times", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, []byte{1}, func() {
					for range 1500 {
						f.u8(0x0d)
						f.u16(0)
						f.u8(1)
						f.u8(0x08) // a character between, or it is one value
						f.u16('-')
					}
				})
				f.values(long)
			})
		}, true},
		{"a definition at every offset", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, nil, func() {
					for range 6000 { // an id of 7 and a size that fits, at each of them
						f.u8(7, 0, 0, 0)
					}
				})
				f.values()
			})
			at := 700
			fill(f, func() { at += 4; use(f, at) })
		}, true},
		{"nothing but record signatures", func(f *forge) {
			for f.off < chunkSize-8 {
				f.u8(0x2a, 0x2a, 0, 0)
			}
		}, true},
		{"long names", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				for f.off < chunkSize-64 {
					f.u8(0x01)
					f.u32(0)
					f.u32(f.off - 4)
				}
			})
		}, true},
		{"many small records", func(f *forge) { fill(f, func() { f.u8(0x0f, 1, 1, 0, 0) }) }, true},
		{"definitions with one id, records that need one", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, make([]byte, 30), nil)
				f.values(make([]forgedValue, 30)...)
			})
			for i := range 60 {
				f.record(func() {
					f.u8(0x0f, 1, 1, 0)
					at := f.off + 2 + 4 + 4 + 4
					f.template(7, make([]byte, 1+i%8), nil)
					f.b[at+4] = byte(i) // of the GUID
					f.values(forgedValue{typeString, nil})
				})
			}
			fill(f, func() { use(f, 600, make([]forgedValue, 3)...) })
		}, true},
		{"records that reach over all that follow", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, []byte{1}, nil)
				f.values(forgedValue{typeString, nil})
			})
			var at []int
			fill(f, func() {
				at = append(at, f.off-recordHeader)
				f.u8(0x0f, 1, 1, 0)
				use(f, def, forgedValue{typeString, nil})
			})
			for _, off := range at {
				le.PutUint32(f.b[off+4:], uint32(chunkSize-off))
			}
		}, false},
		{"much work for the library", func(f *forge) {
			types := bytes.Repeat([]byte{typeUint32}, 120)
			list := make([]forgedValue, len(types))
			for i := range list {
				list[i] = forgedValue{typeUint32, []byte{1, 2, 3, 4}}
			}
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, types, nil)
				f.values(list...)
			})
			for chunkSize-f.off > 1200 {
				f.record(func() {
					f.u8(0x0f, 1, 1, 0)
					use(f, def, list...)
				})
			}
		}, false},
		{"deep elements", func(f *forge) {
			f.record(func() {
				f.u8(0x0f, 1, 1, 0)
				f.template(7, nil, func() {
					for range 100 {
						f.open("x")
					}
				})
				f.values()
			})
		}, true},
	}
}

// TestCost reads chunks that are made to cost as much as possible, and damages
// them: as they are, and behind the end of their list.
func TestCost(t *testing.T) {
	rounds := rounds(t)
	for _, c := range costly() {
		f := newForge()
		c.forge(f)
		listed := f.log()
		slack := bytes.Clone(listed)
		le.PutUint32(slack[48:], chunkHeaderSize)
		half := bytes.Clone(listed) // costs in its list, and behind it
		le.PutUint32(half[48:], chunkSize/2)
		if r := readAll(t, listed); c.errs != (len(r.errs) > 0) {
			t.Errorf("%s: errors %v", c.name, r.errs)
		}
		var worst costtest.Worst
		rnd := rand.New(rand.NewPCG(1, 2))
		for i := range rounds {
			b := bytes.Clone([][]byte{listed, slack, half}[i%3])
			for range i / 3 % 5 { // the first are whole
				b[16+rnd.IntN(len(b)-16)] = byte(rnd.Uint32())
			}
			worst.Read(func() { readWhole(b) })
		}
		worst.Check(t, c.name)
		// In a log of several chunks each may lend its definitions.
		several := costtest.Worst{Chunks: 8}
		for _, b := range [][]byte{slack, listed} {
			b = bytes.Repeat(b, several.Chunks)
			several.Read(func() { readWhole(b) })
		}
		several.Check(t, c.name+", 8 chunks")
	}
}

// readWhole reads all of a log: its data, what lies outside of its lists, and what
// the library makes of it.
func readWhole(b []byte) {
	l, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	for r, err := range l.Read(Options{Slack: true, Want: func(*Record) bool { return true }}) {
		if err == nil {
			r.Data()
		}
	}
}

// rounds is how many inputs of each kind are read: SHARETRAIL_MUTANTS says how
// many for a long run.
func rounds(t testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("SHARETRAIL_MUTANTS")); err == nil {
		return n
	}
	if testing.Short() {
		return 30
	}
	return 300
}
