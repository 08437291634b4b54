package timeline

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"sharetrail/artifacts/evidence"
)

var day = time.Date(2026, 3, 4, 8, 0, 0, 0, time.UTC)

// A record makes observations of one host.
type record struct {
	host string
	list []*evidence.Fact
}

func (r *record) add(t time.Time, o evidence.Observation) *evidence.Fact {
	o.Host, o.Time = r.host, t
	o.From = evidence.Provenance{Place: &evidence.Place{Host: r.host, Path: r.host}, Offset: int64(len(r.list)), EventID: o.From.EventID}
	o.SetID(len(r.list))
	f := evidence.NewFact(o)
	r.list = append(r.list, f)
	return f
}

// leases says that the host had an address that day.
func (r *record) leases(address string) {
	r.add(day.Add(-time.Hour), evidence.Observation{Artifact: "addresses", Action: evidence.Context, Detail: evidence.Detail{
		{Name: "DhcpIPAddress", Value: address}, {Name: "LeaseObtainedTime", Value: day.Add(-time.Hour)}, {Name: "LeaseTerminatesTime", Value: day.Add(23 * time.Hour)}}})
}

// maps says that a user mapped a share, and when to the instant.
func (r *record) maps(t time.Time, user, drive, share string) {
	r.add(t, evidence.Observation{Artifact: "sysmon-registry", Action: evidence.Mapped, Side: evidence.Client, User: user, SID: "S-1-5-21-1-2-3-" + user, Drive: drive, Share: share, TimeKind: evidence.EventCreated})
}

// opens says that a session of a user opened a share of this host.
func (r *record) opens(t time.Time, user, address, name, id string) {
	r.add(t, evidence.Observation{Artifact: "share-access", Action: evidence.Used, Side: evidence.Server, User: user, SID: "S-1-5-21-1-2-3-" + user, Peer: address, Share: `\\` + r.host + `\` + name, LogonID: id,
		From: evidence.Provenance{EventID: 5140}})
}

func (r *record) newCase() *Case { return NewCase(r.host, r.list, nil) }

// fleet is 200 clients whose users map shares of four servers, each server with
// a clock of its own, with what each client and each server should be paired.
func fleet(clients int) (cases []*Case, ahead []time.Duration) {
	var servers []*record
	for i := range 4 {
		servers = append(servers, &record{host: fmt.Sprintf("FS%d", i)})
		ahead = append(ahead, time.Duration(i*37-50)*time.Second)
	}
	var hosts []*record
	for i := range clients {
		r := &record{host: fmt.Sprintf("WS%03d", i)}
		r.leases(fmt.Sprintf("10.1.%d.%d", i/250, i%250+1))
		hosts = append(hosts, r)
	}
	for i, r := range hosts {
		for k, s := range servers {
			at := day.Add(time.Duration(k)*time.Hour + time.Duration(i)*5*time.Second)
			user := fmt.Sprint(1000 + i)
			r.maps(at, user, string(rune('F'+k))+":", `\\`+strings.ToLower(s.host)+`\data`)
			s.opens(at.Add(ahead[k]+200*time.Millisecond), user, fmt.Sprintf("10.1.%d.%d", i/250, i%250+1), "data", fmt.Sprintf("0x%x", 0x10000+i))
		}
	}
	for _, r := range append(hosts, servers...) {
		cases = append(cases, r.newCase())
	}
	return cases, ahead
}

// TestMeetFleet: of 200 clients each connection is paired with the one session
// that is its server's side, the clocks are measured, and neither the order of
// the hosts nor their number matters.
func TestMeetFleet(t *testing.T) {
	const clients = 200
	var before map[string]string
	for range 3 {
		cases, ahead := fleet(clients)
		rand.Shuffle(len(cases), func(i, j int) { cases[i], cases[j] = cases[j], cases[i] })
		start := time.Now()
		Meet(cases)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%d hosts took %v", len(cases), took)
		}
		got := map[string]string{}
		for _, c := range cases {
			for _, l := range c.Lives {
				if l.Side != evidence.Client {
					continue
				}
				seen := c.SeenBy(l)
				if len(seen) != 1 || seen[0].Client != c || !strings.EqualFold(seen[0].Server.Host, evidence.ServerOf(l.Share)) || !strings.EqualFold(seen[0].User, l.User) {
					t.Fatalf("%s %s is paired with %d sessions", c.Host, l.Share, len(seen))
				}
				v := seen[0]
				want := ahead[v.Server.Host[2]-'0']
				if off := (v.Skew.Ahead - want).Abs(); off > v.Skew.Error || v.Skew.Error > 10*time.Second || v.Skew.Sessions == 0 {
					t.Errorf("%s: the clock is %v ahead, measured %v ± %v", v.Server.Host, want, v.Skew.Ahead, v.Skew.Error)
				}
				got[c.Host+l.Drive] = v.Server.Host + v.Opens[0].ID + v.Skew.String()
			}
		}
		if len(got) != clients*len(ahead) {
			t.Errorf("%d pairs, want %d", len(got), clients*len(ahead))
		}
		if before != nil && !reflect.DeepEqual(got, before) {
			t.Error("the pairs depend on the order of the hosts")
		}
		before = got
	}
}

// TestMeetDoubt: what is not certain is not paired.
func TestMeetDoubt(t *testing.T) {
	for _, c := range []struct {
		name   string
		client func(r *record)
		server func(r *record)
		pairs  int
		doubt  bool
	}{
		{"the same account, share, address and time", nil, nil, 1, false},
		{"another account", nil, func(r *record) { r.list = nil; r.opens(day, "2002", "10.1.0.1", "data", "0x1") }, 0, false},
		{"another computer's address", nil, func(r *record) { r.list = nil; r.opens(day.Add(time.Hour), "1001", "10.1.0.9", "data", "0x1") }, 0, false},
		{"an address that Sysmon shows in use", func(r *record) {
			r.list = r.list[1:]
			r.add(day.Add(55*time.Minute), evidence.Observation{Artifact: "sysmon-network", Action: evidence.Context, Side: evidence.Client, Detail: evidence.Detail{{Name: "SourceIp", Value: "10.1.0.9"}}})
		}, func(r *record) { r.list = nil; r.opens(day.Add(time.Hour), "1001", "10.1.0.9", "data", "0x1") }, 1, false},
		{"a lease that is not in use, as addresses are set by hand", func(r *record) {
			r.list[0].Detail = append(r.list[0].Detail, evidence.Field{Name: "EnableDHCP", Value: int64(0)})
		}, func(r *record) { r.list = nil; r.opens(day.Add(time.Hour), "1001", "10.1.0.1", "data", "0x1") }, 0, false},
		{"another share", nil, func(r *record) { r.list = nil; r.opens(day, "1001", "10.1.0.1", "other", "0x1") }, 0, false},
		{"two letters for one share", func(r *record) { r.maps(day.Add(time.Minute), "1001", "Y:", `\\fs0\data`) }, nil, 0, true},
		{"an hour before it was mapped", nil, func(r *record) { r.list = nil; r.opens(day.Add(-time.Hour), "1001", "10.1.0.1", "data", "0x1") }, 0, false},
		{"no address is known, and it was mapped just then", func(r *record) { r.list = r.list[1:] }, nil, 1, false},
		{"no address is known, and it was mapped long before", func(r *record) { r.list = r.list[1:] }, func(r *record) { r.list = nil; r.opens(day.Add(time.Hour), "1001", "10.1.0.1", "data", "0x1") }, 0, false},
		{"a session of the server with itself", nil, func(r *record) { r.list = nil; r.leases("10.1.0.1"); r.opens(day, "1001", "10.1.0.1", "data", "0x1") }, 0, false},
		{"the account that was given", func(r *record) {
			r.add(day.Add(time.Second), evidence.Observation{Artifact: "explicit-credentials", Action: evidence.Context, Side: evidence.Client, User: "1001", SID: "S-1-5-21-1-2-3-1001", Peer: "fs0", Detail: evidence.Detail{{Name: "TargetUserName", Value: "svc"}}})
		}, func(r *record) { r.list = nil; r.opens(day.Add(time.Second), "svc", "10.1.0.1", "data", "0x1") }, 1, false},
		{"the user, where another account was given", func(r *record) {
			r.add(day.Add(time.Second), evidence.Observation{Artifact: "explicit-credentials", Action: evidence.Context, Side: evidence.Client, User: "1001", SID: "S-1-5-21-1-2-3-1001", Peer: "fs0", Detail: evidence.Detail{{Name: "TargetUserName", Value: "svc"}}})
		}, nil, 0, false},
		{"a session before the key was last written", func(r *record) {
			r.list = r.list[:1]
			r.add(day, evidence.Observation{Artifact: "mapped-drives", Action: evidence.Mapped, Side: evidence.Client, User: "1001", SID: "S-1-5-21-1-2-3-1001", Drive: "X:", Share: `\\fs0\data`, TimeKind: evidence.KeyLastWrite})
		}, func(r *record) { r.list = nil; r.opens(day.Add(-time.Hour), "1001", "10.1.0.1", "data", "0x1") }, 0, false},
		{"an hour before it was mapped, and the server's clock was moved by two hours", nil, func(r *record) {
			r.list = nil
			r.opens(day.Add(-time.Hour), "1001", "10.1.0.1", "data", "0x1")
			r.add(day.Add(-30*time.Minute), evidence.Observation{Artifact: "clock", Action: evidence.ClockChanged, Detail: evidence.Detail{{Name: "OldTime", Value: day.Add(-30 * time.Minute)}, {Name: "NewTime", Value: day.Add(90 * time.Minute)}}})
		}, 1, false},
		{"a session of a computer", nil, func(r *record) { r.list = nil; r.opens(day, "WS0$", "10.1.0.1", "data", "0x1") }, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws, fs := &record{host: "WS0"}, &record{host: "FS0"}
			ws.leases("10.1.0.1")
			ws.maps(day, "1001", "X:", `\\fs0\data`)
			fs.opens(day.Add(200*time.Millisecond), "1001", "10.1.0.1", "data", "0x1")
			if c.client != nil {
				c.client(ws)
			}
			if c.server != nil {
				c.server(fs)
			}
			cases := []*Case{ws.newCase(), fs.newCase()}
			Meet(cases)
			pairs := 0
			for _, l := range cases[0].Lives {
				pairs += len(cases[0].SeenBy(l))
			}
			if pairs != c.pairs || (len(cases[0].self().doubts) > 0) != c.doubt {
				t.Errorf("%d pairs, doubts %v", pairs, cases[0].self().doubts)
			}
		})
	}
}

// TestAliases: two spellings are one share where a fact shows it, and else not.
func TestAliases(t *testing.T) {
	smb := func(name, address string) evidence.Observation {
		return evidence.Observation{Artifact: "smb-client", Action: evidence.Context, Side: evidence.Client, Detail: evidence.Detail{{Name: "ServerName", Value: `\` + name}, {Name: "Address", Value: address}}}
	}
	self := evidence.Observation{Artifact: "computer", Action: evidence.Context, Detail: evidence.Detail{
		{Name: "ComputerName", Value: "WS0"}, {Name: "Hostname", Value: "WS0"}, {Name: "Domain", Value: "corp.example"}}}
	for _, c := range []struct {
		name, a, b string
		facts      []evidence.Observation
		one        bool
	}{
		{"a name and the address that the SMB client reached it at", `\\fs1\data`, `\\10.0.0.5\data`, []evidence.Observation{smb("FS1", "10.0.0.5:445")}, true},
		{"a name and an address that nothing ties", `\\fs1\data`, `\\10.0.0.5\data`, nil, false},
		{"a name that was reached at two addresses", `\\fs1\data`, `\\10.0.0.5\data`, []evidence.Observation{smb("FS1", "10.0.0.5:445"), smb("FS1", "10.0.0.6:445")}, false},
		{"an address that had two names", `\\fs1\data`, `\\10.0.0.5\data`, []evidence.Observation{smb("FS1", "10.0.0.5:445"), smb("FS2", "10.0.0.5:445")}, false},
		{"a short name and its full name in the computer's own domain", `\\fs1\data`, `\\fs1.corp.example\data`, []evidence.Observation{self}, true},
		{"a full name in another domain", `\\fs1\data`, `\\fs1.other.example\data`, []evidence.Observation{self}, false},
		{"another share of one server", `\\fs1\data`, `\\fs1.corp.example\other`, []evidence.Observation{self}, false},
		{"a name in a DFS namespace of the domain", `\\fs1\data`, `\\corp.example\data`, []evidence.Observation{self}, false},
		{"WebDAV of the same server", `\\fs1\data`, `\\fs1.corp.example@SSL\data`, []evidence.Observation{self}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &record{host: "WS0"}
			for _, f := range c.facts {
				r.add(day.Add(-time.Hour), f)
			}
			r.maps(day, "1001", "X:", c.a)
			r.maps(day.Add(time.Minute), "1001", "Y:", c.b)
			if strings.Contains(c.b, "@") {
				r.list[len(r.list)-1].Detail = evidence.Detail{{Name: "provider", Value: "WebDAV"}}
			}
			k := r.newCase()
			Meet([]*Case{k})
			for _, l := range k.Lives {
				row := l.row()
				if (len(row.Aliases) == 1) != c.one || len(row.Aliases) > 1 {
					t.Errorf("%s is also called %v", row.Share, row.Aliases)
				}
				if c.one && len(row.Observations) < 2 {
					t.Errorf("%s: no fact is cited: %v", row.Share, row.Observations)
				}
			}
		})
	}
	k := (&record{host: "WS0", list: []*evidence.Fact{evidence.NewFact(self)}}).newCase()
	for server, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true, "0--1.ipv6-literal.net": true, `\\WS0`: true, "ws0.corp.example": true, "ws0@SSL": true, "fs0": false, "10.0.0.1": false} {
		if k.IsOwnName(server) != want {
			t.Errorf("%s is the computer itself: %v", server, !want)
		}
	}
}
