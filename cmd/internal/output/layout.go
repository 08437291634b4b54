// Package output writes the rows of a report as tables, CSV and JSON. One list
// of columns for each kind of row serves all of them, so that they cannot
// disagree.
package output

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Column is one field of the rows R.
type Column[R any] struct {
	Name string // nested names are joined by "."; fields of one object follow one another
	// Get returns the value: string, []string, time.Time, bool, an integer,
	// evidence.Detail, List(...), []any of these; nil for an unknown number.
	Get func(*R) any
}

// A Cell is one column of the table that people read.
type Cell[R any] struct {
	Head string
	Text func(r *R, z Zone) string
	Wrap bool // may be broken over lines
	Drop int  // the cells with the highest number are left out first where the terminal is narrow; 0: never
}

// A Layout says how rows of type R are written.
type Layout[R any] struct {
	Name    string // of one row: "gap"
	Columns []Column[R]
	Cells   []Cell[R]

	lead []string // what JSON has before the value of each column
	tail string
	keys *Layout[R] // the same with sorted keys
}

// NewLayout makes a Layout whose JSON and CSV have the given columns.
func NewLayout[R any](name string, columns ...Column[R]) *Layout[R] {
	l := plain(name, columns)
	sorted := slices.SortedFunc(slices.Values(columns), func(a, b Column[R]) int { return cmp.Compare(a.Name, b.Name) })
	l.keys = plain(name, sorted)
	return l
}

func plain[R any](name string, columns []Column[R]) *Layout[R] {
	l := &Layout[R]{Name: name, Columns: columns}
	var open []string // objects around the value before
	sep := "{"
	for _, c := range columns {
		parts := strings.Split(c.Name, ".")
		objects, field := parts[:len(parts)-1], parts[len(parts)-1]
		same := 0
		for same < min(len(open), len(objects)) && open[same] == objects[same] {
			same++
		}
		lead := strings.Repeat("}", len(open)-same) + sep
		for _, name := range objects[same:] {
			lead += `"` + name + `":{`
		}
		l.lead = append(l.lead, lead+`"`+field+`":`)
		open, sep = objects, ","
	}
	l.tail = strings.Repeat("}", len(open)) + "}"
	return l
}

// AppendJSON appends r as one JSON object.
func (l *Layout[R]) AppendJSON(b []byte, r *R) []byte { return l.appendJSON(b, r, false) }

func (l *Layout[R]) appendJSON(b []byte, r *R, sorted bool) []byte {
	if sorted && l.keys != nil {
		l = l.keys
	}
	for i := range l.Columns {
		b = append(b, l.lead[i]...)
		b = AppendJSON(b, l.Columns[i].Get(r), sorted)
	}
	return append(b, l.tail...)
}

// AppendNamed appends r as AppendJSON does, after a first field "row" that
// tells apart the kinds of rows in one stream.
func (l *Layout[R]) AppendNamed(b []byte, r *R) []byte {
	b = append(b, `{"row":`...)
	b = appendString(b, l.Name)
	at := len(b)
	b = l.AppendJSON(b, r)
	b[at] = ',' // was the brace
	return b
}

// AppendHeader appends the header line of CSV.
func (l *Layout[R]) AppendHeader(b []byte) []byte {
	for i, c := range l.Columns {
		b = appendField(b, c.Name, i == 0)
	}
	return append(b, "\r\n"...)
}

// AppendCSV appends r as one line of CSV (RFC 4180). Line breaks inside a value
// stay as they are in the evidence; encoding/csv would change them. With safe,
// no spreadsheet takes a value for a formula.
func (l *Layout[R]) AppendCSV(b []byte, r *R, safe bool) []byte {
	for i := range l.Columns {
		s := Text(l.Columns[i].Get(r))
		if safe {
			s = inert(s)
		}
		b = appendField(b, s, i == 0)
	}
	return append(b, "\r\n"...)
}

// formula matches what makes a spreadsheet compute instead of showing: at the
// start of a cell, or behind what separates cells or lines in a spreadsheet that
// takes another character than the comma for the separator, and so sees no
// quotes. The full-width forms count in some languages.
var formula = regexp.MustCompile("(^|[;\t\r\n|])([ \"']*)([=+@\uff1d\uff0b\uff0d\uff20-])")

// inert puts an apostrophe before each such character.
func inert(s string) string { return formula.ReplaceAllString(s, "$1'$2$3") }

func appendField(b []byte, s string, first bool) []byte {
	if !first {
		b = append(b, ',')
	}
	if !strings.ContainsAny(s, ",\"\r\n") && strings.TrimSpace(s) == s {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

type list[S any] struct {
	layout *Layout[S]
	rows   []S
}

func (l list[S]) appendJSON(b []byte, sorted bool) []byte {
	b = append(b, '[')
	for i := range l.rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = l.layout.appendJSON(b, &l.rows[i], sorted)
	}
	return append(b, ']')
}

// List makes a value of a Column from rows that have a layout of their own.
func List[S any](layout *Layout[S], rows []S) any { return list[S]{layout, rows} }

// nest makes the columns of an object inside a row.
func nest[R, S any](name string, get func(*R) *S, columns []Column[S]) []Column[R] {
	var out []Column[R]
	for _, c := range columns {
		out = append(out, Column[R]{name + "." + c.Name, func(r *R) any { return c.Get(get(r)) }})
	}
	return out
}

// A Zone is the time zone of a table. The zero Zone is UTC.
type Zone struct{ Location *time.Location }

// Time renders t for a table: to the second, with its offset.
func (z Zone) Time(t time.Time) string { return z.format(t, "2006-01-02T15:04:05Z07:00") }

func (z Zone) format(t time.Time, layout string) string {
	switch {
	case t.IsZero():
		return ""
	case z.Location == nil:
		return t.UTC().Format(layout)
	}
	return t.In(z.Location).Format(layout)
}

// Span renders the time between from and to, either of which may be open.
func (z Zone) Span(from, to time.Time) string {
	a, b := z.Time(from), z.Time(to)
	switch {
	case from.IsZero() && to.IsZero():
		return "unknown"
	case from.IsZero():
		return "until " + b
	case to.IsZero():
		return "since " + a
	case from.Equal(to):
		return a
	case a == b: // the difference is below a second
		const full = "2006-01-02T15:04:05.0000000Z07:00"
		a, b = z.format(from, full), z.format(to, full)
	}
	return a + " to " + b
}
