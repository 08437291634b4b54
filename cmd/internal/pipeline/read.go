package pipeline

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/source"
)

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

// warn adds what must be said of the file as a whole.
func (t *task) warn(what string) {
	t.out.Problems = append(t.out.Problems, evidence.Problem{Severity: evidence.Warning, What: what, From: evidence.Provenance{Place: t.place, Offset: -1, Length: -1}})
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
