package rules

import (
	"fmt"
	"iter"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G25: a mapping that was never remembered ended with its session.
//
// Logic: a mapping without a letter, or made with /persistent:no, or which
// Network shows was never stored; no removal of it; the user logged off later.
//
// Bound: the logoff.
//
// Misses: an end before the logoff that left no trace.
//
// Benign: it is itself the innocent explanation, so that G08 stays silent.
var _ = register(timeline.Rule{
	ID: "G25", Title: "mapping ended with its session",
	Claim: "the mapping was not remembered and ended at the latest with the session", Base: timeline.Likely, Severity: timeline.Info,
	Logic:     "a mapping that was not remembered (/persistent:no, no letter, or Network was not written when it was made), no removal, and a logoff of its user afterwards",
	Bound:     "between the last sight of it and the end of the session",
	Misses:    "an earlier end without a trace",
	Benign:    []string{"a logoff or a restart ends what is not remembered"},
	Reference: "Microsoft, Windows security auditing: events 4634, 4647; Microsoft, WNetCancelConnection2: CONNECT_UPDATE_PROFILE",
	Needs:     []string{"evtx:Security|evtx:System"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, l := range c.Lives {
				if l.Side != evidence.Client || len(l.Maps) == 0 || l.Persistent != timeline.No || len(l.Gone) > 0 || effective(c, l) != nil || l.Maps[0].TimeKind == evidence.AtOrBefore {
					continue
				}
				if end, why := sessionEnd(c, l); end != nil && !yield(ended(c, l, end, why)) {
					return
				}
			}
		}
	},
})

// sessionEnd returns the logoff that ended the session of l: that of its logon
// id, else the first of its user, else the shutdown of the host.
func sessionEnd(c *timeline.Case, l *timeline.Life) (end *evidence.Fact, why string) {
	after, until := l.MappedAtFirst(), l.Next
	if until.IsZero() {
		until = timeline.Forever // none began after it
	}
	for _, o := range c.Edges(after, until) {
		if !o.Time.After(after) {
			continue
		}
		if o.Action == evidence.Logoff && l.LogonID != "" && o.LogonID == l.LogonID {
			return o, "the session that made it logged off"
		}
		if end != nil {
			continue
		}
		switch {
		case o.Action == evidence.Logoff && interactive(o) && o.LogonID == "" && timeline.SameUser(o.User, o.SID, l.User, l.SID):
			end, why = o, "its user logged off"
		case o.Action == evidence.Shutdown && !timeline.LastAlive(o) || o.Action == evidence.Boot:
			end, why = o, "the computer was shut down or restarted"
		}
	}
	return end, why
}

func ended(c *timeline.Case, l *timeline.Life, end *evidence.Fact, why string) timeline.Claim {
	cl := claim(timeline.KindEnd, l)
	since, _ := l.Since(end.Time)
	cl.Window = timeline.Window{NotBefore: since, NotAfter: end.Time, Basis: timeline.BySession}
	cl.Confidence, cl.Severity, cl.Actor = timeline.Likely, timeline.Info, end
	cl.Facts = append(append(cl.Facts, l.Maps...), end)
	cl.Text = fmt.Sprintf("%s for %s was not remembered and ended with its session, at the latest at %s; nothing shows that it was removed before.", capital(mapping(l.Drive, l.Share)), who(l.User, l.SID), stamp(end.Time))
	cl.Steps = []timeline.Step{known(l), notRemembered(l), step(capital(why)+" at "+stamp(end.Time)+".", end)}
	cl.By = timeline.ByLogoff
	if end.Action != evidence.Logoff {
		cl.Window.Basis, cl.By = timeline.ByBoot, timeline.ByUnknown
	}
	cl.Benign = []timeline.Benign{verdict("a logoff or a restart ends what is not remembered", timeline.Supported, why, end)}
	for _, o := range c.Observations {
		if o.Artifact == "vpn" && o.From().EventID == 20226 && o.Time.After(since) && !o.Time.After(end.Time) {
			cl.Benign = append(cl.Benign, verdict("a VPN connection ended", timeline.Supported, "a VPN disconnected at "+stamp(o.Time), o))
			break
		}
	}
	return cl
}

func notRemembered(l *timeline.Life) timeline.Step {
	if s := l.State; s != nil && s.Key != nil {
		if s.Untouched == timeline.Yes {
			return step("Network was never written since the profile was made: no mapping was ever remembered in this hive.", s.Key)
		}
		if s.LastChange.Before(l.MappedAtFirst()) {
			return step(fmt.Sprintf("Network was last written at %s, before the mapping was made: it was not remembered.", stamp(s.LastChange)), s.Key)
		}
	}
	if l.Drive == "" {
		return step("A connection without a letter is never remembered.", l.Maps...)
	}
	return step("It was made with the request not to remember it.", l.Maps...)
}
