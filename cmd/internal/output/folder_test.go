package output

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

func report() *timeline.Report {
	return &timeline.Report{
		Hosts:        []string{"WS01"},
		Observations: []evidence.Observation{full(), {ID: "2"}},
		Connections:  []timeline.Connection{{ID: "c", Host: "WS01", User: "alice", Share: `\\fs01\finance`, Status: timeline.StatusMapped}},
		Gaps: []timeline.Gap{{
			ID: "G03-1", Severity: timeline.Low, Confidence: timeline.Likely, Host: "WS01", User: "al\x1b[31mice", Claim: strings.Repeat("A long claim. ", 20),
			Window: timeline.At(when, timeline.Recorded),
			Benign: []timeline.Benign{{Explanation: "a logon script", Verdict: timeline.Contradicted, Because: "none ran"}},
		}},
		Coverage: []timeline.CoverageRow{
			{Host: "WS01", Evidence: "evtx:Security", Class: timeline.Continuous}, {Host: "WS01", Evidence: "vss", Class: timeline.Absent},
			{Host: "WS02", Evidence: "evtx:Security", Class: timeline.ClearedClass},
		},
		Problems: []evidence.Problem{{Severity: evidence.Warning, What: "doubt"}, {Severity: evidence.Error, What: "damage", From: full().From}},
		NotRun:   []timeline.NotRun{{Rule: "G13", Host: "WS01", Why: "no logs"}, {Rule: "G13", Host: "WS02", Why: "no logs"}},
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	r := report()
	if err := WriteFolder(t.Context(), dir, r, &Manifest{Version: "1"}, HTMLOptions{}); err != nil {
		t.Fatal(err)
	}
	m, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Counts != Count(r) || m.Counts.RulesNotRun != 2 || len(m.Files) != 12 {
		t.Errorf("manifest %+v", m)
	}
	got, err := ReadFolder(dir, m, "timeline", "shares", "gaps", "coverage", "problems")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Observations) != 2 || len(got.Connections) != 1 || len(got.Gaps) != 1 || len(got.Coverage) != 3 || len(got.Problems) != 2 || len(got.NotRun) != 2 {
		t.Errorf("read %+v", Count(got))
	}
	if _, err := ReadFolder(dir, m, "nothing"); err == nil {
		t.Error("rows that are not there were read")
	}
	// Writing again gives the same, and leaves no other files.
	before, _ := os.ReadFile(filepath.Join(dir, ManifestName))
	if err := WriteFolder(t.Context(), dir, r, &Manifest{Version: "1"}, HTMLOptions{}); err != nil {
		t.Fatal(err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, ManifestName))
	if !bytes.Equal(before, after) {
		t.Errorf("manifests differ:\n%s\n%s", before, after)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 13 {
		t.Errorf("%v", entries)
	}
}

func TestFolderRefused(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"more":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o644) },
		"folder":  func(dir string) error { return os.Mkdir(filepath.Join(dir, "x"), 0o755) },
		"less":    func(dir string) error { return os.Remove(filepath.Join(dir, "gaps.csv")) },
		"changed": func(dir string) error { return os.WriteFile(filepath.Join(dir, "gaps.csv"), nil, 0o644) },
		"link": func(dir string) error {
			name := filepath.Join(dir, "gaps.csv")
			return errors.Join(os.Rename(name, dir+".csv"), os.Symlink(dir+".csv", name))
		},
		"directory": func(dir string) error {
			name := filepath.Join(dir, "gaps.csv")
			return errors.Join(os.Remove(name), os.Mkdir(name, 0o755))
		},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := WriteFolder(t.Context(), dir, report(), &Manifest{}, HTMLOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFolder(dir); err == nil || errors.Is(err, ErrNoFolder) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	for _, text := range []string{"", "{", `{"format":"other/1"}`, "[]"} {
		if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFolder(dir); !errors.Is(err, ErrNoFolder) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// An interrupted run leaves whole files or none, and no manifest.
func TestFolderInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	if err := WriteFolder(ctx, dir, report(), &Manifest{}, HTMLOptions{}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := WriteFolder(ctx, dir, report(), &Manifest{}, HTMLOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := OpenFolder(dir); !errors.Is(err, ErrNoFolder) {
		t.Errorf("the old manifest is still there: %v", err)
	}
}

// A countdown is a context that is done after so many looks at it.
type countdown struct {
	context.Context
	left *int
}

func (c countdown) Err() error {
	if *c.left--; *c.left < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever it is interrupted, in the middle of a file too, what is there under
// its name is what a whole run writes, and nothing else is there.
func TestFolderInterruptedAnywhere(t *testing.T) {
	whole := t.TempDir()
	r := bigReport(1000)
	if err := WriteFolder(t.Context(), whole, r, &Manifest{}, HTMLOptions{}); err != nil {
		t.Fatal(err)
	}
	var partly int
	for looks := 0; ; looks++ {
		dir, left := t.TempDir(), looks
		err := WriteFolder(countdown{t.Context(), &left}, dir, r, &Manifest{}, HTMLOptions{})
		entries, readErr := os.ReadDir(dir)
		if readErr != nil {
			t.Fatal(readErr)
		}
		for _, e := range entries {
			got, gotErr := os.ReadFile(filepath.Join(dir, e.Name()))
			want, wantErr := os.ReadFile(filepath.Join(whole, e.Name()))
			if gotErr != nil || wantErr != nil || !bytes.Equal(got, want) {
				t.Errorf("after %d looks: %s: %v, %v", looks, e.Name(), gotErr, wantErr)
			}
		}
		if err == nil {
			break
		}
		if _, open := OpenFolder(dir); !errors.Is(err, context.Canceled) || !errors.Is(open, ErrNoFolder) {
			t.Errorf("after %d looks: %v, %v", looks, err, open)
		}
		if len(entries) > 0 {
			partly++
		}
	}
	if partly < 20 {
		t.Errorf("interrupted %d times with files written", partly)
	}
}

func TestSummary(t *testing.T) {
	r := report()
	var out bytes.Buffer
	if err := Summary(&out, r, Count(r), Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Findings (1)\n", `LOW  likely  G03-1  WS01  al\x1b[31mice`, "when    2026-03-01T10:00:00Z (recorded)\n",
		"benign  contradicted: a logon script (none ran)\n", "Connections (1)\n", `\\fs01\finance`,
		"WS01: continuous evtx:Security; absent vss\n", "WS02: cleared evtx:Security\n",
		"Rules not run (2)\n", "G13 on WS01, WS02: no logs\n", "Problems (2)\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Index(out.String(), "damage") > strings.Index(out.String(), "doubt") {
		t.Error("warnings come before errors")
	}
	for l := range strings.Lines(out.String()) {
		if len([]rune(l)) > 81 && !strings.Contains(l, "problem") {
			t.Errorf("long line %q", l)
		}
	}
	out.Reset()
	if err := Summary(&out, &timeline.Report{}, Counts{}, Options{}); err != nil || !strings.Contains(out.String(), "does not prove that nothing was removed") {
		t.Errorf("%q, %v", out.String(), err)
	}
	out.Reset()
	if err := Summary(&out, &timeline.Report{}, Counts{Gaps: 3}, Options{}); err != nil || !strings.Contains(out.String(), "Findings (0 of 3)\n") || strings.Contains(out.String(), "does not prove") {
		t.Errorf("%q, %v", out.String(), err)
	}
}
