package evidence

import (
	"reflect"
	"testing"
	"time"
)

func whole() Observation {
	at := &Place{Path: "Security.evtx"}
	return Observation{
		ID: "1", Time: time.Unix(1, 0).UTC(), LogonID: "0x1", User: "alice", Detail: Detail{{Name: "LogonType", Value: "2"}},
		From: Provenance{Place: at, Offset: 512, Length: 96, Channel: "Security", RecordID: 7}, Views: []*Place{at},
	}
}

// TestFact: a fact is the whole observation, whoever it shares its statement with.
func TestFact(t *testing.T) {
	o := whole()
	a, b := NewFact(o), NewFact(o)
	b.Observation = a.Observation
	b.Time, b.LogonID = time.Unix(2, 0).UTC(), "0x2"
	if got := a.Whole(); !reflect.DeepEqual(got, o) {
		t.Errorf("%+v\nwant %+v", got, o)
	}
	own := b.Own()
	own.Detail[0].Value = "10"
	own.User = "bob"
	if a.User != "alice" || a.Detail.Text("LogonType") != "2" || b.User != "bob" || b.Whole().Detail.Text("LogonType") != "10" {
		t.Errorf("a change of one fact reached another: %+v, %+v", a.Whole(), b.Whole())
	}
	snapshot := &Place{Path: "Security.evtx", Snapshot: "vss1"}
	a.AddViews(snapshot)
	a.AddPlace(Provenance{Place: snapshot, Offset: 1024})
	if b.AlsoAt() != nil || len(b.Views()) != 1 || len(a.Views()) != 2 || len(a.Whole().AlsoAt) != 1 {
		t.Errorf("places: %v %v, %v %v", a.Views(), a.AlsoAt(), b.Views(), b.AlsoAt())
	}
	moved := a.At(func(p *Place) *Place { c := *p; c.Volume = "p1"; return &c })
	if moved.AlsoAt()[0].Volume != "p1" || moved.Views()[1].Volume != "p1" || a.AlsoAt()[0].Volume != "" || a.Views()[1].Volume != "" {
		t.Errorf("moved: %+v, %+v", moved.AlsoAt(), a.AlsoAt())
	}
}

// TestFactID: the id is that of the observation.
func TestFactID(t *testing.T) {
	o := whole()
	f := NewFact(o)
	for n := range 2 {
		o.SetID(n)
		f.SetID(n)
		if f.ID != o.ID || f.Whole().ID != o.ID {
			t.Errorf("ordinal %d: %s, want %s", n, f.ID, o.ID)
		}
	}
}
