package timeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// classOf judges a log over the span that matters on its host: from the first
// trace of a share to the end of the evidence. A clear counts however old it
// is: the traces before it are what it took away.
func (c *Case) classOf(r *CoverageRow) Class {
	if r.Records == 0 {
		return UnknownClass
	}
	w := Window{NotBefore: c.firstTrace(), NotAfter: c.End}
	if slices.ContainsFunc(r.Holes, func(h evidence.Hole) bool { return h.Reason == evidence.Cleared && !Kept(h) }) {
		w.NotBefore = later(c.installed(), time.Unix(0, 0))
	}
	return classIn(r, w)
}

// firstTrace returns when shares first show on the host, zero if never.
func (c *Case) firstTrace() time.Time {
	for _, o := range c.Observations { // by time
		switch o.Action {
		case evidence.Mapped, evidence.Used, evidence.Command, evidence.Removed, evidence.ShareCreated, evidence.ShareDeleted:
			if o.TimeKind != evidence.AtOrBefore {
				return o.Time
			}
		}
	}
	return time.Time{}
}

// classIn judges a log over w: what its holes there mean for absence.
func classIn(r *CoverageRow, w Window) Class {
	class := Continuous
	worse := func(k Class) {
		order := []Class{Continuous, Partial, Rolled, ClearedClass, Disabled}
		if slices.Index(order, k) > slices.Index(order, class) {
			class = k
		}
	}
	if w.NotBefore.IsZero() {
		w.NotBefore = r.From
	}
	for _, h := range r.Holes {
		// A hole whose ends are unknown counts against everything.
		if !h.From.IsZero() && !w.NotAfter.IsZero() && h.From.After(w.NotAfter) || !h.To.IsZero() && !h.To.After(w.NotBefore) {
			continue
		}
		switch h.Reason {
		case evidence.PoweredOff:
			// Nothing happened that could have been recorded.
		case evidence.Cleared:
			if !Kept(h) {
				worse(ClearedClass)
			}
		case evidence.RolledOver:
			worse(Rolled)
		case evidence.ChannelOff:
			worse(Disabled)
		default:
			worse(Partial)
		}
	}
	return class
}

// Kept reports whether nothing is missing before a clear, since copies of the log hold
// what it held.
func Kept(h evidence.Hole) bool {
	return h.Reason == evidence.Cleared && !h.From.IsZero() && h.From.Equal(h.To)
}

// quiet returns for how long a log of this pace may well have recorded nothing:
// ten times what lies between two of its records on average.
func (r *CoverageRow) quiet() time.Duration {
	if r.Records < 2 {
		return 0
	}
	return 10 * r.To.Sub(r.From) / time.Duration(r.Records-1)
}

// reaches reports whether a log has a record from t or later. What would have
// been recorded up to t is claimed only of such a log.
func (c *Case) reaches(kind string, t time.Time) bool {
	return slices.ContainsFunc(c.Coverage, func(r CoverageRow) bool { return r.Evidence == kind && !r.To.Before(t) })
}

// ClassOf judges one kind of evidence over w. The text says what it rests on.
func (c *Case) ClassOf(kind string, w Window) (Class, string) {
	return c.classWithout(kind, w, "")
}

// Silence judges whether a log that has no record of something in w shows that
// it did not happen: as ClassOf, but for moves of the clock, which lose no
// record. The times of w must allow for them.
func (c *Case) Silence(kind string, w Window) (Class, string) {
	return c.classWithout(kind, w, evidence.ClockWasMoved)
}

// classWithout judges one kind of evidence over w, without holes of that reason.
func (c *Case) classWithout(kind string, w Window, without evidence.Reason) (Class, string) {
	for _, r := range c.Coverage {
		if r.Evidence != kind {
			continue
		}
		if r.Class == Absent {
			return Absent, c.lack(kind)
		}
		if r.Class == Disabled && r.Records <= 0 && strings.HasPrefix(kind, "evtx:") {
			return Disabled, kind + " is switched off, and holds no record"
		}
		if r.Class == UnknownClass {
			switch damaged, there := c.unread()[kind]; {
			case damaged:
				return UnknownClass, kind + " is damaged: nothing in it could be read"
			case there:
				return UnknownClass, kind + " holds no record"
			case c.hidden(kind):
				return UnknownClass, c.lack(kind)
			}
		}
		r.Holes = slices.DeleteFunc(slices.Clone(r.Holes), func(h evidence.Hole) bool { return h.Reason == without })
		class := classIn(&r, w)
		if class == Continuous && (!w.NotBefore.IsZero() && w.NotBefore.Before(r.From) || !w.NotAfter.IsZero() && w.NotAfter.Before(r.From) || w.NotAfter.After(r.To.Add(r.quiet()))) {
			class = Partial // it begins inside the window, or ends there
		}
		return class, fmt.Sprintf("%s: %s, %s from %s to %s", kind, class, Counted(r.Records, "record", "records"), evidence.FormatTime(r.From), evidence.FormatTime(r.To))
	}
	return Absent, c.lack(kind)
}
