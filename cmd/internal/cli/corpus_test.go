package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"
)

func corpus(t *testing.T) string {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return dir
}

// runApp runs the program in this process.
func runApp(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, args: args}
	return a.run(context.Background()), out.String(), errs.String()
}

// Two runs over real evidence give the same files, and every id that a row
// names is a row of the timeline.
func TestCorpusAnalyze(t *testing.T) {
	for _, kind := range []string{"triage", "hive-user", "hive-malformed", "evtx-malformed"} {
		source := filepath.Join(corpus(t), kind)
		one, eight := filepath.Join(t.TempDir(), "1"), filepath.Join(t.TempDir(), "8")
		code, _, stderr := runApp("analyze", source, "-o", one, "--jobs", "1")
		if code != 0 && code != exitUnread {
			t.Fatalf("%s: exit code %d: %s", kind, code, stderr)
		}
		if again, _, _ := runApp("analyze", source, "-o", eight, "--jobs", "8"); again != code {
			t.Errorf("%s: exit codes %d and %d", kind, code, again)
		}
		entries, err := os.ReadDir(one)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			a, errA := os.ReadFile(filepath.Join(one, e.Name()))
			b, errB := os.ReadFile(filepath.Join(eight, e.Name()))
			if e.Name() == output.ManifestName {
				a, _, _ = bytes.Cut(a, []byte(`"run": {`))
				b, _, _ = bytes.Cut(b, []byte(`"run": {`))
			}
			if errA != nil || errB != nil || !bytes.Equal(a, b) {
				t.Errorf("%s: %s depends on --jobs", kind, e.Name())
			}
		}
		m, err := output.OpenFolder(one)
		if err != nil {
			t.Fatal(err)
		}
		r, err := output.ReadFolder(one, m, "timeline", "shares", "gaps", "coverage")
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range unresolved(r) {
			t.Errorf("%s: %s resolves to nothing", kind, id)
		}
	}
}

// unresolved returns what is named in lists of r and is no row.
func unresolved(r *timeline.Report) (out []string) {
	observations, connections, gaps := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, o := range r.Observations {
		observations[o.ID] = true
	}
	for _, c := range r.Connections {
		connections[c.ID] = true
	}
	for _, g := range r.Gaps {
		gaps[g.ID] = true
	}
	check := func(known map[string]bool, by string, ids []string) {
		for _, id := range ids {
			if !known[id] {
				out = append(out, id+" of "+by)
			}
		}
	}
	for _, c := range r.Connections {
		check(observations, c.ID, c.Observations)
		check(gaps, c.ID, c.Gaps)
	}
	for _, g := range r.Gaps {
		check(observations, g.ID, g.Observations)
		check(connections, g.ID, g.Connections)
		for _, s := range g.Reasoning {
			check(observations, g.ID+" reasoning", s.Observations)
		}
		for _, b := range g.Benign {
			check(observations, g.ID+" benign", b.Observations)
		}
	}
	for _, c := range r.Coverage {
		for _, h := range c.Holes {
			check(observations, c.Host+" "+c.Evidence, h.Observations)
		}
	}
	return out
}

// Damaged files are dumped as far as they go: valid JSON, and an exit code that
// says so.
func TestCorpusDump(t *testing.T) {
	for kind, parser := range map[string]string{"hive-malformed": "hive", "evtx-malformed": "evtx"} {
		err := filepath.WalkDir(filepath.Join(corpus(t), kind), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			code, stdout, stderr := runApp("dump", parser, name)
			if code != 0 && code != exitFailed && code != exitUnread {
				t.Errorf("%s: exit code %d", name, code)
			}
			if strings.Contains(stderr, "gave up") {
				t.Errorf("%s: a parser panicked: %s", name, stderr)
			}
			if (code == exitFailed) != (stdout == "") {
				t.Errorf("%s: exit code %d with %d bytes of rows", name, code, len(stdout))
			}
			lines := bufio.NewScanner(strings.NewReader(stdout))
			lines.Buffer(nil, len(stdout)+1)
			for lines.Scan() {
				if !json.Valid(lines.Bytes()) {
					t.Errorf("%s: not JSON: %.200q", name, lines.Bytes())
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
