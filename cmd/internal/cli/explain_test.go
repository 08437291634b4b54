package cli

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

func TestFold(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"one two three", 20, []string{"one two three"}},
		{"one two three", 7, []string{"one two", "three"}},
		{"one two three", 6, []string{"one", "two", "three"}},
		{`run C:\a\very\long\path now`, 8, []string{"run", `C:\a\very\long\path`, "now"}},
		{"net  use  Z:", 40, []string{"net  use  Z:"}}, // blanks are part of a command
		{"a b", 0, []string{"a", "b"}},
	} {
		if got := fold(test.text, test.width); !slices.Equal(got, test.want) {
			t.Errorf("%q in %d columns: %q, want %q", test.text, test.width, got, test.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	f.Add("The mapping of Z: to \\\\fs01\\finance  was removed", 20)
	f.Add("   ", -1)
	f.Fuzz(func(t *testing.T, text string, width int) {
		strip := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := strings.Join(fold(text, width), ""); strip(got) != strip(text) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func TestHolesIn(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	window := timeline.Window{NotBefore: day(10), NotAfter: day(20)}
	for _, test := range []struct {
		name   string
		hole   evidence.Hole
		window timeline.Window
		want   bool
	}{
		{"inside", evidence.Hole{From: day(12), To: day(13)}, window, true},
		{"around", evidence.Hole{From: day(1), To: day(30)}, window, true},
		{"over before", evidence.Hole{From: day(1), To: day(9)}, window, false},
		{"ends where the window begins", evidence.Hole{From: day(1), To: day(10)}, window, false},
		{"after", evidence.Hole{From: day(21), To: day(22)}, window, false},
		{"begins where the window ends", evidence.Hole{From: day(20)}, window, true},
		{"open ends", evidence.Hole{}, window, true},
		{"open window", evidence.Hole{From: day(1), To: day(2)}, timeline.Window{}, true},
		{"window without an end", evidence.Hole{From: day(21), To: day(22)}, timeline.Window{NotBefore: day(10)}, true},
	} {
		got := holesIn(&timeline.CoverageRow{Holes: []evidence.Hole{test.hole}}, test.window)
		if (len(got) == 1) != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestFindGap(t *testing.T) {
	gaps := []timeline.Gap{{ID: "G31-0a"}, {ID: "G31-0b"}, {ID: "G03-ff"}}
	for id, want := range map[string]string{"G03": "G03-ff", "g31-0B": "G31-0b", "G31-0a": "G31-0a", "G31": "", "": "", "G3": "", "G31-0a1": ""} {
		g, err := findGap(gaps, id)
		if (err == nil) != (want != "") || err == nil && g.ID != want {
			t.Errorf("%q: %v, %v", id, g, err)
		}
	}
}
