package timeline

import (
	"cmp"
	"fmt"
	"time"

	"sharetrail/artifacts/evidence"
)

// A Jump is a change of the computer's clock by a minute or more. Times that
// were recorded near it do not tell the order or the instant of what happened.
type Jump struct {
	Old, New time.Time
	Why      *evidence.Observation
}

// By returns how far the clock was moved, forward or back.
func (j Jump) By() time.Duration { return j.New.Sub(j.Old).Abs() }

// Jumps returns the recorded changes of the clock, oldest record first. A
// change of the time zone moves no clock.
func (c *Case) Jumps() (out []Jump) {
	for _, o := range c.Observations {
		if o.Action != evidence.ClockChanged || o.Detail.Text("Reason") == "3" {
			continue
		}
		before, _ := o.Detail.Get("OldTime").(time.Time)
		after, _ := o.Detail.Get("NewTime").(time.Time)
		if !before.IsZero() && !after.IsZero() {
			out = append(out, Jump{before, after, o})
		}
	}
	return out
}

// span returns the readings of the clock that the jump makes doubtful: those
// that came twice, or never.
func (j Jump) span() (from, to time.Time) {
	if j.Old.Before(j.New) {
		return j.Old, j.New
	}
	return j.New, j.Old
}

// widen widens the window of a removal by every change of the clock that is as
// near to it as it moved the clock, and says so.
func (c *Case) widen(g *Gap) {
	if !g.Window.Known() {
		return
	}
	moved := false
	for _, j := range c.Jumps() {
		from, to := j.span()
		by := j.By()
		if !g.Window.NotAfter.IsZero() && from.After(g.Window.NotAfter.Add(by)) || !g.Window.NotBefore.IsZero() && to.Before(g.Window.NotBefore.Add(-by)) {
			continue
		}
		if !g.Window.NotBefore.IsZero() {
			g.Window.NotBefore = g.Window.NotBefore.Add(-by)
		}
		if !g.Window.NotAfter.IsZero() {
			g.Window.NotAfter = g.Window.NotAfter.Add(by)
		}
		text := fmt.Sprintf("The clock was moved from %s to %s nearby: the window is widened by as much.", evidence.FormatTime(j.Old), evidence.FormatTime(j.New))
		g.Reasoning = append(g.Reasoning, Step{Rule: g.Rule, Statement: text, Observations: Ids(j.Why)})
		g.Observations = addNew(g.Observations, j.Why.ID)
		moved = true
	}
	if moved {
		g.Claim += fmt.Sprintf(" The clock was moved nearby: these times are as it showed them, and the window is widened to %s to %s.", cmp.Or(evidence.FormatTime(g.Window.NotBefore), "an open begin"), cmp.Or(evidence.FormatTime(g.Window.NotAfter), "an open end"))
	}
}
