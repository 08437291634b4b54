package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
)

// A logKey names a log, whatever files hold it.
type logKey struct{ host, channel string }

// A dispute is that one file has a record of which another one says something else.
type dispute struct {
	first   *evidence.Fact // that the other file does not state
	other   *evidence.Place
	records map[uint64]bool // their ids
}

// disputed finds the records of which two copies of a log, such as an archive or a
// shadow copy, say different things: the one that states a fact, and another one that
// has the record and does not. Windows never writes a record again. The facts are
// doubted, and the files named.
func disputed(obs []*evidence.Fact, covers []evidence.Coverage) []evidence.Problem {
	copies := map[logKey][]evidence.Coverage{}
	for _, c := range covers {
		channel, isLog := strings.CutPrefix(c.Evidence, "evtx:")
		if isLog && c.Complete && !c.Reexported && c.Place != nil && !artifacts.IsForwarded(c.Place.Path) {
			key := logKey{c.Host, strings.ToLower(channel)}
			copies[key] = append(copies[key], c)
		}
	}
	found := map[[2]*evidence.Place]*dispute{}
	var order []*dispute
	for _, o := range obs {
		if o.TimeKind != evidence.EventCreated {
			continue
		}
		from := o.From()
		files := copies[logKey{o.Host, strings.ToLower(from.Channel)}]
		if len(files) < 2 || !ofOneRecord(o) {
			continue
		}
		for _, f := range files {
			if slices.Contains(o.Views(), f.Place) || !hasRecord(f.Series, o) {
				continue
			}
			pair := [2]*evidence.Place{from.Place, f.Place}
			d := found[pair]
			if d == nil {
				d = &dispute{first: o, other: f.Place, records: map[uint64]bool{}}
				found[pair], found[[2]*evidence.Place{f.Place, from.Place}] = d, d
				order = append(order, d)
			}
			d.records[from.RecordID] = true
			if o.Detail.Get("doubt") == nil {
				own := o.Own()
				own.Detail = append(own.Detail, evidence.Field{Name: "doubt", Value: "the copy of the record in " + nameOf(f.Place) + " does not say so"})
			}
		}
	}
	var problems []evidence.Problem
	for _, d := range order {
		from := d.first.From()
		what := fmt.Sprintf("record %d of %s, of %s, says something else in %s", from.RecordID, from.Channel, evidence.FormatTime(d.first.Time), nameOf(d.other))
		if n := len(d.records) - 1; n > 0 {
			what = fmt.Sprintf("%s, and so do %d more of its records", what, n)
		}
		problems = append(problems, evidence.Problem{Severity: evidence.Warning, What: what + ": one of the two was changed after Windows wrote it, or they are of two computers of one name", From: from})
	}
	return problems
}

// ofOneRecord reports whether o says what one record says, whatever others are in its
// file. Logons are facts only where others belong to them, and what a collector was
// sent is more than the record that it is of.
func ofOneRecord(o *evidence.Fact) bool {
	return o.Action != evidence.Logon && o.Action != evidence.Logoff && (o.State == evidence.Live || o.State == evidence.Shadow) && o.Detail.Get("doubt") == nil && o.Detail.Get("count") == nil && !artifacts.Joins(o.Artifact) && !artifacts.IsForwarded(o.From().Path)
}

// hasRecord reports whether unbroken runs of ids have the record that o is of: ids may
// begin anew, so that its time must fall in the run, too.
func hasRecord(runs []evidence.IDRange, o *evidence.Fact) bool {
	id := o.From().RecordID
	return slices.ContainsFunc(runs, func(r evidence.IDRange) bool {
		return r.First <= id && id <= r.Last && !o.Time.Before(r.FirstTime) && !o.Time.After(r.LastTime)
	})
}

// nameOf names a file, and its shadow copy if it is of one.
func nameOf(p *evidence.Place) string {
	if p.Snapshot != "" {
		return p.Path + " of the shadow copy " + p.Snapshot
	}
	return p.Path
}
