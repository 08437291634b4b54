package cli

import (
	"fmt"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
	"sharetrail/timeline/rules"

	"github.com/spf13/cobra"
)

// facets are what the filters look at in one row. A nil list means that rows
// of this kind have no such field: the filter does not apply to them.
type facets struct {
	host, user, share, drive, action, rule, severity []string
	timed                                            bool // rows of this kind have times
	from, to                                         time.Time
	dated                                            bool // at least one end is known
}

// A filter chooses the rows to show. It never acts on what is reasoned from
// nor on files.
type filter struct {
	host, user, share, drive, action, rule, severity globs
	from, to                                         instant
	undated                                          int // rows left out because they have no time
}

// severities are the words of gaps and those of problems.
var (
	gapSeverities     = []string{string(timeline.High), string(timeline.Medium), string(timeline.Low), string(timeline.Info)}
	problemSeverities = []string{string(evidence.Error), string(evidence.Warning)}
	actions           = []string{
		string(evidence.Mapped), string(evidence.Present), string(evidence.Used), string(evidence.Command),
		string(evidence.Removed), string(evidence.ShareCreated), string(evidence.ShareDeleted), string(evidence.Context),
		string(evidence.Logon), string(evidence.Logoff), string(evidence.LogCleared), string(evidence.ClockChanged),
		string(evidence.Boot), string(evidence.Shutdown),
	}
)

// flags registers those of the filters that names lists.
func (f *filter) flags(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		switch name {
		case "host":
			cmd.Flags().Var(&f.host, name, "show only rows of these hosts (repeatable)")
		case "user":
			cmd.Flags().Var(&f.user, name, "show only rows of these users, by name or SID (repeatable)")
		case "share":
			cmd.Flags().Var(&f.share, name, `show only rows of these shares, such as '\\fs01\*' (repeatable)`)
		case "drive":
			cmd.Flags().Var((*driveGlobs)(&f.drive), name, "show only rows of these drives, such as Z: (repeatable)")
		case "action":
			f.action.words = actions
			cmd.Flags().Var(&f.action, name, "show only rows of these actions (repeatable)")
		case "rule":
			for _, r := range rules.All() {
				f.rule.words = append(f.rule.words, r.ID)
			}
			cmd.Flags().Var(&f.rule, name, "show only findings that these rules saw (repeatable)")
		case "severity":
			cmd.Flags().Var(&f.severity, name, "show only rows of these severities: "+strings.Join(f.severity.words, ", ")+" (repeatable)")
		case "time":
			cmd.Flags().Var(&f.from, "from", "show only what may lie at or after this time: RFC 3339, or a date (00:00 UTC)")
			cmd.Flags().Var(&f.to, "to", "show only what may lie before this time")
		}
	}
}

// check finds what is wrong with the flags together.
func (f *filter) check() error {
	if !f.from.IsZero() && !f.to.IsZero() && !f.from.Before(f.to.Time) {
		return usagef("--from %s is not before --to %s", f.from.text, f.to.text)
	}
	return nil
}

// show reports whether a row is wanted. Ends that are not known reach
// anywhere; what has no time at all is shown only without --from and --to.
func (f *filter) show(r facets) bool {
	for _, t := range []struct {
		want *globs
		have []string
	}{{&f.host, r.host}, {&f.user, r.user}, {&f.share, r.share}, {&f.drive, r.drive}, {&f.action, r.action}, {&f.rule, r.rule}, {&f.severity, r.severity}} {
		if t.have != nil && !t.want.match(t.have...) {
			return false
		}
	}
	if !r.timed || f.from.IsZero() && f.to.IsZero() {
		return true
	}
	if !r.dated {
		f.undated++
		return false
	}
	return (f.from.IsZero() || r.to.IsZero() || !r.to.Before(f.from.Time)) &&
		(f.to.IsZero() || r.from.IsZero() || r.from.Before(f.to.Time))
}

// chosen returns the wanted ones of rows.
func chosen[R any](f *filter, rows []R, of func(*R) facets) []R {
	var out []R
	for i := range rows {
		if f.show(of(&rows[i])) {
			out = append(out, rows[i])
		}
	}
	return out
}

func observationFacets(o *evidence.Observation) facets {
	r := facets{
		host: []string{o.Host}, user: []string{o.User, o.SID}, share: []string{o.Share}, drive: []string{o.Drive},
		action: []string{string(o.Action)}, timed: true, from: o.Time, to: o.Time, dated: !o.Time.IsZero(),
	}
	if o.TimeKind == evidence.AtOrBefore {
		r.from = time.Time{}
	}
	return r
}

func connectionFacets(c *timeline.Connection) facets {
	return facets{
		host: []string{c.Host}, user: []string{c.User, c.SID}, share: append([]string{c.Share}, c.Aliases...), drive: []string{c.Drive},
		timed: true, from: c.Mapped.NotBefore, to: c.Removed.NotAfter,
		dated: c.Mapped.Known() || c.Removed.Known() || !c.FirstUsed.IsZero() || !c.LastUsed.IsZero(),
	}
}

func gapFacets(g *timeline.Gap) facets {
	return facets{
		host: []string{g.Host}, user: []string{g.User, g.SID}, share: []string{g.Share}, drive: []string{g.Drive},
		rule: append([]string{g.Rule}, g.Rules...), severity: []string{string(g.Severity)},
		timed: true, from: g.Window.NotBefore, to: g.Window.NotAfter, dated: g.Window.Known(),
	}
}

func coverageFacets(c *timeline.CoverageRow) facets {
	return facets{host: []string{c.Host}, timed: true, from: c.From, to: c.To, dated: !c.From.IsZero() || !c.To.IsZero()}
}

// problemFacets has no time: a problem casts doubt on all of a file.
func problemFacets(p *evidence.Problem) facets {
	host := ""
	if p.From.Place != nil {
		host = p.From.Host
	}
	return facets{host: []string{host}, severity: []string{string(p.Severity)}}
}

// driveGlobs lets --drive Z mean Z:.
type driveGlobs globs

// Set implements pflag.Value.
func (g *driveGlobs) Set(pattern string) error {
	if d := evidence.Drive(pattern); d != "" {
		pattern = d
	}
	return (*globs)(g).Set(pattern)
}

// String implements pflag.Value.
func (g *driveGlobs) String() string { return (*globs)(g).String() }

// Type implements pflag.Value.
func (g *driveGlobs) Type() string { return (*globs)(g).Type() }

// An instant is a flag that holds a time; the zero instant is open.
type instant struct {
	time.Time
	text string
}

// Set implements pflag.Value.
func (t *instant) Set(s string) error {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if v, err := time.Parse(layout, s); err == nil {
			t.Time, t.text = v, s
			return nil
		}
	}
	return fmt.Errorf("%q is neither a time such as 2026-03-01T10:00:00Z nor a date such as 2026-03-01", s)
}

// String implements pflag.Value.
func (t *instant) String() string { return t.text }

// Type implements pflag.Value.
func (t *instant) Type() string { return "TIME" }
