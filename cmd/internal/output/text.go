package output

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	defaultWidth = 120 // columns, where the terminal does not say
	minText      = 20  // columns; narrower paragraphs cannot be read
	minColumn    = 4   // columns
	maxWord      = 25  // columns, of a word that stays whole where the table allows; a time with its offset has as many
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
func wrap(s string, width int) string { return strings.Join(fold(s, width), "\n") }

// fold breaks a line into lines of at most width columns. A character of two
// columns is never cut in two, nor does it stand out by one.
func fold(s string, width int) (lines []string) {
	line, used := "", 0
	end := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, used = "", 0
	}
	for s != "" {
		word, rest := s, ""
		if i := strings.IndexByte(s, ' '); i >= 0 {
			for ; i < len(s) && s[i] == ' '; i++ {
			}
			word, rest = s[:i], s[i:]
		}
		s = rest
		bare := strings.TrimRight(word, " ")
		n := text.StringWidthWithoutEscSequences(bare)
		if used > 0 && used+n > width {
			end()
		}
		if n <= width {
			line, used = line+word, used+n+len(word)-len(bare)
			continue
		}
		for _, r := range bare {
			if w := text.RuneWidth(r); used+w > width && used > 0 {
				end()
			}
			line, used = line+string(r), used+text.RuneWidth(r)
		}
		line, used = line+word[len(bare):], used+len(word)-len(bare)
	}
	end()
	return lines
}

// fit chooses the cells to show and the width of each, in columns: first those
// that wrap give way, down to their longest word; then cells go, those that are
// empty in every row before those that can be dropped; last of all everything
// wraps anywhere.
func (l *Layout[R]) fit(rows [][]string, width int) (show, widths []int) {
	natural, least, drops := l.measure(rows)
	for i := range l.Cells {
		show = append(show, i)
	}
	for {
		widths = widths[:0]
		var mins []int
		drop := -1
		for n, i := range show {
			widths = append(widths, natural[i])
			mins = append(mins, least[i])
			if d := drops[i]; d > 0 && (drop < 0 || d > drops[show[drop]]) {
				drop = n
			}
		}
		room := width - columnGap*len(show)
		if shrink(widths, mins, room) {
			return show, widths
		}
		if drop < 0 {
			clear(mins)
			shrink(widths, mins, room)
			return show, widths
		}
		show = append(show[:drop], show[drop+1:]...)
	}
}

// emptyDrop is added to the Drop of a cell that is empty in every row.
const emptyDrop = 1000

// measure returns, for each cell of l, the width of the widest text, the width
// below which it is not wrapped, and its Drop among these rows.
func (l *Layout[R]) measure(rows [][]string) (natural, least, drops []int) {
	natural, least, drops = make([]int, len(l.Cells)), make([]int, len(l.Cells)), make([]int, len(l.Cells))
	for i, c := range l.Cells {
		natural[i] = text.StringWidthWithoutEscSequences(c.Head)
		least[i] = natural[i]
		drops[i] = c.Drop
		empty := len(rows) > 0
		for _, cells := range rows {
			empty = empty && cells[i] == ""
			natural[i] = max(natural[i], text.StringWidthWithoutEscSequences(cells[i]))
			for word := range strings.FieldsSeq(cells[i]) {
				least[i] = max(least[i], text.StringWidthWithoutEscSequences(word))
			}
		}
		if empty {
			drops[i] += emptyDrop
		}
		if c.Wrap {
			least[i] = min(least[i], maxWord)
		} else {
			least[i] = natural[i]
		}
	}
	return natural, least, drops
}

// shrink takes from the widest of the widths that lie above their least until
// all fit into room, and reports whether they do. None gets below minColumn.
func shrink(widths, least []int, room int) bool {
	sum := 0
	for _, w := range widths {
		sum += w
	}
	for sum > room {
		widest := -1
		for i, w := range widths {
			if w > max(least[i], minColumn) && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return false
		}
		// A cell may be a long command line: do not take it down one by one.
		cut := min(sum-room, max(1, (widths[widest]-max(least[widest], minColumn))/8))
		widths[widest] -= cut
		sum -= cut
	}
	return true
}
