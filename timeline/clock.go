package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
)

// A Jump is a change of the computer's clock by a minute or more. Times that
// were recorded near it do not tell the order or the instant of what happened.
type Jump struct {
	Old, New time.Time
	Why      *evidence.Fact // nil if no record says so, and the order of records shows it
	Also     *evidence.Fact // the record of it in another log, nil if there is none
	Record   uint64         // the id of the first record after it, in the Security log, if Why is nil
}

// By returns how far the clock was moved, forward or back.
func (j Jump) By() time.Duration { return j.New.Sub(j.Old).Abs() }

// Jumps returns the changes of the clock, the recorded ones first, each once. A change
// of the time zone moves no clock.
func (c *Case) Jumps() []Jump { return c.jumps }

// addJump keeps a recorded change of the clock. Security 4616, which names the account,
// and Kernel-General 1, which gives the reason, record the same one.
func (c *Case) addJump(j Jump) {
	for i := len(c.jumps) - 1; i >= 0 && i >= len(c.jumps)-8; i-- {
		k := &c.jumps[i]
		if j.Old.Sub(k.Old).Abs() < time.Second && j.New.Sub(k.New).Abs() < time.Second {
			if j.Why.From().EventID != k.Why.From().EventID {
				k.Also = j.Why
			}
			return
		}
	}
	c.jumps = append(c.jumps, j)
}

// addSetBacks finds the changes of the clock that no record tells of: of two records of
// the Security log, the later one is older. It is written as things happen; other
// logs have records with times from elsewhere.
func (c *Case) addSetBacks() {
	recorded := c.jumps
	seen := map[uint64]bool{}
	for _, f := range c.Facts {
		for _, b := range f.SetBack {
			explained := slices.ContainsFunc(recorded, func(j Jump) bool {
				return !j.Old.Before(b.Before.Add(-inFlight)) && !j.New.After(b.Time.Add(inFlight))
			})
			if f.Evidence == securityLog && !explained && !seen[b.ID] {
				seen[b.ID] = true
				c.jumps = append(c.jumps, Jump{Old: b.Before, New: b.Time, Record: b.ID})
			}
		}
	}
}

// jump returns the change of the clock that o records.
func jump(o *evidence.Fact) (j Jump, ok bool) {
	before, _ := o.Detail.Get("OldTime").(time.Time)
	after, _ := o.Detail.Get("NewTime").(time.Time)
	return Jump{Old: before, New: after, Why: o}, !before.IsZero() && !after.IsZero() && o.Detail.Text("Reason") != "3"
}

// Span returns the readings of the clock that the jump makes doubtful: those
// that came twice, or never.
func (j Jump) Span() (from, to time.Time) {
	if j.Old.Before(j.New) {
		return j.Old, j.New
	}
	return j.New, j.Old
}

// near reports whether the jump is as near to w as it moved the clock.
func (j Jump) near(w Window) bool {
	from, to := j.Span()
	return (w.NotAfter.IsZero() || !from.After(w.NotAfter.Add(j.By()))) && (w.NotBefore.IsZero() || !to.Before(w.NotBefore.Add(-j.By())))
}

// Widened returns w, widened by every change of the clock that is as near to it
// as it moved the clock.
func (c *Case) Widened(w Window) Window {
	for _, j := range c.Jumps() {
		if w.Known() && j.near(w) {
			w = w.widenedBy(j.By())
		}
	}
	return w
}

// widenedBy moves the known ends of w apart.
func (w Window) widenedBy(d time.Duration) Window {
	if !w.NotBefore.IsZero() {
		w.NotBefore = w.NotBefore.Add(-d)
	}
	if !w.NotAfter.IsZero() {
		w.NotAfter = w.NotAfter.Add(d)
	}
	return w
}

// widen widens the window of a removal by the changes of the clock near it, and
// says so.
func (c *Case) widen(g *Gap) {
	if !g.Window.Known() {
		return
	}
	moved := false
	for _, j := range c.Jumps() {
		if !j.near(g.Window) {
			continue
		}
		g.Window = g.Window.widenedBy(j.By())
		text := fmt.Sprintf("The clock was moved from %s to %s about that time: the window is widened by as much.", evidence.FormatTime(j.Old), evidence.FormatTime(j.New))
		if j.Why == nil {
			text = fmt.Sprintf("The clock was set back from %s, or later, to %s, or earlier, about that time, as the order of the Security log's records says: the window is widened by as much.", evidence.FormatTime(j.Old), evidence.FormatTime(j.New))
		}
		shown := Ids(j.Why)
		g.Reasoning = append(g.Reasoning, Step{Rule: g.Rule, Statement: text, Observations: shown})
		g.Observations = addNew(g.Observations, shown...)
		moved = true
	}
	if moved {
		g.Claim += fmt.Sprintf(" The clock was moved about that time: these times are as it showed them, and the window is widened: from %s to %s.", cmp.Or(evidence.FormatTime(g.Window.NotBefore), "an open beginning"), cmp.Or(evidence.FormatTime(g.Window.NotAfter), "an open end"))
	}
}
