package artifacts

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"
)

// A Hive is a registry hive with what its path says about its owner.
type Hive struct {
	*hive.Hive
	Path    string // inside the volume
	Profile string // name of the profile folder; "" if the path does not tell
	part    string // the key that is the root here, with a "\": a saved part of a hive; "" for a whole one
}

// errElsewhere says that a key cannot lie in the part of a hive that was saved.
var errElsewhere = errors.New("not in the saved part of the hive")

// Key opens a key by its path below the root of the whole hive.
func (in *Hive) Key(path string) (*hive.Key, error) {
	if in.part == "" {
		return in.Hive.Key(path)
	}
	if len(path) <= len(in.part) || !strings.EqualFold(path[:len(in.part)], in.part) {
		return nil, errElsewhere
	}
	return in.Hive.Key(path[len(in.part):])
}

// A File is one evidence file to read.
type File struct {
	Place    *evidence.Place
	R        io.ReaderAt
	Size     int64 // bytes
	Loose    bool  // outside any Windows tree: its records say which host they belong to
	Unmasked bool  // leave secrets in command lines as they are
	// AllContext asks for every context fact, also for those that can bound no
	// row: logons of services and of the network that nothing else belongs to.
	AllContext bool
	Logs       []hive.LogFile // of a hive: the transaction logs beside it
	Former     bool           // of an installation of Windows that another one replaced
	NoDeleted  bool           // leave out what was deleted and can be recovered
	State      evidence.State // of the file: Live if "", Shadow in a snapshot, Deleted if its MFT record was free
	// Directory finds the path of a directory of the volume by its reference; nil if
	// that is not known. Of a change journal only.
	Directory func(ref uint64) (dir string, ok bool)
	Base      int64             // where R begins in the file as Windows had it, in bytes; offsets in rows are in that
	Carve     bool              // of a log: also what can be read with the templates of other chunks only
	Lenders   []eventlog.Lender // logs whose templates may be used for that
	Jobs      int               // of a log: chunks that are read at the same time; nothing else depends on it
}

func (f File) emitter() *Emitter {
	return &Emitter{place: f.Place, bytes: f.R, state: cmp.Or(f.State, evidence.Live), loose: f.Loose, unmasked: f.Unmasked, allContext: f.AllContext, base: f.Base}
}

// guard turns a panic of a parser, which third-party ones are prone to on
// damaged input, into a Problem: it costs the rest of this file, not the run.
func (e *Emitter) guard() {
	if r := recover(); r != nil {
		e.Unreadable("", binread.Errorf(-1, "parser", "gave up: %v", r))
	}
}

// wanted maps channel, provider and id to the artifacts that want the record.
type wanted map[string][]int

func eventKey(channel, provider string, id uint32) string {
	return strings.ToLower(channel) + "\x00" + strings.ToLower(provider) + fmt.Sprintf("\x00%d", id)
}

// logArtifacts returns the artifacts that are read from logs, and what each wants.
var logArtifacts = sync.OnceValues(func() (arts []*Artifact, want wanted) {
	want = wanted{}
	for _, a := range All() {
		if a.OpenLog == nil {
			continue
		}
		for _, e := range a.Events {
			for _, id := range e.IDs {
				k := eventKey(e.Channel, e.Provider, id)
				want[k] = append(want[k], len(arts))
			}
		}
		arts = append(arts, a)
	}
	return arts, want
})

// sample: of the rows from records of one shape, the second decoder reads the first
// few and then every sample-th.
const sample = 64

// ReadLog runs every event artifact over f, in one pass. Each wanted record is
// read by our decoder; of those that become rows the evtx library reads a
// sample of every shape as well, and a row on which the two differ says so.
func ReadLog(f File) *Emitter {
	out := f.emitter()
	defer out.guard()
	l, err := eventlog.Open(f.R, f.Size)
	if err != nil {
		out.Unreadable("", err)
		return out
	}
	arts, want := logArtifacts()
	run, old := newLogRun(f, out, arts, want), newLogRun(f, f.emitter(), arts, want)
	old.out.state = evidence.Deleted
	live := func(rec *eventlog.Record) bool { return rec.State == "live" && run.read(rec) }
	for rec, err := range l.Read(eventlog.Options{Want: live, Sample: sample, Jobs: f.Jobs, Slack: !f.NoDeleted, Own: !f.Carve, Lenders: f.Lenders}) {
		switch {
		case err != nil:
			out.Unreadable("", err)
		case rec.State == "live":
			run.check(rec)
		case !rec.Unsound && (f.Carve || rec.Lent == nil):
			// One that is read in part may say what it never said: it is no
			// fact. Nor is, unless it is asked for, one that is read with the
			// definition of another place.
			old.read(rec)
			old.rows = nil
		}
	}
	run.close()
	old.close()
	census := l.Census()
	out.Observations = append(out.Observations, replacedOnly(old.out.Observations, &census)...)
	sent := holdsForwarded(f.Place.Path, &census)
	if sent {
		for _, o := range out.Observations { // what other computers sent is about them
			o.Host = cmp.Or(o.Host, o.Detail.Text("Computer"))
		}
	}
	f.coverLog(&census, out, f.Loose || sent)
	return out
}

// holdsForwarded reports whether a log holds what other computers sent: Windows
// writes the records of one channel to one file, a collector those of many.
func holdsForwarded(at string, census *eventlog.Census) bool {
	if IsForwarded(at) {
		return true
	}
	first := ""
	for _, c := range census.Channels {
		if first == "" {
			first = c.Channel
		} else if !strings.EqualFold(first, c.Channel) {
			return true
		}
	}
	return false
}

// IsForwarded reports whether a log is, by its name, the one that a collector writes
// what other computers sent to.
func IsForwarded(at string) bool { return strings.EqualFold(path.Base(at), "ForwardedEvents.evtx") }

// replacedOnly returns the rows of records that lie outside the record lists
// and are not in them too: Windows leaves copies of what it writes again.
func replacedOnly(obs []*evidence.Fact, census *eventlog.Census) []*evidence.Fact {
	return slices.DeleteFunc(obs, func(o *evidence.Fact) bool {
		from := o.From()
		for _, c := range census.Channels {
			if !strings.EqualFold(c.Channel, from.Channel) {
				continue
			}
			i, found := slices.BinarySearchFunc(c.Series, from.RecordID, func(s eventlog.IDRange, id uint64) int {
				switch {
				case s.Last < id:
					return -1
				case s.First > id:
					return 1
				}
				return 0
			})
			if found && i < len(c.Series) {
				return true
			}
		}
		return false
	})
}

// WantsChannel reports whether an artifact is read from an event channel.
func WantsChannel(channel string) bool {
	return slices.ContainsFunc(registry, func(a *Artifact) bool {
		return slices.ContainsFunc(a.Events, func(e Events) bool { return strings.EqualFold(e.Channel, channel) })
	})
}

// Joins reports whether what an artifact says of a record may depend on others in
// the same log.
func Joins(artifact string) bool {
	return slices.ContainsFunc(registry, func(a *Artifact) bool { return a.Name == artifact && a.Joins })
}

func newLogRun(f File, out *Emitter, arts []*Artifact, want wanted) *logRun {
	return &logRun{out: out, arts: arts, routes: routes{want: want, seen: map[route][]int{}}}
}

// reader returns the reader of an artifact, which most logs have nothing for.
func (r *logRun) reader(i int) LogReader {
	if r.readers == nil {
		r.readers = make([]LogReader, len(r.arts))
	}
	if r.readers[i].Read == nil {
		r.readers[i] = r.arts[i].OpenLog()
	}
	return r.readers[i]
}

// close ends the reading.
func (r *logRun) close() {
	for i, reader := range r.readers {
		if reader.Close != nil {
			r.out.artifact = r.arts[i].Name
			reader.Close(r.out)
		}
	}
}

// A logRun is the reading of one log.
type logRun struct {
	out     *Emitter
	arts    []*Artifact
	readers []LogReader // by artifact, once it has read a record
	routes  routes
	rows    []rowSpan // of records that were read and not yet checked, in file order
}

// A rowSpan tells which observations a record became.
type rowSpan struct {
	off      int64  // of the record
	from, to int    // in Emitter.Observations
	doubt    string // of the record when it was read
	err      error
}

// read runs the artifacts that want rec over it and reports whether it became
// anything that a second decoder should confirm.
func (r *logRun) read(rec *eventlog.Record) bool {
	to := r.routes.of(rec)
	if len(to) == 0 {
		return false
	}
	if rec.Channel == securityChannel && !failed(rec) {
		if kind := evidence.AuditedAs(rec.EventID); kind != "" {
			r.out.Witness(rec, kind)
		}
	}
	span := rowSpan{off: rec.Off, from: len(r.out.Observations), doubt: rec.Doubt}
	fields, err := rec.Data()
	span.err = err
	for _, i := range to {
		r.out.artifact = r.arts[i].Name
		r.reader(i).Read(rec, fields, r.out)
	}
	span.to = len(r.out.Observations)
	if span.err == nil && span.from == span.to {
		return false
	}
	r.rows = append(r.rows, span)
	return true
}

// check compares what became of rec with the library's reading of it.
func (r *logRun) check(rec *eventlog.Record) {
	if len(r.rows) == 0 || r.rows[0].off != rec.Off {
		return
	}
	span := r.rows[0]
	if r.rows = r.rows[1:]; len(r.rows) == 0 {
		r.rows = nil
	}
	_, err := rec.Data()
	if err = cmp.Or(span.err, err); err != nil {
		r.out.Unreadable("", fmt.Errorf("record %d of %s: %w", rec.ID, rec.Channel, err))
	}
	if rec.Doubt == span.doubt {
		return
	}
	for i := span.from; i < span.to; i++ {
		o := r.out.Observations[i].Own()
		o.Detail = append(o.Detail, evidence.Field{Name: "doubt", Value: rec.Doubt})
	}
}

// A route is what decides which artifacts want a record.
type route struct {
	channel, provider string
	id                uint32
}

// routes remembers decisions: a log has few kinds of records and many of each.
type routes struct {
	want wanted
	seen map[route][]int
}

func (m *routes) of(rec *eventlog.Record) []int {
	r := route{rec.Channel, rec.Provider, rec.EventID}
	to, ok := m.seen[r]
	if !ok {
		to = append(append([]int(nil), m.want[eventKey(r.channel, r.provider, r.id)]...), m.want[eventKey("", r.provider, r.id)]...)
		if len(m.seen) < 1<<14 { // hostile logs may have as many kinds as records
			m.seen[r] = to
		}
	}
	return to
}

// coverLog records what a log could have told, one Coverage a channel and host.
func (f File) coverLog(census *eventlog.Census, out *Emitter, loose bool) {
	complete := !slices.ContainsFunc(out.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error })
	for _, b := range census.BadChunks {
		out.Doubtful("", "", binread.Errorf(b.Off, fmt.Sprintf("chunk %d", b.Number), "%s: its records are read and must be doubted", b.Why))
	}
	for _, h := range census.Holes {
		out.Doubtful("", "", binread.Errorf(h.Off, fmt.Sprintf("chunk %d", h.Chunk), "%d of the %d records that its header counts are not in it, and none of its bytes are damaged", h.Missing, h.Of))
	}
	if census.HeadersChanged() {
		out.Doubtful("", "", binread.Errorf(-1, "record headers", "%d of %d have another number than the event, %d no time: too few for an export", census.HeaderIDDiffers, census.Records, census.HeaderTimeZero))
	}
	for _, c := range census.Channels {
		cov := evidence.Coverage{
			Evidence: "evtx:" + c.Channel, Records: int64(c.Count), Complete: complete,
			From: c.Oldest.Time, To: c.Newest.Time, AsOf: c.Newest.Time,
			Computer: c.Computer, Reexported: census.Reexported(), Place: f.Place,
		}
		if complete && census.HeaderIDDiffers == 0 && !census.Filled && !strings.HasPrefix(strings.ToLower(path.Base(f.Place.Path)), "archive-") {
			cov.Unfilled = f.Size
		}
		for _, what := range slices.Concat([]string{evidence.CommandLines, evidence.ShareAccess}, evidence.AuditKinds) {
			if w := out.witness[witnessKey{c.Channel, what}]; w != nil {
				cov.Witnesses = append(cov.Witnesses, *w)
			}
		}
		if loose {
			cov.Host = c.Computer
		}
		for _, s := range c.Series {
			cov.Series = append(cov.Series, evidence.IDRange{First: s.First, Last: s.Last, FirstTime: s.FirstTime, LastTime: s.LastTime})
		}
		for _, b := range c.SetBack {
			cov.SetBack = append(cov.SetBack, evidence.SetBack(b))
		}
		for _, x := range c.Silences {
			cov.Silences = append(cov.Silences, evidence.Span(x))
		}
		if f.Place.Snapshot == "" && f.Place.AsOf.Before(c.Newest.Time) {
			f.Place.AsOf = c.Newest.Time
		}
		out.Coverage = append(out.Coverage, cov)
	}
}

// Unopened returns what there is to say of a file that could not be opened.
func Unopened(f File, err error) *Emitter {
	out := f.emitter()
	out.Unreadable("", err)
	return out
}
