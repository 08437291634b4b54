package lab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Simulate invents hosts computers and what happens on them, and writes the
// evidence to dir/<host>/, the truth to dir/truth.jsonl and the scenarios to
// dir/scenarios/. The same seed gives the same bytes, and a host does not
// depend on how many there are. dir must be new or empty.
func Simulate(seed uint64, hosts int, dir string) error {
	if names, err := os.ReadDir(dir); err == nil && len(names) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, "scenarios"), 0o777); err != nil {
		return err
	}
	truths := make([][]byte, hosts)
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range hosts {
		g.Go(func() (err error) {
			truths[i], err = simulateHost(seed, i, dir)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "truth.jsonl"), bytes.Join(truths, nil), 0o666)
}

// simulateHost writes host number i below dir and returns its rows of truth.
func simulateHost(seed uint64, i int, dir string) ([]byte, error) {
	h := newSimHost(seed, i)
	h.live()
	text := h.scenario()
	if err := os.WriteFile(filepath.Join(dir, "scenarios", h.name+".txtar"), []byte(text), 0o666); err != nil {
		return nil, err
	}
	s, err := Parse(h.name+".txtar", []byte(text))
	if err != nil {
		return nil, err
	}
	w, err := s.Hosts[0].told()
	if err != nil {
		return nil, s.locate(err)
	}
	built, err := w.files()
	if err != nil {
		return nil, s.locate(err)
	}
	files, err := s.withFiles(built, h.collected)
	if err != nil {
		return nil, s.locate(err)
	}
	if err := writeFiles(dir, files); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, row := range h.truth(w) {
		if err := enc.Encode(row); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// A simHost is one invented computer while its story is made up.
type simHost struct {
	rng       *rand.Rand
	name      string
	server    bool
	benign    bool // nothing is removed here
	logsBegin time.Time
	collected time.Time
	audit     simAudit
	users     []*simUser
	shares    []*simLife // exported by this host
	futiles   []simFutile
	lines     []simLine
	files     []string // sections of further files
	times     string   // and when they were modified
	off       []presence
	clears    map[string]time.Time // the last clearing, by channel
	lost      time.Time            // when records of Security were lost; zero if never
	clock     presence             // what the clock leapt over, if it was set

	systemSaved, systemFrozen time.Time // of SYSTEM, as for users' hives

	shots []time.Time // when shadow copies were made
}

// simAudit is what the computer records.
type simAudit struct {
	processes, lines, sysmon, powershell, shares, registry bool

	processesEnd time.Time // when process auditing was switched off; zero if never
}

// A simLine is one line of the story.
type simLine struct {
	t    time.Time
	text string
}

type simLines []simLine

func (l simLine) before(other simLine) int { return l.t.Compare(other.t) }

// text is the lines without their times.
func (lines simLines) text() string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

// A simUser is an account with its sessions and what it has mapped.
type simUser struct {
	*simHost
	name, sid string
	sessions  []presence
	lives     []*simLife
	changes   []simChange     // of HKCU\Network, in order
	saved     time.Time       // when the hive's file was written last, if its log holds more
	frozen    time.Time       // when the disk had its last change, if later ones were lost
	scrubbed  map[string]bool // shares whose key of Explorer was deleted
	typed     simLines        // into PowerShell
	policies  []time.Time     // when the drive maps extension of Group Policy was at work
	routine   *simRoutine     // at each logon; nil if there is none
}

var (
	simInstalled = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	simMonday    = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	simNames     = []string{"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}
)

const simDomain = "S-1-5-21-2596563022-1406118043-1004336348"

func newSimHost(seed uint64, i int) *simHost {
	h := &simHost{rng: rand.New(rand.NewPCG(seed, uint64(i))), clears: map[string]time.Time{}}
	h.server = h.chance(0.2)
	h.benign = h.chance(0.35)
	h.name = fmt.Sprintf("SIM-%05d", i+1)
	h.collected = simMonday.AddDate(0, 0, 3+h.rng.IntN(3)).Add(13 * time.Hour).Add(h.upTo(7 * time.Hour))
	h.logsBegin = simMonday.AddDate(0, 0, -2)
	if h.chance(0.25) { // the logs are small: they begin in the middle of the story
		h.logsBegin = simMonday.Add(h.upTo(h.collected.Sub(simMonday) - 20*time.Hour))
	}
	a := &h.audit
	a.processes, a.lines = h.chance(0.65), h.chance(0.85)
	a.sysmon, a.powershell = h.chance(0.2), h.chance(0.5)
	a.shares, a.registry = h.chance(0.5), h.chance(0.1)
	return h
}

// chance is true with probability p.
func (h *simHost) chance(p float64) bool { return h.rng.Float64() < p }

// upTo is a random span below d, to 100 ns.
func (h *simHost) upTo(d time.Duration) time.Duration {
	return time.Duration(h.rng.Int64N(int64(d))).Truncate(100)
}

// between is a random span from a to b.
func (h *simHost) between(a, b time.Duration) time.Duration { return a + h.upTo(b-a) }

func pick[T any](h *simHost, list []T) T { return list[h.rng.IntN(len(list))] }

// say adds a line to the story.
func (h *simHost) say(t time.Time, format string, args ...any) {
	h.lines = append(h.lines, simLine{t, fmt.Sprintf(format, args...)})
}

// live makes up what happens.
func (h *simHost) live() {
	n := 1 + h.rng.IntN(2)
	if h.chance(0.15) {
		n = 3
	}
	first := h.rng.IntN(len(simNames))
	for i := range n {
		k := (first + i) % len(simNames)
		h.users = append(h.users, &simUser{simHost: h, name: simNames[k], sid: fmt.Sprintf("%s-%d", simDomain, 1104+k), scrubbed: map[string]bool{}})
	}
	h.nights()
	for t := simMonday.AddDate(0, 0, -2).Add(h.upTo(time.Hour)); t.Before(h.collected); t = t.Add(h.between(4*time.Hour, 6*time.Hour)) {
		if !h.isOff(t) {
			h.say(t, "policy SYSTEM begins")
		}
	}
	for _, u := range h.users {
		u.days()
	}
	if h.server {
		h.serve()
	}
	for _, u := range h.users {
		u.takeUp()
		u.work()
	}
	h.incidents()
}

// nights shuts the computer down in some of them.
func (h *simHost) nights() {
	for day := simMonday.Add(20 * time.Hour); day.AddDate(0, 0, 1).Before(h.collected); day = day.AddDate(0, 0, 1) {
		if h.server || !h.chance(0.3) {
			continue
		}
		down, up := day.Add(h.upTo(time.Hour)), day.Add(9*time.Hour+h.upTo(30*time.Minute))
		h.say(down, "shutdown")
		h.say(up, "boot")
		h.off = append(h.off, presence{from: down, to: up})
	}
}

// days makes up the user's sessions: one a day, the last one perhaps going on.
func (u *simUser) days() {
	for day := simMonday; day.Before(u.collected); day = day.AddDate(0, 0, 1) {
		on, off := day.Add(u.between(6*time.Hour, 8*time.Hour)), day.Add(u.between(16*time.Hour, 19*time.Hour))
		if u.chance(0.2) && len(u.sessions) > 0 {
			continue
		}
		if on.Add(time.Hour).After(u.collected) {
			break
		}
		u.say(on, "logon %s id=0x%x", u.name, 0x100000+u.rng.IntN(0xefffff))
		u.say(on.Add(u.between(time.Second, 5*time.Second)), "policy %s begins", u.name)
		if off.Add(time.Minute).After(u.collected) {
			u.sessions = append(u.sessions, presence{u.name, on, time.Time{}})
			break
		}
		u.say(off, "logoff %s", u.name)
		u.sessions = append(u.sessions, presence{u.name, on, off})
	}
}

func (h *simHost) isOff(t time.Time) bool {
	return slices.ContainsFunc(h.off, func(p presence) bool { return !t.Before(p.from.Add(-time.Minute)) && t.Before(p.to.Add(time.Minute)) })
}

// scenario returns the story as a text for [Parse].
func (h *simHost) scenario() string {
	var b strings.Builder
	yes := map[bool]string{true: "yes", false: "no"}
	os, build, log := "Windows 10 Pro", "19045", "none"
	if h.server {
		os, build = "Windows Server 2019 Standard", "17763"
	}
	if h.audit.processes {
		log = "success"
	}
	fmt.Fprintf(&b, "-- host %s --\nos = %s\nbuild = %s\ndomain = corp.example\ninstalled = %s\ncollected = %s\nlogs-begin = %s\n",
		h.name, os, build, stamp(simInstalled), stamp(h.collected), stamp(h.logsBegin))
	fmt.Fprintf(&b, "audit = Process Creation:%s", log)
	if h.audit.shares {
		b.WriteString(", File Share:success")
	}
	if h.audit.registry {
		b.WriteString(", Registry:success")
	}
	fmt.Fprintf(&b, "\ncmdline-logging = %s\nsysmon = %s\npowershell-logging = %s\nbackground = %s..%s every=3h\n",
		yes[h.audit.lines], yes[h.audit.sysmon], yes[h.audit.powershell], stamp(simMonday.AddDate(0, 0, -2)), stamp(h.collected))
	for _, u := range h.users {
		fmt.Fprintf(&b, "user %s %s profile-created=2026-01-06T07:55:00Z\n", u.name, u.sid)
	}
	slices.SortStableFunc(h.lines, simLine.before)
	fmt.Fprintf(&b, "\n-- %s/story --\n", h.name)
	for _, l := range h.lines {
		fmt.Fprintf(&b, "%s %s\n", stamp(l.t), l.text)
	}
	for _, f := range h.files {
		b.WriteString("\n" + f)
	}
	if h.times != "" {
		b.WriteString("\n-- times --\n" + h.times)
	}
	return b.String()
}
