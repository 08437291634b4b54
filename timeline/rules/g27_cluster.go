package rules

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// clusterSpan is how long the acts of one cluster take at most.
const clusterSpan = 15 * time.Minute

// G27: several acts that take traces away lie close together.
//
// Logic: within 15 minutes one account did acts of at least two kinds: the
// removal of a connection or share, the clearing of a log, the deletion of
// shadow copies, of the history of commands, or of Explorer's keys and lists of
// shares. A removal with a supported innocent cause does not count.
//
// Bound: from the first act to the last.
//
// Misses: acts that are not dated; acts of different accounts.
//
// Benign: a computer that is handed on or reinstalled; a cleaner program.
var _ = register(timeline.Rule{
	ID: "G27", Title: "several kinds of traces taken away at once", Technique: "T1070",
	Claim: "these acts were done by one account within that time", Base: timeline.Certain, Severity: timeline.High,
	Logic:     "within 15 minutes one account did acts of at least two of these kinds: removal of a connection or share; clearing of a log; deletion of shadow copies; of the history of commands; of Explorer's keys and lists of shares. Removals with a supported innocent cause do not count",
	Bound:     "from the first act to the last",
	Misses:    "acts that are not dated within 15 minutes; acts of different accounts",
	Benign:    []string{"the computer was handed on, or a cleaner program ran"},
	Reference: "MITRE ATT&CK T1070; as sharetrail artifacts log-clears, process-creation",
	Needs:     []string{"evtx:Security|evtx:System|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell"},
	Tie: func(c *timeline.Case, found []*timeline.Found) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, acts := range clusters(acts(c, found)) {
				for _, cl := range clustered(acts) {
					if !yield(cl) {
						return
					}
				}
			}
		}
	},
})

// An act takes some trace away.
type act struct {
	kind, text string
	user, sid  string
	from, to   time.Time
	confidence timeline.Confidence
	facts      []*evidence.Fact
	of         *timeline.Found // the finding that tells it, or nil
	actor      bool            // a record names who did it
}

// acts returns what took traces away on a host, and is dated, by time.
func acts(c *timeline.Case, found []*timeline.Found) (out []act) {
	told := map[*evidence.Fact]*timeline.Found{}
	for _, f := range found {
		for _, cl := range f.Claims {
			for _, o := range cl.Facts {
				if o != nil && (f.Kind() == timeline.KindTrace || f.Kind() == timeline.KindBlind) && told[o] == nil {
					told[o] = f
				}
			}
		}
		if a, ok := removalAct(f); ok {
			out = append(out, a)
		}
	}
	for _, o := range clearsFirst(c.Observations) {
		kind, text := traceAct(o)
		if kind == "" || o.Time.IsZero() || undated(o) || toldTwice(out, o, kind) {
			continue
		}
		out = append(out, act{kind, text, o.User, o.SID, o.Time, o.Time, timeline.Certain, []*evidence.Fact{o}, told[o], true})
	}
	slices.SortStableFunc(out, func(a, b act) int { return a.from.Compare(b.from) })
	return out
}

// clearsFirst returns the records of cleared logs, and then the commands.
func clearsFirst(all []*evidence.Fact) []*evidence.Fact {
	var clears, commands []*evidence.Fact
	for _, o := range all {
		switch o.Action {
		case evidence.LogCleared:
			clears = append(clears, o)
		case evidence.Command:
			commands = append(commands, o)
		}
	}
	return append(clears, commands...)
}

// toldTwice reports whether o is an act that list holds already: the command to
// clear a log whose clearing is recorded, or the shell around a program.
func toldTwice(list []act, o *evidence.Fact, kind string) bool {
	if o.Action != evidence.Command {
		return false
	}
	return slices.ContainsFunc(list, func(a act) bool {
		if a.kind != kind || !timeline.SameUser(a.user, a.sid, o.User, o.SID) {
			return false
		}
		x := a.facts[0]
		return x.Action == evidence.LogCleared && timeline.Within(x.Time, o.Time) || x.Action == evidence.Command && sameRun(x, o)
	})
}

// removalAct returns the removal that f claims, if it is dated and nothing
// innocent is known to have done it. Where f may only be one, a claim of it that
// names no mapping may still be sure that one went, and when.
func removalAct(f *timeline.Found) (act, bool) {
	if f.Kind() != timeline.KindRemoval || f.Innocent() {
		return act{}, false
	}
	w, confidence, thing := f.Window, f.Confidence, removedThing(f)
	for _, cl := range f.Claims[1:] {
		if confidence == timeline.Possible && cl.Life == nil && cl.Confidence != timeline.Possible {
			w, confidence, thing = cl.Window, cl.Confidence, "a mapping that is not named"
		}
	}
	if confidence == timeline.Possible || w.NotBefore.IsZero() || w.NotAfter.IsZero() || w.NotAfter.Sub(w.NotBefore) > clusterSpan {
		return act{}, false
	}
	a := act{"removal", "removal of " + thing, f.User, f.SID, w.NotBefore, w.NotAfter, confidence, nil, f, false}
	if by := f.Claims[0].Actor; by != nil {
		a.actor, a.facts = true, []*evidence.Fact{by}
		if by.User != "" || by.SID != "" {
			a.user, a.sid = by.User, by.SID
		}
	}
	return a, true
}

func removedThing(f *timeline.Found) string {
	if f.Drive == "" && f.Share == "" {
		return "a mapping that is not named"
	}
	return mapping(f.Drive, f.Share)
}

// traceAct says what kind of trace o takes away, "" if none.
func traceAct(o *evidence.Fact) (kind, text string) {
	if o.Action == evidence.LogCleared {
		return "log", "the log " + cmp.Or(o.Detail.Text("ClearedChannel"), "that is not named") + " cleared"
	}
	switch {
	case isCommand(o, "log.clear"):
		return "log", quote(o)
	case isCommand(o, "shadow.delete"):
		return "shadow", quote(o)
	case isCommand(o, "history.clear"):
		return "history", quote(o)
	case isCommand(o, "key.delete"), isCommand(o, "value.delete"):
		if slices.ContainsFunc(o.Detail.List("Targets"), isExplorerTrace) {
			return "explorer", quote(o)
		}
	}
	return "", ""
}

// isExplorerTrace reports whether a registry path is one of Explorer's keys or
// lists of what the user opened.
func isExplorerTrace(path string) bool {
	low := strings.ToLower(path)
	for _, k := range []string{`\mountpoints2`, `\map network drive mru`, `\runmru`, `\typedpaths`, `\recentdocs`, `\comdlg32`, `\bagmru`} {
		if strings.Contains(low, k) {
			return true
		}
	}
	return false
}

// clusters groups acts of one account that lie within clusterSpan and are of
// two kinds at least. Each act is in one group at most.
func clusters(all []act) (out [][]act) {
	byAccount := map[string][]act{}
	var order []string
	for _, a := range all {
		k := cmp.Or(a.sid, strings.ToLower(a.user))
		if k == "" {
			continue // nobody knows by whom
		}
		if byAccount[k] == nil {
			order = append(order, k)
		}
		byAccount[k] = append(byAccount[k], a)
	}
	for _, k := range order {
		list := byAccount[k]
		for len(list) > 0 {
			n, kinds := 0, map[string]bool{}
			for n < len(list) && list[n].to.Sub(list[0].from) <= clusterSpan {
				kinds[list[n].kind] = true
				n++
			}
			if len(kinds) >= 2 {
				out = append(out, list[:n])
				list = list[n:]
				continue
			}
			list = list[1:]
		}
	}
	return out
}

// clustered makes the claim of one cluster, and what it says of each removal in it.
func clustered(list []act) (out []timeline.Claim) {
	first, end := list[0], list[0].to
	cl := timeline.Claim{
		Kind: timeline.KindCluster, User: first.user, SID: first.sid, Confidence: timeline.Certain, Severity: timeline.Low,
	}
	var texts []string
	removals, kinds := 0, map[string]bool{}
	for _, a := range list {
		if a.to.After(end) {
			end = a.to
		}
		kinds[a.kind] = true
		cl.Confidence = cl.Confidence.Weaker(a.confidence)
		facts := a.facts
		when := span(timeline.Window{NotBefore: a.from, NotAfter: a.to})
		if a.of != nil && a.kind == "removal" {
			removals++
			cl.Severity = timeline.High
			cl.Attack = append(cl.Attack, "T1070.005")
			facts = factsOf(a.of)
			when += " (finding " + a.of.ID + ")"
		}
		if a.of != nil && !slices.Contains(cl.Ties, a.of) {
			cl.Ties = append(cl.Ties, a.of)
		}
		cl.Attack = append(cl.Attack, tagOf(a.kind)...)
		cl.Facts = append(cl.Facts, facts...)
		if !a.actor {
			a.text += ", which no record ascribes to anybody"
		}
		if len(texts) < 8 {
			texts = append(texts, a.text)
		}
		cl.Steps = append(cl.Steps, step(capital(a.text)+", "+when+".", facts...))
	}
	if n := len(list) - len(texts); n > 0 {
		texts = append(texts, fmt.Sprintf("%d more", n))
	}
	cl.Window = timeline.Window{NotBefore: first.from, NotAfter: end, Basis: timeline.Recorded}
	by := doneBy(list)
	cl.Text = fmt.Sprintf("%d acts of %d kinds take traces away%s, within %s, %s: %s.", len(list), len(kinds), by, lasted(end.Sub(first.from)), span(cl.Window), strings.Join(texts, "; "))
	cl.Benign = []timeline.Benign{verdict("the computer was handed on, or a cleaner program ran", timeline.VerdictUnknown, "the records say who and when, not why")}
	out = append(out, cl)
	for _, a := range list {
		if a.kind != "removal" {
			continue
		}
		out = append(out, timeline.Claim{Of: a.of, Severity: timeline.High, Steps: []timeline.Step{
			step(fmt.Sprintf("It is one of %d acts of %d kinds that take traces away%s, within %s.", len(list), len(kinds), by, lasted(end.Sub(first.from))), others(list, a)...)}})
	}
	return out
}

// doneBy says by whom the acts are recorded to be done. Of what only a hive shows
// the account is the one whose mapping it was.
func doneBy(list []act) string {
	name := who(list[0].user, list[0].sid)
	if slices.ContainsFunc(list, func(a act) bool { return !a.actor }) {
		return " and concern " + name + " or were done as " + name
	}
	return " and were done as " + name
}

// lasted renders a duration for a sentence, up to the next second or minute.
func lasted(d time.Duration) string {
	to := time.Second
	if d > 2*time.Minute {
		to = time.Minute
	}
	return timeline.Lasting(max((d+to-1)/to*to, to))
}

// factsOf returns the facts that the strongest claim of f rests on.
func factsOf(f *timeline.Found) []*evidence.Fact { return f.Claims[0].Facts }

// others returns the facts of all acts but those of a.
func others(list []act, a act) (out []*evidence.Fact) {
	for _, x := range list {
		if x.of != a.of || a.of == nil {
			out = append(out, x.facts...)
		}
	}
	return out
}

// tagOf returns the technique of a kind of act.
func tagOf(kind string) []string {
	switch kind {
	case "log":
		return []string{"T1070.001"}
	case "shadow":
		return []string{"T1490"}
	case "history":
		return []string{"T1070.003"}
	}
	return nil
}
