package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"sharetrail/artifacts"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"
	"sharetrail/timeline/rules"

	"github.com/spf13/cobra"
)

var artifactRows = output.NewLayout("artifact", []output.Column[artifacts.Artifact]{
	{Name: "name", Get: func(a *artifacts.Artifact) any { return a.Name }},
	{Name: "title", Get: func(a *artifacts.Artifact) any { return a.Title }},
	{Name: "what", Get: func(a *artifacts.Artifact) any { return a.What }},
	{Name: "proves", Get: func(a *artifacts.Artifact) any { return a.Proves }},
	{Name: "does_not_prove", Get: func(a *artifacts.Artifact) any { return a.DoesNotProve }},
	{Name: "reference", Get: func(a *artifacts.Artifact) any { return a.Reference }},
	{Name: "hive", Get: func(a *artifacts.Artifact) any { return string(a.Hive) }},
	{Name: "keys", Get: func(a *artifacts.Artifact) any { return a.Keys }},
	{Name: "events", Get: func(a *artifacts.Artifact) any { return events(a) }},
	{Name: "files", Get: func(a *artifacts.Artifact) any { return a.Files }},
}...)

// events names the event records that a reads.
func events(a *artifacts.Artifact) []string {
	var out []string
	for _, e := range a.Events {
		from := strings.Trim(e.Channel+" "+e.Provider, " ")
		for _, id := range e.IDs {
			out = append(out, fmt.Sprintf("%s %d", from, id))
		}
	}
	return out
}

var ruleRows = output.NewLayout("rule", []output.Column[timeline.Rule]{
	{Name: "id", Get: func(r *timeline.Rule) any { return r.ID }},
	{Name: "title", Get: func(r *timeline.Rule) any { return r.Title }},
	{Name: "what", Get: func(r *timeline.Rule) any { return r.Logic }},
	{Name: "proves", Get: func(r *timeline.Rule) any { return r.Claim }},
	{Name: "does_not_prove", Get: func(r *timeline.Rule) any { return r.Misses }},
	{Name: "reference", Get: func(r *timeline.Rule) any { return r.Reference }},
	{Name: "technique", Get: func(r *timeline.Rule) any { return r.Technique }},
	{Name: "needs", Get: func(r *timeline.Rule) any { return r.Needs }},
	{Name: "benign", Get: func(r *timeline.Rule) any { return r.Benign }},
	{Name: "bound", Get: func(r *timeline.Rule) any { return r.Bound }},
	{Name: "confidence", Get: func(r *timeline.Rule) any { return string(r.Base) }},
	{Name: "severity", Get: func(r *timeline.Rule) any { return string(r.Severity) }},
}...)

func init() {
	artifactRows.Cells = []output.Cell[artifacts.Artifact]{
		{Head: "Name", Text: func(a *artifacts.Artifact, _ output.Zone) string { return a.Name }},
		{Head: "Title", Text: func(a *artifacts.Artifact, _ output.Zone) string { return a.Title }, Wrap: true},
		{Head: "Proves", Text: func(a *artifacts.Artifact, _ output.Zone) string { return a.Proves }, Wrap: true},
		{Head: "Does not prove", Text: func(a *artifacts.Artifact, _ output.Zone) string { return a.DoesNotProve }, Wrap: true, Drop: 1},
		{Head: "Reference", Text: func(a *artifacts.Artifact, _ output.Zone) string { return a.Reference }, Wrap: true, Drop: 2},
	}
	ruleRows.Cells = []output.Cell[timeline.Rule]{
		{Head: "Id", Text: func(r *timeline.Rule, _ output.Zone) string { return r.ID }},
		{Head: "Title", Text: func(r *timeline.Rule, _ output.Zone) string { return r.Title }, Wrap: true},
		{Head: "Severity", Text: func(r *timeline.Rule, _ output.Zone) string { return string(r.Severity) }, Drop: 2},
		{Head: "Confidence", Text: func(r *timeline.Rule, _ output.Zone) string { return string(r.Base) }, Drop: 1},
		{Head: "Needs", Text: func(r *timeline.Rule, _ output.Zone) string { return strings.Join(r.Needs, "; ") }, Wrap: true, Drop: 3},
		{Head: "Proves", Text: func(r *timeline.Rule, _ output.Zone) string { return r.Claim }, Wrap: true},
	}
}

func (a *app) artifacts() *cobra.Command {
	return catalog(a, &cobra.Command{
		Use:   "artifacts [NAME]...",
		Short: "List the artifacts that are read, each with what it proves",
		Long: `List the artifacts that are read: what each proves, what it does not, and the
reference. files are patterns below the root of the system volume. With names,
which may be globs, show these in full.`,
		Example: `  sharetrail artifacts mapped-drives --format table
  sharetrail artifacts --format json`,
	}, artifactRows, func() (out []artifacts.Artifact) {
		for _, a := range artifacts.All() {
			out = append(out, *a)
		}
		return out
	})
}

func (a *app) rules() *cobra.Command {
	return catalog(a, &cobra.Command{
		Use:   "rules [ID]...",
		Short: "List the gap rules, each with what it proves and misses",
		Long: `List the gap rules: the logic, what a finding of the rule proves and what the rule
cannot see, the evidence it needs and the innocent explanations that it tests.
confidence is the best that the rule gives its claim by itself, severity what it
gives without a known actor. With ids, which may be globs, show these in full.`,
		Example: `  sharetrail rules G03 --format table
  sharetrail rules --format json`,
	}, ruleRows, rules.All)
}

// catalog lists rows, or those whose first column args name.
func catalog[R any](a *app, cmd *cobra.Command, layout *output.Layout[R], rows func() []R) *cobra.Command {
	var p printing
	p.flags(cmd, rowFormats...)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		name := func(r *R) string { return layout.Columns[0].Get(r).(string) }
		chosen, err := named(layout.Name, args, rows(), name)
		if err != nil {
			return err
		}
		if len(args) > 0 && p.o.Format == output.TableFormat {
			return written(manual(a.stdout, layout, chosen, p.o))
		}
		return written(output.WriteAll(a.stdout, layout, chosen, p.o))
	}
	return cmd
}

// named returns those of rows that one of patterns matches, all if there is
// none. A pattern that matches nothing is an error.
func named[R any](what string, patterns []string, rows []R, name func(*R) string) ([]R, error) {
	if len(patterns) == 0 {
		return rows, nil
	}
	var out []R
	var names []string
	used := map[string]bool{}
	for i := range rows {
		names = append(names, name(&rows[i]))
		wanted := false
		for _, pattern := range patterns {
			g, err := newGlob(pattern)
			if err != nil {
				return nil, usagef("%v", err)
			}
			if g.match(name(&rows[i])) {
				wanted, used[pattern] = true, true
			}
		}
		if wanted {
			out = append(out, rows[i])
		}
	}
	for _, pattern := range patterns {
		if used[pattern] {
			continue
		}
		if like := alike(pattern, names); like != "" {
			return nil, usagef("unknown %s %q; did you mean %s?", what, pattern, like)
		}
		return nil, usagef("unknown %s %q: without a name all are listed", what, pattern)
	}
	return out, nil
}

// manual writes each row as a page of a manual: its first two columns as the
// head, then every other one that says something.
func manual[R any](w io.Writer, layout *output.Layout[R], rows []R, o output.Options) error {
	p := &page{w: bufio.NewWriter(w), width: cmp.Or(o.Width, 120)}
	for i := range rows {
		if i > 0 {
			fmt.Fprintln(p.w)
		}
		for n, c := range layout.Columns {
			text := ""
			switch v := c.Get(&rows[i]).(type) {
			case string:
				text = v
			case []string:
				text = strings.Join(v, "; ")
			}
			switch {
			case n == 0:
				fmt.Fprintf(p.w, "%s  ", text)
			case n == 1:
				fmt.Fprintln(p.w, text)
			case text != "":
				p.para(2, fmt.Sprintf("%-16s", strings.ReplaceAll(c.Name, "_", " ")), text)
			}
		}
	}
	return p.w.Flush()
}
