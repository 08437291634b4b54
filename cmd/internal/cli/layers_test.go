package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers is the import table of the design: what a package of ours may import
// of ours. Evidence flows one way, from bytes to conclusions; a parser that
// knew of evidence, or a rule that read bytes, would break that.
var layers = map[string][]string{
	"parsers/binread":        {},
	"parsers/binread/*":      {},
	"parsers/filetime":       {},
	"parsers/huffman":        {},
	"parsers/xpress":         {"parsers/huffman"},
	"parsers/command":        {},
	"parsers/hive":           {"parsers/binread", "parsers/filetime"},
	"parsers/hive/hivetest":  {"parsers/filetime"},
	"parsers/eventlog":       {"parsers/binread", "parsers/filetime"},
	"parsers/eventlog/*":     {"parsers/binread", "parsers/filetime"},
	"parsers/source":         {"parsers/binread", "parsers/filetime", "parsers/source/*"},
	"parsers/source/archive": {"parsers/binread", "parsers/filetime", "parsers/huffman", "parsers/source/triage"}, // how collectors write names
	"parsers/source/*":       {"parsers/binread", "parsers/filetime", "parsers/huffman", "parsers/xpress", "parsers/source/*"},
	"parsers/shell*":         {"parsers/binread", "parsers/filetime", "parsers/shell"},
	"parsers/prefetch*":      {"parsers/binread", "parsers/filetime", "parsers/prefetch", "parsers/xpress"},
	"parsers/ese":            {"parsers/binread", "parsers/filetime"},
	"parsers/usn*":           {"parsers/binread", "parsers/filetime"},
	"artifacts/evidence":     {},
	"artifacts":              {"artifacts/evidence", "parsers/*"},
	"timeline":               {"artifacts/evidence"},
	"timeline/rules":         {"artifacts/evidence", "timeline"},
	"cmd/internal/output":    {"artifacts/evidence", "timeline"},
	"cmd/internal/pipeline":  {"parsers/*", "artifacts", "artifacts/evidence", "timeline", "timeline/rules"},
	"cmd/internal/verify":    {"artifacts", "artifacts/evidence", "parsers/*"},
	"cmd/internal/kit":       {"artifacts", "artifacts/evidence", "parsers/*"},
	"cmd/internal/cli":       {"parsers/*", "artifacts", "artifacts/evidence", "timeline", "timeline/rules", "cmd/internal/output", "cmd/internal/pipeline", "cmd/internal/verify", "cmd/internal/kit"},
	"cmd/internal/lab":       {"parsers/hive/hivetest", "parsers/eventlog/evtxtest", "parsers/filetime"},
	"cmd/internal/release":   {}, // builds the program and asks it
	"cmd/sharetrail":         {"cmd/internal/cli"},
	"cmd/sharelab":           {"cmd/internal/lab"},
}

const module = "sharetrail/"

// allowed reports whether pattern, which may end in *, names pkg.
func allowed(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(pkg, prefix)
	}
	return pattern == pkg
}

// rule returns the row of the table for pkg: its own before a general one.
func rule(pkg string) ([]string, bool) {
	if may, ok := layers[pkg]; ok {
		return may, true
	}
	for pattern, may := range layers {
		if strings.HasSuffix(pattern, "*") && allowed(pattern, pkg) {
			return may, true
		}
	}
	return nil, false
}

func TestLayers(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go tool")
	}
	var stderr bytes.Buffer
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	seen := 0
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		pkg := strings.TrimPrefix(p.ImportPath, module)
		may, ok := rule(pkg)
		if !ok {
			t.Errorf("%s is not in the import table", pkg)
			continue
		}
		for _, i := range p.Imports {
			i, ours := strings.CutPrefix(i, module)
			test := strings.HasSuffix(i, "test") // hivetest, evtxtest: for tests and the lab
			if ours && (!slices.ContainsFunc(may, func(m string) bool { return allowed(m, i) && (!test || m == i) })) {
				t.Errorf("%s must not import %s", pkg, i)
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list names %d packages", seen)
	}
}
