package pipeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// A hostUser is one name on one host.
type hostUser struct{ host, name string }

// userNames knows which SID is which account.
type userNames struct {
	name    map[hostUser]string      // host, SID → account name
	domain  map[string]string        // SID of a domain account → name, on any host
	profile map[hostUser]string      // host, folded profile folder → SID
	spelt   map[hostUser]string      // host, folded profile folder → as Windows spells it
	current map[hostUser]heldProfile // host, SID → the profile that it has now
	sid     map[hostUser]string      // host, folded account → SID; "" if several
}

func nameUsers(tasks []*task) *userNames {
	u := &userNames{map[hostUser]string{}, map[string]string{}, map[hostUser]string{}, map[hostUser]string{}, map[hostUser]heldProfile{}, map[hostUser]string{}}
	for _, t := range tasks {
		for _, o := range t.out.Observations {
			if o.SID == "" || o.User == "" {
				continue
			}
			at := hostUser{o.Host, o.SID}
			if o.Artifact == "profiles" {
				at := hostUser{o.Host, strings.ToLower(o.User)}
				u.profile[at], u.spelt[at] = o.SID, o.User
				by := hostUser{o.Host, o.SID}
				if set := o.Detail.Get("bak") != nil || o.Detail.Get("earlier_installation") != nil; !set && !o.Time.Before(u.current[by].as) {
					u.current[by] = heldProfile{at.name, o.Time}
				}
				continue
			}
			if u.name[at] == "" {
				u.name[at] = o.User
			}
			if strings.HasPrefix(o.SID, "S-1-5-21-") && u.domain[o.SID] == "" {
				u.domain[o.SID] = o.User
			}
			by := hostUser{o.Host, strings.ToLower(o.User)}
			if old, ok := u.sid[by]; ok && old != o.SID {
				u.sid[by] = ""
			} else {
				u.sid[by] = o.SID
			}
		}
	}
	return u
}

// find completes what is known of an account on a host. A user from a hive is
// the name of its profile folder until its SID tells more.
func (u *userNames) find(host, user, sid string) (string, string) {
	if sid == "" && user != "" {
		at := hostUser{host, strings.ToLower(user)}
		sid, user = cmp.Or(u.profile[at], u.sid[at]), cmp.Or(u.spelt[at], user)
	}
	if name := wellKnown[sid]; name != "" {
		return name, sid
	}
	if sid != "" {
		if name := cmp.Or(u.name[hostUser{host, sid}], u.domain[sid]); name != "" {
			return name, sid
		}
		if user == "" {
			user = u.folder(host, sid)
		}
	}
	return user, sid
}

// wellKnown names the accounts that logs call by the computer's name.
var wellKnown = map[string]string{
	"S-1-5-18": "SYSTEM", "S-1-5-19": "LOCAL SERVICE", "S-1-5-20": "NETWORK SERVICE", "S-1-5-7": "ANONYMOUS LOGON",
}

// A heldProfile is a profile folder, folded, and as of when an account has it.
type heldProfile struct {
	folder string
	as     time.Time
}

// setApart makes of what t read in a profile that its account has left for another
// one, as Windows gives out where it cannot load the old, a user apart: that the
// new profile lacks what is in the old one is no removal.
func (u *userNames) setApart(t *task) {
	folder := artifacts.ProfileFolder(t.file.Path)
	if folder == "" || artifacts.IsFormer(t.vol.Root) {
		return
	}
	at := hostUser{t.place.Host, strings.ToLower(folder)}
	now, ok := u.current[hostUser{at.host, cmp.Or(u.profile[at], u.sid[at])}]
	if !ok || now.folder == at.name {
		return
	}
	apart := folder + " (former profile)"
	for o := range t.statements() {
		if o.SID == "" && o.User == folder {
			o.User = apart
		}
	}
	for i := range t.out.Coverage {
		c := &t.out.Coverage[i]
		if c.User != folder {
			continue
		}
		c.User, c.Evidence = apart, strings.TrimSuffix(c.Evidence, folder)+apart
		if t.file.Kind == source.Hive && !c.Earlier {
			t.warn(fmt.Sprintf("its account has another profile now, in the folder %q: what this one holds is told apart, and is not compared with the other", now.folder))
		}
	}
}

// folder returns the profile folder of a SID, the first by name.
func (u *userNames) folder(host, sid string) (name string) {
	for at, s := range u.profile {
		if at.host == host && s == sid && (name == "" || at.name < name) {
			name = at.name
		}
	}
	return name
}

func (u *userNames) fill(o *evidence.Observation) {
	if o.Side == evidence.Server && o.User == "" && o.SID == "" || o.User == "" && o.SID == "" {
		return
	}
	o.User, o.SID = u.find(o.Host, o.User, o.SID)
}

func (u *userNames) fillCoverage(c *evidence.Coverage) {
	if c.User == "" {
		return
	}
	folder := c.User
	c.User, c.SID = u.find(c.Host, c.User, c.SID)
	c.Evidence = strings.TrimSuffix(c.Evidence, folder) + c.User
}
