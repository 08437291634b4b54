package rules

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G20: a log that would have told is cleared, has a hole, or was told to be
// silent.
//
// Logic: 1102 or 104; ids that do not begin with 1 in a log that never was full; a break in a channel's record ids that no rollover or
// re-export explains; a recorded change of the audit policy to record less.
//
// Bound: from the last record known before to the first after.
//
// Misses: records that were altered in place, unless a copy has them as they were;
// logs that were never written; threads of the service that were killed for a short time.
//
// Benign: size limits, maintenance, an export that filtered.
var _ = register(timeline.Rule{
	ID: "G20", Title: "a log cannot tell about a span of time", Technique: "T1070.001",
	Claim: "the log cannot tell what happened in that span", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "1102 or 104 records a clear; or the record ids do not begin with 1 in a log that is far from full, or set never to overwrite (likely); or record ids of a channel break off and go on, in a log that is not a re-export; or 4719 records that auditing of a share-related kind was switched off; or 1100, 6006 or Sysmon 4 that the event log service or Sysmon stopped and Windows did not; or a file of a log lacks records inside, or at its end, that a copy or its own shadow copy has; or the registry says that a log which has records is not written any more; or no log has a record in a span far longer than any other, in which a user's hive was written (likely)",
	Bound:     "from the last record known before the hole to the first after it",
	Misses:    "records altered in place, unless a copy of the log has them as they were (a problem); channels that were never on; threads of the event log service that were killed for a short time",
	Benign:    []string{"an administrator cleared the log in maintenance", "the log was exported through a filter"},
	Reference: "Microsoft, Windows security auditing: events 1100, 1102, 4719; as sharetrail artifacts log-clears, eventlog-settings; MITRE ATT&CK T1070.001",
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			bursts := clearBursts(c)
			for _, b := range bursts {
				if !yield(burstCleared(b)) {
					return
				}
			}
			for _, l := range c.Lacks() {
				if !yield(lacking(l)) {
					return
				}
			}
			for _, r := range c.Coverage {
				for _, h := range r.Holes {
					if slices.ContainsFunc(bursts, func(b []clearing) bool { return inBurst(b, r.Evidence, h) }) {
						continue
					}
					if cl, ok := blind(c, r, h); ok && !yield(cl) {
						return
					}
				}
			}
		}
	},
})

// blind makes the claim of one hole; holes that need no act, such as a
// rollover, are coverage and no finding.
func blind(c *timeline.Case, r timeline.CoverageRow, h evidence.Hole) (timeline.Claim, bool) {
	log, isLog := strings.CutPrefix(r.Evidence, "evtx:")
	if !isLog {
		return timeline.Claim{}, false
	}
	cl := timeline.Claim{Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Info, Actor: h.Why}
	cl.Window = timeline.Window{NotBefore: h.From, NotAfter: h.To, Basis: timeline.Recorded}
	if h.Why != nil {
		cl.User, cl.SID, cl.Facts = h.Why.User, h.Why.SID, []*evidence.Fact{h.Why}
	}
	from := "its beginning, which no record that is left gives,"
	if !h.From.IsZero() {
		from = stamp(h.From)
	}
	switch {
	case timeline.Kept(h) && h.Why != nil:
		cl.Severity, cl.Attack = timeline.Low, []string{"T1070.001"}
		cl.Text = fmt.Sprintf("The log %s was cleared at %s by %s. What it held is not lost: the record ids that are here go on across the clear.", log, stamp(h.Why.Time), who(cl.User, cl.SID))
		cl.Steps = []timeline.Step{step(fmt.Sprintf("The clear is recorded at %s.", stamp(h.Why.Time)), h.Why)}
		cl.Benign = []timeline.Benign{verdict("an administrator cleared the log in maintenance", timeline.VerdictUnknown, "the record says who and when, not why", h.Why)}
	case h.Reason == evidence.Cleared && h.Why != nil:
		cl.Severity, cl.Attack = timeline.Low, []string{"T1070.001"}
		cl.Text = fmt.Sprintf("The log %s was cleared at %s by %s: from %s to %s it can tell nothing.", log, stamp(h.Why.Time), who(cl.User, cl.SID), from, stamp(h.To))
		cl.Steps = []timeline.Step{step(fmt.Sprintf("The clear is recorded at %s.", stamp(h.Why.Time)), h.Why)}
		cl.Benign = []timeline.Benign{verdict("an administrator cleared the log in maintenance", timeline.VerdictUnknown, "the record says who and when, not why", h.Why)}
	case h.Reason == evidence.Cleared:
		settings := c.LogSettings(log)
		cl.Severity, cl.Confidence, cl.Attack, cl.Facts = timeline.Low, timeline.Likely, []string{"T1070.001"}, settings
		cl.Text = fmt.Sprintf("The log %s begins at %s with a record that is not its first, and it is not full: it was cleared, and no record says so. From %s to %s it can tell nothing.", log, stamp(h.To), from, stamp(h.To))
		cl.Steps = []timeline.Step{step("Record ids go on after a clear, and when a full log overwrites its oldest records. This file is far below the size at which it would, or is set never to, and was so since its first record.", settings...)}
		cl.Benign = []timeline.Benign{
			verdict("an administrator cleared the log in maintenance", timeline.VerdictUnknown, "no record says who cleared it"),
			verdict("the file was smaller, or another one, before", timeline.VerdictUnknown, "only the settings as they stand, and the time of their last change, are known", settings...)}
	case (h.Reason == evidence.RecordGap || h.Reason == evidence.AuditOff && !h.To.IsZero()) && h.To.Sub(h.From) < time.Second:
		// Ids that are missing between two records of one instant hide no time, nor
		// does a policy that is applied anew.
		return timeline.Claim{}, false
	case h.Reason == evidence.RecordGap:
		cl.Text = fmt.Sprintf("Records are missing from the log %s between %s and %s: what happened then it cannot tell.", log, from, stamp(h.To))
		cl.Steps = []timeline.Step{step("The record ids break off and go on higher; the record headers show no re-export.")}
		cl.Benign = []timeline.Benign{
			verdict("the log was exported through a filter", timeline.Contradicted, "its record headers carry the ids of the records"),
			damaged(c, r.Evidence, h)}
	case h.Reason == evidence.ChannelOff && h.Why != nil && timeline.ShowsUse(h.Why):
		return muted(cl, h, log)
	case h.Reason == evidence.ChannelOff && h.Why != nil && h.Why.From().Channel == "":
		return switchedOff(cl, r, h, log)
	case h.Reason == evidence.ChannelOff && h.Why != nil && log != "Security" && h.Why.Artifact != "sysmon-state":
		return timeline.Claim{}, false // told once, of the log that matters most
	case h.Reason == evidence.ChannelOff && h.Why != nil:
		to := "the end of the evidence"
		if !h.To.IsZero() {
			to = stamp(h.To)
		}
		what, why := "The event log service was stopped at %s, and no record tells that Windows ended then: from then to %s no log can tell anything.", "The event log says so itself, and no shutdown is near."
		benign := verdict("an update or an administrator restarted the service", timeline.VerdictUnknown, "the record does not say who stopped it", h.Why)
		if h.Why.Artifact == "sysmon-state" {
			what, why = "Sysmon was stopped at %s, and no record tells that Windows ended then: from then to %s it recorded nothing.", "Sysmon says so itself, and no shutdown is near."
		}
		if h.Why.From().EventID == 1104 {
			what, why = "The Security log was full at %s: from then to %s it may lack what happened.", "The event log says so itself."
			benign = verdict("the log reached its size, and is set to overwrite nothing", timeline.VerdictUnknown, "the record does not say what filled it", h.Why)
		}
		cl.Text = fmt.Sprintf(what, stamp(h.From), to)
		cl.Steps, cl.Benign = []timeline.Step{step(why, h.Why)}, []timeline.Benign{benign}
		cl.Severity = timeline.Low
	case h.Reason == evidence.AuditOff && h.Why != nil:
		to := "the end of the evidence"
		if !h.To.IsZero() {
			to = stamp(h.To)
		}
		cl.Severity = timeline.Low
		cl.Text = fmt.Sprintf("Auditing of %s was switched off at %s by %s: up to %s the log %s does not tell of it.", h.Why.Detail.Text("subcategory"), stamp(h.From), who(cl.User, cl.SID), to, log)
		if !h.To.IsZero() && !switchedAt(c, h.To) {
			cl.Text = fmt.Sprintf("Auditing of %s was switched off at %s by %s: up to %s, when it is seen to be on again, the log %s may lack it.", h.Why.Detail.Text("subcategory"), stamp(h.From), who(cl.User, cl.SID), to, log)
		}
		cl.Steps = []timeline.Step{step("The change of the audit policy is recorded.", h.Why)}
		cl.Benign = []timeline.Benign{verdict("Group Policy or an administrator changed the policy", timeline.VerdictUnknown, "the record says who and when, not why", h.Why)}
		cl.Attack = []string{"T1562.002"}
	default:
		return timeline.Claim{}, false
	}
	return cl, true
}

// damaged tests whether the records that are missing in a hole were lost by damage.
func damaged(c *timeline.Case, kind string, h evidence.Hole) timeline.Benign {
	const innocent = "a chunk of the file was lost or not flushed"
	for _, f := range c.Facts {
		before, after := false, false
		for _, s := range f.Series {
			before, after = before || s.LastTime.Equal(h.From), after || s.FirstTime.Equal(h.To)
		}
		if f.Evidence == kind && !f.Complete && before && after {
			return verdict(innocent, timeline.VerdictUnknown, "part of "+named(f.Place)+" cannot be read, as problems tells: the records may have been there")
		}
	}
	return verdict(innocent, timeline.VerdictUnknown, "the file does not say")
}

// switchedOff makes the claim of a log that has records, and is not filled any more.
// What keeps all logs from being filled is told once.
func switchedOff(cl timeline.Claim, r timeline.CoverageRow, h evidence.Hole, log string) (timeline.Claim, bool) {
	if r.Records <= 0 || !relevant(log) || h.Why.Detail.Get("Channel") == nil && h.Why.Artifact == "eventlog-settings" && log != "Security" {
		return timeline.Claim{}, false
	}
	what := map[string]string{"autologger": "the session that fills it is not started", "minint": "Windows takes itself for Windows PE, which writes none"}[h.Why.Artifact]
	switch {
	case what != "":
	case h.Why.Detail.Get("Channel") == nil:
		what = "the event log service is disabled"
	default:
		what = "its channel is off"
	}
	cl.Severity, cl.Attack, cl.Window.Basis = timeline.Low, []string{"T1562.002"}, timeline.KeyLastWrite
	cl.Text = fmt.Sprintf("The log %s is not written any more: %s, as of %s. Of what came after its last record, of %s, it tells nothing.", log, what, stamp(h.Why.Time), stamp(r.To))
	cl.Steps = []timeline.Step{step("The registry says so. It does not tell since when, beyond the last write of the key.", h.Why)}
	cl.Benign = []timeline.Benign{verdict("Group Policy or an administrator switched it off", timeline.VerdictUnknown, "the registry does not say who did", h.Why)}
	return cl, true
}

// muted makes the claim of a span in which no log has a record, told once.
func muted(cl timeline.Claim, h evidence.Hole, log string) (timeline.Claim, bool) {
	if log != "Security" {
		return timeline.Claim{}, false
	}
	cl.Severity, cl.Confidence, cl.Attack = timeline.Low, timeline.Likely, []string{"T1562.002"}
	cl.Actor, cl.User, cl.SID = nil, "", ""
	cl.Text = fmt.Sprintf("No log has a record between %s and %s, and none lacks one, though the computer was in use: what happened then no log can tell.", stamp(h.From), stamp(h.To))
	cl.Steps = []timeline.Step{
		step(fmt.Sprintf("The registry of %s was written at %s.", who(h.Why.User, h.Why.SID), stamp(h.Why.Time)), h.Why),
		step("The record ids of every log go on across the span, which is ten times as long as its records lie apart on average, and no record tells that Windows ended, slept or set its clock. So it is when the threads of the event log service are killed."),
	}
	cl.Benign = []timeline.Benign{
		verdict("nothing happened that the logs record", timeline.VerdictUnknown, "how much a computer in use records depends on its settings"),
		verdict("the hive was written while it was loaded by another computer or system, or by a wrong clock", timeline.VerdictUnknown, "a key does not tell what wrote it", h.Why)}
	return cl, true
}

// switchedAt reports whether a change of the audit policy is recorded at t.
func switchedAt(c *timeline.Case, t time.Time) bool {
	return slices.ContainsFunc(c.Between(t, t), func(o *evidence.Fact) bool { return o.Artifact == "audit-changes" })
}

// A clearing is one cleared log.
type clearing struct {
	evidence string // "evtx:Security"
	hole     evidence.Hole
}

// A burst is at least this many logs, each cleared within burstStep of the
// one before by the same account: one act, and one row.
const (
	burstSize = 3
	burstStep = time.Minute
)

// clearBursts finds the acts that cleared several logs.
func clearBursts(c *timeline.Case) (bursts [][]clearing) {
	var all []clearing
	for _, r := range c.Coverage {
		for _, h := range r.Holes {
			if h.Reason == evidence.Cleared && h.Why != nil && !timeline.Kept(h) {
				all = append(all, clearing{r.Evidence, h})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b clearing) int {
		return cmp.Or(strings.Compare(a.hole.Why.SID, b.hole.Why.SID), strings.Compare(a.hole.Why.User, b.hole.Why.User), a.hole.Why.Time.Compare(b.hole.Why.Time))
	})
	for len(all) > 0 {
		n := 1
		for n < len(all) && timeline.SameUser(all[0].hole.Why.User, all[0].hole.Why.SID, all[n].hole.Why.User, all[n].hole.Why.SID) &&
			all[n].hole.Why.Time.Sub(all[n-1].hole.Why.Time) <= burstStep {
			n++
		}
		if n >= burstSize {
			bursts = append(bursts, all[:n])
		}
		all = all[n:]
	}
	return bursts
}

func inBurst(b []clearing, kind string, h evidence.Hole) bool {
	return slices.ContainsFunc(b, func(x clearing) bool { return x.evidence == kind && x.hole.Why == h.Why && h.Why != nil })
}

// burstCleared makes one claim of a burst.
func burstCleared(b []clearing) timeline.Claim {
	first, last := b[0].hole.Why, b[len(b)-1].hole.Why
	cl := timeline.Claim{
		Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Low, Actor: first, User: first.User, SID: first.SID,
		Window: timeline.Window{NotBefore: first.Time, NotAfter: last.Time, Basis: timeline.Recorded}, Attack: []string{"T1070.001"},
	}
	var names, rest []string
	for _, x := range b {
		cl.Facts = append(cl.Facts, x.hole.Why)
		name := strings.TrimPrefix(x.evidence, "evtx:")
		if relevant(name) {
			names = append(names, name)
		} else {
			rest = append(rest, name)
		}
	}
	slices.Sort(names)
	slices.Sort(rest)
	which := strings.Join(names, ", ")
	switch {
	case which == "":
		which = strings.Join(rest[:min(len(rest), 3)], ", ")
		if len(rest) > 3 {
			which += fmt.Sprintf(" and %d more", len(rest)-3)
		}
	case len(rest) > 0:
		which += fmt.Sprintf(" and %d more", len(rest))
	}
	cl.Text = fmt.Sprintf("%d logs (%s) were cleared between %s and %s by %s: what they recorded before is lost, but for copies.", len(b), which, stamp(first.Time), stamp(last.Time), who(cl.User, cl.SID))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("The clears of %d logs are recorded, no two more than a minute apart.", len(b)), cl.Facts...)}
	cl.Benign = []timeline.Benign{verdict("an administrator cleared the logs in maintenance", timeline.VerdictUnknown, "the records say who and when, not why", first)}
	return cl
}

// relevant reports whether a log could have told of shares.
func relevant(channel string) bool {
	low := strings.ToLower(channel)
	switch low {
	case "security", "system", "application", "windows powershell", "forwardedevents":
		return true
	}
	return strings.Contains(low, "smb") || strings.Contains(low, "powershell") || strings.Contains(low, "sysmon") || strings.Contains(low, "grouppolicy")
}
