package cli

import (
	"bufio"
	"errors"
	"fmt"
	"iter"
	"os"

	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/source"

	"github.com/spf13/cobra"
)

func (a *app) dump() *cobra.Command {
	return group(&cobra.Command{
		Use:   "dump evtx|hive FILE",
		Short: "Show all of one file, unfiltered and unmasked, as JSON Lines",
		Long: `Show what one parser reads in one file, as JSON Lines: everything, and with all
secrets in it. What cannot be read is named on standard error; the exit status
is then 3, or 1 if nothing could be read.`,
		Example: `  sharetrail dump evtx Security.evtx
  sharetrail dump hive NTUSER.DAT | jq 'select(.key | startswith("Network"))'`,
	},
		a.dumpLog(), a.dumpHive())
}

func (a *app) dumpLog() *cobra.Command {
	carve := false
	cmd := &cobra.Command{
		Use:   "evtx FILE",
		Short: "Show every record of an event log",
		Long: `Show every record of an event log, in the order of the file. record_id and time
are those of System; header_record_id and header_time those of the record's
header, which differ in re-exported logs.

With --carve FILE is bytes of any kind, such as unallocated space or a page
file: the records of all chunks of event logs in it are shown (state carved),
and what lies in these outside of their lists (state slack), which of a record
may be the header alone.`,
		Example: `  sharetrail dump evtx Security.evtx | head
  sharetrail dump evtx --carve pagefile.sys`,
		Args: oneFile,
	}
	cmd.Flags().BoolVar(&carve, "carve", false, "search the file for what event logs have left, whatever it is")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.dumpFile(cmd, args[0], func(d *dumper, f *os.File, size int64) error {
			if carve {
				return d.records(eventlog.Carve(f, size).Read(eventlog.Options{Slack: true}))
			}
			l, err := eventlog.Open(f, size)
			if err != nil {
				d.failed(err)
				return nil
			}
			return d.records(l.Records(nil))
		})
	}
	return cmd
}

func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("needs one FILE, and got %d", len(args))
	}
	return nil
}

// A dumper writes the rows of one file as they are read.
type dumper struct {
	a      *app
	name   string
	w      *bufio.Writer
	buf    []byte
	rows   int
	errors int
	done   func() error // whether the run was interrupted
}

// failed tells that something in the file could not be read.
func (d *dumper) failed(err error) {
	d.errors++
	d.a.say("%s: %s", d.name, output.Visible(err.Error()))
}

// put writes one row. Its error ends the dump: nobody reads it any more.
func put[R any](d *dumper, layout *output.Layout[R], row *R) error {
	d.rows++
	d.buf = append(layout.AppendJSON(d.buf[:0], row), '\n')
	if _, err := d.w.Write(d.buf); err != nil {
		return err
	}
	return d.done()
}

func (a *app) dumpFile(cmd *cobra.Command, name string, dump func(*dumper, *os.File, int64) error) error {
	if err := exist([]string{name}); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%q is not a file", name)
	}
	if err != nil {
		return &exit{exitFailed, err}
	}
	f, err := source.OpenReadOnly(name)
	if err != nil {
		return &exit{exitFailed, err}
	}
	defer f.Close()
	a.say("%s: everything in the file is shown, nothing is filtered or masked", name)
	d := &dumper{a: a, name: name, w: bufio.NewWriterSize(a.stdout, 64<<10), done: cmd.Context().Err}
	err = d.guard(func() error { return dump(d, f, info.Size()) })
	if err := written(errors.Join(err, d.w.Flush())); err != nil {
		return err
	}
	switch {
	case d.rows == 0 && d.errors > 0:
		return &exit{exitFailed, nil}
	case d.errors > 0:
		return &exit{exitUnread, nil}
	}
	return nil
}

// guard turns a panic of a parser into something that could not be read.
func (d *dumper) guard(dump func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			d.failed(fmt.Errorf("the parser gave up: %v", r))
		}
	}()
	return dump()
}

type logRow struct {
	*eventlog.Record
	data []any
}

var logRows = output.NewLayout("record", []output.Column[logRow]{
	{Name: "record_id", Get: func(r *logRow) any { return r.ID }},
	{Name: "header_record_id", Get: func(r *logRow) any { return r.HeaderID }},
	{Name: "time", Get: func(r *logRow) any { return r.Time }},
	{Name: "header_time", Get: func(r *logRow) any { return r.HeaderTime }},
	{Name: "channel", Get: func(r *logRow) any { return r.Channel }},
	{Name: "provider", Get: func(r *logRow) any { return r.Provider }},
	{Name: "event_id", Get: func(r *logRow) any { return r.EventID }},
	{Name: "computer", Get: func(r *logRow) any { return r.Computer }},
	{Name: "data", Get: func(r *logRow) any { return r.data }},
	{Name: "state", Get: func(r *logRow) any { return r.State }},
	{Name: "offset", Get: func(r *logRow) any { return r.Off }},
}...)

// records writes the records of a log.
func (d *dumper) records(all iter.Seq2[*eventlog.Record, error]) error {
	doubt := ""
	for rec, err := range all {
		if err != nil {
			d.failed(err)
			continue
		}
		fields, err := rec.Data()
		if err != nil {
			d.failed(err)
		}
		// A bad chunk makes all its records doubtful: say it once.
		if rec.Doubt != doubt && rec.Doubt != "" {
			d.a.say("%s: from record %d at %#x on must be doubted: %s", d.name, rec.ID, rec.Off, output.Visible(rec.Doubt))
		}
		doubt = rec.Doubt
		row := logRow{Record: rec}
		for _, field := range fields {
			row.data = append(row.data, []any{field.Name, eventlog.Text(field.Value)})
		}
		if err := put(d, logRows, &row); err != nil {
			return err
		}
	}
	return nil
}
