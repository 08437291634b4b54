package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// A desk is a folder in which an examiner could type the examples of the help,
// the README and the tutorial: it holds the example case in every form that
// they name.
type desk struct {
	t        *testing.T
	dir      string
	terminal bool // its commands write to a terminal of 80 columns
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the examples are for a shell of Unix")
	}
	if testing.Short() {
		t.Skip("runs the program many times")
	}
	d := &desk{t: t, dir: t.TempDir()}
	must(t, os.CopyFS(d.path("CASE"), os.DirFS(exampleCase)))
	must(t, os.CopyFS(d.path("cases/42"), os.DirFS(exampleCase)))
	for _, host := range []string{"WS01", "FS01"} {
		must(t, zipFolder(filepath.Join(exampleCase, host), d.path(host+".zip")))
	}
	live, err := ntfsOf(d.path("CASE/WS01/C"))
	must(t, err)
	for _, name := range []string{"disk.E01", "c.vhdx", "d.vhdx"} {
		must(t, os.WriteFile(d.path(name), live, 0o644))
	}
	for from, to := range map[string]string{
		"CASE/WS01/C/Windows/System32/winevt/Logs/Security.evtx": "Security.evtx", "CASE/WS01/C/Users/alice/NTUSER.DAT": "NTUSER.DAT",
	} {
		b, err := os.ReadFile(d.path(from))
		must(t, err)
		must(t, os.WriteFile(d.path(to), b, 0o644))
	}
	log, err := os.ReadFile(d.path("Security.evtx"))
	must(t, err)
	must(t, os.WriteFile(d.path("pagefile.sys"), append(make([]byte, 4096), log...), 0o644)) // a page file with chunks of a log
	zip, err := os.ReadFile(d.path("WS01.zip"))
	must(t, err)
	must(t, os.WriteFile(d.path("Collection.zip"), sealedFile(t, "data.zip", zip, "infected", nil), 0o644))
	for name, text := range map[string]string{"passwords.txt": "wrong\ninfected\n", "ConsoleHost_history.txt": "net use\nnet use Z: /delete\n"} {
		must(t, os.WriteFile(d.path(name), []byte(text), 0o644))
	}
	for _, result := range []string{"cases/42/result", "OUT"} {
		if out := d.run("sharetrail analyze CASE -q -o " + result + " >log"); out != "" {
			t.Fatal(out)
		}
	}
	return d
}

// fresh is another desk that holds the same, without those files.
func (d *desk) fresh(without ...string) *desk {
	d.t.Helper()
	n := &desk{t: d.t, dir: d.t.TempDir()}
	must(d.t, os.CopyFS(n.dir, os.DirFS(d.dir)))
	for _, name := range without {
		must(d.t, os.RemoveAll(n.path(name)))
	}
	repo, err := filepath.Abs("../../..")
	must(d.t, err)
	must(d.t, os.Symlink(filepath.Join(repo, "testdata"), n.path("testdata")))
	return n
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, filepath.FromSlash(name)) }

// terminalNoise is what only moves the cursor: line ends of a terminal, and
// lines of progress, which are wiped.
var terminalNoise = regexp.MustCompile("[^\n]*\r\x1b\\[K|\r|\x1b\\[[0-9;?]*[A-Za-z]")

// run types a line and returns what the terminal would then show, with the
// exit code if it is not 0.
func (d *desk) run(line string) string {
	d.t.Helper()
	for _, tool := range []string{"jq", "mactime"} {
		if _, err := exec.LookPath(tool); err != nil && strings.Contains(line, tool+" ") {
			d.t.Skipf("%s is not installed", tool)
		}
	}
	self, err := exec.LookPath("sharetrail")
	must(d.t, err)
	line = strings.ReplaceAll(line, "/cases/42", d.path("cases/42"))
	line = strings.ReplaceAll(line, "go run ./cmd/sharetrail", "sharetrail")
	cmd := exec.Command("sh", "-c", line)
	if d.terminal {
		script, err := exec.LookPath("script")
		if err != nil || runtime.GOOS != "linux" {
			d.t.Skip("there is no script(1) that lends a terminal")
		}
		cmd = exec.Command(script, "-q", "-e", "-c", "stty cols 80 rows 50; "+line, "/dev/null")
	}
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "COLUMNS=80", "NO_COLOR=1", "TZ=UTC", "PATH="+filepath.Dir(self)+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	text := strings.ReplaceAll(out.String(), d.dir, "")
	text = terminalNoise.ReplaceAllString(text, "")
	var status *exec.ExitError
	if errors.As(err, &status) {
		text += fmt.Sprintf("(exit status %d)\n", status.ExitCode())
	} else {
		must(d.t, err)
	}
	return text
}

// excerpt is the beginning of an output, as the golden files have it.
func excerpt(out string) string {
	lines := strings.SplitAfter(out, "\n")
	var b strings.Builder
	for i, line := range lines {
		if i == 4 && len(lines) > 6 {
			b.WriteString("…\n")
			break
		}
		if len(line) > 100 {
			n := 100
			for !utf8.RuneStart(line[n]) {
				n--
			}
			line = line[:n] + "…\n"
		}
		b.WriteString(line)
	}
	return b.String()
}

// golden compares, or with -update writes, what examples printed.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("../../../testdata/examples", name)
	if *update {
		must(t, os.WriteFile(name, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(name)
	must(t, err)
	if got != string(want) {
		t.Errorf("%s differs; go test ./cmd/internal/cli -run Example -update rewrites it:\n%s", name, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], strings.Join(g[min(i, len(g)):min(i+1, len(g))], ""))
		}
	}
	return "it goes on"
}

// Every example of the help runs, and prints what it is known to.
func TestExamplesOfHelp(t *testing.T) {
	var b strings.Builder
	desks := newDesk(t)
	all := (&app{}).root()
	for _, c := range append(documented(all), find(all, "man")) {
		d := desks.fresh()
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			if strings.Contains(line, "analyze ") { // which makes it
				d = desks.fresh("cases/42/result")
			}
			fmt.Fprintf(&b, "$ %s\n%s", line, excerpt(d.run(line)))
		}
	}
	golden(t, "help.txt", b.String())
}

func find(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

var tableCommand = regexp.MustCompile("`(sharetrail [^`]*)`")

// Every recipe of the README runs, and prints what it is known to.
func TestExamplesOfRecipes(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	must(t, err)
	_, recipes, ok := strings.Cut(string(readme), "\n## Recipes\n")
	recipes, _, _ = strings.Cut(recipes, "\n## ")
	var commands [][]string
	for row := range strings.Lines(recipes) {
		if strings.HasPrefix(row, "| ") {
			commands = append(commands, tableCommand.FindAllStringSubmatch(row, -1)...)
		}
	}
	if !ok || len(commands) < 20 {
		t.Fatalf("%d recipes", len(commands))
	}
	var b strings.Builder
	desks := newDesk(t)
	for _, m := range commands {
		var without []string
		if strings.HasPrefix(m[1], "sharetrail analyze") {
			without = []string{"OUT"}
		}
		fmt.Fprintf(&b, "$ %s\n%s", m[1], excerpt(desks.fresh(without...).run(m[1])))
	}
	golden(t, "recipes.txt", b.String())
}

// Every output that README and tutorial show is what the command prints. A line
// that ends in … may go on; one that is … alone, or begins with it, stands for
// any lines.
func TestExamplesShown(t *testing.T) {
	for _, name := range []string{"README.md", "docs/tutorial.md"} {
		text, err := os.ReadFile(filepath.Join("../../..", name))
		must(t, err)
		shown := 0
		d := newDesk(t).fresh("OUT", "cases/42/result")
		d.terminal = true
		for i, block := range strings.Split(string(text), "```") {
			if i%2 == 0 || !strings.HasPrefix(strings.TrimLeft(block, "\n"), "$ ") {
				continue
			}
			shown += d.compare(name, block)
		}
		if shown == 0 {
			t.Errorf("%s shows no output", name)
		}
	}
}

// compare runs the commands of a block, the lines that begin with $, and
// returns how many there were.
func (d *desk) compare(name, block string) int {
	commands := strings.Split("\n"+strings.Trim(block, "\n"), "\n$ ")[1:]
	for _, c := range commands {
		line, want, _ := strings.Cut(c, "\n")
		for strings.HasSuffix(line, "\\") {
			var more string
			more, want, _ = strings.Cut(want, "\n")
			line = strings.TrimSuffix(line, "\\") + strings.TrimLeft(strings.TrimPrefix(more, ">"), " ")
		}
		got := d.run(line)
		if !shows(strings.Split(strings.TrimRight(want, "\n"), "\n"), strings.Split(strings.TrimRight(got, "\n"), "\n")) {
			d.t.Errorf("%s: %s\nshows\n%s\nbut prints\n%s", name, line, want, got)
		}
	}
	return len(commands)
}

// shows reports whether want, with its …, is got.
func shows(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if strings.TrimSpace(want[0]) == "…" {
		for i := range len(got) + 1 {
			if shows(want[1:], got[i:]) {
				return true
			}
		}
		return false
	}
	if len(got) == 0 {
		return false
	}
	w, g := strings.TrimRight(want[0], " "), strings.TrimRight(got[0], " ")
	if begin, ok := strings.CutSuffix(w, "…"); ok && strings.HasPrefix(g, begin) || w == g {
		return shows(want[1:], got[1:])
	}
	return false
}

func TestShows(t *testing.T) {
	got := strings.Split("one\ntwo and more\nthree\nfour", "\n")
	for want, ok := range map[string]bool{
		"one\ntwo and more\nthree\nfour": true, "one\ntwo…\n…": true, "…\nfour": true, "…": true, "one\n…\nfour": true,
		"one": false, "one\n…\nthree": false, "two…\n…": false, "one\ntwo\n…": false, "": false,
	} {
		if shows(strings.Split(want, "\n"), got) != ok {
			t.Errorf("%q: %v", want, !ok)
		}
	}
}
