package lab

import (
	"slices"
	"strings"
	"time"
)

// A networkState is HKCU\Network as a hive's state holds it.
type networkState struct {
	asOf    time.Time
	written time.Time // of Network itself; zero if nothing ever changed there
	removal bool      // the last change there was one
	newest  time.Time // of its children
	live    map[string]*simLife
}

// network returns the state after all changes until t.
func (u *simUser) network(t, asOf time.Time) networkState {
	s := networkState{asOf: asOf, live: map[string]*simLife{}}
	stamps := map[string]time.Time{}
	for _, c := range u.changes {
		if c.t.After(t) {
			break
		}
		if c.op != '=' {
			s.written, s.removal = c.t, c.op == '-'
		}
		if c.op == '-' {
			delete(s.live, c.letter)
			delete(stamps, c.letter)
			continue
		}
		s.live[c.letter], stamps[c.letter] = c.life, c.t
	}
	for _, at := range stamps {
		if at.After(s.newest) {
			s.newest = at
		}
	}
	return s
}

// proves reports whether the state shows by its times that a child was removed
// at t (rule 3 of the reference): Network is newer than every child.
func (s networkState) proves(t time.Time) bool {
	return s.removal && s.written.Equal(t) && s.written.Sub(s.newest) > 2*time.Second
}

// states are what the user's hive tells, oldest first: as shadow copies hold it,
// as its file alone does, if its log holds more, and in the end.
func (u *simUser) states(w *world) (all []networkState) {
	slices.SortStableFunc(u.changes, func(a, b simChange) int { return a.t.Compare(b.t) })
	name := u.name
	for _, s := range w.shots {
		if state, ok := s.hives[name]; ok {
			all = append(all, u.network(s.at, state.asOf))
		}
	}
	if s, ok := w.saved[name]; ok {
		all = append(all, u.network(u.saved, s.asOf))
	}
	slices.SortStableFunc(all, func(a, b networkState) int { return a.asOf.Compare(b.asOf) })
	end, asOf := u.collected, w.users[name].newest()
	if !u.frozen.IsZero() {
		end, asOf = u.frozen, w.frozen[name].asOf
	}
	return append(all, u.network(end, asOf))
}

// onDisk is until when changes of the user's hive have reached the disk.
func (u *simUser) onDisk() time.Time {
	if u.frozen.IsZero() {
		return u.collected
	}
	return u.frozen
}

// clientTruth is the truth about one mapping.
func (l *simLife) clientTruth(w *world) *truthRow {
	r := l.row("client")
	m := l.removal
	if m == nil {
		return r
	}
	u := l.owner
	states := u.states(w)
	var b bounds
	b.until(u.collected)
	if u.survives(l.mapCmd) {
		b.after(l.mapCmd.t)
	}
	last := l.commands(m, r, &b)
	if n := l.next(); n != nil {
		b.until(n.began())
	}
	for _, o := range u.lives { // whoever removed it, it was gone after a later command that does not fail
		if o == l || o.removal == nil || !o.removal.sure() || !o.removal.all && o.letter != l.letter {
			continue
		}
		for _, c := range o.removal.cmds {
			if c.t.After(m.at) && u.survives(c) {
				b.until(c.t.Add(effect))
			}
		}
	}
	if l.persistent {
		if u.audit.sysmon && u.kept(channelSysmon, l.written) {
			b.after(l.written)
		}
		if !m.at.After(u.onDisk()) {
			l.hiveTruth(r, &b, states, last)
		}
		l.recorded(r, &b)
	}
	if m.all && !r.has(traceSysmon, traceAudit, traceDeleted, traceStates, traceMapped) {
		r.ExactCase, r.Kinds = "", min(r.Kinds, 1) // what went is not known
	}
	u.widen(&b)
	r.Window = b.window()
	if l.persistent && r.Taken == "" && !r.has(traceCommand, traceScript, traceSysmon, traceAudit) {
		r.Taken = l.takenBy(states)
	}
	l.settle(r, b)
	return r
}

// takenBy is the instant by which a later command for all drives, with its
// effect on Network, makes a reader date the silent removal of l, "" if none.
func (l *simLife) takenBy(states []networkState) string {
	for _, o := range l.owner.lives {
		m := o.removal
		if o == l || m == nil || !m.all && o.letter != l.letter || !m.at.After(l.removal.at) || !slices.ContainsFunc(m.cmds, l.owner.survives) {
			continue
		}
		for _, s := range states {
			if s.removal && !s.written.After(m.end) && !s.written.Before(m.at) {
				return stamp(s.written)
			}
		}
	}
	return ""
}

// next is the life of the same letter that follows l's.
func (l *simLife) next() *simLife {
	var next *simLife
	for _, n := range l.owner.lives {
		if n != l && n.letter == l.letter && n.mapped.After(l.mapped) && (next == nil || n.mapped.Before(next.mapped)) {
			next = n
		}
	}
	return next
}

// began is when surviving traces show l to have begun, zero if none tells it
// from the life before. A command does not: it fails where a drive is mapped.
func (l *simLife) began() time.Time {
	u, m := l.owner, l.removal
	if l.persistent && (u.audit.sysmon && u.kept(channelSysmon, l.written) || m != nil && m.cell == "free" && !m.at.After(u.onDisk())) {
		return l.written
	}
	return time.Time{}
}

// blurred reports whether l cannot be told from a later life of its letter that
// was removed too: one deleted key or map command, one removal.
func (l *simLife) blurred() bool {
	n := l.next()
	return n != nil && n.removal != nil && n.began().IsZero()
}

// recorded adds what logs tell of the key's deletion itself: E1.
func (l *simLife) recorded(r *truthRow, b *bounds) {
	u, m := l.owner, l.removal
	sysmon := u.audit.sysmon && u.kept(channelSysmon, m.at)
	audit := m.sacl && u.kept("Security", m.at)
	if sysmon {
		r.trace(traceSysmon)
	}
	if audit {
		r.trace(traceAudit)
	}
	if sysmon || audit {
		r.Kinds++
		r.ExactCase = "E1"
		b.exactly(m.at)
	}
}

// hiveTruth adds what the hive tells of the removal; last is when the command
// that did it was run, if that is known.
func (l *simLife) hiveTruth(r *truthRow, b *bounds, states []networkState, last time.Time) {
	u, m, final := l.owner, l.removal, states[len(states)-1]
	again := final.live[l.letter]
	hive := false
	if m.cell == "free" && (again == nil || again.share != l.share) && !l.blurred() {
		r.trace(traceDeleted)
		b.after(l.written)
		hive = true
	}
	if final.proves(m.at) {
		r.trace(traceParent)
		hive = true
	}
	if n := l.next(); again == nil && u.survives(l.mapCmd) && !l.blurred() && (n == nil || n.share != l.share) {
		r.trace(traceMapped)
	}
	var had, lacks *networkState // the last state that holds it, and the next
	for i := range states[:len(states)-1] {
		switch s := &states[i]; {
		case s.live[l.letter] == l:
			had, lacks = nil, &states[i+1]
			if n := l.next(); n != nil && n.removal != nil && n.began().IsZero() && !n.removal.at.After(lacks.asOf) {
				continue // one removal of the letter, to whoever compares the two
			} else if n == nil || n.share != l.share || n.written.After(lacks.asOf) { // else its key was written again, perhaps
				had = s
			}
		case s.live[l.letter] == nil && !s.written.Before(m.at):
			b.until(s.written)
		}
	}
	if had != nil {
		r.trace(traceStates)
		b.after(had.asOf)
		hive = true
	}
	b.until(final.written)
	b.until(final.asOf)
	if again != nil {
		b.until(again.written)
	}
	if hive {
		r.Kinds++
	}
	if had != nil && lacks.removal && lacks.written.After(m.at) && differ(*had, *lacks) == 1 {
		r.Taken = stamp(lacks.written)
	}
	switch {
	case !last.IsZero() && !m.all && final.proves(m.at) && final.written.Sub(last) <= effect && u.alone(m, last) && r.has(traceDeleted, traceStates, traceMapped):
		r.ExactCase = "E2"
		b.exactly(m.at)
	case had != nil && lacks.proves(m.at) && differ(*had, *lacks) == 1:
		r.ExactCase = "E3"
		b.exactly(m.at)
	}
}

// alone reports whether m is the only change of Network from 2 s before its
// command, run at last, until the effect.
func (u *simUser) alone(m *simRemoval, last time.Time) bool {
	for _, c := range u.changes {
		if c.op != '=' && !c.t.Equal(m.at) && !c.t.Before(last.Add(-2*time.Second)) && !c.t.After(m.at) {
			return false
		}
	}
	return true
}

// differ is the number of letters that two states hold differently.
func differ(a, b networkState) int {
	n := 0
	for letter, l := range a.live {
		if b.live[letter] != l {
			n++
		}
	}
	for letter := range b.live {
		if a.live[letter] == nil {
			n++
		}
	}
	return n
}

// policyLogFrom is the time of the first record that is kept in the log of Group
// Policy: what it could tell of the time before is not known.
func (h *simHost) policyLogFrom() (first time.Time) {
	for _, l := range h.lines {
		if strings.HasPrefix(l.text, "policy ") && h.kept(channelPolicy, l.t) && (first.IsZero() || l.t.Before(first)) {
			first = l.t
		}
	}
	return first
}

// settle says which innocent causes the surviving evidence decides.
func (l *simLife) settle(r *truthRow, b bounds) {
	u, m := l.owner, l.removal
	if len(r.Traces) == 0 {
		return
	}
	did := func(cause string, yes bool) {
		r.Settled[cause] = map[bool]string{true: "supported", false: "contradicted"}[yes]
	}
	recorded := r.ExactCase == "E1"
	command := r.has(traceCommand, traceScript) && !m.all && b.notAfter.Sub(b.notBefore) <= effect // else it may have failed
	if recorded || command {
		did("explorer", m.benign == "explorer")
	}
	if u.clears[channelPolicy].After(b.notBefore) || b.notBefore.IsZero() || u.policyLogFrom().IsZero() || b.notBefore.Before(u.policyLogFrom()) {
		return
	}
	atWork := false // for anybody, to be on the safe side
	for _, other := range u.users {
		for _, t := range other.policies {
			atWork = atWork || !t.Before(b.notBefore.Add(-2*time.Minute)) && !t.After(b.notAfter.Add(2*time.Minute))
		}
	}
	exact := b.notBefore.Equal(b.notAfter)
	if !atWork || m.benign == "policy" && exact {
		did("policy", m.benign == "policy")
	}
	if m.benign == "script" && (exact || command) {
		did("script", true)
	}
}
