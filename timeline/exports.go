package timeline

import (
	"cmp"
	"slices"
	"strings"
	"time"

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
func isShareRemoval(o *evidence.Fact) bool {
	if o.Action != evidence.Command || elsewhere(o) {
		return false
	}
	switch o.Detail.Text("Class") {
	case "share.delete":
		return true
	case "value.delete":
		t := o.Detail.List("Targets")
		return len(t) > 1 && isSharesKey(strings.TrimRight(t[0], `\`))
	}
	return false
}

// sharesOf returns the names of the shares that a removal command names, as it
// spells them. A share may also be named by the folder that it exports: then it
// is the one that is known to export it, or none.
func sharesOf(o *evidence.Fact, known map[string]*Life) (names []string) {
	targets := o.Detail.List("Targets")
	if o.Detail.Text("Class") == "value.delete" {
		targets = targets[1:]
	}
	for _, t := range targets {
		switch {
		case t == "" || t == "*":
		case strings.Contains(t, ":"):
			for _, key := range sortedKeys(known) {
				if known[key].exports(t) {
					names = append(names, key)
				}
			}
		default:
			names = append(names, t[strings.LastIndex(t, `\`)+1:])
		}
	}
	return names
}

// exports reports whether l is known to export a folder.
func (l *Life) exports(folder string) bool {
	all := append(slices.Clone(l.Maps), l.Key)
	return slices.ContainsFunc(all, func(o *evidence.Fact) bool {
		if o == nil {
			return false
		}
		for _, name := range []string{"Path", "ShareLocalPath"} {
			if p := o.Detail.Text(name); p != "" && strings.EqualFold(strings.Trim(p, `\`), strings.Trim(folder, `\`)) {
				return true
			}
		}
		return false
	})
}

// IsDefaultShare reports whether Windows makes a share of that name by itself
// and stores it nowhere.
func IsDefaultShare(name string) bool {
	name = strings.ToUpper(name)
	return name == "ADMIN$" || name == "IPC$" || len(name) == 2 && name[1] == '$' && name[0] >= 'A' && name[0] <= 'Z'
}

// TargetsShare reports whether command o names the share called name.
func TargetsShare(o *evidence.Fact, name string) bool {
	return slices.ContainsFunc(o.Detail.List("Targets"), func(t string) bool {
		return t == "*" || strings.EqualFold(shareName(t), name)
	})
}

// sharesStates reads the sets of stored shares out of the facts: those of the
// current control set of each state of a SYSTEM hive, oldest first.
func sharesStates(c *Case) (states []*SharesState) {
	for _, f := range c.Facts {
		if f.Evidence != "registry:SYSTEM" || !slices.ContainsFunc(f.Keys, isSharesKey) {
			continue
		}
		s := &SharesState{AsOf: f.AsOf, Names: map[string]*evidence.Fact{}, Dirty: f.Dirty, Earlier: f.Earlier, Written: f.Written, View: f.View, Place: f.Place}
		for _, o := range c.Observations {
			switch {
			case o.Artifact != "server-shares" || !isAt(o, f.Place):
			case o.Action == evidence.Present:
				s.Names[shareName(o.Share)] = o
			case o.Action == evidence.Context && isSharesKey(o.From().Key) && isCurrent(o):
				s.Key, s.LastChange = o, o.Time
			}
		}
		states = append(states, s)
	}
	sortStates(states, func(s *SharesState) (*evidence.Place, int, time.Time) { return s.Place, s.View, s.AsOf })
	return states
}

func isSharesKey(key string) bool {
	return strings.HasSuffix(strings.ToLower(key), `\services\lanmanserver\shares`)
}

// isCurrent reports whether o is about the control set that Windows used.
func isCurrent(o *evidence.Fact) bool {
	current, ok := o.Detail.Get("current").(bool)
	return !ok || current
}

// serverLives builds the lives of the shares that one host exports.
func serverLives(c *Case) []*Life {
	state := c.SharesNow()
	byName := map[string]*Life{} // the life that the name is in
	var lives []*Life
	get := func(spelt string, o *evidence.Fact) *Life {
		name := strings.ToLower(spelt)
		l := byName[name]
		if l == nil {
			l = &Life{Connection: Connection{Host: c.Host, Side: evidence.Server, Share: `\\` + c.Host + `\` + spelt}, Shares: state}
			if s := o.Share; s != "" {
				l.Share = s
			}
			byName[name] = l
			lives = append(lives, l)
		}
		return l
	}
	for _, o := range c.Observations {
		if o.Side != evidence.Server && !isShareRemoval(o) {
			continue
		}
		for _, spelt := range namesOf(o, byName) {
			name := strings.ToLower(spelt)
			// That it is stored after its removal is recorded means that it
			// was made again; after a command alone, that the command failed.
			// So does a use after either, unless the hive shows that it went on.
			l := byName[name]
			stands := l != nil && l.Key != nil && len(l.Gone) == 0 && len(l.Removes) > 0 && state.unwritten(l.Removes[0].Time)
			switch {
			case stands && o.Action == evidence.Command && makesShare(o):
				continue // the name is in use: it failed
			case stands || l == nil:
			case makesShare(o) && o.TimeKind != evidence.AtOrBefore && l.over() || o.Action == evidence.Present && len(l.Gone) > 0 || o.Action == evidence.Used && l.overAt(o.Time):
				l.Next = o.Time
				delete(byName, name)
			}
			l = get(spelt, o)
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
		if o.Artifact == "server-shares" && o.Action == evidence.Context && isSharesKey(o.From().Key) && !isCurrent(o) {
			for _, name := range o.Detail.List("Names") {
				if low := strings.ToLower(name); byName[low] == nil && state != nil && state.Names[low] == nil {
					get(low, evidence.NewFact(evidence.Observation{Share: `\\` + c.Host + `\` + name})).Old = o
				}
			}
		}
	}
	lives = slices.DeleteFunc(lives, func(l *Life) bool {
		return len(l.Maps)+len(l.Uses)+len(l.Gone)+len(l.Removes) == 0 && l.Key == nil && l.Old == nil && l.Stored == nil
	})
	for _, l := range lives {
		l.compareStates(c.Shares)
		l.describeServer()
	}
	return lives
}

// compareStates notes the last state that stores the share, and the first after
// it that does not. What the newest does not store stands no more.
func (l *Life) compareStates(states []*SharesState) {
	if l.Key == nil || len(states) == 0 || !l.Next.IsZero() {
		return
	}
	name := shareName(l.Share)
	for _, s := range states {
		switch {
		case s.Names[name] != nil:
			l.Had, l.Lacks = s, nil
		case l.Had != nil && l.Lacks == nil && s.Key != nil:
			l.Lacks = s
		}
	}
	if l.Lacks != nil {
		l.Stored, l.Key = l.Key, nil
	}
	l.former = l.Had == states[len(states)-1] && l.Had.Earlier && !slices.ContainsFunc(states, func(s *SharesState) bool { return !s.Earlier && s.Names[name] != nil })
}

// namesOf returns the lower-case names of the shares that o is about. A
// command that deletes all of them is about all that are known by then.
func namesOf(o *evidence.Fact, known map[string]*Life) []string {
	switch {
	case isShareRemoval(o):
		return sharesOf(o, known)
	case o.Share == "" || !strings.Contains(strings.TrimPrefix(o.Share, `\\`), `\`):
		return nil
	case o.Action == evidence.Context:
		if known[shareName(o.Share)] == nil {
			return nil // changed or denied: no life of its own
		}
	}
	return []string{shareName(o.Share)}
}

func makesShare(o *evidence.Fact) bool {
	return o.Action == evidence.ShareCreated || o.Action == evidence.Command && o.Detail.Text("Class") == "share.add" && !elsewhere(o)
}

// over reports whether l has been removed by now.
func (l *Life) over() bool { return len(l.Gone) > 0 || len(l.Removes) > 0 }

// overAt reports whether l has been removed well before t, as far as records and
// commands tell.
func (l *Life) overAt(t time.Time) bool {
	return slices.ContainsFunc(slices.Concat(l.Gone, l.Removes), func(o *evidence.Fact) bool {
		return o.TimeKind != evidence.AtOrBefore && t.After(o.Time.Add(EffectAfter))
	})
}

// unwritten reports whether the stored shares were last written before t, and are
// known from after.
func (s *SharesState) unwritten(t time.Time) bool {
	return s != nil && !s.LastChange.IsZero() && s.LastChange.Before(t.Add(-EffectBefore)) && s.AsOf.After(t.Add(EffectAfter))
}

// describeServer fills what the facts of l state without any reasoning about
// its end.
func (l *Life) describeServer() {
	l.Status, l.Confidence = StatusUsedOnly, Likely
	l.Facts = Facts{Unknown, Unknown, Unknown, Unknown}
	l.Persistent = Unknown
	if was := cmp.Or(l.Old, l.Stored); was != nil {
		l.Status, l.Confidence, l.Persistent = StatusUnknown, Possible, Yes
		l.Mapped = Window{NotAfter: was.Time, Basis: KeyLastWrite}
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
	l.countUses()
	if len(l.Maps) == 0 && !l.FirstUsed.IsZero() {
		l.Mapped = Window{NotAfter: l.FirstUsed, Basis: Recorded}
	}
	if l.Key != nil && l.Next.IsZero() {
		l.Persistent = Yes
		if (!l.over() || l.storedAfter()) && !l.former {
			l.Status, l.Confidence, l.Facts.ShareGone = StatusExported, Certain, No
		}
		if len(l.Maps) == 0 && (l.Mapped.NotAfter.IsZero() || l.Key.Time.Before(l.Mapped.NotAfter)) {
			l.Mapped = Window{NotAfter: l.Key.Time, Basis: KeyLastWrite}
		}
	}
}

// SharesNow returns the stored shares of the host as they stand, or nil.
func (c *Case) SharesNow() *SharesState {
	if len(c.Shares) == 0 {
		return nil
	}
	return c.Shares[len(c.Shares)-1]
}

// storedAfter reports whether the share is stored in a state of the hive from
// after every command that names it, and no event records its removal: the
// commands had no effect.
func (l *Life) storedAfter() bool {
	return l.Key != nil && len(l.Gone) == 0 && l.Shares != nil && !slices.ContainsFunc(l.Removes, func(o *evidence.Fact) bool {
		return !l.Shares.AsOf.After(o.Time.Add(EffectAfter))
	})
}
