package artifacts

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

// TestShare: facts share what they say and differ in nothing that they said.
func TestShare(t *testing.T) {
	say := func(user, logonType string, more ...evidence.Field) evidence.Observation {
		return evidence.Observation{Action: evidence.Logon, User: user, LogonID: "0x1" + user, Attack: []string{"T1021"},
			Detail: append(evidence.Detail{{Name: "LogonType", Value: logonType}}, more...)}
	}
	all := []evidence.Observation{
		say("alice", "2"), say("alice", "2"), say("bob", "2"), say("alice", "10"), say("", "alice"),
		say("alice", "2", evidence.Field{Name: "count", Value: uint64(2)}), say("alice", "2", evidence.Field{Name: "count", Value: uint64(3)}),
		say("alice", strings.Repeat("x", maxSame+1)), {Action: evidence.Logon, User: "alice", Process: &evidence.Process{PID: "1"}}, {Action: evidence.Logon, User: "alice"},
	}
	var s sameAs
	var facts []*evidence.Fact
	for _, o := range all {
		f := evidence.NewFact(o)
		s.share(f)
		facts = append(facts, f)
	}
	for i, f := range facts {
		if got := f.Whole(); !reflect.DeepEqual(got, all[i]) {
			t.Errorf("%d: %+v\nwant %+v", i, got, all[i])
		}
		for j := range i {
			if same := facts[j].Observation == f.Observation; same != (i == 1 && j == 0) {
				t.Errorf("%d and %d: shared %v", j, i, same)
			}
		}
	}
	for i := range 3 * maxTexts { // hostile: no two alike
		f := evidence.NewFact(say(fmt.Sprint(i), fmt.Sprint(i)))
		s.share(f)
	}
	if len(s.said) > maxSaid || len(s.texts) > maxTexts {
		t.Errorf("%d statements, %d texts", len(s.said), len(s.texts))
	}
}

// TestFactsAreSmall: one more logon costs its time and place, not what it says:
// 400 bytes is what a row of a log of any size may take.
func TestFactsAreSmall(t *testing.T) {
	const n = 50_000
	e := &Emitter{place: &evidence.Place{}, artifact: "logons"}
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	for i := range n {
		person := evidence.Observation{Action: evidence.Logon, User: fmt.Sprint("user", i%40), SID: fmt.Sprint("S-1-5-21-1-2-3-", i%40), LogonID: fmt.Sprintf("%#x", i),
			Summary: "Logon: a session of type 2 (interactive) began.", Detail: evidence.Detail{{Name: "LogonType", Value: "2"}, {Name: "ProcessName", Value: `C:\Windows\System32\winlogon.exe`}}}
		e.ObserveRecord(&eventlog.Record{ID: uint64(i), Channel: "Security", Provider: auditingProvider, EventID: 4624, Computer: "WS01"}, person)
	}
	if each := (inUse() - before) / n; len(e.Observations) != n || each > 250 {
		t.Errorf("%d facts, %d bytes each", len(e.Observations), each)
	}
	runtime.KeepAlive(e)
}
