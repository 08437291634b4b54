package rules

import (
	"fmt"
	"iter"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G29: a mapping was removed while its owner was not logged on.
//
// Logic: the removal is dated exactly; the System log, which records logons and
// logoffs at the computer and has no hole, shows that the owner had logged off,
// or not logged on since the start, and nothing shows a session of another kind.
//
// Bound: that of the removal.
//
// Misses: removals that are not dated exactly.
//
// Benign: a task or service that ran as the user; an administrator.
var _ = register(timeline.Rule{
	ID: "G29", Title: "removed while its owner was not logged on", Technique: "T1070.005",
	Claim: "the owner of the mapping was not logged on when it was removed", Base: timeline.Likely, Severity: timeline.Medium,
	Logic:     "the removal is dated exactly, and no record names its owner as who did it; Winlogon 7001 and 7002, recorded without a hole from the owner's last logoff or the last start of the computer on, show no session; neither does any other logon or command of the owner. It is said of the removal's own row",
	Bound:     "that of the removal",
	Misses:    "removals that are not dated exactly; what was done over the remote registry leaves no record of its own",
	Benign:    []string{byTask},
	Reference: "Microsoft, Winlogon: events 7001, 7002; as sharetrail artifacts logons; msuhanov/regf, Windows registry file format specification: last written timestamp",
	Needs:     []string{"evtx:System", "registry:NTUSER|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Security"},
	Tie: func(c *timeline.Case, found []*timeline.Found) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, f := range found {
				if cl, ok := whileAway(c, f); ok && !yield(cl) {
					return
				}
			}
		}
	},
})

const byTask = "a task or a service that runs as the user did it"

// leaving is how long after a logoff its scripts and the saving of the hive may
// still change it.
const leaving = 2 * time.Minute

func whileAway(c *timeline.Case, f *timeline.Found) (timeline.Claim, bool) {
	l, w := f.Life(), f.Window
	if f.Kind() != timeline.KindRemoval || l != nil && l.Side == evidence.Server || !w.Exact() || f.User == "" && f.SID == "" || f.Confidence == timeline.Possible {
		return timeline.Claim{}, false
	}
	if by := f.Claims[0].Actor; by != nil && timeline.SameUser(by.User, by.SID, f.User, f.SID) {
		return timeline.Claim{}, false
	}
	since := awaySince(c, f, w.NotBefore)
	if since == nil || w.NotBefore.Sub(since.Time) < leaving {
		return timeline.Claim{}, false
	}
	class, why := c.ClassOf("evtx:System", timeline.Window{NotBefore: since.Time, NotAfter: w.NotBefore})
	if class != timeline.Continuous {
		return timeline.Claim{}, false
	}
	what := "had logged off at " + stamp(since.Time)
	if since.Action == evidence.Boot {
		what = "had not logged on since the computer was started at " + stamp(since.Time)
	}
	cl := timeline.Claim{Of: f, Severity: timeline.Medium}
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s %s, and no logon followed before the removal (%s): it was not done in a session of the owner at the computer.", who(f.User, f.SID), what, why), since)}
	cl.Benign = []timeline.Benign{
		verdict("the user disconnected the drive in Explorer", timeline.Contradicted, "the user was not logged on", since),
		verdict(byTask, timeline.VerdictUnknown, "a session of a task or service leaves no record of Winlogon", since)}
	return cl, true
}

// awaySince returns the logoff of the owner, or the start of the computer, after
// which nothing shows the owner there until t; nil if it is not known.
func awaySince(c *timeline.Case, f *timeline.Found, t time.Time) (since *evidence.Fact) {
	recorded := false // that this log tells of logons
	for _, o := range c.Observations {
		if o.Time.IsZero() || o.Time.After(t) {
			break
		}
		if o.From().EventID == 7001 || o.From().EventID == 7002 {
			recorded = true
		}
		switch mine := timeline.SameUser(o.User, o.SID, f.User, f.SID); {
		case o.Action == evidence.Boot, o.Action == evidence.Logoff && mine && o.From().EventID == 7002:
			since = o
		case mine && (o.Action == evidence.Logon || o.Action == evidence.Command && !undated(o) || o.Artifact == "terminal-services" || o.Artifact == "sessions-reconnect"):
			since = nil
		}
	}
	if !recorded {
		return nil
	}
	return since
}
