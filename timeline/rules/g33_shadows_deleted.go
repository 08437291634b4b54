package rules

import (
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
	Logic:     "a recorded command deletes shadow copies or squeezes their storage",
	Bound:     "the command and 30 s",
	Misses:    "deletions without a recorded command",
	Benign:    []string{"backup software and administrators remove old shadow copies"},
	Reference: "artifacts.md §11 G33",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if isCommand(o, "shadow.delete") && !yield(traceCommand(o, "deletes shadow copies", "T1490", "backup software and administrators remove old shadow copies")) {
					return
				}
			}
		}
	},
})
