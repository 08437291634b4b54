package timeline

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

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
