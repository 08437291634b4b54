package eventlog

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type reading struct {
	text []string // "name=value …" of each record
	both int      // rendered by the library too
	errs []error
}

func readAll(t testing.TB, b []byte) (r reading) {
	t.Helper()
	l, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return reading{errs: []error{err}}
	}
	for rec, err := range l.Records(func(*Record) bool { return true }) {
		if err != nil {
			r.errs = append(r.errs, err)
			continue
		}
		if rec.Rendered {
			r.both++
		}
		fields, err := rec.Data()
		if err != nil {
			r.errs = append(r.errs, err)
		}
		var text []string
		for _, f := range fields {
			text = append(text, f.Name+"="+Text(f.Value))
		}
		r.text = append(r.text, strings.Join(text, " "))
	}
	return r
}

// within fails if f takes longer or allocates more than one chunk may.
func within(t *testing.T, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	f()
	d := time.Since(start)
	runtime.ReadMemStats(&after)
	if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; mib > 64 || d > 2*time.Second {
		t.Errorf("took %v and allocated %d MiB", d, mib)
	}
}

// TestLibraryFaults gives inputs on which the library alone panics, grows
// without bound or reads something else than what is stored.
func TestLibraryFaults(t *testing.T) {
	str := func(s string) forgedValue { return forgedValue{typeString, chars(s)} }
	header := func(f *forge) { f.u8(0x0f, 1, 1, 0) }
	for _, c := range []struct {
		name  string
		forge func(f *forge)
		want  []string
		errs  int // at least
	}{
		{"definition reaches the end of the chunk", func(f *forge) {
			f.record(func() {
				header(f)
				f.u8(0x0c, 1)
				f.u32(7)
				f.u32(f.off + 4)
				f.u32(0)
				f.u32(7)
				f.off += 12
				f.u32(chunkSize - f.off - 4)
			})
		}, nil, 1},
		{"2^26 values", func(f *forge) {
			f.record(func() { header(f); f.template(7, []byte{1}, nil); f.u32(1 << 26) })
		}, nil, 1},
		{"2^31 values", func(f *forge) {
			f.record(func() { header(f); f.template(7, []byte{1}, nil); f.u32(1 << 31) })
		}, nil, 1},
		{"empty nested BinXML", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{0x21, 0x21}, nil)
				f.values(forgedValue{0x21, nil}, forgedValue{0x21, nil})
			})
		}, []string{"F0= F1="}, 0},
		{"arrays", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{0x86, 0x8a, 0x95, 0x81}, nil)
				f.values(forgedValue{0x86, []byte{11, 0, 22, 0}}, forgedValue{0x8a, []byte{1, 0, 0, 0, 0, 0, 0, 0}},
					forgedValue{0x95, []byte{255, 0, 0, 0, 0, 0, 0, 0}}, forgedValue{0x81, chars("a\x00\x00b\x00")})
			})
		}, []string{"F0=11; 22 F1=1 F2=0xff F3=a; ; b"}, 0},
		{"SYSTEMTIME", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{0x12, 0x12}, nil)
				f.values(forgedValue{0x12, []byte{0xe8, 7, 2, 0, 4, 0, 29, 0, 13, 0, 14, 0, 15, 0, 0xa6, 2}}, forgedValue{0x12, make([]byte, 8)})
			})
		}, []string{"F0=2024-02-29T13:14:15.6780000Z F1=0000000000000000"}, 0},
		{"two templates of one id", func(f *forge) {
			f.record(func() { header(f); f.template(7, []byte{1}, nil); f.values(str("first")) })
			f.record(func() {
				header(f)
				f.template(7, []byte{1}, func() { f.open("Other"); f.text("x"); f.close() })
				f.values(str("second"))
			})
		}, []string{"F0=first", "F0=second Other=x"}, 0},
		{"lost definition", func(f *forge) {
			f.record(func() {
				header(f)
				f.u8(0x0c, 1)
				f.u32(9)
				f.u32(40000)
				f.values(str("value"))
			})
		}, nil, 1},
		{"odd tokens", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{1}, func() {
					f.open("Entity")
					f.u8(0x09)
					f.name("lt")
					f.close()
					f.open("Char")
					f.u8(0x08)
					f.u16(0x41)
					f.close()
					f.open("CDATA")
					f.u8(0x07)
					f.u16(2)
					f.chars("hi")
					f.close()
					f.open("Mixed")
					f.text("<")
					f.u8(0x0d)
					f.u16(0)
					f.u8(1)
					f.text(">")
					f.close()
					f.u8(0x0a)
					f.name("pi")
					f.u8(0x0b)
					f.u16(1)
					f.chars("x")
					f.open("After")
					f.text("ok")
					f.close()
				})
				f.values(str("v"))
			})
		}, []string{"F0=v Entity=< Char=A CDATA=hi Mixed=<v> After=ok"}, 0},
		{"widths", func(f *forge) {
			list := []forgedValue{{3, []byte{0xfe}}, {5, []byte{0xfe, 0xff}}, {0x10, []byte{0x4c, 2, 0, 0}}, {8, nil}, {4, []byte{9}}, {0x14, []byte{0xff, 0, 0, 0}}, {0x0d, []byte{1, 0, 0}}, {8, []byte{7}}, {4, []byte{7}}}
			var types []byte
			for _, v := range list {
				types = append(types, byte(v.typ))
			}
			f.record(func() { header(f); f.template(7, types, nil); f.values(list...) })
		}, []string{"F0=-2 F1=-2 F2=0x24c F3= F4=9 F5=0xff F6=010000 F7=7 F8=7"}, 0},
		{"FILETIME", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{0x11, 0x11, 0x11}, nil)
				f.values(forgedValue{0x11, le.AppendUint64(nil, 132000000000000001)}, forgedValue{0x11, make([]byte, 8)}, forgedValue{0x11, le.AppendUint64(nil, 1<<63)})
			})
		}, []string{"F0=2019-04-17T18:40:00.0000001Z F1= F2=0x8000000000000000"}, 0},
		{"siblings and repeats", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{1}, func() {
					for _, s := range []string{"Data", "Data", "Binary"} {
						f.open(s)
						f.text(s)
						f.close()
					}
				})
				f.values(str("v"))
			})
		}, []string{"F0=v Data=Data Data=Data Binary=Binary"}, 0},
		{"SID of 60,000 bytes", func(f *forge) {
			f.record(func() { header(f); f.template(7, []byte{0x13}, nil); f.values(forgedValue{0x13, make([]byte, 60000)}) })
		}, []string{"F0=" + strings.Repeat("00", 60000)}, 0},
		{"size 0 and a count of 2^62", func(f *forge) {
			f.record(func() { header(f); f.template(7, []byte{1}, nil); f.values(str("v")) })
			le.PutUint32(f.b[516:], 0)
			le.PutUint64(f.b[520:], 1<<63)
			f.n = 1 << 62
		}, []string{"F0=v"}, 0},
		{"values that name themselves", func(f *forge) {
			f.record(func() {
				header(f)
				f.template(7, []byte{0x21, 0x21}, nil)
				f.values(forgedValue{0x21, nil}, forgedValue{0x21, nil})
			})
			def := 550
			f.record(func() {
				inner := []byte(nil)
				for range 600 { // each level names the one below it twice
					b := append([]byte{0x0c, 1}, le.AppendUint32(le.AppendUint32(nil, 7), uint32(def))...)
					b = le.AppendUint32(b, 2)
					b = append(le.AppendUint16(b, uint16(len(inner))), 0x21, 0, 0, 0, 0x21, 0)
					inner = append(append(b, inner...), 0)
				}
				f.u8(inner...)
			})
		}, []string{"F0= F1="}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge()
			c.forge(f)
			within(t, func() {
				r := readAll(t, f.log())
				if d := cmp.Diff(c.want, r.text); d != "" && (c.errs == 0 || len(c.want) > 0 && len(r.text) == 0) || len(r.errs) < c.errs || c.errs == 0 && len(r.errs) > 0 {
					t.Errorf("%s\nerrors %v", d, r.errs)
				}
			})
		})
	}
}

type tree map[string]any

func (t tree) Get(k string) (any, bool) { v, ok := t[k]; return v, ok }

// TestLibraryDiffers shows that a value on which the decoders differ is
// doubted and kept as this package reads it.
func TestLibraryDiffers(t *testing.T) {
	f := newForge()
	f.record(func() {
		f.u8(0x0f, 1, 1, 0)
		f.template(7, []byte{1, 8}, nil)
		f.values(forgedValue{typeString, chars("own")}, forgedValue{typeUint32, []byte{5, 0, 0, 0}})
	})
	b := f.log()
	l, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range l.Records(func(*Record) bool { return true }) {
		if err != nil || !r.Rendered {
			t.Fatalf("error %v, rendered %v", err, r.Rendered)
		}
		r.lib = tree{"Event": tree{"EventData": tree{"F0": "theirs", "F1": uint32(5)}}}
		fields, err := r.read()
		if err != nil || fields[0].Value != "own" || fields[1].Value != uint64(5) {
			t.Errorf("fields %v, error %v", fields, err)
		}
		if !strings.Contains(r.Doubt, `"F0" differently: "own" and "theirs"`) {
			t.Errorf("doubt %q", r.Doubt)
		}
	}
}
