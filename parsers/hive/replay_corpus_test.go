package hive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sharetrail/parsers/hive"
)

// openLogs opens a hive file with the logs that lie beside it.
func openLogs(t testing.TB, name string) (*hive.Hive, *hive.Replay) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var logs []hive.LogFile
	for _, ext := range []string{".LOG", ".LOG1", ".LOG2"} {
		if l, err := os.ReadFile(name + ext); err == nil {
			logs = append(logs, hive.LogFile{Name: filepath.Base(name) + ext, R: bytes.NewReader(l), Size: int64(len(l))})
		}
	}
	h, p, err := hive.OpenWithLogs(bytes.NewReader(b), int64(len(b)), logs)
	if err != nil {
		t.Fatal(name, err)
	}
	return h, p
}

// primaryOf returns the first state.
func primaryOf(t testing.TB, p *hive.Replay) *hive.Hive {
	t.Helper()
	for s := range p.States() {
		if s.Err != nil || s.Log != "" {
			t.Fatalf("primary: %+v", s)
		}
		return s.Hive
	}
	t.Fatal("no state")
	return nil
}

// TestCorpusReplay holds the final view to what another program made of the
// same hive and logs, and the primary view to what was there before.
func TestCorpusReplay(t *testing.T) {
	dir := corpus(t)
	names, _ := filepath.Glob(filepath.Join(dir, "truth", "*.recovered.tsv"))
	if len(names) < 4 {
		t.Fatal("truth tables:", names)
	}
	for _, name := range names {
		rel := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".recovered.tsv"), "__", "/")
		t.Run(rel, func(t *testing.T) {
			final, p := openLogs(t, filepath.Join(dir, rel))
			if p.Clean || len(p.Applied) == 0 || len(p.Problems) > 0 || final.Dirty() {
				t.Errorf("clean %v, %d applied, %v", p.Clean, len(p.Applied), p.Problems)
			}
			primary := primaryOf(t, p)
			added, removed := 0, 0
			for _, row := range table(t, name) {
				kind := row["kind"]
				old := strings.HasPrefix(kind, "log_removed") || strings.HasSuffix(kind, "_before")
				var err error
				switch {
				case kind == "recovered_header", kind == "header":
				case old:
					err = checkRow(primary, row)
				default:
					err = checkRow(final, row)
				}
				if err != nil {
					t.Errorf("%s, %s, %s: %v", kind, row["key_path"], row["value_name"], err)
				}
				if strings.HasPrefix(kind, "log_") && strings.HasSuffix(kind, "_key") {
					other := primary
					if old {
						removed, other = removed+1, final
					} else {
						added++
					}
					if _, err := other.Key(row["key_path"]); !errors.Is(err, fs.ErrNotExist) {
						t.Errorf("%s, %s: %v in the other view", kind, row["key_path"], err)
					}
				}
			}
			a, b := keysOf(t, primary), keysOf(t, final)
			for k := range a {
				if _, ok := b[k]; !ok {
					removed--
				}
			}
			for k := range b {
				if _, ok := a[k]; !ok {
					added--
				}
			}
			if added != 0 || removed != 0 {
				t.Errorf("truth has %d more keys added, %d more removed", added, removed)
			}
			t.Logf("%d entries applied, %d stale, %d keys", len(p.Applied), len(p.Stale), len(b))
		})
	}
}

func keysOf(t testing.TB, h *hive.Hive) map[string]string {
	t.Helper()
	keys, errs := tryKeys(h)
	if len(errs) > 0 {
		t.Error(errs)
	}
	return keys
}

// tryKeys returns all of a hive: by path, time and values of its keys.
func tryKeys(h *hive.Hive) (map[string]string, []error) {
	keys := make(map[string]string)
	var errs []error
	for k, err := range h.Walk() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var s strings.Builder
		fmt.Fprint(&s, k.LastWriteRaw)
		for v, err := range k.Values() {
			if err != nil {
				errs = append(errs, err)
				continue
			}
			b, err := v.Bytes()
			fmt.Fprintf(&s, "|%q %d %x %v", v.Name, v.Type, b, err)
		}
		keys[k.Path] = s.String()
	}
	return keys, errs
}

// TestCorpusWindows compares with what Windows itself made.
func TestCorpusWindows(t *testing.T) {
	dir := corpus(t)
	for name, made := range map[string]string{
		"yarp-NewDirtyHive1/NewDirtyHive": "yarp-NewDirtyHive1/RecoveredHive_Windows10",
		"yarp-OldDirtyHive/OldDirtyHive":  "yarp-OldDirtyHive/RecoveredHive_Windows7",
	} {
		h, _ := openLogs(t, filepath.Join(dir, "hive-dirty", name))
		want, err := openFile(t, filepath.Join(dir, "hive-dirty", made))
		if err != nil {
			t.Fatal(err)
		}
		a, b := keysOf(t, h), keysOf(t, want)
		if len(a) != len(b) || len(a) == 0 {
			t.Errorf("%s: %d keys, want %d", name, len(a), len(b))
		}
		for path, key := range b {
			if a[path] != key {
				t.Errorf("%s: %q: %.200s, want %.200s", name, path, a[path], key)
			}
		}
	}
}

// TestCorpusStates walks through the entries of a ring in its order.
func TestCorpusStates(t *testing.T) {
	dir := corpus(t)
	for name, want := range map[string]string{
		"yarp-NewDirtyHive1/NewDirtyHive":    "0 2 3 4 5",
		"yarp-OldDirtyHive/OldDirtyHive":     "0 5",
		"regipy-usrclass/UsrClass.dat":       "0 287 288 289 290 291 292 293 294 295 296 297 298 299 300",
		"museum-w10-rathbunvm/Amcache.hve":   "0 76 77 78 79 80 81",
		"museum-2012r2-szechuan/Amcache.hve": "0", // clean
	} {
		h, p := openLogs(t, filepath.Join(dir, "hive-dirty", name))
		got := ""
		var last map[string]string
		for s := range p.States() {
			if s.Err != nil {
				t.Errorf("%s: %d: %v", name, s.Sequence, s.Err)
				continue
			}
			got += fmt.Sprint(s.Sequence, " ")
			keys, errs := tryKeys(s.Hive)
			last = keys
			// Entries between the primary and the first one are lost for good,
			// and until the last one came the hive may be torn.
			if len(errs) > 0 && name != "regipy-usrclass/UsrClass.dat" {
				t.Errorf("%s: %d: %v", name, s.Sequence, errs)
			}
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("%s: states %s, want %s", name, got, want)
		}
		final := keysOf(t, h)
		if len(last) != len(final) {
			t.Errorf("%s: %d keys in the last state, %d in the final view", name, len(last), len(final))
		}
		for path, key := range final {
			if last[path] != key {
				t.Errorf("%s: %q differs", name, path)
			}
		}
	}
}

// TestCorpusStale: the logs of a clean hive hold only what it had before.
func TestCorpusStale(t *testing.T) {
	h, p := openLogs(t, filepath.Join(corpus(t), "hive-dirty", "museum-2012r2-szechuan/Amcache.hve"))
	if !p.Clean || sequences(p.Applied) != "" || sequences(p.Stale) != "18 17" || len(p.Problems) > 0 {
		t.Errorf("clean %v, applied %v, stale %v, %v", p.Clean, p.Applied, sequences(p.Stale), p.Problems)
	}
	live := keysOf(t, h)
	known, items := 0, 0
	for it, err := range p.StaleItems() {
		if err != nil {
			t.Fatal(err)
		}
		items++
		if _, ok := live[it.Path]; ok {
			known++
		}
	}
	t.Logf("%d items, %d of them below keys that are there", items, known)
	if known == 0 || items > 3000 {
		t.Errorf("%d items, %d of known keys", items, known)
	}
}
