package output

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	defaultWidth = 120 // columns, where the terminal does not say
	minWrap      = 16  // columns; narrower text cannot be read
	columnGap    = 2   // blanks between columns
)

// cells renders r for a table, safe for a terminal.
func (l *Layout[R]) cells(r *R, z Zone) []string {
	out := make([]string, len(l.Cells))
	for i, c := range l.Cells {
		out[i] = Visible(c.Text(r, z))
	}
	return out
}

// table lays out rows in width columns of a terminal.
func (l *Layout[R]) table(rows [][]string, width int) string {
	if width <= 0 {
		width = defaultWidth
	}
	show, widths := l.fit(rows, width)
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", columnGap)
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SuppressTrailingSpaces()
	var head table.Row
	var configs []table.ColumnConfig
	for n, i := range show {
		head = append(head, l.Cells[i].Head)
		configs = append(configs, table.ColumnConfig{Number: n + 1, WidthMax: widths[n], WidthMaxEnforcer: wrap})
	}
	t.AppendHeader(head)
	t.SetColumnConfigs(configs)
	for _, cells := range rows {
		var row table.Row
		for _, i := range show {
			row = append(row, cells[i])
		}
		t.AppendRow(row)
	}
	return t.Render() + "\n"
}

// wrap breaks at blanks where that is possible, and inside words, such as long
// paths, where it is not.
func wrap(s string, width int) string {
	if text.StringWidthWithoutEscSequences(s) <= width {
		return s
	}
	return text.WrapSoft(s, width)
}

// fit chooses the cells to show and the width of each, in columns: first those
// that wrap give way, then the cells that can be dropped go, last of all
// everything wraps.
func (l *Layout[R]) fit(rows [][]string, width int) (show, widths []int) {
	natural := make([]int, len(l.Cells))
	for i, c := range l.Cells {
		natural[i] = text.StringWidthWithoutEscSequences(c.Head)
		for _, cells := range rows {
			natural[i] = max(natural[i], text.StringWidthWithoutEscSequences(cells[i]))
		}
		show = append(show, i)
	}
	for {
		widths = widths[:0]
		var wraps []bool
		for _, i := range show {
			widths = append(widths, natural[i])
			wraps = append(wraps, l.Cells[i].Wrap)
		}
		room := width - columnGap*len(show)
		if shrink(widths, wraps, minWrap, room) {
			return show, widths
		}
		drop := -1
		for n, i := range show {
			if l.Cells[i].Drop > 0 && (drop < 0 || l.Cells[i].Drop > l.Cells[show[drop]].Drop) {
				drop = n
			}
		}
		if drop < 0 {
			for n := range wraps {
				wraps[n] = true
			}
			shrink(widths, wraps, 4, room)
			return show, widths
		}
		show = append(show[:drop], show[drop+1:]...)
	}
}

// shrink takes from the widest of the widths that may wrap until all fit into
// room, and reports whether they do. None becomes narrower than least.
func shrink(widths []int, wraps []bool, least, room int) bool {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for sum > room {
		widest := -1
		for i, w := range widths {
			if wraps[i] && w > least && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		// A cell may be a long command line: do not take it down one by one.
		cut := min(sum-room, max(1, (widths[widest]-least)/8))
		widths[widest] -= cut
		sum -= cut
	}
	return true
}
