package lab

import (
	"fmt"
	"strings"
	"time"

	"sharetrail/parsers/eventlog/evtxtest"
)

// Channels and providers.
const (
	channelSysmon     = "Microsoft-Windows-Sysmon/Operational"
	channelPowerShell = "Microsoft-Windows-PowerShell/Operational"

	providerSecurity = "Microsoft-Windows-Security-Auditing"
	providerEventlog = "Microsoft-Windows-Eventlog"
	providerSysmon   = "Microsoft-Windows-Sysmon"
)

// providers are the default providers of channels.
var providers = map[string]string{
	"Security": providerSecurity, "System": "Microsoft-Windows-Kernel-General", "Application": "Application",
	channelSysmon: providerSysmon, channelPowerShell: "Microsoft-Windows-PowerShell",
}

// Keywords of the Security log and of classic events.
const (
	keywordSuccess = 0x8020000000000000
	keywordClassic = 0x0080000000000000
)

const systemSID = "S-1-5-18"

// channelOf resolves the short names of channels.
func channelOf(name string) string {
	switch name {
	case "Sysmon":
		return channelSysmon
	case "PowerShell":
		return channelPowerShell
	}
	return name
}

// A principal is who an event is about.
type principal struct{ sid, name, domain, logon string }

// system is the computer's own account.
func (h *Host) system() principal {
	return principal{systemSID, h.Name + "$", h.netbios(), "0x3e7"}
}

// nobody is how Windows fills an absent target.
var nobody = principal{"S-1-0-0", "-", "-", "0x0"}

// fields names p's parts with a prefix, as in SubjectUserSid.
func (p principal) fields(prefix string) []evtxtest.Field {
	return []evtxtest.Field{
		{Name: prefix + "UserSid", Type: "sid", Value: p.sid},
		{Name: prefix + "UserName", Value: p.name},
		{Name: prefix + "DomainName", Value: p.domain},
		{Name: prefix + "LogonId", Type: "hexint64", Value: p.logon},
	}
}

// list makes fields of triples: name, type, value.
func list(triples ...string) []evtxtest.Field {
	var fs []evtxtest.Field
	for i := 0; i+2 < len(triples); i += 3 {
		fs = append(fs, evtxtest.Field{Name: triples[i], Type: triples[i+1], Value: triples[i+2]})
	}
	return fs
}

func join(parts ...[]evtxtest.Field) []evtxtest.Field {
	var fs []evtxtest.Field
	for _, p := range parts {
		fs = append(fs, p...)
	}
	return fs
}

// security is a record of the Security log.
func (h *Host) security(t time.Time, id uint32, version uint8, task uint16, data []evtxtest.Field) evtxtest.Event {
	return evtxtest.Event{Channel: "Security", Provider: providerSecurity, Computer: h.fqdn(), EventID: id,
		Version: version, Task: task, Keywords: keywordSuccess, Time: t, ProcessID: 4, ThreadID: 84, Data: data}
}

// A logon is one logon session.
type logon struct {
	principal
	kind        string // Windows' logon type
	address     string
	workstation string
	elevated    bool
}

// logonEvent is 4624 as Windows 10 and later write it.
func (h *Host) logonEvent(t time.Time, l logon) evtxtest.Event {
	process, pack, image, pid, subject := "User32 ", "Negotiate", `C:\Windows\System32\svchost.exe`, "0x5a8", h.system()
	switch l.kind {
	case "3":
		process, pack, image, pid, subject = "Kerberos", "Kerberos", "-", "0x0", nobody
	case "5":
		process, image, pid = "Advapi  ", `C:\Windows\System32\services.exe`, "0x2b0"
	}
	elevated := "%%1843" // no
	if l.elevated {
		elevated = "%%1842"
	}
	address, port := or(l.address, "-"), "-"
	if l.address != "" {
		port = fmt.Sprint(49152 + t.Unix()%16000)
	}
	return h.security(t, 4624, 2, 12544, join(subject.fields("Subject"), l.fields("Target"), list(
		"LogonType", "uint32", l.kind,
		"LogonProcessName", "", process,
		"AuthenticationPackageName", "", pack,
		"WorkstationName", "", or(l.workstation, "-"),
		"LogonGuid", "guid", "{00000000-0000-0000-0000-000000000000}",
		"TransmittedServices", "", "-",
		"LmPackageName", "", "-",
		"KeyLength", "uint32", "0",
		"ProcessId", "pointer", pid,
		"ProcessName", "", image,
		"IpAddress", "", address,
		"IpPort", "", port,
		"ImpersonationLevel", "", "%%1833",
		"RestrictedAdminMode", "", "-",
		"TargetOutboundUserName", "", "-",
		"TargetOutboundDomainName", "", "-",
		"VirtualAccount", "", "%%1843",
		"TargetLinkedLogonId", "hexint64", "0x0",
		"ElevatedToken", "", elevated)))
}

// logoffEvent is 4634.
func (h *Host) logoffEvent(t time.Time, l logon) evtxtest.Event {
	return h.security(t, 4634, 0, 12545, join(l.fields("Target"), list("LogonType", "uint32", l.kind)))
}

// A process is one start of a program.
type process struct {
	principal
	pid, ppid           string // hexadecimal
	image, command      string
	parent, parentLine  string
	elevated, byService bool
}

// processEvent is 4688 as Windows 10 and later write it.
func (h *Host) processEvent(t time.Time, p process) evtxtest.Event {
	token, label, command := "%%1938", "S-1-16-8192", ""
	if p.elevated {
		token, label = "%%1937", "S-1-16-12288"
	}
	if p.byService {
		token, label = "%%1936", "S-1-16-16384"
	}
	if h.CommandLines {
		command = p.command
	}
	target := nobody.fields("Target")
	return h.security(t, 4688, 2, 13312, join(p.fields("Subject"), list(
		"NewProcessId", "pointer", p.pid,
		"NewProcessName", "", p.image,
		"TokenElevationType", "", token,
		"ProcessId", "pointer", p.ppid,
		"CommandLine", "", command),
		target, list("ParentProcessName", "", p.parent, "MandatoryLabel", "sid", label)))
}

// sysmon is a record of Sysmon's log.
func (h *Host) sysmon(t time.Time, id uint32, version uint8, data []evtxtest.Field) evtxtest.Event {
	return evtxtest.Event{Channel: channelSysmon, Provider: providerSysmon, Computer: h.fqdn(), EventID: id,
		Version: version, Level: 4, Task: uint16(id), Keywords: 0x8000000000000000, Time: t, UserID: systemSID,
		ProcessID: 3120, ThreadID: 4404, Data: data}
}

func sysmonTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

// sysmonGUID is a process GUID in Sysmon's manner: machine, start time, pid.
func sysmonGUID(t time.Time, pid string) string {
	n := number(pid)
	return fmt.Sprintf("{B33FCAFE-%04X-%04X-%04X-%012X}", uint16(t.Unix()>>16), uint16(t.Unix()), uint16(n), n<<8|0x10)
}

// sysmonProcess is Sysmon event 1.
func (h *Host) sysmonProcess(t time.Time, p process) evtxtest.Event {
	level := "Medium"
	if p.elevated {
		level = "High"
	}
	if p.byService {
		level = "System"
	}
	base := p.image[strings.LastIndexByte(p.image, '\\')+1:]
	account := p.domain + `\` + p.name
	if p.sid == systemSID {
		account = `NT AUTHORITY\SYSTEM`
	}
	return h.sysmon(t, 1, 5, list(
		"RuleName", "", "-",
		"UtcTime", "", sysmonTime(t),
		"ProcessGuid", "guid", sysmonGUID(t, p.pid),
		"ProcessId", "uint32", fmt.Sprint(number(p.pid)),
		"Image", "", p.image,
		"FileVersion", "", "10.0.18362.1 (WinBuild.160101.0800)",
		"Description", "", "-",
		"Product", "", "Microsoft® Windows® Operating System",
		"Company", "", "Microsoft Corporation",
		"OriginalFileName", "", base,
		"CommandLine", "", p.command,
		"CurrentDirectory", "", `C:\Windows\system32\`,
		"User", "", account,
		"LogonGuid", "guid", "{B33FCAFE-0000-0000-0000-000000000000}",
		"LogonId", "hexint64", p.logon,
		"TerminalSessionId", "uint32", "1",
		"IntegrityLevel", "", level,
		"Hashes", "", "SHA256=0000000000000000000000000000000000000000000000000000000000000000",
		"ParentProcessGuid", "guid", sysmonGUID(t.Add(-time.Minute), p.ppid),
		"ParentProcessId", "uint32", fmt.Sprint(number(p.ppid)),
		"ParentImage", "", p.parent,
		"ParentCommandLine", "", p.parentLine,
		"ParentUser", "", account))
}

// sysmonRegistry is Sysmon event 12, or 13 if details is set.
func (h *Host) sysmonRegistry(t time.Time, kind, object, details, image, pid string) evtxtest.Event {
	fields := list(
		"RuleName", "", "-",
		"EventType", "", kind,
		"UtcTime", "", sysmonTime(t),
		"ProcessGuid", "guid", sysmonGUID(t, pid),
		"ProcessId", "uint32", fmt.Sprint(number(pid)),
		"Image", "", image,
		"TargetObject", "", object)
	if details == "" {
		return h.sysmon(t, 12, 2, fields)
	}
	return h.sysmon(t, 13, 2, append(fields, evtxtest.Field{Name: "Details", Value: details}))
}

// system is a record of the System log.
func (h *Host) systemEvent(t time.Time, provider string, id uint32, version uint8, data []evtxtest.Field) evtxtest.Event {
	return evtxtest.Event{Channel: "System", Provider: provider, Computer: h.fqdn(), EventID: id, Version: version,
		Level: 4, Keywords: 0x8000000000000000, Time: t, UserID: systemSID, ProcessID: 4, ThreadID: 8, Data: data}
}

// classic is a record of a provider that predates manifests: its data has no names.
func (h *Host) classic(t time.Time, channel, provider string, id uint32, data ...string) evtxtest.Event {
	e := evtxtest.Event{Channel: channel, Provider: provider, Computer: h.fqdn(), EventID: id, Level: 4,
		Keywords: keywordClassic, Time: t}
	for _, d := range data {
		e.Data = append(e.Data, evtxtest.Field{Value: d})
	}
	return e
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// number reads the hexadecimal number of a pid.
func number(hex string) uint64 {
	var n uint64
	fmt.Sscanf(hex, "0x%x", &n)
	return n
}
