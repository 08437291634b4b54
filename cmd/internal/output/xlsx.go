package output

import (
	"archive/zip"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"sharetrail/timeline"

	"github.com/xuri/excelize/v2"
)

// maxCellUnits is how long the text of a cell may be, in UTF-16 units.
const maxCellUnits = excelize.TotalCellChars

// maxSheetRows is how many rows a sheet may have, the header among them.
const maxSheetRows = excelize.TotalRows

// maxSheetDigits is up to which number a spreadsheet, which computes with 15
// digits, shows what was written; a larger one is text.
const maxSheetDigits = 1e15 - 1

// textFormat is the built-in number format "@": a cell stays text even where a
// user edits it (ECMA-376 part 1, 18.8.30, numFmt 49).
const textFormat = 49

// WriteXLSX writes the rows of r as a workbook with a sheet for each kind, the
// columns those of CSV. Evidence is in text cells only, so that no cell is a
// formula whatever it begins with; characters that XML cannot hold are shown as
// escapes. tempDir is for large sheets, "" for that of the system.
func WriteXLSX(w io.Writer, r *timeline.Report, tempDir string) error {
	book := excelize.NewFile(excelize.Options{TmpDir: tempDir})
	defer book.Close()
	text, err := book.NewStyle(&excelize.Style{NumFmt: textFormat, Alignment: &excelize.Alignment{Vertical: "top"}})
	if err != nil {
		return err
	}
	head, err := book.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"#E6EBF1"}}})
	if err != nil {
		return err
	}
	s := sheets{book: book, text: text, head: head}
	for _, write := range []func() error{
		func() error { return writeSheets(&s, "Findings", Gaps, r.Gaps, maxSheetRows) },
		func() error { return writeSheets(&s, "Connections", Shares, r.Connections, maxSheetRows) },
		func() error { return writeSheets(&s, "Timeline", Timeline, r.Observations, maxSheetRows) },
		func() error { return writeSheets(&s, "Coverage", Coverage, r.Coverage, maxSheetRows) },
		func() error { return writeSheets(&s, "Problems", Problems, r.Problems, maxSheetRows) },
	} {
		if err := write(); err != nil {
			return err
		}
	}
	if err := book.DeleteSheet("Sheet1"); err != nil { // which every new book has
		return err
	}
	book.SetActiveSheet(0)
	var packed bytes.Buffer
	if err := book.Write(&packed); err != nil {
		return err
	}
	return repack(w, packed.Bytes())
}

// repack writes the members of a zip in the order of their names: excelize leaves
// theirs to chance, and the same evidence must give the same bytes.
func repack(w io.Writer, packed []byte) error {
	in, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return err
	}
	// The list of types comes first by convention; file(1) looks for it there.
	slices.SortFunc(in.File, func(a, b *zip.File) int {
		const types = "[Content_Types].xml"
		return cmp.Or(-cmp.Compare(btoi(a.Name == types), btoi(b.Name == types)), cmp.Compare(a.Name, b.Name))
	})
	out := zip.NewWriter(w)
	for _, f := range in.File {
		if err := out.Copy(f); err != nil {
			return err
		}
	}
	return out.Close()
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

type sheets struct {
	book       *excelize.File
	text, head int // styles
}

// writeSheets writes rows to a sheet called name, and what it cannot hold to
// further ones.
func writeSheets[R any](s *sheets, name string, layout *Layout[R], rows []R, most int) error {
	for n := 1; ; n++ {
		part := rows[:min(len(rows), most-1)]
		title := name
		if n > 1 {
			title += " " + strconv.Itoa(n)
		}
		if err := writeSheet(s, title, layout, part); err != nil {
			return fmt.Errorf("sheet %s: %w", title, err)
		}
		if rows = rows[len(part):]; len(rows) == 0 {
			return nil
		}
	}
}

func writeSheet[R any](s *sheets, name string, layout *Layout[R], rows []R) error {
	if _, err := s.book.NewSheet(name); err != nil {
		return err
	}
	last, err := excelize.CoordinatesToCellName(len(layout.Columns), len(rows)+1)
	if err != nil {
		return err
	}
	// Before the stream begins, which writes what the sheet has by then.
	if err := s.book.AutoFilter(name, "A1:"+last, nil); err != nil {
		return err
	}
	w, err := s.book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	cells := make([]any, len(layout.Columns))
	for i, c := range layout.Columns {
		if err := w.SetColWidth(i+1, i+1, columnWidth(c.Name)); err != nil {
			return err
		}
		cells[i] = excelize.Cell{StyleID: s.head, Value: c.Name}
	}
	for n := -1; n < len(rows); n++ {
		if n >= 0 {
			for i, c := range layout.Columns {
				cells[i] = excelize.Cell{StyleID: s.text, Value: sheetValue(pointed(c.Get(&rows[n])))}
			}
		}
		if err := w.SetRow("A"+strconv.Itoa(n+2), cells); err != nil {
			return err
		}
	}
	return w.Flush()
}

// columnWidth is that of a column in characters, by what it usually holds.
func columnWidth(name string) float64 {
	switch name {
	case "claim", "summary", "what", "provenance.path", "process.command_line", "holes":
		return 60
	case "time", "window.not_before", "window.not_after", "from", "to", "as_of", "mapped.not_before", "mapped.not_after", "removed.not_before", "removed.not_after", "first_used", "last_used":
		return 29
	case "share", "evidence":
		return 28
	}
	return 16
}

// sheetValue returns the value of a cell: a number where a spreadsheet shows all
// its digits, else text.
func sheetValue(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case int:
		return v
	case uint32:
		return v
	case int64:
		if v <= maxSheetDigits && v >= -maxSheetDigits {
			return v
		}
	case uint64:
		if v <= maxSheetDigits {
			return v
		}
	}
	return cutCell(notXML.Replace(Visible(Text(v))))
}

// notXML escapes the two characters that Visible leaves and XML 1.0 does not have.
var notXML = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

// cutCell cuts a text that no cell can hold, and says so in it.
func cutCell(s string) string {
	if len(s) <= maxCellUnits { // bytes are never fewer than units
		return s
	}
	units := 0
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	if units <= maxCellUnits {
		return s
	}
	const note = " … cut: a cell holds no more; the whole text is in the JSONL"
	room := maxCellUnits - utf8.RuneCountInString(note)
	for i, r := range s {
		if room -= utf16.RuneLen(r); room < 0 {
			return s[:i] + note
		}
	}
	return s
}
