package output

import (
	"bufio"
	"fmt"
	"io"
)

// A Format is a form of standard output.
type Format string

// The formats.
const (
	TableFormat Format = "table"
	CSV         Format = "csv"
	JSON        Format = "json"  // one array
	JSONL       Format = "jsonl" // one object a line
)

// MaxTableRows is how many rows a table shows. A longer one helps nobody, and
// its columns could not be laid out without holding all of it.
const MaxTableRows = 1000

// Options says how rows are written.
type Options struct {
	Format Format
	Width  int // of the terminal, in columns; for tables
	Zone   Zone
	Named  bool // JSONL: the first field, "row", names the kind of row
	Safe   bool // CSV: no value is a formula to a spreadsheet
	Color  bool // of words that grade, in a summary for a terminal
}

// A Writer writes rows of one kind.
type Writer[R any] struct {
	layout *Layout[R]
	o      Options
	w      *bufio.Writer
	buf    []byte
	n      int // rows written
	rows   [][]string
}

// NewWriter returns a Writer to w. Close must be called.
func NewWriter[R any](w io.Writer, layout *Layout[R], o Options) *Writer[R] {
	return &Writer[R]{layout: layout, o: o, w: bufio.NewWriterSize(w, 64<<10)}
}

// Write writes one row.
func (w *Writer[R]) Write(r *R) error {
	b := w.buf[:0]
	switch w.o.Format {
	case CSV:
		if w.n == 0 {
			b = w.layout.AppendHeader(b)
		}
		b = w.layout.AppendCSV(b, r, w.o.Safe)
	case JSON:
		b = append(b, "[\n"...)
		if w.n > 0 {
			b = append(b[:0], ",\n"...)
		}
		b = w.layout.AppendJSON(b, r)
	case JSONL:
		if w.o.Named {
			b = w.layout.AppendNamed(b, r)
		} else {
			b = w.layout.AppendJSON(b, r)
		}
		b = append(b, '\n')
	default:
		if w.n < MaxTableRows {
			w.rows = append(w.rows, w.layout.cells(r, w.o.Zone))
		}
	}
	w.n++
	w.buf = b
	_, err := w.w.Write(b)
	return err
}

// Flush passes on the rows so far; a table appears as a whole with Close.
func (w *Writer[R]) Flush() error { return w.w.Flush() }

// Close ends the output; it does not close the underlying writer.
func (w *Writer[R]) Close() error {
	switch {
	case w.o.Format == CSV && w.n == 0:
		w.w.Write(w.layout.AppendHeader(nil))
	case w.o.Format == JSON && w.n == 0:
		w.w.WriteString("[]\n")
	case w.o.Format == JSON:
		w.w.WriteString("\n]\n")
	case w.o.Format == TableFormat:
		w.w.WriteString(w.layout.table(w.rows, w.o.Width))
		if n := w.n - len(w.rows); n > 0 {
			fmt.Fprintf(w.w, "… %d more rows: use --format csv\n", n)
		}
	}
	return w.w.Flush() // reports the first error of all writes
}

// WriteAll writes rows and closes.
func WriteAll[R any](w io.Writer, layout *Layout[R], rows []R, o Options) error {
	out := NewWriter(w, layout, o)
	for i := range rows {
		if err := out.Write(&rows[i]); err != nil {
			return err
		}
	}
	return out.Close()
}
