package rules

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/timeline"
)

// G19: other credentials were given for a file server, and nothing tells of a
// share of it.
//
// Logic: 4648 for cifs/<server> or by the kernel, whose SMB client it is, or a
// failed authentication of the SMB client (31001), by a person's account; and no mapping, use or removal of a share of
// that server by that user.
//
// Bound: from the first try to the logoff of that session, else the last try.
//
// Misses: connections with the user's own credentials.
//
// Benign: a program or a saved password connected; the logon failed.
var _ = register(timeline.Rule{
	ID: "G19", Title: "credentials for a file server, and no share of it",
	Claim: "a connection to the server was tried with those credentials", Base: timeline.Certain, Severity: timeline.Info,
	Logic:     "4648 with the target cifs/<server> or by process 4, which is the SMB client, or 31001 of the SMB client, by a person's account; no mapping, use or removal of a share of that server by that user is known",
	Bound:     "from the first try to the end of its session, else to the last try",
	Misses:    "connections with the user's own credentials",
	Benign:    []string{"a program or a saved password connected without a mapping"},
	Reference: "as sharetrail artifacts smb-client, explicit-credentials",
	Needs:     []string{"evtx:Security|evtx:Microsoft-Windows-SmbClient/Security"},
	Find: func(c *timeline.Case) iter.Seq[timeline.Claim] {
		return func(yield func(timeline.Claim) bool) {
			for _, tries := range credentialTries(c) {
				if !yield(onlyCredentials(c, tries)) {
					return
				}
			}
		}
	},
})

// A try is one kind of attempt: who, at which server.
type try struct{ user, server string }

// credentialTries groups the attempts at servers of which no share is known.
func credentialTries(c *timeline.Case) (out [][]*evidence.Fact) {
	at := map[try]int{}
	for _, o := range c.Observations {
		if !isTry(o) || !strings.HasPrefix(o.SID, "S-1-5-21-") || strings.HasSuffix(o.User, "$") || o.Time.IsZero() {
			continue
		}
		server := serverLabel(serverTried(o))
		if server == "" || c.IsOwnName(serverTried(o)) || shareKnown(c, o, server) {
			continue
		}
		key := try{o.SID, server}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key], out = i, append(out, nil)
		}
		out[i] = append(out[i], o)
	}
	return out
}

func isTry(o *evidence.Fact) bool {
	switch o.Artifact {
	case "explicit-credentials":
		return strings.HasPrefix(strings.ToLower(o.Detail.Text("TargetInfo")), "cifs/") || o.Detail.Text("ProcessId") == "4"
	case "smb-client":
		return o.From().EventID == 31001
	}
	return false
}

// serverTried returns the server that an attempt names.
func serverTried(o *evidence.Fact) string {
	if info := o.Detail.Text("TargetInfo"); len(info) > len("cifs/") && strings.EqualFold(info[:len("cifs/")], "cifs/") {
		return info[len("cifs/"):]
	}
	if s := strings.Trim(o.Detail.Text("ServerName"), `\`); s != "" {
		s, _, _ = strings.Cut(s, `\`)
		return s
	}
	return o.Peer
}

func accountTried(o *evidence.Fact) string {
	if name := o.Detail.Text("TargetUserName"); name != "" {
		if domain := o.Detail.Text("TargetDomainName"); domain != "" {
			return domain + `\` + name
		}
		return name
	}
	return o.Detail.Text("UserName")
}

// serverLabel folds a server's name to what its short and its full name share;
// an address stays whole.
func serverLabel(server string) string {
	server = strings.ToLower(strings.Trim(server, `\`))
	if timeline.IsAddress(server) {
		return server
	}
	label, _, _ := strings.Cut(server, ".")
	return label
}

// shareKnown reports whether any share of the server is known of the user that
// o is about.
func shareKnown(c *timeline.Case, o *evidence.Fact, server string) bool {
	for _, l := range c.Lives {
		if l.Side == evidence.Client && l.Share != "" && serverLabel(evidence.ServerOf(l.Share)) == server && timeline.SameUser(l.User, l.SID, o.User, o.SID) {
			return true
		}
	}
	return false
}

func onlyCredentials(c *timeline.Case, tries []*evidence.Fact) timeline.Claim {
	first, last := tries[0], tries[len(tries)-1]
	cl := timeline.Claim{
		Kind: timeline.KindTrace, User: first.User, SID: first.SID,
		Window:     timeline.Window{NotBefore: first.Time, NotAfter: last.Time, Basis: timeline.Recorded},
		Confidence: timeline.Certain, Severity: timeline.Info, Facts: tries,
	}
	if end := logoffOf(c, last); end != nil {
		cl.Window.NotAfter, cl.Window.Basis = end.Time, timeline.BySession
		cl.Steps = append(cl.Steps, step("The session that tried it ended at "+stamp(end.Time)+": no connection of it lasted longer.", end))
	}
	when := "at " + stamp(first.Time)
	if len(tries) > 1 {
		when = fmt.Sprintf("%d times from %s to %s", len(tries), stamp(first.Time), stamp(last.Time))
	}
	var accounts []string
	for _, o := range tries {
		if a := who(accountTried(o), ""); !slices.Contains(accounts, a) {
			accounts = append(accounts, a)
		}
	}
	as := strings.Join(accounts[:min(len(accounts), 4)], ", ")
	if n := len(accounts) - 4; n > 0 {
		as += " and " + timeline.Counted(n, "other account", "other accounts")
	}
	cl.Steps = append([]timeline.Step{step(fmt.Sprintf("A logon to %s as %s was tried %s.", serverTried(first), as, when), tries...),
		step("No mapping, use or removal of a share of that server by this user is in the evidence.")}, cl.Steps...)
	cl.Text = fmt.Sprintf("%s tried a connection to %s as %s %s; no mapping, use or removal of a share there is known.", who(first.User, first.SID), serverTried(first), as, when)
	cl.Benign = []timeline.Benign{verdict("a program or a saved password connected without a mapping", timeline.VerdictUnknown, "the record says neither what was wanted nor whether it was reached", first)}
	return cl
}

// logoffOf returns the logoff of the session that o belongs to, or nil.
func logoffOf(c *timeline.Case, o *evidence.Fact) *evidence.Fact {
	if o.LogonID == "" {
		return nil
	}
	for _, e := range c.Observations {
		if e.Time.Before(o.Time) {
			continue
		}
		if e.Action == evidence.Boot {
			return nil // ids of logons begin anew
		}
		if e.Action == evidence.Logoff && e.LogonID == o.LogonID {
			return e
		}
	}
	return nil
}

// within reports whether t lies in w, ends included; an open end holds all.
func within(t time.Time, w timeline.Window) bool {
	return (w.NotBefore.IsZero() || !t.Before(w.NotBefore)) && (w.NotAfter.IsZero() || !t.After(w.NotAfter))
}
