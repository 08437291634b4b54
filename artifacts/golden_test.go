package artifacts

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog/evtxtest"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/hive/hivetest"
	"sharetrail/parsers/prefetch/prefetchtest"
	"sharetrail/parsers/shell/shelltest"
	"sharetrail/parsers/usn/usntest"
)

var update = flag.Bool("update", false, "rewrite the want sections")

// TestGolden runs every artifact over its folder of testdata. A case is one
// txtar archive: a comment, evidence files (NAME.reg is compiled to a hive,
// NAME.evtx.txt to an event log, NAME.spec by the builder of such files, all
// others are as they stand), and "want": what the artifact makes of them, one
// JSON object a line. The comment may hold the line "loose" or "unmasked" to
// set these options, "modified TIME" for the last write of the files, and
// "break NAME" to spoil the mark of the key nodes of that name.
func TestGolden(t *testing.T) {
	for _, a := range All() {
		cases, err := filepath.Glob(filepath.Join("..", "testdata", "artifacts", a.Name, "*.txtar"))
		if err != nil || len(cases) < 2 {
			t.Errorf("%s has %d golden cases: it needs one that finds something and one that does not (%v)", a.Name, len(cases), err)
		}
		for _, file := range cases {
			t.Run(a.Name+"/"+strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, a, file) })
		}
	}
}

func golden(t *testing.T, a *Artifact, file string) {
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options := strings.Split(string(ar.Comment), "\n")
	var got bytes.Buffer
	want := -1
	for i, f := range ar.Files {
		if f.Name == "want" {
			want = i
			continue
		}
		name, data, isLog := compile(t, f)
		broken := strings.Contains(string(ar.Comment), "\nbreak ")
		writeRows(t, &got, a, readCase(name, data, isLog, options), broken)
	}
	if want < 0 {
		ar.Files = append(ar.Files, txtar.File{Name: "want"})
		want = len(ar.Files) - 1
	}
	if *update {
		ar.Files[want].Data = got.Bytes()
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(ar.Files[want].Data), got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// readCase reads the evidence file called name as the pipeline would.
func readCase(name string, data []byte, isLog bool, options []string) *Emitter {
	for _, o := range options {
		if key, ok := strings.CutPrefix(o, "break "); ok {
			data = breakKey(data, key)
		}
	}
	in := File{
		Place: &evidence.Place{Source: "case", Path: name},
		R:     bytes.NewReader(data), Size: int64(len(data)),
		Loose: slices.Contains(options, "loose"), Unmasked: slices.Contains(options, "unmasked"),
	}
	var modified time.Time
	for _, o := range options {
		if s, ok := strings.CutPrefix(o, "modified "); ok {
			modified, _ = time.Parse(time.RFC3339Nano, s)
		}
	}
	switch isHive, _ := hive.Sniff(data); {
	case isLog:
		return ReadLog(in)
	case WantsFile(name) && !isHive:
		return ReadOther(in, modified)
	}
	return ReadHive(in)
}

// breakKey spoils the key nodes called name, which stand 76 bytes before it.
func breakKey(data []byte, name string) []byte {
	data = bytes.Clone(data)
	for at := 0; ; at++ {
		i := bytes.Index(data[at:], []byte(name))
		if i < 0 {
			return data
		}
		if at += i; at >= 76 && string(data[at-76:at-74]) == "nk" && int(data[at-4]) == len(name) {
			data[at-76] = 'x'
		}
	}
}

// compile makes the evidence file that f describes.
func compile(t testing.TB, f txtar.File) (name string, data []byte, isLog bool) {
	t.Helper()
	var err error
	if name, ok := strings.CutSuffix(f.Name, ".reg"); ok {
		text, err := shelltest.Reg(string(f.Data))
		if err == nil {
			data, err = hivetest.Build(text)
		}
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		return name, data, false
	}
	if name, ok := strings.CutSuffix(f.Name, ".spec"); ok {
		if data, err = buildSpec(name, string(f.Data)); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		return name, data, false
	}
	name, ok := strings.CutSuffix(f.Name, ".evtx.txt")
	name += ".evtx"
	if !ok {
		return f.Name, f.Data, strings.HasSuffix(strings.ToLower(f.Name), ".evtx")
	}
	events, err := evtxtest.Parse(string(f.Data))
	if err == nil {
		data, err = evtxtest.Build(events, evtxtest.Options{})
	}
	if err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return name, data, true
}

// buildSpec makes the file that its name promises.
func buildSpec(name, text string) ([]byte, error) {
	if strings.HasSuffix(plainName(name), "$j") {
		return usntest.Build(text)
	}
	switch path.Ext(plainName(name)) {
	case ".lnk":
		return shelltest.Link(text)
	case ".automaticdestinations-ms":
		return shelltest.JumpList(text)
	case ".customdestinations-ms":
		return shelltest.Custom(text)
	case ".pf":
		return prefetchtest.Build(text)
	}
	return nil, fmt.Errorf("no builder for %q", name)
}

// writeRows writes what a found: its observations, what the file attests of
// its keys, and the problems; with only, those at its own keys only, since a
// broken key may be in the way of other artifacts too.
func writeRows(t *testing.T, w *bytes.Buffer, a *Artifact, e *Emitter, only bool) {
	t.Helper()
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, o := range e.Observations {
		if o.Artifact != a.Name {
			continue
		}
		if o.Summary == "" || o.From().Place == nil || o.From().Offset < 512 && a.ReadFile == nil || o.From().Offset < 0 || o.From().Length < 4 && a.ReadFile == nil {
			t.Errorf("row without summary or place: %+v", o)
		}
		whole := o.Whole()
		if err := enc.Encode(rowOf(&whole)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range e.Coverage {
		row := map[string]any{"coverage": c.Evidence, "complete": c.Complete}
		if c.Records >= 0 {
			row["records"] = c.Records
		}
		if keys := slices.DeleteFunc(slices.Clone(c.Keys), func(k string) bool { return !a.owns(k) }); len(keys) > 0 {
			row["keys"] = keys
		}
		enc.Encode(row)
	}
	for _, p := range e.Problems {
		if only && !slices.ContainsFunc(a.Keys, func(own string) bool { return strings.HasPrefix(strings.ToLower(p.From.Key), strings.ToLower(own)) }) {
			continue
		}
		row := map[string]any{"problem": p.What, "severity": p.Severity}
		if p.From.Key != "" {
			row["at"] = p.From.Key + "@" + p.From.Value
		}
		enc.Encode(row)
	}
}

// owns reports whether key is one that a declares, in any control set.
func (a *Artifact) owns(key string) bool {
	return slices.ContainsFunc(a.Keys, func(own string) bool {
		_, below, inSet := strings.Cut(own, `ControlSet001\`)
		return strings.EqualFold(own, key) || inSet && len(key) > len(own)-len(below) && strings.EqualFold(below, key[len(own)-len(below):])
	})
}

// rowOf shows what is set in o.
func rowOf(o *evidence.Observation) any {
	at := o.From.Key
	if o.From.Channel != "" {
		at = o.From.Channel
	}
	row := struct {
		Action  evidence.Action   `json:"action"`
		Time    string            `json:"time"`
		Kind    evidence.TimeKind `json:"kind"`
		Side    evidence.Side     `json:"side,omitempty"`
		Host    string            `json:"host,omitempty"`
		User    string            `json:"user,omitempty"`
		SID     string            `json:"sid,omitempty"`
		Share   string            `json:"share,omitempty"`
		Drive   string            `json:"drive,omitempty"`
		Peer    string            `json:"peer,omitempty"`
		Summary string            `json:"summary"`
		Process map[string]string `json:"process,omitempty"`
		LogonID string            `json:"logon_id,omitempty"`
		Attack  []string          `json:"attack,omitempty"`
		Detail  map[string]any    `json:"detail,omitempty"`
		At      string            `json:"at"`
		Value   string            `json:"value,omitempty"`
		Record  uint64            `json:"record,omitempty"`
	}{
		o.Action, evidence.FormatTime(o.Time), o.TimeKind, o.Side, o.Host, o.User, o.SID, o.Share, o.Drive, o.Peer, o.Summary,
		nil, o.LogonID, o.Attack, map[string]any{}, at, o.From.Value, o.From.RecordID,
	}
	if p := o.Process; p != nil {
		row.Process = map[string]string{}
		for k, v := range map[string]string{"image": p.Image, "command_line": p.CommandLine, "pid": p.PID, "parent_image": p.ParentImage, "parent_command_line": p.ParentCommandLine} {
			if v != "" {
				row.Process[k] = v
			}
		}
	}
	for _, f := range o.Detail {
		v := f.Value
		switch x := v.(type) {
		case time.Time:
			v = evidence.FormatTime(x)
		case string:
			if x == "" {
				continue // set, but nothing to see
			}
		case []string:
			if len(x) == 0 {
				continue
			}
		case bool:
			if !x {
				continue
			}
		}
		row.Detail[f.Name] = v
	}
	return row
}

// TestDetailNames finds rows whose details hold one name twice: the second
// would be lost in every output.
func TestDetailNames(t *testing.T) {
	cases, err := filepath.Glob(filepath.Join("..", "testdata", "artifacts", "*", "*.txtar"))
	if err != nil || len(cases) == 0 {
		t.Fatal("no golden cases", err)
	}
	for _, file := range cases {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "want" {
				continue
			}
			name, data, isLog := compile(t, f)
			for _, o := range readCase(name, data, isLog, nil).Observations {
				seen := map[string]bool{}
				for _, d := range o.Detail {
					if seen[d.Name] {
						t.Errorf("%s: %s: detail %q twice", file, o.Artifact, d.Name)
					}
					seen[d.Name] = true
					switch d.Value.(type) {
					case string, bool, int64, uint64, []string, evidence.Detail, time.Time:
					default:
						t.Errorf("%s: %s: detail %q is a %T", file, o.Artifact, d.Name, d.Value)
					}
				}
			}
		}
	}
}
