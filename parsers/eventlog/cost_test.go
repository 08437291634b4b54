package eventlog

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestCost gives chunks that are made to cost as much as possible.
func TestCost(t *testing.T) {
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
	for _, c := range []struct {
		name  string
		forge func(f *forge)
		errs  bool // the bounds must act
	}{
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
	} {
		f := newForge()
		c.forge(f)
		start := time.Now()
		within(t, func() {
			if r := readAll(t, f.log()); c.errs != (len(r.errs) > 0) {
				t.Errorf("%s: errors %v", c.name, r.errs)
			} else {
				t.Logf("%s: %d records, %d errors, %v", c.name, len(r.text), len(r.errs), time.Since(start))
			}
		})
		// The same bytes behind the end of the list, and in a log of several
		// chunks, each of which may lend its definitions.
		b := f.log()
		le.PutUint32(b[48:], chunkHeaderSize)
		const chunks = 8
		start = time.Now()
		for _, b := range [][]byte{bytes.Repeat(b, chunks), bytes.Repeat(f.log(), chunks)} {
			within(t, func() {
				l, err := Open(bytes.NewReader(b), int64(len(b)))
				if err != nil {
					t.Fatal(err)
				}
				n := 0
				for r, err := range l.Read(Options{Slack: true}) {
					if n++; err == nil {
						r.Data()
					}
				}
				t.Logf("%s, %d chunks with slack: %d elements, %v", c.name, chunks, n, time.Since(start))
			})
		}
	}
}
