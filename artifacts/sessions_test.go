package artifacts

import (
	"fmt"
	"testing"

	"sharetrail/artifacts/evidence"
)

// session makes a fact of one logon session.
func session(a evidence.Action, id, typ string) evidence.Observation {
	return evidence.Observation{Action: a, LogonID: id, Detail: evidence.Detail{{Name: "LogonType", Value: typ}}}
}

// TestSessionsFollowRows holds that a logon of the network is a row only if a
// row belongs to its session, and that what is held does not grow with the log.
func TestSessionsFollowRows(t *testing.T) {
	for _, c := range []struct {
		name string
		all  bool
		in   []evidence.Observation
		want []evidence.Action
	}{
		{"nothing belongs to it", false, []evidence.Observation{session(evidence.Logon, "0x1", "3"), session(evidence.Logoff, "0x1", "3")}, nil},
		{"a use belongs to it", false, []evidence.Observation{session(evidence.Logon, "0x1", "3"), session(evidence.Used, "0x1", ""), session(evidence.Logoff, "0x1", "3")},
			[]evidence.Action{evidence.Logon, evidence.Used, evidence.Logoff}},
		{"a use of another session", false, []evidence.Observation{session(evidence.Logon, "0x1", "3"), session(evidence.Used, "0x2", ""), session(evidence.Logoff, "0x1", "3")}, []evidence.Action{evidence.Used}},
		{"a person's session", false, []evidence.Observation{session(evidence.Logon, "0x1", "10"), session(evidence.Logoff, "0x1", "10")}, []evidence.Action{evidence.Logon, evidence.Logoff}},
		{"all are asked for", true, []evidence.Observation{session(evidence.Logon, "0x1", "5"), session(evidence.Logoff, "0x1", "5")}, []evidence.Action{evidence.Logon, evidence.Logoff}},
	} {
		e := &Emitter{allContext: c.all}
		for _, o := range c.in {
			e.keep(evidence.NewFact(o))
		}
		var got []evidence.Action
		for _, o := range e.Observations {
			got = append(got, o.Action)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	e := &Emitter{}
	for i := range 10 * maxHeld {
		e.keep(evidence.NewFact(session(evidence.Logon, fmt.Sprintf("%#x", i), "3")))
		e.keep(evidence.NewFact(session(evidence.Logon, "0x3e7", "5")))
	}
	if len(e.sessions.held) > maxHeld || len(e.sessions.order) > 2*maxHeld || len(e.Observations) != 0 {
		t.Errorf("held %d, order %d, rows %d", len(e.sessions.held), len(e.sessions.order), len(e.Observations))
	}
}
