// Package output writes the rows of a report as tables, CSV and JSON. One list
// of columns for each kind of row serves all of them, so that they cannot
// disagree.
package output

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Column is one field of the rows R.
type Column[R any] struct {
	Name string // nested names are joined by "."; fields of one object follow one another
	// Get returns the value: string, []string, time.Time, bool, an integer,
	// evidence.Detail, List(...), []any of these, *string, *time.Time; nil for an
	// unknown number.
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
		b = appendCell(b, c.Name, i == 0, false)
	}
	return append(b, "\r\n"...)
}

// AppendCSV appends r as one line of CSV (RFC 4180). Line breaks inside a value
// stay as they are in the evidence; encoding/csv would change them. With safe,
// no spreadsheet takes a value for a formula.
func (l *Layout[R]) AppendCSV(b []byte, r *R, safe bool) []byte {
	for i := range l.Columns {
		b = appendCell(b, l.Columns[i].Get(r), i == 0, safe)
	}
	return append(b, "\r\n"...)
}

// appendCell appends one value of a line.
func appendCell(b []byte, v any, first, safe bool) []byte {
	if !first {
		b = append(b, ',')
	}
	if s, ok := v.(*string); ok && !safe && (*s == "" || plainRun(*s, ',') == len(*s) && (*s)[0] != ' ' && (*s)[len(*s)-1] != ' ') {
		return append(b, *s...) // as most are
	}
	start := len(b)
	b = appendText(b, v)
	if safe {
		b = append(b[:start], inert(string(b[start:]))...)
	}
	if bare(b[start:]) {
		return b
	}
	quotes := bytes.Count(b[start:], []byte{'"'})
	from, to := len(b)-1, len(b)+quotes+1
	b = append(slices.Grow(b, quotes+2), make([]byte, quotes+2)...)
	b[to] = '"'
	for to--; from >= start; from-- { // from the end, each before it is overwritten
		b[to] = b[from]
		to--
		if b[from] == '"' {
			b[to] = '"'
			to--
		}
	}
	b[start] = '"'
	return b
}

// bare reports whether s may stand in CSV without quotes. Some readers trim
// blanks, so that those at the ends need them, too.
func bare(s []byte) bool {
	if len(s) == 0 {
		return true
	}
	for _, c := range [...]byte{',', '"', '\r', '\n'} {
		if bytes.IndexByte(s, c) >= 0 {
			return false
		}
	}
	first, last := s[0], s[len(s)-1]
	if first > ' ' && first < utf8.RuneSelf && last > ' ' && last < utf8.RuneSelf {
		return true
	}
	return len(bytes.TrimSpace(s)) == len(s)
}

// inert puts an apostrophe before what makes a spreadsheet compute instead of
// showing: at the start of a cell, or behind what separates cells or lines in a
// spreadsheet that takes another character than the comma for the separator,
// and so sees no quotes. The full-width forms count in some languages.
func inert(s string) string {
	if !strings.ContainsAny(s, "=+-@\uff1d\uff0b\uff0d\uff20") {
		return s
	}
	var b strings.Builder
	start, done := 0, 0 // of the cell; what is written of s
	begins := true      // no character of the cell was seen yet
	for i, r := range s {
		switch {
		case strings.ContainsRune(";\t\r\n|", r):
			start, begins = i+1, true
		case begins && strings.ContainsRune("=+-@\uff1d\uff0b\uff0d\uff20", r):
			b.WriteString(s[done:start])
			b.WriteByte('\'')
			done, begins = start, false
		case r != ' ' && r != '"' && r != '\'':
			begins = false
		}
	}
	return b.String() + s[done:]
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
