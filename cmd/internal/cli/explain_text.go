package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/jedib0t/go-pretty/v6/text"
)

// A page writes an explanation for people. Statements are wrapped; values as
// they were read never are, so that they can be searched for and copied.
type page struct {
	w     *bufio.Writer
	x     *explanation
	zone  *time.Location
	width int               // columns
	told  map[string]string // observation id: where it was told in full
}

// text writes x for people.
func (x *explanation) text(w io.Writer, o output.Options) error {
	p := &page{bufio.NewWriter(w), x, cmp.Or(o.Zone.Location, time.UTC), cmp.Or(o.Width, 120), map[string]string{}}
	g := x.gap
	p.para(0, "", strings.Join(filled(g.ID, strings.ToUpper(string(g.Severity)), string(g.Confidence), g.Host, g.User, g.SID, g.Drive, g.Share), "  "))
	p.head("Claim")
	p.para(2, "", g.Claim)
	p.para(2, "when     ", p.window(g.Window))
	p.para(2, "rules    ", strings.Join(g.Rules, ", "))
	if len(g.Attack) > 0 {
		p.para(2, "ATT&CK   ", strings.Join(g.Attack, ", "))
	}
	p.connections()
	p.reasoning()
	p.benign()
	if rest := p.untold(g.Observations); len(rest) > 0 {
		p.head("Further evidence")
		p.evidence(2, "further evidence", rest)
	}
	p.coverage()
	p.problems()
	p.head("What would settle it")
	for _, m := range g.Missing {
		p.para(2, "- ", m.What+". It is not there: "+m.Why+".")
	}
	if len(g.Missing) == 0 {
		p.para(2, "", "No evidence is named that is missing and would change the claim. What the rules cannot see: sharetrail rules.")
	}
	return p.w.Flush()
}

// filled returns the texts that are not empty.
func filled(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

func (p *page) head(title string) { fmt.Fprintf(p.w, "\n%s\n", title) }

// line writes one line that is not wrapped.
func (p *page) line(indent int, s string) {
	fmt.Fprintf(p.w, "%*s%s\n", indent, "", output.Visible(s))
}

// para writes a paragraph behind a label.
func (p *page) para(indent int, label, s string) {
	for i, l := range fold(output.Visible(s), p.width-indent-len(label)) {
		if i > 0 {
			label = strings.Repeat(" ", len(label))
		}
		fmt.Fprintf(p.w, "%*s%s%s\n", indent, "", label, l)
	}
}

// fold breaks s at blanks into lines of up to width columns. A word stays
// whole, and blanks inside a line stay as many as they are.
func fold(s string, width int) (lines []string) {
	line, used := "", 0
	for i, word := range strings.Split(s, " ") {
		n := text.StringWidthWithoutEscSequences(word)
		switch {
		case i == 0:
			line, used = word, n
		case used+1+n > width && strings.TrimSpace(line) != "":
			lines = append(lines, strings.TrimRight(line, " "))
			line, used = word, n
		default:
			line, used = line+" "+word, used+1+n
		}
	}
	return append(lines, line)
}

func (p *page) time(t time.Time) string {
	if p.zone == time.UTC {
		return evidence.FormatTime(t)
	}
	return t.In(p.zone).Format("2006-01-02T15:04:05.0000000Z07:00")
}

// span renders the time between two instants, either of which may be open.
func (p *page) span(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return "at an unknown time"
	case from.IsZero():
		return "until " + p.time(to)
	case to.IsZero():
		return "from " + p.time(from)
	case from.Equal(to):
		return "at " + p.time(from)
	}
	return "between " + p.time(from) + " and " + p.time(to)
}

func (p *page) window(w timeline.Window) string {
	s := p.span(w.NotBefore, w.NotAfter)
	if w.Basis != "" {
		s += " (" + string(w.Basis) + ")"
	}
	return s
}

func (p *page) connections() {
	if len(p.x.connections) == 0 {
		return
	}
	p.head("Connection")
	for _, c := range p.x.connections {
		p.para(2, "", strings.Join(filled(c.ID, c.Host, string(c.Side), c.User, c.Drive, c.Share, string(c.Status), string(c.Confidence)), "  "))
		p.para(4, "mapped   ", p.window(c.Mapped))
		if !c.FirstUsed.IsZero() || !c.LastUsed.IsZero() {
			p.para(4, "used     ", fmt.Sprintf("%s, use count %d", p.span(c.FirstUsed, c.LastUsed), c.UseCount))
		}
		if c.Removed.Known() || c.RemovedBy != "" {
			p.para(4, "removed  ", strings.Join(filled(p.window(c.Removed), "by "+string(cmp.Or(c.RemovedBy, timeline.ByUnknown))), ", "))
		}
		p.para(4, "facts    ", fmt.Sprintf("command seen: %s; remembered mapping gone: %s; session ended: %s; server share gone: %s",
			c.Facts.CommandSeen, c.Facts.MappingGone, c.Facts.SessionEnded, c.Facts.ShareGone))
	}
}

func (p *page) reasoning() {
	p.head("Reasoning")
	for i, s := range p.x.gap.Reasoning {
		p.para(2, fmt.Sprintf("%d. ", i+1), s.Statement+" ["+s.Rule+"]")
		p.evidence(5, fmt.Sprintf("step %d", i+1), s.Observations)
	}
}

func (p *page) benign() {
	p.head("Innocent explanations")
	for _, b := range p.x.gap.Benign {
		p.para(2, "- ", string(b.Verdict)+": "+b.Explanation)
		if b.Because != "" {
			p.para(4, "because  ", b.Because)
		}
		p.evidence(4, "the explanation "+b.Explanation, b.Observations)
	}
	if len(p.x.gap.Benign) == 0 {
		p.para(2, "", "None was tested.")
	}
}

// untold returns those of ids that were not told in full yet.
func (p *page) untold(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return p.told[id] != "" })
}

// coverage writes what each kind of evidence could have told in the window,
// and what it could not.
func (p *page) coverage() {
	p.head("Where it was looked, and what could not be seen there")
	if len(p.x.coverage) == 0 {
		p.para(2, "", "No coverage is known: that nothing else was found means nothing.")
	}
	for i := range p.x.coverage {
		c := &p.x.coverage[i]
		s := fmt.Sprintf("%s  %s: %s", c.Host, c.Evidence, c.Class)
		switch {
		case c.Class == timeline.Absent:
		case c.From.IsZero() || c.From.Equal(c.To):
			s += ", as of " + p.time(cmp.Or(c.AsOf, c.To))
		default:
			s += ", " + p.span(c.From, c.To)
		}
		if c.Records >= 0 {
			s += ", " + timeline.Counted(c.Records, "record", "records")
		}
		p.para(2, "- ", s)
		for _, limit := range p.limits(c) {
			p.para(4, "cannot tell  ", limit)
		}
	}
}

// limits says what c cannot tell about the window.
func (p *page) limits(c *timeline.CoverageRow) (out []string) {
	w := p.x.gap.Window
	// The time of a setting is that of its last change, and it lasts.
	setting := strings.HasPrefix(c.Evidence, "audit:")
	if !setting && !c.From.IsZero() && !w.NotBefore.IsZero() && w.NotBefore.Before(c.From) {
		out = append(out, "what was before "+p.time(c.From)+", where it begins")
	}
	if !setting && !c.To.IsZero() && !w.NotAfter.IsZero() && c.To.Before(w.NotAfter) {
		end := ", where it ends"
		if strings.HasPrefix(c.Evidence, "registry:") {
			end = ", the newest write in it"
		}
		out = append(out, "what was after "+p.time(c.To)+end)
	}
	for _, h := range holesIn(c, w) {
		s := string(h.Reason)
		if !h.From.IsZero() || !h.To.IsZero() {
			s += " " + p.span(h.From, h.To)
		}
		for _, id := range h.Observations {
			s += ", as " + p.brief(id)
		}
		out = append(out, s)
	}
	return out
}

// brief names a row in a sentence.
func (p *page) brief(id string) string {
	o := p.x.byID[id]
	if o == nil {
		return id + " shows"
	}
	return fmt.Sprintf("%s shows (%s; %s: %s)", id, strings.TrimSuffix(o.Summary, "."), o.From.Path, locator(&o.From))
}

func (p *page) problems() {
	if len(p.x.problems) == 0 {
		return
	}
	p.head("Doubts about the files that it rests on")
	for _, e := range p.x.problems {
		at := e.From.Path
		if e.From.Offset >= 0 {
			at += fmt.Sprintf(" at offset %#x", e.From.Offset)
		}
		p.para(2, "- ", string(e.Severity)+": "+at+": "+e.What)
	}
}
