package lab

import (
	"fmt"
	"strings"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
)

// A world is one host while its story is told: what its hives hold and what
// its logs have recorded.
type world struct {
	*Host
	machine  map[string]*registry // SYSTEM, SOFTWARE, SECURITY
	users    map[string]*registry // NTUSER.DAT by user name, lower case
	events   []evtxtest.Event
	sessions map[string]logon  // interactive, by user name, lower case
	started  map[string]string // pids of the last processes, by command line
	present  []presence        // who was logged on when
	clears   []logClear
	cleared  map[string][]evtxtest.Event // what the last clearing took, by channel
	shots    []shot                      // shadow copies, oldest first
	lost     []loss
	saved    map[string]hiveState // users' hives as their files hold them, where the log holds more
	frozen   map[string]hiveState // and as the disk held them last
	off      []presence           // spans without power
	audit    auditPolicy
	pid      uint64
	err      error // the first of emit
}

// A presence is a span of time; an open end is zero.
type presence struct {
	user     string // lower case
	from, to time.Time
}

// world returns h as Windows and the users' first logons have left it.
func (h *Host) world() (*world, error) {
	w := &world{
		Host: h, machine: map[string]*registry{}, users: map[string]*registry{},
		saved: map[string]hiveState{}, frozen: map[string]hiveState{}, sessions: map[string]logon{}, started: map[string]string{}, cleared: map[string][]evtxtest.Event{}, audit: h.audit.clone(),
	}
	for _, kind := range []string{"SYSTEM", "SOFTWARE"} {
		r, err := baseHive(kind, baseData{Host: h})
		if err != nil {
			return nil, err
		}
		w.machine[kind] = r
	}
	profiles(w.machine["SOFTWARE"], h)
	for _, u := range h.Users {
		if u.Folder == "" {
			continue
		}
		r, err := baseHive("NTUSER", baseData{Host: h, User: u})
		if err != nil {
			return nil, err
		}
		w.users[strings.ToLower(u.Name)] = r
	}
	return w, nil
}

// A loss is a number of record ids that a log lacks from an instant on.
type loss struct {
	channel string
	when    time.Time
	count   uint64
}

// A step is one line of a story: TIME VERB KEY=VALUE... REST.
type step struct {
	time time.Time
	verb string
	opts map[string]string
	rest string
}

// word takes the next word off the rest of s.
func (s *step) word(what string) (string, error) {
	w, rest, _ := strings.Cut(s.rest, " ")
	s.rest = strings.TrimSpace(rest)
	if w == "" {
		return "", fmt.Errorf("%s: %s is missing", s.verb, what)
	}
	return w, nil
}

// A verb is something that can happen: what it takes beyond the words of its
// line, and what it does to the world.
type verb struct {
	opts string // names of the options, separated by blanks
	do   func(*world, *step) error
}

// tell lets the steps of sec happen.
func (w *world) tell(sec section) error {
	last := time.Time{}
	return sec.each(func(_ int, text string) error {
		s, v, err := parseStep(text)
		if err != nil {
			return err
		}
		if s.time.Before(last) {
			return fmt.Errorf("%s is before the line above: a story is told in order", stamp(s.time))
		}
		if s.time.After(w.Collected) {
			return fmt.Errorf("%s is after the collection", stamp(s.time))
		}
		last = s.time
		return v.do(w, s)
	})
}

func parseStep(text string) (*step, verb, error) {
	when, rest, _ := strings.Cut(text, " ")
	t, err := parseTime(when)
	if err != nil {
		return nil, verb{}, err
	}
	s := &step{time: t, opts: map[string]string{}}
	s.verb, s.rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
	s.rest = strings.TrimSpace(s.rest)
	v, ok := verbs[s.verb]
	if !ok {
		return nil, v, fmt.Errorf("unknown verb %q", s.verb)
	}
	return s, v, s.options(strings.Fields(v.opts))
}

// options takes the KEY=VALUE or KEY="VALUE" words with known keys off the
// rest of s. The first other word ends them, but for one that comes first and
// names the user.
func (s *step) options(known []string) error {
	first := ""
	for {
		word, rest, _ := strings.Cut(s.rest, " ")
		key, value, ok := strings.Cut(word, "=")
		if !ok || !contains(known, key) {
			if first != "" || word == "" || ok {
				break
			}
			first, s.rest = word, strings.TrimSpace(rest)
			continue
		}
		if strings.HasPrefix(value, `"`) {
			body := s.rest[len(key)+2:]
			end := strings.IndexByte(body, '"')
			if end < 0 {
				return fmt.Errorf("%s: no closing quote after %s=", s.verb, key)
			}
			value, rest = body[:end], body[end+1:]
		}
		s.opts[key] = value
		s.rest = strings.TrimSpace(rest)
	}
	s.rest = strings.TrimSpace(first + " " + s.rest)
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// who takes a user's name off s and returns the user and the interactive
// session; without one, the user acts in a session that began before the logs.
func (w *world) who(s *step) (principal, error) {
	name, err := s.word("the user")
	if err != nil {
		return principal{}, err
	}
	if strings.EqualFold(name, "SYSTEM") {
		return w.computer(), nil
	}
	if l, ok := w.sessions[strings.ToLower(name)]; ok {
		return l.principal, nil
	}
	u, err := w.user(name)
	if err != nil {
		return principal{}, err
	}
	return principal{u.SID, u.Name, w.netbios(), "0x4f2a1"}, nil
}

// hive returns the registry of the user named p.
func (w *world) hive(p principal) (*registry, error) {
	r := w.users[strings.ToLower(p.name)]
	if r == nil {
		return nil, fmt.Errorf("user %s has no profile on %s", p.name, w.Name)
	}
	return r, nil
}

// nextPID numbers processes as Windows does, in steps of four.
func (w *world) nextPID() string {
	w.pid += 4 * (1 + w.pid%7)
	return fmt.Sprintf("0x%x", 0x1a00+w.pid%0x6000)
}

func lower(s string) string { return strings.ToLower(s) }
