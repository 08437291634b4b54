package timeline

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// IsAddress reports whether s is an IP address, also as UNC paths write IPv6
// (fe80--1.ipv6-literal.net).
func IsAddress(s string) bool { return parseAddress(s).IsValid() }

func parseAddress(s string) netip.Addr {
	s = strings.ToLower(strings.Trim(s, `\`))
	if lit, ok := strings.CutSuffix(s, ".ipv6-literal.net"); ok {
		lit, _, _ = strings.Cut(lit, "s") // the zone
		s = strings.ReplaceAll(lit, "-", ":")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// IsOwnName reports whether server is the host itself: a loopback name or
// address, its own name or one of its own addresses.
func (c *Case) IsOwnName(server string) bool {
	server = hostPart(server)
	if server == "localhost" || server == "." {
		return true
	}
	if a := parseAddress(server); a.IsValid() {
		return a.IsLoopback() || slices.ContainsFunc(c.self().addresses, func(s stay) bool { return s.at == a })
	}
	_, own := c.self().names[server]
	return own
}

// A self is what the host is called and where it was in the network, and the
// sessions in which it met others.
type self struct {
	names     map[string]*evidence.Fact // lower case, with the fact that shows each; nil for the name that the evidence goes by
	addresses []stay
	visitors  []*Visit // sessions of others here
	visits    []*Visit // sessions of this host at others
	seen      map[*Life][]*Visit
	doubts    map[*Life][]Step
	servers   []string                    // other hosts whose share accesses were read
	logons    map[string][]*evidence.Fact // by logon id, oldest first
	boots     []time.Time
	moved     time.Duration // by how much the clock was moved at most
}

// self returns what is known of the host itself.
func (c *Case) self() *self {
	if c.own == nil {
		c.own = &self{seen: map[*Life][]*Visit{}, doubts: map[*Life][]Step{}, logons: map[string][]*evidence.Fact{}}
		for _, o := range c.Observations {
			switch {
			case o.Time.IsZero():
			case o.Action == evidence.Logon && o.LogonID != "":
				c.own.logons[o.LogonID] = append(c.own.logons[o.LogonID], o)
			case o.Action == evidence.Boot:
				c.own.boots = append(c.own.boots, o.Time)
			}
		}
		for _, j := range c.Jumps() {
			c.own.moved = max(c.own.moved, j.By())
		}
		c.own.names, c.own.addresses = c.ownNames(), c.ownAddresses()
	}
	return c.own
}

// hostPart folds a server as UNC paths write it: without @SSL, @port and
// backslashes, in lower case.
func hostPart(server string) string {
	server, _, _ = strings.Cut(strings.ToLower(strings.Trim(server, `\`)), "@")
	return strings.TrimSuffix(server, ".")
}

// Provider names what carries the connection if it is not SMB, else "".
func (l *Life) Provider() string {
	for _, list := range [][]*evidence.Fact{l.Maps, l.Uses} {
		for _, o := range list {
			if p := o.Detail.Text("provider"); p != "" {
				return p
			}
		}
	}
	return ""
}

// ownNames reads the names of the host from its SYSTEM hive and its logs.
func (c *Case) ownNames() map[string]*evidence.Fact {
	names := map[string]*evidence.Fact{}
	add := func(n string, why *evidence.Fact) {
		if n = strings.ToLower(n); n != "" && names[n] == nil {
			names[n] = why
		}
	}
	for _, o := range c.Observations {
		if o.Artifact != "computer" {
			continue
		}
		d := o.Detail
		add(d.Text("ComputerName"), o)
		for _, f := range [][2]string{{"Hostname", "Domain"}, {"NV Hostname", "NV Domain"}} {
			if host, domain := d.Text(f[0]), d.Text(f[1]); host != "" {
				add(host, o)
				if domain != "" {
					add(host+"."+domain, o)
				}
			}
		}
	}
	host, _, _ := strings.Cut(c.Host, "~") // of two hosts of one name
	add(host, nil)
	for _, f := range c.Facts {
		add(f.Computer, nil)
	}
	return names
}

// A stay is an address that a host had, and when.
type stay struct {
	at       netip.Addr
	from, to time.Time // ends included; to zero: not known
	why      *evidence.Fact
}

// ownAddresses returns the addresses that the host is known to have had.
func (c *Case) ownAddresses() (out []stay) {
	add := func(text string, from, to time.Time, why *evidence.Fact) {
		if a := parseAddress(text); a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			out = append(out, stay{a, from, to, why})
		}
	}
	for _, o := range c.Observations {
		switch o.Artifact {
		case "addresses":
			dhcp, said := o.Detail.Get("EnableDHCP").(int64)
			from, _ := o.Detail.Get("LeaseObtainedTime").(time.Time)
			to, _ := o.Detail.Get("LeaseTerminatesTime").(time.Time)
			if !from.IsZero() && !to.IsZero() && !(said && dhcp == 0) {
				add(o.Detail.Text("DhcpIPAddress"), from, to, o)
			}
			for _, a := range o.Detail.List("IPAddress") { // set by hand
				if !said || dhcp == 0 {
					add(a, o.Time, c.End, o)
				}
			}
		case "smb-client", "sysmon-network":
			if o.Time.IsZero() {
				continue
			}
			own := withoutPort(o.Detail.Text("LocalAddress"))
			if o.Artifact == "sysmon-network" {
				own = o.Detail.Text("SourceIp")
				if o.Side == evidence.Server {
					own = o.Detail.Text("DestinationIp")
				}
			}
			last, ok := o.Detail.Get("last").(time.Time)
			if !ok {
				last = o.Time
			}
			add(own, o.Time.Add(-addressLasts), last.Add(addressLasts), o)
		}
	}
	return out
}

// addressLasts is how long an address is taken to stay with a computer before
// and after a record that shows it in use.
const addressLasts = 10 * time.Minute
