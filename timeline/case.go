package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// A Case is everything that is known about one host: the facts, ordered and
// indexed, and the lives of its shares. Rules read it and change nothing.
type Case struct {
	Host         string
	Observations []*evidence.Fact    // by time, undated last
	Facts        []evidence.Coverage // as read, one a file and kind
	Coverage     []CoverageRow       // what each kind of evidence could have told
	States       []*MappingState     // oldest first
	Shares       []*SharesState      // oldest first
	Lives        []*Life
	removals     []*evidence.Fact            // commands and records of removals, by time
	shown        map[string][]*evidence.Fact // client side, by share: what is no command
	edges        []*evidence.Fact            // logons, logoffs, starts and ends of Windows, by time
	jumps        []Jump
	stopped      []evidence.Hole // the event log service, while Windows ran
	muted        []evidence.Hole // in which no log has a record, and the computer was in use
	End          time.Time       // the newest instant that any evidence of the host shows, but for carved records

	byID []*evidence.Fact // in the order of their ids
	own  *self            // its names, addresses and sessions with other hosts
}

// A MappingState is the set of remembered mappings in one hive of one user: the
// key Network, read whole.
type MappingState struct {
	User, SID string
	AsOf      time.Time // what the hive had not yet been told is unknown after this
	Key       *evidence.Fact
	Drives    map[string]*evidence.Fact // live Network\X by "X:"
	// LastChange is the last write of Network: the last time that a child was
	// made or removed. Zero if there is no such key.
	LastChange time.Time
	// Made is when the profile was made, by the older of the keys that come with it;
	// zero if they are not there.
	Made time.Time
	// Untouched is yes if Network was never written since the profile was
	// made, unknown if the keys to compare with are not there.
	Untouched Tri
	// ChildRemoved says that the last change was the removal of a child: no
	// child that is there can have caused it.
	ChildRemoved bool
	Empty        bool  // it has no children at all, and no values
	Volatile     int64 // children that are not on disk; they stamp the key too
	// Restamped says that the last write of Network is one of many in the same
	// second, all over the hive: an installer's or an update's, no user's.
	Restamped bool
	Dirty     bool
	Earlier   bool // the hive was collected in a later state, whatever the times say
	Written   evidence.Written
	View      int // counts the states of one file, in the order of its logs
	Place     *evidence.Place
	before    *MappingState // of the same user, nil if it is the first
	putBack   string        // what speaks against its being what the hive became after the state before it, "" if it is
}

// A Life is one connection with the facts that it is made of.
type Life struct {
	Connection
	Maps    []*evidence.Fact // say that it was mapped, or shared
	Uses    []*evidence.Fact
	Removes []*evidence.Fact // commands that name it, oldest first
	Gone    []*evidence.Fact // events that record its removal
	Key     *evidence.Fact   // the remembered mapping, or the stored share, as it stands
	Old     *evidence.Fact   // server side: an older control set that stores the share, which the current one does not
	State   *MappingState    // of its user; nil if no hive of the user was read whole
	Stored  *evidence.Fact   // server side: the value in an earlier state of the hive, which the newest does not hold
	Had     *SharesState     // server side: the last state that stores it, if there is one
	Lacks   *SharesState     // server side: the first state after Had that does not; nil if all do
	Shares  *SharesState     // server side: the stored shares of its host
	Next    time.Time        // when the same letter, or share name, was made again
	LogonID string           // of the session that mapped it
	Barred  *Life            // the life that its letter was remembered for when a command, and nothing else, mapped it
	Refused bool             // it is Barred, and the hive still remembers that one later
	Tried   []*Life          // those whose Barred this is
	since   time.Time        // commands before this are about an earlier connection of the letter
	stored  bool             // its key was in some state of the hive, is recovered from it, or a record tells of its making
	former  bool             // its key stands in the newest state, which is not the one that was collected, and not in that
	named   []*evidence.Fact // show what else its server is called, and what became of its share there
}

// Since returns the last instant at which the connection is known to have been
// there, before the instant t, and the fact that shows it.
func (l *Life) Since(t time.Time) (time.Time, *evidence.Fact) {
	var at time.Time
	var why *evidence.Fact
	for _, list := range [][]*evidence.Fact{l.Maps, l.Uses} {
		for _, o := range list {
			if l.shows(o) && o.Time.Before(t) && o.Time.After(at) {
				at, why = o.Time, o
			}
		}
	}
	return at, why
}

// Dated reports whether anything dates the presence of the mapping.
func (l *Life) Dated() bool {
	return slices.ContainsFunc(slices.Concat(l.Maps, l.Uses), l.shows)
}

// shows reports whether o dates the presence of the mapping itself. A share
// may be used, or mapped, by another letter or none, so on the client a fact
// without the letter does not.
func (l *Life) shows(o *evidence.Fact) bool {
	if o.Time.IsZero() || o.TimeKind == evidence.AtOrBefore {
		return false
	}
	if o.Action == evidence.Command && o.Detail.Text("Persistent") == "no" && (l.stored || len(l.Maps) > 0 && l.Maps[0].Detail.Text("Persistent") != "no") {
		return false // that made another one, or failed because this one stood
	}
	if l.Side == evidence.Server {
		return true
	}
	made := o.Action == evidence.Mapped || o.Action == evidence.Command
	return o.Drive == l.Drive && (made || o.Drive != "")
}

// MappedAt returns the instant at which the connection began, as far as it is
// known exactly, else the first at which it was there, else zero.
func (l *Life) MappedAt() time.Time {
	if !l.Mapped.NotAfter.IsZero() {
		return l.Mapped.NotAfter
	}
	return l.Mapped.NotBefore
}

// A SharesState is the set of shares stored in a SYSTEM hive: the key
// LanmanServer\Shares of the current control set, read whole.
type SharesState struct {
	AsOf       time.Time
	Key        *evidence.Fact
	Names      map[string]*evidence.Fact // by lower-case name
	LastChange time.Time
	Dirty      bool
	Earlier    bool // the hive was collected in a later state, whatever the times say
	Written    evidence.Written
	View       int // counts the states of one file, in the order of its logs
	Place      *evidence.Place
}

// NewCase indexes the facts of one host and builds the lives of its shares.
// obs are by time, undated last.
func NewCase(host string, obs []*evidence.Fact, facts []evidence.Coverage) *Case {
	c := &Case{Host: host, Observations: obs, Facts: facts, byID: slices.Clone(obs), shown: map[string][]*evidence.Fact{}}
	slices.SortFunc(c.byID, func(a, b *evidence.Fact) int { return strings.Compare(a.ID, b.ID) })
	for _, o := range obs {
		if o.Time.After(c.End) && o.State != evidence.Carved {
			c.End = o.Time
		}
	}
	for _, f := range facts {
		if f.AsOf.After(c.End) {
			c.End = f.AsOf
		}
	}
	c.serviceStops()
	for _, o := range obs {
		if !o.Time.IsZero() && (IsRemoval(o) || o.Action == evidence.Removed && o.Drive != "") {
			c.removals = append(c.removals, o)
		}
		if o.Side == evidence.Client && o.Action != evidence.Command && o.Share != "" {
			key := evidence.ShareKey(o.Share)
			c.shown[key] = append(c.shown[key], o)
		}
		switch o.Action {
		case evidence.Logon, evidence.Logoff, evidence.Boot, evidence.Shutdown:
			if !o.Time.IsZero() {
				c.edges = append(c.edges, o)
			}
		case evidence.ClockChanged:
			if j, ok := jump(o); ok {
				c.addJump(j)
			}
		}
	}
	c.addSetBacks()
	c.muted = c.silences()
	c.Coverage = coverageRows(c)
	c.States = mappingStates(c)
	noteOrder(c.States)
	c.Shares = sharesStates(c)
	c.Lives = append(clientLives(c), serverLives(c)...)
	return c
}

// account is what tells two users of a host apart: the SID where it is known.
func account(user, sid string) string {
	return cmp.Or(sid, strings.ToLower(user))
}

// SameUser reports whether two facts are about one account: the same SID, or
// the same name where one of them has no SID.
func SameUser(userA, sidA, userB, sidB string) bool {
	if sidA != "" && sidB != "" {
		return sidA == sidB
	}
	return strings.EqualFold(userA, userB) && userA != ""
}

const baselineSlack = time.Second       // keys made with the profile: 31 ms at most on six public test hives
const structuralSlack = 2 * time.Second // several children made at once: 0.25 s at most on public test hives

// mappingStates reads the sets of remembered mappings out of the facts.
func mappingStates(c *Case) []*MappingState {
	var out []*MappingState
	for _, f := range c.Facts {
		if !strings.HasPrefix(f.Evidence, "registry:NTUSER:") || !slices.Contains(f.Keys, "Network") {
			continue
		}
		s := &MappingState{User: f.User, SID: f.SID, AsOf: f.AsOf, Drives: map[string]*evidence.Fact{}, Untouched: Unknown, Dirty: f.Dirty, Earlier: f.Earlier, Written: f.Written}
		var children []*evidence.Fact
		for _, o := range c.Observations {
			switch {
			case o.Artifact != "mapped-drives" || !isAt(o, f.Place):
			case o.Action == evidence.Context:
				s.Key = o
			default:
				children = append(children, o)
				if o.Drive != "" {
					s.Drives[o.Drive] = o
				}
			}
		}
		s.judge(children)
		s.View, s.Place = f.View, f.Place
		out = append(out, s)
	}
	sortStates(out, func(s *MappingState) (*evidence.Place, int, time.Time) { return s.Place, s.View, s.AsOf })
	return out
}

// sortStates puts the states of one file in the order in which its logs lead
// through them, whatever their times say, and those of several files by what each
// shows: a primary that its logs complete may be older than a snapshot. at tells
// of a state its file, its view of it and as of when it is.
func sortStates[S any](states []S, at func(S) (*evidence.Place, int, time.Time)) {
	type file struct{ source, volume, snapshot, path string }
	type state struct {
		of   S
		asOf time.Time // of it, or of one before it in its file, if that is later
	}
	fileOf := func(s S) file {
		p, _, _ := at(s)
		return file{p.Source, p.Volume, p.Snapshot, p.Path}
	}
	files := map[file][]state{}
	var order []file // by what they show last
	for _, s := range states {
		if files[fileOf(s)] == nil {
			order = append(order, fileOf(s))
		}
		files[fileOf(s)] = append(files[fileOf(s)], state{of: s})
	}
	last := map[file]time.Time{}
	for f, views := range files {
		slices.SortStableFunc(views, func(a, b state) int {
			_, viewA, _ := at(a.of)
			_, viewB, _ := at(b.of)
			return viewA - viewB
		})
		var newest time.Time
		for i := range views {
			_, _, asOf := at(views[i].of)
			if asOf.After(newest) {
				newest = asOf
			}
			views[i].asOf, last[f] = newest, asOf
		}
	}
	slices.SortStableFunc(order, func(a, b file) int { return last[a].Compare(last[b]) })
	var all []state
	for _, f := range order {
		all = append(all, files[f]...)
	}
	slices.SortStableFunc(all, func(a, b state) int { return a.asOf.Compare(b.asOf) })
	for i := range all {
		states[i] = all[i].of
	}
}

// isAt reports whether o stands in the state of a file that p is.
func isAt(o *evidence.Fact, p *evidence.Place) bool {
	return !gone(o.State) && slices.Contains(o.Views(), p)
}

// judge applies the baseline test and the structural test
// to the last write of Network.
func (s *MappingState) judge(children []*evidence.Fact) {
	if s.Key == nil {
		return
	}
	d := s.Key.Detail
	s.LastChange = s.Key.Time
	s.Volatile, _ = d.Get("VolatileSubkeys").(int64)
	s.Restamped = d.Get("restamped") != nil
	newest := time.Time{} // what the last change is known to come from
	for _, name := range []string{"EUDC", "AppEvents"} {
		made, ok := d.Get(name).(time.Time)
		if ok && !made.IsZero() && (s.Made.IsZero() || made.Before(s.Made)) {
			s.Made = made
		}
		switch {
		case !ok || made.IsZero():
		case s.LastChange.Sub(made).Abs() <= baselineSlack:
			s.Untouched = Yes
		case s.Untouched == Unknown:
			s.Untouched, newest = No, made
		}
	}
	for _, o := range children {
		if o.Time.After(newest) {
			newest = o.Time
		}
	}
	// A value of Network moves its time as well, and a child that could not be
	// read might be the newest.
	values, _ := d.Get("Values").(int64)
	clean := values == 0 && len(d.List("Subkeys")) == len(children)
	s.Empty = clean && len(children) == 0 && len(d.List("Subkeys")) == 0
	dated := len(children) > 0 || s.Untouched == No
	s.ChildRemoved = clean && dated && s.Untouched != Yes && s.LastChange.Sub(newest) > structuralSlack
}

// StateOf returns the newest set of remembered mappings of a user, or nil.
func (c *Case) StateOf(user, sid string) *MappingState {
	var best *MappingState
	for _, s := range c.States { // ordered
		if SameUser(s.User, s.SID, user, sid) {
			best = s
		}
	}
	return best
}

// StateAfter returns the first state of the hive of l's user from t or later, and
// from before the letter was mapped again, in which the letter is not mapped; else
// the newest state, nil if there is none.
func (c *Case) StateAfter(l *Life, t time.Time) *MappingState {
	states := c.StatesOf(l.User, l.SID)
	for _, s := range states[:c.putBackAfter(l, states)] {
		if !s.AsOf.Before(t) && (l.Next.IsZero() || s.AsOf.Before(l.Next)) && s.Drives[l.Drive] == nil && !s.LastChange.IsZero() && !s.madeAfter(l) {
			return s
		}
	}
	return l.State
}

// madeAfter reports whether the profile was made after all that shows l: an
// earlier profile of the user may remember it, this one never did.
func (s *MappingState) madeAfter(l *Life) bool {
	if s.Made.IsZero() || s.Drives[l.Drive] != nil {
		return false
	}
	return len(l.Maps) > 0 && !slices.ContainsFunc(l.Maps, func(o *evidence.Fact) bool {
		return !o.Time.Add(EffectAfter).Before(s.Made)
	})
}

// Anew reports whether the profile of s was made after the state before: the two
// are of different hives, and what s lacks was not removed.
func (s *MappingState) Anew(before *MappingState) bool {
	return !s.Made.IsZero() && !before.Made.IsZero() && s.Made.After(before.AsOf) && s.Made.Sub(before.Made) > baselineSlack
}

// follows reports whether a hive as written in s is what it became after it was as
// in b, whose newest time is asOf, and what speaks against it. It counts its writes:
// it is not if it counts fewer. Where times contradict the order, and neither number
// tells, that is unknown; unstamped says that a key lacks the time of a change.
func follows(s, b evidence.Written, asOf time.Time, unstamped bool) (is Tri, against string) {
	counted := s.Sequence > 1 && b.Sequence > 1 && !s.Reorganized.After(asOf)
	switch {
	case counted && s.Sequence < b.Sequence:
		return No, fmt.Sprintf("it counts %d writes, and the state as of %s counts %d", s.Sequence, evidence.FormatTime(asOf), b.Sequence)
	case s.SetBack:
		against = "no key in it is newer than the state as of " + evidence.FormatTime(asOf)
	case unstamped:
		against = "its last change is older than what the state as of " + evidence.FormatTime(asOf) + " holds"
	}
	if against == "" || counted && s.Sequence > b.Sequence {
		return Yes, against
	}
	return Unknown, against
}

// Follows reports whether s, which comes after b, is what the hive became, and what
// speaks against it: not if an older one was put back in between.
func (s *MappingState) Follows(b *MappingState) (is Tri, against string) {
	unstamped := false
	for drive, k := range b.Drives {
		unstamped = unstamped || s.Drives[drive] == nil && !s.LastChange.IsZero() && s.LastChange.Before(k.Time)
	}
	return follows(s.Written, b.Written, b.AsOf, unstamped)
}

// Follows is as that of a MappingState.
func (s *SharesState) Follows(b *SharesState) (is Tri, against string) {
	return follows(s.Written, b.Written, b.AsOf, !s.LastChange.IsZero() && s.LastChange.Before(b.LastChange))
}

// noteOrder notes of each state the one before it, and what speaks against its being
// what the hive of its user became after that.
func noteOrder(states []*MappingState) {
	last := map[string]*MappingState{}
	for _, s := range states { // ordered
		who := account(s.User, s.SID)
		if s.before = last[who]; s.before != nil && !s.Anew(s.before) {
			if is, against := s.Follows(s.before); is != Yes {
				s.putBack = against
			}
		}
		last[who] = s
	}
}

// putBackAfter is the index of the first of the states of l's user that an older
// hive may have been put back for, after what shows l last: what comes from there
// on lacks l without its having been removed. It is len(states) if there is none.
func (c *Case) putBackAfter(l *Life, states []*MappingState) int {
	from := len(states) // the first that need not be what the hive with l became
	for i, s := range states {
		switch {
		case slices.ContainsFunc(l.Maps, func(o *evidence.Fact) bool {
			return o.Artifact == "mapped-drives" && slices.Contains(o.Views(), s.Place)
		}):
			from = i + 1 // it holds l, or the deleted key of it
		case from == len(states) && !s.AsOf.Before(l.begin()):
			from = i
		}
	}
	for i := from; i < len(states); i++ {
		if states[i].putBack != "" {
			return i
		}
	}
	return len(states)
}

// PutBackSince reports whether an older hive may have been put back after what
// shows l last.
func (c *Case) PutBackSince(l *Life) bool {
	states := c.StatesOf(l.User, l.SID)
	return c.putBackAfter(l, states) < len(states)
}

// MadeAnew returns a warning for each hive that another one was put in the place of:
// of a profile that was made after another state of the same user's, or an older one.
func (c *Case) MadeAnew() (problems []evidence.Problem) {
	for _, s := range c.States { // ordered
		if s.before != nil && s.Anew(s.before) {
			problems = append(problems, evidence.Problem{
				Severity: evidence.Warning,
				What:     fmt.Sprintf("the profile was made anew at %s, after an earlier state of the hive: what that one holds and this one lacks was not removed from it", evidence.FormatTime(s.Made)),
				From:     evidence.Provenance{Place: s.Place, Offset: -1, Length: -1},
			})
		}
		if why := s.putBack; why != "" {
			problems = append(problems, evidence.Problem{
				Severity: evidence.Warning,
				What:     why + ": an older hive was put back, as the restoring of a profile or of a machine does, or the clock was set back. What earlier states hold and this one lacks need not have been removed",
				From:     evidence.Provenance{Place: s.Place, Offset: -1, Length: -1},
			})
		}
	}
	return problems
}

// StatesOf returns the sets of remembered mappings of a user, oldest first.
func (c *Case) StatesOf(user, sid string) (out []*MappingState) {
	for _, s := range c.States {
		if SameUser(s.User, s.SID, user, sid) {
			out = append(out, s)
		}
	}
	return out
}
