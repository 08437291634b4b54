package artifacts

import (
	"fmt"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

// TestFloodsAreBounded follows more facts than are kept at one time: a fact
// that comes again stays one row, and nothing is lost from the counts.
func TestFloodsAreBounded(t *testing.T) {
	e := &Emitter{place: &evidence.Place{}, artifact: "share-access"}
	const facts = 3 * maxFloods
	for i := range facts {
		for _, key := range []string{fmt.Sprint(i), "again"} {
			rec := &eventlog.Record{Off: 4096, ID: uint64(i), Time: time.Unix(int64(i), 0).UTC(), Channel: "Security"}
			e.ObserveRepeated(rec, key, fmt.Sprint("file", i), evidence.Observation{Action: evidence.Used, LogonID: "0x1"})
		}
	}
	if n := len(e.floods.rows); n > maxFloods || len(e.floods.order) > 2*maxFloods {
		t.Errorf("%d facts and %d turns are followed, want %d at most", n, len(e.floods.order), maxFloods)
	}
	if len(e.Observations) != facts+1 {
		t.Fatalf("%d rows, want %d", len(e.Observations), facts+1)
	}
	again := e.Observations[1]
	if again.Detail.Get("count") != uint64(facts) || again.Detail.Get("first") != time.Unix(0, 0).UTC() || again.Detail.Get("last") != time.Unix(facts-1, 0).UTC() {
		t.Errorf("the repeated row has %v", again.Detail)
	}
	if len(again.Detail.List("names")) != maxNames || again.Detail.Get("more_names") != true {
		t.Errorf("names %v, more %v", again.Detail.List("names"), again.Detail.Get("more_names"))
	}
}

// TestFloodsAreReversible holds that all context has a row a record.
func TestFloodsAreReversible(t *testing.T) {
	e := &Emitter{place: &evidence.Place{}, allContext: true}
	for i := range 10 {
		e.ObserveRepeated(&eventlog.Record{ID: uint64(i)}, "key", "", evidence.Observation{Action: evidence.Used})
	}
	if len(e.Observations) != 10 || e.Observations[9].Detail.Get("count") != nil {
		t.Errorf("%d rows: %v", len(e.Observations), e.Observations)
	}
}

// TestFailuresWitnessNothing: failures of share access are switched on apart, and do
// not show that successes, such as 5144, were recorded.
func TestFailuresWitnessNothing(t *testing.T) {
	for keywords, want := range map[uint64]int{0x8020000000000000: 1, 0x8010000000000000: 0} {
		e := &Emitter{place: &evidence.Place{}, artifact: "share-access"}
		rec := &eventlog.Record{ID: 7, Time: time.Unix(1, 0).UTC(), Channel: "Security", EventID: 5140, Keywords: keywords}
		readShareAccess(rec, Data{{Name: "ShareName", Value: `\\*\x`}}, e)
		if len(e.witness) != want {
			t.Errorf("keywords %#x: %d witnesses, want %d", keywords, len(e.witness), want)
		}
	}
}
