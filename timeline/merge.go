package timeline

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// Reason runs the rules over a case and settles what became of every
// connection.
func Reason(c *Case, rules []Rule) (gaps []Gap, conns []Connection, notRun []NotRun) {
	var claims []*Claim
	for i, r := range rules {
		if why := c.lacks(r.Needs); why != "" {
			notRun = append(notRun, NotRun{Rule: r.ID, Host: c.Host, Why: why})
			continue
		}
		if r.Find == nil {
			continue
		}
		for claim := range r.Find(c) {
			claim.rule = &rules[i]
			claim = c.trust(claim)
			claims = append(claims, &claim)
		}
	}
	for _, l := range c.Lives {
		l.setID()
	}
	var found []*Found
	for _, group := range mergeClaims(claims) {
		g := c.gap(group)
		found = append(found, &Found{g, group})
		for _, cl := range group {
			if cl.Life != nil {
				cl.Life.settle(g, group)
			}
			for _, l := range cl.Lives {
				l.Gaps = addNew(l.Gaps, g.ID)
			}
		}
	}
	found = c.tie(found, rules)
	gaps = make([]Gap, 0, len(found))
	for _, f := range found {
		c.tell(f)
		gaps = append(gaps, *f.Gap)
	}
	for _, l := range c.Lives {
		conns = append(conns, l.row())
	}
	return gaps, conns, notRun
}

// lacks says which of needs the case has no evidence for, "" if none.
func (c *Case) lacks(needs []string) string {
	for _, group := range needs {
		if !slices.ContainsFunc(strings.Split(group, "|"), c.has) {
			return "no " + strings.ReplaceAll(group, "|", " or ") + " was read"
		}
	}
	return ""
}

func (c *Case) has(kind string) bool {
	if kind == OtherHostsShareAccess {
		return len(c.self().servers) > 0
	}
	return slices.ContainsFunc(c.Facts, func(f evidence.Coverage) bool {
		return f.Evidence == kind || strings.HasPrefix(f.Evidence, kind+":")
	})
}

// strongest orders the claims of a group.
func strongest(a, b *Claim) int {
	return cmp.Or(b2i(a.Life == nil)-b2i(b.Life == nil), a.Confidence.rank()-b.Confidence.rank(), a.Severity.rank()-b.Severity.rank())
}

// A lifeKind is what claims that know their connection are grouped by.
type lifeKind struct {
	life *Life
	kind Kind
}

// mergeClaims groups the claims on one removal, strongest first. A claim that
// does not know its connection joins every group whose strongest claim explains
// it.
func mergeClaims(claims []*Claim) (groups [][]*Claim) {
	slices.SortStableFunc(claims, func(a, b *Claim) int { return b2i(a.Life == nil) - b2i(b.Life == nil) })
	known := map[lifeKind]int{} // group
	rest := claims
	for i, cl := range claims {
		if cl.Life == nil {
			break
		}
		rest = claims[i+1:]
		at, ok := known[lifeKind{cl.Life, cl.Kind}]
		if !ok {
			at = len(groups)
			known[lifeKind{cl.Life, cl.Kind}] = at
			groups = append(groups, claims[i:i+1:i+1]) // most are alone: no copy
			continue
		}
		groups[at] = append(groups[at], cl)
	}
	ends := map[int64][]int{} // groups by the end of their strongest claim's window
	end := func(at int) {
		t := groups[at][0].Window.NotAfter.UnixNano()
		ends[t] = append(ends[t], at)
	}
	for at, g := range groups {
		slices.SortStableFunc(g, strongest)
		narrowestFirst(g)
		end(at)
	}
	for i, cl := range rest {
		joined := false
		for _, at := range ends[cl.Window.NotBefore.UnixNano()] {
			if explains(groups[at][0], cl) {
				groups[at], joined = append(groups[at], cl), true
			}
		}
		if !joined {
			groups = append(groups, rest[i:i+1:i+1])
			end(len(groups) - 1)
		}
	}
	for _, g := range groups {
		slices.SortStableFunc(g, strongest)
		narrowestFirst(g)
	}
	return groups
}

// narrowestFirst puts first the claim of a group that narrows the strongest.
func narrowestFirst(g []*Claim) {
	for i, cl := range g {
		if cl.narrows(g[0]) {
			copy(g[1:], g[:i])
			g[0] = cl
			return
		}
	}
}

// narrows reports whether cl, which two kinds of evidence support, tells far
// better when than top, which is certain that there was a removal, and not when.
func (cl *Claim) narrows(top *Claim) bool {
	a, b := cl.Window, top.Window
	return top.Kind == KindRemoval && top.Confidence == Certain && cl.Confidence == Strong && cl.Life == top.Life && cl.Life != nil &&
		!b.NotAfter.IsZero() && !a.NotBefore.IsZero() && !a.NotAfter.IsZero() && !a.NotBefore.Before(b.NotBefore) && !a.NotAfter.After(b.NotAfter) &&
		(b.NotBefore.IsZero() || 2*a.NotAfter.Sub(a.NotBefore) < b.NotAfter.Sub(b.NotBefore))
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// explains reports whether b, which does not know its connection, is about the
// removal that a is about, at its instant.
func explains(a, b *Claim) bool {
	if a.Kind != KindRemoval || b.Kind != KindRemoval || a.Drive != "" && b.Drive != "" && a.Drive != b.Drive {
		return false
	}
	nobody := a.User == "" && a.SID == "" && b.User == "" && b.SID == "" // both are about what the server exports
	return (nobody || SameUser(a.User, a.SID, b.User, b.SID)) && b.Window.Exact() && b.Window.NotBefore.Equal(a.Window.NotAfter)
}

// gap makes one gap of the claims on one removal; the first is the strongest.
func (c *Case) gap(group []*Claim) *Gap {
	top := group[0]
	g := &Gap{
		Rule: top.rule.ID, Severity: top.Severity, Confidence: top.Confidence,
		Host: c.Host, User: top.User, SID: top.SID, Share: top.Share, Drive: top.Drive,
		Window: top.Window, Claim: top.Text,
		Rules: []string{}, Reasoning: []Step{}, Benign: []Benign{}, Missing: []Missing{}, Observations: []string{}, Connections: []string{}, Attack: []string{},
	}
	for _, cl := range group {
		g.Rules = addNew(g.Rules, cl.rule.ID)
		for _, s := range cl.Steps {
			if s.Observations == nil {
				s.Observations = []string{}
			}
			s.Rule = cl.rule.ID
			g.Reasoning = append(g.Reasoning, s)
			g.Observations = addNew(g.Observations, s.Observations...)
		}
		g.Observations = addNew(g.Observations, Ids(cl.Facts...)...)
		for _, b := range cl.Benign {
			if b.Observations == nil {
				b.Observations = []string{}
			}
			switch i := slices.IndexFunc(g.Benign, func(x Benign) bool { return x.Explanation == b.Explanation }); {
			case i < 0:
				g.Benign = append(g.Benign, b)
			case g.Benign[i].Verdict == VerdictUnknown && b.Verdict != VerdictUnknown:
				g.Benign[i] = b // another rule knows more
			default:
				continue
			}
			g.Observations = addNew(g.Observations, b.Observations...)
		}
		for _, m := range cl.Missing {
			if !slices.Contains(g.Missing, m) {
				g.Missing = append(g.Missing, m)
			}
		}
		g.Attack = addNew(g.Attack, cl.Attack...)
		if cl.Life != nil {
			g.Connections = addNew(g.Connections, cl.Life.ID)
		}
		for _, l := range cl.Lives {
			g.Connections = addNew(g.Connections, l.ID)
		}
	}
	slices.SortStableFunc(g.Benign, func(a, b Benign) int { return a.Verdict.rank() - b.Verdict.rank() })
	if top.Kind == KindRemoval && slices.ContainsFunc(g.Benign, func(b Benign) bool { return b.Verdict == Supported }) {
		g.Severity = g.Severity.Milder(Low)
	}
	if top.Kind == KindRemoval || top.Kind == KindEnd {
		c.widen(g)
	}
	g.ID = gapID(g, top)
	return g
}

func addNew(list []string, more ...string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// gapID names a gap by what it rests on, so that the same evidence gives the
// same id.
func gapID(g *Gap, top *Claim) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\xff%s\xff%s\xff%s\xff%s\xff%s\xff%s\xff%d", g.Host, account(g.User, g.SID), evidence.ShareKey(g.Share), g.Drive,
		evidence.FormatTime(g.Window.NotBefore), evidence.FormatTime(g.Window.NotAfter), strings.Join(Ids(top.Facts...), " "), top.Kind)
	return g.Rule + "-" + hex.EncodeToString(h.Sum(nil)[:4])
}

// setID names a connection by who, what and which facts began it.
func (l *Life) setID() {
	h := sha256.New()
	first := append(append([]*evidence.Fact{l.Key, l.Old, l.Stored}, l.Maps...), append(l.Uses, append(l.Gone, l.Removes...)...)...)
	id := ""
	for _, o := range first {
		if o != nil {
			id = o.ID
			break
		}
	}
	fmt.Fprintf(h, "%s\xff%s\xff%s\xff%s\xff%s\xff%s", l.Host, l.Side, account(l.User, l.SID), evidence.ShareKey(l.Share), l.Drive, id)
	l.ID = hex.EncodeToString(h.Sum(nil)[:8])
}

// settle writes what a gap found into the connection that it is about.
func (l *Life) settle(g *Gap, group []*Claim) {
	l.Gaps = addNew(l.Gaps, g.ID)
	top := group[0]
	switch top.Kind {
	case KindNoEffect:
		l.Facts.CommandSeen = Yes
	case KindEnd:
		l.Status, l.Confidence, l.Removed, l.RemovedBy = StatusEnded, top.Confidence, g.Window, top.By
		l.Facts.SessionEnded = Yes
	case KindRemoval:
		l.Removed, l.RemovedBy = g.Window, top.By
		if l.Removes != nil {
			l.Facts.CommandSeen = Yes
		}
		if len(l.Maps)+len(l.Gone) == 0 && l.Side == evidence.Client && top.Confidence.rank() > Strong.rank() {
			// Nothing but the command says that there was a connection, or it
			// was used, and nothing says that the command took effect.
			if len(l.Uses) == 0 {
				l.Status, l.Confidence = StatusUnknown, Possible
			}
		} else if top.Confidence.rank() <= Likely.rank() {
			l.Status, l.Confidence = StatusRemoved, top.Confidence
		} else {
			// What may have been is not said to have been.
			l.Status, l.Confidence = StatusUnknown, Possible
		}
		if o := top.Actor; o != nil {
			l.Actor.User = o.User
			if o.Process != nil {
				l.Actor.Process = *o.Process
			}
		}
	}
}

// row returns the finished connection.
func (l *Life) row() Connection {
	r := l.Connection
	var all []*evidence.Fact
	all = append(all, l.Maps...)
	all = append(all, l.Uses...)
	all = append(all, l.Removes...)
	all = append(all, l.Gone...)
	all = append(all, l.Key, l.Old, l.Stored)
	all = append(all, l.named...)
	r.Observations = Ids(all...)
	slices.Sort(r.Observations)
	if r.Aliases == nil {
		r.Aliases = []string{}
	}
	if r.Gaps == nil {
		r.Gaps = []string{}
	}
	return r
}

// SortGaps puts gaps in the order of output: gravest and surest first.
func SortGaps(gaps []Gap) {
	slices.SortStableFunc(gaps, func(a, b Gap) int {
		return cmp.Or(a.Severity.rank()-b.Severity.rank(), a.Confidence.rank()-b.Confidence.rank(), a.Window.NotAfter.Compare(b.Window.NotAfter), strings.Compare(a.ID, b.ID))
	})
}

// SortConnections puts connections in the order of output.
func SortConnections(conns []Connection) {
	slices.SortStableFunc(conns, func(a, b Connection) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.User, b.User), a.firstKnown().Compare(b.firstKnown()), strings.Compare(a.ID, b.ID))
	})
}
