package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G24: a command removed the history of commands.
//
// Logic: a recorded command deletes PSReadLine's history, or tells a shell to
// keep none.
//
// Bound: the command and 30 s.
//
// Misses: histories that were removed by programs that left no command.
//
// Benign: people switch histories off for privacy.
var _ = register(timeline.Rule{
	ID: "G24", Title: "history of commands removed", Technique: "T1070.003",
	Claim: "a command that removes the history of commands was run", Base: timeline.Certain, Severity: timeline.Low,
	Logic:     "a recorded command deletes the history file of PSReadLine, clears the history of a console, or tells it to save none",
	Bound:     "the command and 30 s",
	Misses:    "removals without a recorded command",
	Benign:    []string{"people switch histories off for privacy"},
	Reference: "artifacts.md §4.4, §6.1 G24",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell|files:ps-history"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range c.Observations {
				if isCommand(o, "history.clear") && !yield(traceCommand(o, "removes the history of commands", "T1070.003", "people switch histories off for privacy")) {
					return
				}
			}
		}
	},
})

// isCommand reports whether o is a command of that class that was run here.
func isCommand(o *evidence.Observation, class string) bool {
	deferred, _ := o.Detail.Get("Deferred").(bool)
	return o.Action == evidence.Command && o.Detail.Text("Class") == class && !deferred && o.Detail.Text("Remote") == "" && !o.Time.IsZero()
}

// traceCommand makes the claim that a command which takes traces away was run.
func traceCommand(o *evidence.Observation, what, technique, innocent string) timeline.Claim {
	return timeline.Claim{
		Kind: timeline.KindTrace, User: o.User, SID: o.SID, Confidence: timeline.Certain, Severity: timeline.Low, Actor: o, By: timeline.ByTheCommand,
		Window: timeline.Window{NotBefore: o.Time, NotAfter: o.Time.Add(timeline.EffectAfter), Basis: timeline.ByCommand},
		Facts:  []*evidence.Observation{o}, Attack: []string{technique},
		Text:   fmt.Sprintf("A command that %s was run by %s at %s: %s.", what, who(o.User, o.SID), stamp(o.Time), quote(o)),
		Steps:  []timeline.Step{step("The command is recorded; whether it took effect is not.", o)},
		Benign: []timeline.Benign{verdict(innocent, timeline.VerdictUnknown, "the record does not say why", o)},
	}
}
