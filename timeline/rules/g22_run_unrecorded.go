package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G22: a program that acts on shares or logs was started, and the process log
// does not have it.
//
// Logic: Prefetch or the Background Activity Moderator dates a start of net,
// net1, reg, wevtutil or subst; the Security log has no hole there and records
// process creation with command lines before and after; and has no record of
// that program around that time.
//
// Bound: the start.
//
// Misses: starts before the last eight (Prefetch) or the last one (Moderator);
// anything where process creation is not recorded.
//
// Benign: a record was lost; auditing was off for a moment.
var _ = register(timeline.Rule{
	ID: "G22", Title: "program started, and not in the process log",
	Claim: "the program was started then, and the log that records processes does not have it", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "Prefetch or the Background Activity Moderator dates a start of net, net1, reg, wevtutil or subst; Security records process creation before and after without a hole, and has no such record within 2 s (Prefetch), or from 10 minutes before to 2 s after (Moderator, which may note the end)",
	Bound:     "the start",
	Misses:    "starts that Prefetch and the Moderator no longer keep; spans in which processes are not recorded",
	Benign:    []string{"the record was lost, or auditing was off for a moment"},
	Reference: "as sharetrail artifacts prefetch, bam, process-creation",
	Needs:     []string{"files:prefetch|registry:SYSTEM", "evtx:Security"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if (o.Artifact == "prefetch" || o.Artifact == "bam") && o.TimeKind == evidence.Executed && slices.Contains(recordedPrograms, programOf(o)) &&
					!startRecorded(c, o) && !yield(unrecorded(c, o)) {
					return
				}
			}
		}
	},
})

// recordedPrograms are those of which the artifact process-creation keeps every
// start that the log has.
var recordedPrograms = []string{"net", "net1", "reg", "wevtutil", "subst"}

// programOf returns the name of the program of o, without .exe, lower case.
func programOf(o *evidence.Fact) string {
	if o.Process == nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(base(o.Process.Image)), ".exe")
}

// startRecorded reports whether the process log has the start that o dates, or
// may not have had it.
func startRecorded(c *timeline.Case, o *evidence.Fact) bool {
	w := timeline.Window{NotBefore: o.Time.Add(-timeline.EffectBefore), NotAfter: o.Time.Add(timeline.EffectBefore)}
	if o.Artifact == "bam" {
		w.NotBefore = o.Time.Add(-10 * time.Minute)
	}
	if class, _ := c.ClassOf("evtx:Security", w); class != timeline.Continuous || !c.CommandsWitnessed(w) {
		return true
	}
	return slices.ContainsFunc(c.Between(w.NotBefore, w.NotAfter), func(x *evidence.Fact) bool {
		return x.Artifact == "process-creation" && (programOf(x) == programOf(o) || strings.EqualFold(x.Detail.Text("Program"), programOf(o)))
	})
}

func unrecorded(c *timeline.Case, o *evidence.Fact) timeline.Claim {
	where := "Prefetch"
	if o.Artifact == "bam" {
		where = "the Background Activity Moderator"
	}
	_, why := c.ClassOf("evtx:Security", timeline.At(o.Time, timeline.Recorded))
	name := strings.ToUpper(programOf(o)) + ".EXE"
	return timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Confidence: timeline.Likely, Severity: timeline.Low,
		Window: timeline.At(o.Time, timeline.Recorded), Facts: []*evidence.Fact{o},
		Text: fmt.Sprintf("%s was started at %s, as %s notes, and the Security log, which recorded processes before and after, does not have it: what it was given to do is not known.", name, stamp(o.Time), where),
		Steps: []timeline.Step{step(fmt.Sprintf("%s notes a start of %s at %s.", capital(where), name, stamp(o.Time)), o),
			step("Processes were recorded with their command lines before and after, and no record of this program lies near: " + why + ".")},
		Benign:  []timeline.Benign{verdict("the record was lost, or auditing was off for a moment", timeline.VerdictUnknown, "the log does not say: its record ids show no hole and no change of the audit policy then")},
		Missing: []timeline.Missing{{What: "the command line of the start", Why: "the Security log does not have it"}},
	}
}
