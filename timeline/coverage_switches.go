package timeline

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// enabled says whether a channel is on by the newest state of its key, and what says so.
func (c *Case) enabled(channel string) (Tri, *evidence.Fact) {
	on, why := Unknown, (*evidence.Fact)(nil)
	for _, o := range c.LogSettings(channel) { // by time
		n, ok := o.Detail.Get("Enabled").(int64)
		if !ok || !ofChannel(o) {
			continue
		}
		if on, why = Yes, o; n == 0 {
			on = No
		}
	}
	return on, why
}

// ofChannel reports whether o is the key of a channel, as it stood when it was collected
// or copied.
func ofChannel(o *evidence.Fact) bool {
	return o.State != evidence.Deleted && strings.Contains(strings.ToLower(o.From().Key), `winevt\channels`)
}

// channelsOff names the channels that are off and would tell of shares.
func (c *Case) channelsOff() (kinds []string) {
	for _, o := range c.Observations {
		if o.Artifact != "eventlog-settings" || !ofChannel(o) {
			continue
		}
		channel := o.Detail.Text("Channel")
		_, kind, _ := strings.Cut(channel, "/")
		if kind != "Operational" && kind != "Security" && kind != "Connectivity" {
			continue // off by default
		}
		if on, _ := c.enabled(channel); on == No {
			kinds = append(kinds, "evtx:"+channel)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// switchedOff returns what keeps a log from being written, nil if nothing does. A
// channel is switched off at once. What keeps the service or its sessions from being
// started does so from the next start of Windows, if the log shows that there was one.
func (c *Case) switchedOff(channel string, r *CoverageRow) *evidence.Fact {
	if on, why := c.enabled(channel); on == No {
		return why
	}
	if r.Records <= 0 || !c.End.After(r.To.Add(r.quiet())) {
		return nil
	}
	var off *evidence.Fact
	for _, o := range c.Observations { // by time
		start, started := o.Detail.Get("Start").(int64)
		of := false // o tells of this log
		switch o.Artifact {
		case "eventlog-settings":
			of, started = started && o.Detail.Get("Channel") == nil, start != 4
		case "autologger":
			of, started = started && strings.EqualFold(o.Detail.Text("Session"), "EventLog-"+channel), start != 0
		case "minint":
			of, started = channel == "Security", false
		}
		switch {
		case !of || o.State == evidence.Deleted:
		case !started:
			off = o
		case off != nil && off.Artifact == o.Artifact:
			off = nil // it was, in a state before
		}
	}
	return off
}

// switchHole tells that a log is switched off, after its last record.
func (c *Case) switchHole(channel string, r *CoverageRow) {
	on, _ := c.enabled(channel)
	if on == Yes {
		r.Enabled = Yes
	}
	if off := c.switchedOff(channel, r); off != nil {
		r.Enabled = No
		r.Holes = append(r.Holes, evidence.Hole{From: later(off.Time, r.To), Reason: evidence.ChannelOff, Why: off})
	}
}
