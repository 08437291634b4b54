package rules

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G10: a server recorded that somebody came from this computer, and this
// computer shows nothing of it.
//
// Logic: 5140 or 5145 of another host in the evidence, from an address that
// this host had then, or under its name; and no mapping, use, command,
// credentials or SMB client record of this host names that server.
//
// Bound: from the first access to the end of the last session, by the server's
// clock.
//
// Misses: servers that were not collected or did not audit; sessions whose
// address nothing ties to this computer.
//
// Benign: programs and services open shares by their names and leave nothing;
// redirected folders.
var _ = register(timeline.Rule{
	ID: "G10", Title: "server saw this computer, which has no trace of it",
	Claim: "the account used the server's share from this computer, which holds no trace of it", Base: timeline.Likely, Severity: timeline.Low,
	Logic:     "another host recorded 5140 or 5145 from an address that this host held then, or under its name; no mapping, use, command, explicit credentials or SMB client record of this host names that server",
	Bound:     "from the first access to the end of the last session, by the server's clock; how far the clocks may differ is told",
	Misses:    "servers that were not collected or do not audit; sessions whose address nothing ties to this computer",
	Benign:    []string{"a program or a service opened the share by its name", "redirected folders of the user lie there"},
	Reference: "as sharetrail artifacts share-access, logons, addresses",
	Needs:     []string{timeline.OtherHostsShareAccess},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, visits := range traceless(c) {
				if !yield(onlyTheServer(c, visits)) {
					return
				}
			}
		}
	},
})

// traceless groups, by server and account, the sessions at servers that this
// host has no trace of.
func traceless(c *timeline.Case) (out [][]*timeline.Visit) {
	type key struct{ server, user string }
	at := map[key]int{}
	known := map[*timeline.Case]bool{}
	for _, v := range c.Visits() {
		if len(filesOpened(v)) == 0 {
			continue
		}
		trace, asked := known[v.Server]
		if !asked {
			trace = traceOf(c, v.Server)
			known[v.Server] = trace
		}
		if trace {
			continue
		}
		k := key{v.Server.Host, strings.ToLower(cmp.Or(v.SID, v.User))}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k], out = i, append(out, nil)
		}
		out[i] = append(out[i], v)
	}
	return out
}

// filesOpened returns the records of shares that Windows does not open by itself.
func filesOpened(v *timeline.Visit) (out []*evidence.Fact) {
	for _, o := range v.Opens {
		if !timeline.IsSystemShare(nameOf(o.Share)) {
			out = append(out, o)
		}
	}
	return out
}

// traceOf reports whether anything at the client c names the server, whoever's it
// is: that an account was given need not be recorded.
func traceOf(c, server *timeline.Case) bool {
	for _, l := range c.Lives {
		if l.Side == evidence.Client && l.Share != "" && server.IsOwnName(evidence.ServerOf(l.Share)) {
			return true
		}
	}
	return slices.ContainsFunc(c.Observations, func(o *evidence.Fact) bool {
		if o.Side != evidence.Client {
			return false
		}
		name := o.Peer
		if info, ok := strings.CutPrefix(strings.ToLower(o.Detail.Text("TargetInfo")), "cifs/"); ok {
			name = info
		} else if o.Share != "" {
			name = evidence.ServerOf(o.Share)
		}
		return name != "" && server.IsOwnName(name)
	})
}

func onlyTheServer(c *timeline.Case, visits []*timeline.Visit) timeline.Claim {
	v, last := visits[0], visits[len(visits)-1]
	s := v.Server
	var opened, all []*evidence.Fact
	var shares []string
	for _, x := range visits {
		opened = append(opened, filesOpened(x)...)
		all = append(all, x.Facts()...)
	}
	for _, o := range opened {
		if !slices.Contains(shares, o.Share) {
			shares = append(shares, o.Share)
		}
	}
	w := timeline.Window{NotBefore: opened[0].Time, NotAfter: opened[len(opened)-1].Time, Basis: timeline.Recorded}
	if last.End != nil && last.End.Time.After(w.NotAfter) {
		w.NotAfter, w.Basis = last.End.Time, timeline.BySession
	}
	cl := timeline.Claim{
		Kind: timeline.KindTrace, User: v.User, SID: v.SID, Window: w, Facts: all,
		Confidence: timeline.Likely, Severity: timeline.Low,
		Share: shares[0],
	}
	cl.Text = fmt.Sprintf("%s used %s from %s, %s by the clock of %s; %s holds no trace of it.", who(v.User, v.SID), strings.Join(shares[:min(len(shares), 5)], ", "), c.Host, span(w), s.Host, c.Host)
	cl.Steps = []timeline.Step{step(fmt.Sprintf("%s recorded %s of %s with accesses to its shares, from %s.", s.Host, timeline.Counted(len(visits), "session", "sessions"), who(v.User, v.SID), v.Origin()), all...)}
	if v.Why != nil {
		cl.Steps = append(cl.Steps, step(fmt.Sprintf("%s held that address then.", c.Host), v.Why))
	} else {
		cl.Confidence = timeline.Possible
		cl.Steps = append(cl.Steps, step("That it was this computer rests on the name that the client gave: a client may give any name."))
	}
	cl.Steps = append(cl.Steps, step("No mapping, use, command, explicit credentials or SMB client record here names that server. Between the clocks: "+v.Skew.String()+"."))
	here := timeline.Window{NotBefore: w.NotBefore.Add(-5 * time.Minute), NotAfter: w.NotAfter.Add(5 * time.Minute)}
	if class, why := c.Commands(here); class != timeline.Continuous {
		cl.Confidence = timeline.Possible
		cl.Missing = append(cl.Missing, timeline.Missing{What: "process creation with command lines on " + c.Host + " of that time", Why: why})
	}
	if st := c.StateOf(v.User, v.SID); st == nil {
		cl.Confidence = timeline.Possible
		cl.Missing = append(cl.Missing, timeline.Missing{What: "the hive NTUSER.DAT of " + who(v.User, v.SID) + " on " + c.Host, Why: "no hive of that account was read"})
	} else if st.AsOf.Before(w.NotBefore) {
		cl.Confidence = timeline.Possible
		cl.Missing = append(cl.Missing, timeline.Missing{What: "a state of the hive of " + who(v.User, v.SID) + " from after the access", Why: "it shows nothing later than " + stamp(st.AsOf)})
	}
	cl.Benign = []timeline.Benign{
		verdict("a program or a service opened the share by its name", timeline.VerdictUnknown, "such a use leaves nothing at the client"),
		redirected(c, v)}
	return cl
}

// redirected tests whether folders of the user lie on the server.
func redirected(c *timeline.Case, v *timeline.Visit) timeline.Benign {
	const explanation = "redirected folders of the user lie there"
	for _, o := range c.Observations {
		if o.Artifact == "user-shell-folders" && o.Share != "" && v.Server.IsOwnName(evidence.ServerOf(o.Share)) && timeline.SameUser(o.User, o.SID, v.User, v.SID) {
			return verdict(explanation, timeline.Supported, "a folder of the user is set to "+o.Share, o)
		}
	}
	if c.StateOf(v.User, v.SID) == nil {
		return verdict(explanation, timeline.VerdictUnknown, "no hive of that account was read")
	}
	return verdict(explanation, timeline.Contradicted, "the user's hive names no folder on that server")
}
