package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// verbs is what can happen in a story. The README describes each.
var verbs map[string]verb

func init() {
	verbs = map[string]verb{
		"boot":        {"", boot},
		"shutdown":    {"", shutdown},
		"logon":       {"id type from", logOn},
		"logoff":      {"initiated", logOff},
		"run":         {"parent pid ppid image elevated", run},
		"script":      {"path", script},
		"map":         {"as image", mapDrive},
		"unmap":       {"image pid cell sacl", unmapDrive},
		"save":        {"", saveHive},
		"freeze":      {"", freezeHive},
		"snapshot":    {"", shadowCopy},
		"policy":      {"", policy},
		"browse":      {"", browse},
		"scrub":       {"", scrub},
		"wizard":      {"", wizard},
		"credentials": {"as server", credentials},
		"smb":         {"from workstation id until", smb},
		"share":       {"path by-registry temporary", shareAdd},
		"clock":       {"from", clockStep},
		"unshare":     {"by-registry", shareDelete},
		"clear":       {"", clearLog},
		"lose":        {"", lose},
		"audit":       {"", auditChangeStep},
		"vpn-up":      {"", vpnUp},
		"vpn-down":    {"", vpnDown},
	}
}

const (
	winlogon    = "Microsoft-Windows-Winlogon"
	byKernel    = "user=" + systemSID + " pid=4 tid=8" // who writes kernel events
	windowsKey  = `ControlSet001\Control\Windows`
	sharesKey   = `ControlSet001\Services\LanmanServer\Shares`
	explorerKey = `Software\Microsoft\Windows\CurrentVersion\Explorer`
	userAssist  = explorerKey + `\UserAssist\{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}\Count`
)

// boot: Kernel-General 12 and EventLog 6005; a span without power ends.
func boot(w *world, s *step) error {
	if n := len(w.off); n > 0 && w.off[n-1].to.IsZero() {
		w.off[n-1].to = s.time
	}
	w.system(s.time, providerKernel, 12, byKernel, "BuildVersion", w.Build, "StartTime", stamp(s.time))
	w.system(s.time.Add(6*time.Second), "EventLog", 6005, "")
	return nil
}

// shutdown: EventLog 6006 and Kernel-General 13; ShutdownTime is written.
func shutdown(w *world, s *step) error {
	w.system(s.time, "EventLog", 6006, "")
	end := s.time.Add(2 * time.Second)
	w.system(end, providerKernel, 13, byKernel, "StopTime", stamp(end))
	w.machine["SYSTEM"].write(windowsKey, end, regValue{"ShutdownTime", "ftbin:" + stamp(end)})
	w.off = append(w.off, presence{from: end})
	return nil
}

// logOn: 4624 of an interactive type, and Winlogon 7001.
func logOn(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	if number(s.opts["id"]) == 0 {
		return fmt.Errorf("logon: id=0x... is missing")
	}
	p.logon = s.opts["id"]
	l := logon{principal: p, kind: or(s.opts["type"], "2"), address: or(s.opts["from"], "127.0.0.1"), port: "0", workstation: w.Name}
	w.sessions[strings.ToLower(p.name)] = l
	w.present = append(w.present, presence{user: strings.ToLower(p.name), from: s.time})
	w.logonStarts(s.time, l)
	w.system(s.time.Add(400*time.Millisecond), winlogon, 7001, "user="+systemSID, "UserSid", p.sid)
	if r := w.users[strings.ToLower(p.name)]; r != nil {
		r.write(userAssist, s.time.Add(9*time.Second))
	}
	return nil
}

// logOff: 4647 when it is asked for, then Winlogon 7002 and 4634. Scripts of
// the logoff run between the first two.
func logOff(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	l, ok := w.sessions[strings.ToLower(p.name)]
	if !ok {
		return fmt.Errorf("logoff: %s is not logged on", p.name)
	}
	delete(w.sessions, strings.ToLower(p.name))
	for i, q := range w.present {
		if q.user == strings.ToLower(p.name) && q.to.IsZero() {
			w.present[i].to = s.time
		}
	}
	asked := s.time.Add(-700 * time.Millisecond)
	if at := s.opts["initiated"]; at != "" {
		if asked, err = parseTime(at); err != nil {
			return err
		}
	}
	w.security(asked, 4647, "Logoff", l.as("Target"))
	w.system(s.time, winlogon, 7002, "user="+systemSID, "UserSid", p.sid)
	w.logonEnds(s.time.Add(9*time.Second), l)
	if r := w.users[strings.ToLower(p.name)]; r != nil {
		r.write(userAssist, s.time.Add(2*time.Second))
	}
	return nil
}

// run: a process starts: 4688 and Sysmon 1, as far as they are on.
func run(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	if s.rest == "" {
		return fmt.Errorf("run: the command line is missing")
	}
	parent := or(s.opts["parent"], `C:\Windows\System32\cmd.exe`)
	start := process{
		principal: p, pid: s.opts["pid"], ppid: or(s.opts["ppid"], or(w.started[parent], "0x1f40")),
		command: s.rest, image: or(s.opts["image"], imageOf(s.rest)),
		parent: imageOf(parent), parentLine: parent,
		elevated: s.opts["elevated"] == "yes", byService: p.sid == systemSID,
	}
	if start.pid == "" {
		start.pid = w.nextPID()
	}
	w.started[start.command] = start.pid
	w.start(s.time, start)
	return nil
}

// imageOf guesses the program's full path from a command line.
func imageOf(command string) string {
	name, _, _ := strings.Cut(command, " ")
	if rest, ok := strings.CutPrefix(command, `"`); ok {
		name, _, _ = strings.Cut(rest, `"`)
	}
	if strings.Contains(name, `\`) {
		return name
	}
	if !strings.Contains(name, ".") {
		name += ".exe"
	}
	if strings.EqualFold(name, "explorer.exe") {
		return `C:\Windows\explorer.exe`
	}
	return `C:\Windows\System32\` + name
}

// script: a PowerShell script block runs: 4104, if logging is on.
func script(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	if s.rest == "" {
		return fmt.Errorf("script: the text is missing")
	}
	if !w.PowerShell {
		return nil
	}
	w.emit(s.time, channelPowerShell, "", 4104, "pid=6612 tid=5120 user="+p.sid, "ScriptBlockText", s.rest,
		"ScriptBlockId", strings.ToLower(strings.Trim(guid(s.time, "0x77"), "{}")), "Path", s.opts["path"])
	return nil
}

// credentials: another account is named for a server: 4648.
func credentials(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	domain, name, ok := strings.Cut(s.opts["as"], `\`)
	server := s.opts["server"]
	if !ok || server == "" {
		return fmt.Errorf(`credentials: as=DOMAIN\USER and server=NAME are needed`)
	}
	w.security(s.time, 4648, "Logon", p.as("Subject"), pairs("TargetUserName", name, "TargetDomainName", domain,
		"TargetServerName", server, "TargetInfo", "cifs/"+server, "ProcessId", "0x4"))
	return nil
}

// clearLog: a log is emptied. Its next record says so if it is Security; else
// System does.
func clearLog(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	name, err := s.word("the log")
	if err != nil {
		return err
	}
	channel := channelOf(name)
	w.clears = append(w.clears, logClear{channel, s.time})
	if channel == "Security" {
		w.emit(s.time, channel, providerEventlog, 1102, "pid=1180 tid=5512", p.as("Subject")...)
		return nil
	}
	w.system(s.time, providerEventlog, 104, "pid=1180 tid=5512 user="+p.sid,
		"SubjectUserName", p.name, "SubjectDomainName", p.domain, "Channel", channel)
	return nil
}

// lose: the log's next N record ids are nowhere.
func lose(w *world, s *step) error {
	name, err := s.word("the log")
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(s.rest, 10, 31)
	if err != nil || n == 0 {
		return fmt.Errorf("lose: %q is not a number of records", s.rest)
	}
	w.lost = append(w.lost, loss{channelOf(name), s.time, n})
	return nil
}

// auditChangeStep: a subcategory's setting changes: 4719.
func auditChangeStep(w *world, s *step) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	name, word, _ := strings.Cut(s.rest, ":")
	if auditGUIDs[name] == "" {
		return fmt.Errorf("audit: unknown subcategory %q", name)
	}
	from := w.audit.now[name]
	if err := w.audit.set(s.rest); err != nil {
		return err
	}
	to := w.audit.now[name]
	task, _ := auditTask(name)
	var codes []string
	for bit, code := range map[uint16][2]string{auditSuccess: {"%%8448", "%%8449"}, auditFailure: {"%%8450", "%%8451"}} {
		if from&bit > to&bit {
			codes = append(codes, code[0])
		} else if from&bit < to&bit {
			codes = append(codes, code[1])
		}
	}
	if len(codes) == 0 {
		return fmt.Errorf("audit: %s is %s already", name, word)
	}
	if len(codes) == 2 && codes[0] > codes[1] {
		codes[0], codes[1] = codes[1], codes[0]
	}
	w.audit.changes = append(w.audit.changes, auditChange{s.time, name, from, to})
	w.security(s.time, 4719, "Audit Policy Change", p.as("Subject"), pairs(
		"CategoryId", fmt.Sprintf("%%%%%d", 8272+int(task>>8-0x30)), "SubcategoryId", fmt.Sprintf("%%%%%d", task),
		"SubcategoryGuid", auditGUIDs[name], "AuditPolicyChanges", strings.Join(codes, ", ")))
	return nil
}

// vpnUp and vpnDown: RasClient 20225 and 20226.
func vpnUp(w *world, s *step) error { return vpn(w, s, 20225) }

func vpnDown(w *world, s *step) error { return vpn(w, s, 20226) }

func vpn(w *world, s *step, id uint32) error {
	p, err := w.who(s)
	if err != nil {
		return err
	}
	if s.rest == "" {
		return fmt.Errorf("%s: the connection's name is missing", s.verb)
	}
	data := pairs("", "{6F1D3B52-0A5C-4B7E-9D11-2C4E8A90B7F3}", "", p.domain+`\`+p.name, "", s.rest)
	if id == 20226 {
		data = append(data, "", "829") // the link was broken
	}
	w.emit(s.time, "Application", "RasClient", id, "", data...)
	return nil
}
