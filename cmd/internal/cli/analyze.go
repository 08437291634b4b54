package cli

import (
	"fmt"
	"io"
	"runtime"
	"strings"

	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

// folder are the flags on the folder of results.
type folder struct {
	dir         string
	force       bool
	hashSources bool
	beside      bool // other flags name folders to write into, too
	safe        bool // CSV that no spreadsheet computes
}

func (d *folder) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&d.dir, "output", "o", "", "write all files into the folder `DIR`")
	cmd.Flags().BoolVar(&d.force, "force", false, "write even if --output is not empty")
}

func (a *app) analyze() *cobra.Command {
	var r reading
	var p printing
	var dir folder
	var ez ezFlags
	f := &filter{}
	f.severity.words = gapSeverities
	cmd := &cobra.Command{
		Use:   "analyze SOURCE...",
		Short: "Do the main job: read everything, print the summary, write files",
		Long: `Read all evidence, print a summary (findings first) and, with --output, write
timeline, shares, gaps, coverage and problems as .csv and .jsonl, report.html,
one page for people that needs no network and no other file, timesketch.jsonl for
Timesketch, and manifest.json, which holds the SHA-256 of every evidence file read
and of every file written. sharetrail export makes files for other tools of that.

The filters act on standard output only: files always hold all rows. --format
json gives one object {hosts, gaps, shares, coverage, problems, counts}; in
jsonl each object's first field, row, names its kind.

-f, -d, --csv, --csvf, --json, --jsonf and --html are for who knows them from
other tools, and for KAPE: they name a SOURCE, or write some of the files into a
folder that may hold others. Only --output gives a folder that later commands
take for results.

With --hash-sources the manifest has the SHA-256 of each whole SOURCE: of a file
that of its bytes, of a folder that of the lines "<sha256>  <path>" of its
regular files, ordered by path. Of an image in several files, and of a hive with
its logs, parts lists each file with its own; sha256 is that of the named one.`,
		Example: `  sharetrail analyze /cases/42/WS01 -o /cases/42/result
  sharetrail analyze WS01.zip FS01.zip --format json | jq .gaps`,
		Args: func(cmd *cobra.Command, args []string) error { return sourceArgs(cmd, ez.sources(args)) },
	}
	r.flags(cmd)
	r.rowFlags(cmd)
	r.contextFlag(cmd)
	p.flags(cmd, output.TableFormat, output.JSON, output.JSONL)
	f.flags(cmd, "host", "user", "share", "drive", "rule", "severity", "time")
	dir.flags(cmd)
	ez.flags(cmd)
	cmd.Flags().BoolVar(&dir.hashSources, "hash-sources", false, "hash whole sources, for the manifest")
	cmd.Flags().BoolVar(&dir.safe, "spreadsheet-safe", false, safeHelp+" files")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		sources := ez.sources(args)
		if err := f.check(); err != nil {
			return err
		}
		if err := r.check(cmd, sources); err != nil {
			return err
		}
		if err := exist(sources); err != nil {
			return err
		}
		dir.beside = len(ez.written()) > 0
		if err := dir.check(sources); err != nil {
			return err
		}
		if err := ez.check(sources, &dir); err != nil {
			return err
		}
		if err := dir.make(); err != nil {
			return err
		}
		if err := ez.make(); err != nil {
			return err
		}
		a.folder = dir.dir
		start := newRun(a, &r)
		res, err := a.read(cmd.Context(), &r, sources)
		if err != nil {
			return err
		}
		unwritten := a.writeFiles(cmd.Context(), &dir, &ez, &r, res, sources, start, p.o.Zone)
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		// What was found may have taken hours: a full disk does not lose it.
		if err := written(a.summary(res, f, p.o)); err != nil {
			return err
		}
		if unwritten != nil {
			return &exit{exitFailed, fmt.Errorf("%w; %s: mend that and run it again with --force", unwritten, a.left())}
		}
		if err := written(a.nextSteps(&dir, res, p.o)); err != nil {
			return err
		}
		return res.status()
	}
	return cmd
}

// nextSteps says under a summary for people what to do with the folder.
func (a *app) nextSteps(d *folder, res *result, o output.Options) error {
	if d.dir == "" || o.Format != output.TableFormat {
		return nil
	}
	name, explain := d.dir, ""
	switch { // as shells take it
	case !strings.ContainsAny(name, " '\"$&();`"):
	case runtime.GOOS == "windows":
		name = `"` + name + `"`
	default:
		name = "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	if len(res.Report.Gaps) > 0 {
		explain = fmt.Sprintf("  sharetrail explain %s %s\n", res.Report.Gaps[0].ID, name)
	}
	_, err := fmt.Fprintf(a.stdout, "\nWritten to %s\n  report.html opens in a browser, without a network\n%s  sharetrail verify %s\n", d.dir, explain, name)
	return err
}

// summary prints what the filters let through.
func (a *app) summary(res *result, f *filter, o output.Options) error {
	counts := output.Count(&res.Report)
	r := res.Report
	r.Gaps = chosen(f, r.Gaps, gapFacets)
	r.Connections = chosen(f, r.Connections, connectionFacets)
	r.Coverage = chosen(f, r.Coverage, coverageFacets)
	if f.undated > 0 {
		a.sayUndated(f.undated)
	}
	// --severity is that of findings; problems have words of their own.
	r.Problems = chosen(&filter{host: f.host}, r.Problems, problemFacets)
	r.Hosts = chosen(&filter{host: f.host}, r.Hosts, func(host *string) facets { return facets{host: []string{*host}} })
	switch o.Format {
	case output.JSON:
		return writeObject(a.stdout, &r, counts)
	case output.JSONL:
		return writeNamed(a.stdout, &r, counts)
	}
	return output.Summary(a.stdout, &r, counts, o)
}

var (
	hostRows = output.NewLayout("host", output.Column[string]{Name: "host", Get: func(s *string) any { return *s }})
	// countRows must name what output.Counts has.
	countRows = output.NewLayout("counts",
		output.Column[output.Counts]{Name: "hosts", Get: func(c *output.Counts) any { return c.Hosts }},
		output.Column[output.Counts]{Name: "timeline", Get: func(c *output.Counts) any { return c.Timeline }},
		output.Column[output.Counts]{Name: "shares", Get: func(c *output.Counts) any { return c.Shares }},
		output.Column[output.Counts]{Name: "gaps", Get: func(c *output.Counts) any { return c.Gaps }},
		output.Column[output.Counts]{Name: "coverage", Get: func(c *output.Counts) any { return c.Coverage }},
		output.Column[output.Counts]{Name: "problems", Get: func(c *output.Counts) any { return c.Problems }},
		output.Column[output.Counts]{Name: "rules_not_run", Get: func(c *output.Counts) any { return c.RulesNotRun }},
	)
)

// writeObject writes the one object of --format json.
func writeObject(w io.Writer, r *timeline.Report, counts output.Counts) error {
	hosts := output.AppendJSON(nil, r.Hosts, false)
	for _, part := range []func() error{
		func() error { _, err := fmt.Fprintf(w, "{\"hosts\": %s,\n\"gaps\": ", hosts); return err },
		func() error { return output.WriteAll(w, output.Gaps, r.Gaps, output.Options{Format: output.JSON}) },
		func() error { _, err := io.WriteString(w, ",\"shares\": "); return err },
		func() error {
			return output.WriteAll(w, output.Shares, r.Connections, output.Options{Format: output.JSON})
		},
		func() error { _, err := io.WriteString(w, ",\"coverage\": "); return err },
		func() error {
			return output.WriteAll(w, output.Coverage, r.Coverage, output.Options{Format: output.JSON})
		},
		func() error { _, err := io.WriteString(w, ",\"problems\": "); return err },
		func() error {
			return output.WriteAll(w, output.Problems, r.Problems, output.Options{Format: output.JSON})
		},
		func() error {
			_, err := fmt.Fprintf(w, ",\"counts\": %s}\n", countRows.AppendJSON(nil, &counts))
			return err
		},
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// writeNamed writes the same as rows, each with its kind.
func writeNamed(w io.Writer, r *timeline.Report, counts output.Counts) error {
	o := output.Options{Format: output.JSONL, Named: true}
	if err := output.WriteAll(w, hostRows, r.Hosts, o); err != nil {
		return err
	}
	if err := output.WriteAll(w, output.Gaps, r.Gaps, o); err != nil {
		return err
	}
	if err := output.WriteAll(w, output.Shares, r.Connections, o); err != nil {
		return err
	}
	if err := output.WriteAll(w, output.Coverage, r.Coverage, o); err != nil {
		return err
	}
	if err := output.WriteAll(w, output.Problems, r.Problems, o); err != nil {
		return err
	}
	return output.WriteAll(w, countRows, []output.Counts{counts}, o)
}
