package lab

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Figures say how well a program's rows agree with the truth. Shares of
// nothing are 1.
type Figures struct {
	Hosts             int                  `json:"hosts"`
	Windows           int                  `json:"windows"`        // reported windows of removals
	WindowsMissed     int                  `json:"windows_missed"` // that do not hold the true instant
	RemovalsWithTrace int                  `json:"removals_with_trace"`
	RemovalsFound     int                  `json:"removals_found"`
	BenignHosts       int                  `json:"benign_hosts"`
	FalseRemovals     int                  `json:"false_removals"` // on benign hosts
	Calibration       map[string]float64   `json:"calibration"`    // share of true claims by word
	WidthRatioMedian  float64              `json:"width_ratio_median"`
	WidthRatioP95     float64              `json:"width_ratio_p95"`
	ExactCertain      float64              `json:"exact_certain"`
	TwoKindStrong     float64              `json:"two_kind_strong"`
	CoverageRight     float64              `json:"coverage_class_right"`
	BenignWrong       int                  `json:"benign_unknown_wrong"`
	ByBehaviour       map[string]Behaviour `json:"by_behaviour"`

	WrongShares int            `json:"wrong_shares"`        // claims of a true removal of the drive that name another share
	Claims      map[string]int `json:"claims"`              // rows by word
	FalseClaims int            `json:"false_claims"`        // removals claimed that never were, on any host
	Taken       int            `json:"taken_by_exact_case"` // windows that case E2 or E3 of the reference, or a command that failed, gives, and that miss: in no other figure
	Unread      int            `json:"unread"`              // problems of severity error
	Missed      []string       `json:"missed_goals"`
}

// A Behaviour is what became of the removals of one kind.
type Behaviour struct {
	Removals  int `json:"removals"`
	WithTrace int `json:"with_trace"`
	Found     int `json:"found"`
	Certain   int `json:"certain"`
}

// goals are what must hold; each says what is wrong, "" if nothing is.
func (f *Figures) goals() []string {
	var missed []string
	goal := func(ok bool, format string, args ...any) {
		if !ok {
			missed = append(missed, fmt.Sprintf(format, args...))
		}
	}
	goal(f.WindowsMissed == 0, "windows_missed is %d, not 0", f.WindowsMissed)
	goal(f.RemovalsFound == f.RemovalsWithTrace, "removals_found is %d of %d", f.RemovalsFound, f.RemovalsWithTrace)
	goal(f.FalseRemovals == 0, "false_removals is %d, not 0", f.FalseRemovals)
	for _, w := range words {
		if share, ok := f.Calibration[w.word]; ok {
			goal(share >= w.least, "calibration of %s is %.3f, not %.2f", w.word, share, w.least)
		}
	}
	goal(f.WidthRatioMedian <= 1, "width_ratio_median is %.3f, not 1", f.WidthRatioMedian)
	goal(f.WidthRatioP95 <= 1.5, "width_ratio_p95 is %.3f, above 1.5", f.WidthRatioP95)
	goal(f.ExactCertain >= 0.95, "exact_certain is %.3f, below 0.95", f.ExactCertain)
	goal(f.TwoKindStrong >= 0.9, "two_kind_strong is %.3f, below 0.90", f.TwoKindStrong)
	goal(f.CoverageRight >= 0.98, "coverage_class_right is %.3f, below 0.98", f.CoverageRight)
	goal(f.BenignWrong == 0, "benign_unknown_wrong is %d, not 0", f.BenignWrong)
	goal(f.Unread == 0, "%d problems: evidence could not be read", f.Unread)
	return missed
}

// words are the words of confidence and the least share of them that is true.
var words = []struct {
	word  string
	least float64
}{{"certain", 1}, {"strong", 0.95}, {"likely", 0.75}, {"possible", 0.25}}

// A truthCase is what truth.jsonl tells of one group of hosts.
type truthCase struct {
	group string
	hosts []*truthHost
	rows  []*truthRow
}

// readTruth reads dir/truth.jsonl.
func readTruth(dir string) ([]*truthCase, error) {
	f, err := os.Open(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var cases []*truthCase
	groups, hosts := map[string]*truthCase{}, map[string]*truthCase{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var kind struct{ Row, Host, Group string }
		err := json.Unmarshal(lines.Bytes(), &kind)
		switch {
		case err != nil:
		case kind.Row == "host":
			h := new(truthHost)
			if err = json.Unmarshal(lines.Bytes(), h); err != nil {
				break
			}
			if !filepath.IsLocal(h.Host) || hosts[lower(h.Host)] != nil {
				err = fmt.Errorf("host %q is no folder's name or there twice", h.Host)
				break
			}
			h.Group = or(h.Group, h.Host)
			c := groups[h.Group]
			if c == nil {
				c = &truthCase{group: h.Group}
				groups[h.Group] = c
				cases = append(cases, c)
			}
			c.hosts, hosts[lower(h.Host)] = append(c.hosts, h), c
		case kind.Row == "connection" && hosts[lower(kind.Host)] != nil:
			r := new(truthRow)
			err = json.Unmarshal(lines.Bytes(), r)
			c := hosts[lower(kind.Host)]
			c.rows = append(c.rows, r)
		default:
			err = fmt.Errorf("row %q of host %q: rows are host, or connection of a host above", kind.Row, kind.Host)
		}
		if err != nil {
			return nil, fmt.Errorf("truth.jsonl:%d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(cases) == 0 {
		return nil, errors.New("truth.jsonl: no host")
	}
	return cases, nil
}

// A report is what a program says of one group of hosts.
type report struct {
	gaps, shares, coverage []*programRow
	unread                 []string
}

// A programRow is what counts of a row of any kind.
type programRow struct {
	Row, Host, Side, User, Share, Drive string
	ID, Rule, Confidence, Status        string
	Rules                               []string
	Window, Removed                     truthWindow
	Benign                              []struct{ Explanation, Verdict string }
	Evidence, Class, Severity, What     string
	Holes                               []truthHole
	Claim                               string
}

// analyse runs the program over the evidence of c.
func analyse(program, dir string, c *truthCase) (*report, error) {
	args := []string{"analyze", "--format", "jsonl", "-q"}
	for _, h := range c.hosts {
		args = append(args, filepath.Join(dir, h.Host))
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 3 {
		err = nil // something could not be read: its rows say what
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w: %s", c.group, program, err, strings.TrimSpace(errs.String()))
	}
	r := &report{}
	for line := range bytes.Lines(out.Bytes()) {
		p := new(programRow)
		if err := json.Unmarshal(line, p); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", c.group, program, err)
		}
		switch {
		case p.Row == "gap":
			r.gaps = append(r.gaps, p)
		case p.Row == "share":
			r.shares = append(r.shares, p)
		case p.Row == "coverage":
			r.coverage = append(r.coverage, p)
		case p.Row == "problem" && p.Severity == "error":
			r.unread = append(r.unread, c.group+": "+p.What)
		}
	}
	return r, nil
}

// Score runs program over the evidence of dir and compares what it says with
// dir/truth.jsonl. It also returns what is wrong, by class.
func Score(program, dir string) (*Figures, Faults, error) {
	cases, err := readTruth(dir)
	if err != nil {
		return nil, nil, err
	}
	parts := make([]*tally, len(cases))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range cases {
		g.Go(func() error {
			r, err := analyse(program, dir, c)
			if err == nil {
				parts[i] = c.compare(r)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	total := newTally()
	for _, p := range parts {
		total.add(p)
	}
	f := total.figures()
	f.Missed = f.goals()
	return f, total.faults, nil
}

// findProgram is the sharetrail beside this program, else the one in PATH.
func findProgram() (string, error) {
	name := "sharetrail"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		beside := filepath.Join(filepath.Dir(self), name)
		if _, err := os.Stat(beside); err == nil {
			return beside, nil
		}
	}
	return exec.LookPath(name)
}

// Faults are examples of what is wrong, by class.
type Faults map[string][]string

// String lists up to n examples of each class, most frequent classes first.
func (f Faults) list(n int) string {
	var classes []string
	for c := range f {
		classes = append(classes, c)
	}
	slices.SortFunc(classes, func(a, b string) int {
		if d := len(f[b]) - len(f[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	var b strings.Builder
	for _, c := range classes {
		fmt.Fprintf(&b, "%d × %s\n", len(f[c]), c)
		for i, text := range f[c] {
			if i == n {
				break
			}
			fmt.Fprintf(&b, "    %s\n", text)
		}
	}
	return b.String()
}
