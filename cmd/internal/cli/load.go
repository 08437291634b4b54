package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/cmd/internal/pipeline"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
)

// reading are the flags on how evidence is read.
type reading struct {
	o   pipeline.Options
	log logging

	unlocking
}

func (r *reading) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&r.o.Jobs, "jobs", 0, "`N` parallel workers (default one a processor); the output is the same for every number")
	f.StringVar(&r.o.TempDir, "temp-dir", "", "folder `DIR` for what must be unpacked to disk (default that of the system)")
	f.BoolVar(&r.o.NoSnapshots, "no-snapshots", false, "leave out volume shadow copies")
	f.BoolVar(&r.o.Carve, "carve", false, "also search unallocated space, page files, raw files and volumes that cannot be read for records that event logs have left")
	r.unlocking.flags(cmd)
	r.log.flags(cmd)
	r.o.Context = "related"
}

// rowFlags registers the flags on what is in the rows.
func (r *reading) rowFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&r.o.ShowSecrets, "show-secrets", false, "do not mask passwords found on command lines")
	cmd.Flags().BoolVar(&r.o.NoDeleted, "no-deleted", false, "leave out what was deleted and can be recovered")
}

// contextFlag registers the flag on which rows there are.
func (r *reading) contextFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.o.Context, "context", "related", "`ROWS` of context (logons, boots, network, policy): related, where they bound or explain something; all; none. They are reasoned from in any case")
}

// check finds what is wrong with the flags.
func (r *reading) check(cmd *cobra.Command, sources []string) error {
	if cmd.Flags().Changed("jobs") && r.o.Jobs < 1 {
		return usagef("--jobs %d: must be 1 or more", r.o.Jobs)
	}
	switch r.o.Context {
	case "related", "all", "none":
	default:
		return usagef("--context %q: must be one of related, all, none", r.o.Context)
	}
	if r.o.Carve && r.o.NoDeleted {
		return usagef("--carve and --no-deleted contradict each other")
	}
	if r.o.TempDir != "" {
		if info, err := os.Stat(r.o.TempDir); err != nil || !info.IsDir() {
			return usagef("--temp-dir %q: is not a folder", r.o.TempDir)
		}
		if source, ok := insideAny(r.o.TempDir, sources); ok {
			return usagef("--temp-dir %q lies inside the evidence %q", r.o.TempDir, source)
		}
	}
	if err := r.unlocking.check(); err != nil {
		return err
	}
	r.o.Passwords, r.o.KeyPEM, r.o.Storage = r.unlocking.secrets, r.unlocking.key, r.unlocking.storage
	return r.log.check()
}

// A result is what one run found, or what an earlier one had found.
type result struct {
	timeline.Report
	run *pipeline.Result // nil if the report is an earlier one's
}

// load reads sources, or the one folder of results that they are; of that, the
// rows called names.
func (a *app) load(cmd *cobra.Command, r *reading, sources []string, names ...string) (*result, error) {
	if err := r.check(cmd, sources); err != nil {
		return nil, err
	}
	if err := exist(sources); err != nil {
		return nil, err
	}
	for _, dir := range sources {
		m, err := output.OpenFolder(dir)
		switch {
		case errors.Is(err, output.ErrNoFolder):
			continue
		case err != nil:
			a.say("%s has a manifest of sharetrail, but %v: it is read as evidence", dir, err)
			continue
		case len(sources) > 1:
			return nil, usagef("%q holds the results of an earlier analyze: it must be the only argument", dir)
		}
		for _, flag := range []string{"context", "show-secrets", "no-deleted", "no-snapshots", "carve"} {
			if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
				return nil, usagef("--%s: %q holds the results of an earlier analyze, which this flag cannot change: analyze the evidence again", flag, dir)
			}
		}
		report, err := output.ReadFolder(dir, m, slices.Compact(append(names, "problems"))...)
		if err != nil {
			return nil, &exit{exitFailed, fmt.Errorf("%s: %w", dir, err)}
		}
		return &result{Report: *report}, nil
	}
	return a.read(cmd.Context(), r, sources)
}

// exist finds a missing source before any is read.
func exist(sources []string) error {
	for _, s := range sources {
		_, err := os.Stat(s)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &exit{exitFailed, fmt.Errorf("%q does not exist: check the path; nothing was read", s)}
		case err != nil:
			return &exit{exitFailed, fmt.Errorf("%w: nothing was read", err)}
		}
	}
	return nil
}

// read runs the pipeline.
func (a *app) read(ctx context.Context, r *reading, sources []string) (*result, error) {
	done := r.log.open(a, &r.o)
	run, err := pipeline.Run(ctx, sources, r.o)
	done()
	if err != nil {
		return nil, &exit{exitFailed, err}
	}
	return &result{run.Report, run}, nil
}

// status is the exit of a run that went through: whether everything could be
// read.
func (r *result) status() error {
	unread := 0
	for _, p := range r.Problems {
		if p.Severity == evidence.Error {
			unread++
		}
	}
	switch {
	case r.run != nil && (r.run.Nothing()):
		return &exit{exitFailed, errors.New("nothing could be read: see sharetrail problems; point it at a folder or zip with registry hives or event logs")}
	case unread == 1:
		return &exit{exitUnread, errors.New("1 part of the evidence could not be read: see sharetrail problems")}
	case unread > 0:
		return &exit{exitUnread, fmt.Errorf("%s of the evidence could not be read: see sharetrail problems", timeline.Counted(unread, "part", "parts"))}
	}
	return nil
}
