package output

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// keepRows returns the rows of the timeline that a page holds, in their order:
// all, or, if there are more than most, first those that a finding or a hole
// names, then those that are no mere use of a share, then the rest.
func keepRows(r *timeline.Report, most int) []evidence.Observation {
	rows := r.Observations
	if most <= 0 {
		most = DefaultHTMLRows
	}
	if len(rows) <= most {
		return rows
	}
	named := r.Named(false)
	keep := make([]bool, len(rows))
	room := most
	for _, wanted := range []func(*evidence.Observation) bool{
		func(o *evidence.Observation) bool { return named[o.ID] },
		func(o *evidence.Observation) bool { return o.Action != evidence.Used },
		func(*evidence.Observation) bool { return true },
	} {
		for i := range rows {
			if room > 0 && !keep[i] && wanted(&rows[i]) {
				keep[i] = true
				room--
			}
		}
	}
	out := make([]evidence.Observation, 0, most)
	for i := range rows {
		if keep[i] {
			out = append(out, rows[i])
		}
	}
	return out
}

// An htmlRule is what the page says about a rule.
type htmlRule struct {
	ID     string   `json:"id"`
	Title  string   `json:"title"`
	Claim  string   `json:"claim"`
	Logic  string   `json:"logic"`
	Bound  string   `json:"bound"`
	Misses string   `json:"misses"`
	Benign []string `json:"benign"`
	Attack string   `json:"attack"`
}

func htmlRules(rules []timeline.Rule) []htmlRule {
	out := []htmlRule{}
	for _, r := range rules {
		out = append(out, htmlRule{r.ID, r.Title, r.Claim, r.Logic, r.Bound, r.Misses, r.Benign, r.Technique})
	}
	return out
}
