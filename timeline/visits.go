package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// A Visit is one session of an account at a file server, as the server's
// records tell it (4624, 5140, 5145, 4634). Its times are by the server's clock.
type Visit struct {
	Server      *Case
	User, SID   string
	LogonID     string
	Address     string           // from which it came; "" if not recorded
	Workstation string           // as the client called itself: any client may give any name
	Begin, End  *evidence.Fact   // 4624 and 4634; nil if not recorded
	Opens       []*evidence.Fact // of shares, oldest first
	Client      *Case            // whose session it was; nil if not known
	Why         *evidence.Fact   // shows that Client had the address; nil if its name is all that is known
	Skew        *Skew            // between the clocks of Server and Client; nil as long as no client is known
}

// From returns when the session is first known.
func (v *Visit) From() time.Time {
	if v.Begin != nil {
		return v.Begin.Time
	}
	return v.Opens[0].Time
}

// Facts returns all records of the session.
func (v *Visit) Facts() []*evidence.Fact {
	return slices.DeleteFunc(append(append([]*evidence.Fact{v.Begin}, v.Opens...), v.End), func(o *evidence.Fact) bool { return o == nil })
}

// Opened returns the first record in which the session opens the share called
// name, or nil.
func (v *Visit) Opened(name string) *evidence.Fact {
	for _, o := range v.Opens {
		if strings.EqualFold(shareName(o.Share), name) {
			return o
		}
	}
	return nil
}

// Origin tells where the session came from, in a sentence.
func (v *Visit) Origin() string {
	s := cmp.Or(v.Address, "an address that is not recorded")
	if v.Client != nil {
		return v.Client.Host + " (" + s + ")"
	}
	if v.Workstation != "" {
		s += ", which called itself " + v.Workstation
	}
	return s
}

// Visitors returns the sessions of other computers' users at this host, by
// time.
func (c *Case) Visitors() []*Visit { return c.self().visitors }

// Visits returns the sessions that this host is known to have had at servers of
// the evidence, by time.
func (c *Case) Visits() []*Visit { return c.self().visits }

// SeenBy returns the sessions at servers of the evidence that l is paired with.
func (c *Case) SeenBy(l *Life) []*Visit { return c.self().seen[l] }

// readVisitors reads the sessions that c, as a server, has records of. Sessions
// of computers and of Windows itself, and those from the host itself, are none.
func readVisitors(c *Case) (out []*Visit) {
	open := map[string]*Visit{} // by logon id
	begun := map[string]*evidence.Fact{}
	for _, o := range c.Observations {
		switch {
		case o.Action == evidence.Boot: // ids of logons begin anew
			clear(open)
			clear(begun)
		case o.LogonID == "" || o.Time.IsZero():
		case o.Artifact == "logons" && o.Action == evidence.Logon:
			begun[o.LogonID] = o
			delete(open, o.LogonID)
		case o.Artifact == "logons" && o.Action == evidence.Logoff:
			if v := open[o.LogonID]; v != nil {
				v.End = o
				delete(open, o.LogonID)
			}
		case o.Artifact == "share-access" && o.Action == evidence.Used && !isMachine(o) && o.Share != "":
			v := open[o.LogonID]
			if v == nil {
				v = &Visit{Server: c, User: o.User, SID: o.SID, LogonID: o.LogonID, Address: o.Peer, Begin: begun[o.LogonID]}
				if v.Begin != nil {
					v.Workstation = strings.Trim(v.Begin.Detail.Text("WorkstationName"), `\-`)
					v.Address = cmp.Or(v.Address, v.Begin.Peer)
				}
				if a := parseAddress(v.Address); a.IsLoopback() || a.IsValid() && c.IsOwnName(v.Address) {
					continue
				}
				open[o.LogonID] = v
				out = append(out, v)
			}
			v.Opens = append(v.Opens, o)
		}
	}
	return out
}

// isMachine reports whether the account of o is a computer's or Windows' own.
func isMachine(o *evidence.Fact) bool {
	return strings.HasSuffix(o.User, "$") || o.User == "" && o.SID == "" || o.SID != "" && !strings.HasPrefix(o.SID, "S-1-5-21-") && !strings.HasPrefix(o.SID, "S-1-12-1-")
}

// IsSystemShare reports whether Windows itself opens shares of that name all day.
func IsSystemShare(name string) bool {
	return slices.ContainsFunc([]string{"IPC$", "SYSVOL", "NETLOGON", "print$"}, func(s string) bool { return strings.EqualFold(s, name) })
}
