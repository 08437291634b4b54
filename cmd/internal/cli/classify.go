package cli

import (
	"bufio"
	"context"
	"io"
	"strings"

	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/command"

	"github.com/spf13/cobra"
)

type classRow struct {
	line    string
	masked  bool
	segment command.Segment
}

var classRows = output.NewLayout("command", []output.Column[classRow]{
	{Name: "command_line", Get: func(r *classRow) any { return r.line }},
	{Name: "segment", Get: func(r *classRow) any { return r.segment.Index }},
	{Name: "class", Get: func(r *classRow) any { return string(r.segment.Class) }},
	{Name: "targets", Get: func(r *classRow) any { return r.segment.Targets }},
	{Name: "flags", Get: func(r *classRow) any { return r.segment.Flags }},
	{Name: "program", Get: func(r *classRow) any { return r.segment.Program }},
	{Name: "masked", Get: func(r *classRow) any { return r.masked }},
}...)

func (a *app) classify() *cobra.Command {
	unmasked := false
	cmd := &cobra.Command{
		Use:   "classify COMMAND-LINE...",
		Short: "Say what command lines do to shares",
		Long: `Say what command lines would do to shares, mapped drives and the traces of them,
as JSON Lines: a row for each recognised command of a line, or one row of class
none. Each argument is one line; - reads lines from standard input. Nothing is
executed. Passwords are shown as ***.`,
		Example: `  sharetrail classify 'net use Z: /delete /y'
  sharetrail classify - < ConsoleHost_history.txt`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no COMMAND-LINE given")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w := output.NewWriter(a.stdout, classRows, output.Options{Format: output.JSONL})
			for _, line := range args {
				var err error
				if line == "-" {
					err = a.classifyLines(cmd.Context(), w, unmasked)
				} else {
					err = classifyLine(w, line, unmasked)
				}
				if err != nil {
					return written(err)
				}
			}
			return written(w.Close())
		},
	}
	cmd.Flags().BoolVar(&unmasked, "show-secrets", false, "do not mask passwords")
	return cmd
}

// A line is one line of standard input, or why there are no more.
type line struct {
	text string
	last bool // nothing is waiting behind it
	err  error
}

// readLines sends the lines of r. It is a goroutine of its own because a read
// from a terminal does not end with an interrupt.
func readLines(ctx context.Context, r io.Reader, to chan<- line) {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		l := line{text: text, last: in.Buffered() == 0}
		if err != nil && (text == "" || err != io.EOF) {
			l = line{err: err}
		}
		select {
		case to <- l:
		case <-ctx.Done():
			return
		}
		if l.err != nil {
			return
		}
	}
}

// classifyLines classifies standard input line by line, each as soon as it
// comes.
func (a *app) classifyLines(ctx context.Context, w *output.Writer[classRow], unmasked bool) error {
	lines := make(chan line)
	go readLines(ctx, a.stdin, lines)
	for first := true; ; first = false {
		var l line
		select {
		case l = <-lines:
		case <-ctx.Done():
			return ctx.Err()
		}
		if l.err == io.EOF {
			return nil
		}
		if l.err != nil {
			return l.err
		}
		if first {
			l.text = strings.TrimPrefix(l.text, "\ufeff") // byte order mark
		}
		if err := classifyLine(w, l.text, unmasked); err != nil {
			return err
		}
		if l.last {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

func classifyLine(w *output.Writer[classRow], line string, unmasked bool) error {
	segments := command.Classify
	row := classRow{line: line}
	if unmasked {
		segments = command.ClassifyUnmasked
	} else {
		row.line, row.masked = command.Mask(line)
	}
	list := segments(line, command.Hint{})
	if len(list) == 0 {
		list = []command.Segment{{Class: command.None}}
	}
	for _, row.segment = range list {
		if err := w.Write(&row); err != nil {
			return err
		}
	}
	return nil
}
