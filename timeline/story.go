package timeline

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// storySpan is how far before and after a removal its story reaches, and within
// which a command and the end of its session at the server belong together
// (ATT&CK DET0103, TimeWindow).
const storySpan = 5 * time.Minute

// fileBurst is how many files of a share one session opens to be told of.
const fileBurst = 50

// tell adds to the reasoning of a removal, and of an end, what the evidence has of its session,
// of what came shortly before it, of what the other side recorded, and of what
// followed. What is not dated within the span of a story has no before and after.
func (c *Case) tell(f *Found) {
	l := f.Life()
	if f.Kind() != KindRemoval && f.Kind() != KindEnd {
		return
	}
	if l != nil {
		c.tellServer(f, l)
	}
	w := f.Window
	dated := f.Kind() == KindRemoval && !w.NotBefore.IsZero() && !w.NotAfter.IsZero() && w.NotAfter.Sub(w.NotBefore) <= storySpan
	if dated {
		c.tellSession(f)
		c.tellBefore(f, l)
	}
	if l != nil {
		c.tellSides(f, l)
	}
	if dated {
		c.tellAfter(f)
	}
}

// tellServer says of a server that is no other computer, or no SMB server, what
// it is: such a connection is not one of a share across the network.
func (c *Case) tellServer(f *Found, l *Life) {
	server := evidence.ServerOf(l.Share)
	switch {
	case l.Side != evidence.Client || l.Share == "":
	case l.Provider() != "":
		f.say(fmt.Sprintf("%s is no SMB share: %s carries it.", l.Share, l.Provider()))
	case c.IsOwnName(server):
		f.say(fmt.Sprintf("%s is this computer itself: nothing of the connection went over the network.", server))
	}
}

// say adds a step to the gap's reasoning under its own rule.
func (f *Found) say(text string, facts ...*evidence.Fact) {
	f.add(f.Rule, Step{Statement: text, Observations: Ids(facts...)})
}

// tellSession names the logon in which the removal was done.
func (c *Case) tellSession(f *Found) {
	by := f.Claims[0].Actor
	if by == nil || by.LogonID == "" {
		return
	}
	if o := c.logonOf(by); o != nil {
		text := fmt.Sprintf("It was done in the session that %s began at %s", orUnknown(o.User), evidence.FormatTime(o.Time))
		if t := o.Detail.Text("LogonType"); t != "" {
			text += ", of logon type " + t
		}
		if o.Peer != "" {
			text += ", from " + o.Peer
		}
		f.say(text+".", o)
	}
}

// logonOf returns the logon that began the session of o, or nil.
func (c *Case) logonOf(o *evidence.Fact) (logon *evidence.Fact) {
	for _, e := range c.self().logons[o.LogonID] {
		if e.Time.After(o.Time) {
			break
		}
		logon = e
	}
	if logon == nil {
		return nil
	}
	for _, b := range c.self().boots { // ids of logons begin anew
		if b.After(logon.Time) && b.Before(o.Time) {
			return nil
		}
	}
	return logon
}

// Between returns the dated observations of c from one instant to another.
func (c *Case) Between(from, to time.Time) []*evidence.Fact {
	return between(c.Observations, from, to)
}

// Edges returns the logons, logoffs, starts and ends of Windows from one instant
// to another.
func (c *Case) Edges(from, to time.Time) []*evidence.Fact {
	return between(c.edges, from, to)
}

// Forever is later than anything that is recorded.
var Forever = time.Unix(1<<40, 0)

// between is the dated part of list, which is by time, undated last, from one
// instant to another.
func between(list []*evidence.Fact, from, to time.Time) []*evidence.Fact {
	at := func(t time.Time, after bool) int {
		return sort.Search(len(list), func(i int) bool {
			x := list[i].Time
			return x.IsZero() || x.After(t) || !after && x.Equal(t)
		})
	}
	i, j := at(from, false), at(to, true)
	return list[i:max(i, j)]
}

// tellBefore tells what the same account did with shares shortly before.
func (c *Case) tellBefore(f *Found, l *Life) {
	var logons, listed, copied, used []*evidence.Fact
	for _, o := range c.Between(f.Window.NotBefore.Add(-storySpan), f.Window.NotBefore) {
		if !f.sameActor(o) {
			continue
		}
		switch {
		case o.Action == evidence.Logon && !isMachine(o):
			logons = append(logons, o)
		case o.Action == evidence.Used && l != nil && (slices.Contains(l.Uses, o) || l.Side == evidence.Server && evidence.ShareKey(o.Share) == evidence.ShareKey(l.Share)):
			used = append(used, o)
		case listsShares(o):
			listed = append(listed, o)
		case l != nil && copiesFrom(o, l):
			copied = append(copied, o)
		}
	}
	if len(logons) > 0 {
		f.say(fmt.Sprintf("Within 5 minutes before, %s logged on, at %s.", orUnknown(logons[0].User), evidence.FormatTime(logons[0].Time)), logons...)
	}
	if len(used) > 0 {
		f.say(fmt.Sprintf("Within 5 minutes before, the share was used, last at %s.", evidence.FormatTime(used[len(used)-1].Time)), used...)
	}
	if len(listed) > 0 {
		f.say(fmt.Sprintf("Within 5 minutes before, shares were listed: %s.", lines(listed)), listed...)
		f.Attack = addNew(f.Attack, "T1135")
	}
	copied = append(c.copiesBefore(f, l), copied...)
	if len(copied) > 0 {
		f.say(fmt.Sprintf("While it stood, commands that copy from it were run, last at %s: %s.", evidence.FormatTime(copied[len(copied)-1].Time), lines(copied)), copied...)
		f.Attack = addNew(f.Attack, "T1039")
	}
	if l != nil && l.Side == evidence.Client && IsDefaultShare(shareName(l.Share)) {
		f.Attack = addNew(f.Attack, "T1021.002")
	}
}

// copiesBefore returns the commands that copied from connection l while it
// stood, before the span that tellBefore reads.
func (c *Case) copiesBefore(f *Found, l *Life) (out []*evidence.Fact) {
	if l == nil || l.Side != evidence.Client || len(l.Maps) == 0 {
		return nil
	}
	for _, o := range c.Between(l.MappedAtFirst(), f.Window.NotBefore.Add(-storySpan).Add(-1)) {
		if copiesFrom(o, l) && SameUser(o.User, o.SID, l.User, l.SID) {
			out = append(out, o)
		}
	}
	return out
}

// sameActor reports whether o is by the account that did what f is about, or
// whose connection it was.
func (f *Found) sameActor(o *evidence.Fact) bool {
	if by := f.Claims[0].Actor; by != nil && SameUser(by.User, by.SID, o.User, o.SID) {
		return true
	}
	return SameUser(f.User, f.SID, o.User, o.SID)
}

// tellAfter tells what shortly after hides, or destroys, further traces.
func (c *Case) tellAfter(f *Found) {
	what := []struct {
		is   func(o *evidence.Fact) bool
		text string
		tag  string
	}{
		{func(o *evidence.Fact) bool { return o.Action == evidence.LogCleared }, "a log was cleared", "T1070.001"},
		{ofClass("log.clear"), "a command to clear a log was given", "T1070.001"},
		{ofClass("shadow.delete"), "a command to delete shadow copies was given", "T1490"},
		{ofClass("history.clear"), "a command to remove the history of commands was given", "T1070.003"},
		{ofClass("audit.off"), "a command to switch auditing off was given", "T1562.002"},
	}
	list := c.Between(f.Window.NotBefore, f.Window.NotAfter.Add(storySpan))
	for _, w := range what {
		var facts []*evidence.Fact
		for _, o := range list {
			if w.is(o) {
				facts = append(facts, o)
			}
		}
		if len(facts) == 0 {
			continue
		}
		by := "by another account, " + orUnknown(facts[0].User)
		if f.sameActor(facts[0]) {
			by = "by the same account"
			f.Attack = addNew(f.Attack, w.tag)
		} else if facts[0].User == "" && facts[0].SID == "" {
			by = "by an account that is not recorded"
		}
		f.say(fmt.Sprintf("Within 5 minutes after, %s, first at %s, %s: %s.", w.text, evidence.FormatTime(facts[0].Time), by, lines(facts)), facts...)
	}
	for _, o := range c.burstsNear(f) {
		n := o.Detail.Int("count")
		f.say(fmt.Sprintf("From 5 minutes before to 5 minutes after, one session of %s opened or checked %s of %s.", orUnknown(o.User), Counted(n, "file", "files"), o.Share), o)
	}
}

func ofClass(class string) func(*evidence.Fact) bool {
	return func(o *evidence.Fact) bool {
		return o.Action == evidence.Command && o.Detail.Text("Class") == class && !elsewhere(o)
	}
}

// burstsNear returns the accesses to many files by one session that reach into
// the story of f: at this host, or by this host at servers of the evidence.
func (c *Case) burstsNear(f *Found) (out []*evidence.Fact) {
	from, to := f.Window.NotBefore.Add(-storySpan), f.Window.NotAfter.Add(storySpan)
	reaches := func(o *evidence.Fact) bool {
		first, _ := o.Detail.Get("first").(time.Time)
		last, _ := o.Detail.Get("last").(time.Time)
		return o.From().EventID == 5145 && o.Detail.Int("count") >= fileBurst && !first.After(to) && !last.Before(from)
	}
	for _, v := range append(slices.Clone(c.Visits()), c.Visitors()...) {
		for _, o := range v.Opens {
			if reaches(o) && !IsSystemShare(shareName(o.Share)) && !slices.Contains(out, o) {
				out = append(out, o)
			}
		}
	}
	return out
}

// listsShares reports whether o lists the shares of a computer: net view, net
// share without a name, or the server's pipe for it.
func listsShares(o *evidence.Fact) bool {
	if o.Action == evidence.Used && o.From().EventID == 5145 {
		return strings.EqualFold(strings.Trim(o.Detail.Text("RelativeTargetName"), `\`), "srvsvc")
	}
	words := programAndWords(o)
	if len(words) < 2 || words[0] != "net" && words[0] != "net1" {
		return false
	}
	return words[1] == "view" || words[1] == "share" && len(words) == 2
}

// copiesFrom reports whether o is a command that copies from the letter or the
// share of l to somewhere else.
func copiesFrom(o *evidence.Fact, l *Life) bool {
	words := programAndWords(o)
	if len(words) < 3 || words[0] != "xcopy" && words[0] != "robocopy" {
		return false
	}
	on := func(path string) bool {
		path = strings.Trim(path, `"`)
		return l.Drive != "" && strings.HasPrefix(path, strings.ToLower(l.Drive)) || l.Share != "" && strings.HasPrefix(path+`\`, evidence.ShareKey(l.Share)+`\`)
	}
	return on(words[1]) && !on(words[2])
}

// programAndWords returns the program that o started, without its path and .exe,
// and the words that it was given, lower case.
func programAndWords(o *evidence.Fact) []string {
	if o.Process == nil || o.Artifact != "process-creation" {
		return nil
	}
	words := strings.Fields(strings.ToLower(o.Process.CommandLine))
	if len(words) == 0 {
		return nil
	}
	image := strings.ToLower(o.Process.Image)
	words[0] = strings.TrimSuffix(image[strings.LastIndexAny(image, `\/`)+1:], ".exe")
	return words
}

// lines quotes the first of the commands or records, and counts the others.
func lines(list []*evidence.Fact) string {
	o := list[0]
	s := strings.TrimSuffix(o.Summary, ".")
	if o.Process != nil && o.Process.CommandLine != "" {
		s = "`" + strings.Join(strings.Fields(o.Process.CommandLine), " ") + "`"
		if r := []rune(s); len(r) > 160 {
			s = string(r[:159]) + "…`"
		}
	}
	if n := len(list) - 1; n > 0 {
		s += fmt.Sprintf(", and %d more", n)
	}
	return s
}

func orUnknown(user string) string {
	if user == "" {
		return "an unknown account"
	}
	return user
}
