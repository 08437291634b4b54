package eventlog

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// comparePick reads a record by its templates' plans and by a walk of its
// document, and fails if the two are not the same. It reports whether the
// plans could read it.
func comparePick(t testing.TB, r *Record) bool {
	steps, bytes := r.dec.steps, r.dec.bytes
	quick := fieldSink{rec: r, check: true}
	ok := quick.pick()
	r.dec.steps, r.dec.bytes = max(steps, 1<<16), max(bytes, 1<<20)
	full := fieldSink{rec: r, check: true}
	err := r.dec.walk(r.lo, r.hi, &full)
	if !ok {
		return false
	}
	if err != nil {
		t.Fatalf("record at %d: picked %q, the walk stops at %v", r.Off, quick.fields, err)
	}
	if len(quick.fields) != len(full.fields) {
		t.Fatalf("record at %d: picked %q, walked %q", r.Off, quick.fields, full.fields)
	}
	first := map[string]bool{}
	for i, f := range quick.fields {
		g := full.fields[i]
		x, _ := f.Value.(float64)
		nan := x != x
		if f.Name != g.Name || !nan && !reflect.DeepEqual(f.Value, g.Value) || quick.origins[i] != full.origins[i] {
			t.Fatalf("record at %d, field %d: picked %q %+v, walked %q %+v", r.Off, i, f, quick.origins[i], g, full.origins[i])
		}
		if first[f.Name] {
			continue
		}
		first[f.Name] = true
		if v, ok := r.Field(f.Name); !ok || !nan && !reflect.DeepEqual(v, f.Value) {
			t.Fatalf("record at %d: Field(%q) is %q, want %q", r.Off, f.Name, v, f.Value)
		}
	}
	if v, ok := r.Field("no such name"); ok {
		t.Fatalf("record at %d: Field of no such name is %q", r.Off, v)
	}
	return true
}

// TestCorpusPick: the short way and the whole document agree on every record
// of every log, and nearly all records take the short way.
func TestCorpusPick(t *testing.T) {
	dir := corpus(t)
	picked, all, plain := 0, 0, 0
	for _, log := range corpusLogs(t, dir, "evtx", "evtx-malformed", "triage") {
		b, err := os.ReadFile(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		for r, err := range l.Records(nil) {
			if err != nil {
				continue
			}
			if all++; comparePick(t, r) {
				picked++
			} else if _, ok, _ := r.dec.top(r.lo, r.hi); !ok {
				plain++
			}
		}
	}
	t.Logf("%d of %d records were picked, %d have no template", picked, all, plain)
	if 100*picked < 99*(all-plain) {
		t.Errorf("%d of %d records with a template were picked", picked, all-plain)
	}
}

func FuzzPick(f *testing.F) {
	for _, types := range [][]byte{{1, 0x81, 8}, {0x0e, 0x13}, {0x21}} {
		g := newForge()
		g.record(func() {
			g.u8(0x0f, 1, 1, 0)
			g.template(7, types, nil)
			g.values(forgedValue{1, chars("a")}, forgedValue{0x81, chars("a\x00b\x00")}, forgedValue{0, nil})
		})
		f.Add(g.b[chunkHeaderSize+recordHeader : g.off-4])
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		g := newForge()
		g.record(func() { g.u8(xml[:min(len(xml), 60000)]...) })
		b := g.log()
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range l.Records(nil) {
			if err == nil {
				comparePick(t, r)
			}
		}
	})
}
