package rules

import (
	"fmt"
	"iter"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G02: the deleted key of a mapping is recovered from the hive.
//
// Logic: a free cell, or slack, holds a key named like a drive letter that
// belonged to Network, or one with RemotePath; Network, read whole, does not
// hold it.
//
// Bound: after the last write of the deleted key, at or before the last write
// of Network: the removal of a child stamps its parent, and a deleted leaf
// keeps its own time.
//
// Misses: cells that were used again; hives that were reorganised.
//
// Benign: scripts, drive maps, the user; Windows copies keys when it rewrites
// them, so a recovered one may be an older copy of a mapping that still stands.
var _ = register(timeline.Rule{
	ID: "G02", Title: "deleted key of a mapping recovered", Technique: "T1070.005",
	Claim: "the mapping was remembered and removed", Base: timeline.Strong, Severity: timeline.Medium,
	Logic:     "a deleted key named like a drive letter is recovered whose parent is Network, or which holds RemotePath; Network, read whole, does not hold that mapping",
	Bound:     "after the last write of the deleted key, at or before the last write of Network",
	Misses:    "cells that were used again; hives that were reorganised since",
	Benign:    []string{byScript, "a Group Policy drive map removed or replaced it", "the user disconnected the drive in Explorer"},
	Reference: "msuhanov/regf, Windows registry file format specification: unused cells; MITRE ATT&CK T1070.005",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				k := recoveredKey(l)
				if k == nil || l.State == nil || holds(l.State, l) != nil && l.Next.IsZero() || len(l.Gone) > 0 {
					continue
				}
				if !yield(keyRecovered(c, l, k)) {
					return
				}
			}
		}
	},
})

// recoveredKey returns the newest deleted key of l, or nil.
func recoveredKey(l *timeline.Life) (k *evidence.Fact) {
	if l.Side != evidence.Client || l.Drive == "" {
		return nil
	}
	for _, o := range l.Maps {
		if (o.State == evidence.Deleted || o.State == evidence.Carved) && o.Artifact == "mapped-drives" && (k == nil || o.Time.After(k.Time)) {
			k = o
		}
	}
	return k
}

func keyRecovered(c *timeline.Case, l *timeline.Life, k *evidence.Fact) timeline.Claim {
	s := l.State
	cl := claim(timeline.KindRemoval, l)
	cl.Confidence, cl.Severity, cl.By, cl.Attack = timeline.Strong, timeline.Medium, timeline.ByUnknown, []string{"T1070.005"}
	cl.Facts = append(append(cl.Facts, l.Maps...), s.Key)
	cl.Window = timeline.Window{NotBefore: k.Time, NotAfter: s.AsOf, Basis: timeline.HiveState}
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`The deleted key of the mapping is recovered at offset %#x (%s), last written at %s.`, k.From().Offset, k.Detail.Text("found"), stamp(k.Time)), k), gone(s)}
	if earlier := c.StateAfter(l, k.Time); earlier != s && earlier.LastChange.After(k.Time) {
		s = earlier // a state from before the newest lacks it already
		cl.Facts = append(cl.Facts, s.Key)
		cl.Steps = append(cl.Steps, gone(s))
	}
	under, _ := k.Detail.Get("path_complete").(bool)
	under = under && strings.HasPrefix(strings.ToLower(k.From().Key), `network\`)
	switch {
	case !l.Next.IsZero() && !s.AsOf.Before(l.Next):
		cl.Window.NotAfter, cl.Window.Basis = l.Next, timeline.KeyLastWrite
		cl.Confidence = timeline.Likely
		cl.Steps = append(cl.Steps, step("Another key of that letter was written at "+stamp(l.Next)+": this one was gone by then."))
	case s.LastChange.After(k.Time) && !s.Restamped:
		cl.Window.NotAfter, cl.Window.Basis = s.LastChange, timeline.ParentKeyLastWrite
	default:
		cl.Confidence = timeline.Likely
		cl.Steps = append(cl.Steps, step("Network was not stamped after that time, so its last write does not bound the removal.", s.Key))
	}
	if !under {
		cl.Confidence = timeline.Likely
		cl.Steps = append(cl.Steps, step("That it was a child of Network is not proven by its parent, which is gone, only by its name and values.", k))
	}
	if doubt := k.Detail.Text("doubt"); doubt != "" {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("What is recovered must be doubted: "+doubt+".", k))
	}
	verb := "was remembered and then removed"
	if cl.Confidence == timeline.Possible {
		verb = "may have been remembered and removed"
	} else {
		l.Facts.MappingGone = timeline.Yes
	}
	cl.Text = fmt.Sprintf("%s for %s %s, %s: its deleted key is recovered from the hive.", capital(mapping(l.Drive, l.Share)), who(l.User, l.SID), verb, span(cl.Window))
	cl.Steps = append(cl.Steps, failed(c, l)...)
	cl.Benign = innocents(c, nil, &cl)
	cl.Missing = commandsMissing(c, cl.Window)
	return cl
}
