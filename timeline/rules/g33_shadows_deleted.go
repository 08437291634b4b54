package rules

import (
	"fmt"
	"iter"

	"sharetrail/timeline"
)

// G33: shadow copies were deleted.
//
// Logic: a recorded command deletes shadow copies, or squeezes their storage
// so that Windows does.
//
// Bound: the command and 30 s.
//
// Misses: deletions by programs that left no command.
//
// Benign: backup software and full disks remove old shadow copies.
var _ = register(timeline.Rule{
	ID: "G33", Title: "shadow copies deleted", Technique: "T1490",
	Claim: "a command that deletes shadow copies was run", Base: timeline.Certain, Severity: timeline.Low,
	Logic:     "a recorded command deletes shadow copies or squeezes their storage; or a volume has shadow copies enabled and holds none",
	Bound:     "the command and 30 s",
	Misses:    "deletions without a recorded command",
	Benign:    []string{"backup software and administrators remove old shadow copies"},
	Reference: "Microsoft, vssadmin delete shadows; MITRE ATT&CK T1490",
	Needs:     []string{"vss|evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, f := range c.Facts {
				if f.Emptied && f.Records == 0 && !yield(noShadows(c)) {
					return
				}
			}
			for _, o := range c.Observations {
				if isCommand(o, "shadow.delete") && !yield(traceCommand(o, "deletes shadow copies", "T1490", "backup software and administrators remove old shadow copies")) {
					return
				}
			}
		}
	},
})

// noShadows makes the claim of a volume that keeps shadow copies and has none.
func noShadows(c *timeline.Case) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindTrace, Confidence: timeline.Possible, Severity: timeline.Info, By: timeline.ByUnknown,
		Text:   fmt.Sprintf("A volume of %s is set up for shadow copies and holds none: they were deleted, or none was made yet.", c.Host),
		Steps:  []timeline.Step{step("The catalog of shadow copies was read whole and names none.")},
		Benign: []timeline.Benign{verdict("none was made yet, or Windows dropped the last one for space", timeline.VerdictUnknown, "the catalog keeps no history")},
		Attack: []string{"T1490"},
	}
}
