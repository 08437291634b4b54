package output

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"

	"github.com/jedib0t/go-pretty/v6/text"
)

// maxSummary is how many rows of one kind the summary shows.
const maxSummary = 50

// Summary writes what an analyst wants to know first: the findings, the
// connections, what the evidence could not have told, what could not be read.
// shown is the part of the report to show, counts those of the whole.
func Summary(w io.Writer, shown *timeline.Report, counts Counts, o Options) error {
	if o.Width <= 0 {
		o.Width = defaultWidth
	}
	s := summary{bufio.NewWriter(w), o}
	s.head("Findings", len(shown.Gaps), counts.Gaps)
	for _, g := range shown.Gaps[:min(len(shown.Gaps), maxSummary)] {
		s.gap(&g)
	}
	s.more(len(shown.Gaps), "gaps")
	if counts.Gaps == 0 {
		s.para("", "None. That does not prove that nothing was removed: see what the evidence could have told, below.")
	}
	s.head("Connections", len(shown.Connections), counts.Shares)
	if n := len(shown.Connections); n > 0 {
		rows := shown.Connections[:min(n, maxSummary)]
		if err := WriteAll(s.w, Shares, rows, Options{Format: TableFormat, Width: o.Width, Zone: o.Zone}); err != nil {
			return err
		}
		s.more(n, "shares")
	}
	s.head("Coverage", len(shown.Coverage), counts.Coverage)
	s.coverage(shown.Coverage)
	if len(shown.NotRun) > 0 {
		s.head("Rules not run", len(shown.NotRun), counts.RulesNotRun)
		s.notRun(shown.NotRun)
	}
	s.head("Problems", len(shown.Problems), counts.Problems)
	s.problems(shown.Problems)
	return s.w.Flush()
}

type summary struct {
	w *bufio.Writer
	o Options
}

// head begins a section that shows n of all rows.
func (s *summary) head(title string, n, all int) {
	of := ""
	if n != all {
		of = fmt.Sprintf(" of %d", all)
	}
	if title != "Findings" { // the first
		s.w.WriteByte('\n')
	}
	fmt.Fprintf(s.w, "%s (%d%s)\n", title, n, of)
}

// more says what the summary leaves out of n rows.
func (s *summary) more(n int, command string) {
	if n > maxSummary {
		fmt.Fprintf(s.w, "… %d more: see sharetrail %s\n", n-maxSummary, command)
	}
}

// para writes a paragraph, wrapped, with a label before its first line. The
// text must be Visible.
func (s *summary) para(label, line string) { s.colored(label, "", nil, line) }

// colored writes a paragraph that begins with a word in colours.
func (s *summary) colored(label, word string, colors text.Colors, line string) {
	const indent = 2
	width := max(s.o.Width-indent-len(label), minText)
	for i, l := range fold(word+line, width) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		} else if rest, ok := strings.CutPrefix(l, word); ok && s.o.Color && len(colors) > 0 {
			l = colors.Sprint(word) + rest
		}
		fmt.Fprintf(s.w, "%*s%s%s\n", indent, "", label, l)
	}
}

func (s *summary) gap(g *timeline.Gap) {
	subject := ""
	for _, part := range []string{string(g.Confidence), g.ID, g.Host, g.User, g.Drive, g.Share} {
		if part != "" {
			subject += "  " + part
		}
	}
	s.w.WriteByte('\n')
	s.colored("", Visible(strings.ToUpper(string(g.Severity))), severityColors[g.Severity], Visible(subject))
	s.para("", Visible(g.Claim))
	s.para("when    ", Visible(s.o.Zone.window(g.Window)))
	for _, b := range g.Benign {
		line := ": " + b.Explanation
		if b.Because != "" {
			line += " (" + b.Because + ")"
		}
		s.colored("benign  ", Visible(string(b.Verdict)), verdictColors[b.Verdict], Visible(line))
	}
	for _, m := range g.Missing {
		s.para("missing ", Visible(m.What+": "+m.Why))
	}
}

// severityColors are those in which the eye finds what matters. They add nothing
// that the word does not say.
var severityColors = map[timeline.Severity]text.Colors{
	timeline.High: {text.Bold, text.FgRed}, timeline.Medium: {text.Bold, text.FgYellow}, timeline.Low: {text.Bold, text.FgBlue},
}

var verdictColors = map[timeline.Verdict]text.Colors{timeline.Supported: {text.FgGreen}}

// classes in the order of their trust.
var classes = []timeline.Class{
	timeline.Continuous, timeline.Partial, timeline.Rolled, timeline.ClearedClass,
	timeline.Disabled, timeline.UnknownClass, timeline.Absent,
}

// coverage writes one paragraph a host: what is whole first, what is absent last.
func (s *summary) coverage(rows []timeline.CoverageRow) {
	for hosts := 0; len(rows) > 0; hosts++ {
		if hosts == maxSummary {
			fmt.Fprintf(s.w, "… %d more rows of other hosts: see sharetrail coverage\n", len(rows))
			return
		}
		host := rows[0].Host
		n := slices.IndexFunc(rows, func(c timeline.CoverageRow) bool { return c.Host != host })
		if n < 0 {
			n = len(rows)
		}
		var parts []string
		for _, class := range classes {
			if kinds := kindsOf(rows[:n], class); kinds != "" {
				parts = append(parts, string(class)+" "+kinds)
			}
		}
		s.para("", Visible(host+": "+strings.Join(parts, "; ")))
		rows = rows[n:]
	}
}

// maxKinds is how many kinds of evidence of one class a summary names.
const maxKinds = 6

// kindsOf names the kinds of evidence of a class, those that most findings
// rest on first.
func kindsOf(rows []timeline.CoverageRow, class timeline.Class) string {
	var first, kinds []string
	for _, c := range rows {
		switch {
		case c.Class != class || slices.Contains(first, c.Evidence) || slices.Contains(kinds, c.Evidence):
		case strings.HasPrefix(c.Evidence, "registry:") || c.Evidence == "evtx:Security" || c.Evidence == "evtx:System":
			first = append(first, c.Evidence)
		default:
			kinds = append(kinds, c.Evidence)
		}
	}
	kinds = append(first, kinds...)
	if n := len(kinds) - maxKinds; n > 1 {
		kinds = append(kinds[:maxKinds], fmt.Sprintf("%d more", n))
	}
	return strings.Join(kinds, ", ")
}

// notRun writes one paragraph for each reason and the hosts that it holds for,
// with the rules.
func (s *summary) notRun(list []timeline.NotRun) {
	type ofRule struct{ rule, why string }
	type ofHosts struct{ hosts, why string }
	byRule := grouped(list, func(n timeline.NotRun) ofRule { return ofRule{n.Rule, n.Why} }, func(n timeline.NotRun) string { return n.Host })
	byHosts := grouped(byRule, func(g group[ofRule]) ofHosts { return ofHosts{strings.Join(g.of, "\x00"), g.key.why} }, func(g group[ofRule]) string { return g.key.rule })
	for _, g := range byHosts {
		s.para("", Visible(fmt.Sprintf("%s on %s: %s", strings.Join(g.of, ", "), listed(strings.Split(g.key.hosts, "\x00")), g.key.why)))
	}
}

// A group is what rows of one key have.
type group[K comparable] struct {
	key K
	of  []string
}

// grouped gathers what rows of one key have, in the order in which the keys come.
func grouped[R any, K comparable](rows []R, key func(R) K, of func(R) string) (out []group[K]) {
	at := map[K]int{}
	for _, r := range rows {
		k := key(r)
		n, ok := at[k]
		if !ok {
			n = len(out)
			at[k] = n
			out = append(out, group[K]{key: k})
		}
		out[n].of = append(out[n].of, of(r))
	}
	return out
}

// maxHosts is how many hosts a summary names in one sentence.
const maxHosts = 6

// listed names the first of hosts and counts the others.
func listed(hosts []string) string {
	if n := len(hosts) - maxHosts; n > 1 {
		return fmt.Sprintf("%s and %d more hosts", strings.Join(hosts[:maxHosts], ", "), n)
	}
	return strings.Join(hosts, ", ")
}

// problems writes the errors, then the warnings.
func (s *summary) problems(list []evidence.Problem) {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b evidence.Problem) int {
		return strings.Compare(string(a.Severity), string(b.Severity)) // error < warning
	})
	for _, p := range list[:min(len(list), maxSummary)] {
		what := p.What
		if p.From.Offset >= 0 { // where tells it
			what = strings.TrimPrefix(what, fmt.Sprintf("offset %#x: ", p.From.Offset))
		}
		s.para(string(p.Severity)+": ", Visible(where(&p.From)+": "+what))
	}
	s.more(len(list), "problems")
}
