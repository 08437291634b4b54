// Package timeline draws conclusions from evidence: when shares were mapped,
// used and removed, what each kind of evidence could have told, and where a
// trace should be and is not.
package timeline

import (
	"time"

	"sharetrail/artifacts/evidence"
)

// A Basis says what an end of a Window rests on.
type Basis string

// The bases.
const (
	Recorded           Basis = "recorded" // an event states the instant itself
	ByCommand          Basis = "command"
	KeyLastWrite       Basis = "key_last_write"
	ParentKeyLastWrite Basis = "parent_key_last_write"
	HiveState          Basis = "hive_state" // a state of the hive shows it, or lacks it
	BySnapshot         Basis = "snapshot"
	BySession          Basis = "session"
	ByBoot             Basis = "boot"
	Collection         Basis = "collection" // the newest instant of the host's evidence
)

// A Window bounds an instant. A zero end is open; equal ends are an exact time.
type Window struct {
	NotBefore, NotAfter time.Time
	Basis               Basis
}

// Known reports whether w has any bound.
func (w Window) Known() bool { return !w.NotBefore.IsZero() || !w.NotAfter.IsZero() }

// Exact reports whether w is one instant.
func (w Window) Exact() bool { return !w.NotBefore.IsZero() && w.NotBefore.Equal(w.NotAfter) }

// At returns the exact Window of t.
func At(t time.Time, b Basis) Window { return Window{t, t, b} }

// A Tri is yes, no or unknown. Unknown is never folded into no.
type Tri string

// The values of Tri.
const (
	Yes     Tri = "yes"
	No      Tri = "no"
	Unknown Tri = "unknown"
)

// A Status says how a connection stood at collection.
type Status string

// The statuses.
const (
	StatusMapped   Status = "mapped"
	StatusExported Status = "exported"
	StatusRemoved  Status = "removed"
	StatusEnded    Status = "ended"
	StatusUsedOnly Status = "used_only"
	StatusUnknown  Status = "unknown"
)

// A RemovedBy says how a removal was done.
type RemovedBy string

// The ways. "" means not removed.
const (
	ByTheCommand RemovedBy = "command"
	ByExplorer   RemovedBy = "explorer"
	ByAPI        RemovedBy = "api"
	ByRegistry   RemovedBy = "registry_edit"
	ByLogoff     RemovedBy = "logoff"
	ByPolicy     RemovedBy = "policy"
	ByUnknown    RemovedBy = "unknown"
)

// Facts are four independent facts about the end of a connection. They are
// never inferred from one another.
type Facts struct {
	CommandSeen, MappingGone, SessionEnded, ShareGone Tri
}

// An Actor is who removed a connection, as far as a log names it.
type Actor struct {
	User    string
	Process evidence.Process
}

// A Connection is the life of one share for one user on one host (client
// side), or of one exported share (server side).
type Connection struct {
	ID                  string
	Host                string
	Side                evidence.Side
	User, SID           string
	Share, Drive        string
	Status              Status
	Mapped              Window
	FirstUsed, LastUsed time.Time
	UseCount            int64
	Removed             Window
	RemovedBy           RemovedBy
	Facts               Facts
	Actor               Actor
	Persistent          Tri
	CredentialsAs       string
	Aliases             []string
	Confidence          Confidence // of Status
	Observations        []string   // ids
	Gaps                []string   // ids
}

// A Confidence belongs to a claim, as it is worded.
type Confidence string

// The words, strongest first.
const (
	Certain  Confidence = "certain"
	Strong   Confidence = "strong"
	Likely   Confidence = "likely"
	Possible Confidence = "possible"
)

// A Severity says how much a gap matters if it is true.
type Severity string

// The severities, gravest first.
const (
	High   Severity = "high"
	Medium Severity = "medium"
	Low    Severity = "low"
	Info   Severity = "info"
)

// A Verdict is the outcome of testing an innocent explanation.
type Verdict string

// The verdicts.
const (
	Supported      Verdict = "supported"
	Contradicted   Verdict = "contradicted"
	VerdictUnknown Verdict = "unknown"
)

// A Step is one step of the reasoning behind a gap.
type Step struct {
	Rule         string
	Statement    string
	Observations []string
}

// A Benign is one innocent explanation and what became of it.
type Benign struct {
	Explanation  string
	Verdict      Verdict
	Because      string
	Observations []string
}

// A Missing names evidence that would settle a gap, and why it is not there.
type Missing struct {
	What, Why string
}

// A Gap is a finding: a removal, or evidence that should be there and is not.
// There is one Gap for each removal of one connection.
type Gap struct {
	ID           string
	Rule         string   // the strongest
	Rules        []string // all that saw it
	Severity     Severity
	Confidence   Confidence
	Host         string
	User, SID    string
	Share, Drive string
	Window       Window
	Claim        string
	Reasoning    []Step
	Benign       []Benign
	Missing      []Missing
	Observations []string // ids
	Connections  []string // ids
	Attack       []string
}

// A Class says what a kind of evidence could have told.
type Class string

// The classes.
const (
	Continuous   Class = "continuous"
	Partial      Class = "partial"
	Rolled       Class = "rolled"
	ClearedClass Class = "cleared"
	Disabled     Class = "disabled"
	Absent       Class = "absent"
	UnknownClass Class = "unknown"
)

// A CoverageRow is what one kind of evidence of one host could have told.
type CoverageRow struct {
	Host     string
	Evidence string
	AsOf     time.Time
	From, To time.Time
	Records  int64 // -1 if not counted
	Enabled  Tri
	Class    Class
	Holes    []evidence.Hole
}

// A Report is everything that one run found, ordered for output.
type Report struct {
	Hosts        []string
	Observations []evidence.Observation // rows to show, context by the --context policy
	Connections  []Connection
	Gaps         []Gap
	Coverage     []CoverageRow
	Problems     []evidence.Problem
	NotRun       []NotRun
}

// Named returns the ids of the observations that findings and coverage rest on and,
// if asked for, those of connections.
func (r *Report) Named(connections bool) map[string]bool {
	named := map[string]bool{}
	add := func(ids []string) {
		for _, id := range ids {
			named[id] = true
		}
	}
	for _, g := range r.Gaps {
		add(g.Observations)
		for _, s := range g.Reasoning {
			add(s.Observations)
		}
		for _, b := range g.Benign {
			add(b.Observations)
		}
	}
	for _, c := range r.Coverage {
		for _, h := range c.Holes {
			add(h.Observations)
		}
	}
	if connections {
		for _, c := range r.Connections {
			add(c.Observations)
		}
	}
	return named
}

// A NotRun is a rule that could not be applied to a host, and why. A rule that
// did not run is not a rule that found nothing.
type NotRun struct {
	Rule, Host, Why string
}

// firstKnown returns the first instant at which the connection is known.
func (c *Connection) firstKnown() (first time.Time) {
	for _, t := range []time.Time{c.Mapped.NotBefore, c.Mapped.NotAfter, c.FirstUsed, c.Removed.NotBefore} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
