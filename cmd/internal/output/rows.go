package output

import (
	"slices"
	"strconv"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// known returns n, or nil where n is the -1 of an unknown number.
func known(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}

// knownAt is known for columns of rows of which there are many.
func knownAt(n *int64) any {
	if *n < 0 {
		return nil
	}
	return n
}

// What is not there, to be read only.
var (
	nowhere   evidence.Place
	noProcess evidence.Process
)

// place returns where p lies; a fact about no file lies nowhere.
func place(p *evidence.Provenance) *evidence.Place {
	if p.Place == nil {
		return &nowhere
	}
	return p.Place
}

var provenanceColumns = []Column[evidence.Provenance]{
	{"host", func(p *evidence.Provenance) any { return &place(p).Host }},
	{"source", func(p *evidence.Provenance) any { return &place(p).Source }},
	{"volume", func(p *evidence.Provenance) any { return &place(p).Volume }},
	{"snapshot", func(p *evidence.Provenance) any { return &place(p).Snapshot }},
	{"as_of", func(p *evidence.Provenance) any { return &place(p).AsOf }},
	{"path", func(p *evidence.Provenance) any { return &place(p).Path }},
	{"offset", func(p *evidence.Provenance) any { return knownAt(&p.Offset) }},
	{"length", func(p *evidence.Provenance) any { return knownAt(&p.Length) }},
	{"key", func(p *evidence.Provenance) any { return &p.Key }},
	{"value", func(p *evidence.Provenance) any { return &p.Value }},
	{"channel", func(p *evidence.Provenance) any { return &p.Channel }},
	{"provider", func(p *evidence.Provenance) any { return &p.Provider }},
	{"event_id", func(p *evidence.Provenance) any {
		if p.Channel == "" {
			return nil
		}
		return p.EventID
	}},
	{"record_id", func(p *evidence.Provenance) any {
		if p.Channel == "" {
			return nil
		}
		return &p.RecordID
	}},
}

var provenance = NewLayout("provenance", provenanceColumns...)

var processColumns = []Column[evidence.Process]{
	{"image", func(p *evidence.Process) any { return &p.Image }},
	{"command_line", func(p *evidence.Process) any { return &p.CommandLine }},
	{"pid", func(p *evidence.Process) any {
		if p.PID == "" {
			return nil
		}
		n, err := strconv.ParseUint(p.PID, 0, 64)
		if err != nil {
			return nil
		}
		return n
	}},
	{"parent_image", func(p *evidence.Process) any { return &p.ParentImage }},
	{"parent_command_line", func(p *evidence.Process) any { return &p.ParentCommandLine }},
}

func windowColumns[R any](name string, get func(*R) *timeline.Window) []Column[R] {
	return nest(name, get, []Column[timeline.Window]{
		{"not_before", func(w *timeline.Window) any { return w.NotBefore }},
		{"not_after", func(w *timeline.Window) any { return w.NotAfter }},
		{"basis", func(w *timeline.Window) any { return string(w.Basis) }},
	})
}

type observation = evidence.Observation

// Timeline is the layout of observations.
var Timeline = NewLayout("observation", slices.Concat(
	[]Column[observation]{
		{"id", func(o *observation) any { return &o.ID }},
		{"time", func(o *observation) any { return &o.Time }},
		{"time_kind", func(o *observation) any { return (*string)(&o.TimeKind) }},
		{"action", func(o *observation) any { return (*string)(&o.Action) }},
		{"host", func(o *observation) any { return &o.Host }},
		{"side", func(o *observation) any { return (*string)(&o.Side) }},
		{"user", func(o *observation) any { return &o.User }},
		{"sid", func(o *observation) any { return &o.SID }},
		{"share", func(o *observation) any { return &o.Share }},
		{"drive", func(o *observation) any { return &o.Drive }},
		{"peer", func(o *observation) any { return &o.Peer }},
		{"artifact", func(o *observation) any { return &o.Artifact }},
		{"summary", func(o *observation) any { return &o.Summary }},
	},
	nest("process", func(o *observation) *evidence.Process {
		if o.Process == nil {
			return &noProcess
		}
		return o.Process
	}, processColumns),
	[]Column[observation]{
		{"logon_id", func(o *observation) any { return &o.LogonID }},
		{"state", func(o *observation) any { return (*string)(&o.State) }},
		{"attack", func(o *observation) any { return o.Attack }},
		{"detail", func(o *observation) any { return o.Detail }},
	},
	nest("provenance", func(o *observation) *evidence.Provenance { return &o.From }, provenanceColumns),
	[]Column[observation]{
		{"also_at", func(o *observation) any { return List(provenance, o.AlsoAt) }},
	},
)...)

type connection = timeline.Connection

// Shares is the layout of connections.
var Shares = NewLayout("share", slices.Concat(
	[]Column[connection]{
		{"id", func(c *connection) any { return c.ID }},
		{"host", func(c *connection) any { return c.Host }},
		{"side", func(c *connection) any { return string(c.Side) }},
		{"user", func(c *connection) any { return c.User }},
		{"sid", func(c *connection) any { return c.SID }},
		{"share", func(c *connection) any { return c.Share }},
		{"drive", func(c *connection) any { return c.Drive }},
		{"status", func(c *connection) any { return string(c.Status) }},
	},
	windowColumns("mapped", func(c *connection) *timeline.Window { return &c.Mapped }),
	[]Column[connection]{
		{"first_used", func(c *connection) any { return c.FirstUsed }},
		{"last_used", func(c *connection) any { return c.LastUsed }},
		{"use_count", func(c *connection) any { return known(c.UseCount) }},
	},
	windowColumns("removed", func(c *connection) *timeline.Window { return &c.Removed }),
	[]Column[connection]{
		{"removed_by", func(c *connection) any { return string(c.RemovedBy) }},
		{"facts.command_seen", func(c *connection) any { return tri(c.Facts.CommandSeen) }},
		{"facts.mapping_gone", func(c *connection) any { return tri(c.Facts.MappingGone) }},
		{"facts.session_ended", func(c *connection) any { return tri(c.Facts.SessionEnded) }},
		{"facts.share_gone", func(c *connection) any { return tri(c.Facts.ShareGone) }},
		{"actor.user", func(c *connection) any { return c.Actor.User }},
	},
	nest("actor.process", func(c *connection) *evidence.Process { return &c.Actor.Process }, processColumns),
	[]Column[connection]{
		{"persistent", func(c *connection) any { return tri(c.Persistent) }},
		{"credentials_as", func(c *connection) any { return c.CredentialsAs }},
		{"aliases", func(c *connection) any { return c.Aliases }},
		{"confidence", func(c *connection) any { return string(c.Confidence) }},
		{"observations", func(c *connection) any { return c.Observations }},
		{"gaps", func(c *connection) any { return c.Gaps }},
	},
)...)

// tri writes an unset Tri as what it means.
func tri(t timeline.Tri) string {
	if t == "" {
		return string(timeline.Unknown)
	}
	return string(t)
}

var steps = NewLayout("step", []Column[timeline.Step]{
	{"rule", func(s *timeline.Step) any { return s.Rule }},
	{"statement", func(s *timeline.Step) any { return s.Statement }},
	{"observations", func(s *timeline.Step) any { return s.Observations }},
}...)

var benign = NewLayout("benign", []Column[timeline.Benign]{
	{"explanation", func(b *timeline.Benign) any { return b.Explanation }},
	{"verdict", func(b *timeline.Benign) any { return string(b.Verdict) }},
	{"because", func(b *timeline.Benign) any { return b.Because }},
	{"observations", func(b *timeline.Benign) any { return b.Observations }},
}...)

var missing = NewLayout("missing", []Column[timeline.Missing]{
	{"what", func(m *timeline.Missing) any { return m.What }},
	{"why", func(m *timeline.Missing) any { return m.Why }},
}...)

type gap = timeline.Gap

// Gaps is the layout of findings.
var Gaps = NewLayout("gap", slices.Concat(
	[]Column[gap]{
		{"id", func(g *gap) any { return g.ID }},
		{"rule", func(g *gap) any { return g.Rule }},
		{"rules", func(g *gap) any { return g.Rules }},
		{"severity", func(g *gap) any { return string(g.Severity) }},
		{"confidence", func(g *gap) any { return string(g.Confidence) }},
		{"host", func(g *gap) any { return g.Host }},
		{"user", func(g *gap) any { return g.User }},
		{"sid", func(g *gap) any { return g.SID }},
		{"share", func(g *gap) any { return g.Share }},
		{"drive", func(g *gap) any { return g.Drive }},
	},
	windowColumns("window", func(g *gap) *timeline.Window { return &g.Window }),
	[]Column[gap]{
		{"claim", func(g *gap) any { return g.Claim }},
		{"reasoning", func(g *gap) any { return List(steps, g.Reasoning) }},
		{"benign", func(g *gap) any { return List(benign, g.Benign) }},
		{"missing", func(g *gap) any { return List(missing, g.Missing) }},
		{"observations", func(g *gap) any { return g.Observations }},
		{"connections", func(g *gap) any { return g.Connections }},
		{"attack", func(g *gap) any { return g.Attack }},
	},
)...)

var holes = NewLayout("hole", []Column[evidence.Hole]{
	{"from", func(h *evidence.Hole) any { return h.From }},
	{"to", func(h *evidence.Hole) any { return h.To }},
	{"reason", func(h *evidence.Hole) any { return string(h.Reason) }},
	{"observations", func(h *evidence.Hole) any { return h.Observations }},
}...)

type coverage = timeline.CoverageRow

// Coverage is the layout of what each kind of evidence could have told.
var Coverage = NewLayout("coverage", []Column[coverage]{
	{"host", func(c *coverage) any { return c.Host }},
	{"evidence", func(c *coverage) any { return c.Evidence }},
	{"as_of", func(c *coverage) any { return c.AsOf }},
	{"from", func(c *coverage) any { return c.From }},
	{"to", func(c *coverage) any { return c.To }},
	{"records", func(c *coverage) any { return known(c.Records) }},
	{"enabled", func(c *coverage) any { return tri(c.Enabled) }},
	{"class", func(c *coverage) any { return string(c.Class) }},
	{"holes", func(c *coverage) any { return List(holes, c.Holes) }},
}...)

// Problems is the layout of what could not be read or must be doubted.
var Problems = NewLayout("problem", slices.Concat(
	[]Column[evidence.Problem]{
		{"severity", func(p *evidence.Problem) any { return string(p.Severity) }},
		{"what", func(p *evidence.Problem) any { return p.What }},
	},
	nest("provenance", func(p *evidence.Problem) *evidence.Provenance { return &p.From }, provenanceColumns),
)...)
