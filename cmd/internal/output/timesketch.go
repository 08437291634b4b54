package output

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"sharetrail/timeline"
)

// TimesketchName is the name of the file for Timesketch in a folder of results.
const TimesketchName = "timesketch.jsonl"

// A TimesketchCount says what a file for Timesketch holds and what not.
type TimesketchCount struct {
	Events int `json:"events"`
	Omitted
}

// timesketchFits reports whether the importer takes a time for one: it drops
// years before 1700 and those of more than four digits.
func timesketchFits(t time.Time) bool { return t.Year() >= 1700 && t.Year() <= 9999 }

// timesketchTime is to the microsecond, as timestamp is: two clock readings that
// differ would make an examiner ask which one holds.
const timesketchTime = "2006-01-02T15:04:05.000000-07:00"

// timesketchMandatory is how many of the fields, the first ones, every event has.
const timesketchMandatory = 4

// timesketchColumns are the fields of an event: message, datetime, timestamp,
// timestamp_desc and tag as the importer (timesketch/lib/utils.py) and the
// analyzers know them, names of plaso where it has one. One name has one type in
// all events, because the index derives a type from the first that it sees.
var timesketchColumns = []Column[moment]{
	{"message", func(m *moment) any { return m.text }},
	{"datetime", func(m *moment) any { return m.at.UTC().Format(timesketchTime) }},
	// Always a number: an integer of ours above 2^53, which 2255 has, is text.
	{"timestamp", func(m *moment) any { return json.Number(strconv.FormatInt(m.at.UnixMicro(), 10)) }},
	{"timestamp_desc", func(m *moment) any { return strings.ReplaceAll(m.means, "_", " ") }},
	{"tag", func(m *moment) any { return m.tags() }},
	{"data_type", func(m *moment) any { return "sharetrail:" + m.kind }},
	{"hostname", func(m *moment) any { return m.host }},
	{"username", func(m *moment) any { return m.user }},
	{"user_sid", func(m *moment) any { return m.sid }},
	{"drive_letter", func(m *moment) any { return m.drive }},
	{"share_unc", func(m *moment) any { return m.share }},
	{"server_name", func(m *moment) any { server, _ := serverOf(m.share); return server }},
	{"share_name", func(m *moment) any { _, name := serverOf(m.share); return name }},
	{"row_id", func(m *moment) any { return m.id }},
	{"time_100ns", func(m *moment) any { return m.at }},
	{"event_class", func(m *moment) any { return m.class() }},
	{"confidence", func(m *moment) any { return m.confidence() }},
	{"severity", ofGap(func(g *gap) any { return string(g.Severity) })},
	{"rule", ofGap(func(g *gap) any { return g.Rule })},
	{"finding_rows", ofGap(func(g *gap) any { return g.Observations })},
	{"attack_technique", func(m *moment) any { return m.attack() }},
	{"artifact", ofObservation(func(o *observation) any { return o.Artifact })},
	{"source_address", ofObservation(func(o *observation) any { return o.Peer })},
	{"logon_id", ofObservation(func(o *observation) any { return o.LogonID })},
	{"process_image", ofProcess(func(o *observation) any { return o.Process.Image })},
	{"command_line", ofProcess(func(o *observation) any { return o.Process.CommandLine })},
	{"parent_image", ofProcess(func(o *observation) any { return o.Process.ParentImage })},
	{"evidence_state", ofObservation(func(o *observation) any { return string(o.State) })},
	{"evidence_source", ofObservation(func(o *observation) any { return place(&o.From).Source })},
	{"evidence_volume", ofObservation(func(o *observation) any { return place(&o.From).Volume })},
	{"evidence_file", ofObservation(func(o *observation) any { return place(&o.From).Path })},
	{"evidence_locator", ofObservation(func(o *observation) any { return locator(&o.From) })},
	{"evidence_offset", ofObservation(func(o *observation) any {
		if o.From.Offset < 0 || o.From.Offset > maxExact {
			return nil
		}
		return o.From.Offset // bytes, in evidence_file
	})},
	{"key_path", ofObservation(func(o *observation) any { return o.From.Key })},
	{"channel", ofObservation(func(o *observation) any { return o.From.Channel })},
	{"event_identifier", ofRecord(func(o *observation) any { return o.From.EventID })},
	{"record_number", ofRecord(func(o *observation) any { return o.From.RecordID })},
	{"evidence_kind", func(m *moment) any { return m.kinds }},
}

func ofGap(get func(*gap) any) func(*moment) any {
	return func(m *moment) any {
		if m.g == nil {
			return nil
		}
		return get(m.g)
	}
}

func ofObservation(get func(*observation) any) func(*moment) any {
	return func(m *moment) any {
		if m.o == nil {
			return nil
		}
		return get(m.o)
	}
}

func ofProcess(get func(*observation) any) func(*moment) any {
	return ofObservation(func(o *observation) any {
		if o.Process == nil {
			return nil
		}
		return get(o)
	})
}

func ofRecord(get func(*observation) any) func(*moment) any {
	return ofObservation(func(o *observation) any {
		// 64-bit numbers above 2^53 are text in JSON, and one name must have one type.
		if o.From.Channel == "" || o.From.RecordID > maxExact {
			return nil
		}
		return get(o)
	})
}

// WriteTimesketch writes r for the importer of Timesketch, as JSON Lines. A field
// without a value is left out, but for those that the importer demands.
func WriteTimesketch(w io.Writer, r *timeline.Report) (TimesketchCount, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	var count TimesketchCount
	var b []byte
	left, err := moments(r, timesketchFits, func(m *moment) error {
		count.Events++
		b = append(b[:0], '{')
		for i, c := range timesketchColumns {
			v := c.Get(m)
			if i >= timesketchMandatory && unset(v) {
				continue
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, c.Name)
			b = append(b, ':')
			b = AppendJSON(b, v, true)
		}
		_, err := out.Write(append(b, '}', '\n'))
		return err
	})
	count.Omitted = left
	return count, firstError(err, out.Flush)
}

// unset reports whether v says nothing.
func unset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	}
	return false
}

// tags are what an analyst filters by first.
func (m *moment) tags() []string {
	var out []string
	if m.g != nil {
		out = append(out, "finding", string(m.g.Severity))
	}
	return append(out, m.attack()...)
}

func (m *moment) attack() []string {
	switch {
	case m.o != nil:
		return m.o.Attack
	case m.g != nil:
		return m.g.Attack
	}
	return nil
}

// class says what happened, in the words of the row.
func (m *moment) class() string {
	switch {
	case m.o != nil:
		return string(m.o.Action)
	case m.c != nil:
		return string(m.c.Status)
	case m.reason != "":
		return m.reason
	}
	return "gap"
}

func (m *moment) confidence() string {
	switch {
	case m.g != nil:
		return string(m.g.Confidence)
	case m.c != nil:
		return string(m.c.Confidence)
	}
	return ""
}

// serverOf takes \\server\share apart.
func serverOf(unc string) (server, name string) {
	rest, ok := strings.CutPrefix(unc, `\\`)
	if !ok {
		return "", ""
	}
	server, name, _ = strings.Cut(rest, `\`)
	return server, name
}
