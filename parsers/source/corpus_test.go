package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func corpus(t *testing.T, elem ...string) string {
	t.Helper()
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return filepath.Join(append([]string{dir}, elem...)...)
}

func TestCorpusTriage(t *testing.T) {
	for _, test := range []struct {
		path, root      string
		files, problems int
		has             string
	}{
		{"triage/museum-w10-belkasoft-insider", "C", 43, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/museum-w10-rathbunvm", "C", 109, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/museum-w11-rathbunvm/C", "", 21, 0, "Windows/System32/winevt/Logs/Security.evtx"},
		{"triage/velociraptor-genuine/collection.zip", "uploads/auto/C%3A", 3, 0, "Users/bob/NTUSER.DAT"},
		{"triage/velociraptor-genuine/collection-encrypted.zip", "", 0, 1, ""},
		{"triage/velociraptor-offline/Collection-WIN-E5K9RC5GU23-2021-11-21T18_05_56-08_00.zip", "uploads/auto/C%3A", 1, 0, "Users/Administrator/ntuser.dat"},
		{"triage/velociraptor-plain/unencrypted_collector.zip", "", 0, 1, ""},
		{"triage/dfir-orc", "", 0, 5, ""},
		{"derived/kape-layout.zip", "C", 15, 0, "Windows/System32/winevt/Logs/Microsoft-Windows-SmbClient%4Connectivity.evtx"},
		{"derived/velociraptor-layout.zip", "uploads/auto/C%3A", 15, 0, "Windows/System32/winevt/Logs/Microsoft-Windows-SmbClient%4Connectivity.evtx"},
		{"derived/disk-split.E01", "", 0, 1, ""},
		{"derived/disk.qcow2", "", 0, 1, ""},
	} {
		t.Run(strings.ReplaceAll(test.path, "/", "_"), func(t *testing.T) {
			ev := open(t, corpus(t, filepath.FromSlash(test.path)), Options{})
			problems, files, found := len(ev.Problems), 0, test.has == ""
			for _, v := range ev.Volumes {
				problems += len(v.Problems)
				files += len(v.Files)
				if v.Root != test.root || v.Loose {
					t.Errorf("volume %q: root %q, loose %v; want a Windows tree at %q", v.ID, v.Root, v.Loose, test.root)
				}
				for _, f := range v.Files {
					found = found || f.Path == test.has
					readAll(t, f)
				}
			}
			if files != test.files || problems != test.problems || !found {
				t.Errorf("%d files, %d problems, %q there: %v; want %d and %d\n%s", files, problems, test.has, found, test.files, test.problems, strings.Join(describe(ev), "\n"))
			}
		})
	}
}

// Both layouts hold the same files: they must come out alike.
func TestCorpusContainersAgree(t *testing.T) {
	content := func(name string) map[string]string {
		m := map[string]string{}
		for _, f := range open(t, corpus(t, "derived", name), Options{}).Volumes[0].Files {
			m[f.Path] = readAll(t, f)
		}
		return m
	}
	a, b := content("kape-layout.zip"), content("velociraptor-layout.zip")
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d and %d files", len(a), len(b))
	}
	for p := range a {
		if a[p] != b[p] {
			t.Errorf("%s differs", p)
		}
	}
}

// Every hive and log of the corpus is found under its own name, by content.
func TestCorpusFoundByContent(t *testing.T) {
	for kind, want := range map[string]FileKind{"hive-user": Hive, "hive-system": Hive, "hive-deleted": Hive, "evtx": EVTX} {
		dir := corpus(t, kind)
		found := map[string]FileKind{}
		for _, v := range open(t, dir, Options{}).Volumes {
			for _, f := range v.Files {
				found[filepath.Join(dir, filepath.FromSlash(v.Root), filepath.FromSlash(f.Path))] = f.Kind
			}
		}
		err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			if got := found[p]; got != want && !(got == HiveLog && strings.Contains(strings.ToUpper(p), ".LOG")) {
				t.Errorf("%s: kind %q, want %q", p, got, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
