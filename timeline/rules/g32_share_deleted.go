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

// G32: an exported share was deleted.
//
// Logic: 5144 or a recorded deletion of the stored value; or a command that
// deletes the share, which the stored shares do not hold later; or the share
// stands in an earlier state of the hive, or in an older control set, and not in
// the later, or current, one.
//
// Bound: the event's own time; the last write of LanmanServer\Shares where it
// dates the command's effect; else the command and
// 30 s; or the two states.
//
// Misses: temporary shares that a reboot ends.
//
// Benign: an administrator retired the share.
var _ = register(timeline.Rule{
	ID: "G32", Title: "exported share deleted", Technique: "T1070.005",
	Claim: "the share was deleted", Base: timeline.Likely, Severity: timeline.High,
	Logic:     `5144, or the deletion of the value in LanmanServer\Shares is recorded; or a command deletes it and no later state stores it; or an earlier state of the hive, or an older control set, stores it and the later one does not`,
	Bound:     "the event's own time; the last write of Shares within -2 s to +30 s of the command; the command and 30 s; the two states",
	Misses:    "temporary shares that end with a reboot",
	Benign:    []string{retire},
	Reference: "Microsoft, Windows security auditing: event 5144; as sharetrail artifacts server-shares",
	Needs:     []string{"evtx:Security|registry:SYSTEM|evtx:Microsoft-Windows-Sysmon/Operational"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Server {
					continue
				}
				var cl timeline.Claim
				switch {
				case len(l.Gone) > 0:
					cl = shareDeleted(c, l, cmp.Or(deletedEvent(l), l.Gone[0]))
				case l.Lacks != nil && storedSince(l):
					cl = goneFromStore(c, l)
				case len(l.Removes) > 0 && l.Status != timeline.StatusExported:
					ok := false
					if cl, ok = shareCommand(c, l); !ok {
						continue
					}
				case l.Lacks != nil:
					cl = goneFromStore(c, l)
				default:
					continue
				}
				if !yield(cl) {
					return
				}
			}
			for cl := range onlyInOldSet(c) {
				if !yield(cl) {
					return
				}
			}
		}
	},
})

// shareDeleted makes the claim of a deletion that an event records.
func shareDeleted(c *timeline.Case, l *timeline.Life, by *evidence.Fact) timeline.Claim {
	cl := claim(timeline.KindRemoval, l)
	cl.User, cl.SID = by.User, by.SID
	cl.Confidence, cl.Severity, cl.Attack = timeline.Certain, timeline.High, []string{"T1070.005"}
	cl.Window, cl.Actor, cl.By = timeline.At(by.Time, timeline.Recorded), by, timeline.ByAPI
	cl.Facts = append(append(cl.Facts, l.Maps...), by)
	cl.Steps = []timeline.Step{step(fmt.Sprintf("The deletion of %s is recorded at %s, by %s.", l.Share, stamp(by.Time), who(by.User, by.SID)), by)}
	how := ""
	for _, o := range l.Removes {
		if timeline.Within(by.Time, o.Time) && (cl.By != timeline.ByTheCommand || direct(o)) {
			cl.Actor, cl.By = o, timeline.ByTheCommand
			how = " with " + quote(o)
			cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o))
		}
	}
	if cl.Actor == by {
		// An event without a command: what called the server is not known.
		cl.By = timeline.ByUnknown
	}
	l.Facts.ShareGone = timeline.Yes
	cl.Text = fmt.Sprintf("The share %s was deleted at %s by %s%s.", l.Share, stamp(by.Time), who(by.User, by.SID), how)
	cl.Benign = []timeline.Benign{retired(by)}
	return cl
}

func retired(by *evidence.Fact) timeline.Benign {
	return verdict(retire, timeline.VerdictUnknown, "who deletes a share has the right to; whether it was meant to hide something, the evidence does not say", by)
}

// shareCommand makes the claim of a deletion that only a command shows; ok is
// false if other evidence says that it removed nothing.
func shareCommand(c *timeline.Case, l *timeline.Life) (cl timeline.Claim, ok bool) {
	by := l.Removes[len(l.Removes)-1]
	for _, o := range l.Removes {
		if sameRun(by, o) && direct(o) {
			by = o
		}
	}
	cl = claim(timeline.KindRemoval, l)
	cl.User, cl.SID = by.User, by.SID
	cl.Confidence, cl.Severity, cl.Attack = timeline.Likely, timeline.High, []string{"T1070.005"}
	since, _ := l.Since(by.Time)
	cl.Window = commandWindow(by, since)
	cl.Actor, cl.By = by, timeline.ByTheCommand
	registry := by.Detail.Text("Class") == "value.delete"
	if registry {
		cl.By = timeline.ByRegistry
	}
	cl.Facts = append(append(cl.Facts, l.Maps...), by)
	cl.Steps = []timeline.Step{ran(by)}
	class, why := c.ShareAudit(cl.Window)
	switch {
	case registry: // an edit of the registry is no event of the server
	case class == timeline.Continuous && c.ShareAuditSeen(cl.Window) && !cl.Window.NotBefore.IsZero():
		// 5144 would have recorded it.
		return cl, false
	case class != timeline.Continuous:
		cl.Missing = append(cl.Missing, timeline.Missing{What: "Security 5144, which records the deletion of a share", Why: why})
	}
	known := len(l.Maps)+len(l.Uses) > 0 || l.Old != nil || l.Stored != nil
	s := l.Shares
	switch {
	case s == nil || s.Key == nil:
		cl.Missing = append(cl.Missing, timeline.Missing{What: "the SYSTEM hive, to see whether the share is still stored", Why: "none was read"})
	case s.AsOf.Before(by.Time):
		cl.Confidence = timeline.Possible
		cl.Missing = append(cl.Missing, timeline.Missing{What: "a state of the SYSTEM hive from after the command", Why: "the hive shows nothing later than " + stamp(s.AsOf)})
	case timeline.IsDefaultShare(nameOf(l.Share)):
		cl.Steps = append(cl.Steps, step("Windows stores no share of that name and makes it again at the next start of the service."))
	case s.Names[nameOf(l.Share)] == nil && !s.AsOf.Before(by.Time):
		cl.Facts = append(cl.Facts, s.Key)
		cl.Steps = append(cl.Steps, step(fmt.Sprintf(`LanmanServer\Shares, as of %s, does not store it; it was last written at %s.`, stamp(s.AsOf), stamp(s.LastChange)), s.Key))
		switch {
		case undated(by):
			cl.Window.NotAfter, cl.Window.Basis = s.LastChange, timeline.KeyLastWrite
			if s.LastChange.Before(since) {
				cl.Window.NotAfter = s.AsOf
			}
		case timeline.Within(s.LastChange, by.Time) && !otherWrite(c, l, s.LastChange):
			known = true // a value of Shares went, or changed, when the command names this one
			cl.Confidence, cl.Window = timeline.Strong, timeline.At(s.LastChange, timeline.KeyLastWrite)
			l.Facts.ShareGone = timeline.Yes
		default:
			if at := lackedBy(c, l, by); at.After(cl.Window.NotAfter) {
				cl.Steps = append(cl.Steps, step(fmt.Sprintf("No record says whether a command failed. That this one did not is taken for granted: the registry shows no more than that the share was gone by %s.", stamp(at)), by))
			}
		}
	}
	if used := usedAfter(c, l); used != nil && cl.Confidence != timeline.Strong {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("It was used at "+stamp(used.Time)+", and nothing records that it was made again: the command failed, or it was made again unseen.", used))
	}
	if !known {
		cl.Confidence, cl.Severity = timeline.Possible, timeline.Low
		cl.Steps = append(cl.Steps, step("Nothing else in the evidence shows that there was such a share."))
	}
	cl.Text = fmt.Sprintf("The share %s was deleted by %s, run by %s, %s.", l.Share, quote(by), who(by.User, by.SID), span(cl.Window))
	if cl.Confidence == timeline.Possible {
		cl.Text = fmt.Sprintf("%s, run by %s %s, may have deleted the share %s.", quote(by), who(by.User, by.SID), runAt(by), l.Share)
	}
	cl.Benign = []timeline.Benign{retired(by), script(c, by)}
	return cl, true
}

// lackedBy returns when the stored shares that lack l, as of after command o, were last
// written; zero if none are known, or the share was made again.
func lackedBy(c *timeline.Case, l *timeline.Life, o *evidence.Fact) time.Time {
	for _, s := range c.Shares {
		if l.Next.IsZero() && !s.AsOf.Before(o.Time) && s.Key != nil && s.Names[nameOf(l.Share)] == nil {
			return s.LastChange
		}
	}
	return time.Time{}
}

// storedSince reports whether a state of the hive stores l well after every command
// that deletes it: none of them did.
func storedSince(l *timeline.Life) bool {
	return len(l.Removes) > 0 && l.Had != nil && !slices.ContainsFunc(l.Removes, func(o *evidence.Fact) bool {
		return !l.Had.AsOf.After(o.Time.Add(timeline.EffectAfter))
	})
}

// usedAfter returns the use by which the share is known after its removal, where
// nothing records that it was made again; or nil.
func usedAfter(c *timeline.Case, l *timeline.Life) *evidence.Fact {
	for _, x := range c.Lives {
		if x != l && x.Side == evidence.Server && strings.EqualFold(nameOf(x.Share), nameOf(l.Share)) && !l.Next.IsZero() && len(x.Uses) > 0 && x.Uses[0].Time.Equal(l.Next) {
			return x.Uses[0]
		}
	}
	return nil
}

// goneFromStore makes the claim of a share that one state of the hive stores and
// a later one does not, and that nothing records the removal of.
func goneFromStore(c *timeline.Case, l *timeline.Life) timeline.Claim {
	cl := claim(timeline.KindRemoval, l)
	cl.Confidence, cl.Severity, cl.By, cl.Attack = timeline.Certain, timeline.Medium, timeline.ByUnknown, []string{"T1070.005"}
	cl.Facts = append(slices.Clone(l.Maps), l.Stored, l.Lacks.Key)
	cl.Window = timeline.Window{NotBefore: l.Had.AsOf, NotAfter: l.Lacks.AsOf, Basis: timeline.HiveState}
	if since, _ := l.Since(l.Lacks.AsOf); since.After(cl.Window.NotBefore) {
		cl.Window.NotBefore = since
	}
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`LanmanServer\Shares, as of %s, stores %s.`, stamp(l.Had.AsOf), l.Share), l.Stored)}
	statement := fmt.Sprintf(`LanmanServer\Shares, as of %s, was read whole and does not store it; it was last written at %s.`, stamp(l.Lacks.AsOf), stamp(l.Lacks.LastChange))
	cl.Steps = append(cl.Steps, step(statement, l.Lacks.Key))
	for _, o := range l.Removes {
		cl.Steps = append(cl.Steps, ran(o), step("The share was stored after that: the command failed, or it was made again unseen.", o, l.Stored))
	}
	follows, against := l.Lacks.Follows(l.Had)
	if change := l.Lacks.LastChange; against != "" {
		doubtOrder(&cl, l.Lacks.Written.SetBack, follows, against, l.Lacks.Key)
	} else if change.After(cl.Window.NotBefore) && change.Before(cl.Window.NotAfter) {
		cl.Window.NotAfter, cl.Window.Basis = change, timeline.KeyLastWrite
	}
	l.Persistent = timeline.Yes
	if follows == timeline.Yes {
		l.Facts.ShareGone = timeline.Yes
	}
	cl.Text = fmt.Sprintf("The stored share %s %s removed %s: one state of the hive stores it, a later one does not.", l.Share, was(&cl), span(cl.Window))
	cl.Benign = append(cl.Benign, verdict(retire, timeline.VerdictUnknown, "no record says who did it"))
	cl.Missing = auditMissing(c, cl.Window)
	return cl
}

// auditMissing says what would record the deletion of a share in w, if it was not
// recorded throughout.
func auditMissing(c *timeline.Case, w timeline.Window) []timeline.Missing {
	class, why := c.ShareAudit(w)
	if class == timeline.Continuous {
		return nil
	}
	return []timeline.Missing{{What: "Security 5144, which records the deletion of a share", Why: why}}
}

// otherWrite reports whether another share was made, or its removal recorded,
// when the stored shares were last written: then that wrote them.
func otherWrite(c *timeline.Case, l *timeline.Life, t time.Time) bool {
	return slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		if x == l || x.Side != evidence.Server {
			return false
		}
		return slices.ContainsFunc(slices.Concat(x.Maps, x.Gone, x.Removes), func(o *evidence.Fact) bool { return timeline.Within(t, o.Time) })
	})
}

func nameOf(share string) string {
	return strings.ToLower(share[strings.LastIndex(share, `\`)+1:])
}

// onlyInOldSet yields claims of shares that an older control set stores and
// the current one, written later, does not.
func onlyInOldSet(c *timeline.Case) iter.Seq[timeline.Claim] {
	return func(yield func(timeline.Claim) bool) {
		now := c.SharesNow()
		if now == nil || now.Key == nil {
			return
		}
		for _, o := range c.Observations {
			current, ok := o.Detail.Get("current").(bool)
			if o.Artifact != "server-shares" || o.Action != evidence.Context || !ok || current || !o.Time.Before(now.LastChange) || !strings.HasSuffix(strings.ToLower(o.From().Key), `\shares`) {
				continue
			}
			for _, name := range o.Detail.List("Names") {
				if now.Names[strings.ToLower(name)] != nil || removalKnown(c, name, o.Time) {
					continue
				}
				if !yield(oldSetClaim(c, name, o, now)) {
					return
				}
			}
		}
	}
}

// removalKnown reports whether a removal of the share after t is on record.
func removalKnown(c *timeline.Case, name string, t time.Time) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		return l.Side == evidence.Server && strings.EqualFold(nameOf(l.Share), name) &&
			slices.ContainsFunc(append(slices.Clone(l.Gone), l.Removes...), func(o *evidence.Fact) bool { return o.Time.After(t) })
	})
}

func oldSetClaim(c *timeline.Case, name string, old *evidence.Fact, now *timeline.SharesState) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, Share: `\\` + c.Host + `\` + name,
		Window:     timeline.Window{NotBefore: old.Time, NotAfter: now.LastChange, Basis: timeline.HiveState},
		Confidence: timeline.Strong, Severity: timeline.Medium, By: timeline.ByUnknown, Attack: []string{"T1070.005"},
		Facts: []*evidence.Fact{old, now.Key},
	}
	for _, l := range c.Lives {
		if l.Side == evidence.Server && strings.EqualFold(nameOf(l.Share), name) {
			cl.Life, cl.Share = l, l.Share
		}
	}
	if cl.Life != nil {
		cl.Life.Facts.ShareGone = timeline.Yes
	}
	cl.Text = fmt.Sprintf("The stored share %s was removed after %s and at or before %s: an older control set stores it, the current one does not.", cl.Share, stamp(old.Time), stamp(now.LastChange))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s, last written at %s, stores it.", old.From().Key, stamp(old.Time)), old),
		step(fmt.Sprintf("%s, last written at %s, was read whole and does not.", now.Key.From().Key, stamp(now.LastChange)), now.Key)}
	cl.Benign = []timeline.Benign{verdict(retire, timeline.VerdictUnknown, "no record says who did it")}
	cl.Missing = auditMissing(c, cl.Window)
	return cl
}
