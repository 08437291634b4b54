package lab

import (
	"fmt"
	"time"
)

// cover deletes what Explorer keeps of a share, as who hides does.
func (u *simUser) cover(t time.Time, l *simLife) {
	if l.looked.IsZero() || !l.looked.Before(t) || u.scrubbed[l.share] || !u.chance(0.2) {
		return
	}
	u.scrubbed[l.share] = true
	for _, other := range u.lives { // one key serves all mappings of the share
		if other != l && other.share == l.share {
			return
		}
	}
	u.run(t, "", `reg delete HKCU\%s /f`, mountPoint(l.share))
	u.say(t.Add(100*time.Millisecond), "scrub %s %s", u.name, l.share)
}

// deviceless is a connection without a drive, as to IPC$, that the session
// ends, or a command.
func (u *simUser) deviceless(t time.Time) {
	l := &simLife{owner: u, mapHow: "net use without a drive", share: fmt.Sprintf(`\\fs%02d\IPC$`, 4+u.rng.IntN(5))}
	for _, other := range u.lives {
		if other.share == l.share {
			return
		}
	}
	l.mapCmd = u.run(t, "", `net use %s Wint3r-2026 /user:CORP\svc-backup`, l.share)
	l.mapped = u.soon(t)
	u.lives = append(u.lives, l)
	if at := t.Add(u.between(40*time.Second, 5*time.Minute)); !u.benign && u.chance(0.5) {
		line := fmt.Sprintf(`net use %s /delete /y`, l.share)
		l.removal = &simRemoval{at: u.soon(at), by: "command", how: line, behaviour: `net use \\s\IPC$ /delete`, cmds: []simCmd{u.run(at, "", "%s", line)}}
		l.removal.end = l.removal.at
	}
}
