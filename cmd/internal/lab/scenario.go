// Package lab builds evidence from text: a scenario names hosts, users and
// what happened, and [Build] writes the hives, event logs and files that
// Windows would have left, as a triage collection has them. The format is
// described in testdata/cases/README.md.
//
// It is for tests and training, and is no part of sharetrail itself.
package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// A Scenario is one parsed case: hosts, what happened on them, and what an
// analysis of the built evidence has to find.
type Scenario struct {
	Name   string // of the text, for errors
	Story  string // what the case tells, for people
	Hosts  []*Host
	Files  []section            // evidence outside any host block, by path
	Times  map[string]time.Time // modification times by path; UTC
	Expect Expect
}

// A Host is one Windows computer. Its zero value is none: Name, Installed and
// Collected are always set.
type Host struct {
	Name       string
	OS         string // product name, e.g. "Windows 10 Pro"
	Build      string // CurrentBuild, e.g. "18363"
	Domain     string // DNS name of the domain; "" for a workgroup
	TimeZone   string // key name, e.g. "W. Europe Standard Time"
	Bias       int    // minutes that UTC is ahead of local time
	MachineSID string
	Installed  time.Time
	Collected  time.Time // when the evidence was copied: nothing is newer
	LogsBegin  time.Time // what is older has rolled over
	Users      []*User

	CommandLines bool // 4688 records carry the command line
	Remains      bool // what a clear took out of a log lies in unallocated space, which was collected
	PowerShell   bool // script block logging is on
	Sysmon       bool

	background background
	audit      auditPolicy
	logs       map[string]*logOptions // by channel
	sections   []section
}

// A User is an account that the host knows.
type User struct {
	Name    string
	SID     string
	Folder  string    // of the profile below C:\Users; "" if the user has none here
	Created time.Time // of the profile
}

// A section is one file of the scenario's archive.
type section struct {
	name string
	text string
	line int // of the first line of text in the scenario, 1 is the first
}

// each calls f for every line of s that is neither blank nor a comment.
func (s section) each(f func(line int, text string) error) error {
	for i, text := range strings.Split(s.text, "\n") {
		text = strings.TrimSpace(text)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := f(s.line+i, text); err != nil {
			return &lineError{s.line + i, err}
		}
	}
	return nil
}

// A lineError says which line of a scenario is wrong.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return fmt.Sprintf("%d: %v", e.line, e.err) }
func (e *lineError) Unwrap() error { return e.err }

// Parse reads the scenario data; name is used in errors, which begin with
// "name:line: ".
func Parse(name string, data []byte) (*Scenario, error) {
	s := &Scenario{Name: name, Times: map[string]time.Time{}}
	if err := s.parse(data); err != nil {
		return nil, s.locate(err)
	}
	return s, nil
}

// locate puts the scenario's name and, where it is known, the line before err.
func (s *Scenario) locate(err error) error {
	if le := (*lineError)(nil); errors.As(err, &le) {
		return fmt.Errorf("%s:%w", s.Name, err)
	}
	return fmt.Errorf("%s: %w", s.Name, err)
}

func (s *Scenario) parse(data []byte) error {
	var sections []section
	s.Story, sections = split(string(data))
	seen := map[string]bool{}
	for _, sec := range sections {
		if seen[strings.ToLower(sec.name)] {
			return &lineError{sec.line - 1, fmt.Errorf("section %q is there twice", sec.name)}
		}
		seen[strings.ToLower(sec.name)] = true
		if err := s.section(sec); err != nil {
			if le := (*lineError)(nil); !errors.As(err, &le) {
				err = &lineError{sec.line - 1, err}
			}
			return err
		}
	}
	if len(s.Hosts) == 0 && len(s.Files) == 0 {
		return errors.New(`nothing to build: no section "host NAME" and no file`)
	}
	return nil
}

// split takes a txtar archive apart. The txtar package would do, but that it
// does not say on which line a file begins, and panics on the line "-- --".
func split(text string) (story string, sections []section) {
	body := &story
	for i, line := range strings.SplitAfter(text, "\n") {
		marker := strings.TrimRight(line, "\r\n")
		if len(marker) > 6 && strings.HasPrefix(marker, "-- ") && strings.HasSuffix(marker, " --") {
			sections = append(sections, section{name: strings.TrimSpace(marker[3 : len(marker)-3]), line: i + 2})
			body = &sections[len(sections)-1].text
			continue
		}
		*body += line
	}
	return story, sections
}

// section files sec under what its name says.
func (s *Scenario) section(sec section) error {
	if name, ok := strings.CutPrefix(sec.name, "host "); ok {
		h, err := parseHost(strings.TrimSpace(name), sec)
		if err != nil {
			return err
		}
		s.Hosts = append(s.Hosts, h)
		return nil
	}
	switch sec.name {
	case "times":
		return sec.each(s.time)
	case "expect/gaps.jsonl":
		return parseRows(sec, &s.Expect.Gaps)
	case "expect/shares.jsonl":
		return parseRows(sec, &s.Expect.Shares)
	}
	if strings.HasPrefix(sec.name, "expect/") {
		return fmt.Errorf("%q: only expect/gaps.jsonl and expect/shares.jsonl are known", sec.name)
	}
	host, rest, _ := strings.Cut(sec.name, "/")
	if kind, _, _ := strings.Cut(rest, " "); rest == "story" || kind == "hive" || kind == "log" {
		for _, h := range s.Hosts {
			if h.Name == host {
				sec.name = rest
				h.sections = append(h.sections, sec)
				return nil
			}
		}
		return fmt.Errorf("%q: no section \"host %s\" before it", sec.name, host)
	}
	if !fs.ValidPath(sec.name) || sec.name == "." {
		return fmt.Errorf("%q is neither a known section nor a relative path with slashes", sec.name)
	}
	s.Files = append(s.Files, sec)
	return nil
}

// time reads one line of the section times: PATH TIME.
func (s *Scenario) time(_ int, text string) error {
	i := strings.LastIndex(text, " ")
	if i < 0 {
		return fmt.Errorf("%q is not PATH TIME", text)
	}
	t, err := parseTime(text[i+1:])
	if err != nil {
		return err
	}
	s.Times[strings.TrimSpace(text[:i])] = t
	return nil
}

// parseTime reads an RFC 3339 time in UTC, to 100 ns.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time like 2026-03-01T10:00:00.1234567Z", s)
	}
	return t.UTC().Truncate(100), nil
}

// stamp formats t as hive texts have it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
