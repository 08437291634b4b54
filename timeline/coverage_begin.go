package timeline

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// whyGap says why ids are missing between two runs. In a log that has records on
// both sides they were lost or taken out. Where the later run is the beginning of a
// log, that log has rolled over, or was cleared, since the earlier copy, unless it is
// set to keep full logs. An export may leave records out.
func (c *Case) whyGap(channel string, facts []evidence.Coverage, merged []evidence.IDRange, hole evidence.Hole) evidence.Reason {
	i := slices.IndexFunc(merged[1:], func(r evidence.IDRange) bool { return r.FirstTime.Equal(hole.To) })
	if i < 0 {
		return hole.Reason
	}
	last, next := merged[i].Last, merged[i+1].First
	begins := false
	for _, f := range facts {
		if f.Reexported {
			continue
		}
		before, after := false, false
		for _, s := range f.Series {
			before = before || s.First <= last
			after = after || s.Last >= next
		}
		if before && after {
			return hole.Reason
		}
		begins = begins || holdsID(f.Series, next)
	}
	switch {
	case !begins:
		return evidence.NotCollected
	case c.keepsFull(channel):
		return hole.Reason
	}
	return c.whyBegins(channel, facts, merged[i+1])
}

// keepsFull reports whether a log is set to be saved when it is full, and begun
// anew, so that it overwrites nothing.
func (c *Case) keepsFull(channel string) bool {
	return slices.ContainsFunc(c.LogSettings(channel), func(o *evidence.Fact) bool {
		on, _ := o.Detail.Get("AutoBackupLogFiles").(int64)
		return on == 1
	})
}

// LogSettings returns the keys that say how a log is kept.
func (c *Case) LogSettings(channel string) (settings []*evidence.Fact) {
	for _, o := range c.Observations {
		if o.Artifact == "eventlog-settings" && strings.EqualFold(o.Detail.Text("Channel"), channel) {
			settings = append(settings, o)
		}
	}
	return settings
}

const (
	keepAll = 0xFFFFFFFF     // Retention of a log that overwrites nothing
	newHost = 24 * time.Hour // after the installation, when setup may have cleared logs
)

// whyBegins says why the ids of a channel begin with first, not with 1, and no
// record tells of a clear. A log overwrites its oldest records when it is full. If
// it is not half as large as it may be, or set never to overwrite, and was so since
// first, it was cleared; if it is saved when it is full, what was before is elsewhere.
func (c *Case) whyBegins(channel string, facts []evidence.Coverage, first evidence.IDRange) evidence.Reason {
	var size int64
	for _, f := range facts {
		if !holdsID(f.Series, first.First) {
			continue
		}
		if f.Unfilled == 0 {
			return evidence.RolledOver
		}
		size = max(size, f.Unfilled)
	}
	if installed := c.installed(); !installed.IsZero() && first.FirstTime.Sub(installed) < newHost {
		return evidence.RolledOver
	}
	if c.keepsFull(channel) {
		return evidence.NotCollected
	}
	limit, overwrites := int64(0), false
	for _, o := range c.LogSettings(channel) {
		if o.Time.After(first.FirstTime) {
			return evidence.RolledOver // it may have been smaller before
		}
		bytes, _ := o.Detail.Get("MaxSize").(int64)
		if strings.HasPrefix(o.From().Key, "Policies") {
			bytes <<= 10 // there it is in KiB
		}
		if bytes > 0 && (limit == 0 || bytes < limit) {
			limit = bytes
		}
		retention, ok := o.Detail.Get("Retention").(int64)
		overwrites = overwrites || !ok || uint32(retention) != keepAll
	}
	if size > 0 && limit > 0 && (!overwrites || size <= limit/2) {
		return evidence.Cleared
	}
	return evidence.RolledOver
}

// installedBefore returns when the host's Windows was installed, unless there is
// something older than that: an upgrade keeps logs, and sets the time anew.
func (c *Case) installedBefore(t time.Time) time.Time {
	if at := c.installed(); t.IsZero() || !at.After(t) {
		return at
	}
	return time.Time{}
}

// installed returns when the host's Windows was installed, or last upgraded.
func (c *Case) installed() time.Time {
	for _, o := range c.Observations {
		if o.Artifact == "os-version" {
			if t, ok := o.Detail.Get("InstallDate").(time.Time); ok {
				return t
			}
		}
	}
	return time.Time{}
}
