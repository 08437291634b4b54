package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// toldSessions is how many sessions the reasoning of one removal tells of; the
// rest it counts.
const toldSessions = 5

// tellSides adds what the other side recorded of the connection that was
// removed.
func (c *Case) tellSides(f *Found, l *Life) {
	if l.Side == evidence.Server {
		c.tellClients(f, l)
		return
	}
	for _, s := range c.self().doubts[l] {
		f.add(f.Rule, s)
	}
	seen := c.SeenBy(l)
	for i, v := range seen {
		if i < len(seen)-toldSessions {
			continue // the last ones are nearest to the removal
		}
		o := v.Opened(shareName(l.Share))
		text := fmt.Sprintf("%s recorded that %s opened %s at %s from %s", v.Server.Host, orUnknown(v.User), o.Share, evidence.FormatTime(o.Time), v.Origin())
		switch {
		case v.Why != nil:
			text += ", an address that this computer held then"
		case v.Workstation != "":
			text += "; that it was this computer rests on the name that it gave"
		default:
			text += "; whose address that was is not known, but no other connection in the evidence fits"
		}
		f.say(text+"; "+v.Skew.String()+".", o, v.Begin, v.Why)
		tellEnd(f, l, v)
	}
	// SMB with the credentials of another account (T1021.002).
	if len(seen) > 0 && l.CredentialsAs != "" && !strings.EqualFold(accountName(l.CredentialsAs), l.User) {
		f.Attack = addNew(f.Attack, "T1021.002")
	}
	if n := len(seen) - toldSessions; n > 0 {
		f.say(fmt.Sprintf("%d earlier sessions at the server used it as well.", n))
	}
}

// tellEnd says when the server recorded the end of session v, where that is
// near the removal. It is a fact of its own: an idle time-out ends a session too.
func tellEnd(f *Found, l *Life, v *Visit) {
	w := f.Window
	if v.End == nil || w.NotBefore.IsZero() || w.NotAfter.IsZero() {
		return
	}
	from, to := v.Skew.Local(v.End.Time)
	if to.Before(w.NotBefore) || from.After(w.NotAfter.Add(storySpan)) {
		return
	}
	d, order, what := v.End.Time.Add(-v.Skew.Ahead).Sub(w.NotBefore).Round(time.Millisecond), "after", "the removal"
	if d < 0 {
		d, order = -d, "before"
	}
	if f.Kind() == KindEnd {
		what = "the end of the connection"
	}
	if !w.Exact() {
		what = "the earliest instant of " + what
	}
	f.say(fmt.Sprintf("%s recorded the end of that session at %s, by the client's clock %s %s %s, give or take %s: within the 5 minutes in which the two belong together.",
		v.Server.Host, evidence.FormatTime(v.End.Time), Lasting(d), order, what, Lasting(v.Skew.Error)), v.End)
	l.Facts.SessionEnded = Yes
	f.agree(l, v, d, order)
	for _, o := range v.Client.Between(from.Add(-lossNear), to.Add(lossNear)) {
		if isLoss(o) && v.Server.IsOwnName(serverNamed(o)) {
			f.say(fmt.Sprintf("The SMB client of %s recorded at %s that it lost the connection: the session may have ended for that.", v.Client.Host, evidence.FormatTime(o.Time)), o)
			break
		}
	}
}

// teardown is how long after a command the server's record of the session's end
// may come for the two to agree that it took effect.
const teardown = time.Minute

// agree raises the confidence in a removal that only a command shows, where the
// server recorded the end of the session right after it by measured clocks: two
// computers' records of two kinds.
func (f *Found) agree(l *Life, v *Visit, d time.Duration, order string) {
	by := f.Claims[0].Actor
	if f.Kind() != KindRemoval || f.Confidence != Likely || by == nil || by.Action != evidence.Command || by.TimeKind == evidence.AtOrBefore ||
		v.Skew.Sessions == 0 || v.Skew.Error > teardown || order == "before" && d > v.Skew.Error || order == "after" && d > teardown {
		return
	}
	f.Confidence = Strong
	if l.Status == StatusRemoved {
		l.Confidence = Strong
	}
	f.say("The command and the end of the session at the server agree: two kinds of evidence, recorded by two computers.", by, v.End)
}

// lossNear is how far the records of a lost connection and of its session's end
// may lie apart.
const lossNear = 2 * time.Minute

// isLoss reports whether o is the SMB client's record of a lost connection,
// session or share (30804, 30805, 30807).
func isLoss(o *evidence.Fact) bool {
	return o.Artifact == "smb-client" && (o.From().EventID == 30804 || o.From().EventID == 30805 || o.From().EventID == 30807)
}

// serverNamed returns the server that o names, by its share, its name or its
// address.
func serverNamed(o *evidence.Fact) string {
	name, _, _ := strings.Cut(strings.Trim(o.Detail.Text("ServerName"), `\`), `\`)
	return cmp.Or(evidence.ServerOf(o.Share), name, o.Peer)
}

// tellClients says which sessions had opened a share that was removed here.
func (c *Case) tellClients(f *Found, l *Life) {
	var told, all int
	until := f.Window.NotAfter
	for _, v := range c.Visitors() {
		o := v.Opened(shareName(l.Share))
		if o == nil || !until.IsZero() && o.Time.After(until) || len(l.Maps) > 0 && o.Time.Before(l.MappedAtFirst()) {
			continue
		}
		if all++; told == toldSessions {
			continue
		}
		told++
		text := fmt.Sprintf("%s had opened it at %s from %s", orUnknown(v.User), evidence.FormatTime(o.Time), v.Origin())
		if v.End != nil {
			text += ", until " + evidence.FormatTime(v.End.Time)
		} else {
			text += "; the end of that session is not recorded"
		}
		if x := v.connection(l); x != nil {
			text += fmt.Sprintf("; at the client that is the connection %s", x.ID)
		}
		f.say(text+".", o, v.Begin, v.End)
	}
	if n := all - told; n > 0 {
		f.say(fmt.Sprintf("%s had opened it.", Counted(n, "more session", "more sessions")))
	}
}

// connection returns the client's connection that v was paired with for the
// exported share l, or nil.
func (v *Visit) connection(l *Life) *Life {
	if v.Client == nil {
		return nil
	}
	for _, x := range v.Client.Lives {
		if x.Side == evidence.Client && shareName(x.Share) == shareName(l.Share) {
			if slices.Contains(v.Client.SeenBy(x), v) {
				x.setID() // its own host may not have been reasoned about yet
				return x
			}
		}
	}
	return nil
}
