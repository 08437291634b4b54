package lab

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestSimulateIsDeterministic(t *testing.T) {
	dirs := []string{t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()}
	for i, c := range []struct {
		seed  uint64
		hosts int
	}{{7, 6}, {7, 6}, {7, 4}, {8, 6}} {
		if err := Simulate(c.seed, c.hosts, dirs[i]); err != nil {
			t.Fatal(err)
		}
	}
	first, again, fewer, other := tree(t, dirs[0], false), tree(t, dirs[1], false), tree(t, dirs[2], false), tree(t, dirs[3], false)
	if !reflect.DeepEqual(first, again) {
		t.Error("the same seed gives other files")
	}
	for name, data := range fewer {
		if name != "truth.jsonl" && data != first[name] {
			t.Errorf("%s depends on the number of hosts", name)
		}
	}
	if first["truth.jsonl"] == other["truth.jsonl"] {
		t.Error("another seed gives the same truth")
	}
	if !strings.HasPrefix(first["truth.jsonl"], fewer["truth.jsonl"]) {
		t.Error("the truth depends on the number of hosts")
	}
	if err := Simulate(7, 1, dirs[0]); err == nil {
		t.Error("a folder that is not empty was taken")
	}
}

// TestTruthHolds checks what must be so whatever the dice say.
func TestTruthHolds(t *testing.T) {
	dir := t.TempDir()
	if err := Simulate(3, 60, dir); err != nil {
		t.Fatal(err)
	}
	cases, err := readTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		for _, r := range c.rows {
			if r.Removed == "" {
				if len(r.Traces) > 0 || r.ExactCase != "" || r.Kinds != 0 {
					t.Errorf("%s: traces of a removal that was none", r.text())
				}
				continue
			}
			if c.hosts[0].Benign {
				t.Errorf("%s: on a benign host", r.text())
			}
			if !r.Window.meets(r.Removed, r.RemovedEnd) {
				t.Errorf("%s: the tightest window misses it", r.text())
			}
			if r.Removed <= r.Mapped || r.Removed > c.hosts[0].Collected {
				t.Errorf("%s: mapped %s, collected %s", r.text(), r.Mapped, c.hosts[0].Collected)
			}
			if r.ExactCase != "" && r.Window.seconds() != 0 {
				t.Errorf("%s: exact, but not an instant", r.text())
			}
			if len(r.Traces) == 0 && r.Kinds > 0 {
				t.Errorf("%s: kinds without traces", r.text())
			}
		}
	}
}

// TestEveryWayIsTaken looks at what many hosts do, without building them.
func TestEveryWayIsTaken(t *testing.T) {
	taken := map[string]int{}
	benign := 0
	for i := range 1000 {
		h := newSimHost(9, i)
		h.live()
		lives := h.shares
		for _, u := range h.users {
			lives = append(lives, u.lives...)
		}
		removed := false
		for _, l := range lives {
			taken[l.mapHow]++
			if l.removal != nil {
				taken[l.removal.behaviour]++
				removed = true
			}
		}
		for _, f := range h.futiles {
			taken[f.behaviour]++
			if l := f.life; l != nil && (l.mapped.After(f.cmd.t) || l.removal != nil && !l.removal.at.After(f.cmd.t)) {
				t.Errorf("%s: %q failed at %s, and what it left did not stand", h.name, f.how, stamp(f.cmd.t))
			}
		}
		if h.benign && removed {
			t.Errorf("%s is benign, and something is removed", h.name)
		}
		if !removed {
			benign++
		}
	}
	for _, ways := range [][]simWay{mapWays, removeWays, shareWays, unshareWays} {
		for _, w := range ways {
			if taken[w.name] < 3 {
				t.Errorf("1000 hosts and the way %q is taken %d times", w.name, taken[w.name])
			}
		}
	}
	for _, name := range []string{"net use * /delete", "logoff script, net use * /delete", "logon script", "Group Policy drive map, create", "Group Policy drive map, replace",
		refusedMap, failedDelete, idleScript, failedUnshare, "logon script, net use X: /delete"} {
		if taken[name] == 0 {
			t.Errorf("1000 hosts and no %q", name)
		}
	}
	if benign < 100 || benign > 900 {
		t.Errorf("%d of 1000 hosts are benign", benign)
	}
}

func TestTruthIsDescribed(t *testing.T) {
	text, err := os.ReadFile("../../../testdata/cases/TRUTH.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{truthHost{}, truthRow{}, truthHole{}, truthFail{}, truthWindow{}, simChance{}, Figures{}, Behaviour{}} {
		for f := range fieldsOf(reflect.TypeOf(v)) {
			name := f.Tag.Get("json")
			if !strings.Contains(string(text), name) {
				t.Errorf("TRUTH.md lacks %q", name)
			}
		}
	}
	for _, name := range []string{traceCommand, traceScript, traceSysmon, traceAudit, traceDeleted, traceParent, traceStates, traceMapped, traceShare, traceSharesAt, traceMade, traceUsed} {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("TRUTH.md lacks the trace %q", name)
		}
	}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// TestScoreOfSharetrail runs the program of this module over simulated hosts.
// What it must reach on many hosts is checked by .ci/run; here it must read
// everything, and know what its logs cover.
func TestScoreOfSharetrail(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "sharetrail")
	if out, err := exec.Command("go", "build", "-o", program, "sharetrail/cmd/sharetrail").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	evidence := filepath.Join(dir, "sim")
	if err := Simulate(1, 60, evidence); err != nil {
		t.Fatal(err)
	}
	f, faults, err := Score(program, evidence)
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s\n%s", faults.list(1), line)
	if f.Hosts != 60 || f.Unread != 0 {
		t.Errorf("%d hosts, %d problems", f.Hosts, f.Unread)
	}
	if f.CoverageRight < 0.98 {
		t.Errorf("coverage_class_right is %.3f", f.CoverageRight)
	}
	if f.WidthRatioMedian != 1 {
		t.Errorf("width_ratio_median is %.3f", f.WidthRatioMedian)
	}
}
