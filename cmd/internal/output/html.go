package output

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// HTMLOptions says how a report page is made.
type HTMLOptions struct {
	Zone      Zone            // of the times that the page shows; its data stays UTC
	Rules     []timeline.Rule // explained in the section on method
	Artifacts []HTMLArtifact  // likewise
	MaxRows   int             // rows of the timeline that the page holds at most; 0: DefaultHTMLRows
}

// DefaultHTMLRows is how many rows of the timeline a page holds: a browser
// opens no page of many gigabytes. The page says what it leaves out.
const DefaultHTMLRows = 250_000

// An HTMLArtifact says what rows of one artifact prove.
type HTMLArtifact struct {
	Name         string `json:"name"`
	Title        string `json:"title"`
	Proves       string `json:"proves"`
	DoesNotProve string `json:"does_not_prove"`
}

//go:embed report
var reportFiles embed.FS

// The scripts in their order: each uses only what stands before it, or what it
// calls when the page is whole.
var reportScripts = []string{"data.js", "dom.js", "filter.js", "lanes.js", "paint.js", "chart.js", "pointer.js", "table.js", "detail.js", "findings.js", "sections.js", "main.js"}

// asset returns an embedded file. It is there, or the program does not build.
func asset(name string) string {
	b, err := reportFiles.ReadFile("report/" + name)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// script returns the code of the page, which leaves no names in it.
func script() string {
	var b strings.Builder
	b.WriteString("\n'use strict';\n{\n")
	for _, name := range reportScripts {
		b.WriteString(asset(name))
	}
	b.WriteString("}\n")
	return b.String()
}

// sourceHash names content in a Content-Security-Policy (CSP level 3, section
// 2.3.1, hash-source).
func sourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// WriteHTML writes r as one page that needs nothing else. What came from the
// evidence stands only in blocks of JSON, which no browser runs, and the code of
// the page shows it as text and nothing else. m is the manifest without what
// tells one run from another.
func WriteHTML(w io.Writer, r *timeline.Report, m *Manifest, o HTMLOptions) error {
	out := bufio.NewWriterSize(w, 64<<10)
	style, code := "\n"+asset("page.css"), script()
	kept := keepRows(r, o.MaxRows)
	parts := map[string]func() error{
		"policy": func() error {
			_, err := fmt.Fprintf(out, "default-src 'none'; script-src %s; style-src %s; img-src data:; base-uri 'none'; form-action 'none'", sourceHash(code), sourceHash(style))
			return err
		},
		"style":    func() error { _, err := out.WriteString(style); return err },
		"script":   func() error { _, err := out.WriteString(code); return err },
		"data":     func() error { return writeData(out, r, m, o, len(kept)) },
		"timeline": func() error { return writeTable(out, Timeline, kept) },
	}
	rest := asset("page.html")
	for {
		text, after, more := strings.Cut(rest, "{{")
		if _, err := out.WriteString(text); err != nil || !more {
			return firstError(err, out.Flush)
		}
		name, tail, _ := strings.Cut(after, "}}")
		if err := parts[name](); err != nil {
			return err
		}
		rest = tail
	}
}

func firstError(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

// writeData writes all that the first screen needs: everything but the rows of
// the timeline, of which the page holds kept.
func writeData(out *bufio.Writer, r *timeline.Report, m *Manifest, o HTMLOptions, kept int) error {
	stable := *m
	stable.Run = nil
	stable.Format, stable.Counts = FormatName, Count(r)
	head := struct {
		Manifest  *Manifest      `json:"manifest"`
		Kept      int            `json:"kept"` // rows of the timeline
		Zone      htmlZone       `json:"zone"`
		Hosts     []string       `json:"hosts"`
		NotRun    []ManifestRule `json:"not_run"`
		Words     []vocabulary   `json:"words"`
		Rules     []htmlRule     `json:"rules"`
		Artifacts []HTMLArtifact `json:"artifacts"`
	}{&stable, kept, zoneOf(r, o.Zone), cleanAll(r.Hosts), []ManifestRule{}, vocabularies, htmlRules(o.Rules), o.Artifacts}
	for _, n := range r.NotRun {
		head.NotRun = append(head.NotRun, ManifestRule{Clean(n.Rule), Clean(n.Host), Clean(n.Why)})
	}
	b, err := json.Marshal(head) // escapes <, > and &
	if err != nil {
		return err
	}
	out.WriteString(`{"head":`)
	out.Write(b)
	for _, t := range []func() error{
		func() error { return writeNamedTable(out, "gaps", Gaps, r.Gaps) },
		func() error { return writeNamedTable(out, "shares", Shares, r.Connections) },
		func() error { return writeNamedTable(out, "coverage", Coverage, r.Coverage) },
		func() error { return writeNamedTable(out, "problems", Problems, r.Problems) },
	} {
		if err := t(); err != nil {
			return err
		}
	}
	return out.WriteByte('}')
}

func cleanAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = Clean(s)
	}
	return out
}

func writeNamedTable[R any](out *bufio.Writer, name string, layout *Layout[R], rows []R) error {
	fmt.Fprintf(out, ",\n%q:", name)
	return writeTable(out, layout, rows)
}

// writeTable writes rows column by column: the different values of a column and
// for each row which of them it has. Evidence repeats itself so much that this
// is a fraction of the size of the rows, and filters need only look at each
// value once. "rows" is left out where all rows differ, or none does.
func writeTable[R any](out *bufio.Writer, layout *Layout[R], rows []R) error {
	fmt.Fprintf(out, `{"count":%d,"columns":[`, len(rows))
	var buf []byte
	for i, c := range layout.Columns {
		if i > 0 {
			out.WriteByte(',')
		}
		index := map[any]int{}
		which := make([]int, len(rows))
		objects := false
		fmt.Fprintf(out, "\n{\"name\":%q,\"values\":[", c.Name)
		for n := range rows {
			v := pointed(c.Get(&rows[n]))
			key := v
			if !plainValue(v) {
				var object bool
				buf, object = appendValue(buf[:0], v)
				objects = objects || object
				key = encoded(buf)
			}
			at, ok := index[key]
			if !ok {
				at = len(index)
				index[key] = at
				if at > 0 {
					out.WriteByte(',')
				}
				buf, _ = appendValue(buf[:0], v)
				out.Write(buf)
			}
			which[n] = at
		}
		fmt.Fprintf(out, `],"json":%t`, objects)
		if len(index) > 1 && len(index) < len(rows) {
			b, err := json.Marshal(which)
			if err != nil {
				return err
			}
			out.WriteString(`,"rows":`)
			out.Write(b)
		}
		if err := out.WriteByte('}'); err != nil {
			return err
		}
	}
	_, err := out.WriteString("]}")
	return err
}

// encoded is the JSON of a value that cannot be compared as it is.
type encoded string

func plainValue(v any) bool {
	switch v.(type) {
	case nil, string, bool, int, int64, uint32, uint64, time.Time:
		return true
	}
	return false
}

// appendValue appends the JSON of v for a block of the page: no "<" may end the
// block. Objects are written as the text of their JSON, which the page parses
// when it shows them; object reports whether v is one.
func appendValue(b []byte, v any) (out []byte, object bool) {
	switch v.(type) {
	case evidence.Detail, objects, []any:
		object = true
		v = string(AppendJSON(nil, v, true))
	}
	raw := AppendJSON(nil, v, true)
	for _, c := range raw {
		if c == '<' {
			b = append(b, `\u003c`...)
		} else {
			b = append(b, c)
		}
	}
	return b, object
}

// An htmlZone says by how much the times of a page differ from UTC, so that the
// page need not know the time zones of the world, which browsers disagree on.
type htmlZone struct {
	Name    string     `json:"name"`
	Offsets [][2]int64 `json:"offsets"` // from this Unix second on, seconds east of UTC; the first holds before it, too
}

// maxZoneChanges bounds the changes of the clock that a page knows.
const maxZoneChanges = 1000

func zoneOf(r *timeline.Report, z Zone) htmlZone {
	if z.Location == nil || z.Location == time.UTC {
		return htmlZone{Name: "UTC", Offsets: [][2]int64{{0, 0}}}
	}
	out := htmlZone{Name: z.Location.String()}
	first, last := bounds(r)
	for t := first; len(out.Offsets) < maxZoneChanges; {
		local := t.In(z.Location)
		_, offset := local.Zone()
		out.Offsets = append(out.Offsets, [2]int64{t.Unix(), int64(offset)})
		if _, t = local.ZoneBounds(); t.IsZero() || t.After(last) {
			break
		}
	}
	return out
}

// bounds returns the first and the last time that a page of r shows.
func bounds(r *timeline.Report) (first, last time.Time) {
	see := func(times ...time.Time) {
		for _, t := range times {
			if t.IsZero() {
				continue
			}
			if first.IsZero() || t.Before(first) {
				first = t
			}
			if t.After(last) {
				last = t
			}
		}
	}
	for i := range r.Observations {
		see(r.Observations[i].Time)
	}
	for _, c := range r.Connections {
		see(c.Mapped.NotBefore, c.Mapped.NotAfter, c.FirstUsed, c.LastUsed, c.Removed.NotBefore, c.Removed.NotAfter)
	}
	for _, g := range r.Gaps {
		see(g.Window.NotBefore, g.Window.NotAfter)
	}
	for _, c := range r.Coverage {
		see(c.AsOf, c.From, c.To)
		for _, h := range c.Holes {
			see(h.From, h.To)
		}
	}
	return first, last
}
