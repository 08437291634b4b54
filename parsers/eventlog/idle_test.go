package eventlog

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
)

// dump is all that can be told of a log, as text.
func dump(b []byte) string {
	var out strings.Builder
	l, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err.Error()
	}
	for r, err := range l.Read(Options{Slack: true, Want: func(*Record) bool { return true }}) {
		if err != nil {
			fmt.Fprintln(&out, err)
			continue
		}
		fields, err := r.Data()
		fmt.Fprintln(&out, r.Off, r.State, r.ID, r.Time, r.Channel, r.Provider, r.EventID, r.Computer, r.UserID, r.Doubt, r.Rendered, fields, err)
	}
	fmt.Fprintf(&out, "%+v", l.Census())
	return out.String()
}

// TestIdle reads logs with readers that were used for others: nothing of these may
// be left in what they tell.
func TestIdle(t *testing.T) {
	var logs [][]byte
	for i := range 4 {
		var events []evtxtest.Event
		for n := range 50 {
			events = append(events, evtxtest.Event{
				Time: time.Date(2026, 1, 1, i, 0, n, 0, time.UTC), Provider: "Provider " + fmt.Sprint(i), Channel: "Channel " + fmt.Sprint(i/2), Computer: "PC",
				EventID: uint32(100 + n%7), Data: []evtxtest.Field{{Name: fmt.Sprint("Field", (n+i)%5), Value: fmt.Sprint("text ", n%3)}},
			})
		}
		b, err := evtxtest.Build(events, evtxtest.Options{})
		if err != nil {
			t.Fatal(err)
		}
		logs = append(logs, b)
	}
	for _, c := range costly() {
		f := newForge()
		c.forge(f)
		logs = append(logs, f.log())
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, b := range slices.Clone(logs) {
		for range 4 {
			b = bytes.Clone(b)
			for range 20 {
				b[16+rnd.IntN(len(b)-16)] = byte(rnd.Uint32())
			}
			logs = append(logs, b)
		}
	}
	want := make([]string, len(logs))
	for i, b := range logs {
		idle = sync.Pool{}
		want[i] = dump(b)
	}
	for range 3 {
		for _, i := range rnd.Perm(len(logs)) {
			if got := dump(logs[i]); got != want[i] {
				t.Fatalf("log %d depends on the logs that were read before:\n%s\nwant:\n%s", i, got, want[i])
			}
		}
	}
}
