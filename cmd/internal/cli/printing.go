package cli

import (
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // --tz must work where the system has no zones, as on Windows

	"sharetrail/cmd/internal/output"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// printing are the flags on the form of standard output.
type printing struct {
	format string
	tz     string
	o      output.Options
}

const safeHelp = "put an apostrophe before what a spreadsheet would take for a formula, in CSV"

// flags registers the flags; formats are those that the command has.
func (p *printing) flags(cmd *cobra.Command, formats ...output.Format) {
	cmd.Flags().StringVar(&p.format, "format", "", "`FORM` of standard output: "+join(formats)+" (default table on a terminal, jsonl when piped)")
	if slices.Contains(formats, output.TableFormat) {
		cmd.Flags().StringVar(&p.tz, "tz", "UTC", "time `ZONE` of tables and report.html, such as Europe/Berlin; all other formats are UTC")
	}
	if slices.Contains(formats, output.CSV) {
		cmd.Flags().BoolVar(&p.o.Safe, "spreadsheet-safe", false, safeHelp)
	}
	before := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := p.set(cmd.OutOrStdout(), formats); err != nil || before == nil {
			return err
		}
		return before(cmd, args)
	}
}

func join(formats []output.Format) string {
	var names []string
	for _, f := range formats {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (p *printing) set(stdout io.Writer, formats []output.Format) error {
	width := terminalWidth(stdout)
	p.o.Format, p.o.Width = output.Format(p.format), width
	p.o.Color = width > 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if p.format == "" {
		p.o.Format = output.JSONL
		if width > 0 {
			p.o.Format = output.TableFormat
		}
	}
	if !slices.Contains(formats, p.o.Format) {
		return usagef("--format %q: must be one of %s", p.format, join(formats))
	}
	if width == 0 {
		p.o.Width, _ = strconv.Atoi(os.Getenv("COLUMNS")) // 0 is the default
	}
	loc, err := time.LoadLocation(p.tz)
	if err != nil {
		return usagef("--tz %q: no such time zone: give UTC or a name such as Europe/Berlin", p.tz)
	}
	p.o.Zone = output.Zone{Location: loc}
	return nil
}

// terminalWidth returns the width of the terminal w in columns, 0 if it is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
