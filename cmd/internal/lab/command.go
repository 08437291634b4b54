package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

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
	root.AddCommand(buildCommand(), simulateCommand(), scoreCommand())
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

func simulateCommand() *cobra.Command {
	var dir string
	var seed uint64
	var hosts int
	cmd := &cobra.Command{
		Use:   "simulate --seed N --hosts H -o DIR",
		Short: "Invent hosts, build their evidence below DIR, and write down the truth",
		Long: `Simulate makes up what users, administrators, policy and malware do on hosts,
and writes the evidence to DIR/HOST/, the truth to DIR/truth.jsonl and the
scenarios, as build takes them, to DIR/scenarios/. The same seed gives the same
bytes. The truth is described in testdata/cases/TRUTH.md.`,
		Example: "  sharelab simulate --seed 1 --hosts 60 -o /tmp/sim && sharelab score /tmp/sim",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if hosts < 1 {
				return fmt.Errorf("--hosts %d: at least one is needed", hosts)
			}
			if err := Simulate(seed, hosts, dir); err != nil {
				return failure{err}
			}
			return nil
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 1, "the same seed invents the same hosts")
	cmd.Flags().IntVar(&hosts, "hosts", 60, "number of hosts")
	cmd.Flags().StringVarP(&dir, "output", "o", "", "folder to write to, new or empty")
	if err := cmd.MarkFlagRequired("output"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func scoreCommand() *cobra.Command {
	var program, format string
	var examples int
	cmd := &cobra.Command{
		Use:   "score DIR",
		Short: "Run sharetrail over simulated hosts and compare what it says with the truth",
		Long: `Score runs the program over the evidence below DIR and compares its rows with
DIR/truth.jsonl, which simulate writes, or somebody else: testdata/cases/TRUTH.md
describes it. It prints what is wrong by class; the last line is one JSON object
of figures. The exit status is 1 when a goal is missed or evidence cannot be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %q is neither text nor json", format)
			}
			var err error
			if program == "" {
				if program, err = findProgram(); err != nil {
					return failure{err}
				}
			}
			f, faults, err := Score(program, args[0])
			if err != nil {
				return failure{err}
			}
			if format == "text" {
				fmt.Fprint(cmd.OutOrStdout(), faults.list(examples))
			}
			line, err := json.Marshal(f)
			if err != nil {
				return failure{err}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", line)
			if len(f.Missed) > 0 {
				return failure{fmt.Errorf("goals missed: %s", strings.Join(f.Missed, "; "))}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&program, "program", "", "the sharetrail to run; default is the one beside sharelab, else in PATH")
	cmd.Flags().StringVar(&format, "format", "text", "text, or json for the last line alone")
	cmd.Flags().IntVar(&examples, "examples", 3, "examples of each class of faults")
	return cmd
}

// A failure is an error of the work: exit status 1.
type failure struct{ error }

func (f failure) Is(target error) bool { return target == errFailed }
func (f failure) Unwrap() error        { return f.error }
