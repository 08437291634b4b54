package eventlog_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"sharetrail/parsers/binread/costtest"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

// mixed returns events of all shapes.
func mixed(n int) []evtxtest.Event {
	list := shareEvents(n)
	for i := range list {
		e := &list[i]
		switch i % 5 {
		case 1:
			e.Channel, e.Provider, e.EventID, e.UserID = "System", "EventLog", 6008, "S-1-5-18"
			e.Data = []evtxtest.Field{{Value: "13:14:15"}, {Value: ""}, {Name: "Binary", Type: "binary", Value: "E407"}}
		case 2:
			e.Provider, e.EventID, e.UserData = "Microsoft-Windows-Eventlog", 1102, "LogFileCleared"
		case 3:
			e.Data = append(e.Data, evtxtest.Field{Name: "Guid", Type: "guid", Value: "{0CCE9215-69AE-11D9-BED3-505054503030}"},
				evtxtest.Field{Name: "Null", Type: "uint32"}, evtxtest.Field{Name: "Process", Type: "pointer", Value: "0x24c"})
		}
	}
	return list
}

// drain reads all records and their data, and fails if they are not all
// accounted for.
func drain(t testing.TB, b []byte) (records, errs int) {
	l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return 0, 1
	}
	slack := 0
	for r, err := range l.Read(eventlog.Options{Slack: true, Want: func(*eventlog.Record) bool { return true }}) {
		if err != nil {
			errs++
			continue
		}
		if r.Off < 0 || r.Off+r.Len > l.Census().Bytes {
			t.Fatalf("record at %d, length %d, state %q", r.Off, r.Len, r.State)
		}
		if r.State == "slack" {
			slack++
		} else {
			records++
		}
		r.Data() // an error is as good as a value, a panic is not
	}
	c := l.Census()
	if c.Records != records || c.Unreadable != errs || c.Slack != slack {
		t.Fatalf("census counts %d, %d and %d, want %d records, %d errors and %d in slack", c.Records, c.Unreadable, c.Slack, records, errs, slack)
	}
	return records, errs + len(c.Holes)
}

// rounds is how many logs are damaged in each way: SHARETRAIL_MUTANTS says how
// many for a long run.
func rounds(t testing.TB) int {
	if n, err := strconv.Atoi(os.Getenv("SHARETRAIL_MUTANTS")); err == nil {
		return n
	}
	if testing.Short() {
		return 100
	}
	return 800
}

// TestMutants damages a log in the ways that copies of running systems and
// bad disks do: bytes, foreign sectors, foreign tails.
func TestMutants(t *testing.T) {
	const n = 60
	sound := build(t, mixed(n), evtxtest.Options{})
	foreign := build(t, mixed(n), evtxtest.Options{FirstRecordID: 900, NoTemplates: true})
	if r, e := drain(t, sound); r != n || e != 0 {
		t.Fatalf("sound log: %d records, %d errors", r, e)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	kinds := []struct {
		name   string
		damage func(c []byte)
	}{
		{"bytes", func(c []byte) {
			for range 1 + rnd.IntN(4) {
				c[rnd.IntN(len(c))] = byte(rnd.Uint32())
			}
		}},
		{"sector", func(c []byte) {
			at := 512 * rnd.IntN(len(c)/512)
			copy(c[at:at+512], foreign[4096+512*rnd.IntN(128):])
		}},
		{"tail", func(c []byte) {
			at := 512 * rnd.IntN(len(c)/512)
			copy(c[at:], foreign[4096+at:])
		}},
		{"zeros", func(c []byte) { at := 512 * rnd.IntN(len(c)/512); clear(c[at:min(len(c), at+2048)]) }},
	}
	for _, k := range kinds {
		var worst costtest.Worst
		records, silent := 0, 0
		rounds := rounds(t)
		for range rounds {
			b := bytes.Clone(sound)
			k.damage(b[4096:min(len(b), 4096+65536)])
			r, e := 0, 0
			worst.Read(func() { r, e = drain(t, b) })
			if records += r; r < n && e == 0 {
				silent++
			}
		}
		t.Logf("%s: %d of %d records read", k.name, records, rounds*n)
		if silent > 0 {
			t.Errorf("%s: records were lost without an error %d times", k.name, silent)
		}
		worst.Check(t, k.name)
	}
}

// TestMemoryIsFlat: live memory does not grow with the log.
func TestMemoryIsFlat(t *testing.T) {
	heap := func(n int) uint64 {
		b := build(t, shareEvents(n), evtxtest.Options{})
		l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var base, m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&base)
		seen := 0
		var peak uint64
		for _, err := range l.Records(func(*eventlog.Record) bool { return true }) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen == n-1 {
				runtime.GC()
				runtime.ReadMemStats(&m)
				peak = m.HeapAlloc - min(base.HeapAlloc, m.HeapAlloc)
			}
		}
		runtime.KeepAlive(b)
		return peak
	}
	small, large := heap(500), heap(20000)
	if large > small+(4<<20) {
		t.Errorf("%d bytes for 500 records, %d for 20,000", small, large)
	}
}

func FuzzRecords(f *testing.F) {
	for _, o := range []evtxtest.Options{{}, {NoTemplates: true}, {HeaderIDOffset: -3, FirstRecordID: 10}} {
		b := build(f, mixed(6), o)
		f.Add(b[4096:8192])
	}
	f.Fuzz(func(t *testing.T, chunk []byte) {
		b := make([]byte, 4096+65536)
		copy(b, "ElfFile\x00")
		copy(b[4096:], chunk)
		copy(b[4096:], "ElfChnk\x00")
		at := time.Now()
		drain(t, b)
		if d := time.Since(at); d > 5*time.Second {
			t.Fatalf("one chunk took %v", d)
		}
	})
}

// FuzzData changes the BinXML of one record whose frame stays sound.
func FuzzData(f *testing.F) {
	for _, o := range []evtxtest.Options{{}, {NoTemplates: true}} {
		b := build(f, mixed(5), o)
		for _, at := range offsets(b, 4096) {
			f.Add(b[at+24 : at+int(le.Uint32(b[at+4:]))-4])
		}
	}
	f.Fuzz(func(t *testing.T, xml []byte) {
		if len(xml) > 60000 {
			return
		}
		b := make([]byte, 4096+65536)
		copy(b, "ElfFile\x00")
		c := b[4096:]
		copy(c, "ElfChnk\x00")
		size := uint32(24 + len(xml) + 4)
		copy(c[512:], "**\x00\x00")
		le.PutUint32(c[516:], size)
		le.PutUint64(c[520:], 1)
		copy(c[536:], xml)
		le.PutUint32(c[512+size-4:], size)
		le.PutUint32(c[48:], 512+size)
		le.PutUint64(c[8:], 1)
		le.PutUint64(c[16:], 1)
		if r, e := drain(t, b); r+e == 0 {
			t.Fatal("the record is neither read nor reported")
		}
	})
}

func BenchmarkRecords(b *testing.B) {
	log := build(b, shareEvents(20000), evtxtest.Options{})
	for _, c := range []struct {
		name string
		want func(*eventlog.Record) bool
	}{
		{"want=none", nil},
		{"want=1%", func(r *eventlog.Record) bool { return r.ID%100 == 0 }},
		{"want=all", func(*eventlog.Record) bool { return true }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				l, err := eventlog.Open(bytes.NewReader(log), int64(len(log)))
				if err != nil {
					b.Fatal(err)
				}
				for r, err := range l.Records(c.want) {
					if err != nil {
						b.Fatal(err)
					}
					if n++; c.want != nil && c.want(r) {
						r.Data()
					}
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
