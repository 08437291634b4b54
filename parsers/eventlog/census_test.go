package eventlog_test

import (
	"bytes"
	"fmt"
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
