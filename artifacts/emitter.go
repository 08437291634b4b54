package artifacts

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
	"sharetrail/parsers/hive"
)

// An Emitter collects what the artifacts find in one file. It stamps the
// artifact and the place, so that no artifact can forget or confuse them. It
// is not safe for concurrent use and need not be: every file has its own.
type Emitter struct {
	Observations []*evidence.Fact
	Coverage     []evidence.Coverage
	Problems     []evidence.Problem
	Places       []*evidence.Place // all that the observations were read at
	Search       *Search           // of a stream; else nil

	place    *evidence.Place
	views    []*evidence.Place // place alone, shared by the rows
	artifact string
	state    evidence.State
	user     string // of a user hive
	keys     []string
	witness  map[witnessKey]*evidence.Witness
	base     int64       // of bytes in the file as Windows had it
	bytes    io.ReaderAt // of the file, if it is no hive
	hive     *hive.Hive  // whose view is being read
	logs     map[string]*evidence.Place
	loose    bool // hosts come from the records, not from the volume
	unmasked bool // --show-secrets
	// allContext keeps every context fact, whatever it may be good for.
	allContext bool
	sessions   sessions
	floods     floods
	same       sameAs
	known      *Known // what is not to be counted again; nil in logs
	told       map[evidence.Problem]bool
	// first and last are the span of time that a file tells of without a break.
	first, last time.Time
}

// stamp fills what every observation of this file shares.
func (e *Emitter) stamp(o evidence.Observation) evidence.Observation {
	o.Artifact = e.artifact
	if o.State == "" {
		o.State = e.state
	}
	if o.State == evidence.Deleted && o.Action == evidence.Mapped {
		o.Action = evidence.Present // of a deleted file it is not known until when it held
	}
	if o.User == "" && o.Side != evidence.Server {
		o.User = e.user
	}
	o.From.Place = e.place
	if len(e.views) == 0 || e.views[0] != e.place {
		e.views = []*evidence.Place{e.place}
	}
	o.Views = e.views // which has no room: to append is to copy
	return o
}

// origin moves a fact to the transaction log that its bytes came from, if they
// differ from the primary's.
func (e *Emitter) origin(o *evidence.Observation) {
	if e.hive == nil || o.From.Offset < 0 || !e.hive.Changed(o.From.Offset, max(o.From.Length, 1)) {
		return
	}
	log, off, replayed := e.hive.Origin(o.From.Offset)
	if !replayed {
		return
	}
	o.From.Place, o.From.Offset = e.logPlace(log), off
	if o.State == evidence.Live {
		o.State = evidence.Replayed
	}
}

// logPlace returns the place that a transaction log of the hive is.
func (e *Emitter) logPlace(log string) *evidence.Place {
	p := e.logs[log]
	if p == nil {
		c := *e.place
		c.Path = path.Join(path.Dir(e.place.Path), log)
		p = &c
		if e.logs == nil {
			e.logs = map[string]*evidence.Place{}
		}
		e.logs[log] = p
		e.Places = append(e.Places, p)
	}
	return p
}

// ObserveKey records o as what key k states, with the key's last write as its
// time unless o has one.
func (e *Emitter) ObserveKey(k *hive.Key, o evidence.Observation) {
	o = e.stamp(o)
	o.From.Offset, o.From.Length, o.From.Key = k.Off, k.Len, k.Path
	if o.Time.IsZero() && o.TimeKind == "" {
		o.Time, o.TimeKind = k.LastWrite, evidence.KeyLastWrite
	}
	e.origin(&o)
	e.Observations = append(e.Observations, evidence.NewFact(o))
}

// ObserveValue records o as what value v of key k states. Its time is the last
// write of the key; newest says whether v is the entry that the last write
// belongs to, so that it is not only an upper bound.
func (e *Emitter) ObserveValue(k *hive.Key, v *hive.Value, newest bool, o evidence.Observation) {
	o = e.stamp(o)
	o.From.Offset, o.From.Length, o.From.Key, o.From.Value = v.Off, v.Len, k.Path, v.Name
	o.Time, o.TimeKind = k.LastWrite, evidence.AtOrBefore
	if newest {
		o.TimeKind = evidence.KeyLastWrite
	}
	e.origin(&o)
	e.Observations = append(e.Observations, evidence.NewFact(o))
}

// ObserveRecord records o as what event record rec states.
func (e *Emitter) ObserveRecord(rec *eventlog.Record, o evidence.Observation) {
	o = e.stamp(o)
	o.From.Offset, o.From.Length = rec.Off, rec.Len
	o.From.Channel, o.From.Provider, o.From.EventID, o.From.RecordID = rec.Channel, rec.Provider, rec.EventID, rec.ID
	if o.Time.IsZero() {
		o.Time, o.TimeKind = rec.Time, evidence.EventCreated
	}
	// A collected log may hold the records of other computers.
	if e.loose {
		o.Host = rec.Computer
	}
	if !e.loose || o.State == evidence.Carved {
		o.Detail = append(o.Detail, evidence.Field{Name: "Computer", Value: rec.Computer})
	}
	if rec.Doubt != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "doubt", Value: rec.Doubt})
	}
	e.vouch(rec, &o)
	e.keep(evidence.NewFact(o))
}

type witnessKey struct{ channel, what string }

// Witness records that rec proves what to have been recorded at its time. Call
// it for every record of the kind, also for those that become no observation.
func (e *Emitter) Witness(rec *eventlog.Record, what string) {
	k := witnessKey{rec.Channel, what}
	w := e.witness[k]
	if w == nil {
		if e.witness == nil {
			e.witness = map[witnessKey]*evidence.Witness{}
		}
		w = &evidence.Witness{What: what, First: rec.Time, Last: rec.Time}
		e.witness[k] = w
	}
	w.Count++
	if rec.Time.Before(w.First) {
		w.First = rec.Time
	}
	if rec.Time.After(w.Last) {
		w.Last = rec.Time
	}
}

// Attest records that the key path was looked up and read whole: what was not
// observed there is absent, as of this file's state.
func (e *Emitter) Attest(key string) { e.keys = append(e.keys, key) }

// Unreadable records that err hid something.
func (e *Emitter) Unreadable(key string, err error) { e.problem(evidence.Error, key, "", err) }

// Doubtful records that something was read but must be doubted.
func (e *Emitter) Doubtful(key, value string, err error) {
	e.problem(evidence.Warning, key, value, err)
}

// problem records a problem once: artifacts meet the same one.
func (e *Emitter) problem(s evidence.Severity, key, value string, err error) {
	p := evidence.Problem{
		Severity: s, What: err.Error(),
		From: evidence.Provenance{Place: e.place, Offset: binread.Offset(err), Length: -1, Key: key, Value: value},
	}
	if e.told[p] {
		return
	}
	if e.told == nil {
		e.told = map[evidence.Problem]bool{}
	}
	e.told[p] = true
	e.Problems = append(e.Problems, p)
}

// binaryValue returns a value of k and its data. Where there is none it is nil
// without an error, and path is attested: the key was read whole and lacks it.
func binaryValue(k *hive.Key, name, path string, out *Emitter) (*hive.Value, []byte, error) {
	v, err := k.Value(name)
	if isAbsent(err) {
		out.Attest(path)
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	b, err := v.Bytes()
	if err != nil {
		return nil, nil, err
	}
	return v, b, nil
}

// lookup opens the key path. It attests the key's absence (nil, nil) or gives
// the error that hides it.
func lookup(in *Hive, path string, out *Emitter) (*hive.Key, error) {
	k, err := in.Key(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		out.Attest(path)
		return nil, nil
	case err == errElsewhere: // neither there nor attested absent
		return nil, nil
	}
	return k, err
}

// text returns the text of value name of k: "" if it is absent. Damage becomes
// a Problem, and text behind the first NUL a warning: it is a place to hide.
func text(k *hive.Key, name string, out *Emitter) string {
	v, err := k.Value(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		out.Unreadable(k.Path, err)
		return ""
	}
	return valueText(k, v, out)
}

// valueText returns the text of v, which lies in k.
func valueText(k *hive.Key, v *hive.Value, out *Emitter) string {
	s, trailing, err := v.Text()
	if err != nil {
		out.Unreadable(k.Path, err)
	}
	if trailing != "" {
		out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value data", "text hidden behind the first NUL: %q", trailing))
	}
	return s
}

// number returns the DWORD or QWORD value name of k; ok is false if it is
// absent or of another type.
func number(k *hive.Key, name string) (n uint64, ok bool) {
	v, err := k.Value(name)
	if err != nil {
		return 0, false
	}
	return v.Uint()
}
