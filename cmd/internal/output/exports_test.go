package output

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// datedReport is the hostile report with every kind of window and of time.
func datedReport() *timeline.Report {
	r := hostileReport()
	year := func(y int) time.Time { return time.Date(y, 1, 2, 3, 4, 5, 678901200, time.UTC) }
	for i, at := range []time.Time{{}, year(1601), year(1969), time.Unix(0, 0).UTC(), year(1971), year(2255), year(2256), year(2287), year(9999), year(30828)} {
		r.Observations = append(r.Observations, evidence.Observation{
			ID: fmt.Sprintf("t%d", i), Time: at, TimeKind: evidence.KeyLastWrite, Action: evidence.Used, Host: "WS01", Share: `\\fs01\a|b%7C%25`, Summary: "Used | 100 % \"so\", and\nmore.",
			Attack: []string{"T1070.005"}, From: evidence.Provenance{Channel: "Security", RecordID: 1<<53 + uint64(i), EventID: 5140},
		})
	}
	r.Gaps = append(r.Gaps,
		timeline.Gap{ID: "exact", Severity: timeline.Low, Window: timeline.At(when, timeline.Recorded), Attack: []string{"T1070.005", "no technique"}},
		timeline.Gap{ID: "both", Severity: timeline.Medium, Window: timeline.Window{NotBefore: when, NotAfter: when.Add(time.Hour)}},
		timeline.Gap{ID: "open start", Severity: timeline.Info, Window: timeline.Window{NotAfter: when}},
		timeline.Gap{ID: "open end", Severity: timeline.Info, Window: timeline.Window{NotBefore: when}},
		timeline.Gap{ID: "open", Window: timeline.Window{}},
		timeline.Gap{ID: "half out", Severity: timeline.Info, Window: timeline.Window{NotBefore: year(1601), NotAfter: when}},
		timeline.Gap{ID: "out", Window: timeline.At(year(1601), timeline.Recorded)})
	r.Connections = append(r.Connections, timeline.Connection{ID: "undated"}, timeline.Connection{ID: "used", FirstUsed: when, LastUsed: when.Add(time.Hour)})
	r.Coverage = append(r.Coverage, timeline.CoverageRow{Host: "WS01", Evidence: "evtx:Security", Holes: []evidence.Hole{{From: when, To: when.Add(time.Hour), Reason: evidence.Cleared}}},
		timeline.CoverageRow{Host: "WS01", Evidence: "vss", Holes: []evidence.Hole{{Reason: evidence.NotCollected}, {From: when, To: when.Add(time.Hour), Reason: evidence.Cleared}}})
	return r
}

// things is how many rows and holes of r an export must account for.
func things(r *timeline.Report) int {
	n := len(r.Observations) + len(r.Gaps) + len(r.Connections)
	holes := map[string]bool{} // of a host, for one reason, from one instant to another
	for _, c := range r.Coverage {
		for _, h := range c.Holes {
			if !h.From.IsZero() || !h.To.IsZero() { // else it is no event
				holes[fmt.Sprintf("%q %v %v %v", c.Host, h.Reason, h.From, h.To)] = true
			}
		}
	}
	return n + len(holes)
}

// importTimesketch does what the importer of Timesketch does with a file of JSON
// Lines (timesketch/lib/utils.py, read_and_validate_jsonl) and what the index
// makes of its events, and complains about what would be refused, dropped,
// renamed or changed there.
func importTimesketch(t *testing.T, file []byte) (events []map[string]any) {
	t.Helper()
	types := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(file))
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var e map[string]any
		dec := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		dec.UseNumber()
		if err := dec.Decode(&e); err != nil {
			t.Fatalf("line %d: %v", len(events)+1, err)
		}
		for _, name := range []string{"message", "datetime", "timestamp_desc"} {
			if _, ok := e[name].(string); !ok {
				t.Fatalf("line %d: no %s", len(events)+1, name)
			}
		}
		for _, name := range []string{"_id", "_type", "_index", "_source", "__ts_timeline_id"} {
			if _, ok := e[name]; ok {
				t.Errorf("line %d: %s is scrubbed", len(events)+1, name)
			}
		}
		at, err := time.Parse(time.RFC3339Nano, e["datetime"].(string))
		if err != nil || at.Year() < 1700 || at.Year() > 9999 {
			t.Errorf("line %d: datetime %v is dropped", len(events)+1, e["datetime"])
		}
		if stamp, err := e["timestamp"].(json.Number).Int64(); err != nil || stamp != at.UnixMicro() {
			t.Errorf("line %d: timestamp %v is not datetime %v", len(events)+1, e["timestamp"], e["datetime"])
		}
		for name, v := range e {
			kind := fmt.Sprintf("%T", v)
			if list, ok := v.([]any); ok {
				for _, item := range list {
					kind = fmt.Sprintf("%T", item) // an array has the type of what is in it
					if tag, ok := item.(string); name == "tag" && (!ok || tag == "") {
						t.Errorf("line %d: tag %v", len(events)+1, item)
					}
				}
			}
			if was, ok := types[name]; ok && was != kind {
				t.Errorf("line %d: %s is %s, was %s", len(events)+1, name, kind, was)
			}
			types[name] = kind
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return events
}

// Every row is an event, or several, or it is counted; none is lost on the way.
func TestTimesketch(t *testing.T) {
	r := datedReport()
	var out bytes.Buffer
	count, err := WriteTimesketch(&out, r)
	if err != nil {
		t.Fatal(err)
	}
	events := importTimesketch(t, out.Bytes())
	if len(events) != count.Events || count.Undated != 3 || count.OutOfRange != 3 {
		t.Errorf("%d events, %+v", len(events), count)
	}
	ids := map[string][]string{} // id of a row, or the message of a hole: what its times mean
	for _, e := range events {
		id, ok := e["row_id"].(string)
		if !ok {
			id = e["message"].(string)
		}
		ids[id] = append(ids[id], e["timestamp_desc"].(string)+" "+e["datetime"].(string))
		for _, o := range r.Observations { // each leads to the bytes that it was read from
			if got, want := fmt.Sprint(e["evidence_offset"]), fmt.Sprint(o.From.Offset); o.ID == id && o.From.Offset >= 0 && got != want {
				t.Errorf("%s: offset %s, want %s", id, got, want)
			}
		}
		if e["data_type"] == "" || e["time_100ns"] == "" {
			t.Errorf("event %v", e)
		}
	}
	if n := len(ids) + count.Undated + count.OutOfRange; n != things(r) {
		t.Errorf("%d of %d rows are accounted for", n, things(r))
	}
	for id, want := range map[string]string{
		"exact": "finding: exactly 2026-03-01T10:00:00.123456+00:00", "both": "finding: not before 2026-03-01T10:00:00.123456+00:00|finding: not after 2026-03-01T11:00:00.123456+00:00",
		"open start": "finding: not after 2026-03-01T10:00:00.123456+00:00", "open end": "finding: not before 2026-03-01T10:00:00.123456+00:00", "open": "", "out": "",
		"half out": "finding: not after 2026-03-01T10:00:00.123456+00:00", "used": "first used 2026-03-01T10:00:00.123456+00:00|last used 2026-03-01T11:00:00.123456+00:00",
		"undated": "", "t0": "", "t1": "", "t2": "key last write 1969-01-02T03:04:05.678901+00:00", "t8": "key last write 9999-01-02T03:04:05.678901+00:00", "t9": "",
		"Hole in the coverage of WS01. The log was cleared. Evidence: evtx:Security, vss.": "blind from 2026-03-01T10:00:00.123456+00:00|blind until 2026-03-01T11:00:00.123456+00:00",
	} {
		if got := strings.Join(ids[id], "|"); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// mactime shows every line of a bodyfile, at its time, with its text unchanged.
func TestBodyfile(t *testing.T) {
	r := datedReport()
	var out bytes.Buffer
	left, err := WriteBodyfile(&out, r)
	if err != nil {
		t.Fatal(err)
	}
	if left.Undated != 3 || left.OutOfRange != 7 {
		t.Errorf("left out %+v", left)
	}
	type line struct{ when, macb, name string }
	var want []line
	if _, err := moments(r, bodyfileFits, func(m *moment) error {
		want = append(want, line{m.at.UTC().Format("2006-01-02T15:04:05Z"), [4]string{".a..", "m...", "..c.", "...b"}[m.bodyfileTime()], Visible(m.line())})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != len(want) {
		t.Errorf("%d lines for %d events", n, len(want))
	}
	cmd := exec.Command(oracle(t, "mactime"), "-d", "-y", "-z", "UTC", "-b", keep(t, "body", out.Bytes()))
	shown, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(shown)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []line
	for _, rec := range records[1:] {
		got = append(got, line{rec[0], rec[2], rec[7]})
	}
	order := func(a, b line) int { return strings.Compare(a.when+a.macb+a.name, b.when+b.macb+b.name) }
	slices.SortFunc(want, order)
	slices.SortFunc(got, order)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("line %d of %d and %d:\n%.300v\n%.300v", i, len(got), len(want), got[min(i, len(got)-1)], want[min(i, len(want)-1)])
		}
	}
}

// A layer is as the specification of its format says (attack-navigator,
// layers/spec/v4.5), and names the techniques of which the report holds facts.
func TestNavigator(t *testing.T) {
	r := datedReport()
	r.Hosts = []string{"WS01"}
	var out bytes.Buffer
	if err := WriteNavigator(&out, r, "1.2"); err != nil {
		t.Fatal(err)
	}
	var layer struct {
		Name, Domain, Description *string
		Versions                  struct{ Navigator, Layer string }
		Sorting                   int
		Layout                    struct{ Layout, AggregateFunction, ExpandedSubtechniques string }
		Techniques                []struct {
			TechniqueID string
			Tactic      *string
			Score       float64
			Comment     string
			Metadata    []struct{ Name, Value *string }
		}
		Gradient struct {
			Colors             []string
			MinValue, MaxValue float64
		}
		LegendItems []struct{ Label, Color string }
		Metadata    []struct{ Name, Value *string }
	}
	if err := json.Unmarshal(out.Bytes(), &layer); err != nil {
		t.Fatal(err)
	}
	colour := regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)
	switch {
	case layer.Name == nil || *layer.Name == "", layer.Domain == nil || *layer.Domain != "enterprise-attack":
		t.Error("name or domain")
	case layer.Versions.Navigator < "4.9.0" || layer.Versions.Layer != "4.5":
		t.Errorf("versions %v", layer.Versions)
	case layer.Sorting < 0 || layer.Sorting > 3:
		t.Errorf("sorting %d", layer.Sorting)
	case !slices.Contains([]string{"side", "flat", "mini"}, layer.Layout.Layout), !slices.Contains([]string{"none", "all", "annotated"}, layer.Layout.ExpandedSubtechniques):
		t.Errorf("layout %v", layer.Layout)
	case len(layer.Gradient.Colors) < 2 || layer.Gradient.MaxValue <= layer.Gradient.MinValue || slices.ContainsFunc(layer.Gradient.Colors, func(c string) bool { return !colour.MatchString(c) }):
		t.Errorf("gradient %v", layer.Gradient)
	}
	for _, l := range layer.LegendItems {
		if l.Label == "" || !colour.MatchString(l.Color) {
			t.Errorf("legend %v", l)
		}
	}
	if len(layer.Techniques) != 1 {
		t.Fatalf("techniques %v", layer.Techniques)
	}
	tech := layer.Techniques[0]
	if tech.TechniqueID != "T1070.005" || tech.Tactic != nil || tech.Score != 2 || !strings.HasPrefix(tech.Comment, "exact (low, ") || *tech.Metadata[0].Value != "1" || *tech.Metadata[1].Value != "10" {
		t.Errorf("%+v", tech)
	}
	out.Reset()
	if err := WriteNavigator(&out, &timeline.Report{}, "1.2"); err != nil || !bytes.Contains(out.Bytes(), []byte(`"techniques": []`)) {
		t.Errorf("%s, %v", out.Bytes(), err)
	}
}

// Timeline Explorer takes a file for that layout if its first line is the one
// that its plug-in names, and refuses all of it if one row has no time that .NET
// parses, or an event id that is no Int32.
func TestTimelineExplorer(t *testing.T) {
	rows, left := ForTimelineExplorer(datedReport().Observations)
	if left.Undated != 1 || left.OutOfRange != 1 || len(rows)+2 != len(datedReport().Observations) {
		t.Errorf("%d rows, left out %+v", len(rows), left)
	}
	deleted := full()
	deleted.Artifact, deleted.State, deleted.From.EventID = "lnk", evidence.Deleted, 1<<31
	rows = append(rows, deleted)
	var out bytes.Buffer
	if err := WriteAll(&out, TimelineExplorer, rows, Options{Format: CSV}); err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(out.String(), "\r\n")
	if head != "DateTime,TimestampInfo,ArtifactName,Tool,Description,DataDetails,DataPath,FileExtension,EventId,User,Computer,FileSize,EvidencePath,Level" {
		t.Errorf("header %s", head)
	}
	records, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	number := regexp.MustCompile(`^\d{0,10}$`)
	for _, rec := range records[1:] {
		if at, err := time.Parse("2006-01-02 15:04:05.0000000", rec[0]); err != nil || at.Year() < 1 {
			t.Errorf("DateTime %q", rec[0])
		}
		if !number.MatchString(rec[8]) || rec[11] != "" {
			t.Errorf("EventId %q, FileSize %q", rec[8], rec[11])
		}
	}
	if last := records[len(records)-1]; last[2] != "LNK (Deleted)" || last[8] != "" {
		t.Errorf("%q", last)
	}
}
