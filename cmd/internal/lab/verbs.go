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
		"logoff":      {"", logOff},
		"run":         {"parent pid ppid image elevated", run},
		"script":      {"path", script},
		"map":         {"as image persistent", mapDrive},
		"unmap":       {"image pid", unmapDrive},
		"browse":      {"", browse},
		"wizard":      {"", wizard},
		"credentials": {"as server", credentials},
		"smb":         {"from workstation id until", smb},
		"share":       {"path by-registry", shareAdd},
		"unshare":     {"by-registry", shareDelete},
		"clear":       {"", clearLog},
		"lose":        {"", lose},
		"audit":       {"", auditChangeStep},
		"vpn-up":      {"", vpnUp},
		"vpn-down":    {"", vpnDown},
	}
}

const (
	kernelGeneral = "Microsoft-Windows-Kernel-General"
	winlogon      = "Microsoft-Windows-Winlogon"
	windowsKey    = `ControlSet001\Control\Windows`
	sharesKey     = `ControlSet001\Services\LanmanServer\Shares`
	explorerKey   = `Software\Microsoft\Windows\CurrentVersion\Explorer`
	userAssist    = explorerKey + `\UserAssist\{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}\Count`
)

// boot: Kernel-General 12 and EventLog 6005; a span without power ends.
func boot(w *world, s *step) error {
	if n := len(w.off); n > 0 && w.off[n-1].to.IsZero() {
		w.off[n-1].to = s.time
	}
	w.log(w.systemEvent(s.time, kernelGeneral, 12, 0, list(
		"MajorVersion", "uint32", "10", "MinorVersion", "uint32", "0", "BuildVersion", "uint32", w.Build,
		"QfeVersion", "uint32", "1", "ServiceVersion", "uint32", "0", "BootMode", "uint32", "0",
		"StartTime", "filetime", stamp(s.time))), "")
	w.log(w.classic(s.time.Add(6*time.Second), "System", "EventLog", 6005), "")
	return nil
}

// shutdown: EventLog 6006 and Kernel-General 13; ShutdownTime is written.
func shutdown(w *world, s *step) error {
	w.log(w.classic(s.time, "System", "EventLog", 6006), "")
	end := s.time.Add(2 * time.Second)
	w.log(w.systemEvent(end, kernelGeneral, 13, 0, list("StopTime", "filetime", stamp(end))), "")
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
	l := logon{principal: p, kind: or(s.opts["type"], "2"), address: or(s.opts["from"], "127.0.0.1"), workstation: w.Name}
	w.sessions[strings.ToLower(p.name)] = l
	w.present = append(w.present, presence{user: strings.ToLower(p.name), from: s.time})
	w.log(w.logonEvent(s.time, l), "Logon")
	w.log(w.systemEvent(s.time.Add(400*time.Millisecond), winlogon, 7001, 0,
		list("TSId", "uint32", "1", "UserSid", "sid", p.sid)), "")
	if r := w.users[strings.ToLower(p.name)]; r != nil {
		r.write(userAssist, s.time.Add(9*time.Second))
	}
	return nil
}

// logOff: 4647, Winlogon 7002 and 4634.
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
	w.log(w.security(s.time, 4647, 0, 12545, l.fields("Target")), "Logoff")
	w.log(w.systemEvent(s.time.Add(700*time.Millisecond), winlogon, 7002, 0,
		list("TSId", "uint32", "1", "UserSid", "sid", p.sid)), "")
	w.log(w.logoffEvent(s.time.Add(9*time.Second), l), "Logoff")
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
		principal: p, pid: s.opts["pid"], ppid: or(s.opts["ppid"], "0x1f40"),
		command: s.rest, image: or(s.opts["image"], imageOf(s.rest)),
		parent: imageOf(parent), parentLine: parent,
		elevated: s.opts["elevated"] == "yes", byService: p.sid == systemSID,
	}
	if start.pid == "" {
		start.pid = w.nextPID()
	}
	w.start(s.time, start)
	return nil
}

// start records a process in every log that takes it.
func (w *world) start(t time.Time, p process) {
	w.log(w.processEvent(t, p), "Process Creation")
	if w.Sysmon {
		w.log(w.sysmonProcess(t, p), "")
	}
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
	e := w.systemEvent(s.time, providers[channelPowerShell], 4104, 1, list(
		"MessageNumber", "int32", "1", "MessageTotal", "int32", "1",
		"ScriptBlockText", "", s.rest,
		"ScriptBlockId", "", strings.ToLower(strings.Trim(sysmonGUID(s.time, "0x77"), "{}")),
		"Path", "", s.opts["path"]))
	e.Channel, e.UserID, e.Level, e.Task, e.Opcode, e.ProcessID = channelPowerShell, p.sid, 5, 2, 15, 6612
	w.log(e, "")
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
	const none = "{00000000-0000-0000-0000-000000000000}"
	w.log(w.security(s.time, 4648, 0, 12544, join(p.fields("Subject"), list(
		"LogonGuid", "guid", none, "TargetUserName", "", name, "TargetDomainName", "", domain,
		"TargetLogonGuid", "guid", none, "TargetServerName", "", server, "TargetInfo", "", "cifs/"+server,
		"ProcessId", "pointer", "0x4", "ProcessName", "", "", "IpAddress", "", "-", "IpPort", "", "-"))), "Logon")
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
	w.clears[channel] = s.time
	e := w.systemEvent(s.time, providerEventlog, 104, 0, list(
		"SubjectUserName", "", p.name, "SubjectDomainName", "", p.domain, "Channel", "", channel, "BackupPath", "", ""))
	e.UserID = p.sid
	if channel == "Security" {
		e = w.security(s.time, 1102, 0, 104, p.fields("Subject"))
		e.Provider, e.Keywords, e.Level, e.ProcessID = providerEventlog, 0x4020000000000000, 4, 1180
	}
	e.UserData, e.Task = "LogFileCleared", 104
	w.log(e, "")
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
	guid := auditGUIDs[name]
	if guid == "" {
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
	w.log(w.security(s.time, 4719, 0, 13568, join(p.fields("Subject"), list(
		"CategoryId", "", fmt.Sprintf("%%%%%d", 8272+int(task>>8-0x30)), "SubcategoryId", "", fmt.Sprintf("%%%%%d", task),
		"SubcategoryGuid", "guid", guid, "AuditPolicyChanges", "", strings.Join(codes, ", ")))), "Audit Policy Change")
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
	data := []string{"{6F1D3B52-0A5C-4B7E-9D11-2C4E8A90B7F3}", p.domain + `\` + p.name, s.rest}
	if id == 20226 {
		data = append(data, "829") // the link was broken
	}
	w.log(w.classic(s.time, "Application", "RasClient", id, data...), "")
	return nil
}
