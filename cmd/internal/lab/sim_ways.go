package lab

import "time"

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
