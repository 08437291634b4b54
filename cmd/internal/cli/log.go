package cli

import (
	"fmt"
	"io"
	"log/slog"
	"time"

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
		p := &progress{w: a.stderr, last: time.Now()} // a short run shows none
		o.Progress = p.show
		return p.clear
	}
	return func() {}
}

// progress is one line of a terminal.
type progress struct {
	w     io.Writer
	last  time.Time // of a change
	shown bool
}

const eraseLine = "\r\x1b[K"

// show renews the line, ten times a second at most. Calls come one at a time.
func (p *progress) show(done, total int, bytes, totalBytes int64) {
	if now := time.Now(); now.Sub(p.last) >= 100*time.Millisecond {
		p.last, p.shown = now, true
		fmt.Fprintf(p.w, eraseLine+"%d of %d files, %d of %d MB", done, total, bytes>>20, totalBytes>>20)
	}
}

// clear removes the line.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, eraseLine)
	}
}
