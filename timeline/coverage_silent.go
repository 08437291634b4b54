package timeline

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// aside is how far from the records around a silence a key must have been written to
// show that the computer was in use in between: a start or a wake takes minutes.
const aside = 10 * time.Minute

// silences finds a span in which no log has a record although a user's hive was
// written, and of which no log lacks one: the ids go on. Windows runs on when the
// threads of its event log service are killed, and nothing says so. The span counts
// if it is ten times as long as records lie apart on average, and three times as long
// as any other silence of the computer.
func (c *Case) silences() []evidence.Hole {
	var logs []evidence.Coverage
	var records int64
	var first, last time.Time
	for _, f := range c.Facts {
		if strings.HasPrefix(f.Evidence, "evtx:") && f.Complete && !f.Reexported && f.Records > 0 {
			logs = append(logs, f)
			records += f.Records
			first, last = earliest(first, f.From), later(last, f.To)
		}
	}
	spans := silentIn(logs)
	if len(spans) == 0 { // as in most cases; the rest is dear
		return nil
	}
	off := c.offHoles()
	var longest evidence.Span
	least := 10 * last.Sub(first) / time.Duration(records)
	for _, s := range spans {
		long, most := s.To.Sub(s.From), longest.To.Sub(longest.From)
		switch {
		case c.explained(s, off):
		case long > most:
			longest, least = s, max(least, 3*most)
		default:
			least = max(least, 3*long)
		}
	}
	if longest.To.Sub(longest.From) < least {
		return nil
	}
	for _, o := range c.Between(longest.From.Add(aside), longest.To.Add(-aside)) {
		if ShowsUse(o) {
			return []evidence.Hole{{From: longest.From, To: longest.To, Reason: evidence.ChannelOff, Why: o}}
		}
	}
	return nil
}

// ShowsUse reports whether o is a key of a user's hive that was written at its time.
func ShowsUse(o *evidence.Fact) bool {
	return o.User != "" && o.From().Channel == "" && o.TimeKind == evidence.KeyLastWrite && (o.State == evidence.Live || o.State == evidence.Replayed)
}

// silentIn returns the spans in which the Security and System logs are silent, and so
// is each other log that reaches over them.
func silentIn(logs []evidence.Coverage) []evidence.Span {
	var spans []evidence.Span
	for _, kind := range []string{securityLog, "evtx:System"} {
		var of []evidence.Span
		for _, f := range logs {
			if f.Evidence == kind {
				of = append(of, f.Silences...)
			}
		}
		slices.SortFunc(of, func(a, b evidence.Span) int { return a.From.Compare(b.From) })
		if kind == securityLog {
			spans = of
		} else {
			spans = inBoth(spans, of)
		}
	}
	for _, f := range logs {
		spans = inBoth(spans, slices.Concat([]evidence.Span{{To: f.From}}, f.Silences, []evidence.Span{{From: f.To, To: Forever}}))
	}
	return spans
}

// inBoth returns what two lists of spans, each by time, have in common.
func inBoth(a, b []evidence.Span) (both []evidence.Span) {
	for len(a) > 0 && len(b) > 0 {
		s := evidence.Span{From: later(a[0].From, b[0].From), To: earliest(a[0].To, b[0].To)}
		if s.From.Before(s.To) {
			both = append(both, s)
		}
		if a[0].To.Before(b[0].To) {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return both
}

// explained reports whether the computer was off in a silence, or its clock was moved,
// so that the time of a key may lie in it only by the wrong clock.
func (c *Case) explained(s evidence.Span, off []evidence.Hole) bool {
	over := func(from, to time.Time) bool { return from.Before(s.To) && to.After(s.From) }
	return slices.ContainsFunc(off, func(h evidence.Hole) bool { return over(h.From, h.To) }) ||
		slices.ContainsFunc(c.Jumps(), func(j Jump) bool { return over(j.Span()) }) ||
		slices.ContainsFunc(c.Edges(s.From.Add(-aShutdown), s.From.Add(aShutdown)), func(o *evidence.Fact) bool { return o.Action == evidence.Shutdown })
}
