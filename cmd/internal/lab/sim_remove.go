package lab

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

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
	{"reg delete HKU by an administrator", 1, func(u *simUser, t time.Time, l *simLife) {
		by := pick(u.simHost, u.users)
		line := fmt.Sprintf(`reg delete HKU\%s\Network\%s /f`, u.sid, l.letter)
		l.forget(u.soon(t), simReg, "registry_edit", line, by.run(t, "elevated=yes ", "%s", line))
	}},
	{"RemoveNetworkDrive", 1, func(u *simUser, t time.Time, l *simLife) {
		u.powershell(t, l, `(New-Object -ComObject WScript.Network).RemoveNetworkDrive('%s:', $true, $true)`, "command")
	}},
	{"net use in a loop", 1, func(u *simUser, t time.Time, l *simLife) {
		line := fmt.Sprintf(`cmd.exe /c for %%d in (%s) do @net use %%d: /delete /y`, l.letter)
		first := u.run(t.Add(-50*time.Millisecond), "", "%s", line)
		second := u.run(t, `parent="`+line+`" `, "net use %s: /delete /y", l.letter)
		l.forget(u.soon(t), simNet, "command", line, first, second)
	}},
	{"-EncodedCommand", 1, func(u *simUser, t time.Time, l *simLife) {
		text := fmt.Sprintf(`net use %s: /delete`, l.letter)
		line := "powershell.exe -nop -w hidden -enc " + base64.StdEncoding.EncodeToString(utf16LE(text))
		first := u.run(t.Add(-800*time.Millisecond), "image="+simPS+" ", "%s", line)
		second := u.script(t.Add(-100*time.Millisecond), "%s", text)
		third := u.run(t, `parent="`+line+`" `, "%s", `"C:\Windows\system32\net.exe" use `+l.letter+": /delete")
		l.forget(u.soon(t), simNet, "command", line, first, second, third)
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
	l.drop(u.soon(t), simNet, "command", line, cmds...)
	l.removal.behaviour = "net use X: /delete"
	if !l.persistent {
		l.removal.behaviour += ", never remembered"
	}
}

// utf16LE is text as -EncodedCommand takes it.
func utf16LE(text string) []byte {
	var b []byte
	for _, c := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

// removeAll is net use * /delete, or the like.
func (u *simUser) removeAll(t time.Time, parent, benign, behaviour string) {
	line := pick(u.simHost, []string{`net use * /delete /y`, `net use * /d /y`, `net  use * /DELETE /Y`, `net1 use * /del /y`})
	var cmd simCmd
	if benign == "" && u.chance(0.25) {
		line, behaviour = `Get-SmbMapping | Remove-SmbMapping -Force -UpdateProfile`, "Get-SmbMapping | Remove-SmbMapping"
		cmd = u.script(t, "%s", line)
	} else {
		cmd = u.run(t, fmt.Sprintf(`parent="%s" `, parent), "%s", line)
	}
	image := map[string]string{"process": simNet, "script": simPS}[cmd.kind]
	at := u.soon(t)
	var went []*simRemoval
	for _, l := range u.connected(t) {
		at = at.Add(u.between(10*time.Millisecond, 90*time.Millisecond))
		l.drop(at, image, "command", line, cmd)
		r := l.removal
		r.all, r.benign, r.behaviour = true, benign, behaviour
		if !l.persistent {
			r.behaviour += ", never remembered"
		}
		went = append(went, r)
	}
	for _, r := range went { // one act: no trace tells which drive went first
		r.end = at
	}
}
