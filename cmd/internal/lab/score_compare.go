package lab

import (
	"fmt"
	"slices"
	"strings"
)

// claims are the rules whose rows claim that something was removed, as the
// reference of the rules has them. All others tell facts that fit a removal.
var claims = []string{"G01", "G02", "G03", "G08", "G13", "G14", "G15", "G17", "G31", "G32"}

// silent are the rules that speak of evidence or of sessions, never of a removal.
var silent = []string{"G10", "G11", "G18", "G19", "G20", "G21", "G22", "G24", "G25", "G27", "G30", "G33", "G34"}

// A tally counts what is compared.
type tally struct {
	Figures
	right, all     map[string]int // claims by word
	ratios         []float64
	exact, certain int
	two, strong    int
	classes, same  int
	faults         Faults
}

func newTally() *tally {
	return &tally{Figures: Figures{ByBehaviour: map[string]Behaviour{}}, right: map[string]int{}, all: map[string]int{}, faults: Faults{}}
}

func (t *tally) fault(class, format string, args ...any) {
	t.faults[class] = append(t.faults[class], fmt.Sprintf(format, args...))
}

// add puts o's counts to t's.
func (t *tally) add(o *tally) {
	t.Hosts += o.Hosts
	t.Windows += o.Windows
	t.WindowsMissed += o.WindowsMissed
	t.RemovalsWithTrace += o.RemovalsWithTrace
	t.RemovalsFound += o.RemovalsFound
	t.BenignHosts += o.BenignHosts
	t.FalseRemovals += o.FalseRemovals
	t.BenignWrong += o.BenignWrong
	t.FalseClaims += o.FalseClaims
	t.Unread += o.Unread
	t.WrongShares += o.WrongShares
	t.Taken += o.Taken
	t.exact, t.certain, t.two, t.strong = t.exact+o.exact, t.certain+o.certain, t.two+o.two, t.strong+o.strong
	t.classes, t.same = t.classes+o.classes, t.same+o.same
	t.ratios = append(t.ratios, o.ratios...)
	for w, n := range o.all {
		t.all[w] += n
		t.right[w] += o.right[w]
	}
	for name, b := range o.ByBehaviour {
		s := t.ByBehaviour[name]
		t.ByBehaviour[name] = Behaviour{s.Removals + b.Removals, s.WithTrace + b.WithTrace, s.Found + b.Found, s.Certain + b.Certain}
	}
	for class, texts := range o.faults {
		t.faults[class] = append(t.faults[class], texts...)
	}
}

func (t *tally) figures() *Figures {
	f := t.Figures
	f.Calibration, f.Claims = map[string]float64{}, t.all
	for w, n := range t.all {
		f.Calibration[w] = part(t.right[w], n)
	}
	f.ExactCertain, f.TwoKindStrong, f.CoverageRight = part(t.certain, t.exact), part(t.strong, t.two), part(t.same, t.classes)
	slices.Sort(t.ratios)
	f.WidthRatioMedian, f.WidthRatioP95 = quantile(t.ratios, 0.5), quantile(t.ratios, 0.95)
	return &f
}

func part(n, of int) float64 {
	if of == 0 {
		return 1
	}
	return float64(n) / float64(of)
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 1
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// compare judges the rows of r by the truth of c.
func (c *truthCase) compare(r *report) *tally {
	t := newTally()
	t.Hosts = len(c.hosts)
	t.Unread = len(r.unread)
	for _, text := range r.unread {
		t.fault("evidence that could not be read", "%s", text)
	}
	matched, told := map[*truthRow][]*programRow{}, map[*truthRow]bool{}
	for _, g := range r.gaps {
		if slices.Contains(silent, g.Rule) {
			continue
		}
		c.judge(t, g, matched, told)
	}
	for _, s := range r.shares {
		if s.Status == "removed" {
			c.judgeShare(t, s)
		}
	}
	for _, h := range c.hosts {
		if h.Benign {
			t.BenignHosts++
		}
	}
	for _, row := range c.rows {
		if row.Removed != "" {
			t.removal(row, matched[row], told[row])
			c.covered(t, r, row, matched[row])
		}
	}
	return t
}

// judge compares one gap with what happened, and notes what it is about.
func (c *truthCase) judge(t *tally, g *programRow, matched map[*truthRow][]*programRow, told map[*truthRow]bool) {
	about, hits := c.about(g, g.Window)
	for _, row := range hits {
		matched[row] = append(matched[row], g)
	}
	for _, row := range c.rows {
		if strings.EqualFold(row.Host, g.Host) && (row.Side == "server" || strings.EqualFold(row.User, g.User)) && row.told(g) {
			told[row] = true
		}
	}
	if !slices.Contains(claims, g.Rule) {
		return
	}
	text := g.text(g.Window)
	if allTaken(hits, g.Window) {
		t.Taken++
		t.fault("a removal that an exact case dates wrongly", "%s; true: %s", text, hits[0].text())
		return
	}
	if len(hits) == 0 && len(about) > 0 && c.failed(g, g.Window) {
		t.Taken++
		t.fault("a removal that a command which failed dates wrongly: "+g.Rule+" "+g.Confidence, "%s; true: %s", text, about[0].text())
		return
	}
	t.Windows++
	t.all[g.Confidence]++
	other := *g
	other.Share = ""
	_, drives := c.about(&other, g.Window)
	if g.Drive != "" { // a row names the drive, whatever share it takes it to have stood for
		for _, row := range drives {
			if !slices.Contains(matched[row], g) {
				matched[row] = append(matched[row], g)
			}
		}
	}
	switch {
	case len(hits) > 0:
		t.right[g.Confidence]++
	case len(drives) > 0 && g.Drive != "":
		t.right[g.Confidence]++
		t.WrongShares++
		t.fault("removal of the drive, but of another share: "+g.Rule+" "+g.Confidence, "%s; true: %s", text, drives[0].text())
	case len(about) > 0:
		t.WindowsMissed++
		t.fault("window misses the truth: "+g.Rule+" "+g.Confidence+", "+about[0].Behaviour, "%s; true: %s", text, about[0].text())
	default:
		t.FalseClaims++
		t.fault("nothing was removed: "+g.Rule+" "+g.Confidence, "%s; %s", text, g.Claim)
	}
	if c.benign(g.Host) && g.Confidence != "possible" {
		t.FalseRemovals++
		t.fault("removal on a benign host: "+g.Rule, "%s; %s", text, g.Claim)
	}
}

// judgeShare compares the row of a share that is said to be removed.
func (c *truthCase) judgeShare(t *tally, s *programRow) {
	about, hits := c.about(s, s.Removed)
	if allTaken(hits, s.Removed) || len(hits) == 0 && len(about) > 0 && c.failed(s, s.Removed) {
		t.Taken++
		return
	}
	t.Windows++
	other := *s
	other.Share = ""
	_, drives := c.about(&other, s.Removed)
	switch {
	case len(hits) > 0 || len(drives) > 0 && s.Drive != "":
	case len(about) > 0:
		t.WindowsMissed++
		t.fault("window of a share misses the truth: "+about[0].Behaviour, "%s; true: %s", s.text(s.Removed), about[0].text())
	default:
		t.FalseClaims++
		t.fault("share that was not removed", "%s", s.text(s.Removed))
	}
	if c.benign(s.Host) {
		t.FalseRemovals++
		t.fault("removed share on a benign host", "%s", s.text(s.Removed))
	}
}

func (c *truthCase) benign(host string) bool {
	return slices.ContainsFunc(c.hosts, func(h *truthHost) bool { return h.Benign && strings.EqualFold(h.Host, host) })
}

// removal counts what became of one removal.
func (t *tally) removal(row *truthRow, gaps []*programRow, told bool) {
	b := t.ByBehaviour[row.Behaviour]
	b.Removals++
	defer func() { t.ByBehaviour[row.Behaviour] = b }()
	if len(row.Traces) == 0 {
		return
	}
	b.WithTrace++
	t.RemovalsWithTrace++
	best := row.best(gaps)
	if best != nil || told {
		b.Found++
		t.RemovalsFound++
	} else {
		t.fault("removal not found: "+row.Behaviour+" by "+strings.Join(row.Traces, "+"), "%s", row.text())
	}
	word := ""
	if best != nil {
		word = best.Confidence
	}
	if word == "certain" {
		b.Certain++
	}
	if row.ExactCase != "" {
		t.exact++
		if word == "certain" {
			t.certain++
		} else {
			t.fault("exact case is not certain: "+row.ExactCase+" is "+or(word, "not found"), "%s; %s", row.text(), best.text(row.Window))
		}
	}
	if row.Kinds >= 2 {
		t.two++
		if word == "certain" || word == "strong" {
			t.strong++
		} else {
			t.fault("two kinds are not strong: "+or(word, "not found")+" by "+strings.Join(row.Traces, "+"), "%s; %s", row.text(), best.text(row.Window))
		}
	}
	if best != nil && slices.Contains(claims, best.Rule) {
		t.width(row, best)
	}
}

// width compares the reported window with the tightest. A second is added to
// both, so that an exact window can be compared.
func (t *tally) width(row *truthRow, g *programRow) {
	tight, got := row.Window, g.Window
	if row.All && !row.has(traceDeleted, traceStates, traceMapped, traceSysmon, traceAudit) {
		return // nothing tells that this drive was among those that went
	}
	if tight.NotBefore == "" {
		got.NotBefore, tight.NotBefore = "", ""
	}
	ratio := float64(got.seconds()+1) / float64(tight.seconds()+1)
	if tight.NotBefore == "" && got.NotAfter <= tight.NotAfter {
		ratio = 1
	}
	t.ratios = append(t.ratios, ratio)
	if ratio <= 1.5 && row.named(g) { // what a wider window leaves open is counted as width; of another share other evidence speaks
		t.verdicts(row, g)
	}
	if ratio > 1.5 {
		t.fault("window too wide: "+g.Rule+" for "+strings.Join(row.Traces, "+"), "%.1f × %s; %s", ratio, row.text(), g.text(g.Window))
	}
	if ratio < 0.99 {
		t.fault("window tighter than the truth allows: "+g.Rule+" for "+strings.Join(row.Traces, "+"), "%.3f × %s; %s", ratio, row.text(), g.text(g.Window))
	}
}

// causes are words of the explanations that speak of a cause.
var causes = map[string]string{"script": "script", "policy": "Group Policy drive map", "explorer": "Explorer"}

// verdicts compares the verdicts on innocent causes with what is settled.
func (t *tally) verdicts(row *truthRow, g *programRow) {
	for _, cause := range []string{"explorer", "policy", "script"} {
		want := row.Settled[cause]
		if want == "" {
			continue
		}
		got := ""
		for _, b := range g.Benign {
			if strings.Contains(b.Explanation, causes[cause]) && (got == "" || b.Verdict == "supported") {
				got = b.Verdict
			}
		}
		if got == want {
			continue
		}
		if got == "unknown" || got == "" && want == "supported" {
			t.BenignWrong++
		}
		t.fault("cause "+cause+" is "+want+", not "+or(got, "left out")+": "+g.Rule, "%s; %s", row.text(), g.text(g.Window))
	}
}

func (row *truthRow) text() string {
	return fmt.Sprintf("%s %s %s %s removed %s by %q, traces %s, window %s..%s %s", row.Host, row.User, row.Drive, row.Share, row.Removed, row.How,
		strings.Join(row.Traces, "+"), row.Window.NotBefore, row.Window.NotAfter, row.ExactCase)
}

func (p *programRow) text(w truthWindow) string {
	if p == nil {
		return "no row"
	}
	if p.Row == "gap" {
		w = p.Window
	}
	return fmt.Sprintf("%s %s %s %s %s %s %s %s..%s", p.Host, or(p.ID, p.Status), strings.Join(p.Rules, ","), p.Confidence, p.User, p.Drive, p.Share, w.NotBefore, w.NotAfter)
}
