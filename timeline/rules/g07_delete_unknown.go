package rules

import (
	"fmt"
	"iter"
	"slices"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G07: a delete command, and nothing that it could have removed.
//
// Logic: a command that removes mappings names a letter, a share or all, and
// no other evidence names such a mapping of that user.
//
// Bound: the last write of Network where it dates the command's effect (E2),
// else the command and 30 s.
//
// Misses: whether there was anything to remove, unless E2 holds.
//
// Benign: scripts and VPN clients remove all mappings first, to be clean.
var _ = register(timeline.Rule{
	ID: "G07", Title: "delete command, and no mapping is known", Technique: "T1070.005",
	Claim: "a mapping that left no other trace was removed by the command", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "a delete command names a letter, a share or all, and no other evidence names such a mapping of that user from before",
	Bound:     "the last write of Network within -2 s to +30 s of the command (E2), else the command and 30 s",
	Misses:    "whether there was anything to remove, unless the last write of Network says so",
	Benign:    []string{byScript},
	Reference: "artifacts.md §6.1 G07",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range unnamed(c) {
				if !yield(unknownRemoved(c, o)) {
					return
				}
			}
		}
	},
})

// unnamed returns the delete commands that name no known mapping, one an act.
func unnamed(c *timeline.Case) (out []*evidence.Observation) {
next:
	for _, o := range c.Observations {
		if !timeline.IsRemoval(o) || o.Time.IsZero() || namesKnown(c, o) {
			continue
		}
		for i, x := range out {
			if sameRun(x, o) {
				if direct(o) && !direct(x) {
					out[i] = o
				}
				continue next
			}
		}
		out = append(out, o)
	}
	return out
}

// namesKnown reports whether command o names a mapping that is known.
func namesKnown(c *timeline.Case, o *evidence.Observation) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		return len(l.Maps) > 0 && slices.Contains(l.Removes, o)
	})
}

func unknownRemoved(c *timeline.Case, o *evidence.Observation) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, User: o.User, SID: o.SID, Drive: o.Drive, Share: o.Share,
		Window:     timeline.Window{NotBefore: o.Time, NotAfter: o.Time.Add(timeline.EffectAfter), Basis: timeline.ByCommand},
		Confidence: timeline.Likely, Severity: timeline.Low, By: timeline.ByTheCommand, Actor: o, Attack: []string{"T1070.005"},
		Facts: []*evidence.Observation{o},
	}
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o),
		step("No remembered mapping, map command, list of Explorer or use in the evidence names a mapping of this user that it could have removed.")}
	for _, l := range c.Lives { // a connection that nothing but the command names
		if len(l.Maps) == 0 && l.Side == evidence.Client && slices.Contains(l.Removes, o) && (o.Drive != "" && l.Drive == o.Drive || o.Drive == "" && o.Share != "" && l.Drive == "") {
			cl.Life = l
		}
	}
	s := c.StateOf(o.User, o.SID)
	all := slices.Contains(o.Detail.List("Targets"), "*")
	switch {
	case s != nil && s.ChildRemoved && !s.Restamped && timeline.Within(s.LastChange, o.Time):
		cl.Confidence, cl.Severity, cl.Window = timeline.Strong, timeline.High, timeline.At(s.LastChange, timeline.ParentKeyLastWrite)
		cl.Facts = append(cl.Facts, s.Key)
		cl.Steps = append(cl.Steps, gone(s), step("The last change of Network was the removal of a child, within the time in which the command takes effect (E2).", o, s.Key))
		cl.Text = fmt.Sprintf("A remembered mapping%s was removed at %s by %s, run by %s; nothing else in the evidence names it.", letter(o), stamp(s.LastChange), quote(o), who(o.User, o.SID))
	case all:
		cl.Confidence = timeline.Possible
		cl.Text = fmt.Sprintf("%s, run by %s at %s, may have removed mappings: none is known from other evidence.", quote(o), who(o.User, o.SID), stamp(o.Time))
	default:
		cl.Text = fmt.Sprintf("A connection%s that left no other trace was removed by %s, run by %s at %s.", letter(o), quote(o), who(o.User, o.SID), stamp(o.Time))
		if o.Detail.Text("Class") == "key.delete" {
			cl.By = timeline.ByRegistry
		}
	}
	if s == nil {
		cl.Missing = append(cl.Missing, timeline.Missing{What: "the hive NTUSER.DAT of " + who(o.User, o.SID), Why: "no hive of that user was read"})
	}
	cl.Benign = []timeline.Benign{script(c, o)}
	if b := cl.Benign[0]; b.Verdict == timeline.Supported && cl.Confidence != timeline.Strong {
		cl.Confidence, cl.Severity = timeline.Possible, timeline.Info
	}
	return cl
}

func letter(o *evidence.Observation) string {
	switch {
	case o.Drive != "":
		return " of " + o.Drive
	case o.Share != "":
		return " to " + o.Share
	}
	return ""
}
