package rules

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G04: Explorer knows a share that no remembered mapping names, and something
// else says that it was mapped.
//
// Logic: a MountPoints2 key of a share; no mapping of it in Network, which was
// read whole; and Explorer's list of mapped drives names the same share. A key
// of MountPoints2 alone is what browsing leaves, and no finding.
//
// Bound: after Explorer last wrote the key, at or before the last change of
// Network, or else the last instant of the hive.
//
// Misses: shares that Explorer never showed.
//
// Benign: mapped with "reconnect" unticked, so that logoff ended it.
var _ = register(timeline.Rule{
	ID: "G04", Title: "share known to Explorer, mapped once, not remembered", Technique: "T1070.005",
	Claim: "the share was mapped with Explorer once and is not remembered", Base: timeline.Possible, Severity: timeline.Low,
	Logic:     "MountPoints2 and the Map Network Drive list name a share that Network, read whole, does not remember",
	Bound:     "after the last write of the MountPoints2 key, at or before the last change of Network if that is later, else the last instant of the hive",
	Misses:    "shares that Explorer never showed; a MountPoints2 key alone is what browsing leaves",
	Benign:    []string{"it was mapped without \"reconnect at sign-in\" and ended with the session"},
	Reference: "as sharetrail artifacts mountpoints2, map-drive-mru",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || l.Drive != "" || l.State == nil || len(l.Removes)+len(l.Gone) > 0 || remembered(l) {
					continue
				}
				mapped, seen := from(l, "map-drive-mru"), from(l, "mountpoints2")
				if mapped == nil || seen == nil || neverHeld(l.State, mapped, seen) || toldWithCommand(c, l) {
					continue
				}
				if !yield(notRememberedNow(c, l, mapped, seen)) {
					return
				}
			}
		}
	},
})

// neverHeld reports whether Network was last written before the share was
// first seen, so that it cannot have held the mapping.
func neverHeld(s *timeline.MappingState, mapped, seen *evidence.Fact) bool {
	return s.Untouched == timeline.Yes || s.Key != nil && s.LastChange.Before(firstOf(mapped, seen))
}

// toldWithCommand reports whether a delete command that nothing else explains
// tells of l already (G07).
func toldWithCommand(c *timeline.Case, l *timeline.Life) bool {
	return slices.ContainsFunc(unnamed(c), func(o *evidence.Fact) bool { return slices.Contains(candidates(c, o), l) })
}

// from returns the fact of an artifact that l rests on, or nil.
func from(l *timeline.Life, artifact string) *evidence.Fact {
	for _, list := range [][]*evidence.Fact{l.Maps, l.Uses} {
		for _, o := range list {
			if o.Artifact == artifact {
				return o
			}
		}
	}
	return nil
}

// remembered reports whether any letter of the user is mapped to l's share.
func remembered(l *timeline.Life) bool {
	for _, o := range l.State.Drives {
		if evidence.ShareKey(o.Share) == evidence.ShareKey(l.Share) {
			return true
		}
	}
	return false
}

func notRememberedNow(c *timeline.Case, l *timeline.Life, mapped, seen *evidence.Fact) timeline.Claim {
	s := l.State
	cl := claim(timeline.KindTrace, l)
	cl.Confidence, cl.Severity, cl.By = timeline.Possible, timeline.Low, timeline.ByUnknown
	cl.Window = timeline.Window{NotBefore: seen.Time, NotAfter: s.AsOf, Basis: timeline.HiveState}
	cl.Facts = []*evidence.Fact{mapped, seen, s.Key}
	cl.Steps = []timeline.Step{known(l), step("Explorer last wrote the key of the share at "+stamp(seen.Time)+".", seen), gone(s)}
	if s.LastChange.After(seen.Time) {
		cl.Window.NotAfter, cl.Window.Basis = s.LastChange, timeline.ParentKeyLastWrite
	}
	cl.Text = fmt.Sprintf("%s was mapped with Explorer by %s, and no letter is remembered for it: if it was remembered, it was removed %s.", l.Share, who(l.User, l.SID), span(cl.Window))
	cl.Benign = []timeline.Benign{verdict("it was mapped without \"reconnect at sign-in\" and ended with the session", timeline.VerdictUnknown, "the list of mapped drives does not say whether \"reconnect\" was ticked", mapped)}
	cl.Attack = []string{"T1070.005"}
	cl.Missing = commandsMissing(c, cl.Window)
	return cl
}

// firstOf returns the earlier time of two facts; an entry that is not the
// newest of its list has an upper bound only, and does not count.
func firstOf(a, b *evidence.Fact) (t time.Time) {
	times := []time.Time{}
	for _, o := range []*evidence.Fact{a, b} {
		if o.TimeKind != evidence.AtOrBefore {
			times = append(times, o.Time)
		}
	}
	if len(times) == 0 {
		return t
	}
	return slices.MinFunc(times, time.Time.Compare)
}
