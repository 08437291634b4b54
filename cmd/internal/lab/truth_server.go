package lab

import "time"

// serverTruth is the truth about one exported share.
func (l *simLife) serverTruth(w *world) *truthRow {
	r := l.row("server")
	u, m := l.owner, l.removal
	r.Share = `\\` + u.simHost.name + `\` + l.share
	if m == nil {
		return r
	}
	var b bounds
	audited := func(t time.Time) bool { return u.audit.shares && u.kept("Security", t) }
	end, asOf := u.collected, w.machine["SYSTEM"].newest()
	if !u.systemFrozen.IsZero() {
		end, asOf = u.systemFrozen, w.frozen[systemHive].asOf
	}
	b.until(u.collected)
	if last := l.commands(m, r, &b); last.IsZero() && u.survives(l.mapCmd) {
		b.after(l.mapCmd.t)
	}
	if audited(l.written) {
		r.trace(traceMade)
		b.after(l.written)
	}
	for _, t := range l.uses {
		if audited(t) && t.Before(m.at) {
			r.trace(traceUsed)
			b.after(t)
		}
	}
	written := u.sharesWritten(end)
	if !m.at.After(end) {
		b.until(written)
		b.until(asOf)
	}
	type state struct{ at, asOf time.Time }
	var states []state
	for _, s := range w.shots {
		states = append(states, state{s.at, s.hives[systemHive].asOf})
	}
	if s, ok := w.saved[systemHive]; ok {
		states = append(states, state{u.systemSaved, s.asOf})
	}
	for _, s := range states {
		if m.at.After(end) {
			break
		}
		if at := u.sharesWritten(s.at); m.at.After(s.at) && !l.written.After(s.at) {
			if !r.has(traceStates) {
				r.Kinds++
			}
			r.trace(traceStates)
			b.after(s.asOf)
		} else if !m.at.After(s.at) && !at.Before(m.at) {
			b.until(at)
		}
	}
	if written.Equal(m.at) {
		if r.has(traceCommand, traceScript, traceStates) || len(r.Traces) > 0 && audited(m.at) || u.stored(end) == 0 { // alone, with others stored, it may as well tell of one that was made
			r.trace(traceSharesAt)
			if !r.has(traceStates) {
				r.Kinds++
			}
		}
		if last := b.notBefore; r.has(traceCommand, traceScript) {
			if m.at.Sub(last) <= effect {
				b.exactly(m.at)
			}
		}
	}
	if m.end.After(m.at) && audited(m.end) {
		r.trace(traceShare)
		r.Kinds++
		r.ExactCase = "E4"
		b.exactly(m.end)
	}
	u.widen(&b)
	r.Window = b.window()
	return r
}

// sharesWritten is when the values of Shares were changed last until end.
func (h *simHost) sharesWritten(end time.Time) time.Time {
	last := time.Time{}
	for _, l := range h.shares {
		for _, t := range []time.Time{l.written, l.removedAt()} {
			if t.After(last) && !t.After(end) {
				last = t
			}
		}
	}
	return last
}

// stored is the number of shares that are stored at end.
func (h *simHost) stored(end time.Time) (n int) {
	for _, l := range h.shares {
		if l.persistent && !l.written.After(end) && (l.removal == nil || l.removal.at.After(end)) {
			n++
		}
	}
	return n
}

func (l *simLife) removedAt() time.Time {
	if l.removal == nil {
		return time.Time{}
	}
	return l.removal.at
}
