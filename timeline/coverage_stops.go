package timeline

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// auditHoles finds the spans in which the audit policy was changed to record
// less: from the change to the next one of the same subcategory, or to when it is
// seen to be on again.
func (c *Case) auditHoles(channel string) (holes []evidence.Hole) {
	if channel != "Security" {
		return nil
	}
	type off struct {
		why     *evidence.Fact
		checked time.Time // up to when it was not seen to be on again
	}
	open := map[string]*off{}
	for _, o := range c.Observations {
		if o.Artifact != "audit-changes" || o.State == evidence.Carved {
			continue // what put an end to it may be lost
		}
		sub, what := o.Detail.Text("subcategory"), o.Detail.Text("changes")
		if !auditMatters(sub) {
			continue
		}
		removed, added := strings.Contains(what, "success removed"), strings.Contains(what, "success added")
		if was := open[sub]; was != nil && (removed || added) {
			on := c.auditedAgain(sub, was.checked, o.Time)
			if was.checked = later(was.checked, o.Time); !removed || !on.IsZero() {
				holes = append(holes, auditHole(was.why, earliest(on, o.Time)))
				delete(open, sub)
			}
		}
		if removed && open[sub] == nil {
			open[sub] = &off{o, o.Time.Add(inFlight)}
		}
	}
	for _, sub := range sortedKeys(open) {
		holes = append(holes, auditHole(open[sub].why, c.auditedAgain(sub, open[sub].checked, Forever)))
	}
	return holes
}

func auditHole(off *evidence.Fact, to time.Time) evidence.Hole {
	return evidence.Hole{From: off.Time, To: to, Reason: evidence.AuditOff, Why: off}
}

// inFlight is how long after a change of the policy, or a stop of the service,
// records may still come that were on their way.
const inFlight = 5 * time.Second

// auditedAgain returns the first instant between two at which a subcategory is seen to
// be recorded, or the policy that was stored to ask for it; zero if there is none.
func (c *Case) auditedAgain(sub string, from, to time.Time) (again time.Time) {
	for _, o := range c.Between(from, to) {
		denied := o.Artifact == "share-access" && o.Action != evidence.Used
		recorded := evidence.AuditedAs(o.From().EventID) == sub && o.From().Channel == "Security" && isRecord(o) && !denied
		stored := o.Artifact == "audit-policy" && (o.Detail.Text(sub) == "success" || o.Detail.Text(sub) == "both")
		if recorded || stored {
			again = o.Time
			break
		}
	}
	for _, f := range c.Facts {
		for _, w := range f.Witnesses {
			if f.Evidence != securityLog || w.What != sub {
				continue
			}
			for _, x := range []time.Time{w.First, w.Last} {
				if x.After(from) && x.Before(to) {
					again = earliest(again, x)
				}
			}
		}
	}
	return again
}

// earliest returns the earlier of two times, of which one may be unset.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// serviceHoles finds the spans in which the event log service or Sysmon was stopped, or
// the log full, while the computer ran. They stop at every shutdown, too.
func (c *Case) serviceHoles(channel string) (holes []evidence.Hole) {
	off := c.downs()
	holes = slices.Concat(c.stopped, c.muted)
	for _, o := range c.Observations {
		sysmon := o.Artifact == "sysmon-state" && o.From().EventID == 4 && o.Detail.Text("State") == "Stopped"
		if o.Artifact != "log-service" && !sysmon || o.State == evidence.Carved {
			continue
		}
		switch id := o.From().EventID; {
		case sysmon:
			if "evtx:"+channel == sysmonLog && !told(off, o.Time) && !told(c.stopped, o.Time) && c.runsOn(o.Time) {
				holes = append(holes, evidence.Hole{From: o.Time, To: c.recordsAgain(channel, o.Time), Reason: evidence.ChannelOff, Why: o})
			}
		case id == 1100 && !told(off, o.Time) && !told(c.stopped, o.Time) && c.runsOn(o.Time):
			holes = append(holes, evidence.Hole{From: o.Time, To: c.recordsAgain("", o.Time), Reason: evidence.ChannelOff, Why: o})
		case channel != "Security":
		case id == 1104:
			holes = append(holes, evidence.Hole{From: o.Time, To: c.recordsAgain(channel, o.Time), Reason: evidence.ChannelOff, Why: o})
		case id == 1101, id == 1108:
			holes = append(holes, evidence.Hole{From: o.Time, To: o.Time, Reason: evidence.RecordGap, Why: o})
		}
	}
	return holes
}

// aShutdown is how far apart the records of one shutdown may lie.
const aShutdown = 5 * time.Minute

// told reports whether one of holes, which are by time, begins where the service
// stopped at t.
func told(holes []evidence.Hole, t time.Time) bool {
	i, _ := slices.BinarySearchFunc(holes, t.Add(-aShutdown), func(h evidence.Hole, t time.Time) int { return h.From.Compare(t) })
	return i < len(holes) && !holes[i].From.After(t.Add(aShutdown))
}

// runsOn reports whether the System log, which tells of every shutdown, covers
// the time t and shows none within five minutes of it.
func (c *Case) runsOn(t time.Time) bool {
	covered := slices.ContainsFunc(c.Facts, func(f evidence.Coverage) bool {
		return f.Evidence == "evtx:System" && f.From.Before(t) && f.To.After(t) && !f.Reexported
	})
	return covered && !slices.ContainsFunc(c.Edges(t.Add(-aShutdown), t.Add(aShutdown)), ofWindows)
}

// ofWindows reports whether o is a start or an end of Windows. The event log service
// starts and stops with it, but may do so alone.
func ofWindows(o *evidence.Fact) bool {
	id := o.From().EventID
	return (o.Action == evidence.Shutdown || o.Action == evidence.Boot) && id != 6005 && id != 6006
}

// LastAlive reports whether o tells when Windows was last seen alive before it ended
// unexpectedly: it ended then or later.
func LastAlive(o *evidence.Fact) bool { return o.Artifact == "power" && o.From().EventID == 6008 }

// recordsAgain returns the first instant after t of which there is a record of a
// channel, "" for any; zero if there is none.
func (c *Case) recordsAgain(channel string, t time.Time) (again time.Time) {
	t = t.Add(inFlight)
	for _, o := range c.Between(t, Forever) {
		if isRecord(o) && (channel == "" || o.From().Channel == channel) {
			again = o.Time
			break
		}
	}
	for _, f := range c.Facts {
		if channel != "" && f.Evidence != "evtx:"+channel {
			continue
		}
		for _, r := range f.Series {
			for _, x := range []time.Time{r.FirstTime, r.LastTime} {
				if x.After(t) {
					again = earliest(again, x)
				}
			}
		}
	}
	return again
}

// isRecord reports whether o is a record of a log that was written at its time.
func isRecord(o *evidence.Fact) bool {
	return o.From().Channel != "" && o.State != evidence.Carved && o.TimeKind == evidence.EventCreated
}

// offHoles finds the spans in which the computer was off or asleep.
func (c *Case) offHoles() []evidence.Hole {
	off := c.downs()
	for _, o := range c.Observations {
		if o.Artifact != "power-sleep" || o.From().EventID != 1 || o.State == evidence.Carved {
			continue
		}
		from, err1 := time.Parse(evidence.TimeLayout, o.Detail.Text("SleepTime"))
		to, err2 := time.Parse(evidence.TimeLayout, o.Detail.Text("WakeTime"))
		hole := evidence.Hole{From: from, To: to, Reason: evidence.PoweredOff, Why: o}
		if err1 == nil && err2 == nil && from.Before(to) && c.silent(&hole) {
			off = append(off, hole)
		}
	}
	slices.SortStableFunc(off, func(a, b evidence.Hole) int { return a.From.Compare(b.From) })
	return off
}

// downs finds the spans between the end of Windows and its next start.
func (c *Case) downs() (off []evidence.Hole) {
	var down *evidence.Fact
	for _, o := range c.edges {
		switch {
		case o.State == evidence.Carved: // the next boot may be lost
		case o.Action == evidence.Shutdown && o.Artifact == "power":
			down = o // the last word of a shutdown is the latest
		case o.Action == evidence.Boot && down != nil:
			hole := evidence.Hole{From: down.Time, To: o.Time, Reason: evidence.PoweredOff, Why: down}
			if c.silent(&hole) {
				off = append(off, hole)
			}
			down = nil
		}
	}
	return off
}

// serviceStops finds the spans in which the event log service was stopped and Windows
// was not. Their records are no start and no end of Windows, and become context.
func (c *Case) serviceStops() {
	var down *evidence.Fact // 6006, and nothing since that tells of an end of Windows
	windows := c.windowsIDs()
	for _, o := range c.Observations {
		switch {
		case o.State == evidence.Carved || o.Artifact != "power":
		case ofWindows(o):
			down = nil
		case o.Action == evidence.Shutdown:
			down = o
		case o.Action == evidence.Boot && down != nil:
			if !c.windowsStarted(windows, down, o) {
				c.stopped = append(c.stopped, evidence.Hole{From: down.Time, To: earliest(c.recordsAgain("", down.Time), o.Time), Reason: evidence.ChannelOff, Why: down})
				down.Own().Action, o.Own().Action = evidence.Context, evidence.Context
			}
			down = nil
		}
	}
}

// windowsIDs returns the ids of the records of the System log that tell of starts and
// ends of Windows, ascending.
func (c *Case) windowsIDs() (ids []uint64) {
	for _, o := range c.Observations {
		if o.Artifact == "power" && ofWindows(o) && strings.EqualFold(o.From().Channel, "System") {
			ids = append(ids, o.From().RecordID)
		}
	}
	slices.Sort(ids)
	return ids
}

// windowsStarted reports whether Windows ended or started between a stop of the event
// log service and its next start by the ids of the records: a clock that was wrong at
// the start puts them elsewhere. The kernel's records follow that of the service.
func (c *Case) windowsStarted(ids []uint64, stop, start *evidence.Fact) bool {
	const behind = 64
	i, _ := slices.BinarySearch(ids, stop.From().RecordID+1)
	if i < len(ids) && ids[i] <= start.From().RecordID+behind {
		return true
	}
	// An export may have left them all out.
	return len(ids) == 0 && slices.ContainsFunc(c.Facts, func(f evidence.Coverage) bool { return f.Evidence == "evtx:System" && f.Reexported })
}

// silent reports whether no record contradicts that the computer was off. When it
// was last seen alive is told to the minute: it ran until its last record.
func (c *Case) silent(h *evidence.Hole) bool {
	for _, o := range c.Between(h.From.Add(aShutdown), h.To.Add(-time.Minute)) {
		if !isRecord(o) {
			continue
		}
		if !LastAlive(h.Why) {
			return false
		}
		h.From = o.Time
	}
	return true
}
