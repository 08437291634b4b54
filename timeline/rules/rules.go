// Package rules holds one gap rule a file. The comment of each says on what
// logic it rests, how it bounds the time, what it misses and which innocent
// causes it knows.
package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

var all []timeline.Rule

// register adds r to the set that All returns. It is for package-level use.
func register(r timeline.Rule) timeline.Rule {
	all = append(all, r)
	return r
}

// All returns the rules ordered by id.
func All() []timeline.Rule {
	return slices.SortedFunc(slices.Values(all), func(a, b timeline.Rule) int { return cmp.Compare(a.ID, b.ID) })
}

// stamp renders t for a sentence.
func stamp(t time.Time) string { return evidence.FormatTime(t) }

// span renders a window for a sentence.
func span(w timeline.Window) string {
	switch {
	case w.Exact():
		return "at " + stamp(w.NotBefore)
	case w.NotBefore.IsZero():
		return "at or before " + stamp(w.NotAfter)
	case w.NotAfter.IsZero():
		return "at or after " + stamp(w.NotBefore)
	}
	return "between " + stamp(w.NotBefore) + " and " + stamp(w.NotAfter)
}

// mapping names a connection for a sentence.
func mapping(drive, share string) string {
	switch {
	case drive != "" && share != "":
		return "the mapping of " + drive + " to " + share
	case drive != "":
		return "a mapping of " + drive
	case share != "":
		return "the connection to " + share
	}
	return "a mapping whose letter and share are not known"
}

// who names an account for a sentence.
func who(user, sid string) string { return cmp.Or(user, sid, "an unknown account") }

// ran is the step that names a command. A history says only that it was typed
// at or before the history was saved.
func ran(o *evidence.Fact) timeline.Step {
	if undated(o) {
		return step(fmt.Sprintf("%s stands in a history of %s that was last saved at %s: when it was typed before that is not known.", quote(o), who(o.User, o.SID), stamp(o.Time)), o)
	}
	return step(fmt.Sprintf("%s was run by %s at %s.", quote(o), who(o.User, o.SID), stamp(o.Time)), o)
}

// runAt tells when a command was run, in a sentence.
func runAt(o *evidence.Fact) string {
	if undated(o) {
		return "at or before " + stamp(o.Time)
	}
	return "at " + stamp(o.Time)
}

// undated reports whether a command's time is only an upper bound.
func undated(o *evidence.Fact) bool { return o.TimeKind == evidence.AtOrBefore }

// commandWindow is the time in which command o takes effect; since is when what
// it removes was last seen, or zero.
func commandWindow(o *evidence.Fact, since time.Time) timeline.Window {
	w := timeline.Window{NotBefore: o.Time, NotAfter: o.Time.Add(timeline.EffectAfter), Basis: timeline.ByCommand}
	if undated(o) {
		w.NotBefore = since
	}
	return w
}

// tookEffect reports whether anything but map commands shows the mapping, or the
// user at its share from then on: a map command may have failed.
func tookEffect(c *timeline.Case, l *timeline.Life) bool {
	if len(l.Maps) == 0 {
		return false
	}
	shows := func(o *evidence.Fact) bool {
		return o.Action != evidence.Command && (o.Drive != "" && o.Drive == l.Drive || !o.Time.Before(l.MappedAtFirst().Add(-timeline.EffectBefore)))
	}
	if slices.ContainsFunc(l.Maps, shows) || slices.ContainsFunc(l.Uses, shows) {
		return true
	}
	return slices.ContainsFunc(c.Lives, func(x *timeline.Life) bool {
		return x.Side == evidence.Client && x.Drive == "" && evidence.ShareKey(x.Share) == evidence.ShareKey(l.Share) && timeline.SameUser(x.User, x.SID, l.User, l.SID) &&
			(slices.ContainsFunc(x.Maps, shows) || slices.ContainsFunc(x.Uses, shows))
	})
}

// quote shows a command line in a sentence, cut to a readable length.
func quote(o *evidence.Fact) string {
	s := ""
	if o.Process != nil {
		s = cmp.Or(o.Process.CommandLine, o.Process.Image)
	}
	if s == "" {
		s = o.Summary
	}
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		s = string(r[:159]) + "…"
	}
	return "`" + s + "`"
}

// was says of a removal that it took place, as far as the claim is sure of it.
func was(cl *timeline.Claim) string {
	if cl.Confidence == timeline.Possible {
		return "may have been"
	}
	return "was"
}

// step makes one step of reasoning.
func step(statement string, facts ...*evidence.Fact) timeline.Step {
	return timeline.Step{Statement: statement, Observations: timeline.Ids(facts...)}
}

// known tells how the connection is known, as the first step of a reasoning.
func known(l *timeline.Life) timeline.Step {
	o := l.Maps[0]
	how := "a record of " + stamp(o.Time) + " says that it was mapped"
	switch {
	case o.Action == evidence.Command:
		how = fmt.Sprintf("%s was run at %s", quote(o), stamp(o.Time))
	case o.Artifact == "mapped-drives":
		how = `it was remembered in HKCU\Network, last written at ` + stamp(o.Time)
	case o.Artifact == "map-drive-mru":
		how = "Explorer's list of mapped network drives names it, last written at " + stamp(o.Time)
	}
	return step(fmt.Sprintf("%s is known: %s.", capital(mapping(l.Drive, l.Share)), how), l.Maps...)
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// gone tells whether the newest state of the user's hive has the mapping.
func gone(s *timeline.MappingState) timeline.Step {
	if s.Key == nil {
		return step(fmt.Sprintf(`The hive of %s, as of %s, has no key Network.`, s.User, stamp(s.AsOf)))
	}
	return step(fmt.Sprintf(`The hive of %s, as of %s, was read whole below Network: the mapping is not there; the last child of Network was made or removed at %s.`,
		s.User, stamp(s.AsOf), stamp(s.LastChange)), s.Key)
}

// holds reports whether the state has the connection as a remembered mapping.
func holds(s *timeline.MappingState, l *timeline.Life) *evidence.Fact {
	o := s.Drives[l.Drive]
	if o == nil || o.Share != "" && l.Share != "" && evidence.ShareKey(o.Share) != evidence.ShareKey(l.Share) {
		return nil
	}
	return o
}

// claim makes a claim of a connection.
func claim(kind timeline.Kind, l *timeline.Life) timeline.Claim {
	return timeline.Claim{Kind: kind, Life: l, User: l.User, SID: l.SID, Share: l.Share, Drive: l.Drive}
}

// sortedDrives returns the letters that a state remembers, in order.
func sortedDrives(s *timeline.MappingState) []string {
	return slices.Sorted(maps.Keys(s.Drives))
}
