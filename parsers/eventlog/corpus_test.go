package eventlog

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func corpus(t testing.TB) string {
	dir := os.Getenv("SHARETRAIL_CORPUS")
	if dir == "" {
		t.Skip("SHARETRAIL_CORPUS is not set: corpus not tested")
	}
	return dir
}

// corpusLogs returns the paths of all logs below the folders, relative to dir.
func corpusLogs(t testing.TB, dir string, folders ...string) []string {
	var list []string
	for _, f := range folders {
		err := filepath.WalkDir(filepath.Join(dir, f), func(p string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && strings.HasSuffix(p, ".evtx") {
				rel, _ := filepath.Rel(dir, p)
				list = append(list, rel)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no logs below %s", dir)
	}
	return list
}

// A truthRow is one record as other people's readers see it.
type truthRow struct {
	cols map[string]string
	line int
}

func readTruth(t testing.TB, dir, log string) []truthRow {
	return readTable(t, truthPath(dir, log))
}

func truthPath(dir, log string) string {
	return filepath.Join(dir, "truth", strings.ReplaceAll(log, "/", "__")+".tsv")
}

func readTable(t testing.TB, path string) []truthRow {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 16<<20)
	var head []string
	var rows []truthRow
	for line := 1; sc.Scan(); line++ {
		c := strings.Split(sc.Text(), "\t")
		if head == nil {
			head = c
			continue
		}
		m := make(map[string]string, len(head))
		for i, k := range head {
			if i < len(c) {
				m[k] = c[i]
			}
		}
		rows = append(rows, truthRow{m, line})
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

// A seen record is kept over the iteration.
type seenRecord struct {
	Record
	fields []Field
	used   bool
	plain  bool // written without a template
}

func readLog(t testing.TB, path string) (recs []*seenRecord, errs []error) {
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
		return nil, []error{err}
	}
	for r, err := range l.Records(func(*Record) bool { return true }) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fields, err := r.Data()
		if err != nil {
			errs = append(errs, err)
		}
		_, templated, _ := r.dec.top(r.lo, r.hi)
		recs = append(recs, &seenRecord{Record: *r, fields: fields, plain: !templated})
	}
	if c := l.Census(); c.Records != len(recs) {
		t.Errorf("%s: census counts %d records, %d were read", path, c.Records, len(recs))
	}
	return recs, errs
}

// TestCorpusTruth compares every record of every sound log with what libevtx
// and python-evtx make of it.
func TestCorpusTruth(t *testing.T) {
	dir := corpus(t)
	var rows, slack, data, diffs int
	for _, log := range corpusLogs(t, dir, "evtx", "triage") {
		truth := readTruth(t, dir, log)
		recs, errs := readLog(t, filepath.Join(dir, log))
		for _, err := range errs {
			t.Errorf("%s: %v", log, err)
		}
		byID := make(map[string][]*seenRecord, len(recs))
		for _, r := range recs {
			k := strconv.FormatUint(r.HeaderID, 10)
			byID[k] = append(byID[k], r)
		}
		for _, row := range truth {
			if row.cols["kind"] == "recovered-by-libevtx" {
				slack++
				continue
			}
			rows++
			if row.cols["eventdata_json"] != "" {
				data++
			}
			why := matchRow(byID[row.cols["record_id"]], row)
			if why == "" {
				continue
			}
			if reason, ok := knownDifferences[fmt.Sprintf("%s:%d", log, row.line)]; ok {
				t.Logf("%s:%d: %s (%s)", log, row.line, why, reason)
				diffs++
				continue
			}
			t.Errorf("%s:%d: %s", log, row.line, why)
		}
	}
	t.Logf("%d rows equal or explained, %d with event data, %d in slack left out, %d explained", rows, data, slack, diffs)
	if diffs*1000 > rows {
		t.Errorf("%d of %d rows differ", diffs, rows)
	}
}

// knownDifferences names the rows in which the other readers are wrong, and
// why: path of the log and line of its truth file.
var knownDifferences = map[string]string{}

// matchRow looks for a record that agrees with the row; the result says what
// is different.
func matchRow(list []*seenRecord, row truthRow) string {
	why := "no record has this header number"
	for _, r := range list {
		if r.used {
			continue
		}
		if why = compareRow(r, row.cols); why == "" {
			r.used = true
			return ""
		}
	}
	return why
}

func compareRow(r *seenRecord, c map[string]string) string {
	if c["kind"] == "raw-strings" {
		return compareTokens(r, c["eventdata_json"])
	}
	sameTime := func(t time.Time, want string) bool {
		if want == "" || strings.HasPrefix(want, "1601-01-01T00:00:00") {
			return t.IsZero()
		}
		w, err := time.Parse(time.RFC3339Nano, strings.Replace(strings.TrimSuffix(want, "Z"), " ", "T", 1)+"Z")
		if err != nil {
			return false
		}
		d := t.Sub(w)
		if len(want) < len("2006-01-02T15:04:05.0000000") { // python-evtx: floating point
			return d.Abs() < 10*time.Microsecond
		}
		return d == 0
	}
	provider := strings.EqualFold(r.Provider, c["provider"])
	switch {
	case strconv.FormatUint(r.ID, 10) != c["event_record_id"]:
		return fmt.Sprintf("EventRecordID %d, want %s", r.ID, c["event_record_id"])
	case strconv.FormatUint(uint64(r.EventID), 10) != c["event_id"]:
		return fmt.Sprintf("EventID %d, want %s", r.EventID, c["event_id"])
	case r.Channel != c["channel"]:
		return fmt.Sprintf("channel %q, want %q", r.Channel, c["channel"])
	case !provider:
		return fmt.Sprintf("provider %q, want %q", r.Provider, c["provider"])
	case r.Computer != c["computer"]:
		return fmt.Sprintf("computer %q, want %q", r.Computer, c["computer"])
	case !sameTime(r.Time, c["time_created_xml"]):
		return fmt.Sprintf("time %s, want %s", Text(r.Time), c["time_created_xml"])
	case !strings.Contains(c["time_header_utc"], "?") && !sameTime(r.HeaderTime, c["time_header_utc"]):
		return fmt.Sprintf("header time %s, want %s", Text(r.HeaderTime), c["time_header_utc"])
	}
	if c["eventdata_json"] == "" {
		return ""
	}
	return compareData(r.fields, c["eventdata_json"])
}

// compareTokens checks a record without a template: its values must occur in
// the plain text, in that order.
func compareTokens(r *seenRecord, want string) string {
	var tokens []string
	if err := json.Unmarshal([]byte(want), &tokens); err != nil {
		return err.Error()
	}
	if len(tokens) == 0 {
		return "" // those readers saw no text in it: that it is there is all they say
	}
	has := make(map[string]bool)
	for _, s := range tokens {
		has[normal(s)] = true
	}
	var texts []string // what the text holds beside the data; a template's own text lies elsewhere
	if r.plain {
		texts = []string{r.Provider, r.Channel, r.Computer, strconv.FormatUint(uint64(r.EventID), 10)}
		if r.have&(1<<sysRecordID) != 0 {
			texts = append(texts, strconv.FormatUint(r.ID, 10))
		}
	}
	for _, s := range texts {
		if s != "" && !has[normal(s)] {
			return fmt.Sprintf("%q is not in the text", s)
		}
	}
	if r.Provider == "" || r.Time.IsZero() {
		return "no provider or time"
	}
	next := 0
	for _, f := range r.fields {
		v := normal(Text(f.Value))
		_, text := f.Value.(string)
		if binary := !text || strings.HasPrefix(v, "{") || strings.HasPrefix(v, "S-1-"); v == "" || binary && !r.plain {
			continue // stored as bytes, so not in the text
		}
		for next < len(tokens) && normal(tokens[next]) != v {
			next++
		}
		if next == len(tokens) {
			return fmt.Sprintf("%q = %q is not in the text, or not in this order", f.Name, v)
		}
	}
	return ""
}

func compareData(fields []Field, want string) string {
	var pairs [][2]string
	if err := json.Unmarshal([]byte(want), &pairs); err != nil {
		return err.Error()
	}
	if len(pairs) != len(fields) {
		return fmt.Sprintf("fields %v, want %v", fields, pairs)
	}
	for i, f := range fields {
		if f.Name != pairs[i][0] || normal(Text(f.Value)) != normal(pairs[i][1]) {
			return fmt.Sprintf("field %q = %q, want %q", f.Name, Text(f.Value), pairs[i])
		}
	}
	return ""
}

// normal removes the differences of form between readers: padding of
// hexadecimal numbers, digits of times, line ends, letter case of both.
func normal(s string) string {
	s = strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), " ")
	if u, err := strconv.ParseUint(s, 0, 64); err == nil && strings.HasPrefix(s, "0x") {
		return "0x" + strconv.FormatUint(u, 16)
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil && len(s) > 20 {
		return Text(t)
	}
	return s
}

// TestCorpusMalformed reads damaged logs: nothing may be lost in silence.
func TestCorpusMalformed(t *testing.T) {
	dir := corpus(t)
	for _, log := range corpusLogs(t, dir, "evtx-malformed") {
		recs, errs := readLog(t, filepath.Join(dir, log))
		doubted := 0
		for _, r := range recs {
			if r.Doubt != "" {
				doubted++
			}
		}
		t.Logf("%s: %d records, %d doubted, %d errors", log, len(recs), doubted, len(errs))
		for _, row := range readTruth(t, dir, log) {
			if k := row.cols["kind"]; k == "recovered-by-libevtx" {
				continue
			}
			found := false
			for _, r := range recs {
				found = found || strconv.FormatUint(r.HeaderID, 10) == row.cols["record_id"]
			}
			if !found && len(errs) == 0 {
				t.Errorf("%s:%d: record %s is missing, and no error says so", log, row.line, row.cols["record_id"])
			}
		}
	}
}
