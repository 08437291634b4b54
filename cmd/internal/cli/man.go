package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// man writes the manual pages. It is for packages and hidden from the help.
func (a *app) man(root *cobra.Command) *cobra.Command {
	var dir folder
	cmd := &cobra.Command{
		Use:     "man -o DIR",
		Short:   "Write the manual pages",
		Long:    "Write a manual page for each command, in section 1.",
		Example: "  sharetrail man -o man",
		Args:    noArgs,
		Hidden:  true,
		RunE: func(*cobra.Command, []string) error {
			if err := dir.need(); err != nil {
				return err
			}
			for _, c := range documented(root) {
				name := filepath.Join(dir.dir, strings.ReplaceAll(c.CommandPath(), " ", "-")+".1")
				if err := os.WriteFile(name, []byte(manPage(c)), 0o644); err != nil {
					return &exit{exitFailed, err}
				}
			}
			return nil
		},
	}
	dir.flags(cmd)
	return cmd
}

// documented returns cmd and all commands below it that the help names.
func documented(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, documented(c)...)
		}
	}
	return all
}

// roff escapes text for man(7): a backslash, a hyphen that is to be typed, and
// a dot or quote that would begin a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// manPage is the page of cmd.
func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	path := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	line(`.TH %s 1 "" "sharetrail %s" "sharetrail"`, roff(strings.ToUpper(path)), roff(Version()))
	line(".SH NAME")
	line(`%s \- %s`, roff(path), roff(cmd.Short))
	line(".SH SYNOPSIS")
	line(".B %s", roff(cmd.UseLine()))
	line(".SH DESCRIPTION")
	manText(&b, cmd.Long)
	if below := documented(cmd)[1:]; len(below) > 0 && cmd.Name() != "completion" {
		line(".SH COMMANDS")
		for _, c := range below {
			line(".TP\n.B %s\n%s.", roff(strings.TrimPrefix(c.CommandPath(), cmd.CommandPath()+" ")), roff(c.Short))
		}
	}
	line(".SH OPTIONS")
	flags := func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		head := "--" + f.Name
		if f.Shorthand != "" {
			head = "-" + f.Shorthand + ", " + head
		}
		if name != "" {
			head += " " + name
		}
		line(".TP\n.B %s\n%s", roff(head), roff(usage))
	}
	cmd.InitDefaultHelpFlag()
	cmd.LocalFlags().VisitAll(flags)
	cmd.InheritedFlags().VisitAll(flags)
	line(".SH EXAMPLES")
	manText(&b, cmd.Example)
	line(".SH SEE ALSO")
	if cmd.HasParent() {
		line(".BR %s (1)", roff(strings.ReplaceAll(cmd.Parent().CommandPath(), " ", "-")))
	} else {
		line("The commands\n.B sharetrail artifacts\nand\n.B sharetrail rules\nsay what each row proves, and what it does not.")
	}
	return b.String()
}

// manText writes text as it stands: paragraphs are filled, indented lines kept.
func manText(b *strings.Builder, text string) {
	kept := false
	keep := func(want bool) {
		if want != kept {
			kept = want
			b.WriteString(map[bool]string{true: ".nf\n", false: ".fi\n"}[want])
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "":
			keep(false)
			b.WriteString(".PP\n")
		case strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t"):
			keep(true)
			b.WriteString(roff(strings.TrimRight(line, " ")) + "\n")
		default:
			keep(false)
			b.WriteString(roff(line) + "\n")
		}
	}
	keep(false)
}
