package rules

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// allAtOnce is how long it takes at most to remove several things one by one
// for it to be one sweep.
const allAtOnce = time.Minute

// G28: everything was disconnected, or withdrawn, at once.
//
// Logic: a command that names all connections removed some; or three or more
// shares, an administrative one among them, were deleted by one account within
// a minute.
//
// Bound: that of each removal.
//
// Misses: programs that call Windows themselves, without a command.
//
// Benign: logon and logoff scripts name all connections, too.
var _ = register(timeline.Rule{
	ID: "G28", Title: "everything disconnected at once", Technique: "T1070.005",
	Claim: "the removal was one of a sweep over all connections or shares", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "the command of the removal names all connections; or three or more shares, an administrative one among them, were deleted by one account within a minute. It is said of each of those removals, which keep their own rows",
	Bound:     "that of each removal",
	Misses:    "programs that call Windows themselves, without a command",
	Benign:    []string{"logon and logoff scripts drop all connections, to be clean"},
	Reference: "Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE; redcanaryco/atomic-red-team, T1070.005",
	Needs:     []string{"evtx:Security|evtx:System|evtx:Microsoft-Windows-Sysmon/Operational|evtx:Microsoft-Windows-PowerShell/Operational|evtx:PowerShellCore/Operational|evtx:Windows PowerShell"},
	Tie: func(c *timeline.Case, found []*timeline.Found) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, s := range sweeps(found) {
				for _, f := range s.of {
					if !yield(timeline.Claim{Of: f, Steps: []timeline.Step{step(s.text, s.facts...)}}) {
						return
					}
				}
			}
		}
	},
})

// A sweep is one act that removed several things.
type sweep struct {
	of    []*timeline.Found
	text  string
	facts []*evidence.Fact
}

// sweeps finds the sweeps among the removals of a host.
func sweeps(found []*timeline.Found) (out []*sweep) {
	byCommand := map[*evidence.Fact]*sweep{}
	var shares []*timeline.Found
	for _, f := range found {
		by := f.Claims[0].Actor
		if f.Kind() != timeline.KindRemoval || f.Innocent() || by == nil {
			continue
		}
		if l := f.Life(); l != nil && l.Side == evidence.Server {
			shares = append(shares, f)
			continue
		}
		if by.Action != evidence.Command || !slices.Contains(by.Detail.List("Targets"), "*") {
			continue
		}
		s := byCommand[by]
		if s == nil {
			s = &sweep{facts: []*evidence.Fact{by}}
			byCommand[by] = s
			out = append(out, s)
		}
		s.of = append(s.of, f)
	}
	for _, s := range out {
		s.text = fmt.Sprintf("%s names all connections at once; the findings on this host that rest on it: %d.", quote(s.facts[0]), len(s.of))
	}
	return append(out, shareSweeps(shares)...)
}

// shareSweeps finds the sweeps among the deletions of shares.
func shareSweeps(shares []*timeline.Found) (out []*sweep) {
	by := func(f *timeline.Found) *evidence.Fact { return f.Claims[0].Actor }
	slices.SortStableFunc(shares, func(a, b *timeline.Found) int { return by(a).Time.Compare(by(b).Time) })
	for len(shares) > 0 {
		n, admin := 1, timeline.IsDefaultShare(nameOf(shares[0].Share))
		for n < len(shares) && by(shares[n]).Time.Sub(by(shares[0]).Time) <= allAtOnce && timeline.SameUser(by(shares[n]).User, by(shares[n]).SID, by(shares[0]).User, by(shares[0]).SID) {
			admin = admin || timeline.IsDefaultShare(nameOf(shares[n].Share))
			n++
		}
		if n >= 3 && admin {
			s := &sweep{of: shares[:n]}
			for _, f := range s.of {
				s.facts = append(s.facts, by(f))
			}
			s.text = fmt.Sprintf("%d shares, administrative ones among them, were deleted as %s within a minute.", n, who(by(shares[0]).User, by(shares[0]).SID))
			out = append(out, s)
		}
		shares = shares[n:]
	}
	return out
}
