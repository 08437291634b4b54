package lab

import "time"

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
	{"Group Policy drive map, replace", 1, func(u *simUser, t time.Time, l *simLife) {
		if u.benign || !l.persistent {
			return
		}
		u.driveMaps(t)
		at := t.Add(u.between(100*time.Millisecond, 1800*time.Millisecond))
		r := l.forget(at, simService, "policy", "Group Policy drive map, action replace")
		r.behaviour, r.benign, r.policyLog = "Group Policy drive map, replace", "policy", true
		n := &simLife{owner: u, letter: l.letter, share: l.share, mapHow: r.behaviour}
		u.lives = append(u.lives, n)
		n.remember(at.Add(u.between(2*time.Millisecond, 40*time.Millisecond)), simService)
	}},
	{"mapping fails", 1, func(u *simUser, t time.Time, _ *simLife) {
		for _, letter := range simLetters {
			if !u.used(string(letter)) {
				u.run(t, "", `net use %c: \\fs09\%s /persistent:yes`, letter, pick(u.simHost, simShares))
				return
			}
		}
	}},
	{refusedMap, 2, refused},
	{failedDelete, 2, failedNetDelete},
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
