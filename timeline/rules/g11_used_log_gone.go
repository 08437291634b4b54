package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G11: a share was used, nothing says how it was connected, and a log of that
// time was taken away.
//
// Logic: shortcuts, jump lists, Office or dialog lists of a user name files or
// folders of a share; nothing says that it was mapped; and a use lies in a
// span that a log which might tell cannot tell of because somebody cleared it,
// stopped it or switched its auditing off.
//
// Bound: the first and the last such use.
//
// Misses: uses without a time; logs that rolled over, which is no act.
//
// Benign: the share was opened by its name, without a mapping; maintenance.
var _ = register(timeline.Rule{
	ID: "G11", Title: "share used, and the log of that time is gone",
	Claim: "the share was used, and the log that might tell how it was connected was cleared or silenced", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "a shortcut, jump list, Office or dialog list names a file or folder of a share that nothing says was mapped; its time lies in a span of which Security, Sysmon, PowerShell or SMBClient cannot tell because it was cleared, stopped or its auditing switched off",
	Bound:     "the first and the last use in that span",
	Misses:    "uses without a time; logs that rolled over",
	Benign:    []string{"the share was opened by its name, without a mapping"},
	Reference: "as sharetrail artifacts lnk, jump-lists, office-mru, log-clears, audit-changes",
	Needs:     []string{"files:lnk|files:jump-lists|registry:NTUSER"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, s := range silencedUses(c) {
				if !yield(usedInTheDark(s)) {
					return
				}
			}
		}
	},
})

// fileUses are the artifacts that name what somebody opened on a share.
var fileUses = []string{"lnk", "jump-lists", "office-mru", "comdlg32", "recent-docs", "shellbags", "app-compat-flags", "mui-cache"}

// A silenced is what one user did on shares in the span that one act hides.
type silenced struct {
	log   string
	hole  evidence.Hole
	lives []*timeline.Life
	uses  []*evidence.Fact
}

// silencedUses groups the uses by the act that hides their time, and by user.
func silencedUses(c *timeline.Case) (out []*silenced) {
	for _, r := range c.Coverage {
		log, isLog := strings.CutPrefix(r.Evidence, "evtx:")
		if !isLog || !tellsOfConnections(log) {
			continue
		}
		for _, h := range r.Holes {
			if h.Why == nil || h.Reason != evidence.Cleared && h.Reason != evidence.ChannelOff && h.Reason != evidence.AuditOff {
				continue
			}
			out = append(out, hiddenBy(c, log, h, out)...)
		}
	}
	return out
}

// hiddenBy returns what hole h of a log hides, by user, but what is told of
// another log already.
func hiddenBy(c *timeline.Case, log string, h evidence.Hole, told []*silenced) (out []*silenced) {
	for _, l := range c.Lives {
		if l.Side != evidence.Client || l.Share == "" || len(l.Maps)+len(l.Removes)+len(l.Gone) > 0 || c.IsOwnName(evidence.ServerOf(l.Share)) || l.Provider() != "" ||
			slices.ContainsFunc(told, func(s *silenced) bool { return slices.Contains(s.lives, l) }) {
			continue
		}
		var uses []*evidence.Fact
		for _, o := range l.Uses {
			if slices.Contains(fileUses, o.Artifact) && !o.Time.IsZero() && o.TimeKind != evidence.AtOrBefore && within(o.Time, timeline.Window{NotBefore: h.From, NotAfter: h.To}) {
				uses = append(uses, o)
			}
		}
		if len(uses) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(s *silenced) bool { return timeline.SameUser(s.lives[0].User, s.lives[0].SID, l.User, l.SID) })
		if i < 0 {
			i, out = len(out), append(out, &silenced{log: log, hole: h})
		}
		out[i].lives, out[i].uses = append(out[i].lives, l), append(out[i].uses, uses...)
	}
	return out
}

// tellsOfConnections reports whether a log might tell how a share was connected.
func tellsOfConnections(channel string) bool {
	low := strings.ToLower(channel)
	return low == "security" || strings.Contains(low, "sysmon") || strings.Contains(low, "powershell") || strings.Contains(low, "smbclient")
}

func usedInTheDark(s *silenced) timeline.Claim {
	slices.SortStableFunc(s.uses, func(a, b *evidence.Fact) int { return a.Time.Compare(b.Time) })
	first, last := s.uses[0], s.uses[len(s.uses)-1]
	l := s.lives[0]
	cl := timeline.Claim{
		Kind: timeline.KindTrace, User: l.User, SID: l.SID, Lives: s.lives, Confidence: timeline.Likely, Severity: timeline.Low,
		Window: timeline.Window{NotBefore: first.Time, NotAfter: last.Time, Basis: timeline.Recorded},
		Facts:  append(slices.Clone(s.uses), s.hole.Why),
	}
	if len(s.lives) == 1 {
		cl.Life, cl.Share, cl.Drive = l, l.Share, l.Drive
	}
	var names []string
	for _, x := range s.lives {
		if !slices.Contains(names, x.Share) {
			names = append(names, x.Share)
		}
	}
	shares := strings.Join(names[:min(len(names), 5)], ", ")
	if n := len(names) - 5; n > 0 {
		shares += fmt.Sprintf(" and %d more", n)
	}
	act := "was cleared"
	switch s.hole.Reason {
	case evidence.ChannelOff:
		act = "was stopped or full"
	case evidence.AuditOff:
		act = "was told to record less"
	}
	cl.Text = fmt.Sprintf("%s used %s, %s; nothing says how it was connected, and the log %s, which might, %s at %s.", who(l.User, l.SID), shares, span(cl.Window), s.log, act, stamp(s.hole.Why.Time))
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s files or folders of %s that were opened then.", timeline.Counted(len(s.uses), "trace names", "traces name"), shares), s.uses...),
		step("No evidence says that it was mapped: no remembered mapping, no command, no list of mapped drives."),
		step(fmt.Sprintf("The log %s %s at %s by %s: of that time it cannot tell.", s.log, act, stamp(s.hole.Why.Time), who(s.hole.Why.User, s.hole.Why.SID)), s.hole.Why)}
	cl.Benign = []timeline.Benign{
		verdict("the share was opened by its name, without a mapping", timeline.VerdictUnknown, "opening a share by its name leaves the same traces"),
		verdict("an administrator cleared or stopped the log in maintenance", timeline.VerdictUnknown, "the record says who and when, not why", s.hole.Why)}
	cl.Missing = []timeline.Missing{{What: "the log " + s.log + " of that time", Why: "it " + act + " at " + stamp(s.hole.Why.Time)}}
	return cl
}
