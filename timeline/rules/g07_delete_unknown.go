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

// G07: a delete command, and nothing that it could have removed.
//
// Logic: a command that removes mappings names a letter, a share or all, and
// no other evidence names such a mapping of that user.
//
// Bound: the last write of Network where it dates the command's effect (E2),
// else the command and 30 s.
//
// Misses: whether there was anything to remove, unless E2 holds.
//
// Benign: scripts and VPN clients remove all mappings first, to be clean.
var _ = register(timeline.Rule{
	ID: "G07", Title: "delete command, and no mapping is known", Technique: "T1070.005",
	Claim: "a mapping that left no other trace was removed by the command", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "a delete command names a letter, a share or all, and no other evidence names such a mapping of that user from before",
	Bound:     "the last write of Network within -2 s to +30 s of the command (E2), else the command and 30 s",
	Misses:    "whether there was anything to remove, unless the last write of Network says so",
	Benign:    []string{byScript},
	Reference: "Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; MITRE ATT&CK T1070.005",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, o := range unnamed(c) {
				if !yield(unknownRemoved(c, o)) {
					return
				}
			}
		}
	},
})

// unnamed returns the delete commands that name no known mapping, one an act.
func unnamed(c *timeline.Case) (out []*evidence.Fact) {
next:
	for _, o := range c.Observations {
		if !timeline.IsRemoval(o) || o.Time.IsZero() || namesKnown(c, o) {
			continue
		}
		for i, x := range out {
			if sameRun(x, o) {
				if direct(o) && !direct(x) {
					out[i] = o
				}
				continue next
			}
		}
		out = append(out, o)
	}
	return out
}

// namesKnown reports whether command o names a mapping that is known, and is
// taken to have removed it, or not to have.
func namesKnown(c *timeline.Case, o *evidence.Fact) bool {
	return slices.ContainsFunc(c.Lives, func(l *timeline.Life) bool {
		if len(l.Maps) == 0 || !slices.Contains(l.Removes, o) {
			return false
		}
		if o.Drive == "" && o.Share != "" || refuted(l, o) || timeline.KeepsProfile(o) {
			return true
		}
		if n := len(l.Gone); n > 0 {
			return timeline.Within(l.Gone[n-1].Time, o.Time) || o.Drive != "" && undated(o)
		}
		by := effective(c, l)
		return by != nil && (sameRun(by, o) || o.Drive != "" && (undated(o) || by.Time.Sub(o.Time).Abs() <= timeline.Retry))
	})
}

func unknownRemoved(c *timeline.Case, o *evidence.Fact) timeline.Claim {
	cl := timeline.Claim{
		Kind: timeline.KindRemoval, User: o.User, SID: o.SID, Drive: o.Drive, Share: o.Share,
		Window:     commandWindow(o, time.Time{}),
		Confidence: timeline.Likely, Severity: timeline.Low, By: timeline.ByTheCommand, Actor: o, Attack: []string{"T1070.005"},
		Facts: []*evidence.Fact{o},
	}
	if o.Detail.Text("Class") == "key.delete" {
		cl.By = timeline.ByRegistry
	}
	if sid := o.Detail.Text("TargetSID"); sid != "" {
		cl.User, cl.SID = nameOfUser(c, sid), sid // whose hive it names, not who ran it
	}
	if l := connectionOf(c, o); l != nil {
		cl.Life, cl.User, cl.SID = l, l.User, l.SID
	}
	s := c.StateOf(cl.User, cl.SID)
	if s == nil {
		cl.Missing = append(cl.Missing, timeline.Missing{What: "the hive NTUSER.DAT of " + who(cl.User, cl.SID), Why: "no hive of that user was read"})
	}
	cl.Benign = []timeline.Benign{script(c, o), hygiene(c, o)}
	innocent := cl.Benign[0].Verdict == timeline.Supported || cl.Benign[1].Verdict == timeline.Supported
	all := slices.Contains(o.Detail.List("Targets"), "*")
	keeps, seen, before := lettered(c, o), candidates(c, o), goneBefore(c, o)
	switch {
	case keeps != nil:
		cl.Kind, cl.Life, cl.Severity, cl.Confidence, cl.Attack = timeline.KindNoEffect, nil, timeline.Info, timeline.Likely, nil
		cl.Steps = []timeline.Step{ran(o), step("By remote name, a connection with a letter is not removed (WNetCancelConnection2).", keeps.Maps...)}
		cl.Text = fmt.Sprintf("%s, run by %s %s, leaves %s as it is: it names the share, not the letter.", quote(o), who(o.User, o.SID), runAt(o), mapping(keeps.Drive, keeps.Share))
		return cl
	case cl.By == timeline.ByRegistry && s != nil && s.Key != nil && s.AsOf.After(o.Time) && !undated(o) && s.LastChange.Before(o.Time.Add(-timeline.EffectBefore)):
		cl.Kind, cl.Severity, cl.Confidence, cl.Attack = timeline.KindNoEffect, timeline.Info, timeline.Strong, nil
		cl.Steps = []timeline.Step{ran(o), step(fmt.Sprintf("Network was last written at %s, before the command: nothing was removed below it.", stamp(s.LastChange)), s.Key)}
		cl.Text = fmt.Sprintf("%s, run by %s at %s, removed no mapping: Network was not written then.", quote(o), who(o.User, o.SID), stamp(o.Time))
		return cl
	}
	if cl.Life != nil && len(cl.Life.Uses) > 0 {
		seen = []*timeline.Life{cl.Life}
	}
	cl.Steps = []timeline.Step{ran(o), unknownStep(seen, before)}
	if before != nil {
		cl.Facts = append(cl.Facts, before.Maps...)
	}
	for _, l := range seen {
		cl.Facts = append(append(cl.Facts, l.Maps...), l.Uses...)
	}
	switch {
	case s != nil && !undated(o) && s.ChildRemoved && !s.Restamped && timeline.Within(s.LastChange, o.Time):
		cl.Confidence, cl.Severity, cl.Window = timeline.Strong, timeline.High, timeline.At(s.LastChange, timeline.ParentKeyLastWrite)
		cl.Facts = append(cl.Facts, s.Key)
		cl.Steps = append(cl.Steps, gone(s), step("The last change of Network was the removal of a child, within the time in which the command takes effect (E2).", o, s.Key))
		cl.Text = fmt.Sprintf("A remembered mapping%s was removed at %s by %s, run by %s; %s.", letter(o), stamp(s.LastChange), quote(o), who(o.User, o.SID), otherwise(seen, before))
		if cl.Life != nil {
			cl.Life.Facts.MappingGone, cl.Life.Persistent = timeline.Yes, timeline.Yes
			if !rivals(c, cl.Life, o, s) {
				cl.Confidence = timeline.Certain // it names the letter, and nothing else went that could have stamped Network
			}
		}
	case all || innocent:
		cl.Confidence, cl.Severity = timeline.Possible, timeline.Info
		if all && !innocent {
			cl.Severity = timeline.Low
		}
		cl.Text = fmt.Sprintf("%s, run by %s %s, may have removed mappings%s: %s.", quote(o), who(o.User, o.SID), runAt(o), letter(o), otherwise(seen, before))
	default:
		what := "a connection" // what the command is about
		if cl.By == timeline.ByRegistry {
			what = "a remembered mapping"
		}
		if cl.Life != nil {
			if x := again(cl.Life, o); x != nil {
				cl.Window.NotAfter = x.Time.Add(timeline.EffectAfter)
				cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s was run at %s: the first may have failed.", quote(x), stamp(x.Time)), x))
			}
		}
		cl.Text = fmt.Sprintf("%s, run by %s %s, removed %s%s, unless it failed; %s.", quote(o), who(o.User, o.SID), runAt(o), what, letter(o), otherwise(seen, before))
	}
	return cl
}

// nameOfUser returns the name of the account with that SID, "" if no evidence
// has it.
func nameOfUser(c *timeline.Case, sid string) string {
	for _, o := range c.Observations {
		if o.SID == sid && o.User != "" {
			return o.User
		}
	}
	return ""
}

// connectionOf returns the connection that nothing but the command, or uses
// without a mapping, name.
func connectionOf(c *timeline.Case, o *evidence.Fact) *timeline.Life {
	for _, l := range c.Lives {
		if len(l.Maps) == 0 && l.Side == evidence.Client && slices.Contains(l.Removes, o) && (o.Drive != "" && l.Drive == o.Drive || o.Drive == "" && o.Share != "" && l.Drive == "") {
			return l
		}
	}
	return nil
}

// lettered returns a mapping with a letter whose share a command names by its
// remote name.
func lettered(c *timeline.Case, o *evidence.Fact) *timeline.Life {
	if o.Drive != "" || o.Share == "" {
		return nil
	}
	for _, l := range c.Lives {
		if l.Side == evidence.Client && l.Drive != "" && len(l.Maps) > 0 && !l.MappedAtFirst().After(o.Time) && l.Next.IsZero() && len(l.Removes)+len(l.Gone) == 0 &&
			evidence.ShareKey(l.Share) == evidence.ShareKey(o.Share) && timeline.SameUser(l.User, l.SID, o.User, o.SID) {
			return l
		}
	}
	return nil
}

// candidates returns the shares that Explorer knows of the user, without a
// letter: any of them may be what the command removed.
func candidates(c *timeline.Case, o *evidence.Fact) (out []*timeline.Life) {
	for _, l := range c.Lives {
		if l.Side == evidence.Client && l.Drive == "" && l.Share != "" && len(l.Maps)+len(l.Uses) > 0 && timeline.SameUser(l.User, l.SID, o.User, o.SID) &&
			(o.Share == "" || evidence.ShareKey(o.Share) == evidence.ShareKey(l.Share)) && from(l, "map-drive-mru") != nil {
			out = append(out, l)
		}
	}
	return out
}

// goneBefore returns the mapping of the letter that is known, and was over before
// command o, or nil.
func goneBefore(c *timeline.Case, o *evidence.Fact) *timeline.Life {
	for _, l := range slices.Backward(c.Lives) {
		if o.Drive != "" && l.Drive == o.Drive && l.Side == evidence.Client && len(l.Maps) > 0 && l.Next.Equal(o.Time) && timeline.SameUser(l.User, l.SID, o.User, o.SID) {
			return l
		}
	}
	return nil
}

func unknownStep(seen []*timeline.Life, before *timeline.Life) timeline.Step {
	if len(seen) == 0 && before != nil {
		return step(capital(otherwise(seen, before))+".", before.Maps...)
	}
	if len(seen) == 0 {
		return step("No remembered mapping, map command or list of mapped drives in the evidence names a mapping of this user that it could have removed.")
	}
	var facts []*evidence.Fact
	for _, l := range seen {
		facts = append(append(facts, l.Maps...), l.Uses...)
	}
	return step("No evidence ties a share to what it removed; "+otherwise(seen, before)+".", facts...)
}

// otherwise tells what else is known of what a command removed.
func otherwise(seen []*timeline.Life, before *timeline.Life) string {
	if len(seen) == 0 && before != nil {
		return mapping(before.Drive, before.Share) + ", which is known, was over by then: the letter was mapped again, unseen, or stood for nothing"
	}
	if len(seen) == 0 {
		return "nothing else in the evidence names it"
	}
	var names []string
	for _, l := range seen {
		if from(l, "map-drive-mru") == nil {
			return "the share was used, and no mapping of it is known"
		}
		names = append(names, l.Share)
	}
	return "Explorer's list of mapped drives names " + strings.Join(names, ", ") + ", without a letter"
}

// hygiene tests whether the command cleared a letter for a mapping that
// followed at once.
func hygiene(c *timeline.Case, o *evidence.Fact) timeline.Benign {
	const explanation = "the letter was cleared for a mapping that followed"
	for _, l := range c.Lives {
		if l.Side != evidence.Client || l.Drive == "" || len(l.Maps) == 0 || !l.Targets(o) || !timeline.SameUser(l.User, l.SID, o.User, o.SID) {
			continue
		}
		if d := l.MappedAtFirst().Sub(o.Time); d >= 0 && d <= 5*time.Minute {
			return verdict(explanation, timeline.Supported, fmt.Sprintf("%s was mapped at %s", l.Drive, stamp(l.MappedAtFirst())), o, l.Maps[0])
		}
	}
	return verdict(explanation, timeline.Contradicted, "no mapping that it would clear the way for followed within 5 minutes", o)
}

func letter(o *evidence.Fact) string {
	switch {
	case o.Drive != "":
		return " of " + o.Drive
	case o.Share != "":
		return " to " + o.Share
	}
	return ""
}
