package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/cmd/internal/verify"
	"sharetrail/parsers/source"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

var verifyRows = output.NewLayout("check", []output.Column[verify.Row]{
	{Name: "id", Get: func(r *verify.Row) any { return r.ID }},
	{Name: "ok", Get: func(r *verify.Row) any { return r.OK }},
	{Name: "why", Get: func(r *verify.Row) any { return r.Why }},
}...)

func init() {
	verifyRows.Cells = []output.Cell[verify.Row]{
		{Head: "Id", Text: func(r *verify.Row, _ output.Zone) string { return r.ID }, Wrap: true},
		{Head: "Proven", Text: func(r *verify.Row, _ output.Zone) string {
			if r.OK {
				return "yes"
			}
			return "NO"
		}},
		{Head: "Why", Text: func(r *verify.Row, _ output.Zone) string { return r.Why }, Wrap: true},
	}
}

func (a *app) verify() *cobra.Command {
	var p printing
	var o source.Options
	var u unlocking
	failures := false
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Prove the rows of an earlier analyze against the raw bytes of the evidence",
		Long: `Open the sources again that an earlier "sharetrail analyze -o DIR" read, and prove
each row of its timeline against the bytes at its offset: of a registry cell the
signature, the path from the root, the last write and the data; of an event
record the sizes, number, time, event, provider, channel and the values in the
row. Readers of their own do that, which share nothing with those that made the
rows. Other structures, and what a row does not hold of the bytes it was read
from, are proven by the SHA-256 of the file in the manifest. The further places
of a row, in also_at, are not read again.

One row each: the id of the timeline's row, "file:..." for each file that was
read, "source:..." for a source that is missing and, with --hash-sources, for
each source and each of its parts; whether it is proven; what was compared, or what does not match. The
exit status is 0 if all are proven, 3 if some are not.

Sources are looked for where analyze found them: run it in the same directory if
they were named relative to it.`,
		Example: `  sharetrail verify /cases/42/result
  sharetrail verify /cases/42/result --failures --format csv`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("needs the folder of an earlier analyze -o, and got %d arguments", len(args))
			}
			return nil
		},
	}
	p.flags(cmd, rowFormats...)
	cmd.Flags().BoolVar(&failures, "failures", false, "print only what is not proven")
	cmd.Flags().StringVar(&o.TempDir, "temp-dir", "", "folder for what must be unpacked to disk (default that of the system)")
	u.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := u.check(); err != nil {
			return err
		}
		o.Passwords, o.KeyPEM, o.Storage = u.secrets, u.key, u.storage
		m, r, err := openResults(args[0], "timeline")
		if err != nil {
			return err
		}
		rows, err := verify.Run(cmd.Context(), caseOf(m, r.Observations), o)
		if err != nil {
			return &exit{exitFailed, err}
		}
		for _, s := range m.Sources {
			if s.SHA256 != "" {
				rows = append(rows, unchanged(cmd.Context(), s.Name, s.SHA256, "SHA-256 of the whole source"))
			}
			for _, p := range s.Parts[min(1, len(s.Parts)):] {
				rows = append(rows, unchanged(cmd.Context(), p.Path, p.SHA256, "SHA-256 of a part of "+s.Name))
			}
		}
		return a.proven(rows, failures, p.o)
	}
	return cmd
}

// unchanged compares a source, or a part of one, with its hash in the manifest.
func unchanged(ctx context.Context, name, want, what string) verify.Row {
	row := verify.Row{ID: "source:" + name, Why: what}
	switch sum, err := source.SumSource(ctx, name); {
	case err != nil:
		row.Why = "cannot be read: " + err.Error()
	case !strings.EqualFold(sum, want):
		row.Why = "its SHA-256 is " + sum + ", and was " + want + " when it was analyzed"
	default:
		row.OK = true
	}
	return row
}

// caseOf returns what the run that wrote m had read, and its rows.
func caseOf(m *output.Manifest, rows []evidence.Observation) *verify.Case {
	c := &verify.Case{Sources: m.Arguments.Sources, NoSnapshots: m.Arguments.NoSnapshots, Carve: m.Arguments.Carve, Observations: rows}
	for _, f := range m.Artifacts {
		c.Files = append(c.Files, verify.File{Source: f.Source, Volume: f.Volume, Path: f.Path, SHA256: f.SHA256})
	}
	return c
}

// proven prints rows and makes the exit of them.
func (a *app) proven(rows []verify.Row, failures bool, o output.Options) error {
	w := output.NewWriter(a.stdout, verifyRows, o)
	bad := 0
	var err error
	for i := range rows {
		if !rows[i].OK {
			bad++
		}
		if !rows[i].OK || !failures {
			err = cmp.Or(err, w.Write(&rows[i]))
		}
	}
	err = errors.Join(err, w.Close())
	if bad == 0 && o.Format == output.TableFormat {
		_, say := fmt.Fprintf(a.stdout, "\n%s, all proven\n", timeline.Counted(len(rows), "row or file", "rows and files"))
		err = errors.Join(err, say)
	}
	if err := written(err); err != nil {
		return err
	}
	if bad > 0 {
		return &exit{exitUnread, fmt.Errorf("%s not proven", timeline.Counted(bad, fmt.Sprintf("of %d rows is", len(rows)), fmt.Sprintf("of %d rows are", len(rows))))}
	}
	return nil
}
