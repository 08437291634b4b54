package timeline

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// Meet pairs what servers recorded of sessions with what their clients recorded
// of connections. A pair needs the same account, the server's own name or
// address, a computer that had the address at that time or gave its name, and
// times that agree within the error of the clocks. What fits more than one
// connection is paired with none, and says so.
func Meet(cases []*Case) {
	a := newAtlas(cases)
	for _, c := range cases {
		c.self().visitors = readVisitors(c)
		for _, v := range c.self().visitors {
			a.locate(v)
			if v.Client != nil {
				v.Client.self().visits = append(v.Client.self().visits, v)
			}
		}
	}
	for _, c := range cases {
		slices.SortStableFunc(c.self().visits, func(x, y *Visit) int { return x.From().Compare(y.From()) })
		c.self().servers = a.serversFor(c)
	}
	a.indexLives()
	a.measure()
	for _, c := range cases {
		for _, v := range c.Visitors() {
			a.pair(v)
		}
	}
	for _, c := range cases {
		c.aliases()
		for _, l := range c.Lives {
			a.describe(c, l)
			for _, v := range c.SeenBy(l) {
				l.named = append(l.named, v.Opened(shareName(l.Share)), v.End)
			}
		}
	}
}

// A stayOf is an address and the host that had it.
type stayOf struct {
	stay
	of *Case
}

// pairOf is a client and a server.
type pairOf struct{ client, server *Case }

// A lifeAt is a client's connection to a share of a known server.
type lifeAt struct {
	c *Case
	l *Life
}

// An atlas knows which names and addresses stand for which hosts, and which
// connections lead to which server.
type atlas struct {
	cases  []*Case
	hosts  map[string]*Case // by name, lower case; nil if several go by it
	stays  map[netip.Addr][]stayOf
	ofHost map[shareOf][]lifeAt       // client lives
	ofUser map[shareBy][]lifeAt       // the same, whatever host they are of
	server map[*Life]*Case            // of client lives; hosts of the evidence only
	export map[*Case]map[string]*Life // the newest life of each exported share, by lower-case name
	opens  map[openOf][]time.Time     // when sessions of a client opened a share
	given  map[*Life]string           // the account that was given for it, as 4648 has it
	skews  map[pairOf]*Skew
}

// A shareOf is a share as one client knows it, a shareBy as one account does.
type (
	shareOf struct {
		client, server *Case
		share          string
	}
	shareBy struct {
		server         *Case
		share, account string
	}
	openOf struct {
		shareOf
		account string
		event   uint32
	}
)

func newAtlas(cases []*Case) *atlas {
	a := &atlas{
		cases, map[string]*Case{}, map[netip.Addr][]stayOf{}, map[shareOf][]lifeAt{}, map[shareBy][]lifeAt{}, map[*Life]*Case{},
		map[*Case]map[string]*Life{}, map[openOf][]time.Time{}, map[*Life]string{}, map[pairOf]*Skew{},
	}
	for _, c := range cases {
		for n := range c.self().names {
			a.name(n, c)
			if label, _, full := strings.Cut(n, "."); full && !IsAddress(n) {
				a.name(label, c)
			}
		}
		for _, s := range c.self().addresses {
			a.stays[s.at] = append(a.stays[s.at], stayOf{s, c})
		}
	}
	return a
}

func (a *atlas) name(n string, c *Case) {
	if old, ok := a.hosts[n]; ok && old != c {
		c = nil // several go by that name
	}
	a.hosts[n] = c
}

// hostOf returns the host of the evidence that a server's name, or its address
// at the time t, stands for, with what shows it; nil if none or several do. A
// zero t asks for all times.
func (a *atlas) hostOf(server string, t time.Time) (*Case, *evidence.Fact) {
	server = hostPart(server)
	if at := parseAddress(server); at.IsValid() {
		return a.at(at, t)
	}
	if c, ok := a.hosts[server]; ok {
		if c == nil {
			return nil, nil
		}
		return c, c.self().names[server]
	}
	// A full name whose first label is a host's, which has no full name itself.
	label, _, full := strings.Cut(server, ".")
	if c := a.hosts[label]; full && c != nil && !slices.ContainsFunc(sortedKeys(c.self().names), func(n string) bool { return strings.Contains(n, ".") }) {
		return c, nil
	}
	return nil, nil
}

// at returns the host that had an address at the time t.
func (a *atlas) at(ip netip.Addr, t time.Time) (c *Case, why *evidence.Fact) {
	for _, s := range a.stays[ip] {
		if !t.IsZero() && (t.Before(s.from) || !s.to.IsZero() && t.After(s.to)) {
			continue
		}
		if c != nil && c != s.of {
			return nil, nil
		}
		c, why = s.of, cmp.Or(why, s.why)
	}
	return c, why
}

// locate finds the client of a session: the host that had its address then,
// else the one by whose name the client called itself, unless the two differ.
func (a *atlas) locate(v *Visit) {
	var byAddress, byName *Case
	if at := parseAddress(v.Address); at.IsValid() {
		byAddress, v.Why = a.at(at, v.From())
	}
	if v.Workstation != "" {
		byName, _ = a.hostOf(v.Workstation, v.From())
	}
	v.Client = cmp.Or(byAddress, byName)
	if byAddress != nil && byName != nil && byAddress != byName || v.Client == v.Server {
		v.Client, v.Why = nil, nil
	}
}

// serversFor names the other hosts whose records of share accesses were read.
func (a *atlas) serversFor(c *Case) (out []string) {
	for _, s := range a.cases {
		if s != c && s.sawShareAccess() {
			out = append(out, s.Host)
			if len(out) == 8 {
				break // enough to say that there are some
			}
		}
	}
	return out
}

func (c *Case) sawShareAccess() bool {
	return slices.ContainsFunc(c.Facts, func(f evidence.Coverage) bool {
		return slices.ContainsFunc(f.Witnesses, func(w evidence.Witness) bool { return w.What == evidence.ShareAccess })
	})
}

// indexLives finds the server of each connection of each client, and what each
// server exports.
func (a *atlas) indexLives() {
	for _, c := range a.cases {
		a.export[c] = map[string]*Life{}
		for _, l := range c.Lives {
			if l.Side == evidence.Server {
				if l.Next.IsZero() {
					a.export[c][shareName(l.Share)] = l
				}
				continue
			}
			if l.Share == "" || l.Provider() != "" {
				continue
			}
			s, _ := a.hostOf(evidence.ServerOf(l.Share), l.MappedAt())
			if s == nil || s == c {
				continue
			}
			a.server[l] = s
			if l.CredentialsAs == "" {
				a.given[l] = a.accountGiven(c, l, s)
			}
			name := shareName(l.Share)
			host, user := shareOf{c, s, name}, shareBy{s, name, strings.ToLower(cmp.Or(accountName(l.CredentialsAs), a.given[l], l.User))}
			a.ofHost[host] = append(a.ofHost[host], lifeAt{c, l})
			a.ofUser[user] = append(a.ofUser[user], lifeAt{c, l})
		}
		for _, v := range c.Visits() {
			for _, o := range v.Opens {
				at := opened(v, o)
				a.opens[at] = append(a.opens[at], o.Time)
			}
		}
	}
}

// opened is what o, in which session v opens a share, is told apart by.
func opened(v *Visit, o *evidence.Fact) openOf {
	return openOf{shareOf{v.Client, v.Server, shareName(o.Share)}, strings.ToLower(v.User), o.From().EventID}
}

// accountGiven returns the account that the user of l gave for its server when
// it was made, as Security 4648 names it; "" if none or several.
func (a *atlas) accountGiven(c *Case, l *Life, server *Case) (name string) {
	m := l.Mapped
	if m.NotBefore.IsZero() || m.NotAfter.IsZero() {
		return ""
	}
	for _, o := range c.Between(m.NotBefore.Add(-EffectAfter), m.NotAfter.Add(EffectAfter)) {
		if o.Artifact != "explicit-credentials" || !SameUser(o.User, o.SID, l.User, l.SID) {
			continue
		}
		if s, _ := a.hostOf(o.Peer, o.Time); s != server {
			continue
		}
		as := accountName(o.Detail.Text("TargetUserName"))
		if name != "" && !strings.EqualFold(name, as) {
			return ""
		}
		name = as
	}
	return name
}

// sameAccount reports whether v was made with the account that connection x
// used: the one that it names, else its user's.
func (a *atlas) sameAccount(x lifeAt, v *Visit) bool {
	if as := cmp.Or(accountName(x.l.CredentialsAs), a.given[x.l]); as != "" {
		return strings.EqualFold(as, v.User)
	}
	return SameUser(x.l.User, x.l.SID, v.User, v.SID) || strings.EqualFold(x.l.User, v.User) && v.User != ""
}

// accountName returns the name in DOMAIN\name or name@domain.
func accountName(s string) string {
	s = s[strings.LastIndex(s, `\`)+1:]
	name, _, _ := strings.Cut(s, "@")
	return name
}

// pair ties v to the connections of its client whose shares it opened.
func (a *atlas) pair(v *Visit) {
	if v.Client != nil {
		v.Skew = a.skew(v.Client, v.Server)
	}
	told := map[string]bool{}
	for _, o := range v.Opens {
		name := shareName(o.Share)
		if told[name] {
			continue
		}
		told[name] = true
		fits := a.fitting(v, o, name)
		if len(fits) > 1 {
			text := fmt.Sprintf("%s recorded that %s opened %s at %s from %s; this fits %d connections, so that it is tied to none.", v.Server.Host, v.User, o.Share, evidence.FormatTime(o.Time), v.Origin(), len(fits))
			for _, x := range fits {
				x.c.self().doubts[x.l] = append(x.c.self().doubts[x.l], Step{Statement: text, Observations: Ids(o)})
			}
			continue
		}
		if len(fits) == 1 {
			x := fits[0]
			if v.Client == nil {
				v.Client, v.Skew = x.c, a.skew(x.c, v.Server)
			}
			x.c.self().seen[x.l] = append(x.c.self().seen[x.l], v)
		}
	}
}

// fitting returns the connections that v may be the server's side of: the same
// account, and a time in which the connection stood. Where it is not known whose
// address it was, only those count that were made just then.
func (a *atlas) fitting(v *Visit, o *evidence.Fact, name string) (out []lifeAt) {
	list := a.ofHost[shareOf{v.Client, v.Server, name}]
	if v.Client == nil {
		list = a.ofUser[shareBy{v.Server, name, strings.ToLower(v.User)}]
	}
	for _, x := range list {
		if !a.sameAccount(x, v) {
			continue
		}
		from, to := a.skew(x.c, v.Server).Local(o.Time)
		made := x.l.Mapped
		if v.Client == nil {
			if !made.NotBefore.IsZero() && !made.NotAfter.IsZero() && !to.Before(made.NotBefore) && !from.After(made.NotAfter) {
				out = append(out, x)
			}
			continue
		}
		begin := cmp.Or(made.NotBefore, made.NotAfter, x.l.FirstUsed) // from when on it is known to have stood
		if end := x.l.endsBy(); !to.Before(begin) && (end.IsZero() || !from.After(end)) {
			out = append(out, x)
		}
	}
	return out
}

// endsBy returns the latest instant at which the connection may have stood, as
// far as records of its removal and what followed it say; zero if they do not.
func (l *Life) endsBy() time.Time {
	end := l.Next
	for _, list := range [][]*evidence.Fact{l.Gone, l.Removes} {
		if n := len(list); n > 0 && (end.IsZero() || list[n-1].Time.Before(end)) {
			end = list[n-1].Time.Add(EffectAfter)
		}
	}
	return end
}
