package lab

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Main runs the command sharelab with the arguments of the process and returns
// its exit status: 0 done, 1 failed, 2 wrong usage.
func Main() int { return execute(os.Args[1:], os.Stdout, os.Stderr) }

// errFailed marks an error of the work, as opposed to one of usage.
var errFailed = errors.New("failed")

func execute(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "sharelab",
		Short:         "Build Windows evidence from text, for tests and training of sharetrail",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(buildCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errFailed):
		fmt.Fprintln(stderr, "sharelab:", err)
		return 1
	}
	fmt.Fprintf(stderr, "sharelab: %v\nsharelab --help shows the usage\n", err)
	return 2
}

func buildCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "build SCENARIO -o DIR",
		Short: "Build the evidence of one scenario below DIR, which must be new or empty",
		Long: `Build reads one scenario, a text file described in testdata/cases/README.md,
and writes the registry hives, event logs and files that Windows would have
left: DIR/HOST/C/Windows/..., DIR/HOST/C/Users/... The same scenario gives the
same bytes every time.`,
		Example: "  sharelab build testdata/cases/tg3390/scenario.txtar -o /tmp/tg3390",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := os.ReadFile(args[0])
			if err != nil {
				return failure{err}
			}
			s, err := Parse(args[0], data)
			if err != nil {
				return failure{err}
			}
			if err := s.Build(dir); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "", "folder to write the evidence to")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// A failure is an error of the work: exit status 1.
type failure struct{ error }

func (f failure) Is(target error) bool { return target == errFailed }
func (f failure) Unwrap() error        { return f.error }
