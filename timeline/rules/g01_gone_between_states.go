package rules

import (
	"fmt"
	"iter"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G01: a state of the hive remembers a mapping, and a later one does not.
//
// Logic: two states of one user's hive (before and after a log entry, a shadow
// copy and the live file, a copy and the original), read whole below Network;
// the mapping stands in the earlier and not in the later.
//
// Bound: after the instant that the earlier state shows, at or before the last
// write of Network in the later one; exactly that instant where one child
// alone differs and nothing was added (E3).
//
// Order: a hive counts its writes. One that was collected later and counts fewer is
// not what the earlier became: possible at most. One that only its times put before
// the earlier was written by a clock that was set back: likely at most.
//
// Misses: mappings made and removed between two states.
//
// Benign: scripts, drive maps, the user; an older hive that was put back.
var _ = register(timeline.Rule{
	ID: "G01", Title: "mapping gone between two states of the hive", Technique: "T1070.005",
	Claim: "the mapping was removed between the two states", Base: timeline.Certain, Severity: timeline.Medium,
	Logic:     "an earlier state of the user's hive has the mapping, a later one, read whole below Network, does not",
	Bound:     "after the earlier state's instant, at or before the last write of Network in the later; exactly that where one child alone differs (E3)",
	Misses:    "mappings made and removed between two states",
	Benign:    []string{byScript, "a Group Policy drive map removed or replaced it", "the user disconnected the drive in Explorer", "an older hive was put back"},
	Reference: "msuhanov/regf, Windows registry file format specification: transaction log files; libyal/libvshadow, Volume Shadow Snapshot format; MITRE ATT&CK T1070.005",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || l.Drive == "" || len(l.Maps) == 0 {
					continue
				}
				if had, lacks := between(c, l); had != nil && !yield(goneBetween(c, l, had, lacks)) {
					return
				}
			}
		}
	},
})

// between returns the last state that holds l and the first after it that does
// not, or nil.
func between(c *timeline.Case, l *timeline.Life) (had, lacks *timeline.MappingState) {
	for _, s := range c.StatesOf(l.User, l.SID) {
		k := holds(s, l)
		switch {
		case k != nil && isMapOf(l, k):
			had, lacks = s, nil
		case had != nil && s.Anew(had): // of a profile that was made since
		case had != nil && lacks == nil && s.Drives[l.Drive] != k:
			lacks = s
		case had != nil && lacks == nil && k == nil:
			lacks = s
		}
	}
	if lacks == nil {
		return nil, nil
	}
	return had, lacks
}

func isMapOf(l *timeline.Life, k *evidence.Fact) bool {
	for _, o := range l.Maps {
		if o == k {
			return true
		}
	}
	return false
}

func goneBetween(c *timeline.Case, l *timeline.Life, had, lacks *timeline.MappingState) timeline.Claim {
	cl := claim(timeline.KindRemoval, l)
	cl.Confidence, cl.Severity, cl.By, cl.Attack = timeline.Certain, timeline.Medium, timeline.ByUnknown, []string{"T1070.005"}
	cl.Facts = append(append(cl.Facts, l.Maps...), lacks.Key)
	cl.Window = timeline.Window{NotBefore: had.AsOf, NotAfter: lacks.AsOf, Basis: timeline.HiveState}
	k := had.Drives[l.Drive]
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`Network\%s stands in the state of the hive as of %s, last written at %s.`, l.Drive[:1], stamp(had.AsOf), stamp(k.Time)), k),
		gone(lacks)}
	change := lacks.LastChange
	follows, against := lacks.Follows(had)
	switch {
	case against != "":
		doubtOrder(&cl, lacks.Written.SetBack, follows, against, lacks.Key)
	case change.IsZero():
		cl.Steps = append(cl.Steps, step("Without the key Network, nothing tells when it was: the window stays as wide as the states."))
	case lacks.Restamped:
		cl.Steps = append(cl.Steps, step("The last write of Network is one of many in the same second, and is not used as a bound.", lacks.Key))
	case aloneGone(l, had, lacks) && change.After(had.LastChange) && !cameAndWent(c, l, had, lacks) && !removedEarlier(c, l, had, change):
		cl.Window = timeline.At(change, timeline.ParentKeyLastWrite)
		cl.Steps = append(cl.Steps, step("It is the only mapping that differs between the two states, so the last write of Network is the instant of its removal (E3). That no other came and went in between, unseen, is taken for granted.", lacks.Key))
	case change.Before(cl.Window.NotAfter):
		cl.Window.NotAfter, cl.Window.Basis = change, timeline.ParentKeyLastWrite
		cl.Window.NotBefore = earlier(had.AsOf, change)
	}
	if follows == timeline.Yes {
		l.Facts.MappingGone = timeline.Yes
	}
	cl.Text = fmt.Sprintf("%s for %s %s removed %s: one state of the hive has it, a later one does not.", capital(mapping(l.Drive, l.Share)), who(l.User, l.SID), was(&cl), span(cl.Window))
	cl.Steps = append(cl.Steps, failed(c, l)...)
	cl.Benign = append(cl.Benign, innocents(c, nil, &cl)...)
	cl.Missing = commandsMissing(c, cl.Window)
	return cl
}

// doubtOrder lowers a claim that rests on a state which something speaks against
// being what the hive became after the state before it: likely if it counts more
// writes, for then a clock was set back; else an older hive may have been put back.
func doubtOrder(cl *timeline.Claim, setBack bool, follows timeline.Tri, against string, key *evidence.Fact) {
	const restored = "an older hive was put back"
	if setBack {
		cl.Window.NotAfter, cl.Window.Basis = time.Time{}, timeline.HiveState
	}
	said := "The two states: " + against
	switch follows {
	case timeline.Yes:
		cl.Confidence = cl.Confidence.Weaker(timeline.Likely)
		cl.Steps = append(cl.Steps, step(said+". It counts more writes, so it was written since, by a clock that had been set back, or by somebody who sets times: they bound nothing.", key))
		cl.Benign = append(cl.Benign, verdict(restored, timeline.Contradicted, "it counts more writes than the state before it", key))
	case timeline.No:
		cl.Confidence = cl.Confidence.Weaker(timeline.Possible)
		cl.Steps = append(cl.Steps, step(said+". It is not what that one became.", key))
		cl.Benign = append(cl.Benign, verdict(restored, timeline.Supported, against, key))
	default:
		cl.Confidence = cl.Confidence.Weaker(timeline.Possible)
		cl.Steps = append(cl.Steps, step(said+". The clock was set back, or an older hive was put back: the count of its writes does not tell.", key))
		cl.Benign = append(cl.Benign, verdict(restored, timeline.VerdictUnknown, against, key))
	}
}

// removedEarlier reports whether a command removed l between the state that holds
// it and t, too early to have its effect at t: something else stamped Network then.
func removedEarlier(c *timeline.Case, l *timeline.Life, had *timeline.MappingState, t time.Time) bool {
	by := effective(c, l)
	return by != nil && namesLetter(l, by) && !undated(by) && by.Time.After(had.AsOf) && by.Time.Add(timeline.EffectAfter).Before(t)
}

// cameAndWent reports whether another mapping is known to have stood between
// the two states and to be gone: its removal may have stamped Network last.
func cameAndWent(c *timeline.Case, l *timeline.Life, had, lacks *timeline.MappingState) bool {
	for _, x := range c.Lives {
		if x == l || x.Side != evidence.Client || x.Drive == "" || !timeline.SameUser(x.User, x.SID, l.User, l.SID) || len(x.Maps) == 0 || lacks.Drives[x.Drive] != nil && x.Next.IsZero() {
			continue
		}
		if x.Persistent != timeline.No && x.MappedAtFirst().After(had.AsOf) && !x.MappedAtFirst().After(lacks.LastChange) {
			return true
		}
	}
	return false
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// aloneGone reports whether l is the only difference between two states, so
// that nothing else can have stamped Network in between.
func aloneGone(l *timeline.Life, had, lacks *timeline.MappingState) bool {
	for d, k := range had.Drives {
		if d != l.Drive && lacks.Drives[d] != k {
			return false
		}
	}
	for d, k := range lacks.Drives {
		if had.Drives[d] != k {
			return false
		}
	}
	return true
}
