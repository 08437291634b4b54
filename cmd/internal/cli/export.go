package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

// An exporting is a form in which other tools read results.
type exporting struct {
	name, short, long, example string
	binary                     bool // no form for a terminal
	write                      func(w io.Writer, r *timeline.Report, tempDir string) (output.Omitted, error)
}

var exportings = []exporting{
	{
		name: "timesketch", short: "Events for Timesketch, as JSON Lines",
		long: `Write events that the importer of Timesketch takes: the rows of the timeline, and
an event for each end of what is known about a finding, a connection and a span in
which the evidence is blind. data_type tells them apart. It is the timesketch.jsonl
that analyze writes into its folder.`,
		example: "  sharetrail export timesketch /cases/42/result -o WS01.jsonl",
		write: func(w io.Writer, r *timeline.Report, _ string) (output.Omitted, error) {
			count, err := output.WriteTimesketch(w, r)
			return count.Omitted, err
		},
	},
	{
		name: "bodyfile", short: "A bodyfile for mactime of the Sleuth Kit",
		long: `Write a bodyfile (MD5|name|inode|mode|UID|GID|size|atime|mtime|ctime|crtime) with the
same events. Its times are whole seconds. The name is the sentence of the row with
its id, so that each line can be traced. A line sets one time: mtime for the last
write of a key or file, crtime for a file or event record that was created, atime
for a run or use.`,
		example: "  sharetrail export bodyfile /cases/42/result | mactime -d -y -z UTC -b -",
		write: func(w io.Writer, r *timeline.Report, _ string) (output.Omitted, error) {
			return output.WriteBodyfile(w, r)
		},
	},
	{
		name: "navigator", short: "A layer for the ATT&CK Navigator",
		long: `Write a layer (format 4.5) with the techniques that rows or findings name, and no
others. The score is that of the gravest finding: 4 high, 3 medium, 2 low, 1 info,
0 rows without a finding.`,
		example: "  sharetrail export navigator /cases/42/result -o layer.json",
		write: func(w io.Writer, r *timeline.Report, _ string) (output.Omitted, error) {
			return output.Omitted{}, output.WriteNavigator(w, r, Version())
		},
	},
	{
		name: "xlsx", short: "A workbook with a sheet for each kind of row",
		long: `Write a workbook (XLSX) with the sheets Findings, Connections, Timeline, Coverage and
Problems, their heads frozen and with filters. Columns are those of CSV. All that
came from the evidence is text: no cell is a formula, whatever it begins with.`,
		example: "  sharetrail export xlsx /cases/42/result -o WS01.xlsx", binary: true,
		write: func(w io.Writer, r *timeline.Report, tempDir string) (output.Omitted, error) {
			return output.Omitted{}, output.WriteXLSX(w, r, tempDir)
		},
	},
}

func (a *app) export() *cobra.Command {
	var forms []*cobra.Command
	for _, e := range exportings {
		forms = append(forms, a.exportOne(e))
	}
	return group(&cobra.Command{
		Use:   "export FORM SOURCE...",
		Short: "Write results in the form of another tool",
		Long: `Write all rows in the form of another tool: timesketch, bodyfile, navigator or xlsx.
For Timeline Explorer see sharetrail timeline --profile tle. Rows that the tool
cannot hold, such as those without a time, are counted on standard error.` + rereads,
		Example: "  sharetrail export xlsx /cases/42/result -o WS01.xlsx",
	}, forms...)
}

func (a *app) exportOne(e exporting) *cobra.Command {
	var r reading
	var to target
	cmd := &cobra.Command{
		Use: e.name + " SOURCE...", Short: e.short, Long: e.long + rereads, Example: e.example, Args: sourceArgs,
	}
	r.flags(cmd)
	r.rowFlags(cmd)
	r.contextFlag(cmd)
	to.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, sources []string) error {
		if e.binary && to.name == "" && terminalWidth(a.stdout) > 0 {
			return usagef("%s is nothing to read on a terminal: give --output FILE", e.name)
		}
		if err := to.check(sources); err != nil {
			return err
		}
		res, err := a.load(cmd, &r, sources, "timeline", "shares", "gaps", "coverage")
		if err != nil {
			return err
		}
		var left output.Omitted
		if err := written(to.write(a.stdout, func(w io.Writer) (err error) {
			left, err = e.write(w, &res.Report, r.o.TempDir)
			return err
		})); err != nil {
			return err
		}
		a.sayOmitted(to.String(), left)
		return res.status()
	}
	return cmd
}

// sayOmitted says what a file for another tool leaves out.
func (a *app) sayOmitted(name string, left output.Omitted) {
	var why []string
	if left.Undated > 0 {
		why = append(why, fmt.Sprintf("%d without a time", left.Undated))
	}
	if left.OutOfRange > 0 {
		why = append(why, fmt.Sprintf("%d with a time that the other tool cannot hold", left.OutOfRange))
	}
	if len(why) > 0 {
		a.say("%s leaves out rows: %s", name, strings.Join(why, ", "))
	}
}

// A target is the file that a result goes to; without a name it is standard
// output.
type target struct {
	name  string
	force bool
}

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&t.name, "output", "o", "", "write into this file (default standard output)")
	cmd.Flags().BoolVar(&t.force, "force", false, "replace --output if it exists")
}

// String names t for messages.
func (t *target) String() string {
	if t.name == "" {
		return "standard output"
	}
	return t.name
}

// check refuses a file that must not be written.
func (t *target) check(sources []string) error {
	if t.name == "" {
		if t.force {
			return usagef("--force needs --output")
		}
		return nil
	}
	if source, ok := insideAny(t.name, sources); ok {
		return usagef("--output %q lies inside %q, which is only read", t.name, source)
	}
	info, err := os.Lstat(t.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--output: %v", err)
	case !info.Mode().IsRegular():
		return usagef("--output %q is not a file", t.name)
	case !t.force:
		return usagef("--output %q exists: choose another name, or give --force", t.name)
	}
	return nil
}

// write writes content to t; a file appears under its name only when it is whole.
func (t *target) write(stdout io.Writer, content func(io.Writer) error) error {
	if t.name == "" {
		return content(stdout)
	}
	f, err := os.CreateTemp(filepath.Dir(t.name), "."+filepath.Base(t.name)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(content(f), f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), t.name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
