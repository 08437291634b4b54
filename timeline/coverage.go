package timeline

import (
	"cmp"
	"fmt"
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
		case f.Whole, f.Unread:
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
	return kind + " was not collected"
}

// absentRow tells of evidence that was not collected, or is known to be not there.
func (c *Case) absentRow(kind string) CoverageRow {
	r := CoverageRow{Evidence: kind, AsOf: c.End, Records: -1, Enabled: Unknown, Class: Absent}
	if channel, ok := strings.CutPrefix(kind, "evtx:"); ok {
		r.Holes, _ = c.seriesHoles(channel, nil) // recorded clears
		if c.switchHole(channel, &r); r.Enabled == No && c.notThere(kind) {
			r.Class = Disabled
		}
	}
	if !c.notThere(kind) {
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

// The audit subcategories that share activity is recorded by.
const (
	auditProcess   = "Process Creation"
	auditFileShare = "File Share"
)

func auditMatters(sub string) bool {
	return slices.Contains(evidence.AuditKinds, sub)
}

// auditRows says, for the subcategories that record share activity, whether
// they were on at collection.
func (c *Case) auditRows() (rows []CoverageRow) {
	for _, o := range c.Observations {
		if o.Artifact != "audit-policy" {
			continue
		}
		for _, sub := range []string{auditFileShare, auditProcess} {
			v := o.Detail.Text(sub)
			if v == "" {
				continue
			}
			r := CoverageRow{Evidence: "audit:" + sub, AsOf: o.From().AsOf, From: o.Time, To: o.From().AsOf, Records: -1, Enabled: Yes, Class: Continuous}
			if v != "success" && v != "both" {
				r.Enabled, r.Class = No, Disabled
				r.Holes = []evidence.Hole{{From: o.Time, Reason: evidence.AuditOff, Why: o}}
			}
			rows = append(rows, r)
		}
		break
	}
	return rows
}

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
			}
		}
		r.Holes = slices.DeleteFunc(slices.Clone(r.Holes), func(h evidence.Hole) bool { return h.Reason == without })
		class := classIn(&r, w)
		if class == Continuous && (!w.NotBefore.IsZero() && w.NotBefore.Before(r.From) || !w.NotAfter.IsZero() && w.NotAfter.Before(r.From) || w.NotAfter.After(r.To.Add(r.quiet()))) {
			class = Partial // it begins inside the window, or ends there
		}
		return class, fmt.Sprintf("%s: %s, %d records from %s to %s", kind, class, r.Records, evidence.FormatTime(r.From), evidence.FormatTime(r.To))
	}
	return Absent, c.lack(kind)
}

// Commands judges whether a command that ran in w would have been recorded: a
// log covers w, process creation was audited, and the command line was part of
// the record.
func (c *Case) Commands(w Window) (Class, string) {
	if class, why := c.ClassOf(sysmonLog, w); class == Continuous && c.witnessed(sysmonLog, evidence.CommandLines, w) {
		return class, why + ", with command lines throughout"
	}
	class, why := c.ClassOf(securityLog, w)
	if class == Continuous && !c.reaches(securityLog, w.NotAfter) {
		class, why = Partial, why+", which is before the window ends"
	}
	switch {
	case class == Absent:
	case c.witnessed(securityLog, evidence.CommandLines, w):
		why += ", with command lines throughout"
	case c.auditOn(auditProcess) == No:
		return Disabled, "auditing of process creation was off at collection"
	case c.switchedOn(cmdlineSwitch) == No:
		return Disabled, "process creation was recorded without command lines"
	case c.auditOn(auditProcess) == Yes && c.switchedOn(cmdlineSwitch) == Yes:
		why += "; recording of command lines was on at collection"
	default:
		return UnknownClass, "whether command lines were recorded is not known"
	}
	return class, why
}

// Kinds of evidence that rules ask for by name.
const (
	securityLog   = "evtx:Security"
	sysmonLog     = "evtx:Microsoft-Windows-Sysmon/Operational"
	cmdlineSwitch = "ProcessCreationIncludeCmdLine_Enabled"
)

// witnessed reports whether records from before and after w prove that what
// was recorded.
func (c *Case) witnessed(kind, what string, w Window) bool {
	var first, last time.Time
	for _, f := range c.Facts {
		for _, x := range f.Witnesses {
			if f.Evidence != kind || x.What != what {
				continue
			}
			if first.IsZero() || x.First.Before(first) {
				first = x.First
			}
			if x.Last.After(last) {
				last = x.Last
			}
		}
	}
	return !first.IsZero() && !first.After(w.NotBefore) && !last.Before(w.NotAfter)
}

func (c *Case) auditOn(sub string) Tri {
	for _, r := range c.Coverage {
		if r.Evidence == "audit:"+sub {
			return r.Enabled
		}
	}
	return Unknown
}

// switchedOn reads a logging switch of the SOFTWARE hive. The key read whole
// and no such value there means off, which is the default.
func (c *Case) switchedOn(name string) Tri {
	for _, o := range c.Observations {
		if o.Artifact == "logging-switches" {
			if v, ok := o.Detail.Get(name).(int64); ok {
				if v == 1 {
					return Yes
				}
				return No
			}
		}
	}
	for _, f := range c.Facts {
		if f.Evidence == "registry:SOFTWARE" && slices.ContainsFunc(f.Keys, func(k string) bool { return strings.HasSuffix(k, `Policies\System\Audit`) }) {
			return No
		}
	}
	return Unknown
}

// ShareAuditSeen reports whether records from before and after w prove that
// changes of shares were recorded.
func (c *Case) ShareAuditSeen(w Window) bool {
	return c.witnessed(securityLog, evidence.ShareAccess, w) || c.auditOn(auditFileShare) == Yes
}

// ShareAudit judges whether the deletion of a share in w would have been
// recorded by 5144.
func (c *Case) ShareAudit(w Window) (Class, string) {
	class, why := c.ClassOf(securityLog, w)
	if class == Continuous && !c.reaches(securityLog, w.NotAfter) {
		class, why = Partial, why+", which is before the window ends"
	}
	switch {
	case class == Absent || c.witnessed(securityLog, evidence.ShareAccess, w):
	case c.auditOn(auditFileShare) == No:
		return Disabled, "auditing of file shares was off at collection"
	case c.auditOn(auditFileShare) == Unknown:
		return UnknownClass, "whether file shares were audited is not known"
	}
	return class, why
}
