package lab

import (
	"fmt"
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
			if u.chance(0.15) {
				t = t.Add(u.between(4*time.Second, 40*time.Second))
			} else {
				t = t.Add(u.between(2*time.Minute, 3*time.Hour))
			}
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
	}
}

// live are the user's lettered mappings at t.
func (u *simUser) live(t time.Time) []*simLife {
	var all []*simLife
	for _, l := range u.lives {
		if l.letter != "" && l.removal == nil && !l.mapped.After(t) && (l.persistent || !l.ended(t)) {
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
	l := &simLife{owner: u, mapHow: w.name, share: fmt.Sprintf(`\\fs%02d\%s`, 1+u.rng.IntN(3), pick(u.simHost, simShares))}
	if n := len(u.lives); n > 0 && u.chance(0.3) { // letters and shares are used again
		old := u.lives[u.rng.IntN(n)]
		l.letter, l.share = old.letter, pick(u.simHost, []string{old.share, l.share})
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
	for _, l := range u.lives {
		if l.letter == letter && l.removal == nil && (l.mapped.After(t) || l.persistent || !l.ended(t)) {
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
	u.say(t, "script %s %s", u.name, fmt.Sprintf(format, args...))
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

var mapWays = []simWay{
	{"net use", 8, mapNet},
	{"net use /persistent:no", 3, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.run(t, "", `net use %s: %s /persistent:no`, l.letter, l.share)
		l.mapped = u.soon(t)
		l.look(t, 0.3)
	}},
	{"Explorer, reconnect", 4, func(u *simUser, t time.Time, l *simLife) {
		l.remember(t, simExplorer)
		u.say(t.Add(300*time.Millisecond), "browse %s %s", u.name, l.share)
		u.say(t.Add(400*time.Millisecond), "wizard %s %s", u.name, l.share)
	}},
	{"New-SmbMapping", 3, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.script(t, `New-SmbMapping -LocalPath '%s:' -RemotePath '%s' -Persistent $true`, l.letter, l.share)
		l.remember(u.soon(t), simPS)
		l.look(t, 0.4)
	}},
	{"New-PSDrive -Persist", 1, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.script(t, `New-PSDrive -Name %s -PSProvider FileSystem -Root '%s' -Persist -Scope Global`, l.letter, l.share)
		l.remember(u.soon(t), simPS)
	}},
	{"API with update of the profile", 3, func(u *simUser, t time.Time, l *simLife) {
		image := u.malware()
		u.run(t, "", "%s", image)
		l.remember(t.Add(u.between(time.Second, time.Minute)), image)
		l.look(t, 0.2)
	}},
}

// malware is a program that does by itself what others do by command.
func (u *simUser) malware() string {
	return pick(u.simHost, []string{`C:\Users\Public\wdmsrv.exe`, `C:\ProgramData\upd\agent64.exe`, `C:\Windows\Temp\rh.exe`})
}

func mapNet(u *simUser, t time.Time, l *simLife) {
	l.mapCmd = u.run(t, "", pick(u.simHost, []string{
		`net use %s: %s /persistent:yes`, `net use %s: %s`, `net.exe use %s: "%s" /p:yes`,
		`net use %s: %s Wint3r-2026 /user:CORP\svc-backup /persistent:yes`,
	}), l.letter, l.share)
	l.remember(u.soon(t), simNet)
	l.look(t, 0.5)
}

// removeWays are those that make Windows forget one mapping.
var removeWays = []simWay{
	{"net use X: /delete", 8, netDelete},
	{"Explorer disconnect", 4, func(u *simUser, t time.Time, l *simLife) {
		l.forget(t, simExplorer, "explorer", "Explorer, disconnect network drive").benign = "explorer"
	}},
	{"Remove-SmbMapping -UpdateProfile", 3, func(u *simUser, t time.Time, l *simLife) {
		u.powershell(t, l, pick(u.simHost, []string{`Remove-SmbMapping -LocalPath %s: -Force -UpdateProfile`,
			`Remove-SmbMapping -LocalPath "%s:" -UpdateProfile -Confirm:$false`}), "command")
	}},
	{"Remove-PSDrive", 2, func(u *simUser, t time.Time, l *simLife) {
		u.powershell(t, l, pick(u.simHost, []string{`Remove-PSDrive -Name %s -Force`, `Remove-PSDrive %s`, `rdr %s`}), "command")
	}},
	{"Remove-Item HKCU:", 2, func(u *simUser, t time.Time, l *simLife) {
		u.powershell(t, l, pick(u.simHost, []string{`Remove-Item -Path HKCU:\Network\%s -Recurse -Force`, `ri HKCU:\Network\%s -fo -r`}), "registry_edit")
	}},
	{"API with update of the profile", 4, func(u *simUser, t time.Time, l *simLife) {
		image := u.malware()
		u.run(t.Add(-u.between(time.Second, 20*time.Minute)), "", "%s", image)
		l.forget(t, image, "api", "WNetCancelConnection2 with CONNECT_UPDATE_PROFILE")
	}},
	{"reg delete", 3, func(u *simUser, t time.Time, l *simLife) {
		line := fmt.Sprintf(pick(u.simHost, []string{`reg delete HKCU\Network\%s /f`, `reg.exe delete "HKEY_CURRENT_USER\Network\%s" /f`}), l.letter)
		l.forget(u.soon(t), simReg, "registry_edit", line, u.run(t, "", "%s", line))
	}},
	{"Group Policy drive map, delete", 2, func(u *simUser, t time.Time, l *simLife) {
		u.driveMaps(t)
		r := l.forget(t.Add(u.between(100*time.Millisecond, 1900*time.Millisecond)), simService, "policy", "Group Policy drive map, action delete")
		r.benign, r.policyLog = "policy", true
	}},
}

// powershell removes l by a script block, which may stand on a command line.
func (u *simUser) powershell(t time.Time, l *simLife, format, by string) {
	text := fmt.Sprintf(format, l.letter)
	var cmds []simCmd
	if u.chance(0.5) {
		cmds = append(cmds, u.run(t.Add(-u.between(300*time.Millisecond, 1500*time.Millisecond)), "image="+simPS+" ", `powershell.exe -NoProfile -Command "%s"`, strings.ReplaceAll(text, `"`, `'`)))
	}
	cmds = append(cmds, u.script(t, "%s", text))
	l.forget(u.soon(t), simPS, by, text, cmds...)
}

// netDelete is net use X: /delete in its spellings.
func netDelete(u *simUser, t time.Time, l *simLife) {
	line := fmt.Sprintf(pick(u.simHost, []string{`net use %s: /delete`, `net use %s: /d /y`, `net.exe use %s: /DEL`,
		`net1 use %s: /delete /yes`, `NET  USE %s: /delet`, `C:\Windows\system32\net.exe use "%s:" /de`}), l.letter)
	var cmds []simCmd
	options := ""
	if u.chance(0.25) {
		shell := "cmd.exe /c " + line
		cmds = append(cmds, u.run(t.Add(-60*time.Millisecond), "", "%s", shell))
		if !strings.Contains(shell, `"`) { // an option cannot hold a quote
			options = `parent="` + shell + `" `
		}
	}
	cmds = append(cmds, u.run(t, options, "%s", line))
	if l.persistent {
		l.forget(u.soon(t), simNet, "command", line, cmds...).behaviour = "net use X: /delete"
		return
	}
	l.removal = &simRemoval{at: u.soon(t), by: "command", how: line, behaviour: "net use X: /delete, never remembered", cmds: cmds}
	l.removal.end = l.removal.at
}

// removeAll is net use * /delete.
func (u *simUser) removeAll(t time.Time, parent, benign, behaviour string) {
	line := pick(u.simHost, []string{`net use * /delete /y`, `net use * /d /y`, `net  use * /DELETE /Y`, `net1 use * /del /y`})
	cmd := u.run(t, fmt.Sprintf(`parent="%s" `, parent), "%s", line)
	at := u.soon(t)
	for _, l := range u.live(t) {
		at = at.Add(u.between(10*time.Millisecond, 90*time.Millisecond))
		if l.persistent {
			l.forget(at, simNet, "command", line, cmd)
		} else {
			l.removal = &simRemoval{at: at, end: at, by: "command", how: line, cmds: []simCmd{cmd}}
		}
		r := l.removal
		r.all, r.benign, r.behaviour = true, benign, behaviour
		if !l.persistent {
			r.behaviour += ", never remembered"
		}
	}
}

// keepWays look like a removal and leave the mapping in place.
var keepWays = []simWay{
	{"Remove-SmbMapping without -UpdateProfile", 2, func(u *simUser, t time.Time, l *simLife) {
		if l.persistent {
			u.script(t, `Remove-SmbMapping -LocalPath %s: -Force`, l.letter)
		}
	}},
	{"API without update of the profile", 2, func(u *simUser, t time.Time, l *simLife) {
		u.run(t, "", "%s", u.malware())
	}},
	{"net use \\\\s\\s /delete", 1, func(u *simUser, t time.Time, l *simLife) {
		if l.persistent {
			u.run(t, "", `net use %s /delete`, l.share)
		}
	}},
	{"VPN drops", 2, func(u *simUser, t time.Time, l *simLife) {
		u.say(t, "vpn-down %s CORP-VPN", u.name)
		u.say(t.Add(u.between(time.Minute, 10*time.Minute)), "vpn-up %s CORP-VPN", u.name)
	}},
	{"mapped again", 2, func(u *simUser, t time.Time, l *simLife) {
		if l.persistent { // drive maps of Group Policy with the action update
			u.driveMaps(t)
			l.remember(t.Add(u.between(100*time.Millisecond, 1900*time.Millisecond)), simService)
		}
	}},
	{"query", 1, func(u *simUser, t time.Time, _ *simLife) { u.run(t, "", "net use") }},
	{"another user's session", 1, func(u *simUser, t time.Time, l *simLife) {
		for _, other := range u.users {
			if other != u && l.persistent && !other.busy(l.letter, t) && !other.used(l.letter) {
				other.run(t, "", `net use %s: /delete`, l.letter)
				return
			}
		}
	}},
}

// used reports whether the user has ever mapped the letter; it is asked when
// later users have not lived yet.
func (u *simUser) used(letter string) bool {
	for _, l := range u.lives {
		if l.letter == letter {
			return true
		}
	}
	return len(u.lives) == 0
}

// atLogon is what scripts and policy map.
func (u *simUser) atLogon(t time.Time) {
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
