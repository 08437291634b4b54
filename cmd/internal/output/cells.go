package output

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// The tables for people show what an analyst looks at first. A cell that can
// be left out on a narrow terminal is in CSV and JSON in any case.
func init() {
	Timeline.Cells = []Cell[observation]{
		{Head: "Time", Text: func(o *observation, z Zone) string {
			if o.TimeKind == evidence.AtOrBefore && !o.Time.IsZero() {
				return "until " + z.Time(o.Time)
			}
			return z.Time(o.Time)
		}},
		{Head: "Action", Text: func(o *observation, _ Zone) string { return string(o.Action) }},
		{Head: "Host", Text: func(o *observation, _ Zone) string { return o.Host }},
		{Head: "User", Text: func(o *observation, _ Zone) string { return o.User }, Drop: 2},
		{Head: "Drive", Text: func(o *observation, _ Zone) string { return o.Drive }, Drop: 4},
		{Head: "Share", Text: func(o *observation, _ Zone) string { return o.Share }, Wrap: true, Drop: 3},
		{Head: "Summary", Text: func(o *observation, _ Zone) string { return o.Summary }, Wrap: true},
		{Head: "State", Text: func(o *observation, _ Zone) string { return string(o.State) }, Drop: 5},
		{Head: "Artifact", Text: func(o *observation, _ Zone) string { return o.Artifact }, Drop: 6},
		{Head: "Where", Text: whereFound, Wrap: true, Drop: 7},
	}
	Shares.Cells = []Cell[connection]{
		{Head: "Host", Text: func(c *connection, _ Zone) string { return c.Host }},
		{Head: "Side", Text: func(c *connection, _ Zone) string { return string(c.Side) }, Drop: 6},
		{Head: "User", Text: func(c *connection, _ Zone) string { return c.User }},
		{Head: "Drive", Text: func(c *connection, _ Zone) string { return c.Drive }},
		{Head: "Share", Text: func(c *connection, _ Zone) string { return c.Share }, Wrap: true},
		{Head: "Status", Text: func(c *connection, _ Zone) string { return string(c.Status) }},
		{Head: "Mapped", Text: func(c *connection, z Zone) string { return z.window(c.Mapped) }, Wrap: true, Drop: 3},
		{Head: "Last used", Text: func(c *connection, z Zone) string { return z.Time(c.LastUsed) }, Wrap: true, Drop: 5},
		{Head: "Removed", Text: func(c *connection, z Zone) string {
			if c.Status != timeline.StatusRemoved && c.Status != timeline.StatusEnded && !c.Removed.Known() {
				return ""
			}
			return z.window(c.Removed)
		}, Wrap: true},
		{Head: "How", Text: func(c *connection, _ Zone) string { return string(c.RemovedBy) }, Drop: 2},
		{Head: "Confidence", Text: func(c *connection, _ Zone) string { return string(c.Confidence) }, Drop: 4},
	}
	Gaps.Cells = []Cell[gap]{
		{Head: "Id", Text: func(g *gap, _ Zone) string { return g.ID }},
		{Head: "Severity", Text: func(g *gap, _ Zone) string { return string(g.Severity) }},
		{Head: "Confidence", Text: func(g *gap, _ Zone) string { return string(g.Confidence) }},
		{Head: "Host", Text: func(g *gap, _ Zone) string { return g.Host }, Drop: 1},
		{Head: "User", Text: func(g *gap, _ Zone) string { return g.User }, Drop: 2},
		{Head: "Window", Text: func(g *gap, z Zone) string { return z.window(g.Window) }, Wrap: true, Drop: 3}, // the claim says it, too
		{Head: "Claim", Text: func(g *gap, _ Zone) string { return g.Claim }, Wrap: true},
		{Head: "Innocent explanations", Text: func(g *gap, _ Zone) string { return verdicts(g.Benign) }, Wrap: true, Drop: 4},
	}
	Coverage.Cells = []Cell[coverage]{
		{Head: "Host", Text: func(c *coverage, _ Zone) string { return c.Host }},
		{Head: "Evidence", Text: func(c *coverage, _ Zone) string { return c.Evidence }, Wrap: true},
		{Head: "Class", Text: func(c *coverage, _ Zone) string { return string(c.Class) }},
		{Head: "Span", Text: func(c *coverage, z Zone) string { return z.Span(c.From, c.To) }, Wrap: true},
		{Head: "Records", Text: func(c *coverage, _ Zone) string { return Text(known(c.Records)) }, Drop: 3},
		{Head: "Enabled", Text: func(c *coverage, _ Zone) string { return tri(c.Enabled) }, Drop: 4},
		{Head: "Holes", Text: func(c *coverage, z Zone) string { return z.holes(c.Holes) }, Wrap: true, Drop: 2},
	}
	Problems.Cells = []Cell[evidence.Problem]{
		{Head: "Severity", Text: func(p *evidence.Problem, _ Zone) string { return string(p.Severity) }},
		{Head: "Where", Text: func(p *evidence.Problem, _ Zone) string { return where(&p.From) }, Wrap: true},
		{Head: "What", Text: func(p *evidence.Problem, _ Zone) string { return p.What }, Wrap: true},
	}
}

// window renders w with what it rests on.
func (z Zone) window(w timeline.Window) string {
	s := z.Span(w.NotBefore, w.NotAfter)
	if w.Basis != "" {
		s += " (" + string(w.Basis) + ")"
	}
	return s
}

// maxHoles is how many holes of one row a table shows.
const maxHoles = 3

func (z Zone) holes(list []evidence.Hole) string {
	var out []string
	for _, h := range list[:min(len(list), maxHoles)] {
		out = append(out, string(h.Reason)+" "+z.Span(h.From, h.To))
	}
	if n := len(list) - maxHoles; n > 0 {
		out = append(out, fmt.Sprintf("%d more", n))
	}
	return strings.Join(out, "; ")
}

func verdicts(list []timeline.Benign) string {
	var out []string
	for _, b := range list {
		out = append(out, b.Explanation+": "+string(b.Verdict))
	}
	return strings.Join(out, "; ")
}

// where names the file that p lies in, in full, and the place in it.
func where(p *evidence.Provenance) string {
	at := place(p)
	parts := slices.DeleteFunc([]string{at.Source, at.Volume, at.Snapshot, at.Path}, func(s string) bool { return s == "" })
	s := strings.Join(slices.Compact(parts), " ")
	switch {
	case p.Channel != "":
		s += fmt.Sprintf(" %s record %d", p.Channel, p.RecordID)
	case p.Key != "":
		s += " " + p.Key
	}
	if p.Offset >= 0 {
		s += fmt.Sprintf(" at %#x", p.Offset)
	}
	return s
}

// whereFound names the place of a fact. No log lists a carved record by its number:
// the offset leads to it.
func whereFound(o *observation, _ Zone) string {
	if o.State == evidence.Carved && o.From.Place != nil {
		return fmt.Sprintf("%s@%#x", o.From.Path, o.From.Offset)
	}
	return o.From.String()
}
