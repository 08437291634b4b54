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
	channelPolicy     = "Microsoft-Windows-GroupPolicy/Operational"

	providerSecurity = "Microsoft-Windows-Security-Auditing"
	providerEventlog = "Microsoft-Windows-Eventlog"
	providerKernel   = "Microsoft-Windows-Kernel-General"
)

// providers are the default providers of channels.
var providers = map[string]string{
	"Security": providerSecurity, "System": providerKernel,
	channelSysmon: "Microsoft-Windows-Sysmon", channelPowerShell: "Microsoft-Windows-PowerShell",
}

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

// emit adds a record to a log. The data are pairs of name and value; types,
// order and what is left out come from evtxtest.
func (w *world) emit(t time.Time, channel, provider string, id uint32, options string, data ...string) {
	var b strings.Builder
	fmt.Fprintf(&b, "@Channel=%q Provider=%q Computer=%q\n", channel, or(provider, providers[channel]), w.fqdn())
	fmt.Fprintf(&b, "%s %d %s\n", stamp(t), id, options)
	for i := 0; i+1 < len(data); i += 2 {
		value := strings.NewReplacer("\n", `\u{A}`, "\r", `\u{D}`).Replace(data[i+1])
		fmt.Fprintf(&b, "  %s = %s\n", data[i], value)
	}
	events, err := evtxtest.Parse(b.String())
	if err != nil && w.err == nil {
		w.err = err
	}
	w.events = append(w.events, events...)
}

// security adds a record to the Security log, if its subcategory is audited.
func (w *world) security(t time.Time, id uint32, subcategory string, data ...[]string) {
	if w.audit.on(subcategory, t) {
		w.emit(t, "Security", "", id, "pid=4 tid=84", join(data...)...)
	}
}

// system adds a record to the System log.
func (w *world) system(t time.Time, provider string, id uint32, options string, data ...string) {
	w.emit(t, "System", provider, id, options, data...)
}

func join(parts ...[]string) []string {
	var all []string
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// pairs only makes calls easier to read.
func pairs(data ...string) []string { return data }

// A principal is who an event is about.
type principal struct{ sid, name, domain, logon string }

// computer is the computer's own account.
func (h *Host) computer() principal {
	return principal{systemSID, h.Name + "$", h.netbios(), "0x3e7"}
}

// nobody is how Windows fills an absent account.
var nobody = principal{"S-1-0-0", "-", "-", "0x0"}

// as names p's parts with a prefix, as in SubjectUserSid.
func (p principal) as(prefix string) []string {
	return []string{prefix + "UserSid", p.sid, prefix + "UserName", p.name, prefix + "DomainName", p.domain, prefix + "LogonId", p.logon}
}

// A logon is one logon session.
type logon struct {
	principal
	kind        string // Windows' logon type
	address     string
	port        string
	workstation string
	elevated    bool
}

// logonStarts is 4624.
func (w *world) logonStarts(t time.Time, l logon) {
	process, pack, image, pid, subject := "User32 ", "Negotiate", `C:\Windows\System32\svchost.exe`, "0x5a8", w.computer()
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
	w.security(t, 4624, "Logon", subject.as("Subject"), l.as("Target"), pairs(
		"LogonType", l.kind, "LogonProcessName", process, "AuthenticationPackageName", pack,
		"WorkstationName", or(l.workstation, "-"), "ProcessId", pid, "ProcessName", image,
		"IpAddress", or(l.address, "-"), "IpPort", or(l.port, "-"), "ElevatedToken", elevated))
}

// logonEnds is 4634.
func (w *world) logonEnds(t time.Time, l logon) {
	w.security(t, 4634, "Logoff", l.as("Target"), pairs("LogonType", l.kind))
}

// A process is one start of a program.
type process struct {
	principal
	pid, ppid           string // hexadecimal
	image, command      string
	parent, parentLine  string
	elevated, byService bool
}

// start records a process in every log that takes it: 4688 and Sysmon 1.
func (w *world) start(t time.Time, p process) {
	token, label, level := "%%1938", "S-1-16-8192", "Medium"
	if p.elevated {
		token, label, level = "%%1937", "S-1-16-12288", "High"
	}
	if p.byService {
		token, label, level = "%%1936", "S-1-16-16384", "System"
	}
	command := ""
	if w.CommandLines {
		command = p.command
	}
	w.security(t, 4688, "Process Creation", p.as("Subject"), pairs(
		"NewProcessId", p.pid, "NewProcessName", p.image, "TokenElevationType", token, "ProcessId", p.ppid,
		"CommandLine", command, "ParentProcessName", p.parent, "MandatoryLabel", label))
	if !w.Sysmon {
		return
	}
	account := p.domain + `\` + p.name
	if p.sid == systemSID {
		account = `NT AUTHORITY\SYSTEM`
	}
	w.sysmon(t, 1, p.image, p.pid,
		"OriginalFileName", p.image[strings.LastIndexByte(p.image, '\\')+1:], "CommandLine", p.command,
		"User", account, "LogonId", p.logon, "IntegrityLevel", level,
		"ParentProcessGuid", guid(t.Add(-time.Minute), p.ppid), "ParentProcessId", fmt.Sprint(number(p.ppid)),
		"ParentImage", p.parent, "ParentCommandLine", p.parentLine, "ParentUser", account)
}

// sysmon adds a record to Sysmon's log.
func (w *world) sysmon(t time.Time, id uint32, image, pid string, data ...string) {
	w.emit(t, channelSysmon, "", id, "user="+systemSID+" pid=3120 tid=4404", join(pairs(
		"UtcTime", t.UTC().Format("2006-01-02 15:04:05.000"), "ProcessGuid", guid(t, pid),
		"ProcessId", fmt.Sprint(number(pid)), "Image", image), data)...)
}

// guid is an identifier made of a time and a number, in Sysmon's manner.
func guid(t time.Time, hex string) string {
	n := number(hex)
	return fmt.Sprintf("{B33FCAFE-%04X-%04X-%04X-%012X}", uint16(t.Unix()>>16), uint16(t.Unix()), uint16(n), n<<8|0x10)
}

// number reads a hexadecimal number; what is none is 0.
func number(hex string) uint64 {
	var n uint64
	_, _ = fmt.Sscanf(hex, "0x%x", &n)
	return n
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
