package pipeline

import (
	"context"
	"io"
	"math"
	"path"
	"runtime"
	"slices"
	"strings"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/source"
)

// raw reports whether t is bytes of any kind that are to be searched.
func (t *task) raw() bool { return t.file.Kind == source.Raw }

// carve searches what is no log for what logs have left. The logs must have been
// read: what they hold is not counted again. One stream comes after the other,
// so that the first place of a record is always the same; each has all workers.
func carve(ctx context.Context, tasks []*task, o Options, done func(*task)) error {
	known := &artifacts.Known{}
	for _, t := range tasks {
		if t.out != nil {
			known.Learn(t.out.Coverage)
		}
	}
	for _, t := range tasks {
		if !t.raw() {
			continue
		}
		t.search(ctx, tasks, o, known)
		if err := ctx.Err(); err != nil {
			return err
		}
		done(t)
	}
	return nil
}

func (t *task) search(ctx context.Context, tasks []*task, o Options, known *artifacts.Known) {
	f := t.input(o)
	t.read.Search = &artifacts.Search{}
	h, err := t.file.Open()
	if err != nil {
		t.out = artifacts.Unopened(f, err)
		return
	}
	defer h.Close()
	f.R, f.Size, f.Jobs = t.meter.pass(cancelable{ctx, h}), h.Size(), jobsOf(o)
	var free func()
	f.Lenders, free = lenders(ctx, tasks, t.lends)
	defer free()
	t.out = artifacts.ReadStream(f, known)
	t.read.Search, t.read.Parsed = t.out.Search, t.out.Search.Records > 0
}

func jobsOf(o Options) int {
	if o.Jobs > 0 {
		return o.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// lends reports whether the templates of a log may be those of records in the
// stream t: it lies on the same volume or, if nothing else is read there, in the
// same source, and holds what artifacts are read from.
func (t *task) lends(log *task) (name string, ok bool) {
	if log.file.Deleted || log.leader != nil || log.out == nil || log.read.Source != t.read.Source {
		return "", false
	}
	if !slices.ContainsFunc(log.out.Coverage, func(c evidence.Coverage) bool {
		channel, ok := strings.CutPrefix(c.Evidence, "evtx:")
		return ok && artifacts.WantsChannel(channel)
	}) {
		return "", false
	}
	if log.vol == t.vol {
		return log.file.Path, true
	}
	alone := !slices.ContainsFunc(t.vol.Files, func(f source.File) bool { return f.Kind != source.Raw })
	return log.vol.ID + "!" + log.file.Path, alone && log.vol.Snapshot == ""
}

// lendsLog does the same for the log t: an archived log of the same channel, or
// the same log in a shadow copy.
func (t *task) lendsLog(log *task) (name string, ok bool) {
	if log == t || log.file.Deleted || log.leader != nil || log.read.Source != t.read.Source || logStem(log.file.Path) != logStem(t.file.Path) {
		return "", false
	}
	if log.vol == t.vol {
		return log.file.Path, true
	}
	return log.vol.ID + "!" + log.file.Path, log.vol.Of == t.vol || t.vol.Of != nil && (t.vol.Of == log.vol || t.vol.Of == log.vol.Of)
}

// logStem is what the names of a log and of its archives have in common: Windows
// calls those "Archive-Security-2026-03-01-10-00-00-000.evtx".
func logStem(p string) string {
	s := strings.TrimSuffix(strings.ToLower(path.Base(p)), ".evtx")
	if rest, ok := strings.CutPrefix(s, "archive-"); ok {
		s = strings.TrimRight(rest, "0123456789-")
	}
	return s
}

// lenders opens the event logs that lend their templates. free closes them.
func lenders(ctx context.Context, tasks []*task, lends func(*task) (string, bool)) (list []eventlog.Lender, free func()) {
	var open []io.Closer
	for _, t := range tasks {
		if t.file.Kind != source.EVTX {
			continue
		}
		name, ok := lends(t)
		if !ok {
			continue
		}
		h, err := t.file.Open()
		if err != nil {
			continue // told where it is read
		}
		open = append(open, h)
		if l, err := eventlog.Open(cancelable{ctx, h}, h.Size()); err == nil {
			list = append(list, eventlog.Lender{Name: name, Log: l})
		}
	}
	return list, func() {
		for _, c := range open {
			c.Close()
		}
	}
}

// Next tells which bytes of a stream are there, if the stream does.
func (c cancelable) Next(off int64) (start, end int64) {
	if s, ok := c.r.(interface {
		Next(off int64) (start, end int64)
	}); ok {
		return s.Next(off)
	}
	return off, math.MaxInt64
}

// carvedHosts finds whose the records of a stream are: the host's of the volume,
// if they name it or a computer that a log of the volume names; else that of the
// computer that they name.
func (h *hostNames) carvedHosts(tasks []*task) {
	own := map[*source.Volume]map[string]bool{} // computers that its logs name
	for _, t := range tasks {
		vol := t.vol
		if vol.Of != nil {
			vol = vol.Of
		}
		for _, c := range t.out.Coverage {
			if c.Computer != "" && c.Host == "" {
				if own[vol] == nil {
					own[vol] = map[string]bool{}
				}
				own[vol][strings.ToLower(c.Computer)] = true
			}
		}
	}
	var names []string // that nothing but carved records gives
	each := func(f func(own bool, v *source.Volume, host *string)) {
		for _, t := range tasks {
			for o := range t.statements() {
				if t.raw() {
					f(own[t.vol][strings.ToLower(o.Host)], t.vol, &o.Host)
				}
			}
		}
	}
	known := map[string]string{}
	each(func(own bool, _ *source.Volume, host *string) {
		if _, ok := known[*host]; !ok && !own {
			if known[*host] = h.near(*host); known[*host] == "" {
				names = append(names, *host)
			}
		}
	})
	slices.Sort(names)
	others := &hostNames{spelt: map[string]string{}}
	others.spell(slices.Compact(names))
	each(func(own bool, v *source.Volume, host *string) {
		switch {
		case own:
			*host = h.volume[v]
		case known[*host] != "":
			*host = known[*host]
		default:
			*host = others.canonical(*host)
		}
	})
}

// onlyHost returns the host that all of obs are about, "" if there are several.
func onlyHost(obs []*evidence.Fact) (host string) {
	for _, o := range obs {
		if host != "" && o.Host != host {
			return ""
		}
		host = o.Host
	}
	return host
}

// near returns the host of a name that nothing but carved records gives: a full
// name is the host of its first label, unless that has another full name, and the
// other way round. It is "" if no host is known by either.
func (h *hostNames) near(name string) string {
	low := strings.ToLower(name)
	if host, ok := h.spelt[low]; ok {
		return host
	}
	short, _, isFull := strings.Cut(low, ".")
	full := []string{}
	for n := range h.spelt {
		if strings.HasPrefix(n, short+".") {
			full = append(full, n)
		}
	}
	switch host, ok := h.spelt[short]; {
	case isFull && ok && len(full) == 0:
		return host
	case !isFull && len(full) == 1:
		return h.spelt[full[0]]
	}
	return ""
}
