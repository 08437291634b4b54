package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// unknown is the error of a name that no command of cmd has. what says what the
// names are of: a command, a kit.
func unknown(cmd *cobra.Command, what, name string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	if like := alike(name, names); like != "" {
		return usagef("unknown %s %q; did you mean %s?", what, name, like)
	}
	return usagef("unknown %s %q: must be one of %s", what, name, strings.Join(names, ", "))
}

// flagError says what is wrong with a flag and what would be right. A command
// that only has others below it has no arguments of its own: there the name is
// what is wrong, whatever flag comes behind it.
func flagError(cmd *cobra.Command, err error) error {
	if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
		return unknown(cmd, commandWord(cmd), args[0])
	}
	var none *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &none):
		return usagef("%v%s", err, hint(cmd, none.GetSpecifiedName()))
	case errors.As(err, &empty):
		_, usage := pflag.UnquoteUsage(empty.GetFlag())
		return usagef("--%s needs a value: %s", empty.GetFlag().Name, usage)
	case errors.As(err, &bad):
		why := bad.Unwrap().Error()
		switch bad.GetFlag().Value.Type() {
		case "int":
			why = fmt.Sprintf("%q is no number", bad.GetValue())
		case "bool":
			why = fmt.Sprintf("takes no value, and not %q", bad.GetValue())
		}
		return usagef("--%s: %s", bad.GetFlag().Name, why)
	}
	return &exit{exitUsage, err}
}

// commandWord is what the names below cmd are called.
func commandWord(cmd *cobra.Command) string {
	switch cmd.Name() {
	case "kit":
		return "kit"
	case "dump":
		return "parser"
	case "completion":
		return "shell"
	case "export":
		return "form"
	}
	return "command"
}

// hint names the flag that may be meant by one that cmd does not have, or the
// commands that do have it.
func hint(cmd *cobra.Command, name string) string {
	var names, owners []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	for _, c := range cmd.Root().Commands() {
		if f := c.Flags(); f.Lookup(name) != nil || len(name) == 1 && f.ShorthandLookup(name) != nil {
			owners = append(owners, c.Name())
		}
	}
	if like := alike(name, names); like != "" && len(owners) == 0 {
		return "; did you mean --" + like + "?"
	}
	if len(owners) > 0 {
		return "; it is a flag of " + strings.Join(owners, ", ")
	}
	return ""
}

// alike returns the one of names that name is most likely a slip of, or "".
func alike(name string, names []string) (like string) {
	best := 3 // two slips at most, and less than half of the word
	for _, n := range slices.Sorted(slices.Values(names)) {
		d := slips(strings.ToLower(name), n)
		if len(name) > 2 && strings.HasPrefix(n, strings.ToLower(name)) {
			d = 1
		}
		if d < best && 2*d < len(n) {
			best, like = d, n
		}
	}
	return like
}

// slips counts the letters that were left out, added, changed or swapped with
// the next between a and b.
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			switch {
			case i == 0 || j == 0:
				rows[i][j] = i + j
				continue
			case a[i-1] == b[j-1]:
				rows[i][j] = rows[i-1][j-1]
			default:
				rows[i][j] = 1 + min(rows[i-1][j-1], rows[i-1][j], rows[i][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// group makes cmd one that only has others below it: it says which, when none
// or an unknown one is named.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	cmd.AddCommand(below...)
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknown(cmd, commandWord(cmd), args[0])
		}
		var names []string
		for _, c := range cmd.Commands() {
			names = append(names, c.Name())
		}
		return usagef("no %s given: %s", commandWord(cmd), strings.Join(names, " or "))
	}
	return cmd
}
