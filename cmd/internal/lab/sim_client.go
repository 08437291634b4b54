package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A simLife is the life of one share for one user, or of one exported share.
type simLife struct {
	owner      *simUser
	letter     string // without colon; "" if there is none
	share      string
	persistent bool   // remembered in HKCU\Network
	mapHow     string // name of the way
	mapCmd     simCmd // the command that mapped it, if there was one
	mapped     time.Time
	written    time.Time // of Network\X, or of the value in Shares
	removal    *simRemoval
	looked     time.Time   // when Explorer made its key of the share; zero if it did not
	uses       []time.Time // when clients connected to an exported share
	chances    []simChance
}

// A simCmd is a command line that was run: "process" for a program, "script"
// for a PowerShell script block. Its zero value is none.
type simCmd struct {
	t    time.Time
	kind string
}

// A simRemoval is how a life ended.
type simRemoval struct {
	at, end   time.Time // the act, from its first trace to its last
	by, how   string    // who or what, and the exact command or call
	behaviour string    // name of the way
	cmds      []simCmd
	all       bool   // the command names no drive
	cell      string // condition of the deleted key's cells; "" is overwritten
	sacl      bool   // the key had an audit entry
	benign    string // the innocent cause, "" if there is none
	policyLog bool   // the Group Policy log has the drive maps extension or the script at work
}

// A simChance is a doubt of the behaviour matrix and how the dice fell.
type simChance struct {
	What        string  `json:"what"`
	Probability float64 `json:"probability"`
	Happened    bool    `json:"happened"`
}

// doubt decides what the behaviour matrix leaves open.
func (l *simLife) doubt(what string, p float64) bool {
	c := simChance{what, p, l.owner.chance(p)}
	l.chances = append(l.chances, c)
	return c.Happened
}

// A simChange is one change below HKCU\Network: '+' a mapping, '=' a rewritten
// one, '-' a removed one.
type simChange struct {
	t      time.Time
	letter string
	op     byte
	life   *simLife
}

// A simWay is one way to map or to remove, with how often it is taken.
type simWay struct {
	name   string
	weight int
	do     func(u *simUser, t time.Time, l *simLife)
}

func (u *simUser) way(ways []simWay) simWay {
	total := 0
	for _, w := range ways {
		total += w.weight
	}
	n := u.rng.IntN(total)
	for _, w := range ways {
		if n -= w.weight; n < 0 {
			return w
		}
	}
	return ways[len(ways)-1]
}

// work makes up what the user maps, uses and removes.
func (u *simUser) work() {
	for _, s := range u.sessions {
		end := s.to
		if end.IsZero() {
			end = u.collected
		}
		u.atLogon(s.from)
		t := s.from.Add(u.between(2*time.Minute, time.Hour))
		for range u.rng.IntN(4) {
			if !t.Before(end.Add(-15 * time.Minute)) {
				break
			}
			u.act(t)
			if u.chance(0.15) { // soon after, something that shows; what does not would break the convention of E2
				u.mapNew(t.Add(u.between(4*time.Second, 40*time.Second)), mapWays[0])
			}
			t = t.Add(u.between(2*time.Minute, 3*time.Hour))
		}
		if !s.to.IsZero() {
			u.atLogoff(s.to)
		}
	}
}

// act is one thing a user, an administrator or malware does at t.
func (u *simUser) act(t time.Time) {
	live := u.live(t)
	switch {
	case u.chance(0.08):
		u.deviceless(t)
	case len(live) == 0 || u.chance(0.4):
		u.mapNew(t, u.way(mapWays))
	case u.benign:
		u.way(keepWays).do(u, t, pick(u.simHost, live))
	case u.chance(0.15):
		u.way(keepWays).do(u, t, pick(u.simHost, live))
	case u.chance(0.15):
		u.removeAll(t, `C:\Windows\System32\cmd.exe`, "", "net use * /delete")
	default:
		l := pick(u.simHost, live)
		if !l.persistent {
			netDelete(u, t, l)
			return
		}
		w := u.way(removeWays)
		w.do(u, t, l)
		l.removal.behaviour = w.name
		u.cover(t.Add(u.between(35*time.Second, 90*time.Second)), l)
	}
}

// live are the user's lettered mappings at t.
func (u *simUser) live(t time.Time) []*simLife {
	return slices.DeleteFunc(u.connected(t), func(l *simLife) bool { return l.letter == "" })
}

// connected are the user's connections at t.
func (u *simUser) connected(t time.Time) []*simLife {
	var all []*simLife
	for _, l := range u.lives {
		if l.removal == nil && !l.mapped.After(t) && (l.persistent || !l.ended(t)) {
			all = append(all, l)
		}
	}
	return all
}

// ended reports whether a session of l's owner ended between l's mapping and t.
func (l *simLife) ended(t time.Time) bool {
	for _, s := range l.owner.sessions {
		if !s.to.IsZero() && s.to.After(l.mapped) && s.to.Before(t) {
			return true
		}
	}
	return false
}

// mapNew maps a share to a free letter.
func (u *simUser) mapNew(t time.Time, w simWay) *simLife {
	if !strings.ContainsFunc(simLetters, func(r rune) bool { return !u.busy(string(r), t) }) {
		return nil // who has no letter left maps no more
	}
	l := &simLife{owner: u, mapHow: w.name, share: fmt.Sprintf(`\\fs%02d\%s`, 1+u.rng.IntN(3), pick(u.simHost, simShares))}
	if n := len(u.lives); n > 0 && u.chance(0.3) { // letters and shares are used again
		if old := u.lives[u.rng.IntN(n)]; old.letter != "" {
			l.letter, l.share = old.letter, pick(u.simHost, []string{old.share, l.share})
		}
	}
	for l.letter == "" || u.busy(l.letter, t) {
		l.letter = string(simLetters[u.rng.IntN(len(simLetters))])
	}
	u.lives = append(u.lives, l)
	w.do(u, t, l)
	return l
}

const simLetters = "HJKLMPQSTUVWXYZ"

var simShares = []string{"finance", "legal", "projects", "media", "backup$", "home", "hr-data"}

// busy reports whether a letter is taken at t, or about to be.
func (u *simUser) busy(letter string, t time.Time) bool {
	if u.benign && u.routine != nil && u.routine.letter == letter {
		return true // its script would remove what stands there
	}
	for _, l := range u.lives {
		if l.letter == letter && (l.removal == nil || l.removal.at.After(t)) && (l.mapped.After(t) || l.persistent || !l.ended(t)) {
			return true
		}
	}
	return false
}

// run and script say that a command is run, and return it.
func (u *simUser) run(t time.Time, options, format string, args ...any) simCmd {
	u.say(t, "run %s %s%s", u.name, options, fmt.Sprintf(format, args...))
	return simCmd{t, "process"}
}

func (u *simUser) script(t time.Time, format string, args ...any) simCmd {
	text := fmt.Sprintf(format, args...)
	u.say(t, "script %s %s", u.name, text)
	u.typed = append(u.typed, simLine{t, text})
	return simCmd{t, "script"}
}

// driveMaps is the drive maps extension of Group Policy at work.
func (u *simUser) driveMaps(t time.Time) {
	u.say(t, "policy %s drives", u.name)
	u.policies = append(u.policies, t)
}

// remember is HKCU\Network\X being written at t.
func (l *simLife) remember(t time.Time, image string) {
	u := l.owner
	u.say(t, `map %s image=%s %s: %s`, u.name, image, l.letter, l.share)
	op := byte('+')
	if l.persistent {
		op = '='
	} else {
		l.mapped = t
	}
	l.persistent, l.written = true, t
	u.changes = append(u.changes, simChange{t, l.letter, op, l})
}

// look is Explorer seeing the share some time after t.
func (l *simLife) look(t time.Time, p float64) {
	if l.doubt("MountPoints2", p) {
		at := t.Add(l.owner.between(2*time.Second, 4*time.Minute))
		if at.Before(l.owner.collected.Add(-time.Minute)) {
			l.looked = at
			l.owner.say(at, "browse %s %s", l.owner.name, l.share)
		}
	}
}

// forget is HKCU\Network\X being deleted at t.
func (l *simLife) forget(t time.Time, image, by, how string, cmds ...simCmd) *simRemoval {
	u := l.owner
	r := &simRemoval{at: t, end: t, by: by, how: how, cmds: cmds, sacl: u.audit.registry && u.chance(0.7)}
	options := " image=" + image
	if l.doubt("the deleted key's cells stay", 0.5) {
		r.cell = "free"
		options += " cell=free"
	}
	if r.sacl {
		options += " sacl=yes"
	}
	l.removal = r
	u.changes = append(u.changes, simChange{t, l.letter, '-', l})
	u.say(t, "unmap %s%s %s:", u.name, options, l.letter)
	return r
}

// soon is when a command takes effect.
func (u *simUser) soon(t time.Time) time.Time {
	return t.Add(u.between(80*time.Millisecond, 900*time.Millisecond))
}

const (
	simNet      = `C:\Windows\System32\net.exe`
	simExplorer = `C:\Windows\explorer.exe`
	simReg      = `C:\Windows\System32\reg.exe`
	simPS       = `C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe`
	simService  = `C:\Windows\System32\svchost.exe`
)

// atLogon is what scripts and policy map.
func (u *simUser) atLogon(t time.Time) {
	if u.routine != nil {
		u.routine.runs(u, t.Add(u.between(8*time.Second, 40*time.Second)))
		return
	}
	if !u.chance(0.25) {
		return
	}
	at := t.Add(u.between(8*time.Second, 40*time.Second))
	if u.chance(0.5) {
		u.mapNew(at, simWay{"Group Policy drive map, create", 1, func(u *simUser, t time.Time, l *simLife) {
			u.driveMaps(t)
			l.remember(t.Add(u.between(100*time.Millisecond, 1900*time.Millisecond)), simService)
		}})
		return
	}
	u.say(at.Add(-2*time.Second), "policy %s logon", u.name)
	shell := `cmd.exe /c \\corp.example\netlogon\logon.cmd`
	u.run(at.Add(-time.Second), `parent="C:\Windows\System32\gpscript.exe /Logon" `, "%s", shell)
	if len(u.connected(at)) == 0 && u.chance(0.5) { // scripts like to begin with a clean table
		u.run(at.Add(-500*time.Millisecond), `parent="`+shell+`" `, "net use * /delete /y")
	}
	u.mapNew(at, simWay{"logon script", 1, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.run(t, `parent="`+shell+`" `, `net use %s: %s /persistent:yes`, l.letter, l.share)
		l.remember(u.soon(t), simNet)
	}})
}

// atLogoff is a script that removes all drives.
func (u *simUser) atLogoff(t time.Time) {
	if u.benign || len(u.live(t)) == 0 || !u.chance(0.12) {
		return
	}
	u.say(t.Add(-4*time.Second), "policy %s logoff", u.name)
	shell := `cmd.exe /c \\corp.example\netlogon\logoff.cmd`
	u.run(t.Add(-3*time.Second), `parent="C:\Windows\System32\gpscript.exe /Logoff" `, "%s", shell)
	u.removeAll(t.Add(-2500*time.Millisecond), shell, "script", "logoff script, net use * /delete")
	for _, l := range u.lives {
		if l.removal != nil && l.removal.behaviour == "logoff script, net use * /delete" && l.removal.at.After(t.Add(-4*time.Second)) {
			l.removal.policyLog = true
		}
	}
}
