package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// maxLine bounds one row of a file written before, in bytes.
const maxLine = 64 << 20

// ReadAll reads the rows that a Writer wrote as JSONL; row is one of the Read
// functions. Written again, they give the same bytes.
func ReadAll[R any](r io.Reader, row func(Object) R) ([]R, error) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	var out []R
	for n := 1; in.Scan(); n++ {
		dec := json.NewDecoder(bytes.NewReader(in.Bytes()))
		dec.UseNumber()
		var o Object
		if err := dec.Decode(&o); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, row(o))
	}
	return out, in.Err()
}

// An Object is one decoded row. What is not there, or is of another type,
// reads as the zero value.
type Object map[string]any

func (o Object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o Object) time(name string) time.Time {
	t, err := time.Parse(evidence.TimeLayout, o.text(name))
	if err != nil {
		return time.Time{}
	}
	return t
}

// number reads a number, or the text of a large one; null is -1.
func (o Object) number(name string) int64 {
	s := o.text(name)
	if n, ok := o[name].(json.Number); ok {
		s = n.String()
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (o Object) unsigned(name string) uint64 {
	s := o.text(name)
	if n, ok := o[name].(json.Number); ok {
		s = n.String()
	}
	n, _ := strconv.ParseUint(s, 10, 64)
	return n
}

func (o Object) object(name string) Object {
	m, _ := o[name].(map[string]any)
	return m
}

func (o Object) texts(name string) []string {
	list, _ := o[name].([]any)
	var out []string
	for _, v := range list {
		s, _ := v.(string)
		out = append(out, s)
	}
	return out
}

func objectsOf[S any](o Object, name string, row func(Object) S) []S {
	list, _ := o[name].([]any)
	var out []S
	for _, v := range list {
		m, _ := v.(map[string]any)
		out = append(out, row(m))
	}
	return out
}

func (o Object) window(name string) timeline.Window {
	w := o.object(name)
	return timeline.Window{NotBefore: w.time("not_before"), NotAfter: w.time("not_after"), Basis: timeline.Basis(w.text("basis"))}
}

func (o Object) detail() evidence.Detail {
	var out evidence.Detail
	for _, name := range slices.Sorted(maps.Keys(o)) {
		v := o[name]
		if m, ok := v.(map[string]any); ok {
			v = Object(m).detail()
		}
		out = append(out, evidence.Field{Name: name, Value: v})
	}
	return out
}

func readProvenance(o Object) evidence.Provenance {
	return evidence.Provenance{
		Place: &evidence.Place{
			Host: o.text("host"), Source: o.text("source"), Volume: o.text("volume"),
			Snapshot: o.text("snapshot"), AsOf: o.time("as_of"), Path: o.text("path"),
		},
		Offset: o.number("offset"), Length: o.number("length"), Key: o.text("key"), Value: o.text("value"),
		Channel: o.text("channel"), Provider: o.text("provider"),
		EventID: uint32(o.unsigned("event_id")), RecordID: o.unsigned("record_id"),
	}
}

func readProcess(o Object) evidence.Process {
	p := evidence.Process{
		Image: o.text("image"), CommandLine: o.text("command_line"),
		ParentImage: o.text("parent_image"), ParentCommandLine: o.text("parent_command_line"),
	}
	if o["pid"] != nil {
		p.PID = strconv.FormatUint(o.unsigned("pid"), 10)
	}
	return p
}

// ReadObservation reads one row of the timeline.
func ReadObservation(o Object) evidence.Observation {
	p := readProcess(o.object("process"))
	return evidence.Observation{
		ID: o.text("id"), Time: o.time("time"), TimeKind: evidence.TimeKind(o.text("time_kind")),
		Action: evidence.Action(o.text("action")), Host: o.text("host"), Side: evidence.Side(o.text("side")),
		User: o.text("user"), SID: o.text("sid"), Share: o.text("share"), Drive: o.text("drive"),
		Peer: o.text("peer"), Artifact: o.text("artifact"), Summary: o.text("summary"),
		Process: &p, LogonID: o.text("logon_id"), State: evidence.State(o.text("state")),
		Attack: o.texts("attack"), Detail: o.object("detail").detail(),
		From: readProvenance(o.object("provenance")), AlsoAt: objectsOf(o, "also_at", readProvenance),
	}
}

// ReadConnection reads one row of shares.
func ReadConnection(o Object) timeline.Connection {
	facts, actor := o.object("facts"), o.object("actor")
	return timeline.Connection{
		ID: o.text("id"), Host: o.text("host"), Side: evidence.Side(o.text("side")), User: o.text("user"),
		SID: o.text("sid"), Share: o.text("share"), Drive: o.text("drive"), Status: timeline.Status(o.text("status")),
		Mapped: o.window("mapped"), FirstUsed: o.time("first_used"), LastUsed: o.time("last_used"),
		UseCount: o.number("use_count"), Removed: o.window("removed"), RemovedBy: timeline.RemovedBy(o.text("removed_by")),
		Facts: timeline.Facts{
			CommandSeen: timeline.Tri(facts.text("command_seen")), MappingGone: timeline.Tri(facts.text("mapping_gone")),
			SessionEnded: timeline.Tri(facts.text("session_ended")), ShareGone: timeline.Tri(facts.text("share_gone")),
		},
		Actor:      timeline.Actor{User: actor.text("user"), Process: readProcess(actor.object("process"))},
		Persistent: timeline.Tri(o.text("persistent")), CredentialsAs: o.text("credentials_as"),
		Aliases: o.texts("aliases"), Confidence: timeline.Confidence(o.text("confidence")),
		Observations: o.texts("observations"), Gaps: o.texts("gaps"),
	}
}

// ReadGap reads one row of gaps.
func ReadGap(o Object) timeline.Gap {
	return timeline.Gap{
		ID: o.text("id"), Rule: o.text("rule"), Rules: o.texts("rules"),
		Severity: timeline.Severity(o.text("severity")), Confidence: timeline.Confidence(o.text("confidence")),
		Host: o.text("host"), User: o.text("user"), SID: o.text("sid"), Share: o.text("share"), Drive: o.text("drive"),
		Window: o.window("window"), Claim: o.text("claim"),
		Reasoning: objectsOf(o, "reasoning", func(o Object) timeline.Step {
			return timeline.Step{Rule: o.text("rule"), Statement: o.text("statement"), Observations: o.texts("observations")}
		}),
		Benign: objectsOf(o, "benign", func(o Object) timeline.Benign {
			return timeline.Benign{Explanation: o.text("explanation"), Verdict: timeline.Verdict(o.text("verdict")), Because: o.text("because"), Observations: o.texts("observations")}
		}),
		Missing: objectsOf(o, "missing", func(o Object) timeline.Missing {
			return timeline.Missing{What: o.text("what"), Why: o.text("why")}
		}),
		Observations: o.texts("observations"), Connections: o.texts("connections"), Attack: o.texts("attack"),
	}
}

// ReadCoverage reads one row of coverage.
func ReadCoverage(o Object) timeline.CoverageRow {
	return timeline.CoverageRow{
		Host: o.text("host"), Evidence: o.text("evidence"), AsOf: o.time("as_of"), From: o.time("from"), To: o.time("to"),
		Records: o.number("records"), Enabled: timeline.Tri(o.text("enabled")), Class: timeline.Class(o.text("class")),
		Holes: objectsOf(o, "holes", func(o Object) evidence.Hole {
			return evidence.Hole{From: o.time("from"), To: o.time("to"), Reason: evidence.Reason(o.text("reason")), Observations: o.texts("observations")}
		}),
	}
}

// ReadProblem reads one row of problems.
func ReadProblem(o Object) evidence.Problem {
	return evidence.Problem{
		Severity: evidence.Severity(o.text("severity")), What: o.text("what"),
		From: readProvenance(o.object("provenance")),
	}
}
