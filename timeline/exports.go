package timeline

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
)

// shareName returns the name of a share of this host, lower case.
func shareName(share string) string {
	_, name, ok := strings.Cut(strings.TrimPrefix(share, `\\`), `\`)
	if !ok {
		name = share
	}
	return strings.ToLower(name)
}

// isShareRemoval reports whether o is a command that deletes exported shares.
func isShareRemoval(o *evidence.Observation) bool {
	return o.Action == evidence.Command && o.Detail.Text("Class") == "share.delete" && !elsewhere(o)
}

// TargetsShare reports whether command o names the share called name.
func TargetsShare(o *evidence.Observation, name string) bool {
	return slices.ContainsFunc(o.Detail.List("Targets"), func(t string) bool {
		return t == "*" || strings.EqualFold(shareName(t), name)
	})
}

// sharesState reads the stored shares out of the facts: those of the current
// control set of the newest SYSTEM hive.
func sharesState(c *Case) *SharesState {
	var best *SharesState
	for _, f := range c.Facts {
		if f.Evidence != "registry:SYSTEM" || !slices.ContainsFunc(f.Keys, isSharesKey) || f.Earlier || best != nil && !f.AsOf.After(best.AsOf) {
			continue
		}
		s := &SharesState{AsOf: f.AsOf, Names: map[string]*evidence.Observation{}, Dirty: f.Dirty}
		for _, o := range c.Observations {
			switch {
			case o.Artifact != "server-shares" || !isAt(o, f.Place):
			case o.Action == evidence.Present:
				s.Names[shareName(o.Share)] = o
			case o.Action == evidence.Context && isSharesKey(o.From.Key) && isCurrent(o):
				s.Key, s.LastChange = o, o.Time
			}
		}
		best = s
	}
	return best
}

func isSharesKey(key string) bool {
	return strings.HasSuffix(strings.ToLower(key), `\services\lanmanserver\shares`)
}

// isCurrent reports whether o is about the control set that Windows used.
func isCurrent(o *evidence.Observation) bool {
	current, ok := o.Detail.Get("current").(bool)
	return !ok || current
}

// serverLives builds the lives of the shares that one host exports.
func serverLives(c *Case) []*Life {
	state := sharesState(c)
	byName := map[string]*Life{} // the life that the name is in
	var lives []*Life
	get := func(name string, o *evidence.Observation) *Life {
		l := byName[name]
		if l == nil {
			l = &Life{Connection: Connection{Host: c.Host, Side: evidence.Server, Share: `\\` + c.Host + `\` + name}, Shares: state}
			if s := o.Share; s != "" {
				l.Share = s
			}
			byName[name] = l
			lives = append(lives, l)
		}
		return l
	}
	for _, o := range c.Observations {
		if o.Side != evidence.Server {
			continue
		}
		for _, name := range namesOf(o, byName) {
			if l := byName[name]; l != nil && (makesShare(o) || o.Action == evidence.Present) && l.over() {
				l.Next = o.Time
				delete(byName, name)
			}
			l := get(name, o)
			switch {
			case makesShare(o):
				l.Maps = append(l.Maps, o)
			case o.Action == evidence.Present:
				l.Key = o
			case o.Action == evidence.Used:
				l.Uses = append(l.Uses, o)
			case o.Action == evidence.ShareDeleted || o.Action == evidence.Removed:
				l.Gone = append(l.Gone, o)
			case isShareRemoval(o):
				l.Removes = append(l.Removes, o)
			}
		}
	}
	for _, o := range c.Observations { // shares that only an older control set stores
		if o.Artifact == "server-shares" && o.Action == evidence.Context && isSharesKey(o.From.Key) && !isCurrent(o) {
			for _, name := range o.Detail.List("Names") {
				if low := strings.ToLower(name); byName[low] == nil && state != nil && state.Names[low] == nil {
					get(low, &evidence.Observation{Share: `\\` + c.Host + `\` + name}).Old = o
				}
			}
		}
	}
	lives = slices.DeleteFunc(lives, func(l *Life) bool {
		return len(l.Maps)+len(l.Uses)+len(l.Gone)+len(l.Removes) == 0 && l.Key == nil && l.Old == nil
	})
	for _, l := range lives {
		l.describeServer()
	}
	return lives
}

// namesOf returns the lower-case names of the shares that o is about. A
// command that deletes all of them is about all that are known by then.
func namesOf(o *evidence.Observation, known map[string]*Life) []string {
	switch {
	case isShareRemoval(o):
		var names []string
		for _, t := range o.Detail.List("Targets") {
			if n := shareName(t); n != "" && n != "*" {
				names = append(names, n)
			}
		}
		return names
	case o.Share == "" || !strings.Contains(strings.TrimPrefix(o.Share, `\\`), `\`):
		return nil
	case o.Action == evidence.Context:
		if known[shareName(o.Share)] == nil {
			return nil // changed or denied: no life of its own
		}
	}
	return []string{shareName(o.Share)}
}

func makesShare(o *evidence.Observation) bool {
	return o.Action == evidence.ShareCreated || o.Action == evidence.Command && o.Detail.Text("Class") == "share.add" && !elsewhere(o)
}

// over reports whether l has been removed by now.
func (l *Life) over() bool { return len(l.Gone) > 0 || len(l.Removes) > 0 }

// describeServer fills what the facts of l state without any reasoning about
// its end.
func (l *Life) describeServer() {
	l.Status, l.Confidence = StatusUsedOnly, Likely
	l.Facts = Facts{Unknown, Unknown, Unknown, Unknown}
	l.Persistent = Unknown
	if l.Old != nil {
		l.Status, l.Confidence, l.Persistent = StatusUnknown, Possible, Yes
		l.Mapped = Window{NotAfter: l.Old.Time, Basis: KeyLastWrite}
	}
	if len(l.Maps) > 0 {
		l.Status, l.Confidence = StatusUnknown, Possible
		l.Mapped = mappedWindow(l.Maps)
		for _, o := range l.Maps {
			if o.Action == evidence.ShareCreated {
				l.Mapped = At(o.Time, Recorded)
				break
			}
		}
	}
	for _, o := range l.Uses {
		l.UseCount++
		if l.FirstUsed.IsZero() || o.Time.Before(l.FirstUsed) {
			l.FirstUsed = o.Time
		}
		if o.Time.After(l.LastUsed) {
			l.LastUsed = o.Time
		}
	}
	if len(l.Maps) == 0 && !l.FirstUsed.IsZero() {
		l.Mapped = Window{NotAfter: l.FirstUsed, Basis: Recorded}
	}
	if l.Key != nil && l.Next.IsZero() {
		l.Persistent = Yes
		if !l.over() {
			l.Status, l.Confidence, l.Facts.ShareGone = StatusExported, Certain, No
		}
		if len(l.Maps) == 0 && (l.Mapped.NotAfter.IsZero() || l.Key.Time.Before(l.Mapped.NotAfter)) {
			l.Mapped = Window{NotAfter: l.Key.Time, Basis: KeyLastWrite}
		}
	}
}

// SharesNow returns the stored shares of the host as they stand, or nil.
func (c *Case) SharesNow() *SharesState { return sharesState(c) }
