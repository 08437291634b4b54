package lab

import (
	"slices"
	"time"
)

// A truthHost is the row "host" of truth.jsonl: what is true of a computer.
type truthHost struct {
	Row        string      `json:"row"`
	Host       string      `json:"host"`
	Group      string      `json:"group"`  // hosts of one group are analysed together
	Benign     bool        `json:"benign"` // no remembered mapping or stored share was removed, no command ended another
	Collected  string      `json:"collected"`
	ProcessLog []truthHole `json:"process_log"` // when process creation was not recorded, or what was recorded is lost
	Failed     []truthFail `json:"failed"`      // commands that changed nothing
}

// A truthFail is a command that was to map or to remove something, and failed.
type truthFail struct {
	Time      string `json:"time"`
	User      string `json:"user"`
	Drive     string `json:"drive"` // "" of a share of this host
	Share     string `json:"share"` // to be mapped, or removed; "" if the letter stood for none
	How       string `json:"how"`
	Behaviour string `json:"behaviour"`
}

// A truthHole is a span in which a log says nothing; an open end is "".
type truthHole struct {
	From   string `json:"from"`
	To     string `json:"to"`
	Reason string `json:"reason"` // as in sharetrail's coverage rows
}

// A truthWindow bounds an instant; an open end is "".
type truthWindow struct {
	NotBefore string `json:"not_before"`
	NotAfter  string `json:"not_after"`
}

// A truthRow is the row "connection" of truth.jsonl: one life of one share.
type truthRow struct {
	Row        string      `json:"row"`
	Host       string      `json:"host"`
	Side       string      `json:"side"` // client, server
	User       string      `json:"user"`
	SID        string      `json:"sid"`
	Share      string      `json:"share"`
	Drive      string      `json:"drive"`
	Persistent bool        `json:"persistent"`
	MapHow     string      `json:"map_behaviour"`
	Mapped     string      `json:"mapped"`
	Removed    string      `json:"removed"`     // the act's first trace; "" if it was not removed
	RemovedEnd string      `json:"removed_end"` // and its last: a window must meet the span
	By         string      `json:"by"`          // as shares' removed_by
	How        string      `json:"how"`         // the exact command or call
	Behaviour  string      `json:"behaviour"`
	Traces     []string    `json:"traces"` // surviving, on which a rule could rest; none: nothing can be found
	Window     truthWindow `json:"window"` // the tightest that surviving traces allow
	ExactCase  string      `json:"exact_case"`
	Kinds      int         `json:"kinds"` // independent kinds of surviving evidence of the removal
	All        bool        `json:"all"`   // the command named no drive
	// Taken is when an exact case of the reference dates the removal wrongly. E2: it
	// left no record, and a later command for all drives dates the key; E3: another
	// mapping came and went between the two states. "" if none does.
	Taken  string `json:"taken"`
	Benign string `json:"benign"` // the innocent cause: script, policy, explorer, or ""
	// Settled are the verdicts on innocent causes that surviving evidence allows.
	Settled map[string]string `json:"settled"`
	Chances []simChance       `json:"chances"`
}

// The name of a window's bound, of a trace or of a cause is part of the format
// that testdata/cases/TRUTH.md describes.
const (
	traceCommand  = "command"       // the command that removed it
	traceScript   = "script"        // the script block that did
	traceSysmon   = "sysmon-12"     // the deletion of the key, recorded by Sysmon
	traceAudit    = "object-access" // and by 4663 and 4660
	traceDeleted  = "deleted-key"
	traceParent   = "parent-key" // Network was written last by this removal
	traceStates   = "two-states"
	traceMapped   = "map-command" // it was mapped to be remembered, and is not there
	traceShare    = "5144"
	traceSharesAt = "shares-key" // Shares was written last by this removal
	traceMade     = "5142"
	traceUsed     = "5140"
)

// effect is how long after a command its effect counts as its own: E2.
const effect = 30 * time.Second

func (h *simHost) truth(w *world) []any {
	host := truthHost{Row: "host", Host: h.name, Group: h.name, Benign: true, Collected: stamp(h.collected), ProcessLog: h.processHoles(), Failed: h.failed()}
	var rows []any
	for _, l := range h.shares {
		r := l.serverTruth(w)
		host.Benign = host.Benign && l.removal == nil
		rows = append(rows, r)
	}
	for _, u := range h.users {
		for _, l := range u.lives {
			r := l.clientTruth(w)
			host.Benign = host.Benign && l.removal == nil
			rows = append(rows, r)
		}
	}
	return append([]any{host}, rows...)
}

// failed are the commands that changed nothing.
func (h *simHost) failed() []truthFail {
	all := []truthFail{}
	for _, f := range h.futiles {
		row := truthFail{Time: stamp(f.cmd.t), User: f.user.name, Share: f.share, How: f.how, Behaviour: f.behaviour}
		if f.letter != "" {
			row.Drive = f.letter + ":"
		} else {
			row.Share = `\\` + h.name + `\` + f.share
		}
		all = append(all, row)
	}
	return all
}

// processHoles are the spans without process creation in Security.
func (h *simHost) processHoles() []truthHole {
	if !h.audit.processes {
		return []truthHole{{stamp(simInstalled), "", "audit_off"}}
	}
	holes := []truthHole{{stamp(simInstalled), stamp(h.logsBegin), "rolled_over"}}
	if c := h.clears["Security"]; c.After(h.logsBegin) {
		if s := h.lastShot(c); s.After(h.logsBegin) { // a shadow copy has what was there by then
			holes = append(holes, truthHole{stamp(s), stamp(c), "cleared"})
		} else {
			holes[0] = truthHole{stamp(simInstalled), stamp(c), "cleared"}
		}
	}
	for _, o := range h.off {
		holes = append(holes, truthHole{stamp(o.from), stamp(o.to), "powered_off"})
	}
	if !h.clock.to.IsZero() && h.kept("System", h.clock.to) {
		holes = append(holes, truthHole{stamp(h.clock.from), stamp(h.clock.to), "clock_changed"})
	}
	if !h.lost.IsZero() && h.kept("Security", h.lost) {
		holes = append(holes, truthHole{stamp(h.lost), stamp(h.lost), "record_gap"})
	}
	if !h.audit.processesEnd.IsZero() {
		holes = append(holes, truthHole{stamp(h.audit.processesEnd), "", "audit_off"})
	}
	return holes
}

// kept reports whether a record of t is still in channel.
func (h *simHost) kept(channel string, t time.Time) bool {
	return !t.Before(h.logsBegin) && (!t.Before(h.clears[channel]) || !t.After(h.lastShot(h.clears[channel])))
}

// lastShot is when the last shadow copy before t was made, zero if none was.
func (h *simHost) lastShot(t time.Time) (last time.Time) {
	for _, s := range h.shots {
		if s.Before(t) {
			last = s
		}
	}
	return last
}

// survives reports whether a command is still recorded with its text.
func (h *simHost) survives(c simCmd) bool {
	switch c.kind {
	case "process":
		audited := h.audit.processes && h.audit.lines && (h.audit.processesEnd.IsZero() || c.t.Before(h.audit.processesEnd))
		return audited && h.kept("Security", c.t) || h.audit.sysmon && h.kept(channelSysmon, c.t)
	case "script":
		return h.audit.powershell && h.kept(channelPowerShell, c.t)
	}
	return false
}

func (l *simLife) row(side string) *truthRow {
	u := l.owner
	r := &truthRow{Row: "connection", Host: u.simHost.name, Side: side, User: u.name, SID: u.sid, Share: l.share, Persistent: l.persistent,
		MapHow: l.mapHow, Mapped: stamp(l.mapped), Traces: []string{}, Settled: map[string]string{}, Chances: l.chances}
	if l.letter != "" {
		r.Drive = l.letter + ":"
	}
	if r.Chances == nil {
		r.Chances = []simChance{}
	}
	if m := l.removal; m != nil {
		r.Removed, r.RemovedEnd, r.By, r.How, r.Behaviour, r.Benign = stamp(m.at), stamp(m.end), m.by, m.how, m.behaviour, m.benign
		r.All = m.all
	}
	return r
}

// bounds collects what bounds one removal.
type bounds struct {
	notBefore, notAfter time.Time
}

func (b *bounds) after(t time.Time) {
	if t.After(b.notBefore) {
		b.notBefore = t
	}
}

func (b *bounds) until(t time.Time) {
	if !t.IsZero() && (b.notAfter.IsZero() || t.Before(b.notAfter)) {
		b.notAfter = t
	}
}

// widen moves b's ends apart by what the clock leapt over inside it.
func (h *simHost) widen(b *bounds) {
	c := h.clock
	if c.to.IsZero() || b.notBefore.IsZero() || b.notBefore.After(c.to) || b.notAfter.Before(c.to) {
		return
	}
	if d := c.to.Sub(c.from); h.kept("System", c.to) {
		b.notBefore, b.notAfter = b.notBefore.Add(-d), b.notAfter.Add(d)
	}
}

func (b *bounds) exactly(t time.Time) { b.notBefore, b.notAfter = t, t }

func (b *bounds) window() truthWindow {
	var w truthWindow
	if !b.notBefore.IsZero() {
		w.NotBefore = stamp(b.notBefore)
	}
	if !b.notAfter.IsZero() {
		w.NotAfter = stamp(b.notAfter)
	}
	return w
}

// sure reports whether the command that did it is one that does not fail: it names
// all, or stands in a script.
func (m *simRemoval) sure() bool { return m.all || m.benign == "script" }

// commands adds the surviving commands of m to r and b, and returns when the
// last of them was run, zero if there is none.
func (l *simLife) commands(m *simRemoval, r *truthRow, b *bounds) time.Time {
	last := time.Time{}
	for _, c := range m.cmds {
		if !l.owner.survives(c) {
			continue
		}
		r.trace(map[string]string{"process": traceCommand, "script": traceScript}[c.kind])
		if c.t.After(last) {
			last = c.t
		}
	}
	if !last.IsZero() {
		r.Kinds++
		b.until(last.Add(effect))
		if !m.all && m.benign != "script" { // who names the drive knows it to be there
			b.after(last)
		}
	}
	return last
}

// has reports whether r has one of the traces.
func (r *truthRow) has(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(r.Traces, n) })
}

func (r *truthRow) trace(name string) {
	if !r.has(name) {
		r.Traces = append(r.Traces, name)
	}
}
