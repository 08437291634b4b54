package rules

import (
	"fmt"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// lacking makes the claim of a log that has not what a copy of it has.
func lacking(l timeline.Lack) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindBlind, Confidence: timeline.Certain, Severity: timeline.Low, Attack: []string{"T1070.001"},
		Window: timeline.Window{NotBefore: l.From, NotAfter: l.To, Basis: timeline.Recorded},
		Steps:  []timeline.Step{step(fmt.Sprintf("%s was compared with %s. A log loses its oldest records only, or all when it is cleared.", named(l.File), named(l.Copy)))},
	}
	if l.AtEnd {
		cl.Text = fmt.Sprintf("The log %s ends with record %d, of %s, and its own shadow copy, which is older, goes on to record %d: the log was put back to an earlier state, or its newest records were taken out of it.", l.Channel, l.First-1, stamp(l.From), l.Last)
		cl.Benign = []timeline.Benign{verdict("the file, or the machine, was restored from a backup", timeline.VerdictUnknown, "the logs do not say")}
		return cl
	}
	which, has := fmt.Sprintf("%d of the records %d to %d", l.Count, l.First, l.Last), "them: they were"
	if l.Count == 1 {
		which, has = fmt.Sprintf("record %d", l.First), "it: it was"
	}
	cl.Text = fmt.Sprintf("The log %s lacks %s, between %s and %s, and a copy of it has %s taken out of the log, or lost from it.", l.Channel, which, stamp(l.From), stamp(l.To), has)
	cl.Benign = []timeline.Benign{verdict("a chunk of the file was lost or not flushed", timeline.VerdictUnknown, "the file does not say")}
	return cl
}

// named says which file a place is.
func named(p *evidence.Place) string {
	if p.Snapshot != "" {
		return p.Path + " in the shadow copy " + p.Snapshot
	}
	return p.Path
}
