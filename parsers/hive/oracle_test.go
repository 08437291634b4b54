package hive_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sharetrail/parsers/hive"
)

// TestRegLookup: what another program finds in free cells is found, at the same
// places and with the same names and times.
func TestRegLookup(t *testing.T) {
	program, err := exec.LookPath("reglookup-recover")
	if err != nil {
		t.Skip("oracle reglookup-recover is not installed")
	}
	files := map[string]string{"built": filepath.Join(t.TempDir(), "hive")}
	if err := os.WriteFile(files["built"], build(t, deletedText), 0o600); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SHARETRAIL_CORPUS"); dir != "" {
		for _, name := range []string{"hive-deleted/yarp/DeletedTreeHive", "hive-user/plaso-nfury/NTUSER-WIN7.DAT", "hive-system/cfreds-dataleak/DEFAULT"} {
			files[name] = filepath.Join(dir, name)
		}
	}
	for name, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var stderr bytes.Buffer
		cmd := exec.Command(program, file)
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, stderr.String())
		}
		records := make(map[int64]string)
		for it, err := range open(t, b).Deleted() {
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range append(it.Values, it) {
				records[it.Off] = describe(it)
			}
		}
		rows := 0
		for _, line := range strings.Split(string(out), "\n")[1:] {
			f := strings.Split(line, ",")
			if len(f) < 6 || f[2] != "KEY" && f[2] != "VALUE" {
				continue
			}
			rows++
			off, err := strconv.ParseInt(f[0], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := records[off+4]
			want := f[4]
			if f[2] == "KEY" {
				want += " " + f[5]
			}
			if !ok || !strings.Contains(want, "%") && got != want {
				t.Errorf("%s: %#x: %q, want %q", name, off, got, want)
			}
		}
		if rows == 0 {
			t.Errorf("%s: the other program found nothing:\n%s", name, out)
		}
		t.Logf("%s: %d records, the other program has %d", name, len(records), rows)
	}
}

func describe(it hive.Item) string {
	switch {
	case it.Key != nil:
		return it.Key.Name + " " + it.Key.LastWrite.Format("2006-01-02 15:04:05")
	case it.Value != nil:
		return it.Value.Name
	}
	return it.Text
}
