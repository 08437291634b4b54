package eventlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// TestCorpusLenders: the other logs of a computer hold definitions that a log
// has lost. It takes nothing away, and changes no record that was whole.
func TestCorpusLenders(t *testing.T) {
	dir := corpus(t)
	const host = "triage/museum-w10-belkasoft-insider"
	var logs []*Log
	var alone []map[int64]string
	whole := func(l *Log, o Options) (m map[int64]string, n int) {
		m = make(map[int64]string)
		o.Slack = true
		for r, err := range l.Read(o) {
			if err != nil || r.State != "slack" {
				continue
			}
			if fields, err := r.Data(); err == nil {
				m[r.Off] = fmt.Sprint(r.ID, r.Channel, fields)
			}
			n++
		}
		return m, n
	}
	all, before, after := 0, 0, 0
	for _, log := range corpusLogs(t, dir, host) {
		b, err := os.ReadFile(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		if l, err := Open(bytes.NewReader(b), int64(len(b))); err == nil {
			m, n := whole(l, Options{})
			logs, alone = append(logs, l), append(alone, m)
			before, all = before+len(m), all+n
		}
	}
	var lenders []Lender
	for _, l := range logs {
		lenders = append(lenders, Lender{"another", l})
	}
	for i, l := range logs {
		m, _ := whole(l, Options{Jobs: 2, Lenders: lenders})
		after += len(m)
		for off, was := range alone[i] {
			if is := m[off]; is != was {
				t.Errorf("record at %d: alone %s, with lenders %s", off, was, is)
			}
		}
	}
	t.Logf("%d of %d records in slack are whole, %d with other logs at hand", before, all, after)
	if after <= before {
		t.Error("other logs lend nothing")
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

// TestCorpusCarve: from logs that are nothing but bytes among others, as many
// records are carved, the same ones, as their chunks hold.
func TestCorpusCarve(t *testing.T) {
	dir := corpus(t)
	key := func(r *Record) string {
		fields, err := r.Data()
		return fmt.Sprint(r.HeaderID, r.HeaderTime, r.ID, r.Time, r.Channel, r.Provider, r.EventID, fields, err != nil)
	}
	logs, records := 0, 0
	for _, log := range corpusLogs(t, dir, "evtx", "triage") {
		b, err := os.ReadFile(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(b) > 4<<20 {
			continue
		}
		var want []string
		for r, err := range l.Read(Options{Slack: true}) {
			if err == nil {
				want = append(want, key(r))
			}
		}
		// The end of one chunk and the begin of the next stay together.
		s := append(bytes.Repeat([]byte("sector of text, "), 32*(1+logs%9)), b[l.base:]...)
		c := Carve(bytes.NewReader(s), int64(len(s)))
		var got []string
		for r, err := range c.Read(Options{Slack: true, Jobs: 2}) {
			if err == nil {
				got = append(got, key(r))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d records carved, %d are there", log, len(got), len(want))
		}
		logs++
		records += len(got)
	}
	t.Logf("%d records carved from %d logs", records, logs)
	if records == 0 {
		t.Error("nothing was carved")
	}
}

// TestCorpusMagics: every record signature in a log is that of a record that
// is yielded, or chance: nothing like a record follows it.
func TestCorpusMagics(t *testing.T) {
	dir := corpus(t)
	magics, records, left, padding := 0, 0, 0, 0
	for _, log := range corpusLogs(t, dir, "evtx", "triage", "evtx-malformed") {
		b, err := os.ReadFile(filepath.Join(dir, log))
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			continue
		}
		yielded := map[int64]bool{}
		for r, err := range l.Read(Options{Slack: true}) {
			if err == nil {
				yielded[r.Off] = true
			}
		}
		records += len(yielded)
		for off := int64(nextMagic(b, int(min(l.base, int64(len(b)))), len(b))); off < int64(len(b)); off = int64(nextMagic(b, int(off)+1, len(b))) {
			if magics++; yielded[off] {
				continue
			}
			if yielded[off+8] { // what was in the padding at the end of a record before
				padding++
				continue
			}
			left++
			chunk := b[l.base+(off-l.base)/chunkSize*chunkSize:]
			in := int((off - l.base) % chunkSize)
			if in >= chunkHeaderSize && in+recordMin < len(chunk) {
				if s := frame(chunk, in, min(chunkSize, len(chunk))); s.doubt == "" && s.id != 0 && s.id < 1<<63 {
					t.Errorf("%s: a whole record at %#x is not yielded", log, off)
				}
			}
		}
	}
	t.Logf("%d signatures: %d of records, %d left in padding, %d without a record", magics, records, padding, left)
	if magics-left-padding != records {
		t.Errorf("%d signatures of records, %d records", magics-left-padding, records)
	}
}
