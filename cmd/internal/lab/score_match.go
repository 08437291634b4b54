package lab

import (
	"slices"
	"strings"
	"time"
)

// told reports whether g tells of row by a fact that names no drive or share:
// that some child of Network, or the last stored share, was removed at that
// instant, or that a command removed all.
func (row *truthRow) told(g *programRow) bool {
	if row.has(traceParent) && slices.Contains(g.Rules, "G03") && g.Window.meets(row.Removed, row.RemovedEnd) {
		return true
	}
	if row.has(traceSharesAt) && slices.Contains(g.Rules, "G15") && g.Window.meets(row.Removed, row.RemovedEnd) {
		return true
	}
	return row.All && row.has(traceCommand, traceScript) && (slices.Contains(g.Rules, "G31") || slices.Contains(g.Rules, "G07")) &&
		g.Window.meets(shifted(row.Removed, -effect), shifted(row.Removed, effect))
}

// about returns the removals that p can speak of, and those of them that fall
// into its window w, or are taken to.
func (c *truthCase) about(p *programRow, w truthWindow) (about, hits []*truthRow) {
	for _, row := range c.rows {
		if row.Removed == "" || !strings.EqualFold(row.Host, p.Host) || !row.named(p) {
			continue
		}
		about = append(about, row)
		if w.meets(row.Removed, row.RemovedEnd) || row.taken(w) {
			hits = append(hits, row)
		}
	}
	return about, hits
}

// failed reports whether the window w of p is that of a command that changed nothing.
func (c *truthCase) failed(p *programRow, w truthWindow) bool {
	return slices.ContainsFunc(c.hosts, func(h *truthHost) bool {
		return strings.EqualFold(h.Host, p.Host) && slices.ContainsFunc(h.Failed, func(f truthFail) bool {
			return w.NotBefore >= shifted(f.Time, -2*time.Second) && w.NotBefore <= f.Time && w.NotAfter >= f.Time && w.NotAfter <= shifted(f.Time, effect) &&
				strings.EqualFold(f.Drive, p.Drive) && (f.Drive != "" || strings.EqualFold(f.Share, p.Share))
		})
	})
}

// taken reports whether w is the instant by which an exact case dates row wrongly.
func (row *truthRow) taken(w truthWindow) bool {
	return row.Taken != "" && w.NotBefore == row.Taken && w.NotAfter == row.Taken && !w.meets(row.Removed, row.RemovedEnd)
}

// allTaken reports whether w holds none of the removals but by an exact case's word.
func allTaken(hits []*truthRow, w truthWindow) bool {
	return len(hits) > 0 && !slices.ContainsFunc(hits, func(row *truthRow) bool { return !row.taken(w) })
}

// named reports whether p names row's user and drive or share, or leaves them
// open.
func (row *truthRow) named(p *programRow) bool {
	if row.Side == "server" {
		return p.Drive == "" && (strings.EqualFold(p.Share, row.Share) || p.Share == "" && p.User == "")
	}
	if p.Side == "server" || p.User != "" && !strings.EqualFold(p.User, row.User) {
		return false
	}
	drive := p.Drive == "" || p.Drive == "*" || strings.EqualFold(p.Drive, row.Drive)
	return drive && (p.Share == "" || p.Share == "*" || strings.EqualFold(p.Share, row.Share))
}

// meets reports whether the window and the span from..to have an instant in
// common.
func (w truthWindow) meets(from, to string) bool {
	return (w.NotBefore == "" || w.NotBefore <= or(to, from)) && (w.NotAfter == "" || w.NotAfter >= from)
}

// best is the row that says most of row: the one that claims a removal and
// names the drive or share, and among those the strongest.
func (row *truthRow) best(gaps []*programRow) *programRow {
	var best *programRow
	rank := func(g *programRow) int {
		n := 0
		if slices.Contains(claims, g.Rule) {
			n = 10
		}
		if g.Drive != "" || g.Share != "" {
			n += 20
		}
		return n - slices.IndexFunc(words, func(w struct {
			word  string
			least float64
		}) bool {
			return w.word == g.Confidence
		})
	}
	for _, g := range gaps {
		if best == nil || rank(g) > rank(best) {
			best = g
		}
	}
	return best
}

// seconds is the window's width; an open window is ten years.
func (w truthWindow) seconds() float64 {
	from, err1 := time.Parse(time.RFC3339Nano, w.NotBefore)
	to, err2 := time.Parse(time.RFC3339Nano, w.NotAfter)
	if err1 != nil || err2 != nil {
		return 10 * 365 * 24 * 3600
	}
	return to.Sub(from).Seconds()
}

// shifted is the time t moved by d; what is no time stays as it is.
func shifted(t string, d time.Duration) string {
	at, err := time.Parse(time.RFC3339Nano, t)
	if err != nil {
		return t
	}
	return stamp(at.Add(d))
}
