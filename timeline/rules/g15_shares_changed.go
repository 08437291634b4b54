package rules

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G15: the stored shares were changed last by nothing that is recorded.
//
// Logic: LanmanServer\Shares holds no value and was last written later than
// Shares\Security, which set-up makes together with it, or than a day after
// Windows was installed: to remove a share stamps both. Or it holds others, and
// was last written after shares of this computer are known to have been made or
// used, at an instant of which the audited log has no change of a share: the
// registry was edited, or NetrShareDelSticky was called.
//
// Bound: the last write of Shares: the last time a value was stored, changed
// or removed; with none left, it was a removal.
//
// Misses: which share; all but the last change.
//
// Benign: a share that its directory's removal took along at boot; with shares
// left, one that was made, or changed, then.
var _ = register(timeline.Rule{
	ID: "G15", Title: "stored shares changed, unrecorded", Technique: "T1070.005",
	Claim: "the last stored share was removed at that instant; with shares left, one may have been", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     `LanmanServer\Shares holds no value and was last written more than 2 s after Shares\Security, or more than a day after Windows was installed; or it holds some, and its last write is later than the last known event of a share, in a log that would have an event of it`,
	Bound:     "exactly the last write of Shares",
	Misses:    "which share it was; all but the last change",
	Benign:    []string{retire, "a share was made or changed, not removed"},
	Reference: "as sharetrail artifacts server-shares; msuhanov/regf, Windows registry file format specification: last written timestamp",
	Needs:     []string{"registry:SYSTEM"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if !isShareList(o, "shares") || explained(c, o) {
					continue
				}
				cl, ok := changed(c, o)
				if len(o.Detail.List("Names")) == 0 {
					cl, ok = emptied(c, o)
				}
				if ok && !yield(cl) {
					return
				}
			}
		}
	},
})

const retire = "an administrator retired the share"

// setUpTime is how long after its installation Windows may still be set up.
const setUpTime = 24 * time.Hour

// explained reports whether a recorded deletion accounts for the last write.
func explained(c *timeline.Case, o *evidence.Fact) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		if l.Side != evidence.Server {
			return false
		}
		return slices.ContainsFunc(slices.Concat(l.Gone, l.Removes), func(x *evidence.Fact) bool { return timeline.Within(o.Time, x.Time) })
	})
}

// emptied makes the claim of a list that holds no share any more.
func emptied(c *timeline.Case, o *evidence.Fact) (timeline.Claim, bool) {
	sec := sameSet(c, o, "security")
	if sec == nil {
		return timeline.Claim{}, false
	}
	cl := sharesChanged(c, o)
	cl.Confidence, cl.Facts = timeline.Likely, append(cl.Facts, sec)
	cl.Text = fmt.Sprintf(`The last stored share of %s was removed at %s (%s): LanmanServer\Shares is empty and was written then; which share it was, the hive does not say.`, c.Host, stamp(o.Time), o.Detail.Text("ControlSet"))
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`%s holds no share and was last written at %s; Security, which is made with it, at %s.`, o.From().Key, stamp(o.Time), stamp(sec.Time)), o, sec)}
	if o.Time.Sub(sec.Time) > timeline.EffectBefore {
		return cl, true
	}
	install := installed(c)
	if install == nil || sec.Time.Sub(o.Time) > timeline.EffectBefore {
		return cl, false
	}
	at, _ := install.Detail.Get("InstallDate").(time.Time)
	cl.Facts = append(cl.Facts, install)
	cl.Steps = append(cl.Steps, step(fmt.Sprintf("To remove a share stamps both. Windows was installed at %s, so set-up did not write them.", stamp(at)), install))
	return cl, o.Time.Sub(at) > setUpTime
}

// installed returns the fact that says when Windows was installed, or nil.
func installed(c *timeline.Case) *evidence.Fact {
	for _, o := range slices.Backward(c.Observations) {
		if _, ok := o.Detail.Get("InstallDate").(time.Time); ok && o.Artifact == "os-version" {
			return o
		}
	}
	return nil
}

// changed makes the claim of a list that still holds shares, and was changed
// after the last event of a share that is known.
func changed(c *timeline.Case, o *evidence.Fact) (timeline.Claim, bool) {
	var before *evidence.Fact
	for _, x := range c.Observations {
		if x.Side != evidence.Server || x.From().Channel == "" || x.Time.IsZero() {
			continue
		}
		switch x.Action {
		case evidence.ShareCreated, evidence.ShareDeleted, evidence.Used, evidence.Context:
			if x.Action != evidence.Used && timeline.Within(x.Time, o.Time.Add(-timeline.EffectBefore)) {
				return timeline.Claim{}, false // that wrote it
			}
			if x.Time.Before(o.Time) {
				before = x
			}
		}
	}
	current, ok := o.Detail.Get("current").(bool)
	at := timeline.At(o.Time, timeline.KeyLastWrite)
	if class, _ := c.ShareAudit(at); class != timeline.Continuous || !c.ShareAuditSeen(at) {
		return timeline.Claim{}, false // to make a share may have left no record
	}
	if before == nil || ok && !current || madeThen(c, o.Time) {
		return timeline.Claim{}, false
	}
	cl := sharesChanged(c, o)
	cl.Confidence, cl.Facts = timeline.Possible, append(cl.Facts, before)
	cl.Text = fmt.Sprintf(`A stored share of %s was removed, made or changed at %s past the server service: LanmanServer\Shares was last written then, and the log, which records what the service does, has nothing of it.`, c.Host, stamp(o.Time))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s was last written at %s.", o.From().Key, stamp(o.Time)), o),
		step(fmt.Sprintf("The last record before that of a share of this computer is of %s; none says that one was made, changed or deleted then.", stamp(before.Time)), before)}
	cl.Benign = append(cl.Benign, verdict("a share was made or changed, not removed", timeline.VerdictUnknown, "the key keeps no time for each share", o))
	return cl, true
}

// madeThen reports whether a command made a share at t.
func madeThen(c *timeline.Case, t time.Time) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		return l.Side == evidence.Server && slices.ContainsFunc(l.Maps, func(m *evidence.Fact) bool { return timeline.Within(t, m.Time) })
	})
}

// sharesChanged begins a claim that the stored shares were changed at o.
func sharesChanged(c *timeline.Case, o *evidence.Fact) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, Window: timeline.At(o.Time, timeline.KeyLastWrite), Severity: timeline.Low,
		By: timeline.ByUnknown, Attack: []string{"T1070.005"}, Facts: []*evidence.Fact{o},
	}
	cl.Benign = []timeline.Benign{verdict(retire, timeline.VerdictUnknown, "no record says who did it", o)}
	cl.Missing = auditMissing(c, cl.Window)
	return cl
}
