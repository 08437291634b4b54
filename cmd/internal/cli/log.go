package cli

import (
	"log/slog"

	"sharetrail/cmd/internal/pipeline"

	"github.com/spf13/cobra"
)

// logging are the flags on what goes to standard error while evidence is read.
type logging struct {
	verbose  bool
	format   string
	progress string
}

func (l *logging) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&l.verbose, "verbose", "v", false, "log each file that is read")
	f.StringVar(&l.format, "log-format", "text", "`FORM` of the log: text, json")
	f.StringVar(&l.progress, "progress", "auto", "progress on standard error, `WHEN`: auto, if it is a terminal; never")
}

func (l *logging) check() error {
	if l.format != "text" && l.format != "json" {
		return usagef("--log-format %q: must be one of text, json", l.format)
	}
	if l.progress != "auto" && l.progress != "never" {
		return usagef("--progress %q: must be one of auto, never", l.progress)
	}
	return nil
}

// open sets o up to tell what the run does, and returns what ends that.
func (l *logging) open(a *app, o *pipeline.Options) (done func()) {
	width := terminalWidth(a.stderr)
	o.Log = slog.New(slog.DiscardHandler)
	switch {
	case a.quiet:
	case l.verbose && l.format == "json":
		o.Log = slog.New(slog.NewJSONHandler(a.stderr, nil))
	case l.verbose:
		o.Log = slog.New(slog.NewTextHandler(a.stderr, nil))
	case l.progress == "auto" && width > 0:
		p := newProgress(a.stderr, width)
		o.Progress = p.read
		return p.end
	}
	return func() {}
}
