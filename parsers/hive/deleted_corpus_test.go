package hive_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sharetrail/parsers/hive"
)

// A found is what Deleted yields, as the rows of the truth tables put it.
type found struct {
	keys, keyValues, values map[string]int
	rows                    int // keys and values; a value of two keys counts twice
	unclassed               int // rows that do not say where they come from
}

func findDeleted(t testing.TB, h *hive.Hive) *found {
	f := &found{keys: map[string]int{}, keyValues: map[string]int{}, values: map[string]int{}}
	for it, err := range h.Deleted() {
		if err != nil {
			t.Error(err)
			continue
		}
		if it.Where == "" {
			f.unclassed++
		}
		if it.Key == nil {
			if it.Value != nil {
				f.rows++
				f.values[valueRow(it.Value)]++
			}
			continue
		}
		path := it.Path
		if !it.PathComplete {
			path = `<partial>\` + path
		}
		f.rows++
		f.keys[path+"\t"+strconv.FormatUint(it.Key.LastWriteRaw, 10)]++
		for _, v := range it.Values {
			f.rows++
			f.keyValues[path+"\t"+valueRow(v.Value)]++
			f.values[valueRow(v.Value)]++
		}
	}
	return f
}

// valueRow shows a value with the beginning of its data: damaged data counts as
// far as it goes.
func valueRow(v *hive.Value) string {
	data, _ := render(v)
	return v.Name + "\t" + hive.TypeName(v.Type) + "\t" + data[:min(128, len(data))]
}

// TestCorpusDeleted: all that another program recovers is found, and little
// else. Its table has values of deleted keys twice: under the key and alone.
func TestCorpusDeleted(t *testing.T) {
	dir := corpus(t)
	names, _ := filepath.Glob(filepath.Join(dir, "truth", "hive-*.deleted.tsv"))
	if len(names) == 0 {
		t.Fatal("no truth tables")
	}
	for _, name := range names {
		rel := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".deleted.tsv"), "__", "/")
		t.Run(rel, func(t *testing.T) {
			h, err := openFile(t, filepath.Join(dir, rel))
			if err != nil {
				t.Fatal(err)
			}
			f := findDeleted(t, h)
			rows, more := 0, f.rows
			take := func(m map[string]int, row string) {
				if m[row]--; m[row] < 0 {
					t.Errorf("missing: %q", row)
				}
			}
			for _, row := range table(t, name) {
				data := strings.TrimSuffix(row["value_data"], "...")
				val := row["value_name"] + "\t" + row["value_type"] + "\t" + data[:min(128, len(data))]
				switch row["kind"] {
				case "deleted_key":
					take(f.keys, row["key_path"]+"\t"+row["lastwrite_filetime"])
				case "deleted_key_value":
					take(f.keyValues, row["key_path"]+"\t"+val)
					continue
				case "deleted_value":
					if row["value_type"] != "" { // else the other program could not read it
						take(f.values, val)
					}
				default:
					continue
				}
				rows++
			}
			more -= rows
			t.Logf("%d rows, %d further ones", rows, more)
			if more*20 > rows+20 || f.unclassed > 0 {
				t.Errorf("%d rows more than the %d of the truth, above 5 %%; %d without a class", more, rows, f.unclassed)
			}
		})
	}
}

// TestCorpusDeletedNotLive: no live record is among the deleted.
func TestCorpusDeletedNotLive(t *testing.T) {
	dir := corpus(t)
	for _, kind := range []string{"hive-user", "hive-system", "hive-dirty", "hive-deleted", "hive-malformed"} {
		names, _ := filepath.Glob(filepath.Join(dir, kind, "*", "*"))
		for _, name := range names {
			if h, err := openFile(t, name); err == nil {
				checkNotLive(t, name, h)
			}
		}
	}
}

// checkNotLive compares the places of live and deleted records.
func checkNotLive(t testing.TB, name string, h *hive.Hive) (live, deleted int) {
	t.Helper()
	at := make(map[int64]bool)
	for k, err := range h.Walk() {
		if err != nil {
			continue
		}
		at[k.Off] = true
		for v, err := range k.Values() {
			if err == nil {
				at[v.Off] = true
			}
		}
	}
	for it, err := range h.Deleted() {
		if err != nil {
			continue
		}
		deleted++
		if at[it.Off] {
			t.Errorf("%s: %#x: %q is live", name, it.Off, it.Path)
		}
		for _, v := range it.Values {
			if at[v.Off] && (!v.Reused || v.Where != hive.InUse) {
				t.Errorf("%s: %#x: value of %q is live", name, v.Off, it.Path)
			}
		}
	}
	return len(at), deleted
}
