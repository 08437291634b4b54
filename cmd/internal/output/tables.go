package output

import (
	"context"
	"io"

	"sharetrail/timeline"
)

// TableNames are the tables of a report, in the order of WriteFolder.
var TableNames = []string{"timeline", "shares", "gaps", "coverage", "problems"}

// WriteTables writes the tables of r, as o says, into dir, which must exist and
// may hold other files. named gives the file of each of TableNames. There
// is no manifest: such a folder is not one of results.
func WriteTables(ctx context.Context, dir string, r *timeline.Report, o Options, named func(table string) string) error {
	w := folderWriter{ctx: ctx, dir: dir}
	writeOne(&w, named("timeline"), o, Timeline, r.Observations)
	writeOne(&w, named("shares"), o, Shares, r.Connections)
	writeOne(&w, named("gaps"), o, Gaps, r.Gaps)
	writeOne(&w, named("coverage"), o, Coverage, r.Coverage)
	writeOne(&w, named("problems"), o, Problems, r.Problems)
	return w.err
}

func writeOne[R any](w *folderWriter, name string, o Options, layout *Layout[R], rows []R) {
	w.write(name, func(out io.Writer) error { return WriteAll(out, layout, rows, o) })
}

// WritePage writes the page for people as dir/name. m says what it was made
// from.
func WritePage(ctx context.Context, dir, name string, r *timeline.Report, m *Manifest, page HTMLOptions) error {
	w := folderWriter{ctx: ctx, dir: dir}
	m.Format, m.Counts = FormatName, Count(r)
	m.NotRun = []ManifestRule{}
	for _, n := range r.NotRun {
		m.NotRun = append(m.NotRun, ManifestRule(n))
	}
	w.write(name, func(out io.Writer) error { return WriteHTML(out, r, m, page) })
	return w.err
}
