// Package pipeline joins the stages: sources, artifacts, timeline. It is the
// only package that knows all of them.
package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/source"
	"sharetrail/timeline"
	"sharetrail/timeline/rules"
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

// A task is one evidence file to read.
type task struct {
	vol    *source.Volume
	file   source.File
	place  *evidence.Place
	leader *task // reads the same bytes in a newer view of the volume; nil if none does
	read   FileRead
	meter  *fileMeter // of what is read of it
	logs   []FileRead // transaction logs read with a hive
	out    *artifacts.Emitter
	told   bool // it covers the kind of evidence that it is
}

// plan lists the files to read, in a fixed order.
func plan(evs []*source.Evidence) (tasks []*task) {
	for _, ev := range evs {
		for _, v := range inTime(ev.Volumes) {
			for _, f := range v.Files {
				if f.Kind != source.Hive && f.Kind != source.EVTX && f.Kind != source.Raw && !(f.Kind == source.Other && !f.Expected && artifacts.WantsFile(f.Path)) {
					continue
				}
				tasks = append(tasks, &task{
					vol: v, file: f,
					place: placeOf(ev, v, f.Path),
					read:  FileRead{Source: ev.Name, Volume: v.ID, Path: f.Path, Kind: string(f.Kind), Size: f.Size},
				})
			}
		}
	}
	lead(tasks)
	return tasks
}

// read runs the tasks on up to o.Jobs workers. Every task owns its result.
func read(ctx context.Context, tasks []*task, o Options) error {
	// The largest files first: a worker that meets one last would work alone.
	order := slices.DeleteFunc(slices.Clone(tasks), func(t *task) bool { return t.leader != nil || t.raw() })
	slices.SortStableFunc(order, func(a, b *task) int { return cmp.Compare(b.file.Size, a.file.Size) })
	meterTasks(tasks, o.Progress)
	finished := func(t *task) {
		if o.Log != nil {
			o.Log.Info("read", "path", t.file.Path, "kind", t.file.Kind, "bytes", t.file.Size, "observations", len(t.out.Observations), "problems", len(t.out.Problems))
		}
		t.meter.finish()
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(jobsOf(o), len(order)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(order) && ctx.Err() == nil; i = next.Add(1) - 1 {
				order[i].run(ctx, tasks, o)
				finished(order[i])
			}
		})
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := carve(ctx, tasks, o, finished); err != nil {
		return err
	}
	for _, t := range tasks {
		if t.leader != nil {
			t.follow()
		}
		t.bounded()
	}
	later(tasks)
	return nil
}

// input is what the artifacts are told of a file.
func (t *task) input(o Options) artifacts.File {
	return artifacts.File{Place: t.place, Size: t.file.Size, Loose: t.vol.Loose || t.file.Away, Former: artifacts.IsFormer(t.vol.Root), Unmasked: o.ShowSecrets, AllContext: o.Context == "all", NoDeleted: o.NoDeleted, State: stateOf(t.vol, &t.file), Directory: t.file.Directory}
}

// run reads one file, through its artifacts and through the hash.
func (t *task) run(ctx context.Context, tasks []*task, o Options) {
	f := t.input(o)
	h, err := t.file.Open()
	if err != nil {
		t.out = artifacts.Unopened(f, err)
		return
	}
	defer h.Close()
	if h.Size() < t.file.Size {
		t.read.Size, t.file.Incomplete = h.Size(), true
	}
	whole := newHashing(cancelable{ctx, h}, h.Size())
	f.R, f.Size, f.Base = t.meter.pass(whole), h.Size(), source.Base(h)
	if t.file.Kind == source.Hive {
		logs, closeLogs := t.hiveLogs()
		defer closeLogs()
		f.Logs = logs
		t.out = artifacts.ReadHive(f)
		for i, l := range logs {
			t.logs = append(t.logs, FileRead{
				Source: t.read.Source, Volume: t.read.Volume, Path: t.logFiles()[i].Path,
				Kind: string(source.HiveLog), Size: l.Size, SHA256: sum(l.R, l.Size), Parsed: true,
			})
		}
	} else if t.file.Kind == source.Other {
		t.out = artifacts.ReadOther(f, t.file.ModTime)
	} else {
		if f.Carve = o.Carve; f.Carve {
			var free func()
			f.Lenders, free = lenders(ctx, tasks, t.lendsLog)
			defer free()
		}
		t.out = artifacts.ReadLog(f)
	}
	t.read.Parsed = len(t.out.Coverage) > 0
	t.read.SHA256 = whole.sum()
}

// sum returns the SHA-256 of a file, "" if it cannot be read to its end.
func sum(r io.ReaderAt, size int64) string {
	h := sha256.New()
	if n, err := io.Copy(h, io.NewSectionReader(r, 0, size)); err != nil || n != size {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hiveLogs opens the transaction logs that lie beside a hive. One that cannot
// be opened is given as one that cannot be read, so that the hive says so.
func (t *task) hiveLogs() (logs []hive.LogFile, closeAll func()) {
	var open []io.Closer
	for _, f := range t.logFiles() {
		l := hive.LogFile{Name: path.Base(f.Path), Size: f.Size}
		if h, err := f.Open(); err != nil {
			l.R = failing{err}
		} else {
			l.R, l.Size = h, h.Size()
			open = append(open, h)
		}
		logs = append(logs, l)
	}
	return logs, func() {
		for _, c := range open {
			c.Close()
		}
	}
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// failing is a file that could not be opened.
type failing struct{ err error }

func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

// A cancelable reader fails once its context is done, so that an interrupt
// does not wait for the end of a large file.
type cancelable struct {
	ctx context.Context
	r   io.ReaderAt
}

func (c cancelable) ReadAt(b []byte, off int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.ReadAt(b, off)
}

// conclude resolves whose facts they are and reasons from them, host by host.
// With ctx done it leaves out hosts.
func conclude(ctx context.Context, tasks []*task, problems []evidence.Problem, o Options) timeline.Report {
	tellApart(tasks)
	obs, facts, found := resolve(tasks)
	rep := timeline.Report{Problems: append(problems, found...)}
	obs = identify(obs)
	byHost := divide(obs)
	covers := map[string][]evidence.Coverage{}
	for _, f := range facts {
		covers[f.Host] = append(covers[f.Host], f)
		if _, ok := byHost[f.Host]; !ok {
			byHost[f.Host] = nil
		}
	}
	for h := range byHost {
		rep.Hosts = append(rep.Hosts, h)
	}
	slices.Sort(rep.Hosts)
	named := map[string]bool{} // observations that something rests on
	var cases []*timeline.Case
	for _, h := range rep.Hosts {
		if ctx.Err() != nil {
			return rep
		}
		c := timeline.NewCase(h, byHost[h], covers[h])
		rep.Problems = append(rep.Problems, c.MadeAnew()...)
		cases = append(cases, c)
	}
	timeline.Meet(cases)
	for _, c := range cases {
		if ctx.Err() != nil {
			return rep
		}
		gaps, conns, notRun := timeline.Reason(c, rules.All())
		rep.Gaps = joined(rep.Gaps, gaps)
		rep.Connections = joined(rep.Connections, conns)
		rep.NotRun = append(rep.NotRun, notRun...)
		rows := c.Coverage
		for i := range rows {
			nameHoles(rows[i].Holes)
		}
		rep.Coverage = append(rep.Coverage, rows...)
	}
	timeline.SortGaps(rep.Gaps)
	timeline.SortConnections(rep.Connections)
	slices.SortStableFunc(rep.Coverage, func(a, b timeline.CoverageRow) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Evidence, b.Evidence), a.From.Compare(b.From))
	})
	for _, g := range rep.Gaps {
		mark(named, g.Observations)
		for _, s := range g.Reasoning {
			mark(named, s.Observations)
		}
		for _, b := range g.Benign {
			mark(named, b.Observations)
		}
	}
	for _, c := range rep.Connections {
		mark(named, c.Observations)
	}
	for _, r := range rep.Coverage {
		for _, h := range r.Holes {
			mark(named, h.Observations)
		}
	}
	rep.Observations = shown(obs, named, o.Context)
	sortProblems(rep.Problems)
	return rep
}

// divide returns the facts of each host. They are many: no list of them grows.
func divide(obs []*evidence.Fact) map[string][]*evidence.Fact {
	count := map[string]int{}
	for _, o := range obs {
		count[o.Host]++
	}
	byHost := map[string][]*evidence.Fact{}
	for h, n := range count {
		byHost[h] = make([]*evidence.Fact, 0, n)
	}
	for _, o := range obs {
		byHost[o.Host] = append(byHost[o.Host], o)
	}
	return byHost
}

// joined appends b to a, without a copy of what is the first.
func joined[T any](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

func mark(set map[string]bool, ids []string) {
	for _, id := range ids {
		set[id] = true
	}
}

// nameHoles turns what shows a hole into ids.
func nameHoles(holes []evidence.Hole) {
	for i := range holes {
		holes[i].Observations = timeline.Ids(holes[i].Why)
	}
}

// shown leaves out the context facts that the policy does not want as rows. An
// id that a list names is always a row.
func shown(obs []*evidence.Fact, named map[string]bool, policy string) []evidence.Observation {
	isRow := func(o *evidence.Fact) bool {
		return policy == "all" || !o.Action.IsContext() || named[o.ID] && policy != "none"
	}
	n := 0
	for _, o := range obs {
		if isRow(o) {
			n++
		}
	}
	rows := make([]evidence.Observation, 0, n) // to grow it would take more memory than all else
	for _, o := range obs {
		if isRow(o) {
			rows = append(rows, o.Whole())
		}
	}
	return rows
}

func sortProblems(ps []evidence.Problem) {
	at := func(p evidence.Problem) evidence.Place {
		if p.From.Place == nil {
			return evidence.Place{}
		}
		return *p.From.Place
	}
	slices.SortStableFunc(ps, func(a, b evidence.Problem) int {
		pa, pb := at(a), at(b)
		return cmp.Or(strings.Compare(pa.Source, pb.Source), strings.Compare(pa.Volume, pb.Volume), strings.Compare(pa.Path, pb.Path),
			cmp.Compare(a.From.Offset, b.From.Offset), strings.Compare(a.What, b.What))
	})
}

// Version of the data that a folder of results holds.
const Format = "sharetrail/1"

// Describe says in one line what a run read, for logs.
func (r *Result) Describe() string {
	return fmt.Sprintf("%d files, %d observations, %d connections, %d gaps, %d problems", len(r.Files), len(r.Report.Observations), len(r.Report.Connections), len(r.Report.Gaps), len(r.Report.Problems))
}
