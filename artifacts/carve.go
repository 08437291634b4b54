package artifacts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
)

// A Search says how much of a stream was searched for event logs, and what was
// found.
type Search struct {
	Bytes   int64 // that were read
	Chunks  int   // of event logs
	Records int   // that could be read
	Unread  int   // of which no more than the header could be, or not all
}

// maxUnreadable is how many stretches of a stream that cannot be read are told of
// one by one.
const maxUnreadable = 64

// ReadStream runs every event artifact over the records that event logs have left
// in f, which is no log but bytes of any kind. What is found proves itself and no
// more: it is no coverage, and what cannot be read is no loss.
func ReadStream(f File, known *Known) *Emitter {
	f.State, f.Loose = evidence.Carved, true
	out := f.emitter()
	out.known, out.Search = known, &Search{}
	defer out.guard()
	arts, want := logArtifacts()
	run := newLogRun(f, out, arts, want)
	l := eventlog.Carve(f.R, f.Size)
	bad, first, lost := 0, error(nil), 0
	for rec, err := range l.Read(eventlog.Options{Jobs: f.Jobs, Slack: true, Lenders: f.Lenders}) {
		switch {
		case eventlog.IsStream(err):
			if lost++; lost <= maxUnreadable {
				out.Unreadable("", err)
			}
		case err != nil:
			if bad++; first == nil {
				first = err
			}
		case rec.Unsound:
			out.Search.Unread++
		default:
			out.Search.Records++
			run.read(rec)
			run.rows = nil
		}
	}
	run.close()
	out.Search.Bytes, out.Search.Chunks = l.Searched()
	if lost > maxUnreadable {
		out.Unreadable("", binread.Errorf(-1, "stream", "%d more stretches of bytes are not readable", lost-maxUnreadable))
	}
	if bad > 0 {
		out.Doubtful("", "", binread.Errorf(binread.Offset(first), "remains of event logs", "damaged in %d places, as is to be expected; the first: %v", bad, first))
	}
	return out
}

// vouch adds to a row what proves it without the log that it was in.
func (e *Emitter) vouch(rec *eventlog.Record, o *evidence.Observation) {
	if o.State != evidence.Carved && rec.Lent == nil {
		return
	}
	if b := make([]byte, min(rec.Len, maxSummed)); e.bytes != nil && binread.Full(e.bytes, b, rec.Off, "record") == nil {
		sum := sha256.Sum256(b)
		o.Detail = append(o.Detail, evidence.Field{Name: "sha256", Value: hex.EncodeToString(sum[:])})
	}
	if rec.Lent != nil {
		var list []string
		for _, l := range rec.Lent {
			list = append(list, LentAt(l))
		}
		o.Detail = append(o.Detail, evidence.Field{Name: "lent_templates", Value: list})
	}
}

// LentAt names the definition that a record was read with: its offset and, where
// it lies in another file, the path of that.
func LentAt(l eventlog.Lent) string { return fmt.Sprintf("%#x %s", l.Off, l.Log) }

// Known are the records that logs hold, and those that were found outside of
// them, so that a row which counts repetitions counts none twice. It is not safe
// for concurrent use.
type Known struct {
	series map[knownKey][]evidence.IDRange
	seen   map[knownRecord]bool
}

type knownKey struct{ computer, channel string } // in lower case

type knownRecord struct {
	knownKey
	id uint64
	at time.Time
}

// outOfOrder is how far the times of records may lie from the order of their
// numbers: several threads write one log.
const outOfOrder = 5 * time.Second

// maxKnown bounds the records that are remembered.
const maxKnown = 1 << 20

// Learn adds the records that logs hold, as their coverage tells.
func (k *Known) Learn(covers []evidence.Coverage) {
	if k.series == nil {
		k.series, k.seen = map[knownKey][]evidence.IDRange{}, map[knownRecord]bool{}
	}
	for _, c := range covers {
		if channel, ok := strings.CutPrefix(c.Evidence, "evtx:"); ok {
			key := knownKey{strings.ToLower(c.Computer), strings.ToLower(channel)}
			k.series[key] = append(k.series[key], c.Series...)
		}
	}
}

// take reports whether rec was not known before, and remembers it.
func (k *Known) take(rec *eventlog.Record) bool {
	key := knownKey{strings.ToLower(rec.Computer), strings.ToLower(rec.Channel)}
	for _, s := range k.series[key] {
		if rec.ID >= s.First && rec.ID <= s.Last && !rec.Time.Before(s.FirstTime.Add(-outOfOrder)) && !rec.Time.After(s.LastTime.Add(outOfOrder)) {
			return false
		}
	}
	r := knownRecord{key, rec.ID, rec.Time}
	if k.seen[r] {
		return false
	}
	if len(k.seen) < maxKnown {
		k.seen[r] = true
	}
	return true
}
