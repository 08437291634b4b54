package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sharetrail/artifacts/evidence"
	"sharetrail/cmd/internal/output"
	"sharetrail/cmd/internal/verify"
	"sharetrail/parsers/source"
)

// checks runs verify over dir in this process.
func checks(t *testing.T, dir string) map[string]verify.Row {
	t.Helper()
	m, r, err := openResults(dir, "timeline")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := verify.Run(context.Background(), caseOf(m, r.Observations), source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]verify.Row{}
	for _, row := range rows {
		out[row.ID] = row
	}
	return out
}

// analyzed writes the evidence of the scripts and its results.
func analyzed(t *testing.T) (ev, out string, rows []evidence.Observation) {
	dir := t.TempDir()
	ev, out = filepath.Join(dir, "ev"), filepath.Join(dir, "out")
	if err := writeEvidence(ev); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runApp("analyze", ev, "-o", out, "--context", "all"); code != 0 {
		t.Fatal(stderr)
	}
	_, r, err := openResults(out, "timeline")
	if err != nil {
		t.Fatal(err)
	}
	return ev, out, r.Observations
}

// Every byte of a record, and every byte of a cell that its row speaks of, is
// guarded.
func TestVerifyFlips(t *testing.T) {
	ev, out, rows := analyzed(t)
	flips := 0
	for _, o := range rows {
		name := filepath.Join(ev, "C", filepath.FromSlash(o.From.Path))
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		at := []int64{0, 1, 4, 11, 76} // signature, last write and name of a key
		if o.From.Value != "" {
			at = []int64{0, 1, 20} // signature and name of a value
		}
		if o.From.Channel != "" {
			at = nil
			for i := int64(0); i < o.From.Length; i += 13 {
				at = append(at, i)
			}
		}
		for _, i := range at {
			b := slices.Clone(whole)
			b[o.From.Offset+i] ^= 0x10
			if err := os.WriteFile(name, b, 0o644); err != nil {
				t.Fatal(err)
			}
			if row, ok := checks(t, out)[o.ID]; !ok || row.OK || row.Why == "" {
				t.Errorf("%s (%s): byte %d of %d was flipped: %+v", o.ID, o.Artifact, i, o.From.Length, row)
			}
			flips++
		}
		if err := os.WriteFile(name, whole, 0o644); err != nil {
			t.Fatal(err)
		}
		if row := checks(t, out)[o.ID]; !row.OK {
			t.Errorf("%s is not proven: %s", o.ID, row.Why)
		}
	}
	if flips < 100 {
		t.Errorf("%d flips", flips)
	}
}

// Rows that say what the evidence does not are not proven, though the evidence
// is as it was.
func TestVerifyForgedRows(t *testing.T) {
	_, out, rows := analyzed(t)
	m, err := output.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	forgeries := map[string]func(*evidence.Observation) bool{
		"time":     func(o *evidence.Observation) bool { o.Time = o.Time.Add(100); return !o.Time.IsZero() },
		"offset":   func(o *evidence.Observation) bool { o.From.Offset += 8; return true },
		"key":      func(o *evidence.Observation) bool { o.From.Key += "x"; return o.From.Key != "x" },
		"value":    func(o *evidence.Observation) bool { o.From.Value += "x"; return o.From.Value != "x" },
		"record":   func(o *evidence.Observation) bool { o.From.RecordID++; return o.From.Channel != "" },
		"event":    func(o *evidence.Observation) bool { o.From.EventID++; return o.From.Channel != "" },
		"provider": func(o *evidence.Observation) bool { o.From.Provider += "x"; return o.From.Channel != "" },
		"path":     func(o *evidence.Observation) bool { p := *o.From.Place; p.Path += "x"; o.From.Place = &p; return true },
		"command": func(o *evidence.Observation) bool {
			p := *o.Process
			p.CommandLine = strings.Replace(p.CommandLine, "net", "not", 1)
			o.Process = &p
			return p.CommandLine != ""
		},
		"detail": func(o *evidence.Observation) bool {
			o.Detail = slices.Clone(o.Detail)
			for i := range o.Detail {
				if n := o.Detail[i].Name; n == "RemotePath" || n == "ProviderType" || n == "SubjectDomainName" {
					o.Detail[i].Value = json.Number("7")
					return true
				}
			}
			return false
		},
	}
	for name, forge := range forgeries {
		forged := slices.Clone(rows)
		var changed []string
		for i := range forged {
			if forge(&forged[i]) {
				changed = append(changed, forged[i].ID)
			} else {
				forged[i] = rows[i]
			}
		}
		got, err := verify.Run(context.Background(), caseOf(m, forged), source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(changed) == 0 {
			t.Errorf("%s: nothing was forged", name)
		}
		for _, r := range got {
			if r.OK == slices.Contains(changed, r.ID) {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// Every row of every run over real evidence is proven.
func TestCorpusVerify(t *testing.T) {
	proven := 0
	for _, kind := range []string{"evtx", "evtx-malformed", "hive-user", "hive-system", "hive-malformed", "hive-dirty", "hive-deleted", "lnk", "jumplist", "prefetch", "triage"} {
		out := filepath.Join(t.TempDir(), "out")
		if code, _, stderr := runApp("analyze", filepath.Join(corpus(t), kind), "-o", out, "--context", "all"); code != 0 && code != exitUnread {
			t.Fatalf("%s: exit code %d: %s", kind, code, stderr)
		}
		for _, r := range checks(t, out) {
			if !r.OK {
				t.Errorf("%s: %s: %s", kind, r.ID, r.Why)
			}
			proven++
		}
	}
	if proven < 10000 {
		t.Errorf("%d rows were checked", proven)
	}
}
