package output

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

func writePage(t testing.TB, r *timeline.Report, m *Manifest, o HTMLOptions) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteHTML(&out, r, m, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var blocks = regexp.MustCompile(`(?s)<(script|style)([^>]*)>(.*?)</(?:script|style)>`)

// What came from the evidence stands in two blocks of JSON and nowhere else,
// and no text of it can end them.
func TestHTMLEscapes(t *testing.T) {
	page := writePage(t, hostileReport(), hostileManifest(), HTMLOptions{})
	kinds := map[string]int{}
	rest := page
	for _, b := range blocks.FindAllStringSubmatch(page, -1) {
		rest = strings.Replace(rest, b[0], "", 1)
		kind := b[1] + b[2]
		kinds[kind]++
		if !strings.Contains(kind, "json") {
			continue
		}
		if strings.Contains(b[3], "<") || !json.Valid([]byte(b[3])) {
			t.Errorf("%s: a block of data holds a tag or is no JSON", kind)
		}
	}
	want := map[string]int{"style": 1, "script": 1, `script type="application/json" id="data"`: 1, `script type="application/json" id="data-timeline"`: 1}
	if fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("blocks %v", kinds)
	}
	for _, s := range append(hostile, "broken", "CLOCK") {
		if strings.Contains(rest, Clean(s)) && s != "-->" {
			t.Errorf("%.40q stands outside the data", s)
		}
	}
	for _, bad := range []string{"style=", "onclick=", "http://", "https://", "CLOCK"} {
		if strings.Contains(page, bad) && !strings.Contains(strings.Join(hostile, ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
}

// The policy of the page allows its script and its style by their hashes, as a
// browser works them out, and nothing else.
func TestHTMLPolicy(t *testing.T) {
	page := writePage(t, report(), &Manifest{}, HTMLOptions{})
	policy := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	var style, code string
	for _, b := range blocks.FindAllStringSubmatch(page, -1) {
		switch {
		case b[1] == "style":
			style = b[3]
		case b[2] == "":
			code = b[3]
		}
	}
	want := fmt.Sprintf("default-src 'none'; script-src %s; style-src %s; img-src data:; base-uri 'none'; form-action 'none'", sourceHash(code), sourceHash(style))
	if policy != want {
		t.Errorf("policy\n%s\nwant\n%s", policy, want)
	}
}

// The page is the same for every run, and the rows come back as they were.
func TestHTMLData(t *testing.T) {
	r := hostileReport()
	m := hostileManifest()
	page := writePage(t, r, m, HTMLOptions{})
	m.Run = map[string]string{"started": "another"}
	if again := writePage(t, r, m, HTMLOptions{}); again != page {
		t.Error("two pages of one report differ")
	}
	type table struct {
		Count   int
		Columns []struct {
			Name   string
			Values []any
			JSON   bool
			Rows   []int
		}
	}
	check := func(name string, got table, rows []string) {
		if got.Count != len(rows) {
			t.Fatalf("%s: %d rows", name, got.Count)
		}
		for i := range rows {
			var want map[string]any
			if err := json.Unmarshal([]byte(rows[i]), &want); err != nil {
				t.Fatal(err)
			}
			for _, c := range got.Columns {
				at := i
				if c.Rows != nil {
					at = c.Rows[i]
				} else if len(c.Values) == 1 {
					at = 0
				}
				v := c.Values[at]
				if c.JSON {
					var in any
					if err := json.Unmarshal([]byte(v.(string)), &in); err != nil {
						t.Fatalf("%s %s: %v", name, c.Name, err)
					}
					v = in
				}
				var field any = want
				for _, part := range strings.Split(c.Name, ".") {
					field = field.(map[string]any)[part]
				}
				if fmt.Sprint(v) != fmt.Sprint(field) {
					t.Errorf("%s %d %s: %.60q, want %.60q", name, i, c.Name, fmt.Sprint(v), fmt.Sprint(field))
				}
			}
		}
	}
	var data struct {
		Head struct {
			Kept   int
			Hosts  []string
			NotRun []ManifestRule `json:"not_run"`
		}
		Gaps, Shares, Coverage, Problems table
	}
	var observations table
	for _, b := range blocks.FindAllStringSubmatch(page, -1) {
		var err error
		switch {
		case strings.Contains(b[2], `"data"`):
			err = json.Unmarshal([]byte(b[3]), &data)
		case strings.Contains(b[2], `"data-timeline"`):
			err = json.Unmarshal([]byte(b[3]), &observations)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	check("timeline", observations, jsonRows(Timeline, r.Observations))
	check("shares", data.Shares, jsonRows(Shares, r.Connections))
	check("gaps", data.Gaps, jsonRows(Gaps, r.Gaps))
	check("coverage", data.Coverage, jsonRows(Coverage, r.Coverage))
	check("problems", data.Problems, jsonRows(Problems, r.Problems))
	if data.Head.Kept != len(hostile) || len(data.Head.NotRun) != len(hostile) || data.Head.Hosts[0] != hostile[0] {
		t.Errorf("head %d %d", data.Head.Kept, len(data.Head.NotRun))
	}
}

func jsonRows[R any](l *Layout[R], rows []R) (out []string) {
	for i := range rows {
		out = append(out, string(l.AppendJSON(nil, &rows[i])))
	}
	return out
}

// A page that cannot hold all rows keeps those that findings rest on, then what
// is no mere use, in their order.
func TestHTMLKeepsRows(t *testing.T) {
	r := &timeline.Report{
		Observations: []evidence.Observation{{ID: "1", Action: evidence.Used}, {ID: "2", Action: evidence.Used}, {ID: "3", Action: evidence.Command}, {ID: "4", Action: evidence.Used}, {ID: "5", Action: evidence.Used}},
		Gaps:         []timeline.Gap{{Benign: []timeline.Benign{{Observations: []string{"5"}}}}},
		Coverage:     []timeline.CoverageRow{{Holes: []evidence.Hole{{Observations: []string{"4"}}}}},
	}
	for most, want := range map[int]string{1: "4", 2: "45", 3: "345", 4: "1345", 5: "12345", 0: "12345"} {
		got := ""
		for _, o := range keepRows(r, most) {
			got += o.ID
		}
		if got != want {
			t.Errorf("of %d: %s, want %s", most, got, want)
		}
	}
	if page := writePage(t, r, &Manifest{}, HTMLOptions{MaxRows: 2}); !strings.Contains(page, `"timeline":5`) || !strings.Contains(page, `"kept":2`) {
		t.Error("the page does not know what it leaves out")
	}
}

func TestHTMLZone(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones here")
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := &timeline.Report{Observations: []evidence.Observation{{Time: at}}, Coverage: []timeline.CoverageRow{{Holes: []evidence.Hole{{To: at.AddDate(0, 6, 0)}}}}}
	want := htmlZone{Name: "Europe/Berlin", Offsets: [][2]int64{{at.Unix(), 3600}, {time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC).Unix(), 7200}}}
	if got := zoneOf(r, Zone{berlin}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r.Observations[0].Time, r.Observations = time.Time{}.Add(1), append(r.Observations, evidence.Observation{Time: time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)})
	if n := len(zoneOf(r, Zone{berlin}).Offsets); n != maxZoneChanges {
		t.Errorf("%d changes over all time", n)
	}
	if got := zoneOf(&timeline.Report{}, Zone{berlin}); len(got.Offsets) == 0 {
		t.Error("a report without times has no offset")
	}
}

// Every word that a row can hold is explained on the page, and no other.
func TestHTMLWords(t *testing.T) {
	have := map[string]map[string]bool{}
	for _, v := range vocabularies {
		have[v.Field] = map[string]bool{}
		for _, w := range v.Words {
			if w[1] == "" || have[v.Field][w[0]] {
				t.Errorf("%s %s has no meaning, or two", v.Field, w[0])
			}
			have[v.Field][w[0]] = true
		}
	}
	fields := map[string]string{
		"TimeKind": "time_kind", "Action": "action", "State": "state", "Confidence": "confidence", "Severity": "severity", "Basis": "basis",
		"Status": "status", "RemovedBy": "removed_by", "Verdict": "verdict", "Class": "class", "Reason": "reason",
	}
	for _, name := range []string{"../../../artifacts/evidence/evidence.go", "../../../timeline/timeline.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				kind, ok := v.Type.(*ast.Ident)
				if !ok || fields[kind.Name] == "" {
					continue
				}
				word, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if !have[fields[kind.Name]][word] {
					t.Errorf("%s %q is not explained", kind.Name, word)
				}
				delete(have[fields[kind.Name]], word)
			}
		}
	}
	for field, words := range have {
		for w := range words {
			t.Errorf("%s %q is explained, and no row can hold it", field, w)
		}
	}
}

// No text ends a block of data, and each comes back as it was.
func FuzzHTMLValue(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range []any{s, []string{s, s}, evidence.Detail{{Name: s, Value: s}}} {
			b, object := appendValue(nil, v)
			if bytes.ContainsAny(b, "<\x00\n") {
				t.Fatalf("%q gives %q", s, b)
			}
			var text string
			var list []string
			var err error
			switch v.(type) {
			case []string:
				if err = json.Unmarshal(b, &list); err == nil {
					text = list[1]
				}
			case string:
				err = json.Unmarshal(b, &text)
			default:
				var in map[string]string
				if err = json.Unmarshal(b, &text); err == nil {
					err = json.Unmarshal([]byte(text), &in)
				}
				text = in[Clean(s)]
				if !object {
					t.Fatal("an object is not told")
				}
			}
			if err != nil || text != Clean(s) {
				t.Fatalf("%q came back as %q: %v", s, text, err)
			}
		}
	})
}

func BenchmarkHTML(b *testing.B) {
	r := bigReport(100_000)
	for b.Loop() {
		writePage(b, r, &Manifest{}, HTMLOptions{})
	}
}
