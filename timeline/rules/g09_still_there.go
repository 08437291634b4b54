package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G09: a delete command, and the mapping is remembered all the same.
//
// Logic: a command names a mapping that a later state of the hive still holds,
// written before the command.
//
// Bound: none; nothing was removed for good.
//
// Misses: a removal in the session only, which comes back at the next logon.
//
// Benign: the command failed, ran for another user or elevation, or was asked
// to keep the profile as it is (Remove-SmbMapping without -UpdateProfile).
var _ = register(timeline.Rule{
	ID: "G09", Title: "delete command without lasting effect",
	Claim: "the command did not remove the remembered mapping", Base: timeline.Strong, Severity: timeline.Info,
	Logic:     "a delete command names a mapping that a later state of the hive still holds, written before the command",
	Bound:     "the command and 30 s: when it was tried",
	Misses:    "that the session lost the drive until the next logon",
	Benign:    []string{"the command failed, or ran for another user or elevation", "Remove-SmbMapping without -UpdateProfile, or a call without CONNECT_UPDATE_PROFILE, leaves the remembered mapping"},
	Reference: "Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; Microsoft, Remove-SmbMapping: UpdateProfile",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || len(l.Gone) > 0 {
					continue
				}
				for _, o := range l.Removes {
					if refuted(l, o) && !yield(noEffect(l, o)) {
						return
					}
				}
			}
		}
	},
})

func noEffect(l *timeline.Life, o *evidence.Fact) timeline.Claim {
	k := holds(l.State, l)
	cl := claim(timeline.KindNoEffect, l)
	cl.Confidence, cl.Severity, cl.Actor = timeline.Strong, timeline.Info, o
	cl.Window = timeline.Window{NotBefore: o.Time, NotAfter: o.Time.Add(timeline.EffectAfter), Basis: timeline.ByCommand}
	cl.Facts = []*evidence.Fact{o, k}
	cl.Text = fmt.Sprintf("%s, run by %s at %s, did not remove %s for good: it is still remembered, last written at %s, in the hive as of %s.",
		quote(o), who(o.User, o.SID), stamp(o.Time), mapping(l.Drive, l.Share), stamp(k.Time), stamp(l.State.AsOf))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o),
		step(fmt.Sprintf("Network\\%s is there, last written at %s, before the command.", l.Drive[:1], stamp(k.Time)), k)}
	const keeps = "the command leaves the remembered mapping (no -UpdateProfile)"
	if o.Detail.Text("Class") == "mapping.remove" {
		if update, _ := o.Detail.Get("UpdateProfile").(bool); update {
			cl.Benign = append(cl.Benign, verdict(keeps, timeline.Contradicted, "-UpdateProfile was given", o))
		} else {
			cl.Benign = append(cl.Benign, verdict(keeps, timeline.Supported, "-UpdateProfile was not given", o))
		}
	}
	cl.Benign = append(cl.Benign, verdict("the command failed, or ran in another session or elevation", timeline.VerdictUnknown, "its exit status is not recorded", o))
	return cl
}
