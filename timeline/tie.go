package timeline

import "slices"

// A Found is a gap with the claims that it was made of, strongest first.
type Found struct {
	*Gap
	Claims []*Claim
}

// Kind says what the gap is about.
func (f *Found) Kind() Kind { return f.Claims[0].Kind }

// Life returns the connection that the gap is about, or nil.
func (f *Found) Life() *Life {
	for _, cl := range f.Claims {
		if cl.Life != nil {
			return cl.Life
		}
	}
	return nil
}

// Innocent reports whether an innocent cause of the gap is supported.
func (f *Found) Innocent() bool {
	return slices.ContainsFunc(f.Gap.Benign, func(b Benign) bool { return b.Verdict == Supported })
}

// tie runs the rules that look at gaps, and adds what they find.
func (c *Case) tie(found []*Found, rules []Rule) []*Found {
	first := found
	for i, r := range rules {
		if r.Tie == nil || c.lacks(r.Needs) != "" {
			continue
		}
		for cl := range r.Tie(c, first) {
			cl.rule = &rules[i]
			if cl.Of != nil {
				cl.Of.join(cl)
				continue
			}
			g := c.gap([]*Claim{&cl})
			for _, t := range cl.Ties {
				g.Connections = addNew(g.Connections, t.Connections...)
				if l := t.Life(); l != nil {
					l.Gaps = addNew(l.Gaps, g.ID)
				}
			}
			found = append(found, &Found{g, []*Claim{&cl}})
		}
	}
	return found
}

// join adds what a claim says of the gap f to it. A verdict on an innocent
// cause replaces one that was not known.
func (f *Found) join(cl Claim) {
	g := f.Gap
	g.Rules = addNew(g.Rules, cl.rule.ID)
	for _, s := range cl.Steps {
		g.add(cl.rule.ID, s)
	}
	for _, b := range cl.Benign {
		if b.Observations == nil {
			b.Observations = []string{}
		}
		i := slices.IndexFunc(g.Benign, func(x Benign) bool { return x.Explanation == b.Explanation })
		switch {
		case i < 0:
			g.Benign = append(g.Benign, b)
		case g.Benign[i].Verdict == VerdictUnknown:
			g.Benign[i] = b
		}
		g.Observations = addNew(g.Observations, b.Observations...)
	}
	slices.SortStableFunc(g.Benign, func(a, b Benign) int { return a.Verdict.rank() - b.Verdict.rank() })
	if cl.Severity != "" && !g.Severity.AtLeast(cl.Severity) && !f.Innocent() {
		g.Severity = cl.Severity
	}
	g.Attack = addNew(g.Attack, cl.Attack...)
}

// add adds a step of reasoning to g.
func (g *Gap) add(rule string, s Step) {
	if s.Observations == nil {
		s.Observations = []string{}
	}
	s.Rule = rule
	g.Reasoning = append(g.Reasoning, s)
	g.Observations = addNew(g.Observations, s.Observations...)
}
