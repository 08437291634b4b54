package artifacts

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
)

// TestRestamps writes a mapping alone, among many keys of one place, and among
// many keys of many places: only the last is a mass restamp.
func TestRestamps(t *testing.T) {
	for _, tc := range []struct {
		name     string
		keys     int
		branches []string
		want     bool
	}{
		{"alone", 0, nil, false},
		{"one place", 200, []string{`Software\A`}, false},
		{"few keys", 47, []string{`Software\A`, `Software\B`, `Console\C`}, false},
		{"mass", 48, []string{`Software\A`, `Software\B`, `Console\C`}, true},
	} {
		text := "[Network] 2026-03-01T10:00:00.9Z\n[Network\\Z] 2026-03-01T10:00:00Z\nRemotePath=\\\\fs01\\x\n[Network\\Y] 2026-03-01T10:00:01Z\nRemotePath=\\\\fs01\\y\n[Software] 2026-01-01T00:00:00Z\n"
		for i := range tc.keys {
			text += fmt.Sprintf("[%s\\%d] 2026-03-01T10:00:00.5Z\n", tc.branches[i%len(tc.branches)], i)
		}
		for _, b := range tc.branches {
			text += fmt.Sprintf("[%s] 2026-01-01T00:00:00Z\n", b)
		}
		data, err := hivetest.Build(text)
		if err != nil {
			t.Fatal(err)
		}
		h, err := hive.Open(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		out := &Emitter{place: &evidence.Place{}}
		if err := readMappedDrives(&Hive{Hive: h}, out); err != nil {
			t.Fatal(err)
		}
		markRestamps(h, out, 0)
		for _, o := range out.Observations {
			got := o.Detail.Text("restamped")
			if want := tc.want && o.Drive != "Y:"; (got != "") != want {
				t.Errorf("%s: %s: %q, want a mark: %v", tc.name, o.From().Key, got, want)
			}
			if got != "" && !strings.HasPrefix(got, "50 keys in 3 or more places") {
				t.Errorf("%s: %q", tc.name, got)
			}
		}
	}
}
