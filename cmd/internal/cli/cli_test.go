package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/timeline"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{`\\fs01\*`, `\\FS01\finance`, true},
		{`\\fs01\*`, `\\fs01.corp\finance`, false},
		{`\\fs01*`, `\\fs01.corp\finance`, true},
		{`fs01`, `\\fs01\finance`, false},
		{`*\d*`, `\\srv\data`, true},
		{`*\d*`, `\\srv7`, false}, // \d is no digit
		{`WS0?`, `ws01`, true},
		{`WS0?`, `ws0`, false},
		{`?`, `ü`, true},
		{`BÜRO`, `büro`, true},
		{`ws[0-9][!a-z]`, `WS1-`, true},
		{`ws[0-9][!a-z]`, `WS1b`, false},
		{`[]]`, `]`, true},
		{`[\]`, `\`, true},
		{`[[]x`, `[x`, true},
		{`a.b`, `axb`, false},
		{`(a|b)+$`, `(A|B)+$`, true},
		{`*`, ``, true},
		{``, ``, true},
		{``, `x`, false},
		{`a*`, "a\nb", true},
	} {
		g, err := newGlob(test.pattern)
		if err != nil {
			t.Errorf("%q: %v", test.pattern, err)
			continue
		}
		if got := g.match(test.text); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.text, got)
		}
	}
	for _, bad := range []string{`[`, `a[b`, `[!`, `[]`, `[z-a]`, `\\fs01\[`} {
		if _, err := newGlob(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add(`\\fs0[1-9]\*`, `\\fs01\finance`)
	f.Add(`[!]a]?`, `]b`)
	f.Fuzz(func(t *testing.T, pattern, text string) {
		g, err := newGlob(pattern)
		if err != nil {
			return
		}
		g.match(text)
		if !strings.ContainsAny(pattern, `*?[`) && !g.match(pattern) && strings.ToValidUTF8(pattern, "") == pattern {
			t.Errorf("%q does not match itself", pattern)
		}
	})
}

// Half-open spans against every kind of row.
func TestOverlap(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	span := facets{timed: true, dated: true, from: day(10), to: day(20)}
	since := facets{timed: true, dated: true, from: day(10)}
	until := facets{timed: true, dated: true, to: day(20)}
	used := connectionFacets(&timeline.Connection{FirstUsed: day(10), LastUsed: day(20)})
	undated := facets{timed: true}
	untimed := facets{}
	for _, test := range []struct {
		name     string
		row      facets
		from, to time.Time
		want     bool
	}{
		{"inside", span, day(12), day(13), true},
		{"touches from", span, day(20), time.Time{}, true},
		{"behind", span, day(21), time.Time{}, false},
		{"touches to", span, time.Time{}, day(10), false},
		{"before", span, time.Time{}, day(11), true},
		{"open end", since, day(30), time.Time{}, true},
		{"open end, too early", since, time.Time{}, day(10), false},
		{"open begin", until, time.Time{}, day(1), true},
		{"open begin, too late", until, day(21), time.Time{}, false},
		{"used only", used, day(30), day(31), true},
		{"undated", undated, day(1), time.Time{}, false},
		{"undated, no flags", undated, time.Time{}, time.Time{}, true},
		{"untimed", untimed, day(1), day(2), true},
	} {
		f := filter{from: instant{Time: test.from}, to: instant{Time: test.to}}
		if got := f.show(test.row); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// TestAndAbove: --exit-code shows, and counts, what is at or above --severity.
func TestAndAbove(t *testing.T) {
	gaps := []timeline.Gap{{Severity: timeline.Medium, Host: "WS01"}, {Severity: timeline.Info, Host: "WS02"}}
	for _, test := range []struct {
		severity, host string
		want           bool
	}{
		{"", "", true},
		{"high", "", false},
		{"medium", "", true},
		{"low", "", true},
		{"low", "WS02", false},
		{"*", "WS02", true},
		{"", "WS03", false},
	} {
		f := filter{severity: globs{words: gapSeverities}}
		for g, s := range map[*globs]string{&f.severity: test.severity, &f.host: test.host} {
			if s == "" {
				continue
			}
			if err := g.Set(s); err != nil {
				t.Fatal(err)
			}
		}
		f.severity = f.severity.andAbove()
		if got := len(chosen(&f, gaps, gapFacets)) > 0; got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

func TestStatus(t *testing.T) {
	r := result{Report: timeline.Report{Problems: []evidence.Problem{{Severity: evidence.Warning}}}}
	if err := r.status(); err != nil {
		t.Errorf("a warning ends in %v", err)
	}
	r.Problems[0].Severity = evidence.Error
	var e *exit
	if err := r.status(); !errors.As(err, &e) || e.code != exitUnread {
		t.Errorf("an error ends in %v", err)
	}
}

// Every command has a long help with an example, and every flag a usage.
func TestHelp(t *testing.T) {
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		if c.Short == "" || c.Long == "" || c.Example == "" {
			t.Errorf("%s: help is incomplete", c.CommandPath())
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s: --%s has no usage", c.CommandPath(), f.Name)
			}
		})
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check((&app{}).root())
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	if err := writeEvidence(filepath.Join(dir, "ev")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := filepath.Join(dir, "out")
	for _, c := range []struct {
		args []string
		left string
	}{
		{[]string{"analyze", filepath.Join(dir, "ev"), "-o", out}, "nothing was written into " + out},
		{[]string{"gaps", filepath.Join(dir, "ev")}, "what was written is whole"},
		{[]string{"dump", "hive", filepath.Join(dir, "ev/C/Users/alice/NTUSER.DAT")}, "what was written is whole"},
	} {
		var stdout, stderr bytes.Buffer
		a := &app{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, args: c.args}
		if code := a.run(ctx); code != exitInterrupted {
			t.Errorf("%q: exit code %d: %s", c.args, code, stderr.String())
		}
		if !strings.HasSuffix(stderr.String(), "sharetrail: interrupted: "+c.left+"\n") {
			t.Errorf("%q: %q", c.args, stderr.String())
		}
	}
	// Between two files of the folder.
	if err := os.WriteFile(filepath.Join(out, "timeline.csv"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := (&app{folder: out}).left(); !strings.Contains(got, "each file in "+out+" is whole, but there is no manifest.json") {
		t.Errorf("%q", got)
	}
	if _, err := os.Stat(filepath.Join(out, "manifest.json")); err == nil {
		t.Error("an interrupted run wrote a manifest")
	}
}

// start runs the program itself, as the scripts do.
func start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := exec.LookPath("sharetrail")
	if err != nil {
		t.Fatal(err) // testscript puts it there
	}
	return exec.Command(self, args...)
}

// An interrupt reaches a command that waits for its input.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	cmd := start(t, "classify", "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(in, "net use z: /delete")
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.Contains(line, "use.delete") {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d", code)
	}
}

// Whoever reads the output may stop at any time: that is no failure, and not
// worth a word.
func TestBrokenPipe(t *testing.T) {
	dir := t.TempDir()
	if err := writeEvidence(dir); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"timeline", dir}, {"gaps", dir, "--format", "json"}, {"analyze", dir}, {"analyze", dir, "--format", "table"},
		{"rules"}, {"sources", dir}, {"classify", "net use"}, {"version"},
	} {
		var stderr bytes.Buffer
		a := &app{stdout: brokenWriter{}, stderr: &stderr, args: args}
		if code := a.run(context.Background()); code != 0 || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d: %s", args, code, stderr.String())
		}
	}
	var stderr bytes.Buffer
	a := &app{stdout: brokenWriter{}, stderr: &stderr, args: []string{"gaps", dir, "--exit-code"}}
	if code := a.run(context.Background()); code != exitFinding {
		t.Errorf("exit code %d", code)
	}
	a = &app{stdout: fullWriter{}, stderr: &stderr, args: []string{"timeline", dir}}
	if code := a.run(context.Background()); code != exitFailed || !strings.Contains(stderr.String(), "no space") {
		t.Errorf("a full disk ends in exit code %d: %s", code, stderr.String())
	}
}

// TestUnwritten: a file that cannot be written does not lose what was found, and
// the error says which it was, what the folder holds and what to do.
func TestUnwritten(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	if err := writeEvidence(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(out, "gaps.jsonl", "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	a := &app{stdout: &stdout, stderr: &stderr, args: []string{"analyze", dir, "-o", out, "--force", "--format", "table"}}
	if code := a.run(context.Background()); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if got := stdout.String(); !strings.Contains(got, "Findings (1)") || strings.Contains(got, "Written to") {
		t.Errorf("the summary is\n%s", got)
	}
	for _, want := range []string{filepath.Join(out, "gaps.jsonl") + " cannot be written: ", "each file in " + out + " is whole, but there is no manifest.json", "run it again with --force"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in %s", want, stderr.String())
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) {
	if runtime.GOOS == "windows" {
		return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.Errno(232)}
	}
	return 0, &os.PathError{Op: "write", Path: "|1", Err: syscall.EPIPE}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestInside(t *testing.T) {
	dir := t.TempDir()
	ev := filepath.Join(dir, "ev")
	if err := os.MkdirAll(filepath.Join(ev, "C"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		ev:                                      true,
		filepath.Join(ev, "C"):                  true,
		filepath.Join(ev, "new", "deeper"):      true,
		filepath.Join(ev, "..", "ev", "new"):    true,
		filepath.Join(ev, "..", "ev2"):          false,
		filepath.Join(dir, "out"):               false,
		dir:                                     false,
		filepath.Join(dir, "evidence"):          false,
		filepath.Join(ev, "C", "..", "..", "o"): false,
	} {
		if got := inside(name, ev); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if os.Symlink(ev, filepath.Join(dir, "link")) == nil && !inside(filepath.Join(dir, "link", "x", "y"), ev) {
		t.Error("a link into the evidence is not seen")
	}
}

// Every id that a row names is a row.
func TestIDsResolve(t *testing.T) {
	dir := t.TempDir()
	ev, out := filepath.Join(dir, "ev"), filepath.Join(dir, "out")
	if err := writeEvidence(ev); err != nil {
		t.Fatal(err)
	}
	for _, context := range []string{"related", "all", "none"} {
		if code, _, stderr := runApp("analyze", ev, "-o", out, "--force", "--context", context); code != 0 {
			t.Fatal(stderr)
		}
		m, err := output.OpenFolder(out)
		if err != nil {
			t.Fatal(err)
		}
		r, err := output.ReadFolder(out, m, "timeline", "shares", "gaps", "coverage")
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Gaps) == 0 || len(r.Gaps[0].Observations) == 0 {
			t.Error("there is nothing to check")
		}
		if context == "none" {
			continue // context is left out there on the user's wish
		}
		for _, id := range unresolved(r) {
			t.Errorf("--context %s: %s resolves to nothing", context, id)
		}
	}
}
