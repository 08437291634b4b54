package output

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"

	"github.com/xuri/excelize/v2"
)

// readXLSX lists, by another's reader, what each sheet holds: where it is frozen,
// what its filter spans, the kinds of its cells and all values.
const readXLSX = `
import openpyxl, json, sys
from openpyxl.utils.escape import unescape # _x005F_ of ECMA-376 part 1, 22.9.2.19
book = openpyxl.load_workbook(sys.argv[1])
print(json.dumps([{
    'Title': s.title, 'Frozen': s.freeze_panes, 'Filter': s.auto_filter.ref or '',
    'Kinds': sorted({c.data_type for row in s.iter_rows() for c in row}),
    'Values': [['' if c.value is None else unescape(str(c.value)) for c in row] for row in s.iter_rows()],
} for s in book.worksheets]))
`

type sheetRead struct {
	Title, Frozen, Filter string
	Kinds                 []string
	Values                [][]string
}

// sheetTexts is what a sheet must show.
func sheetTexts[R any](layout *Layout[R], rows []R) [][]string {
	out := texts(layout, rows)
	for _, line := range out[1:] {
		for i := range line {
			line[i] = cutCell(notXML.Replace(Visible(line[i])))
		}
	}
	return out
}

// A workbook holds what CSV does, in cells that are text or numbers and never
// formulas, and is the same for the same rows.
func TestXLSX(t *testing.T) {
	r := datedReport()
	for _, s := range []string{"=1+1", "+1", "-1", "@SUM(1)", "\t=1", "_x0041_", "\ufffe\uffff", "100", "1e5", "TRUE", "2026-03-01", "'x", strings.Repeat("𝄞", 20000), strings.Repeat("ä", 32767)} {
		r.Observations = append(r.Observations, evidence.Observation{ID: s, User: s, Share: s, Summary: s, From: evidence.Provenance{Offset: 1 << 52, Length: 7}})
	}
	var out, again bytes.Buffer
	if err := WriteXLSX(&out, r, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if err := WriteXLSX(&again, r, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same rows give other bytes")
	}
	var sheets []sheetRead
	if err := json.Unmarshal(python(t, readXLSX, keep(t, "book.xlsx", out.Bytes())), &sheets); err != nil {
		t.Fatal(err)
	}
	wants := []struct {
		title  string
		values [][]string
	}{
		{"Findings", sheetTexts(Gaps, r.Gaps)}, {"Connections", sheetTexts(Shares, r.Connections)}, {"Timeline", sheetTexts(Timeline, r.Observations)},
		{"Coverage", sheetTexts(Coverage, r.Coverage)}, {"Problems", sheetTexts(Problems, r.Problems)},
	}
	if len(sheets) != len(wants) {
		t.Fatalf("%d sheets", len(sheets))
	}
	for i, want := range wants {
		got := sheets[i]
		if got.Title != want.title || got.Frozen != "A2" || !strings.HasPrefix(strings.ReplaceAll(got.Filter, "$", ""), "A1:") {
			t.Errorf("sheet %s, frozen at %s, filter %s", got.Title, got.Frozen, got.Filter)
		}
		for _, kind := range got.Kinds {
			if kind != "s" && kind != "n" && kind != "inlineStr" { // n is also what is empty
				t.Errorf("%s: cells of kind %q", got.Title, kind)
			}
		}
		if len(got.Values) != len(want.values) {
			t.Fatalf("%s: %d lines, want %d", got.Title, len(got.Values), len(want.values))
		}
		for n := range want.values {
			for c := range want.values[n] {
				if got.Values[n][c] != want.values[n][c] {
					t.Errorf("%s line %d %s: %.200q, want %.200q", got.Title, n+1, want.values[0][c], got.Values[n][c], want.values[n][c])
				}
			}
		}
	}
}

// What one sheet cannot hold is in the next, and what one cell cannot hold ends
// in a note.
func TestXLSXLimits(t *testing.T) {
	book := excelize.NewFile()
	defer book.Close()
	rows := make([]timeline.Gap, 7)
	for i := range rows {
		rows[i].ID = strings.Repeat("x", i+1)
	}
	if err := writeSheets(&sheets{book: book}, "Findings", Gaps, rows, 4); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range []string{"Findings", "Findings 2", "Findings 3"} {
		lines, err := book.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines[1:] {
			ids = append(ids, l[0])
		}
	}
	if len(ids) != len(rows) || ids[6] != rows[6].ID || len(book.GetSheetList()) != 4 {
		t.Errorf("%q on %q", ids, book.GetSheetList())
	}
	for _, s := range []string{strings.Repeat("𝄞", 20000), strings.Repeat("ä", 32768)} {
		got := cutCell(s)
		if n := len(utf16.Encode([]rune(got))); n > maxCellUnits || n < maxCellUnits-2 || !strings.HasSuffix(got, "the whole text is in the JSONL") {
			t.Errorf("%d units, ends in %q", n, got[len(got)-40:])
		}
	}
	if s := strings.Repeat("ä", 32767); cutCell(s) != s {
		t.Error("a text that fits was cut")
	}
}
