package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"sharetrail/cmd/internal/output"

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
	f.StringVar(&l.format, "log-format", "text", "form of the log: text, json")
	f.StringVar(&l.progress, "progress", "auto", "progress on standard error: auto, if it is a terminal; never")
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

// open returns the log of a run, and what ends it.
func (l *logging) open(a *app) (log *slog.Logger, done func()) {
	width := terminalWidth(a.stderr)
	switch {
	case a.quiet:
		return slog.New(slog.DiscardHandler), func() {}
	case l.verbose && l.format == "json":
		return slog.New(slog.NewJSONHandler(a.stderr, nil)), func() {}
	case l.verbose:
		return slog.New(slog.NewTextHandler(a.stderr, nil)), func() {}
	case l.progress == "auto" && width > 0:
		p := &progress{w: a.stderr, width: width}
		return slog.New(p), p.clear
	}
	return slog.New(slog.DiscardHandler), func() {}
}

// progress is a slog.Handler that shows the latest of what is logged as one
// line of a terminal.
type progress struct {
	w     io.Writer
	width int // of the terminal, in columns

	mu    sync.Mutex
	count int
	shown time.Time
}

// Enabled implements slog.Handler.
func (p *progress) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (p *progress) Handle(_ context.Context, r slog.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	if r.Time.Sub(p.shown) < 100*time.Millisecond {
		return nil
	}
	p.shown = r.Time
	line := fmt.Sprintf("%d %s", p.count, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.Value.String()
		return true
	})
	// Cut by characters: a wide one may wrap, which costs beauty only.
	text := []rune(output.Visible(line))
	_, err := fmt.Fprintf(p.w, "\r\x1b[K%s", string(text[:min(len(text), p.width-1)]))
	return err
}

// WithAttrs implements slog.Handler.
func (p *progress) WithAttrs([]slog.Attr) slog.Handler { return p }

// WithGroup implements slog.Handler.
func (p *progress) WithGroup(string) slog.Handler { return p }

// clear removes the line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
