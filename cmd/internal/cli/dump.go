package cli

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"

	"github.com/spf13/cobra"
)

func (a *app) dump() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dump evtx|hive FILE",
		Short: "Show all of one file, unfiltered and unmasked, as JSON Lines",
		Long: `Show what one parser reads in one file, as JSON Lines: everything, and with all
secrets in it. What cannot be read is named on standard error; the exit status
is then 3, or 1 if nothing could be read.`,
		Example: `  sharetrail dump evtx Security.evtx
  sharetrail dump hive NTUSER.DAT | jq 'select(.key | startswith("Network"))'`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no parser given: evtx or hive")
			}
			return usagef("no parser %q: evtx or hive", args[0])
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "evtx FILE",
			Short: "Show every record of an event log",
			Long: `Show every record of an event log, in the order of the file. record_id and time
are those of System; header_record_id and header_time those of the record's
header, which differ in re-exported logs.`,
			Example: "  sharetrail dump evtx Security.evtx | head",
			Args:    oneFile,
			RunE:    func(cmd *cobra.Command, args []string) error { return a.dumpFile(cmd, args[0], dumpLog) },
		},
		&cobra.Command{
			Use:   "hive FILE",
			Short: "Show every key and value of a registry hive",
			Long: `Show every key of a registry hive (a row without "value") and after it its values.
Transaction logs beside the hive are not replayed.`,
			Example: "  sharetrail dump hive NTUSER.DAT | head",
			Args:    oneFile,
			RunE:    func(cmd *cobra.Command, args []string) error { return a.dumpFile(cmd, args[0], dumpHive) },
		})
	return cmd
}

func oneFile(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("needs one FILE")
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
	f, err := os.Open(name)
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

func dumpLog(d *dumper, f *os.File, size int64) error {
	l, err := eventlog.Open(f, size)
	if err != nil {
		d.failed(err)
		return nil
	}
	doubt := ""
	for rec, err := range l.Records(nil) {
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

type hiveRow struct {
	key      *hive.Key
	value    *hive.Value
	data     any
	trailing string
}

func hiveColumns(names ...string) []output.Column[hiveRow] {
	all := map[string]func(*hiveRow) any{
		"key":        func(r *hiveRow) any { return r.key.Path },
		"last_write": func(r *hiveRow) any { return r.key.LastWrite },
		"value":      func(r *hiveRow) any { return r.value.Name },
		"type":       func(r *hiveRow) any { return hive.TypeName(r.value.Type) },
		"data":       func(r *hiveRow) any { return r.data },
		"trailing":   func(r *hiveRow) any { return r.trailing },
		"state":      func(*hiveRow) any { return "live" },
		"offset": func(r *hiveRow) any {
			if r.value != nil {
				return r.value.Off
			}
			return r.key.Off
		},
	}
	var out []output.Column[hiveRow]
	for _, name := range names {
		out = append(out, output.Column[hiveRow]{Name: name, Get: all[name]})
	}
	return out
}

var (
	keyRows      = output.NewLayout("key", hiveColumns("key", "last_write", "state", "offset")...)
	valueRows    = output.NewLayout("value", hiveColumns("key", "last_write", "value", "type", "data", "state", "offset")...)
	trailingRows = output.NewLayout("value", hiveColumns("key", "last_write", "value", "type", "data", "trailing", "state", "offset")...)
)

func dumpHive(d *dumper, f *os.File, size int64) error {
	h, err := hive.Open(f, size)
	if err != nil {
		d.failed(err)
		return nil
	}
	for k, err := range h.Walk() {
		if err != nil {
			d.failed(err)
			continue
		}
		if err := put(d, keyRows, &hiveRow{key: k}); err != nil {
			return err
		}
		for v, err := range k.Values() {
			if err != nil {
				d.failed(err)
				continue
			}
			row := hiveRow{key: k, value: v}
			if row.data, row.trailing, err = valueData(v); err != nil {
				d.failed(fmt.Errorf("%s: %w", k.Path, err))
			}
			layout := valueRows
			if row.trailing != "" {
				layout = trailingRows
			}
			if err := put(d, layout, &row); err != nil {
				return err
			}
		}
	}
	for _, err := range h.Problems() {
		d.a.say("%s: warning: %s", d.name, output.Visible(err.Error()))
	}
	return nil
}

// valueData returns the data of v by its type. Data that does not fit its type
// is hex, as binary data is; with an error, it is what could be read.
func valueData(v *hive.Value) (data any, trailing string, err error) {
	text, trailing, err := v.Text()
	if !errors.Is(err, hive.ErrType) {
		return text, trailing, err
	}
	list, err := v.Strings()
	if !errors.Is(err, hive.ErrType) {
		return list, "", err
	}
	if n, ok := v.Uint(); ok {
		return n, "", nil
	}
	b, err := v.Bytes()
	return hex.EncodeToString(b), "", err
}
