package eventlog_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

func at(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

func TestCensusSeries(t *testing.T) {
	ev := func(id uint64, sec int, channel string) evtxtest.Event {
		return evtxtest.Event{Channel: channel, Computer: "FS1", RecordID: id, Time: at(sec)}
	}
	r := read(t, build(t, []evtxtest.Event{
		// A log that wrapped: the newest chunk is stored first.
		ev(50, 50, "Security"), ev(51, 51, "Security"),
		ev(10, 10, "Security"), ev(11, 11, "Security"),
		// Two are missing, and another channel lies between.
		ev(14, 14, "Security"), ev(3, 3, "System"), ev(15, 13, "Security"), ev(16, 16, "Security"),
	}, evtxtest.Options{RecordsPerChunk: 2}))
	want := []eventlog.ChannelCensus{{
		Channel: "Security", Computer: "FS1", Count: 7,
		First: eventlog.Mark{ID: 10, Time: at(10)}, Last: eventlog.Mark{ID: 51, Time: at(51)},
		Oldest: eventlog.Mark{ID: 10, Time: at(10)}, Newest: eventlog.Mark{ID: 51, Time: at(51)},
		Series: []eventlog.IDRange{
			{First: 10, Last: 11, FirstTime: at(10), LastTime: at(11)},
			{First: 14, Last: 16, FirstTime: at(14), LastTime: at(16)},
			{First: 50, Last: 51, FirstTime: at(50), LastTime: at(51)},
		},
		TimeStepsBack: 2, // to the older chunk, and from 14 to 15
	}, {
		Channel: "System", Computer: "FS1", Count: 1,
		First: eventlog.Mark{ID: 3, Time: at(3)}, Last: eventlog.Mark{ID: 3, Time: at(3)},
		Oldest: eventlog.Mark{ID: 3, Time: at(3)}, Newest: eventlog.Mark{ID: 3, Time: at(3)},
		Series: []eventlog.IDRange{{First: 3, Last: 3, FirstTime: at(3), LastTime: at(3)}},
	}}
	if d := cmp.Diff(want, r.census.Channels); d != "" || len(r.errs) > 0 {
		t.Errorf("%v: %s", r.errs, d)
	}
	if c := r.census; c.Records != 8 || c.Chunks != 4 || c.Reexported() || c.Bytes != 4096+4*65536 {
		t.Errorf("%+v", c)
	}
}

func TestCensusReexported(t *testing.T) {
	events := shareEvents(5)
	for i := range events {
		events[i].Time = at(10 * i)
	}
	c := read(t, build(t, events, evtxtest.Options{FirstRecordID: 100, HeaderIDOffset: -99})).census
	if !c.Reexported() || c.HeaderIDDiffers != 5 || c.HeaderTimeZero != 1 || c.HeaderTimeDiffers != 4 {
		t.Errorf("%+v", c)
	}
	if s := c.Channels[0].Series; len(s) != 1 || s[0].First != 100 || s[0].Last != 104 {
		t.Errorf("series %+v", s)
	}
}

// TestCensusReexportedTampered: a change to few records does not make a log an
// export, and an export with its first gap late is still one.
func TestCensusReexportedTampered(t *testing.T) {
	sound := build(t, shareEvents(60), evtxtest.Options{})
	off := offsets(sound, 4096)
	for _, c := range []struct {
		name                string
		damage              func(b []byte)
		reexported, changed bool
	}{
		{"sound", func([]byte) {}, false, false},
		{"number of one", func(b []byte) { b[off[30]+15] = 1 }, false, true},
		{"number of the last", func(b []byte) { b[off[59]+15] = 1 }, false, true},
		{"time of one", func(b []byte) { clear(b[off[0]+16 : off[0]+24]) }, false, true},
		{"number of every other one", func(b []byte) {
			for i := 1; i < 60; i += 2 {
				b[off[i]+15] = 1
			}
		}, false, true},
		{"exported", func(b []byte) {
			for i, at := range off {
				le.PutUint64(b[at+8:], uint64(i+1+i/20*7))
			}
		}, true, false},
	} {
		b := bytes.Clone(sound)
		c.damage(b)
		resum(b, 4096)
		r := read(t, b)
		if got := r.census; got.Reexported() != c.reexported || got.HeadersChanged() != c.changed {
			t.Errorf("%s: re-exported %v, changed %v", c.name, got.Reexported(), got.HeadersChanged())
		}
	}
	// A filter left out what came after the 40th of 60: the copies are counted.
	events := append(shareEvents(40), shareEvents(20)...)
	b := build(t, events, evtxtest.Options{})
	for _, at := range offsets(b, 4096)[40:] {
		xml := b[at+24 : at+int(le.Uint32(b[at+4:]))]
		id := le.AppendUint64(nil, le.Uint64(b[at+8:]))
		i := bytes.Index(xml, id)
		if i < 0 {
			t.Fatal("no EventRecordID")
		}
		le.PutUint64(xml[i:], le.Uint64(id)+500)
	}
	resum(b, 4096)
	if c := read(t, b).census; c.HeaderIDDiffers != 20 || !c.Reexported() || c.HeadersChanged() {
		t.Errorf("filtered: %d differ, re-exported %v", c.HeaderIDDiffers, c.Reexported())
	}
}

// TestCensusHole: records that are gone from a list without damage are a hole,
// not an error.
func TestCensusHole(t *testing.T) {
	sound := build(t, shareEvents(40), evtxtest.Options{RecordsPerChunk: 20})
	off := offsets(sound, 4096)
	b := bytes.Clone(sound)
	free := int(le.Uint32(b[4096+48:]))
	cut := off[7] - off[5] // two records taken out, and the rest moved up
	copy(b[off[5]:4096+free], sound[off[7]:4096+free])
	clear(b[4096+free-cut : 4096+free])
	le.PutUint32(b[4096+48:], uint32(free-cut))
	resum(b, 4096)
	r := read(t, b)
	want := []eventlog.Hole{{Chunk: 0, Off: 4096, Missing: 2, Of: 20}}
	if len(r.errs) > 0 || len(r.recs) != 38 || r.census.Missing != 2 || r.census.Unreadable != 0 {
		t.Fatalf("%d records, errors %v, census %+v", len(r.recs), r.errs, r.census)
	}
	if d := cmp.Diff(want, r.census.Holes); d != "" {
		t.Error(d)
	}
	if s := r.census.Channels[0].Series; len(s) != 2 || s[0].Last != 5 || s[1].First != 8 {
		t.Errorf("series %+v", s)
	}
	for i, rec := range r.recs {
		if doubted := strings.Contains(rec.Doubt, "stored right before it has the header number 5"); doubted != (i == 5) {
			t.Errorf("record %d: doubt %q", rec.ID, rec.Doubt)
		}
	}
}

// TestCensusBounds: a log in which every record is a gap and of a channel of
// its own does not grow the census without limit, and it says so.
func TestCensusBounds(t *testing.T) {
	var gaps, channels []evtxtest.Event
	for i := range 6000 {
		gaps = append(gaps, evtxtest.Event{Channel: "Security", RecordID: uint64(2*i + 1), Time: at(i)})
	}
	for i := range 1500 {
		channels = append(channels, evtxtest.Event{Channel: fmt.Sprint(i), Time: at(i)})
	}
	c := read(t, build(t, gaps, evtxtest.Options{})).census
	if n := len(c.Channels[0].Series); n != 4096 || c.DroppedSeries != 6000-4096 || c.Channels[0].Count != 6000 || c.Channels[0].Last.ID != 11999 {
		t.Errorf("%d series, %d dropped, count %d", n, c.DroppedSeries, c.Channels[0].Count)
	}
	c = read(t, build(t, channels, evtxtest.Options{})).census
	if len(c.Channels) != 1024 || c.DroppedChannels != 1500-1024 || c.Records != 1500 {
		t.Errorf("%d channels, %d records dropped", len(c.Channels), c.DroppedChannels)
	}
}

// TestStop: a consumer may end early and start again.
func TestStop(t *testing.T) {
	b := build(t, shareEvents(20), evtxtest.Options{})
	l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for range l.Records(nil) {
		break
	}
	if c := l.Census(); c.Records != 1 {
		t.Errorf("%d records after one", c.Records)
	}
	n := 0
	for r, err := range l.Records(func(r *eventlog.Record) bool { return r.ID == 7 }) {
		if err != nil {
			t.Fatal(err)
		}
		fields, err := r.Data() // also of those that were not wanted
		if n++; err != nil || len(fields) != 6 {
			t.Errorf("record %d: %v, %v", r.ID, fields, err)
		}
	}
	if n != 20 || l.Census().Records != 20 {
		t.Errorf("%d records, census %d", n, l.Census().Records)
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, ""}, {"x", "x"}, {uint64(1 << 63), "9223372036854775808"}, {int64(-1), "-1"}, {eventlog.Hex(0), "0x0"},
		{eventlog.Hex(0xABC), "0xabc"}, {true, "true"}, {false, "false"}, {[]byte{0, 0xaf}, "00AF"}, {[]byte(nil), ""},
		{time.Time{}, ""}, {start.In(time.FixedZone("", 7200)), "2024-02-29T13:14:15.1234567Z"}, {[]string{"a", "b"}, "a; b"},
		{1.5, "1.5"},
	} {
		if got := eventlog.Text(c.v); got != c.want {
			t.Errorf("%#v: %q, want %q", c.v, got, c.want)
		}
	}
}
