package lab

import (
	"slices"
	"strings"
)

// covered compares, for each reported window of a removal, the class of the
// process log as the program's coverage rows have it with the true one.
func (c *truthCase) covered(t *tally, r *report, row *truthRow, gaps []*programRow) {
	g := row.best(gaps)
	if g == nil || !slices.Contains(claims, g.Rule) {
		return
	}
	var truth, said []truthHole
	for _, h := range c.hosts {
		if strings.EqualFold(h.Host, row.Host) {
			truth = h.ProcessLog
		}
	}
	for _, p := range r.coverage {
		if strings.EqualFold(p.Host, row.Host) && (p.Evidence == "evtx:Security" || p.Evidence == "audit:Process Creation") {
			said = append(said, p.Holes...)
		}
	}
	want, got := class(truth, g.Window), class(said, g.Window)
	t.classes++
	if want == got {
		t.same++
		return
	}
	t.fault("coverage is "+got+", not "+want, "%s; %s", row.text(), g.text(g.Window))
}

// class is what holes say of a window: disabled or partial, where nothing was
// recorded; cleared or rolled, where it is lost; else continuous.
func class(holes []truthHole, w truthWindow) string {
	var reasons []string
	whole := false
	for _, h := range holes {
		if !h.meets(w) || h.Reason == "powered_off" {
			continue
		}
		reasons = append(reasons, h.Reason)
		whole = whole || (h.From == "" || h.From <= w.NotBefore) && (h.To == "" || w.NotAfter != "" && h.To >= w.NotAfter)
	}
	has := func(reason ...string) bool {
		return slices.ContainsFunc(reason, func(r string) bool { return slices.Contains(reasons, r) })
	}
	switch {
	case has("not_collected"):
		return "absent"
	case has("audit_off", "channel_off") && whole:
		return "disabled"
	case has("cleared"):
		return "cleared"
	case has("rolled_over"):
		return "rolled"
	case len(reasons) > 0:
		return "partial"
	}
	return "continuous"
}

func (h truthHole) meets(w truthWindow) bool {
	return (h.From == "" || w.NotAfter == "" || h.From <= w.NotAfter) && (h.To == "" || w.NotBefore == "" && w.NotAfter == "" || h.To > w.NotBefore)
}
