package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sharetrail/timeline"
)

// TestSameLabels: archives and folders of one name, of which nothing tells the
// computer, are those of different computers, and nothing was removed between them.
func TestSameLabels(t *testing.T) {
	dir := t.TempDir()
	for name, hive := range map[string]string{"one/triage": withZ, "two/triage": withoutZ} {
		p := filepath.Join(dir, name, "C/Users/alice/NTUSER.DAT")
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, buildHive(t, hive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, sources := range [][]string{{dir}, {filepath.Join(dir, "one/triage"), filepath.Join(dir, "two/triage")}} {
		res, err := Run(t.Context(), sources, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(res.Report.Gaps, func(g timeline.Gap) bool { return g.Rule == "G01" }) {
			t.Errorf("%q: a removal between two computers: %v", sources, res.Report.Gaps)
		}
		hosts := map[string]bool{}
		for _, r := range res.Report.Coverage {
			hosts[r.Host] = true
		}
		if len(hosts) != 2 || !hosts["triage"] || !hosts["triage~2"] {
			t.Errorf("%q: hosts %v", sources, hosts)
		}
	}
}

// TestSameFileNames: loose hives of one name, of which nothing tells the user, are
// those of different users.
func TestSameFileNames(t *testing.T) {
	dir := t.TempDir()
	for name, hive := range map[string]string{"alice": withZ, "bob": withoutZ} {
		p := filepath.Join(dir, name, "NTUSER.DAT")
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, buildHive(t, hive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	res, err := Run(t.Context(), []string{dir}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(res.Report.Gaps, func(g timeline.Gap) bool { return g.Rule == "G01" }) {
		t.Errorf("a removal between two users: %v", res.Report.Gaps)
	}
	for _, user := range []string{"alice/NTUSER.DAT", "bob/NTUSER.DAT"} {
		if !slices.ContainsFunc(res.Report.Coverage, func(r timeline.CoverageRow) bool { return r.Evidence == "registry:NTUSER:"+user }) {
			t.Errorf("no coverage of %s", user)
		}
	}
}
