package eventlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/eventlog/evtxtest"
)

// A summary of what an iteration yields, in its order.
func list(t testing.TB, b []byte, o eventlog.Options) (lines []string, census eventlog.Census) {
	t.Helper()
	l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range l.Read(o) {
		if err != nil {
			lines = append(lines, "error: "+err.Error())
			continue
		}
		line := fmt.Sprintf("%d %s %s", r.HeaderID, r.State, r.Doubt)
		fields, err := r.Data()
		for _, f := range fields {
			line += " " + f.Name + "=" + eventlog.Text(f.Value)
		}
		if err != nil {
			line += " error: " + err.Error()
		}
		lines = append(lines, line)
	}
	return lines, l.Census()
}

// slackLog returns a log whose second chunk was used before: 3 records are in
// its list, 17 behind it.
func slackLog(t testing.TB) []byte {
	b := build(t, shareEvents(40), evtxtest.Options{RecordsPerChunk: 20})
	const chunk = 4096 + 65536
	off := offsets(b, chunk)
	le.PutUint32(b[chunk+48:], uint32(off[3]-chunk))
	le.PutUint64(b[chunk+16:], 23)
	for _, at := range off[3:] { // or the numbers go on, as in a log that was open
		le.PutUint64(b[at+8:], le.Uint64(b[at+8:])-15)
	}
	resum(b, chunk)
	return b
}

func TestSlack(t *testing.T) {
	b := slackLog(t)
	lines, census := list(t, b, eventlog.Options{Slack: true})
	if len(lines) != 40 || census.Records != 23 || census.Slack != 17 || census.SlackUnread != 0 || census.Unreadable != 0 {
		t.Fatalf("%d elements, census %+v", len(lines), census)
	}
	for i, s := range lines {
		state := "live"
		if i >= 23 {
			state = "slack it lies outside the record list of its chunk"
		}
		if !strings.Contains(s, state) || !strings.Contains(s, fmt.Sprintf("SubjectUserName=user%d ", i)) {
			t.Errorf("element %d: %s", i, s)
		}
	}
	if lines, census := list(t, b, eventlog.Options{}); len(lines) != 23 || census.Slack != 0 {
		t.Errorf("without Slack: %d elements, census %+v", len(lines), census)
	}
}

// TestSlackForeign: the definition that records in slack need is overwritten;
// the first chunk has it.
func TestSlackForeign(t *testing.T) {
	b := slackLog(t)
	const chunk = 4096 + 65536
	off := offsets(b, chunk)
	clear(b[off[0]+24 : off[1]]) // holds the definitions
	le.PutUint32(b[off[1]-4:], uint32(off[1]-off[0]))
	resum(b, chunk)
	lines, census := list(t, b, eventlog.Options{Slack: true})
	if census.Slack != 17 || census.SlackUnread != 0 || census.Records != 22 || census.Unreadable == 0 {
		t.Fatalf("census %+v", census)
	}
	for _, s := range lines[len(lines)-17:] {
		if !strings.Contains(s, "slack") || !strings.Contains(s, "read from a definition with the same id") || !strings.Contains(s, "SubjectUserName=user") {
			t.Errorf("%s", s)
		}
	}
	// With Own, those of the slack stay as they are; those of the list do not.
	own, census := list(t, b, eventlog.Options{Slack: true, Own: true})
	if n := len(lines) - 17; census.Slack != 17 || census.SlackUnread != 17 || !slices.Equal(own[:n], lines[:n]) {
		t.Errorf("own: census %+v, %q", census, own)
	}
	// Alone, the chunk has nothing that tells what the values mean.
	alone := oneChunk(b[:4096], b[chunk:])
	lines, census = list(t, alone, eventlog.Options{Slack: true})
	if census.Slack != 17 || census.SlackUnread != 17 {
		t.Errorf("alone: census %+v", census)
	}
	for _, s := range lines[len(lines)-17:] {
		if !strings.Contains(s, "only its header can be read") {
			t.Errorf("%s", s)
		}
	}
}

// TestSlackNames: a definition in slack that lost its names to a newer record
// must not lend that record's bytes as names.
func TestSlackNames(t *testing.T) {
	b := slackLog(t)
	const chunk = 4096 + 65536
	at := chunk + bytes.Index(b[chunk:chunk+65536], utf16("EventData"))
	copy(b[at:], utf16("Otherwise"))
	resum(b, chunk)
	alone := oneChunk(b[:4096], b[chunk:])
	lines, _ := list(t, alone, eventlog.Options{Slack: true})
	for i, s := range lines[3:] {
		if strings.Contains(s, "Otherwise") || !strings.Contains(s, "not the hash") {
			t.Errorf("element %d: %s", i, s)
		}
	}
}

func utf16(s string) (b []byte) {
	for _, r := range s {
		b = append(b, byte(r), 0)
	}
	return b
}

// TestSlackHidden: a record taken out of the list by making the one before it
// longer is read.
func TestSlackHidden(t *testing.T) {
	b := build(t, shareEvents(5), evtxtest.Options{})
	off := offsets(b, 4096)
	size := uint32(off[3] - off[1])
	le.PutUint32(b[off[1]+4:], size)
	le.PutUint32(b[off[3]-4:], size)
	le.PutUint64(b[4096+16:], 4)
	resum(b, 4096)
	lines, census := list(t, b, eventlog.Options{Slack: true})
	if len(lines) != 5 || census.Slack != 1 || !strings.Contains(lines[4], "3 slack") || !strings.Contains(lines[4], "SubjectUserName=user2 ") {
		t.Errorf("%q", lines)
	}
}

// TestJobs: neither what is yielded nor the order in which records are chosen
// depends on the number of workers, on sound logs and on damaged ones.
func TestJobs(t *testing.T) {
	sound := build(t, mixed(400), evtxtest.Options{RecordsPerChunk: 13})
	damaged := bytes.Clone(sound)
	for i := 4096; i < len(damaged); i += 65536 {
		switch at := i + 512 + i/65536*40; i / 65536 % 6 {
		case 1:
			damaged[i] = 0
		case 2:
			clear(damaged[i+512 : i+600])
		case 3:
			damaged[at] ^= 0xff
		case 4:
			le.PutUint32(damaged[i+48:], 512)
		}
	}
	for name, b := range map[string][]byte{"sound": sound, "damaged": damaged, "short": sound[:len(sound)-70000], "empty": sound[:4096]} {
		for _, slack := range []bool{false, true} {
			var want []string
			for _, jobs := range []int{0, 1, 2, 3, 64} {
				var chosen []string
				o := eventlog.Options{Slack: slack, Jobs: jobs, Want: func(r *eventlog.Record) bool {
					chosen = append(chosen, fmt.Sprint("chosen ", r.HeaderID, r.State))
					return r.HeaderID%3 == 0
				}}
				got, census := list(t, b, o)
				got = append(append(got, chosen...), fmt.Sprintf("%+v", census))
				if jobs == 0 {
					want = got
				} else if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("%s, slack %v: %d jobs yield something else", name, slack, jobs)
				}
			}
		}
		// Records differs only in when it asks.
		r := read(t, b)
		lines, _ := list(t, b, eventlog.Options{Jobs: 2})
		if len(r.recs)+len(r.errs) != len(lines) {
			t.Errorf("%s: Records yields %d and %d, Read %d", name, len(r.recs), len(r.errs), len(lines))
		}
	}
}

// TestJobsStop: an iteration that ends early leaves no worker behind that
// reads the file.
func TestJobsStop(t *testing.T) {
	b := build(t, shareEvents(300), evtxtest.Options{RecordsPerChunk: 10})
	r := &countingReader{r: bytes.NewReader(b)}
	l, err := eventlog.Open(r, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range l.Read(eventlog.Options{Jobs: 4, Want: func(*eventlog.Record) bool { return true }}) {
		if n++; n == 25 {
			break
		}
	}
	before := r.calls.Load()
	if n != 25 || before == 0 {
		t.Fatalf("%d records, %d reads", n, before)
	}
	r.closed.Store(true)
	panicked := func() (v any) {
		defer func() { v = recover() }()
		for range l.Read(eventlog.Options{Jobs: 4}) {
		}
		return nil
	}()
	if panicked != errClosed {
		t.Errorf("a panic of the reader in a worker arrives as %v", panicked)
	}
}

var errClosed = errors.New("read after the end")

// A countingReader panics once it is closed.
type countingReader struct {
	r      io.ReaderAt
	calls  atomic.Int64
	closed atomic.Bool
}

func (c *countingReader) ReadAt(b []byte, off int64) (int, error) {
	if c.closed.Load() {
		panic(errClosed)
	}
	c.calls.Add(1)
	return c.r.ReadAt(b, off)
}

// TestSample: the library reads some records of each shape, the same for any
// number of jobs.
func TestSample(t *testing.T) {
	b := build(t, mixed(500), evtxtest.Options{RecordsPerChunk: 50})
	count := func(o eventlog.Options) (ids []uint64) {
		l, err := eventlog.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		o.Want = func(r *eventlog.Record) bool { return true }
		for r, err := range l.Read(o) {
			if err != nil {
				t.Fatal(err)
			}
			if r.Rendered {
				ids = append(ids, r.ID)
			}
		}
		return ids
	}
	if n := len(count(eventlog.Options{})); n != 500 {
		t.Errorf("%d of 500 rendered", n)
	}
	some := count(eventlog.Options{Sample: 20})
	// mixed has four shapes: 200, 100, 100 and 100 records.
	if want := 4 + 10 + 3*(4+5); len(some) != want {
		t.Errorf("%d rendered, want %d", len(some), want)
	}
	if again := count(eventlog.Options{Sample: 20, Jobs: 3}); fmt.Sprint(again) != fmt.Sprint(some) {
		t.Errorf("other records with three jobs: %v, %v", some, again)
	}
}
