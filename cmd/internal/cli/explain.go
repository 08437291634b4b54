package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

func (a *app) explain() *cobra.Command {
	var p printing
	formats := []output.Format{output.TableFormat, output.JSON, output.JSONL}
	cmd := &cobra.Command{
		Use:   "explain GAP-ID DIR",
		Short: "Print the reasoning behind one finding, each step with its evidence",
		Long: `Print one finding step by step: each statement with the evidence it rests on (file,
offset, registry key or event record, and the values as they were read), the
innocent explanations that were tested, where it was looked and what could not
have been seen there, and what would settle it.

DIR is the folder of an earlier "sharetrail analyze -o": nothing else is read.
"sharetrail verify DIR" proves its rows against the evidence. GAP-ID is the id of
a row of gaps, or the beginning of one if no other id begins so.

--format json gives one object {gap, connections, observations, coverage,
problems}: the rows that the text is made of.`,
		Example: `  sharetrail explain G31-461c97bd /cases/42/result
  sharetrail explain G31-46 /cases/42/result --format json | jq .observations`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usagef("needs a GAP-ID and the folder of an earlier analyze -o, and got %s", timeline.Counted(len(args), "argument", "arguments"))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&p.format, "format", string(output.TableFormat), "`FORM` of standard output: "+join(formats))
	cmd.Flags().StringVar(&p.tz, "tz", "UTC", "time `ZONE` of the text, such as Europe/Berlin; what was read as text stays as it is")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error { return p.set(cmd.OutOrStdout(), formats) }
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if info, err := os.Stat(args[0]); err == nil && info.IsDir() && exist(args[1:]) != nil {
			return usagef("%q is a folder: the GAP-ID comes first, as in sharetrail explain %s %s", args[0], args[1], args[0])
		}
		_, r, err := openResults(args[1], "gaps", "shares", "timeline", "coverage", "problems")
		if err != nil {
			return err
		}
		g, err := findGap(r.Gaps, args[0])
		if err != nil {
			return err
		}
		x := newExplanation(g, r)
		if p.o.Format == output.TableFormat {
			return written(x.text(a.stdout, p.o))
		}
		return written(x.object(a.stdout))
	}
	return cmd
}

// openResults reads the named rows from dir, which must be a folder of results:
// one that was changed since proves nothing.
func openResults(dir string, names ...string) (*output.Manifest, *timeline.Report, error) {
	if err := exist([]string{dir}); err != nil {
		return nil, nil, err
	}
	m, err := output.OpenFolder(dir)
	if err == output.ErrNoFolder {
		return nil, nil, usagef("%q is not the folder of an earlier \"sharetrail analyze -o\": run that first", dir)
	}
	if err != nil {
		return nil, nil, &exit{exitFailed, fmt.Errorf("%s: %w: it was changed since it was written", dir, err)}
	}
	r, err := output.ReadFolder(dir, m, names...)
	if err != nil {
		return nil, nil, &exit{exitFailed, fmt.Errorf("%s: %w", dir, err)}
	}
	return m, r, nil
}

// findGap returns the gap whose id is, or alone begins with, the text given.
func findGap(gaps []timeline.Gap, id string) (*timeline.Gap, error) {
	var found []*timeline.Gap
	for i := range gaps {
		if g := &gaps[i]; len(g.ID) >= len(id) && strings.EqualFold(g.ID[:len(id)], id) {
			found = append(found, g)
		}
	}
	switch {
	case id == "" || len(found) == 0:
		return nil, usagef("no finding has the id %q: sharetrail gaps DIR lists them", id)
	case len(found) > 1:
		const most = 5
		var ids []string
		for _, g := range found[:min(len(found), most)] {
			ids = append(ids, g.ID)
		}
		if len(found) > most {
			ids = append(ids, "…")
		}
		return nil, usagef("%d findings have an id that begins with %q: %s", len(found), id, strings.Join(ids, ", "))
	}
	return found[0], nil
}

// An explanation is one gap with all rows that it rests on.
type explanation struct {
	gap          *timeline.Gap
	connections  []timeline.Connection
	observations []evidence.Observation // in the order in which the reasoning names them
	coverage     []timeline.CoverageRow // of the hosts concerned
	problems     []evidence.Problem     // of the files concerned
	byID         map[string]*evidence.Observation
}

func newExplanation(g *timeline.Gap, r *timeline.Report) *explanation {
	x := &explanation{gap: g, byID: map[string]*evidence.Observation{}}
	rows := map[string]*evidence.Observation{}
	for i := range r.Observations {
		rows[r.Observations[i].ID] = &r.Observations[i]
	}
	hosts := []string{g.Host}
	files := map[evidence.Place]bool{}
	cite := func(ids []string) {
		for _, id := range ids {
			o := rows[id]
			if o == nil || x.byID[id] != nil {
				continue
			}
			x.byID[id] = o
			x.observations = append(x.observations, *o)
			hosts = append(hosts, o.Host)
			files[fileOf(&o.From)] = true
		}
	}
	for _, s := range g.Reasoning {
		cite(s.Observations)
	}
	for _, b := range g.Benign {
		cite(b.Observations)
	}
	cite(g.Observations)
	for _, c := range r.Coverage {
		if !slices.Contains(hosts, c.Host) {
			continue
		}
		x.coverage = append(x.coverage, c)
		for _, h := range holesIn(&c, g.Window) {
			for _, id := range h.Observations {
				if o := rows[id]; o != nil && x.byID[id] == nil {
					x.byID[id] = o
					x.observations = append(x.observations, *o)
				}
			}
		}
	}
	for _, c := range r.Connections {
		if slices.Contains(g.Connections, c.ID) {
			x.connections = append(x.connections, c)
		}
	}
	for _, p := range r.Problems {
		if files[fileOf(&p.From)] {
			x.problems = append(x.problems, p)
		}
	}
	return x
}

// fileOf names the file that p lies in, whatever state of it.
func fileOf(p *evidence.Provenance) evidence.Place {
	return evidence.Place{Source: p.Source, Volume: p.Volume, Snapshot: p.Snapshot, Path: p.Path}
}

// holesIn returns the holes of c that reach into w.
func holesIn(c *timeline.CoverageRow, w timeline.Window) (in []evidence.Hole) {
	for _, h := range c.Holes {
		over := !h.To.IsZero() && !w.NotBefore.IsZero() && !h.To.After(w.NotBefore)
		ahead := !h.From.IsZero() && !w.NotAfter.IsZero() && h.From.After(w.NotAfter)
		if !over && !ahead {
			in = append(in, h)
		}
	}
	return in
}

// object writes x as one JSON object.
func (x *explanation) object(w io.Writer) error {
	b := append([]byte(`{"gap":`), output.Gaps.AppendJSON(nil, x.gap)...)
	b = append(b, `,"connections":`...)
	b = output.AppendJSON(b, output.List(output.Shares, x.connections), false)
	b = append(b, `,"observations":`...)
	b = output.AppendJSON(b, output.List(output.Timeline, x.observations), false)
	b = append(b, `,"coverage":`...)
	b = output.AppendJSON(b, output.List(output.Coverage, x.coverage), false)
	b = append(b, `,"problems":`...)
	b = output.AppendJSON(b, output.List(output.Problems, x.problems), false)
	_, err := w.Write(append(b, "}\n"...))
	return err
}
