package rules

import (
	"fmt"
	"iter"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G26: the key MountPoints2 was written after every key in it.
//
// Logic: as G03, for the keys that Explorer makes of volumes and shares.
//
// Bound: the last write of MountPoints2, exactly.
//
// Misses: whether it was a share or a volume, which come and go.
//
// Benign: removable media; logon.
var _ = register(timeline.Rule{
	ID: "G26", Title: "MountPoints2 is newer than everything in it", Technique: "T1070.005",
	Claim: "a key of a volume or share was removed from MountPoints2 at that instant", Base: timeline.Possible, Severity: timeline.Info,
	Logic:     "the last write of MountPoints2 is more than 2 s later than that of all its subkeys, it holds no values, and no logon is near",
	Bound:     "exactly the last write of MountPoints2",
	Misses:    "whether it was a share or a volume; volumes come and go",
	Benign:    []string{"removable media were unplugged", "a volatile key or a change of permissions stamped it"},
	Reference: "as sharetrail artifacts mountpoints2",
	Needs:     []string{"registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if o.Artifact != "mountpoints2" || o.Action != evidence.Context || o.Detail.Get("restamped") != nil {
					continue
				}
				newest, _ := o.Detail.Get("NewestSubkey").(time.Time)
				values, _ := o.Detail.Get("Values").(int64)
				if values > 0 || newest.IsZero() || o.Time.Sub(newest) <= timeline.EffectBefore || logonNear(c, o) {
					continue
				}
				if !yield(mountPointRemoved(o, newest)) {
					return
				}
			}
		}
	},
})

// logonNear reports whether a logon of o's user lies within a minute.
func logonNear(c *timeline.Case, o *evidence.Fact) bool {
	for _, e := range c.Observations {
		if e.Action == evidence.Logon && timeline.SameUser(e.User, e.SID, o.User, o.SID) && e.Time.Sub(o.Time).Abs() <= time.Minute {
			return true
		}
	}
	return false
}

func mountPointRemoved(o *evidence.Fact, newest time.Time) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Confidence: timeline.Possible, Severity: timeline.Info,
		Window: timeline.At(o.Time, timeline.ParentKeyLastWrite), Facts: []*evidence.Fact{o}, By: timeline.ByUnknown,
		Text:   fmt.Sprintf("A key of a volume or share may have been removed from MountPoints2 of %s at %s: it is newer than everything in it.", who(o.User, o.SID), stamp(o.Time)),
		Steps:  []timeline.Step{step(fmt.Sprintf("MountPoints2 was last written at %s, its newest subkey at %s.", stamp(o.Time), stamp(newest)), o)},
		Benign: []timeline.Benign{verdict("removable media were unplugged", timeline.VerdictUnknown, "arrivals and removals of media are not read from this evidence", o)},
	}
}
