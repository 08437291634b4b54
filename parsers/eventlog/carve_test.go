package eventlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

// stream returns n bytes that are not a log.
func stream(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return b
}

func carve(r *bytes.Reader, o eventlog.Options) (states map[string]int, errs []error, l *eventlog.Log) {
	l = eventlog.Carve(r, r.Size())
	states = make(map[string]int)
	for rec, err := range l.Read(o) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		states[rec.State]++
	}
	return states, errs, l
}

func TestCarve(t *testing.T) {
	log := build(t, shareEvents(60), evtxtest.Options{RecordsPerChunk: 20})
	chunk := func(i int) []byte { return log[4096+65536*i : 4096+65536*(i+1)] }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	half := offsets(log, 4096)[10] - 4096
	for _, c := range []struct {
		name   string
		b      []byte
		carved int
		errs   string
	}{
		{"nothing", stream(300000), 0, ""},
		{"empty", nil, 0, ""},
		{"less than a sector", stream(5), 0, ""},
		{"a log", log, 60, ""},
		{"in between", join(stream(512*7), chunk(1), stream(512*1000), chunk(0), stream(100)), 40, ""},
		{"side by side, one twice", join(stream(512), chunk(2), chunk(2), chunk(1)), 60, ""},
		{"not on a sector", join(stream(100), chunk(0)), 0, ""},
		{"across the window", join(stream(512*511), chunk(0), stream(512)), 20, ""},
		{"cut at the end", join(stream(512), chunk(0)[:half+30]), 10, "cut off"},
		{"ends in another chunk", join(chunk(0)[:half&^511], chunk(1)), 20 + 8, "cut off"},
		{"ends in something else", join(chunk(0)[:half&^511], stream(65536)), 8, "records are lost|hold no whole record"},
		{"a signature alone", join([]byte("ElfChnk\x00"), stream(70000)), 0, ""},
	} {
		states, errs, l := carve(bytes.NewReader(c.b), eventlog.Options{})
		all := fmt.Sprint(errors.Join(errs...))
		matched := c.errs == "" && len(errs) == 0
		for _, s := range strings.Split(c.errs, "|") {
			matched = matched || s != "" && strings.Contains(all, s)
		}
		if states["carved"] != c.carved || len(states) > 1 || !matched {
			t.Errorf("%s: %v, errors %v", c.name, states, errs)
		}
		if n := l.Census(); n.Records != c.carved || n.Unreadable != len(errs) {
			t.Errorf("%s: census %+v", c.name, n)
		}
		many, more, _ := carve(bytes.NewReader(c.b), eventlog.Options{Jobs: 3})
		if fmt.Sprint(many, more) != fmt.Sprint(states, errs) {
			t.Errorf("%s: three jobs yield %v %v", c.name, many, more)
		}
	}
}

// TestCarveSlack: what a chunk held before is found, and a definition lent by
// a chunk of another place.
func TestCarveSlack(t *testing.T) {
	b := slackLog(t)
	s := append(append(stream(512*9), b[4096+65536:]...), b[4096:4096+65536]...)
	states, errs, l := carve(bytes.NewReader(s), eventlog.Options{Slack: true})
	if states["carved"] != 23 || states["slack"] != 17 || len(errs) > 0 || l.Census().SlackUnread != 0 {
		t.Errorf("%v, errors %v, census %+v", states, errs, l.Census())
	}
}

// TestCarveHeadless: a chunk whose first clusters belong to something else is found
// by a template that a later record in it defines.
func TestCarveHeadless(t *testing.T) {
	events := mixed(40)
	for i := range events {
		if i < 20 { // the first half is of one kind, so that the second brings templates
			events[i] = shareEvents(1)[0]
		}
	}
	log := build(t, events, evtxtest.Options{})
	off := offsets(log, 4096)
	for _, c := range []struct {
		name string
		lost int // bytes of the chunk
		want int // records, at least
	}{{"the header", 512, 39}, {"a cluster", 4096, 20}, {"half of the records", off[20] - 4096, 15}} {
		chunk := bytes.Clone(log[4096 : 4096+65536])
		copy(chunk, stream(c.lost))
		for _, at := range []int{512 * 3, 512 * 511, 16<<20 - 512, 16<<20 - 8192} {
			b := append(append(stream(at), chunk...), stream(512*300)...)
			run := func(jobs int) (ids []uint64, lent int) {
				l := eventlog.Carve(bytes.NewReader(b), int64(len(b)))
				whole, err := eventlog.Open(bytes.NewReader(log), int64(len(log)))
				if err != nil {
					t.Fatal(err)
				}
				for r, err := range l.Read(eventlog.Options{Slack: true, Jobs: jobs, Lenders: []eventlog.Lender{{Name: "whole", Log: whole}}}) {
					if err == nil && !r.Unsound {
						ids = append(ids, r.ID)
						lent += len(r.Lent)
						if r.Doubt == "" {
							t.Errorf("record %d is not doubted", r.ID)
						}
					}
				}
				return ids, lent
			}
			ids, lent := run(1)
			if len(ids) < c.want || lent == 0 && c.lost > 512 {
				t.Errorf("%s lost, at %d: records %v, %d lent", c.name, at, ids, lent)
			}
			if many, _ := run(3); fmt.Sprint(many) != fmt.Sprint(ids) {
				t.Errorf("%s lost, at %d: three jobs yield %v", c.name, at, many)
			}
		}
	}
}

// TestCarveUnreadable: bytes that cannot be read are named once, and what lies
// around them is found.
func TestCarveUnreadable(t *testing.T) {
	log := build(t, shareEvents(40), evtxtest.Options{RecordsPerChunk: 20})
	s := append(append(append([]byte(nil), log[4096:4096+65536]...), stream(1<<20)...), log[4096+65536:]...)
	l := eventlog.Carve(holedReader{bytes.NewReader(s), 200000, 700000}, int64(len(s)))
	n, bad := 0, []error(nil)
	for _, err := range l.Read(eventlog.Options{}) {
		if err != nil {
			bad = append(bad, err)
		} else {
			n++
		}
	}
	if n != 40 || len(bad) != 1 || binread.Offset(bad[0]) < 190000 || binread.Offset(bad[0]) > 200000 || !strings.Contains(bad[0].Error(), "not readable") {
		t.Errorf("%d records, errors %v", n, bad)
	}
	l = eventlog.Carve(brokenReader{}, 1<<30)
	bad = nil
	for _, err := range l.Read(eventlog.Options{}) {
		bad = append(bad, err)
	}
	if len(bad) != 1 || !errors.Is(bad[0], errBroken) {
		t.Errorf("broken reader: %v", bad)
	}
	s = s[:100000] // shorter than is said
	bad = nil
	for _, err := range eventlog.Carve(bytes.NewReader(s), 1<<40).Read(eventlog.Options{}) {
		if err != nil {
			bad = append(bad, err)
		}
	}
	if len(bad) != 1 {
		t.Errorf("short stream: %v", bad)
	}
}

// FuzzCarve: any bytes are read to their end, with what lies outside the lists.
func FuzzCarve(f *testing.F) {
	b := slackLog(f)
	f.Add(b[4096:6000])
	f.Add(b[4096+65536 : 4096+65536+8192])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<17 {
			b = append(b, make([]byte, 1<<17-len(b))...)
		}
		copy(b, "ElfChnk\x00")
		states, errs, l := carve(bytes.NewReader(b), eventlog.Options{Slack: true, Want: func(*eventlog.Record) bool { return true }})
		c := l.Census()
		if c.Records != states["carved"] || c.Slack != states["slack"] || c.Unreadable != len(errs) || len(states) > 2 {
			t.Fatalf("%v, %d errors, census %+v", states, len(errs), c)
		}
		for _, err := range errs {
			if binread.Offset(err) < 0 {
				t.Errorf("error without an offset: %v", err)
			}
		}
	})
}
