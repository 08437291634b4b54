package lab

import (
	"fmt"
	"time"
)

// serve makes up the shares that the host exports: made, used, and withdrawn.
func (h *simHost) serve() {
	u := h.users[0]
	for i := range 1 + h.rng.IntN(4) {
		l := &simLife{owner: u, share: fmt.Sprintf("%s%d", pick(h, []string{"tmp", "data", "drop", "stage$"}), i), persistent: true}
		t := h.during()
		h.shares = append(h.shares, l)
		w := u.way(shareWays)
		l.mapHow = w.name
		w.do(u, t, l)
		for range h.rng.IntN(3) {
			h.used(l, l.mapped.Add(h.between(time.Second, 4*time.Minute)))
		}
		end := h.collected.Add(-5 * time.Minute)
		at := l.mapped.Add(h.between(5*time.Minute, 30*time.Hour))
		if h.benign || !l.persistent || !h.chance(0.6) || !at.Before(end) {
			l.unshareFails(l.mapped, end)
		} else {
			l.unshareFails(l.mapped, at)
			w = u.way(unshareWays)
			w.do(u, at, l)
			l.removal.behaviour = w.name
		}
	}
}

// during is some time of the story.
func (h *simHost) during() time.Time {
	return simMonday.Add(7*time.Hour + h.upTo(h.collected.Sub(simMonday)-8*time.Hour))
}

// used is a client's session on share l.
func (h *simHost) used(l *simLife, at time.Time) {
	h.say(at, "smb %s from=10.10.1.%d workstation=WS%02d id=0x%x until=%s %s", l.owner.name, 20+h.rng.IntN(60), h.rng.IntN(99),
		0x20000000+h.rng.IntN(0xffffff), stamp(at.Add(40*time.Second)), l.share)
	l.uses = append(l.uses, at)
}

// export is the share's value being written at t.
func (l *simLife) export(t time.Time) {
	u := l.owner
	u.say(t, `share %s path="C:\Shares\%s" %s`, u.name, l.share, l.share)
	l.mapped, l.written = t, t
}

var shareWays = []simWay{
	{"net share", 3, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.run(t, "elevated=yes ", `net share %s=C:\Shares\%s`, l.share, l.share)
		l.export(u.soon(t))
	}},
	{"New-SmbShare", 2, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.script(t, `New-SmbShare -Name '%s' -Path 'C:\Shares\%s' -FullAccess Everyone`, l.share, l.share)
		l.export(u.soon(t))
	}},
	{"New-SmbShare -Temporary", 1, func(u *simUser, t time.Time, l *simLife) {
		l.mapCmd = u.script(t, `New-SmbShare -Temporary -Name '%s' -Path 'C:\Shares\%s'`, l.share, l.share)
		l.mapped, l.persistent = u.soon(t), false
		u.say(l.mapped, `share %s path="C:\Shares\%s" temporary=yes %s`, u.name, l.share, l.share)
	}},
	{"NetShareAdd", 2, func(_ *simUser, t time.Time, l *simLife) { l.export(t) }},
}

// withdraw is the share's value being deleted at t.
func (l *simLife) withdraw(t time.Time, options, by, how string, cmds ...simCmd) {
	l.removal = &simRemoval{at: t, end: t, by: by, how: how, cmds: cmds}
	if options == "" { // the server service writes its audit record then
		l.removal.end = t.Add(3 * time.Millisecond)
	}
	l.owner.say(t, "unshare %s %s%s", l.owner.name, options, l.share)
}

var unshareWays = []simWay{
	{"net share X /delete", 4, func(u *simUser, t time.Time, l *simLife) {
		line := fmt.Sprintf(pick(u.simHost, []string{`net share %s /delete`, `net share %s /d /y`, `net1 share %s /delete /y`}), l.share)
		l.withdraw(u.soon(t), "", "command", line, u.run(t, "elevated=yes ", "%s", line))
	}},
	{"Remove-SmbShare", 3, func(u *simUser, t time.Time, l *simLife) {
		text := fmt.Sprintf(`Remove-SmbShare -Name '%s' -Force`, l.share)
		l.withdraw(u.soon(t), "", "command", text, u.script(t, "%s", text))
	}},
	{"wmic share delete", 1, func(u *simUser, t time.Time, l *simLife) {
		text := fmt.Sprintf(`wmic share where name="%s" delete`, l.share)
		l.withdraw(u.soon(t), "", "command", text, u.run(t, `image=C:\Windows\System32\wbem\WMIC.exe elevated=yes `, "%s", text))
	}},
	{"NetShareDel", 2, func(_ *simUser, t time.Time, l *simLife) { l.withdraw(t, "", "api", "NetShareDel") }},
	{"reg delete of the share's value", 2, func(u *simUser, t time.Time, l *simLife) {
		line := fmt.Sprintf(`reg delete HKLM\SYSTEM\CurrentControlSet\Services\LanmanServer\Shares /v %s /f`, l.share)
		l.withdraw(u.soon(t), "by-registry=yes ", "registry_edit", line, u.run(t, "elevated=yes ", "%s", line))
	}},
	{"NetrShareDelSticky", 1, func(_ *simUser, t time.Time, l *simLife) {
		l.withdraw(t, "by-registry=yes ", "api", "NetrShareDelSticky")
	}},
}
