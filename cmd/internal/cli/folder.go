package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts"
	"sharetrail/cmd/internal/output"
	"sharetrail/parsers/source"
	"sharetrail/timeline/rules"
)

// check refuses a folder that must not be written into.
func (d *folder) check(sources []string) error {
	if d.dir == "" {
		if (d.force || d.safe) && !d.beside || d.hashSources {
			return usagef("--force, --hash-sources and --spreadsheet-safe need --output DIR")
		}
		return nil
	}
	if source, ok := insideAny(d.dir, sources); ok {
		return usagef("--output %q lies inside the evidence %q: evidence is never written to", d.dir, source)
	}
	for _, s := range sources {
		if inside(s, d.dir) {
			return usagef("the evidence %q lies inside --output %q: evidence is never written to", s, d.dir)
		}
	}
	entries, err := os.ReadDir(d.dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--output: %v", err)
	case len(entries) > 0 && !d.force:
		return usagef("--output %q is not empty: choose another folder, or give --force", d.dir)
	}
	return nil
}

// need is for commands that write files and nothing else: it makes the folder.
func (d *folder) need() error {
	if d.dir == "" {
		return usagef("no --output given: name a folder to write into, as in -o DIR")
	}
	if err := d.check(nil); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return &exit{exitFailed, fmt.Errorf("--output: %w", err)}
	}
	return nil
}

// make makes the folder, before a long run, so that it is not in vain.
func (d *folder) make() error {
	if d.dir == "" {
		return nil
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return &exit{exitFailed, fmt.Errorf("--output: %w: nothing was read", err)}
	}
	return nil
}

// insideAny returns the first of sources that name lies in or is.
func insideAny(name string, sources []string) (string, bool) {
	for _, s := range sources {
		if inside(name, s) {
			return s, true
		}
	}
	return "", false
}

// inside reports whether name lies in dir or is it, whatever links, letter
// case and mounts spell it. name need not exist.
func inside(name, dir string) bool {
	want, err := os.Stat(dir)
	if err != nil {
		return false
	}
	at, err := filepath.Abs(name)
	if err != nil {
		return false
	}
	// Links are resolved as far as the path exists, so that the parents are
	// those of the place and not those of the link.
	for rest := at; ; rest = filepath.Dir(rest) {
		if real, err := filepath.EvalSymlinks(rest); err == nil {
			at = real
			break
		}
		if rest == filepath.Dir(rest) {
			break
		}
	}
	for {
		if info, err := os.Stat(at); err == nil && os.SameFile(info, want) {
			return true
		}
		if at == filepath.Dir(at) {
			return false
		}
		at = filepath.Dir(at)
	}
}

// A run is what the manifest says about this one run: it differs between runs
// over the same evidence, and nothing else in the manifest does.
type run struct {
	Started    string   `json:"started"` // UTC
	Finished   string   `json:"finished"`
	Arguments  []string `json:"arguments"` // the whole command line
	Directory  string   `json:"directory"` // in which it was given
	Output     string   `json:"output"`
	Unpacked   int64    `json:"unpacked"` // bytes of evidence in temporary files, removed since
	Jobs       int      `json:"jobs"`     // 0: one a processor
	Computer   string   `json:"computer"`
	System     string   `json:"system"`
	Processors int      `json:"processors"`
	Go         string   `json:"go"`
}

func newRun(a *app, r *reading) *run {
	computer, _ := os.Hostname() // "" says that it is unknown
	directory, _ := os.Getwd()
	return &run{
		Started: time.Now().UTC().Format(time.RFC3339), Arguments: maskArguments(a.args), Directory: directory, Jobs: r.o.Jobs,
		Computer: computer, System: runtime.GOOS + "/" + runtime.GOARCH, Processors: runtime.NumCPU(), Go: runtime.Version(),
	}
}

// maskArguments leaves out the passwords of archives.
func maskArguments(args []string) []string {
	args = slices.Clone(args)
	for i, arg := range args {
		switch {
		case arg == "--password" && i+1 < len(args):
			args[i+1] = "***"
		case strings.HasPrefix(arg, "--password="):
			args[i] = "--password=***"
		}
	}
	return args
}

// writeFiles writes what the flags ask for.
func (a *app) writeFiles(ctx context.Context, d *folder, ez *ezFlags, r *reading, res *result, sources []string, start *run, zone output.Zone) error {
	if d.dir == "" && !d.beside {
		return nil
	}
	m, err := manifest(ctx, d, r, res, sources, start, zone)
	if err != nil {
		return err
	}
	if err := ez.write(ctx, res, m, zone); err != nil || d.dir == "" {
		return err
	}
	if err := output.WriteFolder(ctx, d.dir, &res.Report, m, htmlOptions(zone)); err != nil {
		return err
	}
	a.sayOmitted(output.TimesketchName, m.Timesketch.Omitted)
	if _, err := output.OpenFolder(d.dir); err != nil {
		a.say("%s: %v: other commands will not take this folder for results", d.dir, err)
	}
	return nil
}

// manifest says what res was made from.
func manifest(ctx context.Context, d *folder, r *reading, res *result, sources []string, start *run, zone output.Zone) (*output.Manifest, error) {
	m := &output.Manifest{
		Version: Version(),
		Arguments: output.Arguments{
			Sources: sources, Context: r.o.Context, HashSources: d.hashSources, ShowSecrets: r.o.ShowSecrets, Zone: zone.Location.String(),
			NoSnapshots: r.o.NoSnapshots, NoDeleted: r.o.NoDeleted, Carve: r.o.Carve,
			SpreadsheetSafe: d.safe,
		},
		Sources:   []output.ManifestSource{},
		Artifacts: []output.ManifestArtifact{},
		Carved:    []output.ManifestStream{},
	}
	for _, e := range res.run.Evidence {
		s := output.ManifestSource{Name: e.Name, Kind: e.Kind, Parts: []output.ManifestPart{}, Acquisition: e.Acquisition()}
		if e.Size >= 0 {
			s.Size = &e.Size
		}
		if d.hashSources {
			if err := hashed(ctx, &s, e); err != nil {
				return nil, fmt.Errorf("hash of source: %w", err)
			}
		}
		start.Unpacked += e.Spooled()
		m.Sources = append(m.Sources, s)
	}
	for _, f := range res.run.Files {
		if s := f.Search; s != nil {
			m.Carved = append(m.Carved, output.ManifestStream{
				Source: f.Source, Volume: f.Volume, Path: output.Clean(f.Path), Size: f.Size, Searched: s.Bytes, Chunks: s.Chunks, Records: s.Records, Unread: s.Unread,
			})
			continue
		}
		m.Artifacts = append(m.Artifacts, output.ManifestArtifact{
			Source: f.Source, Volume: f.Volume, Path: output.Clean(f.Path), Kind: f.Kind, Size: f.Size, SHA256: f.SHA256,
		})
	}
	start.Output = d.dir
	start.Finished = time.Now().UTC().Format(time.RFC3339)
	m.Run = start
	return m, nil
}

// htmlOptions says how report.html is made.
func htmlOptions(zone output.Zone) output.HTMLOptions {
	o := output.HTMLOptions{Zone: zone, Rules: rules.All()}
	for _, a := range artifacts.All() {
		o.Artifacts = append(o.Artifacts, output.HTMLArtifact{Name: a.Name, Title: a.Title, Proves: a.Proves, DoesNotProve: a.DoesNotProve})
	}
	return o
}

// hashed fills in the SHA-256 of the source e and of each file it consists of.
func hashed(ctx context.Context, s *output.ManifestSource, e *source.Evidence) (err error) {
	if s.SHA256, err = source.SumSource(ctx, e.Path); err != nil {
		return err
	}
	for _, p := range e.Parts {
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		part := output.ManifestPart{Path: p, Size: info.Size()}
		if part.SHA256, err = source.SumSource(ctx, p); err != nil {
			return err
		}
		s.Parts = append(s.Parts, part)
	}
	return nil
}
