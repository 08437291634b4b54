package output

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// Omitted counts the rows that a file for another tool leaves out, because the
// tool can hold neither of their ends.
type Omitted struct {
	Undated    int `json:"undated"`      // no instant is known
	OutOfRange int `json:"out_of_range"` // none that the tool takes for a time
}

// A moment is one line for a tool that knows instants and no windows: an
// observation, or one end of what is known about a finding, a connection or a
// hole in the coverage.
type moment struct {
	at    time.Time
	means string // what the instant is: "key_last_write", "removed: not before"
	kind  string // of the row that it is of: "observation", "finding", "connection", "blind"
	text  string // one sentence that stands by itself
	id    string // of the row; "" for a hole

	host, user, sid, share, drive string

	o *evidence.Observation // nil unless kind is "observation"
	g *timeline.Gap         // nil unless kind is "finding"
	c *timeline.Connection  // nil unless kind is "connection"

	kinds  []string // of the evidence that is blind
	reason string   // why it is
}

// An end is one instant of a row.
type end struct {
	at    time.Time
	means string
}

// moments yields those of all rows of r, in the order of the report, as far as
// fits lets their times through, and counts the rows of which none is left.
func moments(r *timeline.Report, fits func(time.Time) bool, yield func(*moment) error) (Omitted, error) {
	var left Omitted
	row := func(m moment, ends []end) error {
		dated, some := false, false
		for _, e := range ends {
			if e.at.IsZero() {
				continue
			}
			dated = true
			if !fits(e.at) {
				continue
			}
			some = true
			m.at, m.means = e.at, e.means
			if err := yield(&m); err != nil {
				return err
			}
		}
		switch {
		case !dated:
			left.Undated++
		case !some:
			left.OutOfRange++
		}
		return nil
	}
	for _, part := range []func() error{
		func() error { return observationMoments(r.Observations, row) },
		func() error { return gapMoments(r.Gaps, row) },
		func() error { return connectionMoments(r.Connections, row) },
		func() error { return holeMoments(r.Coverage, row) },
	} {
		if err := part(); err != nil {
			return left, err
		}
	}
	return left, nil
}

func observationMoments(rows []evidence.Observation, row func(moment, []end) error) error {
	for i := range rows {
		o := &rows[i]
		m := moment{kind: "observation", id: o.ID, text: o.Summary, host: o.Host, user: o.User, sid: o.SID, share: o.Share, drive: o.Drive, o: o}
		if err := row(m, []end{{o.Time, string(o.TimeKind)}}); err != nil {
			return err
		}
	}
	return nil
}

func gapMoments(rows []timeline.Gap, row func(moment, []end) error) error {
	for i := range rows {
		g := &rows[i]
		m := moment{kind: "finding", id: g.ID, text: fmt.Sprintf("Finding (%s, %s): %s", g.Severity, g.Confidence, g.Claim), host: g.Host, user: g.User, sid: g.SID, share: g.Share, drive: g.Drive, g: g}
		if err := row(m, endsOf("finding", g.Window.NotBefore, g.Window.NotAfter)); err != nil {
			return err
		}
	}
	return nil
}

func connectionMoments(rows []timeline.Connection, row func(moment, []end) error) error {
	for i := range rows {
		c := &rows[i]
		of := strings.TrimSpace(c.Drive + " " + c.Share)
		m := moment{kind: "connection", id: c.ID, text: fmt.Sprintf("Connection of %s (%s).", of, strings.ReplaceAll(string(c.Status), "_", " ")), host: c.Host, user: c.User, sid: c.SID, share: c.Share, drive: c.Drive, c: c}
		ends := endsOf("mapped", c.Mapped.NotBefore, c.Mapped.NotAfter)
		ends = append(ends, end{c.FirstUsed, "first used"}, end{c.LastUsed, "last used"})
		ends = append(ends, endsOf("removed", c.Removed.NotBefore, c.Removed.NotAfter)...)
		if err := row(m, ends); err != nil {
			return err
		}
	}
	return nil
}

// holeMoments gives one row to the kinds of evidence of a host that are blind
// from one instant to another for one reason: a clock that was set makes a hole
// in every log. It leaves out, uncounted, evidence that is blind throughout: that
// is no event.
func holeMoments(rows []timeline.CoverageRow, row func(moment, []end) error) error {
	type hole struct {
		host     string
		reason   evidence.Reason
		from, to time.Time
	}
	kinds := map[hole][]string{}
	var order []hole
	for _, v := range rows {
		for _, h := range v.Holes {
			key := hole{v.Host, h.Reason, h.From.UTC(), h.To.UTC()}
			if key.from.IsZero() && key.to.IsZero() || slices.Contains(kinds[key], v.Evidence) {
				continue
			}
			if kinds[key] == nil {
				order = append(order, key)
			}
			kinds[key] = append(kinds[key], v.Evidence)
		}
	}
	for _, h := range order {
		list := kinds[h]
		m := moment{kind: "blind", text: fmt.Sprintf("Hole in the coverage of %s. %s Evidence: %s.", h.host, meaning("reason", string(h.reason)), strings.Join(list, ", ")), host: h.host, kinds: list, reason: string(h.reason)}
		if err := row(m, []end{{h.from, "blind from"}, {h.to, "blind until"}}); err != nil {
			return err
		}
	}
	return nil
}

// meaning explains a word of a field, as the page does.
func meaning(field, word string) string {
	for _, v := range vocabularies {
		for _, w := range v.Words {
			if v.Field == field && w[0] == word {
				return w[1]
			}
		}
	}
	return word + "."
}

// endsOf gives a window a line a bound, and one if it is exact.
func endsOf(what string, from, to time.Time) []end {
	if from.Equal(to) {
		return []end{{from, what + ": exactly"}}
	}
	return []end{{from, what + ": not before"}, {to, what + ": not after"}}
}

// locator says where in its file the fact lies.
func locator(p *evidence.Provenance) string {
	switch {
	case p.Channel != "":
		return fmt.Sprintf("%s record %d", p.Channel, p.RecordID)
	case p.Key != "" && p.Value != "":
		return p.Key + `\` + p.Value
	case p.Key != "":
		return p.Key
	case p.Offset >= 0:
		return fmt.Sprintf("offset %d", p.Offset)
	}
	return ""
}
