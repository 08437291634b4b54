package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// expected lists the evidence that every Windows host has. That it was not
// collected is a fact about the collection, and makes absence unknown.
var expected = []string{
	"evtx:Security", "evtx:System", "evtx:Microsoft-Windows-PowerShell/Operational",
	"registry:SYSTEM", "registry:SOFTWARE", "registry:SECURITY",
}

// coverageRows works out what each kind of evidence of one host could have
// told: one row a kind, all files of the kind together.
func coverageRows(c *Case) []CoverageRow {
	kinds := map[string][]evidence.Coverage{}
	var rows []CoverageRow
	for _, f := range c.Facts {
		switch {
		case f.Whole, f.Unread, f.Unlisted:
		case f.Evidence == "vss" && !f.NotCollected:
			kinds["vss"] = nil
			rows = append(rows, shadowRow(f))
		case !f.NotCollected:
			kinds[f.Evidence] = append(kinds[f.Evidence], f)
		}
	}
	unread := c.unread()
	for _, kind := range sortedKeys(unread) {
		if facts, ok := kinds[kind]; !ok {
			rows = append(rows, c.unreadRow(kind, unread[kind]))
		} else if unread[kind] {
			kinds[kind] = append(facts, evidence.Coverage{Evidence: kind})
		}
	}
	for _, kind := range sortedKeys(kinds) {
		if kind == "vss" {
			continue
		}
		if channel, ok := strings.CutPrefix(kind, "evtx:"); ok {
			rows = append(rows, c.logRow(channel, kinds[kind]))
		} else if strings.HasPrefix(kind, evidence.Files) {
			rows = append(rows, filesRow(kind, kinds[kind]))
		} else {
			rows = append(rows, registryRow(kind, kinds[kind]))
		}
	}
	rows = append(rows, c.auditRows()...)
	there := map[string]bool{} // names of channels are as the account typed them that cleared one
	for _, kind := range slices.Concat(sortedKeys(kinds), sortedKeys(unread)) {
		there[strings.ToLower(kind)] = true
	}
	for _, kind := range slices.Concat(expected, c.expectedHives(), c.channelsOff(), c.clearedLogs(), c.leftBehind()) {
		if !there[strings.ToLower(kind)] {
			there[strings.ToLower(kind)] = true
			rows = append(rows, c.absentRow(kind))
		}
	}
	for i := range rows {
		rows[i].Host = c.Host
	}
	slices.SortStableFunc(rows, func(a, b CoverageRow) int {
		return cmp.Or(strings.Compare(a.Evidence, b.Evidence), a.From.Compare(b.From))
	})
	return rows
}

// notThere reports whether a kind of evidence is known to have no file, as the
// volume that Windows runs from was read whole. Not of user hives: profiles may lie on
// other volumes.
func (c *Case) notThere(kind string) bool {
	whole := false
	for _, f := range c.Facts {
		if f.NotCollected && f.Evidence == kind || f.Whole && slices.Contains(f.Keys, kind) {
			return false
		}
		whole = whole || f.Whole
	}
	return whole && !strings.HasPrefix(kind, "registry:NTUSER:") && kind != "vss"
}

// lack says why there is nothing of a kind of evidence.
func (c *Case) lack(kind string) string {
	if c.notThere(kind) {
		return kind + " is not on the volume of Windows, which was read whole"
	}
	if c.hidden(kind) {
		return kind + " was not found, and not all of where it lies could be listed"
	}
	return kind + " was not collected"
}

// hidden reports whether a kind of evidence may be there unseen, as not all of where
// it lies could be listed, and no collector says that it was left behind.
func (c *Case) hidden(kind string) bool {
	hidden := false
	for _, f := range c.Facts {
		if f.NotCollected && f.Evidence == kind {
			return false
		}
		hidden = hidden || f.Unlisted && slices.ContainsFunc(f.Keys, func(key string) bool {
			return strings.EqualFold(key, kind) || strings.HasSuffix(key, ":") && strings.HasPrefix(kind, key)
		})
	}
	return hidden
}

// absentRow tells of evidence that was not collected or not seen, or is known to be
// not there.
func (c *Case) absentRow(kind string) CoverageRow {
	r := CoverageRow{Evidence: kind, AsOf: c.End, Records: -1, Enabled: Unknown, Class: Absent}
	if channel, ok := strings.CutPrefix(kind, "evtx:"); ok {
		r.Holes, _ = c.seriesHoles(channel, nil) // recorded clears
		if c.switchHole(channel, &r); r.Enabled == No && c.notThere(kind) {
			r.Class = Disabled
		}
	}
	switch {
	case c.notThere(kind):
	case c.hidden(kind):
		r.Class = UnknownClass
		r.Holes = append(r.Holes, evidence.Hole{Reason: evidence.Corrupt})
	default:
		r.Holes = append(r.Holes, evidence.Hole{Reason: evidence.NotCollected})
	}
	return r
}

// unread returns the kinds of evidence that have a file of which nothing was read,
// and whether one of them is damaged.
func (c *Case) unread() map[string]bool {
	kinds := map[string]bool{}
	for _, f := range c.Facts {
		if f.Unread {
			for _, kind := range f.Keys {
				kinds[kind] = kinds[kind] || !f.Complete
			}
		}
	}
	return kinds
}

// unreadRow tells of evidence that is there, and of which nothing was read, since
// it is damaged or holds nothing.
func (c *Case) unreadRow(kind string, damaged bool) CoverageRow {
	r := CoverageRow{Evidence: kind, AsOf: c.End, Records: -1, Enabled: Unknown, Class: UnknownClass}
	if channel, ok := strings.CutPrefix(kind, "evtx:"); ok {
		r.Holes, r.Records = c.seriesHoles(channel, nil) // recorded clears
		if c.switchHole(channel, &r); r.Enabled == No && !damaged {
			r.Class = Disabled
		}
	}
	if damaged {
		r.Records = -1
		r.Holes = append(r.Holes, evidence.Hole{Reason: evidence.Corrupt})
	}
	return r
}

// shadowRow tells of the shadow copies of a host.
func shadowRow(f evidence.Coverage) CoverageRow {
	r := CoverageRow{Evidence: f.Evidence, AsOf: f.AsOf, From: f.From, To: f.To, Records: f.Records, Enabled: Yes, Class: Partial}
	if f.Records == 0 {
		r.Class = UnknownClass
	}
	return r
}

// leftBehind names what a collector reports to have left behind.
func (c *Case) leftBehind() (kinds []string) {
	for _, f := range c.Facts {
		if f.NotCollected {
			kinds = append(kinds, f.Evidence)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// clearedLogs names the logs that other logs say were cleared.
func (c *Case) clearedLogs() (kinds []string) {
	for _, o := range c.Observations {
		if channel := o.Detail.Text("ClearedChannel"); o.Action == evidence.LogCleared && channel != "" {
			kinds = append(kinds, "evtx:"+channel)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// expectedHives names the hives of the users that the host is known to have.
func (c *Case) expectedHives() (kinds []string) {
	for _, o := range c.Observations {
		if o.Artifact == "profiles" && strings.HasPrefix(o.SID, "S-1-5-21-") && o.User != "" {
			if k := "registry:NTUSER:" + o.User; !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	slices.Sort(kinds)
	return kinds
}

// registryRow tells of the hives of one kind.
func registryRow(kind string, facts []evidence.Coverage) CoverageRow {
	r := CoverageRow{Evidence: kind, Records: -1, Enabled: Yes, Class: Continuous}
	for _, f := range facts {
		if f.Earlier {
			continue
		}
		if f.AsOf.After(r.AsOf) {
			r.AsOf, r.To = f.AsOf, f.To
		}
		if !f.Complete {
			r.Class = Partial
			r.Holes = append(r.Holes, evidence.Hole{Reason: evidence.Corrupt})
		}
		if f.Dirty {
			// Its last changes, of up to about an hour, are in logs that were
			// not replayed.
			r.Class = Partial
			r.Holes = append(r.Holes, evidence.Hole{From: f.AsOf, Reason: evidence.NotCollected})
		}
	}
	return r
}

// filesRow tells of an artifact that keeps a file for each thing it remembers.
// What was there and is not any more cannot be told from what never was.
func filesRow(kind string, facts []evidence.Coverage) CoverageRow {
	r := CoverageRow{Evidence: kind, Records: int64(len(facts)), Enabled: Unknown, Class: UnknownClass}
	for _, f := range facts {
		if f.AsOf.After(r.AsOf) {
			r.AsOf, r.To = f.AsOf, f.To
		}
		if !f.From.IsZero() { // it tells of all that happened in a span
			r.Class = Continuous
			if r.From.IsZero() || f.From.Before(r.From) {
				r.From = f.From
			}
		}
		if !f.Complete && len(r.Holes) == 0 {
			r.Holes = []evidence.Hole{{Reason: evidence.Corrupt}}
		}
	}
	if !r.From.IsZero() {
		if len(r.Holes) > 0 {
			r.Class = Partial
		}
		r.Holes = append(r.Holes, evidence.Hole{To: r.From, Reason: evidence.RolledOver})
	}
	return r
}

// logRow tells of one channel: live log, archives and copies together.
func (c *Case) logRow(channel string, facts []evidence.Coverage) CoverageRow {
	r := CoverageRow{Evidence: "evtx:" + channel, Enabled: Unknown}
	complete := true
	for _, f := range facts {
		r.Records += f.Records
		complete = complete && f.Complete
		if !f.From.IsZero() && (r.From.IsZero() || f.From.Before(r.From)) {
			r.From = f.From
		}
		if f.To.After(r.To) {
			r.To = f.To
		}
	}
	r.AsOf = r.To
	if r.Records > 0 {
		r.Enabled = Yes
	}
	if !complete {
		r.Holes = append(r.Holes, evidence.Hole{Reason: evidence.Corrupt})
	}
	holes, records := c.seriesHoles(channel, facts)
	r.Holes, r.Records = append(r.Holes, holes...), records
	r.Holes = append(r.Holes, c.auditHoles(channel)...)
	r.Holes = append(r.Holes, c.serviceHoles(channel)...)
	r.Holes = append(r.Holes, c.clockHoles(r.From, r.To)...)
	if channel == "Security" || channel == "System" {
		r.Holes = append(r.Holes, c.offHoles()...)
	}
	c.switchHole(channel, &r)
	r.Class = c.classOf(&r)
	return r
}

// clockHoles finds the readings of the clock between from and to that came
// twice or never.
func (c *Case) clockHoles(from, to time.Time) (holes []evidence.Hole) {
	for _, j := range c.Jumps() {
		a, b := j.Span()
		if !b.Before(from) && !a.After(to) {
			holes = append(holes, evidence.Hole{From: a, To: b, Reason: evidence.ClockWasMoved, Why: j.Why})
		}
	}
	return holes
}

// Kinds of evidence that rules ask for by name.
const (
	securityLog   = "evtx:Security"
	sysmonLog     = "evtx:Microsoft-Windows-Sysmon/Operational"
	cmdlineSwitch = "ProcessCreationIncludeCmdLine_Enabled"
)
