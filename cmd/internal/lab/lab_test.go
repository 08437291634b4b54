package lab

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const cases = "../../../testdata/cases"

// scenarios returns the text of every case by name.
func scenarios(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(cases + "/*/scenario.txtar")
	if err != nil || len(names) < 20 {
		t.Fatalf("found %d cases: %v", len(names), err)
	}
	texts := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(filepath.Dir(name))] = b
	}
	return texts
}

// tree reads all files below dir, with their times if timed is set.
func tree(t *testing.T, dir string, timed bool) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[filepath.ToSlash(rel)] = string(b)
		if timed {
			files[filepath.ToSlash(rel)] += "\n" + stamp(info.ModTime())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestCasesBuildTheSame(t *testing.T) {
	for name, text := range scenarios(t) {
		t.Run(name, func(t *testing.T) {
			s, err := Parse(name, text)
			if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(s.Story) == "" || s.Expect.Gaps == nil {
				t.Error("a case tells its story and has expect/gaps.jsonl")
			}
			a, b := t.TempDir(), t.TempDir()
			if err := s.Build(a); err != nil {
				t.Fatal(err)
			}
			if err := s.Build(b); err != nil { // the same Scenario once more
				t.Fatal(err)
			}
			one, two := tree(t, a, true), tree(t, b, true)
			if len(one) < 4 || !cmp.Equal(one, two) {
				t.Errorf("%d files, then %d, not the same", len(one), len(two))
			}
		})
	}
}

// TestExample holds the evidence of the README's example to its scenario.
func TestExample(t *testing.T) {
	dir := t.TempDir()
	if err := Build(scenarios(t)["tg3390"], dir); err != nil {
		t.Fatal(err)
	}
	want, got := tree(t, dir, false), tree(t, cases+"/tg3390/evidence", false)
	total := 0
	for name, data := range want {
		total += len(data)
		if got[name] != data {
			t.Errorf("%s differs: build the evidence anew", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files are committed, %d are built", len(got), len(want))
	}
	if total >= 600<<10 {
		t.Errorf("the example has %d bytes", total)
	}
}

// TestOracles lets readers of other people judge every file.
func TestOracles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range scenarios(t) {
		if err := Build(text, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tool := range []string{"regfexport", "hivexml", "evtxexport"} {
		t.Run(tool, func(t *testing.T) {
			path, err := exec.LookPath(tool)
			if err != nil {
				t.Skipf("oracle %s is not installed", tool)
			}
			for name := range tree(t, dir, false) {
				if strings.HasSuffix(name, ".evtx") != (tool == "evtxexport") || strings.HasSuffix(name, ".bin") {
					continue
				}
				cmd := exec.Command(path, filepath.Join(dir, filepath.FromSlash(name)))
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || stderr.Len() > 0 || len(out) == 0 {
					t.Errorf("%s: %v %s", name, err, stderr.String())
				}
				if low := bytes.ToLower(out); bytes.Contains(low, []byte("corrupt")) || bytes.Contains(low, []byte("recovered")) {
					t.Errorf("%s is called corrupt", name)
				}
			}
		})
	}
}

func TestCommand(t *testing.T) {
	dir := t.TempDir()
	scenario := filepath.Join(cases, "tg3390", "scenario.txtar")
	bad := filepath.Join(dir, "bad.txtar")
	if err := os.WriteFile(bad, []byte("a story\n-- host WS01 --\nos = Windows\nnonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	for _, test := range []struct {
		args []string
		exit int
		want string // in standard error
	}{
		{[]string{"build", scenario, "-o", out}, 0, ""},
		{[]string{"build", scenario, "-o", out}, 1, "is not empty"},
		{[]string{"build", bad, "-o", filepath.Join(dir, "none")}, 1, "bad.txtar:4: unknown host directive \"nonsense\""},
		{[]string{"build", filepath.Join(dir, "missing"), "-o", filepath.Join(dir, "none")}, 1, "missing"},
		{[]string{"build", scenario}, 2, "output"},
		{[]string{"build", "-o", out}, 2, "accepts 1 arg"},
		{[]string{"destroy"}, 2, "destroy"},
	} {
		var stdout, stderr bytes.Buffer
		exit := execute(test.args, &stdout, &stderr)
		if exit != test.exit || !strings.Contains(stderr.String(), test.want) || exit == 0 && stderr.Len()+stdout.Len() > 0 {
			t.Errorf("%q: exit %d, want %d\n%s%s", test.args, exit, test.exit, stdout.String(), stderr.String())
		}
	}
	if len(tree(t, out, false)) != len(tree(t, cases+"/tg3390/evidence", false)) {
		t.Error("the command did not build the example")
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a failed build left a folder")
	}
}

// TestReadme holds the documentation to the code: a stranger writes cases
// from it.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile(cases + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, small, _ := strings.Cut(string(b), "## A small case\n\n```\n")
	small, _, _ = strings.Cut(small, "```")
	if err := Build([]byte(small), filepath.Join(t.TempDir(), "small")); err != nil {
		t.Errorf("the small case: %v", err)
	}
	for name, v := range verbs {
		if !bytes.Contains(b, []byte("| `"+name)) {
			t.Errorf("the README lacks the verb %s", name)
		}
		for opt := range strings.FieldsSeq(v.opts) {
			if !bytes.Contains(b, []byte(opt+"=")) {
				t.Errorf("the README lacks the option %s of %s", opt, name)
			}
		}
	}
	for name := range scenarios(t) {
		if !bytes.Contains(b, []byte("| `"+name+"`")) {
			t.Errorf("the README lacks the case %s", name)
		}
	}
}
