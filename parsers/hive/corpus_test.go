package hive_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

func corpus(t *testing.T) string {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return dir
}

// table reads a tab-separated file with a header row.
func table(t *testing.T, name string) []map[string]string {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	head := strings.Split(strings.TrimRight(lines[0], "\r"), "\t")
	var rows []map[string]string
	for _, line := range lines[1:] {
		row := make(map[string]string)
		for i, cell := range strings.Split(strings.TrimRight(line, "\r"), "\t") {
			row[head[i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

func openFile(t *testing.T, name string) (*hive.Hive, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return hive.Open(bytes.NewReader(b), int64(len(b)))
}

// knownDifferences are rows of the truth that we read otherwise, with the
// reason: "file: kind, key, value".
var knownDifferences = map[string]string{}

func TestCorpusRows(t *testing.T) {
	dir := corpus(t)
	rows, differ := 0, 0
	for _, kind := range []string{"hive-user", "hive-system", "hive-dirty", "hive-deleted"} {
		names, err := filepath.Glob(filepath.Join(dir, "truth", kind+"__*.tsv"))
		if err != nil || len(names) == 0 {
			t.Fatal("no truth tables", err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".deleted.tsv") || strings.HasSuffix(name, ".recovered.tsv") {
				continue
			}
			rel := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(name), ".tsv"), "__", "/")
			h, err := openFile(t, filepath.Join(dir, rel))
			if err != nil {
				t.Errorf("%s: %v", rel, err)
				continue
			}
			if list := h.Problems(); len(list) > 0 {
				t.Errorf("%s: %v", rel, list)
			}
			for _, row := range table(t, name) {
				rows++
				if err := checkRow(h, row); err != nil {
					id := fmt.Sprintf("%s: %s, %s, %s", rel, row["kind"], row["key_path"], row["value_name"])
					if knownDifferences[id] == "" {
						t.Errorf("%s: %v", id, err)
					}
					differ++
				}
			}
		}
	}
	t.Logf("%d rows, %d differ", rows, differ)
	if differ*1000 > rows {
		t.Errorf("%d of %d rows differ, above 0.1 %%", differ, rows)
	}
}

func checkRow(h *hive.Hive, row map[string]string) error {
	if row["kind"] == "header" {
		return checkHeader(h, row["value_name"], row["value_data"])
	}
	k, err := h.Key(row["key_path"])
	if err != nil {
		return err
	}
	if got := strconv.FormatUint(k.LastWriteRaw, 10); got != row["lastwrite_filetime"] {
		return fmt.Errorf("FILETIME %s, want %s", got, row["lastwrite_filetime"])
	}
	if got := k.LastWrite.Format("2006-01-02T15:04:05.0000000Z"); got != row["lastwrite_utc"] {
		return fmt.Errorf("time %s, want %s", got, row["lastwrite_utc"])
	}
	if row["value_type"] == "" {
		return nil
	}
	v, err := k.Value(row["value_name"])
	if err != nil {
		return err
	}
	if got := hive.TypeName(v.Type); got != row["value_type"] {
		return fmt.Errorf("type %s, want %s", got, row["value_type"])
	}
	got, err := render(v)
	if err != nil {
		return err
	}
	want, cut := strings.CutSuffix(row["value_data"], "...")
	if got != want && !(cut && strings.HasPrefix(got, want)) {
		return fmt.Errorf("data %q, want %q", got, row["value_data"])
	}
	return nil
}

func checkHeader(h *hive.Hive, field, want string) error {
	a, b := h.Sequences()
	got := want
	switch field {
	case "seq1":
		got = fmt.Sprint(a)
	case "seq2":
		got = fmt.Sprint(b)
	case "name":
		got = h.FileName()
	case "checksum_ok":
		got = "True" // these files have no problem
	}
	if got != want {
		return fmt.Errorf("%s %q, want %q", field, got, want)
	}
	return nil
}

// render writes data as the truth tables do.
func render(v *hive.Value) (string, error) {
	switch hive.TypeName(v.Type) {
	case "REG_SZ", "REG_EXPAND_SZ", "REG_LINK":
		s, _, err := v.Text()
		return s, err
	case "REG_MULTI_SZ":
		list, err := v.Strings()
		return strings.Join(list, "|"), err
	case "REG_DWORD", "REG_QWORD", "REG_DWORD_BIG_ENDIAN":
		n, ok := v.Uint()
		if !ok {
			return "", errors.New("no number")
		}
		return fmt.Sprint(n), nil
	}
	b, err := v.Bytes()
	return hex.EncodeToString(b), err
}

func TestCorpusTotals(t *testing.T) {
	dir := corpus(t)
	for _, row := range table(t, filepath.Join(dir, "truth", "_hives.tsv")) {
		name := row["file"]
		if row["yarp_error"] != "" || strings.HasPrefix(name, "triage/") {
			continue
		}
		h, err := openFile(t, filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keys, values := 0, 0
		for k, err := range h.Walk() {
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			keys++
			for v, err := range k.Values() {
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if _, err := v.Bytes(); err != nil {
					t.Errorf("%s: %s\\%s: %v", name, k.Path, v.Name, err)
				}
				values++
			}
			if keys%500 == 1 {
				if again, err := h.Key(k.Path); err != nil || again.Off != k.Off {
					t.Errorf("%s: %q: opened by path: %v, %v", name, k.Path, again, err)
				}
			}
		}
		if fmt.Sprint(keys) != row["yarp_keys"] || fmt.Sprint(values) != row["yarp_values"] {
			t.Errorf("%s: %d keys, %d values; want %s, %s", name, keys, values, row["yarp_keys"], row["yarp_values"])
		}
		if dirty := row["seq1"] != row["seq2"] || row["checksum_ok"] != "True"; h.Dirty() != dirty {
			t.Errorf("%s: dirty %v, want %v", name, h.Dirty(), dirty)
		}
	}
}

// What comes out of the damaged hives, and what is said about each. Files that
// are merely strange, not damaged, have nothing said.
func TestCorpusMalformed(t *testing.T) {
	dir := corpus(t)
	for name, want := range map[string]struct {
		keys, values int
		says         string // in any error or problem; "" = none at all
	}{
		"ez/NotAHive":                    {0, 0, `signature "MZ`},
		"ez/SAMBadHBinHeader":            {68, 73, `signature "gbin"`},
		"plaso/100_sub_keys.hiv":         {101, 100, ""},
		"plaso/corrupt_sub_key_list.hiv": {100, 99, "read 99 of 100 subkeys"},
		"python-registry/issue22.hive":   {1, 10, ""},
		"regipy/corrupted_system_hive":   {1687, 5625, `hive bin: signature "\x00\x00\x00\x00"`},
		"yarp/BadListHive":               {6, 0, "a key listed before"},
		"yarp/BigDataHive":               {2, 2, ""},
		"yarp/DupNameHive":               {2, 0, ""},
		"yarp/EmptyHive":                 {1, 0, ""},
		"yarp/ExtendedASCIIHive":         {2, 1, ""},
		"yarp/GarbageHive":               {1, 0, "checksum"},
		"yarp/InvalidParentHive":         {5003, 0, "parent"},
		"yarp/NewFlagsHive":              {3, 0, ""},
		"yarp/StringValuesHive":          {2, 4, ""},
		"yarp/TruncatedHive":             {2, 0, "bins end at 0x78000, the file at 0x3000"},
		"yarp/UnicodeHive":               {3, 0, ""},
		"yarp/WrongOrderHive":            {11, 0, "listed behind"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := openFile(t, filepath.Join(dir, "hive-malformed", name))
			said := []error{err}
			keys, values := 0, 0
			if err == nil {
				r := readAll(t, h)
				keys, values, said = r.keys, r.values, append(r.errs, h.Problems()...)
			}
			if keys != want.keys || values != want.values {
				t.Errorf("%d keys, %d values; want %d, %d", keys, values, want.keys, want.values)
			}
			all := fmt.Sprint(said)
			if want.says == "" && len(said) > 0 || !strings.Contains(all, want.says) {
				t.Errorf("said %.1000s, want %q", all, want.says)
			}
		})
	}
}

// TestCorpusLogs holds Open to telling logs from hives, and Sniff likewise.
func TestCorpusLogs(t *testing.T) {
	dir := corpus(t)
	logs := 0
	err := filepath.WalkDir(filepath.Join(dir, "hive-dirty"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		isHive, isLog := hive.Sniff(b[:min(512, len(b))])
		want := strings.Contains(name, ".LOG")
		if isLog != (want && len(b) > 0) || isHive == want {
			t.Errorf("%s: hive %v, log %v", name, isHive, isLog)
		}
		if _, err := hive.Open(bytes.NewReader(b), int64(len(b))); want && (!errors.Is(err, hive.ErrDamaged) || binread.Offset(err) < 0) {
			t.Errorf("%s: opened as a hive: %v", name, err)
		}
		if want {
			logs++
		}
		return nil
	})
	if err != nil || logs == 0 {
		t.Error(logs, err)
	}
}
