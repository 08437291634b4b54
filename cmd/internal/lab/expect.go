package lab

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Expect holds the rows that an analysis of the built evidence has to give. A
// nil list is not checked; an empty one allows no row.
type Expect struct {
	Gaps, Shares []Row
}

// A Row is one row of sharetrail's JSON output, or the part of it that matters.
type Row map[string]any

// parseRows reads a section of one JSON object a line.
func parseRows(sec section, rows *[]Row) error {
	*rows = []Row{}
	return sec.each(func(_ int, text string) error {
		var r Row
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return err
		}
		*rows = append(*rows, r)
		return nil
	})
}

// Check compares got, all rows of one kind, with want: each row of want must
// match a row of its own in got, in any order, and none may be left over. It
// returns what is wrong, "" if nothing is. A nil want is not checked.
func Check(want, got []Row) string {
	if want == nil {
		return ""
	}
	owner := make([]int, len(got)) // 1 + index of the wanted row that holds a row of got
	var b strings.Builder
	for i := range want {
		if !place(i, want, got, owner, make([]bool, len(got))) {
			fmt.Fprintf(&b, "no row is %s\n", compact(want[i]))
		}
	}
	for j, o := range owner {
		if o == 0 {
			fmt.Fprintf(&b, "not expected: %s\n", compact(got[j]))
		}
	}
	return b.String()
}

// place gives want[i] a row of got, moving other rows where that makes room.
func place(i int, want, got []Row, owner []int, tried []bool) bool {
	for j := range got {
		if tried[j] || !matches(map[string]any(want[i]), map[string]any(got[j])) {
			continue
		}
		tried[j] = true
		if owner[j] == 0 || place(owner[j]-1, want, got, owner, tried) {
			owner[j] = i + 1
			return true
		}
	}
	return false
}

// matches reports whether got has all that want lists: of an object the fields
// that want names, of a list each element that want names, all else equal.
func matches(want, got any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for k, v := range w {
			x, has := g[k]
			ok = ok && has && matches(v, x)
		}
		return ok
	case []any:
		g, ok := got.([]any)
		for _, v := range w {
			found := false
			for _, x := range g {
				found = found || matches(v, x)
			}
			ok = ok && found
		}
		return ok && (len(w) > 0 || len(g) == 0)
	}
	return reflect.DeepEqual(want, got)
}

func compact(r Row) string {
	b, err := json.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
