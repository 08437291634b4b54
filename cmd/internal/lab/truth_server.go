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
	written := u.sharesWritten()
	b.until(written)
	if written.Equal(m.at) {
		r.trace(traceSharesAt)
		r.Kinds++
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
	r.Window = b.window()
	return r
}

// sharesWritten is when the values of Shares were changed last.
func (h *simHost) sharesWritten() time.Time {
	last := time.Time{}
	for _, l := range h.shares {
		for _, t := range []time.Time{l.written, l.removedAt()} {
			if t.After(last) {
				last = t
			}
		}
	}
	return last
}

func (l *simLife) removedAt() time.Time {
	if l.removal == nil {
		return time.Time{}
	}
	return l.removal.at
}
