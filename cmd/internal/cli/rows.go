package cli

import (
	"slices"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

// A listing is a command that prints one kind of row.
type listing[R any] struct {
	layout  *output.Layout[R]
	rows    func(*timeline.Report) []R
	facets  func(*R) facets
	filters []string
	write   func([]R, output.Options) error // nil: as layout says
}

var rowFormats = []output.Format{output.TableFormat, output.CSV, output.JSON, output.JSONL}

// setUp gives cmd the flags and the work of l. finding, which may be nil, has
// the last word on the exit code.
func setUp[R any](a *app, cmd *cobra.Command, l listing[R], f *filter, finding func([]R) error) *cobra.Command {
	var r reading
	var p printing
	cmd.Args = sourceArgs
	r.flags(cmd)
	r.rowFlags(cmd)
	if slices.Contains(l.filters, "action") { // the timeline
		r.contextFlag(cmd)
	}
	p.flags(cmd, rowFormats...)
	f.flags(cmd, l.filters...)
	cmd.RunE = func(cmd *cobra.Command, sources []string) error {
		if err := f.check(); err != nil {
			return err
		}
		res, err := a.load(cmd, &r, sources, cmd.Name())
		if err != nil {
			return err
		}
		all := l.rows(&res.Report)
		write := l.write
		if write == nil {
			write = func(rows []R, o output.Options) error { return output.WriteAll(a.stdout, l.layout, rows, o) }
		}
		rows := chosen(f, all, l.facets)
		if err := written(write(rows, p.o)); err != nil {
			return err
		}
		switch {
		case f.undated > 0:
			a.sayUndated(f.undated)
		case len(rows) == 0 && len(all) > 0:
			a.say("the filters let none of %s through", timeline.Counted(len(all), "row", "rows"))
		}
		if finding != nil {
			if err := finding(all); err != nil {
				return err
			}
		}
		return res.status()
	}
	return cmd
}

// sayUndated tells of rows that --from and --to hide.
func (a *app) sayUndated(n int) {
	a.say("%s not shown: leave out --from and --to to see them", timeline.Counted(n, "row without a time is", "rows without a time are"))
}

const rereads = `

SOURCE may also be the folder of an earlier "sharetrail analyze -o": then its
rows are shown and no evidence is parsed again.`

func (a *app) timeline() *cobra.Command {
	l := listing[evidence.Observation]{
		layout: output.Timeline, rows: func(r *timeline.Report) []evidence.Observation { return r.Observations },
		facets: observationFacets, filters: []string{"host", "user", "share", "drive", "action", "time"},
	}
	profile := ""
	l.write = func(rows []evidence.Observation, o output.Options) error {
		if profile == "tle" {
			return a.writeTLE(rows, o)
		}
		return output.WriteAll(a.stdout, l.layout, rows, o)
	}
	cmd := setUp(a, &cobra.Command{
		Use:   "timeline SOURCE...",
		Short: "List the observations, oldest first",
		Long: `List the observations: one row for each fact that one artifact states, ordered by
time. time_kind says what a row's time means; "until" in a table marks a time
that is only an upper bound.

--profile tle gives CSV that Timeline Explorer loads with columns and colours of
its own (its layout "Forensic Timeline"). It refuses a file with one row that has
no time: such rows are left out, and how many is said on standard error.` + rereads,
		Example: `  sharetrail timeline /cases/42/WS01 --share '\\fs01\*' --format csv
  sharetrail timeline WS01.zip --from 2026-03-02 --to 2026-03-03 --action command
  sharetrail timeline /cases/42/result --profile tle > WS01_timeline.csv`,
	}, l, &filter{}, nil)
	cmd.Flags().StringVar(&profile, "profile", "", "columns of another tool, as CSV: tle, for Timeline Explorer")
	set := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case profile != "" && profile != "tle":
			return usagef("--profile %q: must be tle", profile)
		case profile != "" && !cmd.Flags().Changed("format"):
			if err := cmd.Flags().Set("format", string(output.CSV)); err != nil {
				return err
			}
		case profile != "" && cmd.Flag("format").Value.String() != string(output.CSV):
			return usagef("--profile %s is CSV: leave out --format", profile)
		}
		return set(cmd, args)
	}
	return cmd
}

// writeTLE writes what Timeline Explorer can load, and says what it cannot.
func (a *app) writeTLE(rows []evidence.Observation, o output.Options) error {
	rows, left := output.ForTimelineExplorer(rows)
	a.sayOmitted("standard output", left)
	return output.WriteAll(a.stdout, output.TimelineExplorer, rows, o)
}

func (a *app) shares() *cobra.Command {
	return setUp(a, &cobra.Command{
		Use:   "shares SOURCE...",
		Short: "List the connections: when each share was mapped, used and removed",
		Long: `List the connections: one row for the life of one share for one user on one host,
or of one exported share. mapped and removed are windows, bounded as tightly as
the evidence allows.` + rereads,
		Example: `  sharetrail shares /cases/42/WS01 --user alice
  sharetrail shares /cases/42/result --drive Z:`,
	}, listing[timeline.Connection]{
		layout: output.Shares, rows: func(r *timeline.Report) []timeline.Connection { return r.Connections },
		facets: connectionFacets, filters: []string{"host", "user", "share", "drive", "time"},
	}, &filter{}, nil)
}

func (a *app) gaps() *cobra.Command {
	f := &filter{}
	f.severity.words = gapSeverities
	exitCode := false
	cmd := setUp(a, &cobra.Command{
		Use:   "gaps SOURCE...",
		Short: "List the findings, most serious first",
		Long: `List the findings: removals of shares, and evidence that should be there and is
not. confidence belongs to the sentence in claim; benign holds the innocent
explanations that were tested.

With --exit-code the exit status is 4 if there is a finding at or above
--severity (any, if it is not given) that the other filters let through; shown
are then all that are.` + rereads,
		Example: `  sharetrail gaps /cases/42/WS01
  sharetrail gaps /cases/42/result --exit-code --severity high -q`,
	}, listing[timeline.Gap]{
		layout: output.Gaps, rows: func(r *timeline.Report) []timeline.Gap { return r.Gaps },
		facets: gapFacets, filters: []string{"host", "user", "share", "drive", "rule", "severity", "time"},
	}, f, func(all []timeline.Gap) error {
		if exitCode && len(chosen(f, all, gapFacets)) > 0 {
			return &exit{exitFinding, nil}
		}
		return nil
	})
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 4 if there is a finding at or above --severity")
	set := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if exitCode {
			f.severity = f.severity.andAbove()
		}
		return set(cmd, args)
	}
	return cmd
}

// andAbove also wants what stands before any of the wanted words.
func (g globs) andAbove() globs {
	out := globs{words: g.words}
	for i := len(g.words) - 1; i >= 0 && len(g.list) > 0; i-- {
		if len(out.list) > 0 || g.match(g.words[i]) {
			out.Set(g.words[i]) // it is one of the words
		}
	}
	return out
}

func (a *app) coverage() *cobra.Command {
	return setUp(a, &cobra.Command{
		Use:   "coverage SOURCE...",
		Short: "List what the evidence can and cannot tell, for each host and kind",
		Long: `List the coverage: for one host and one kind of evidence the span in which it
could have told something, and the holes in it with their reason. Where there is
no coverage, that nothing was found means nothing.` + rereads,
		Example: `  sharetrail coverage /cases/42/WS01
  sharetrail coverage /cases/42/result --host 'WS*'`,
	}, listing[timeline.CoverageRow]{
		layout: output.Coverage, rows: func(r *timeline.Report) []timeline.CoverageRow { return r.Coverage },
		facets: coverageFacets, filters: []string{"host", "time"},
	}, &filter{}, nil)
}

func (a *app) problems() *cobra.Command {
	f := &filter{}
	f.severity.words = problemSeverities
	return setUp(a, &cobra.Command{
		Use:   "problems SOURCE...",
		Short: "List what could not be read or must be doubted",
		Long: `List the problems: evidence that could not be read (error; the exit status is then
3) or must be doubted (warning). No finding rests on absence from a place that
has an error.` + rereads,
		Example: `  sharetrail problems /cases/42/WS01
  sharetrail problems /cases/42/result --severity error`,
	}, listing[evidence.Problem]{
		layout: output.Problems, rows: func(r *timeline.Report) []evidence.Problem { return r.Problems },
		facets: problemFacets, filters: []string{"host", "severity"},
	}, f, nil)
}
