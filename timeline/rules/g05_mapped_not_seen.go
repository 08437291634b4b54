package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G05: the Map Network Drive list names a share that MountPoints2 does not.
//
// Logic: Explorer's wizard, which alone writes that list, shows the share, and
// Explorer keeps a key of each share that it has shown. MountPoints2 was read
// whole and has none for it, under any name of the server.
//
// Bound: after the entry was made, if it is the newest of its list; at or
// before the last change of MountPoints2 if that is later.
//
// Misses: scrubbing of both.
//
// Benign: the wizard failed; the share goes by another name in MountPoints2;
// cleaner programs.
var _ = register(timeline.Rule{
	ID: "G05", Title: "share mapped with Explorer, and Explorer's own key is gone", Technique: "T1070.005",
	Claim: "a key of MountPoints2 was removed", Base: timeline.Possible, Severity: timeline.Low,
	Logic:     "the Map Network Drive list names a share; MountPoints2, read whole, has no key for it and none for any share of that name",
	Bound:     "after the entry was made if it is the newest, at or before the last change of MountPoints2 if that is later, else the last instant of the hive",
	Misses:    "scrubbing of both places",
	Benign:    []string{"the wizard failed after it had listed the share", "a cleaner program removed it"},
	Reference: "as sharetrail artifacts mountpoints2, map-drive-mru",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if o.Artifact != "map-drive-mru" || o.Action != evidence.Mapped || o.Share == "" || o.State == evidence.Deleted {
					continue
				}
				parent := mountPoints(c, o)
				if parent != nil && !yield(keyScrubbed(c, o, parent)) {
					return
				}
			}
		}
	},
})

// mountPoints returns the key MountPoints2 of o's user if it was read whole
// and has no key that could be o's share, else nil.
func mountPoints(c *timeline.Case, o *evidence.Fact) (parent *evidence.Fact) {
	read := slices.ContainsFunc(c.Facts, func(f evidence.Coverage) bool {
		return timeline.SameUser(f.User, f.SID, o.User, o.SID) && slices.ContainsFunc(f.Keys, func(k string) bool { return strings.HasSuffix(k, `\MountPoints2`) })
	})
	if !read {
		return nil
	}
	name := nameOf(o.Share)
	for _, x := range c.Observations {
		if x.Artifact != "mountpoints2" || !timeline.SameUser(x.User, x.SID, o.User, o.SID) {
			continue
		}
		switch {
		case x.Action == evidence.Context:
			parent = x
		case nameOf(x.Share) == name || strings.Contains(strings.ToLower(x.Detail.Text("Key")), "#"+name):
			return nil // the same name, perhaps under another name of the server
		}
	}
	return parent
}

func keyScrubbed(c *timeline.Case, o, parent *evidence.Fact) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Share: o.Share, Confidence: timeline.Possible, Severity: timeline.Low,
		By: timeline.ByUnknown, Attack: []string{"T1070.005"}, Facts: []*evidence.Fact{o, parent},
		Window: timeline.Window{NotAfter: c.End, Basis: timeline.HiveState},
	}
	if o.TimeKind != evidence.AtOrBefore {
		cl.Window.NotBefore = o.Time
	}
	if parent.Time.After(o.Time) {
		cl.Window.NotAfter, cl.Window.Basis = parent.Time, timeline.ParentKeyLastWrite
	}
	cl.Text = fmt.Sprintf("%s was mapped with Explorer by %s, and Explorer's own key of the share is not there: it may have been removed %s.", o.Share, who(o.User, o.SID), span(cl.Window))
	cl.Steps = []timeline.Step{step("Explorer's list of mapped network drives names "+o.Share+".", o),
		step("MountPoints2, read whole and last written at "+stamp(parent.Time)+", has no key for it.", parent)}
	cl.Benign = []timeline.Benign{
		verdict("the wizard failed after it had listed the share", timeline.VerdictUnknown, "the list does not say", o),
		verdict("a cleaner program removed it", timeline.VerdictUnknown, "no record of one was looked for", parent)}
	return cl
}
