package eventlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpusSlack looks for every record that libevtx recovered from outside
// the record lists. Where libevtx could say more than that there is one, it
// must be the same.
func TestCorpusSlack(t *testing.T) {
	dir := corpus(t)
	var found, headers, borrowed, broken, rows, compared int
	for _, log := range corpusLogs(t, dir, "evtx", "triage", "evtx-malformed") {
		recs, census := readSlack(t, filepath.Join(dir, log))
		slack := make(map[string]*seenRecord)
		for _, r := range recs {
			if r.State != "slack" {
				continue
			}
			slack[fmt.Sprint(r.HeaderID, r.HeaderTime.Format(timeLayout))] = r
			if strings.Contains(r.Doubt, "with the same id") {
				borrowed++
			}
			if r.err != nil && !strings.Contains(r.Doubt, "only its header") {
				broken++
			}
			if !strings.Contains(r.Doubt, outside) {
				t.Errorf("%s: record at %d in slack: doubt %q", log, r.Off, r.Doubt)
			}
		}
		found += census.Slack
		headers += census.SlackUnread
		if _, err := os.Stat(truthPath(dir, log)); err != nil {
			continue
		}
		here := 0
		for _, row := range readTruth(t, dir, log) {
			c := row.cols
			if c["kind"] != "recovered-by-libevtx" {
				continue
			}
			if here++; c["record_id"] == "" {
				continue
			}
			compared++
			r := slack[c["record_id"]+c["time_header_utc"]]
			if r == nil {
				t.Errorf("%s:%d: record %s of %s was not found", log, row.line, c["record_id"], c["time_header_utc"])
			} else if c["event_id"] != "" && !r.Time.IsZero() && c["event_id"] != fmt.Sprint(r.EventID) {
				t.Errorf("%s:%d: event %d, want %s", log, row.line, r.EventID, c["event_id"])
			}
		}
		if rows += here; census.Slack < here {
			t.Errorf("%s: %d records outside the lists, libevtx recovers %d", log, census.Slack, here)
		}
	}
	t.Logf("%d records outside the lists; of %d only the header is left, %d have lost part of their data, %d are read with a definition of another place; "+
		"libevtx recovers %d and tells %d of them", found, headers, broken, borrowed, rows, compared)
	if rows == 0 || compared == 0 || 3*headers > found {
		t.Errorf("too few records outside the lists")
	}
}

func readSlack(t testing.TB, path string) (recs []*seenRecord, census Census) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(f, st.Size())
	if err != nil {
		return nil, census
	}
	for r, err := range l.Read(Options{Slack: true}) {
		if err == nil {
			fields, _ := r.Data()
			recs = append(recs, &seenRecord{Record: *r, fields: fields})
		}
	}
	return recs, l.Census()
}
