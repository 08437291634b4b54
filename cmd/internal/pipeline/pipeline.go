// Package pipeline joins the stages: sources, artifacts, timeline. It is the
// only package that knows all of them.
package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
	"sharetrail/timeline"
)

// Options say how to run. The result does not depend on Jobs.
type Options struct {
	Jobs        int    // files read at once; 0 is one a processor
	Context     string // which context facts become rows: "related" (default), "all", "none"
	ShowSecrets bool
	NoDeleted   bool     // leave out what was deleted and can be recovered
	NoSnapshots bool     // leave out shadow copies
	Carve       bool     // also search what is no log for what logs have left
	Passwords   [][]byte // for encrypted archives, tried in turn
	KeyPEM      []byte   // private key for collections encrypted for a certificate
	Verify      bool     // compare disk images with the hashes stored in them
	Storage     []string // disk images on which stores of shadow copies may lie
	TempDir     string
	Log         *slog.Logger
	// Progress, if set, is called as files are read and finished, one call at a
	// time. bytes counts each byte of the files once it is parsed and hashed.
	Progress func(done, total int, bytes, totalBytes int64)
}

// A FileRead is one evidence file that an artifact was read from.
type FileRead struct {
	Source, Volume, Path string
	Kind                 string
	Size                 int64  // bytes
	SHA256               string // "" if it could not be read to its end
	Parsed               bool   // anything could be read from it
	// Search is set for bytes of any kind that were searched for event logs. They
	// are not hashed: each row of what was found is.
	Search *artifacts.Search
}

// A Result is what one run found.
type Result struct {
	Report   timeline.Report
	Evidence []*source.Evidence // closed
	Files    []FileRead
	Checks   []source.Check // of disk images, if Options.Verify asked for them
	hosts    map[volumeKey]string
}

type volumeKey struct{ source, volume string }

// Host returns the host that a volume of a source was found to belong to, ""
// if nothing says so.
func (r *Result) Host(source, volume string) string { return r.hosts[volumeKey{source, volume}] }

// Nothing reports whether no artifact file at all could be read.
func (r *Result) Nothing() bool {
	return !slices.ContainsFunc(r.Files, func(f FileRead) bool { return f.Parsed })
}

// Run reads sources and draws the conclusions. A source that does not exist
// ends it before anything is read, with an error that wraps fs.ErrNotExist.
func Run(ctx context.Context, sources []string, o Options) (*Result, error) {
	for _, s := range sources {
		if _, err := os.Stat(s); err != nil {
			return nil, err
		}
	}
	res := &Result{}
	var problems []evidence.Problem
	for i, s := range sources {
		ev, err := source.Open(ctx, s, source.Options{
			Jobs: o.Jobs, TempDir: o.TempDir, NoSnapshots: o.NoSnapshots, NoDeleted: o.NoDeleted, Carve: o.Carve, Passwords: o.Passwords, KeyPEM: o.KeyPEM, Storage: o.Storage,
			Beside: slices.Delete(slices.Clone(sources), i, i+1),
		})
		if err != nil {
			return nil, err
		}
		defer ev.Close()
		res.Evidence = append(res.Evidence, ev)
		if o.Verify {
			checks, err := ev.Verify(ctx)
			if err != nil {
				return nil, err
			}
			res.Checks = append(res.Checks, checks...)
		}
		for _, p := range ev.Problems {
			problems = append(problems, sourceProblem(p, &evidence.Place{Source: ev.Name, Path: p.Path}))
		}
	}
	tasks := plan(res.Evidence)
	if err := read(ctx, tasks, o); err != nil {
		return nil, err
	}
	for _, ev := range res.Evidence {
		if err := ev.Settle(ctx); err != nil {
			return nil, err
		}
		for _, v := range ev.Volumes {
			for _, p := range v.Problems {
				problems = append(problems, sourceProblem(p, placeOf(ev, v, p.Path)))
			}
		}
	}
	res.Report = conclude(ctx, tasks, problems, o)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res.hosts = map[volumeKey]string{}
	for _, t := range tasks {
		res.Files = append(append(res.Files, t.read), t.logs...)
		res.hosts[volumeKey{t.place.Source, t.vol.ID}] = t.place.Host
	}
	return res, nil
}

func sourceProblem(p source.Problem, at *evidence.Place) evidence.Problem {
	sev := evidence.Error
	if p.Severity == source.Warning {
		sev = evidence.Warning
	}
	return evidence.Problem{Severity: sev, What: p.What, From: evidence.Provenance{Place: at, Offset: p.Offset, Length: -1}}
}

// Version of the data that a folder of results holds.
const Format = "sharetrail/1"

// Describe says in one line what a run read, for logs.
func (r *Result) Describe() string {
	return fmt.Sprintf("%d files, %d observations, %d connections, %d gaps, %d problems", len(r.Files), len(r.Report.Observations), len(r.Report.Connections), len(r.Report.Gaps), len(r.Report.Problems))
}
