package rules

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G24: the history of commands was removed.
//
// Logic: a recorded command deletes PSReadLine's history, or tells a shell to
// keep none; or the change journal of the volume records that the file of a history
// was deleted, emptied or moved away.
//
// Bound: the command and 30 s; what the journal records is exact.
//
// Misses: histories that were removed without a command, before the journal begins.
//
// Benign: people switch histories off for privacy.
var _ = register(timeline.Rule{
	ID: "G24", Title: "history of commands removed", Technique: "T1070.003",
	Claim: "the history of commands was removed, or a command that does so was run", Base: timeline.Certain, Severity: timeline.Low,
	Logic:     "a recorded command deletes the history file of PSReadLine, clears the history of a console, or tells it to save none; or the change journal records that the file was deleted, emptied or moved away",
	Bound:     "the command and 30 s; what the journal records is exact",
	Misses:    "removals without a recorded command, before the journal begins",
	Benign:    []string{"people switch histories off for privacy"},
	Reference: "as sharetrail artifacts ps-history",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell|files:ps-history|files:usn-journal"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if isCommand(o, "history.clear") && !yield(traceCommand(o, "removes the history of commands", "T1070.003", "people switch histories off for privacy")) {
					return
				}
				if historyGone(o) && !yield(historyClaim(c, o)) {
					return
				}
			}
		}
	},
})

// historyGone reports whether o records that the file of a history went.
func historyGone(o *evidence.Fact) bool {
	if o.Artifact != "usn-journal" || o.Detail.Text("trace") != "ps-history" || o.State == evidence.Deleted {
		return false
	}
	switch o.Detail.Text("change") {
	case "deleted", "emptied":
		return true
	case "renamed": // moved away; the other way round it came back
		return !isHistory(o.Detail.Text("NewName")) && isHistory(o.Detail.Text("File"))
	}
	return false
}

func isHistory(path string) bool {
	return strings.HasSuffix(strings.ToLower(path), "_history.txt")
}

// historyClaim makes the claim that a history of commands was removed.
func historyClaim(c *timeline.Case, o *evidence.Fact) timeline.Claim {
	const innocent = "the profile was removed with all that is in it"
	profile := o.Detail.Text("profile")
	benign := verdict(innocent, timeline.VerdictUnknown, "the journal does not say what else of the profile went", o)
	for _, p := range c.Observations {
		if p.Artifact != "usn-journal" || p.Detail.Text("trace") != "user-hive" || p.Detail.Text("change") != "deleted" || profile == "" || !strings.EqualFold(p.Detail.Text("profile"), profile) {
			continue
		}
		if d := p.Time.Sub(o.Time); -profileGone < d && d < profileGone {
			benign = verdict(innocent, timeline.Supported, "the hive of the profile was deleted at "+stamp(p.Time), o, p)
		}
	}
	what := map[string]string{"deleted": "deleted", "emptied": "emptied", "renamed": "moved away"}[o.Detail.Text("change")]
	return timeline.Claim{
		Kind: timeline.KindTrace, User: profile, Confidence: timeline.Certain, Severity: timeline.Low, By: timeline.ByUnknown,
		Window: timeline.Window{NotBefore: o.Time, NotAfter: o.Time, Basis: timeline.Recorded},
		Facts:  []*evidence.Fact{o}, Attack: []string{"T1070.003"},
		Text:   fmt.Sprintf("The history of PowerShell commands %s was %s at %s.", o.Detail.Text("File"), what, stamp(o.Time)),
		Steps:  []timeline.Step{step("The change journal of the volume records it; by whom, it does not say.", o)},
		Benign: []timeline.Benign{benign, verdict("people switch histories off or remove them for privacy", timeline.VerdictUnknown, "the record does not say why", o)},
	}
}

// profileGone is how far the parts of a profile that is removed may go apart.
const profileGone = 10 * time.Minute

// isCommand reports whether o is a command of that class that was run here.
func isCommand(o *evidence.Fact, class string) bool {
	deferred, _ := o.Detail.Get("Deferred").(bool)
	return o.Action == evidence.Command && o.Detail.Text("Class") == class && !deferred && o.Detail.Text("Remote") == "" && !o.Time.IsZero()
}

// traceCommand makes the claim that a command which takes traces away was run.
func traceCommand(o *evidence.Fact, what, technique, innocent string) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Confidence: timeline.Certain, Severity: timeline.Low, Actor: o, By: timeline.ByTheCommand,
		Window: timeline.Window{NotBefore: o.Time, NotAfter: o.Time.Add(timeline.EffectAfter), Basis: timeline.ByCommand},
		Facts:  []*evidence.Fact{o}, Attack: []string{technique},
		Text:   fmt.Sprintf("A command that %s was run by %s at %s: %s.", what, who(o.User, o.SID), stamp(o.Time), quote(o)),
		Steps:  []timeline.Step{step("The command is recorded; whether it took effect is not.", o)},
		Benign: []timeline.Benign{verdict(innocent, timeline.VerdictUnknown, "the record does not say why", o)},
	}
}
