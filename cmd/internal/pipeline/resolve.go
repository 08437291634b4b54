package pipeline

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/source"
	"sharetrail/parsers/source/triage"
)

// resolve gives every fact its host and user, and returns all facts together.
func resolve(tasks []*task) (obs []*evidence.Fact, facts []evidence.Coverage, problems []evidence.Problem) {
	joinRecent(tasks)
	hosts := nameHosts(tasks)
	hosts.carvedHosts(tasks)
	for _, t := range tasks {
		t.place.Host = hosts.volume[t.vol]
		for o := range t.statements() {
			o.Host = hosts.canonical(cmp.Or(o.Host, t.place.Host))
			if rest, ok := strings.CutPrefix(o.Share, anyServer); ok {
				o.Share = `\\` + o.Host + `\` + rest
				o.Summary = strings.ReplaceAll(o.Summary, anyServer, `\\`+o.Host+`\`)
			}
		}
		for i := range t.out.Coverage {
			c := &t.out.Coverage[i]
			c.Host = hosts.canonical(cmp.Or(c.Host, t.place.Host))
		}
		// A file whose facts all belong to one other host, such as a loose
		// log, lies on that host as far as anybody can tell.
		if len(t.out.Coverage) > 0 && t.vol.Loose {
			t.place.Host = t.out.Coverage[0].Host
		}
		if t.raw() && t.vol.Loose {
			t.place.Host = cmp.Or(onlyHost(t.out.Observations), t.place.Host)
		}
		for _, p := range t.out.Places {
			p.Host = t.place.Host
		}
	}
	users := nameUsers(tasks)
	for _, t := range tasks {
		users.setApart(t)
		for o := range t.statements() {
			users.fill(o)
		}
		for i := range t.out.Coverage {
			users.fillCoverage(&t.out.Coverage[i])
			t.told = t.told || t.out.Coverage[i].Evidence != "registry:"+string(hive.Unknown)
		}
		obs = append(obs, t.out.Observations...)
		facts = append(facts, t.out.Coverage...)
		problems = append(problems, t.out.Problems...)
		t.out.Observations, t.out.Coverage = nil, nil
	}
	return obs, append(facts, volumeFacts(tasks, hosts)...), problems
}

// statements returns what the facts of t say, each once: facts share them.
func (t *task) statements() iter.Seq[*evidence.Observation] {
	return func(yield func(*evidence.Observation) bool) {
		seen := map[*evidence.Observation]bool{}
		for _, f := range t.out.Observations {
			if o := f.Observation; !seen[o] {
				seen[o] = true
				if !yield(o) {
					return
				}
			}
		}
	}
}

// anyServer is how a server's own records begin the names of its shares.
const anyServer = `\\*\`

// hostNames maps volumes, and computer names as records spell them, to hosts.
type hostNames struct {
	volume map[*source.Volume]string
	spelt  map[string]string // folded name as found → host
}

func (h *hostNames) canonical(name string) string {
	if host, ok := h.spelt[strings.ToLower(name)]; ok {
		return host
	}
	return name
}

// nameHosts works out which computer each volume belongs to: ComputerName of
// its SYSTEM hive, else the Computer of its logs, else what the collection
// says. Volumes of one name with different machine SIDs are different hosts.
func nameHosts(tasks []*task) *hostNames {
	h := &hostNames{volume: map[*source.Volume]string{}, spelt: map[string]string{}}
	type seen struct {
		name, sid string
		image     imageKey
		tasks     []*task
	}
	var order []*source.Volume
	known := map[*source.Volume]*seen{}
	var names []string // of SYSTEM hives first, then of logs
	for _, t := range tasks {
		if known[t.vol] == nil {
			known[t.vol] = &seen{image: imageKey{t.read.Source, cmp.Or(t.vol.Image, drives(t.vol))}}
			order = append(order, t.vol)
		}
		known[t.vol].tasks = append(known[t.vol].tasks, t)
		if t.file.Deleted {
			continue
		}
		for _, o := range t.out.Observations {
			switch o.Artifact {
			case "computer":
				if n := o.Detail.Text("ComputerName"); n != "" && (known[t.vol].name == "" || t.inUse()) {
					known[t.vol].name = n
					names = append(names, n)
				}
			case "machine-sid":
				if known[t.vol].sid == "" || t.inUse() {
					known[t.vol].sid = o.Detail.Text("MachineSID")
				}
			}
		}
	}
	for _, t := range tasks {
		t.foreign(known[t.vol].name)
	}
	for _, t := range tasks {
		for _, c := range t.out.Coverage {
			if c.Computer != "" {
				names = append(names, c.Computer)
			}
		}
	}
	h.spell(names)
	// A snapshot belongs to the host of its volume. The volume itself is known
	// by its snapshots if it says nothing.
	var own []*source.Volume
	for _, v := range order {
		if v.Of == nil || known[v.Of] == nil {
			own = append(own, v)
			continue
		}
		k := known[v.Of]
		k.name, k.sid = cmp.Or(k.name, known[v].name), cmp.Or(k.sid, known[v].sid)
	}
	images := map[imageKey][]string{} // names of the computers on one disk, or whose drives were collected together
	name := func(v *source.Volume) string { return cmp.Or(known[v].name, computerOfLogs(known[v].tasks)) }
	for _, v := range own {
		if at := known[v].image; at.image != "" && name(v) != "" {
			images[at] = append(images[at], strings.ToLower(h.canonical(name(v))))
		}
	}
	taken := map[string]string{} // host → machine SID
	for _, v := range own {
		k := known[v]
		disk := ""
		if names := images[k.image]; len(slices.Compact(slices.Sorted(slices.Values(names)))) == 1 {
			disk = names[0]
		}
		name := cmp.Or(name(v), v.HostHint, disk, v.Label)
		name = h.canonical(name)
		for n := 2; k.sid != "" && taken[name] != "" && taken[name] != k.sid; n++ {
			name = h.canonical(cmp.Or(k.name, v.Label)) + "~" + strconv.Itoa(n)
		}
		if taken[name] == "" {
			taken[name] = k.sid
		}
		h.volume[v] = name
	}
	for _, v := range order {
		if v.Of != nil && known[v.Of] != nil {
			h.volume[v] = h.volume[v.Of]
		}
	}
	return h
}

// inUse reports whether a hive has the name by which Windows loads it.
func (t *task) inUse() bool {
	name, _ := cutCopy(path.Base(t.file.Path))
	return slices.ContainsFunc([]string{"SYSTEM", "SOFTWARE", "SAM", "SECURITY"}, func(s string) bool { return strings.EqualFold(s, name) })
}

// foreign empties the task of a SYSTEM hive that lies beside that of a Windows and
// names another computer: it is no state of the one in use.
func (t *task) foreign(computer string) {
	if t.vol.Loose || t.file.Kind != source.Hive || t.inUse() {
		return
	}
	for _, o := range t.out.Observations {
		n := o.Detail.Text("ComputerName")
		if o.Artifact != "computer" || n == "" || strings.EqualFold(n, computer) {
			continue
		}
		t.out.Observations, t.out.Coverage = nil, nil
		t.out.Problems = append(t.out.Problems, evidence.Problem{
			Severity: evidence.Warning, What: fmt.Sprintf("is a SYSTEM hive of another computer or name (%s), beside the one that Windows uses: left out; extract it and point at it", n),
			From: evidence.Provenance{Place: t.place, Offset: -1, Length: -1},
		})
		return
	}
}

// An imageKey names a disk image of a source, or the drives of one collection.
type imageKey struct{ source, image string }

// drives names the collection that a volume is a drive of, by the directory that
// holds its drives ("C", "D") and the name that it gives to the host.
func drives(v *source.Volume) string {
	if v.Loose || v.Root == "" || !triage.IsDrive(path.Base(v.Root)) {
		return ""
	}
	within, _ := strings.CutSuffix(v.ID, v.Root)
	return "drives of " + within + v.Label
}

// spell decides which spellings are one host: those that differ in case only,
// and a short name and the one full name that begins with it.
func (h *hostNames) spell(names []string) {
	full := map[string][]string{} // folded short name → folded full names
	for _, n := range names {
		low := strings.ToLower(n)
		if short, _, ok := strings.Cut(low, "."); ok && !slices.Contains(full[short], low) {
			full[short] = append(full[short], low)
		}
	}
	for _, n := range names {
		low := strings.ToLower(n)
		if h.spelt[low] != "" {
			continue
		}
		h.spelt[low] = n
		short, _, isFull := strings.Cut(low, ".")
		switch twins := full[short]; {
		case len(twins) != 1:
		case !isFull:
			if h.spelt[twins[0]] == "" {
				h.spelt[twins[0]] = n
			} else {
				h.spelt[low] = h.spelt[twins[0]]
			}
		case h.spelt[short] == "" && slices.ContainsFunc(names, func(m string) bool { return strings.EqualFold(m, short) }):
			h.spelt[short] = n
		}
	}
}

// computerOfLogs returns the computer that the logs of a volume, of which tasks
// are, name last.
func computerOfLogs(tasks []*task) string {
	var best evidence.Coverage
	for _, t := range tasks {
		if t.file.Deleted {
			continue
		}
		for _, c := range t.out.Coverage {
			if c.Computer != "" && c.Host == "" && (best.Computer == "" || c.To.After(best.To)) {
				best = c
			}
		}
	}
	return best.Computer
}

// A hostUser is one name on one host.
type hostUser struct{ host, name string }

// userNames knows which SID is which account.
type userNames struct {
	name    map[hostUser]string // host, SID → account name
	domain  map[string]string   // SID of a domain account → name, on any host
	profile map[hostUser]string // host, folded profile folder → SID
	spelt   map[hostUser]string // host, folded profile folder → as Windows spells it
	current map[hostUser]inUse  // host, SID → the profile that it has now
	sid     map[hostUser]string // host, folded account → SID; "" if several
}

func nameUsers(tasks []*task) *userNames {
	u := &userNames{map[hostUser]string{}, map[string]string{}, map[hostUser]string{}, map[hostUser]string{}, map[hostUser]inUse{}, map[hostUser]string{}}
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
					u.current[by] = inUse{at.name, o.Time}
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

// inUse is a profile folder, folded, and as of when an account has it.
type inUse struct {
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
			t.out.Problems = append(t.out.Problems, evidence.Problem{
				Severity: evidence.Warning, What: fmt.Sprintf("its account has another profile now, in the folder %q: what this one holds is told apart, and is not compared with the other", now.folder),
				From: evidence.Provenance{Place: t.place, Offset: -1, Length: -1},
			})
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

// identify orders the facts, makes one row of the same fact in several places,
// and gives each its id.
func identify(obs []*evidence.Fact) []*evidence.Fact {
	sortObservations(obs)
	// The same event has the same time, so that the many facts of logs need no
	// memory of all that came before.
	var rest []*evidence.Fact
	events := obs[:0]
	for _, o := range obs {
		if o.Time.IsZero() || o.From().Channel == "" {
			rest = append(rest, o)
		} else {
			events = append(events, o)
		}
	}
	kept := obs[:0]
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].Time.Equal(events[0].Time) {
			n++
		}
		kept = append(kept, distinct(events[:n])...)
		events = events[n:]
	}
	kept = append(kept, distinct(rest)...)
	clear(obs[len(kept):])
	sortObservations(kept)
	return kept
}

// distinct makes one of the facts that are the same, from its best state on, and
// gives each its id.
func distinct(obs []*evidence.Fact) []*evidence.Fact {
	slices.SortStableFunc(obs, func(a, b *evidence.Fact) int { return cmp.Compare(stateRank(a.State), stateRank(b.State)) })
	if len(obs) == 1 { // as most are
		obs[0].SetID(0)
		return obs
	}
	at := map[factKey]*evidence.Fact{}
	ordinals := map[string]int{}
	kept := obs[:0]
	for _, o := range obs {
		key := sameFact(o)
		if first := at[key]; first == nil {
			at[key] = o
		} else if !slices.Contains(first.Views(), o.Views()[0]) || copied(first, o) {
			// One structure may state two facts that agree in everything;
			// the same fact elsewhere differs in its place.
			first.AddViews(o.Views()...)
			at, also := first.From(), o.From()
			if !sameStructure(&at, &also) && !slices.ContainsFunc(first.AlsoAt(), func(p evidence.Provenance) bool { return sameStructure(&p, &also) }) {
				first.AddPlace(also)
			}
			continue
		}
		o.SetID(0)
		n := ordinals[o.ID]
		ordinals[o.ID]++
		if n > 0 {
			o.SetID(n)
		}
		kept = append(kept, o)
	}
	clear(obs[len(kept):])
	return kept
}

// copied reports whether o is another copy, in the same stream, of the carved
// record that a is.
func copied(a, o *evidence.Fact) bool {
	return o.State == evidence.Carved && o.From().Channel != "" && a.From().Offset != o.From().Offset
}

// sameStructure reports whether a and b name the same bytes of the same file,
// perhaps in different states of it.
func sameStructure(a, b *evidence.Provenance) bool {
	return a.Offset == b.Offset && a.Source == b.Source && a.Volume == b.Volume && a.Snapshot == b.Snapshot && a.Path == b.Path
}

// A factKey is a hash of all that makes a fact that one.
type factKey [sha256.Size]byte

// sameFact is equal for two observations that state one fact: the same record
// of a log, live or archived, or the same entry of a user's or host's registry
// with the same time and content.
func sameFact(o *evidence.Fact) factKey {
	var room [512]byte
	b := room[:0]
	add := func(parts ...string) {
		for _, p := range parts {
			b = append(append(b, p...), 0)
		}
	}
	add(o.Host, o.Artifact, string(o.Action), evidence.FormatTime(o.Time), string(o.TimeKind), o.Share, o.Drive, o.User, o.SID, o.Summary, o.LogonID)
	if from := o.From(); from.Channel != "" {
		add(strings.ToLower(from.Channel), strconv.FormatUint(from.RecordID, 10), strconv.Itoa(int(from.EventID)))
	} else {
		add(strings.ToLower(from.Key), strings.ToLower(from.Value))
		if from.Key == "" {
			add(path.Clean(from.Path), strconv.FormatInt(from.Offset, 10))
		}
	}
	if o.Process != nil {
		add(o.Process.Image, o.Process.CommandLine, o.Process.PID)
	}
	if seg, ok := o.Detail.Get("Segment").(int64); ok {
		add(strconv.FormatInt(seg, 10))
	}
	return factKey(sha256.Sum256(b))
}

// stateRank orders states from the best place of a fact to the worst.
func stateRank(s evidence.State) int {
	return slices.Index([]evidence.State{evidence.Live, evidence.Replayed, evidence.Shadow, evidence.Deleted, evidence.Carved}, s)
}

// sortObservations puts facts in the order of output: by time, undated last.
func sortObservations(obs []*evidence.Fact) {
	slices.SortStableFunc(obs, func(a, b *evidence.Fact) int {
		if a.Time.IsZero() != b.Time.IsZero() {
			if a.Time.IsZero() {
				return 1
			}
			return -1
		}
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		p, q := a.From(), b.From()
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(p.Path, q.Path), strings.Compare(p.Snapshot, q.Snapshot),
			cmp.Compare(p.Offset, q.Offset), cmp.Compare(p.RecordID, q.RecordID), strings.Compare(a.ID, b.ID),
			strings.Compare(p.Source, q.Source), strings.Compare(p.Volume, q.Volume), strings.Compare(a.Summary, b.Summary))
	})
}
