package artifacts

import (
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

// A file server records an access to a file by the hundred thousand, and what
// every computer of a domain does with every domain controller all day. Records
// that repeat one fact are one row: the first of them, which tells how many
// there are and when the first and last was. With all context asked for there
// is a row a record, as before.

// maxFloods is how many repeated facts are followed at one time. The one that
// is not repeated for longest goes first; if it comes again it is a new row.
const maxFloods = 4096

// maxNames is how many different names a repeated fact keeps.
const maxNames = 16

// floods follow the repeated facts of one log.
type floods struct {
	rows  map[string]*flood
	order []floodTurn // oldest first
	turn  int
}

// A flood is the row of a repeated fact.
type flood struct {
	at          int // in Emitter.Observations
	turn        int // of its last repetition
	count       uint64
	first, last time.Time
	names       []string
	more        bool // names that were not kept
}

type floodTurn struct {
	key  string
	turn int
}

// ObserveRepeated is ObserveRecord for a fact that records repeat: those with
// the same key are one row. name is what tells one from the next, such as the
// file that was opened; "" if nothing does.
func (e *Emitter) ObserveRepeated(rec *eventlog.Record, key, name string, o evidence.Observation) {
	if e.allContext {
		e.ObserveRecord(rec, o)
		return
	}
	if e.known != nil && !e.known.take(rec) {
		return
	}
	key = e.artifact + "\x00" + rec.Computer + "\x00" + rec.Channel + "\x00" + string(o.Action) + "\x00" + key
	f := e.floods.rows[key]
	if f == nil {
		f = &flood{at: len(e.Observations), first: rec.Time, last: rec.Time}
		e.ObserveRecord(rec, o)
		if len(e.Observations) == f.at {
			return // a logon that is held back
		}
		f.at = len(e.Observations) - 1
		e.floods.add(key, f)
	}
	e.floods.again(key, f)
	f.count++
	if rec.Time.Before(f.first) {
		f.first = rec.Time
	}
	if rec.Time.After(f.last) {
		f.last = rec.Time
	}
	f.name(name)
	row := e.Observations[f.at]
	if f.count == 2 {
		row.Own()
	}
	if f.count > 1 {
		f.tell(row.Observation) // which is its own
	}
}

func (s *floods) add(key string, f *flood) {
	if s.rows == nil {
		s.rows = map[string]*flood{}
	}
	for len(s.rows) >= maxFloods && len(s.order) > 0 {
		t := s.order[0]
		s.order = s.order[1:]
		if old := s.rows[t.key]; old != nil && old.turn == t.turn {
			delete(s.rows, t.key)
		}
	}
	s.rows[key] = f
}

// again notes that f was repeated now.
func (s *floods) again(key string, f *flood) {
	if len(s.order) >= 2*maxFloods { // drop the turns that were followed by another
		kept := s.order[:0]
		for _, t := range s.order {
			if f := s.rows[t.key]; f != nil && f.turn == t.turn {
				kept = append(kept, t)
			}
		}
		s.order = kept
	}
	s.turn++
	f.turn = s.turn
	s.order = append(s.order, floodTurn{key, s.turn})
}

func (f *flood) name(s string) {
	if s == "" {
		return
	}
	s = clip(s)
	switch {
	case slices.Contains(f.names, s):
	case len(f.names) == maxNames:
		f.more = true
	default:
		f.names = append(f.names, s)
	}
}

// tell writes into o what it stands for.
func (f *flood) tell(o *evidence.Observation) {
	set := func(name string, v any) {
		for i := range o.Detail {
			if o.Detail[i].Name == name {
				o.Detail[i].Value = v
				return
			}
		}
		o.Detail = append(o.Detail, evidence.Field{Name: name, Value: v})
	}
	set("count", f.count)
	set("first", f.first)
	set("last", f.last)
	if len(f.names) > 1 {
		set("names", f.names)
		set("more_names", f.more)
	}
}
