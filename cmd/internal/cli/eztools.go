package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sharetrail/cmd/internal/output"

	"github.com/spf13/cobra"
)

// ezFlags are flags as the tools of Eric Zimmerman have them, so that who knows
// those, or a script for them, need not learn ours. A folder named by them may
// hold what other tools wrote; ours never replaces a file without --force.
type ezFlags struct {
	files, dirs       []string // sources
	csv, json, html   string   // folders
	csvName, jsonName string
}

func (e *ezFlags) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&e.files, "file", "f", nil, "a `SOURCE`, as other tools take it; may be repeated")
	f.StringArrayVarP(&e.dirs, "directory", "d", nil, "a `SOURCE`, as other tools take it; may be repeated")
	f.StringVar(&e.csv, "csv", "", "write the tables as CSV into the folder `DIR`, beside what is there")
	f.StringVar(&e.csvName, "csvf", "", "with --csv: `NAME` of the file of the timeline; the others are named after it (default sharetrail_timeline.csv)")
	f.StringVar(&e.json, "json", "", "write the tables as JSON Lines into the folder `DIR`, beside what is there")
	f.StringVar(&e.jsonName, "jsonf", "", "with --json: `NAME` of the file of the timeline; the others are named after it (default sharetrail_timeline.jsonl)")
	f.StringVar(&e.html, "html", "", "write the page for people into the folder `DIR`, as sharetrail_report.html")
}

// sources returns all that the command is to read.
func (e *ezFlags) sources(args []string) []string {
	return append(append(append([]string(nil), args...), e.files...), e.dirs...)
}

// An ezFile is one file to write.
type ezFile struct{ flag, dir, name string }

// written lists the files to write.
func (e *ezFlags) written() (out []ezFile) {
	for _, table := range output.TableNames {
		if e.csv != "" {
			out = append(out, ezFile{"--csv", e.csv, tableFile(e.csvName, table, ".csv")})
		}
		if e.json != "" {
			out = append(out, ezFile{"--json", e.json, tableFile(e.jsonName, table, ".jsonl")})
		}
	}
	if e.html != "" {
		out = append(out, ezFile{"--html", e.html, ezReport})
	}
	return out
}

const ezReport = "sharetrail_report.html"

// tableFile names the file of a table; name is that of the timeline, if one is
// asked for.
func tableFile(name, table, ext string) string {
	if name == "" {
		return "sharetrail_" + table + ext
	}
	if table == "timeline" {
		return name
	}
	own := filepath.Ext(name)
	return strings.TrimSuffix(name, own) + "_" + table + own
}

// check finds what is wrong with the flags, before anything is read.
func (e *ezFlags) check(sources []string, d *folder) error {
	for _, n := range []struct{ flag, name, needs, dir string }{
		{"--csvf", e.csvName, "--csv", e.csv}, {"--jsonf", e.jsonName, "--json", e.json},
	} {
		if n.name == "" {
			continue
		}
		if n.dir == "" {
			return usagef("%s needs %s DIR", n.flag, n.needs)
		}
		if filepath.Base(n.name) != n.name || n.name == "." || n.name == ".." {
			return usagef("%s %q: must be the name of a file, without a folder, which %s gives", n.flag, n.name, n.needs)
		}
	}
	for _, f := range e.written() {
		if source, ok := insideAny(f.dir, sources); ok {
			return usagef("%s %q lies inside the evidence %q: evidence is never written to", f.flag, f.dir, source)
		}
		if d.dir != "" && within(f.dir, d.dir) {
			return usagef("%s %q lies inside --output %q, which holds results and nothing else: choose another folder", f.flag, f.dir, d.dir)
		}
		if info, err := os.Stat(f.dir); err == nil && !info.IsDir() {
			return usagef("%s %q: is not a folder", f.flag, f.dir)
		}
		name := filepath.Join(f.dir, f.name)
		if _, err := os.Lstat(name); err == nil && !d.force {
			return usagef("%s: %q exists: choose another folder or name, or give --force", f.flag, name)
		}
	}
	return nil
}

// within reports whether name lies in dir or is it, neither of which need exist.
func within(name, dir string) bool {
	if inside(name, dir) {
		return true
	}
	name, err1 := filepath.Abs(name)
	dir, err2 := filepath.Abs(dir)
	if err1 != nil || err2 != nil {
		return false
	}
	rel, err := filepath.Rel(dir, name)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// make makes the folders, before a long run, so that it is not in vain.
func (e *ezFlags) make() error {
	for _, f := range e.written() {
		if err := os.MkdirAll(f.dir, 0o755); err != nil {
			return &exit{exitFailed, fmt.Errorf("%s: %w: nothing was read", f.flag, err)}
		}
	}
	return nil
}

// write writes the files of res; m is the manifest that the page shows.
func (e *ezFlags) write(ctx context.Context, res *result, m *output.Manifest, zone output.Zone) error {
	if e.csv != "" {
		named := func(table string) string { return tableFile(e.csvName, table, ".csv") }
		if err := output.WriteTables(ctx, e.csv, &res.Report, output.Options{Format: output.CSV, Safe: m.Arguments.SpreadsheetSafe}, named); err != nil {
			return err
		}
	}
	if e.json != "" {
		named := func(table string) string { return tableFile(e.jsonName, table, ".jsonl") }
		if err := output.WriteTables(ctx, e.json, &res.Report, output.Options{Format: output.JSONL}, named); err != nil {
			return err
		}
	}
	if e.html != "" {
		return output.WritePage(ctx, e.html, ezReport, &res.Report, m, htmlOptions(zone))
	}
	return nil
}
