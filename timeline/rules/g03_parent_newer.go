package rules

import (
	"fmt"
	"iter"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G03: the key Network was written after every child that it has.
//
// Logic: making a child leaves one that is as new as its parent. Where the
// last write of Network is more than 2 s later than that of every child, or it
// has none and was written since the profile was made, the last change was the
// removal of a child.
//
// Bound: the last write of Network, exactly, for the last removal only.
//
// Misses: which letter and share; removals before a later change; any removal
// where the profile's age is not known and no child is left.
//
// Benign: logon processing that maps and unmaps a drive; volatile children;
// a change of the key's permissions; profile migration.
var _ = register(timeline.Rule{
	ID: "G03", Title: "Network is newer than every remembered mapping", Technique: "T1070.005",
	Claim: "a child of HKCU\\Network was removed at that instant", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "the last write of Network is more than 2 s later than that of all its children, or than the making of the profile if it has none; Network holds no values and was touched since the profile was made",
	Bound:     "exactly the last write of Network, for the last removal",
	Misses:    "which letter and share it was; earlier removals; removals that a later mapping hides",
	Benign:    []string{"logon processing maps and unmaps a drive", "a volatile child, a change of permissions or a profile migration stamped the key"},
	Reference: "msuhanov/regf, Windows registry file format specification: last written timestamp; base rate measured on public test hives; MITRE ATT&CK T1070.005",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, s := range c.States {
				if s.ChildRemoved && !yield(parentNewer(c, s)) {
					return
				}
			}
		}
	},
})

func parentNewer(c *timeline.Case, s *timeline.MappingState) timeline.Claim {
	at := s.LastChange
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, User: s.User, SID: s.SID, Window: timeline.At(at, timeline.ParentKeyLastWrite),
		Confidence: timeline.Likely, Severity: timeline.Low, By: timeline.ByUnknown, Attack: []string{"T1070.005"},
		Text:  fmt.Sprintf(`A child of HKCU\Network of %s was removed at %s: the key is newer than every mapping that it still holds; which drive and share it was, the hive does not say.`, who(s.User, s.SID), stamp(at)),
		Facts: []*evidence.Fact{s.Key},
	}
	written := fmt.Sprintf("%s and has %s by more than 2 seconds", stamp(at), timeline.Counted(len(s.Drives), "child, older", "children, all older"))
	if len(s.Drives) == 0 {
		cl.Text = fmt.Sprintf(`A child of HKCU\Network of %s was removed at %s: the key was written then, and holds no mapping; which drive and share it was, the hive does not say.`, who(s.User, s.SID), stamp(at))
		written = stamp(at) + ", after the profile was made, and has no children"
	}
	cl.Steps = []timeline.Step{step(fmt.Sprintf(`Network was last written at %s. Making a mapping would have left one of that time, so the last change was a removal.`, written), s.Key)}
	if s.Volatile > 0 {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("Network has %s, which stamp it and leave nothing on disk.", timeline.Counted(s.Volatile, "volatile child", "volatile children")), s.Key))
	}
	if s.Restamped {
		cl.Confidence, cl.Severity = timeline.Possible, timeline.Info
		cl.Steps = append(cl.Steps, step("The same second stamped many keys all over the hive: it says nothing about shares.", s.Key))
		cl.Text = fmt.Sprintf(`Network of %s was stamped at %s together with many other keys, which hides whether a mapping was removed.`, who(s.User, s.SID), stamp(at))
	}
	cl.Benign = []timeline.Benign{logonProcessing(c, s)}
	cl.Missing = commandsMissing(c, cl.Window)
	return cl
}

// logonProcessing tests whether the removal falls into a logon of the user.
func logonProcessing(c *timeline.Case, s *timeline.MappingState) timeline.Benign {
	const explanation = "logon processing (a script, a home drive, a drive map) maps and unmaps a drive"
	for _, e := range c.Observations {
		if e.Action == evidence.Logon && interactive(e) && timeline.SameUser(e.User, e.SID, s.User, s.SID) {
			if d := s.LastChange.Sub(e.Time); d >= -time.Minute && d <= 5*time.Minute {
				return verdict(explanation, timeline.Supported, "the user logged on at "+stamp(e.Time), e)
			}
		}
	}
	if class, why := c.ClassOf("evtx:System", timeline.At(s.LastChange, timeline.Recorded)); class != timeline.Continuous {
		return verdict(explanation, timeline.VerdictUnknown, "whether the user logged on then is not known: "+why)
	}
	return verdict(explanation, timeline.Contradicted, "no logon of the user from 5 minutes before to 1 minute after")
}

// commandsMissing names the process log that would settle who did something
// in w, if it is not there.
func commandsMissing(c *timeline.Case, w timeline.Window) []timeline.Missing {
	class, why := c.Commands(w)
	if class == timeline.Continuous {
		return nil
	}
	return []timeline.Missing{{What: "process creation with command lines " + span(w), Why: why}}
}
