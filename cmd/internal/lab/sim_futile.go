package lab

import (
	"fmt"
	"time"
)

// A simFutile is a command that was to map or to remove something, and failed:
// nothing but the record of it tells, and no record says that it failed.
type simFutile struct {
	cmd           simCmd
	user          *simUser
	letter, share string // without colon; what it was to map or to remove
	how           string
	behaviour     string
	life          *simLife // that it left as it was; nil if there was none
}

func (u *simUser) futile(cmd simCmd, letter, share, how, behaviour string, left *simLife) {
	u.futiles = append(u.futiles, simFutile{cmd, u, letter, share, how, behaviour, left})
}

const (
	refusedMap    = "map command for a letter in use"
	failedDelete  = "net use X: /delete fails"
	idleScript    = "logon script, net use X: /delete of what is not there"
	failedUnshare = "net share X /delete fails"
)

// refused maps a letter that stands for l to another share, or to the same:
// system error 85, and l goes on.
func refused(u *simUser, t time.Time, l *simLife) {
	share := fmt.Sprintf(`\\fs%02d\%s`, 1+u.rng.IntN(3), pick(u.simHost, simShares))
	if u.chance(0.2) {
		share = l.share
	}
	if u.chance(0.25) {
		text := fmt.Sprintf(`New-SmbMapping -LocalPath '%s:' -RemotePath '%s' -Persistent $true`, l.letter, share)
		u.futile(u.script(t, "%s", text), l.letter, share, text, refusedMap, l)
		return
	}
	line := fmt.Sprintf(pick(u.simHost, []string{`net use %s: %s /persistent:yes`, `net use %s: %s`, `net.exe use %s: "%s" /p:yes`, `net use %s: %s /persistent:no`}), l.letter, share)
	u.futile(u.run(t, "", "%s", line), l.letter, share, line, refusedMap, l)
}

// failedNetDelete is a delete command for a drive that is not connected in the
// console's session, or has open files: l stays. Perhaps the user sees that,
// and removes it in another way, or closes the files and tries again.
func failedNetDelete(u *simUser, t time.Time, l *simLife) {
	if !l.persistent && u.benign { // nothing but the command would be left: see TRUTH.md
		return
	}
	line := fmt.Sprintf(pick(u.simHost, []string{`net use %s: /delete`, `net use %s: /d`, `net.exe use %s: /del`}), l.letter)
	options := pick(u.simHost, []string{"", "elevated=yes "})
	u.futile(u.run(t, options, "%s", line), l.letter, l.share, line, failedDelete, l)
	if u.benign || !l.persistent || !u.chance(0.4) {
		return
	}
	w := u.way(removeWays[:2])
	w.do(u, t.Add(u.between(35*time.Second, 110*time.Second)), l)
	l.removal.behaviour = w.name
}

// A simRoutine is a logon script that clears a letter, whether or not a drive
// is there, and perhaps maps it anew.
type simRoutine struct {
	letter, share string // share "" if it maps nothing
}

// takeUp gives the user such a script. On a host on which nothing is removed
// the letter is one that never stands.
func (u *simUser) takeUp() {
	if !u.chance(0.1) {
		return
	}
	u.routine = &simRoutine{letter: string(simLetters[u.rng.IntN(len(simLetters))])}
	if !u.benign && u.chance(0.5) {
		u.routine.share = fmt.Sprintf(`\\fs%02d\%s`, 1+u.rng.IntN(3), pick(u.simHost, simShares))
	}
}

// runs is the script at work at t.
func (r *simRoutine) runs(u *simUser, t time.Time) {
	u.say(t.Add(-2*time.Second), "policy %s logon", u.name)
	shell := `cmd.exe /c \\corp.example\netlogon\drives.cmd`
	u.run(t.Add(-time.Second), `parent="C:\Windows\System32\gpscript.exe /Logon" `, "%s", shell)
	line := fmt.Sprintf("net use %s: /delete /y", r.letter)
	cmd := u.run(t, `parent="`+shell+`" `, "%s", line)
	var stands *simLife
	for _, l := range u.live(t) {
		if l.letter == r.letter {
			stands = l
		}
	}
	if stands == nil {
		u.futile(cmd, r.letter, "", line, idleScript, nil)
	} else {
		stands.drop(u.soon(t), simNet, "command", line, cmd)
		m := stands.removal
		m.behaviour, m.benign, m.policyLog = "logon script, net use X: /delete", "script", true
	}
	if r.share != "" {
		l := &simLife{owner: u, mapHow: "logon script", letter: r.letter, share: r.share}
		u.lives = append(u.lives, l)
		at := t.Add(time.Second)
		l.mapCmd = u.run(at, `parent="`+shell+`" `, `net use %s: %s /persistent:yes`, l.letter, l.share)
		l.remember(u.soon(at), simNet)
	}
}

// drop ends l at t by a command, remembered or not.
func (l *simLife) drop(t time.Time, image, by, how string, cmds ...simCmd) {
	if l.persistent {
		l.forget(t, image, by, how, cmds...)
		return
	}
	l.removal = &simRemoval{at: t, end: t, by: by, how: how, cmds: cmds}
}

// unshareFails is a command that was to withdraw l between from and until, run
// by somebody who may not. Often the share is used after that.
func (l *simLife) unshareFails(from, until time.Time) {
	u := l.owner
	if !l.persistent || until.Sub(from) < 10*time.Minute || !u.chance(0.15) {
		return
	}
	at := from.Add(u.between(5*time.Minute, until.Sub(from)-4*time.Minute))
	line := fmt.Sprintf(pick(u.simHost, []string{`net share %s /delete`, `net share %s /d`}), l.share)
	u.futile(u.run(at, "", "%s", line), "", l.share, line, failedUnshare, l)
	if u.chance(0.6) {
		u.simHost.used(l, at.Add(u.between(time.Minute, 3*time.Minute)))
	}
}
