package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
)

// A busy log holds logons of services and of the network by the hundred
// thousand. Those that no row belongs to can bound nothing, so they are let go
// while the log is read: memory follows the rows, not the log.

// maxHeld is how many logons are held until a row of their session comes. A
// session's rows follow its logon closely; a file server has fewer open.
const maxHeld = 4096

// sessions holds back the logons of one log that may yet matter.
type sessions struct {
	held  map[string]*evidence.Fact // by logon id
	order []string                  // logon ids in held, oldest first, and some that have left it
	used  map[string]bool           // logon ids of rows whose session has not ended
}

// person reports whether a logon of that type, by that account, is a person's
// own: it is a row wherever context is shown.
func person(o *evidence.Fact) bool {
	switch o.Detail.Text("LogonType") {
	case "", "2", "7", "9", "10", "11", "12", "13":
		// Window and font managers log on interactively, as nobody.
		return !strings.HasPrefix(o.SID, "S-1-5-90-") && !strings.HasPrefix(o.SID, "S-1-5-96-")
	}
	return false
}

// keep adds o to the rows, or holds it back until a row of its session comes.
func (e *Emitter) keep(o *evidence.Fact) {
	e.same.share(o)
	s := &e.sessions
	id := o.Host + "\x00" + o.LogonID
	switch {
	case e.allContext || o.LogonID == "":
	case o.Action == evidence.Logon && !person(o):
		s.hold(id, o)
		return
	case o.Action == evidence.Logoff && !person(o):
		delete(s.held, id)
		if !s.used[id] {
			return
		}
		delete(s.used, id)
	case !o.Action.IsContext():
		if first, ok := s.held[id]; ok {
			delete(s.held, id)
			e.Observations = append(e.Observations, first)
		}
		if s.used == nil {
			s.used = map[string]bool{}
		}
		s.used[id] = true
	}
	e.Observations = append(e.Observations, o)
}

func (s *sessions) hold(id string, o *evidence.Fact) {
	if s.held == nil {
		s.held = map[string]*evidence.Fact{}
	}
	if _, again := s.held[id]; again {
		s.held[id] = o // the account of a service logs on under one id for ever
		return
	}
	if len(s.order) >= 2*maxHeld { // drop the ids that have left, then the oldest
		kept := s.order[:0]
		for _, x := range s.order {
			if _, ok := s.held[x]; ok {
				kept = append(kept, x)
			}
		}
		s.order = kept
	}
	for len(s.held) >= maxHeld && len(s.order) > 0 {
		delete(s.held, s.order[0])
		s.order = s.order[1:]
	}
	s.held[id] = o
	s.order = append(s.order, id)
}
