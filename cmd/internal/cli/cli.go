// Package cli is the command line of sharetrail: commands, flags, exit codes.
// Results go to standard output and nothing else does; what a person should
// know besides goes to standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes. They are part of the interface.
const (
	exitFailed      = 1 // a source is missing, nothing could be read, or the run failed
	exitUsage       = 2
	exitUnread      = 3 // done, but something could not be read
	exitFinding     = 4 // gaps --exit-code: a finding at or above --severity
	exitInterrupted = 130
)

// An exit ends the program with a code; with a nil err it does so silently.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

// usagef is the error of a command line that is wrong.
func usagef(format string, args ...any) error { return &exit{exitUsage, fmt.Errorf(format, args...)} }

// An app is one run of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           []string
	quiet          bool
	folder         string // of results that this run writes; "" if none
}

// Main runs the program and returns its exit code.
func Main() int {
	// A reader of our output that goes away ("| head") is an error of Write
	// then, and no sudden death in the middle of a run.
	paceHeap()
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, args: os.Args[1:]}
	return a.run(ctx)
}

func (a *app) run(ctx context.Context) int {
	root := a.root()
	root.SetArgs(a.args)
	cmd, err := root.ExecuteContextC(ctx)
	// A flag that does not parse ends the parsing before a later -q is seen.
	if slices.Contains(a.args, "-q") || slices.Contains(a.args, "--quiet") {
		a.quiet = true
	}
	var e *exit
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		a.say("interrupted: %s", a.left())
		return exitInterrupted
	case errors.As(err, &e):
	case brokenPipe(err):
		return 0 // whoever read our output has seen enough
	default: // only cobra returns others: of commands and flags it does not know
		e = &exit{exitUsage, err}
	}
	if e.err != nil {
		a.say("%v", e.err)
	}
	if e.code == exitUsage {
		a.say("see %s --help", cmd.CommandPath())
	}
	return e.code
}

// say tells the user something on standard error.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.stderr, "sharetrail: "+format+"\n", args...)
	}
}

const rootLong = `sharetrail reconstructs from offline Windows evidence when network shares were
mapped, used and removed, and shows the gaps that clean-up leaves.

SOURCE is a folder (a triage collection, a mounted image, loose files), an
archive, a disk image or a single file, in any nesting and any number. It is
recognised by its content, never by its name, and only ever read.

Exit status:
  0    done, with warnings or without
  1    a source is missing, or nothing could be read, or the run failed
  2    wrong usage
  3    done, but something could not be read (a problem of severity "error")
  4    gaps --exit-code: a finding at or above --severity (wins over 3)
  130  interrupted; what was written is valid`

func (a *app) root() *cobra.Command {
	var root *cobra.Command
	root = &cobra.Command{
		Use:   "sharetrail",
		Short: "Reconstruct when network shares were mapped, used and removed",
		Long:  rootLong,
		Example: `  sharetrail analyze /cases/42/WS01 -o /cases/42/result
  sharetrail gaps /cases/42/result`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknown(root, "command", args[0])
			}
			return usagef("no command given: begin with sharetrail analyze SOURCE")
		},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.Version = Version()
	root.SetVersionTemplate("sharetrail {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "write nothing at all to standard error")
	root.AddCommand(a.analyze(), a.timeline(), a.shares(), a.gaps(), a.coverage(), a.problems(),
		a.explain(), a.verify(), a.export(), a.sources(), a.dump(), a.classify(), a.artifacts(), a.rules(), a.kit(), a.version())
	root.AddCommand(a.man(root))
	root.SetHelpCommand(help(root))
	completion(root)
	return root
}

// help shows the help of a command; cobra's own ends in success for one that
// does not exist.
func help(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show the help of a command",
		Long:    "Show the help of a command, as its flag --help does.",
		Example: "  sharetrail help gaps",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return unknown(cmd, commandWord(cmd), args[len(args)-max(len(rest), 1)])
			}
			return cmd.Help()
		},
	}
}

// completion makes cobra's own command like ours.
func completion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Example = `  sharetrail completion bash > sharetrail.bash`
		for _, shell := range cmd.Commands() {
			shell.Example = "  sharetrail completion " + shell.Name()
			shell.Args = noArgs
		}
		group(cmd)
	}
}

// sourceArgs is for commands that take SOURCE...
func sourceArgs(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("no SOURCE given: name a folder, an archive, a disk image or a file with evidence")
	}
	return nil
}

// noArgs is for commands that take none.
func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected argument %q", args[0])
	}
	return nil
}
