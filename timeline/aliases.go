package timeline

import (
	"strings"

	"sharetrail/artifacts/evidence"
)

// describe fills in what is known of the share of l, a connection of c, at its
// server: the server's own name for it, and whether it still stands.
func (a *atlas) describe(c *Case, l *Life) {
	s := a.server[l]
	if s == nil {
		return
	}
	if own := `\\` + s.Host + `\` + shareAsFound(l.Share); evidence.ShareKey(own) != evidence.ShareKey(l.Share) {
		_, why := a.hostOf(evidence.ServerOf(l.Share), l.MappedAt())
		l.alias(own, why)
	}
	x := a.export[s][shareName(l.Share)]
	switch {
	case x == nil:
	case len(x.Gone) > 0:
		l.Facts.ShareGone = Yes
		l.named = append(l.named, x.Gone[len(x.Gone)-1])
	case x.Status == StatusExported:
		l.Facts.ShareGone = No
		l.named = append(l.named, x.Key)
	}
}

// alias notes another name for the share of l, and the fact that shows that
// both are one.
func (l *Life) alias(name string, why *evidence.Fact) {
	l.Aliases = addNew(l.Aliases, name)
	if why != nil {
		l.named = append(l.named, why)
	}
}

// aliases finds the connections of one user of a host whose servers are spelt
// differently and are one, as a fact shows. The rows stay apart.
func (c *Case) aliases() {
	known := c.namesOfServers()
	group := map[lane][]*Life{}
	for _, l := range c.Lives {
		if l.Side == evidence.Client && l.Share != "" && l.Provider() == "" {
			at := lane{account(l.User, l.SID), "", shareName(l.Share)}
			group[at] = append(group[at], l)
		}
	}
	for _, at := range sortedLanes(group) {
		byServer := map[string]*Life{} // one of each spelling
		for _, l := range group[at] {
			if s := hostPart(evidence.ServerOf(l.Share)); byServer[s] == nil {
				byServer[s] = l
			}
		}
		spelt := sortedKeys(byServer)
		for _, l := range group[at] {
			s := hostPart(evidence.ServerOf(l.Share))
			for _, other := range spelt {
				if why := c.sameServer(s, other, known); why != nil {
					l.alias(byServer[other].Share, why)
				}
			}
		}
	}
}

func sortedLanes(m map[lane][]*Life) []lane {
	byText := map[string]lane{}
	for at := range m {
		byText[at.user+"\x00"+at.share] = at
	}
	var out []lane
	for _, k := range sortedKeys(byText) {
		out = append(out, byText[k])
	}
	return out
}

// sameServer returns the fact that shows that two spellings are one server: a
// record of the SMB client that gives the address of a name, or the host's own
// domain, in which its short names are looked up. nil if nothing does.
func (c *Case) sameServer(a, b string, known map[string]map[string]*evidence.Fact) *evidence.Fact {
	if a == b {
		return nil
	}
	for _, p := range [][2]string{{a, b}, {b, a}} {
		if at := parseAddress(p[1]); at.IsValid() {
			return known[p[0]][at.String()]
		}
		if rest, ok := strings.CutPrefix(p[1], p[0]+"."); ok && !IsAddress(p[0]) {
			for _, name := range sortedKeys(c.self().names) {
				if _, domain, full := strings.Cut(name, "."); full && domain == rest && c.self().names[name] != nil {
					return c.self().names[name]
				}
			}
		}
	}
	return nil
}

// namesOfServers reads, by name and address, which server names the host's SMB
// client or Sysmon's name look-ups tie to which addresses. A name that had
// several addresses, or an address that had several names, is several servers as
// far as anybody can tell.
func (c *Case) namesOfServers() map[string]map[string]*evidence.Fact {
	out := map[string]map[string]*evidence.Fact{}
	namesAt := map[string]map[string]bool{}
	for _, o := range c.Observations {
		if o.Artifact != "smb-client" {
			continue
		}
		name, _, _ := strings.Cut(strings.Trim(o.Detail.Text("ServerName"), `\`), `\`)
		name = hostPart(name)
		for _, f := range []string{"Address", "RemoteAddress", "ServerAddress"} {
			at := parseAddress(withoutPort(o.Detail.Text(f)))
			if name == "" || IsAddress(name) || !at.IsValid() || at.IsLoopback() {
				continue
			}
			if out[name] == nil {
				out[name] = map[string]*evidence.Fact{}
			}
			if out[name][at.String()] == nil {
				out[name][at.String()] = o
			}
			if namesAt[at.String()] == nil {
				namesAt[at.String()] = map[string]bool{}
			}
			namesAt[at.String()][name] = true
		}
	}
	for name, addresses := range out {
		if len(addresses) > 1 {
			delete(out, name)
			continue
		}
		for at := range addresses {
			if len(namesAt[at]) > 1 {
				delete(out, name)
			}
		}
	}
	return out
}

// withoutPort returns the address in ADDRESS:PORT or [ADDRESS]:PORT.
func withoutPort(s string) string {
	if at, _, ok := strings.Cut(strings.TrimPrefix(s, "["), "]"); ok {
		return at
	}
	if i := strings.LastIndexByte(s, ':'); i > 0 && strings.Count(s, ":") == 1 {
		return s[:i]
	}
	return s
}

// shareAsFound returns the name of a share without its server, case as found.
func shareAsFound(share string) string { return share[strings.LastIndexByte(share, '\\')+1:] }
