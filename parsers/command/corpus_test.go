package command

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// corpusLines returns the command lines that the corpus's truth tables hold.
func corpusLines(t *testing.T) []string {
	root := os.Getenv("SHARETRAIL_CORPUS")
	if root == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	tables, err := filepath.Glob(filepath.Join(root, "truth", "*.evtx.tsv"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no truth tables below %q: %v", root, err)
	}
	var out []string
	for _, name := range tables {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tableLines(t, f)...)
		f.Close()
	}
	return out
}

// tableLines reads a table as it was written: tabs separate, and a field that
// begins with a quote is quoted as in CSV.
func tableLines(t *testing.T, f io.Reader) []string {
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	var out []string
	column := -1
	for in.Scan() {
		row := strings.Split(in.Text(), "\t")
		if column < 0 {
			if column = slices.Index(row, "eventdata_json"); column < 0 {
				return nil
			}
			continue
		}
		if column >= len(row) || row[column] == "" {
			continue
		}
		field := row[column]
		if len(field) > 1 && field[0] == '"' {
			field = strings.ReplaceAll(field[1:len(field)-1], `""`, `"`)
		}
		var data [][]any
		if json.Unmarshal([]byte(field), &data) != nil {
			continue
		}
		for _, kv := range data {
			if len(kv) == 2 && (kv[0] == "CommandLine" || kv[0] == "ParentCommandLine") {
				if line, ok := kv[1].(string); ok {
					out = append(out, line)
				}
			}
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCorpus holds the real lines to what can be told of them without a parser.
func TestCorpus(t *testing.T) {
	classes := map[Class]int{}
	for _, line := range corpusLines(t) {
		low := strings.ToLower(strings.ReplaceAll(line, "  ", " "))
		want := ""
		switch {
		case strings.Contains(low, ` cl `):
			want = "log.clear"
		case strings.Contains(low, `net use \\`):
			want = `use.map \\Target\C$`
		case low == "net use":
			want = "use.query"
		}
		got := brief(Classify(line, Hint{}))
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s\n got %q\nwant %q", line, got, want)
		}
		if m, _ := Mask(line); strings.Contains(m, "P@ssw0rd1") {
			t.Errorf("shown: %s", m)
		}
		class, _, _ := strings.Cut(want, " ")
		classes[Class(class)]++
	}
	for _, c := range []Class{LogClear, UseMap, UseQuery} {
		if classes[c] == 0 {
			t.Errorf("the corpus had lines of class %s", c)
		}
	}
}
