package eventlog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCorpusCensus compares the marks of re-exported logs with those that were
// counted from the output of libevtx.
func TestCorpusCensus(t *testing.T) {
	dir := corpus(t)
	reexported := 0
	for _, row := range readTable(t, filepath.Join(dir, "truth", "_evtx_files.tsv")) {
		c := row.cols
		if strings.HasPrefix(c["file"], "evtx-malformed") {
			continue // "records" there are those that libevtx could find
		}
		f, err := os.Open(filepath.Join(dir, c["file"]))
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(f, st.Size())
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range l.Records(nil) {
			if err != nil {
				t.Errorf("%s: %v", c["file"], err)
			}
		}
		f.Close()
		got := l.Census()
		h := l.Header()
		if got.Reexported() {
			reexported++
		}
		for what, pair := range map[string][2]string{
			"header chunks": {fmt.Sprint(h.Chunks), c["header_chunks"]},
			"next record":   {fmt.Sprint(h.NextRecord), c["header_next_record"]},
			"last chunk":    {fmt.Sprint(h.LastChunk), c["header_last_chunk"]},
			"ids differ":    {fmt.Sprint(got.HeaderIDDiffers), c["id_ne_EventRecordID"]},
			"no time":       {fmt.Sprint(got.HeaderTimeZero), c["header_time_zero"]},
			"records":       {fmt.Sprint(got.Records), c["records_libevtx"]},
		} {
			// Records that neither of them could render are not in their counts.
			if c["neither_parser"] != "0" && (what == "ids differ" || what == "no time") {
				continue
			}
			if pair[0] != pair[1] {
				t.Errorf("%s: %s %s, want %s", c["file"], what, pair[0], pair[1])
			}
		}
	}
	t.Logf("%d logs are re-exported", reexported)
}

// TestCorpusLibrary runs both decoders over every record: no value may differ,
// and nearly all records must be fit for the library.
func TestCorpusLibrary(t *testing.T) {
	dir := corpus(t)
	var sum tally
	var records, both int
	for _, log := range corpusLogs(t, dir, "evtx", "triage", "evtx-malformed") {
		f, err := os.Open(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		st, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(f, st.Size())
		if err != nil {
			t.Errorf("%s: %v", log, err)
			continue
		}
		tallies := map[*decoder]tally{}
		for r, err := range l.Records(func(*Record) bool { return true }) {
			if err != nil {
				continue
			}
			if records++; r.Rendered {
				both++
			}
			if _, err := r.Data(); err != nil {
				t.Errorf("%s: %v", log, err)
			}
			tallies[r.dec] = r.dec.tally
			if strings.Contains(r.Doubt, "two decoders") {
				t.Errorf("%s: record %d: %s", log, r.ID, r.Doubt)
			}
		}
		for _, n := range tallies {
			sum = tally{sum.same + n.same, sum.differ + n.differ, sum.absent + n.absent, sum.repeated + n.repeated, sum.noForm + n.noForm}
		}
		f.Close()
	}
	t.Logf("%d of %d records rendered by both; values equal %d, differ %d, left out by the library %d, "+
		"of a repeated name %d, of a type it does not render %d",
		both, records, sum.same, sum.differ, sum.absent, sum.repeated, sum.noForm)
	if both*100 < records*99 || sum.same < 5*both || sum.differ > 0 {
		t.Errorf("the library takes too little part, or differs")
	}
}
