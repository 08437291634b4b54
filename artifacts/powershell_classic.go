package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
	"sharetrail/parsers/eventlog"
)

const powerShellLog = logFolder + "Windows PowerShell.evtx"

var _ = register(Artifact{
	Name:         "powershell-classic",
	Title:        "PowerShell sessions and pipelines that map, remove or hide shares",
	What:         "Windows PowerShell 400, 403, 600 (command line of the host), 800 (pipeline) and 4103 of Microsoft-Windows-PowerShell/Operational and PowerShellCore/Operational (a command with its parameters)",
	Proves:       "PowerShell was started with that command line, ran that pipeline, or called that command with these parameters, by that time",
	DoesNotProve: "that it succeeded or had an effect. 800 and 4103 of all commands need a policy. A host's command line is one row, however many records repeat it",
	Reference:    "Microsoft, about_Logging: events of the Windows PowerShell log",
	Events: []Events{
		{"Windows PowerShell", "PowerShell", []uint32{400, 403, 600, 800}},
		{"Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell", []uint32{4103}},
		{"PowerShellCore/Operational", "PowerShellCore", []uint32{4103}},
	},
	Joins: true,
	OpenLog: func() LogReader {
		h := &powerShellHosts{told: map[string]bool{}}
		return LogReader{Read: h.read}
	},
	Files: []string{powerShellLog, logFolder + "Microsoft-Windows-PowerShell%4Operational.evtx", logFolder + "PowerShellCore%4Operational.evtx"},
})

// maxTold is how many command lines and pipelines are remembered, so that each
// is told once: a host repeats its own in every record.
const maxTold = 4096

// powerShellHosts remembers what was told.
type powerShellHosts struct {
	told  map[string]bool
	order []string // keys of told, oldest first
}

func (h *powerShellHosts) read(rec *eventlog.Record, data Data, out *Emitter) {
	if rec.EventID == 4103 {
		readInvocations(rec, data, out)
		return
	}
	// The last text of 400, 403 and 600, and the second of 800, is a list of
	// NAME=VALUE lines whose names are in no language.
	info := hostInfo(data.unnamed(3))
	if rec.EventID == 800 {
		info = hostInfo(data.unnamed(2))
	}
	p := evidence.Process{CommandLine: info["HostApplication"]}
	host := rec.Computer + "\x00" + info["HostId"] + "\x00"
	if p.CommandLine != "" && h.first(host+p.CommandLine) {
		for _, o := range out.commands(rec.Off, p, command.Hint{}) {
			observeHost(rec, info, o, out)
		}
	}
	text := data.unnamed(1)
	if rec.EventID != 800 || text == "" || !h.first(host+info["PipelineId"]+"\x00"+text) {
		return
	}
	for _, seg := range out.scriptCommands(rec.Off, text) {
		o := observeSegment(seg)
		o.Process = &evidence.Process{CommandLine: clip(seg.Text)}
		observeHost(rec, info, o, out)
	}
}

// first reports whether key was not told yet, and remembers it.
func (h *powerShellHosts) first(key string) bool {
	if h.told[key] {
		return false
	}
	if len(h.order) == maxTold {
		delete(h.told, h.order[0])
		h.order = h.order[1:]
	}
	h.told[key] = true
	h.order = append(h.order, key)
	return true
}

func observeHost(rec *eventlog.Record, info map[string]string, o evidence.Observation, out *Emitter) {
	byHeader(&o, rec)
	byName(&o, info["UserId"])
	for _, name := range []string{"HostName", "HostId", "RunspaceId", "PipelineId", "ScriptName"} {
		if v := info[name]; v != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: name, Value: clip(v)})
		}
	}
	out.ObserveRecord(rec, o)
}

// hostFields are the lines of the list that are used. A value with line breaks
// goes on until the next of these names, in the order of the list.
var hostFields = []string{"UserId", "HostName", "HostVersion", "HostId", "HostApplication", "EngineVersion", "RunspaceId", "PipelineId", "CommandName", "CommandType", "ScriptName", "CommandPath", "CommandLine"}

// hostInfo reads the list. Command lines may hold line breaks, and text that
// looks like a line of the list: a name counts only behind those before it.
func hostInfo(s string) map[string]string {
	info := map[string]string{}
	last, next := "", 0
	for line := range strings.Lines(s) {
		name, value, ok := strings.Cut(strings.TrimLeft(line, "\t "), "=")
		at := -1
		for i := next; ok && i < len(hostFields); i++ {
			if hostFields[i] == name {
				at = i
				break
			}
		}
		if at < 0 {
			if last != "" {
				info[last] += line
			}
			continue
		}
		last, next = name, at+1
		info[name] = value
	}
	for name, v := range info {
		info[name] = strings.TrimSpace(v)
	}
	return info
}

// readInvocations reads 4103: its Payload tells each command that was called as
//
//	CommandInvocation(Remove-SmbMapping): "Remove-SmbMapping"
//	ParameterBinding(Remove-SmbMapping): name="LocalPath"; value="Z:"
//
// from which the command is written down again and classified.
func readInvocations(rec *eventlog.Record, data Data, out *Emitter) {
	info := contextInfo(data.Text("ContextInfo"))
	for _, line := range invocations(data.Text("Payload")) {
		for _, seg := range out.scriptCommands(rec.Off, line) {
			o := observeSegment(seg)
			byHeader(&o, rec)
			byName(&o, info["User"])
			o.Process = &evidence.Process{CommandLine: clip(seg.Text)}
			for _, name := range []string{"Host ID", "Runspace ID", "Pipeline ID", "Script Name"} {
				if v := info[name]; v != "" {
					o.Detail = append(o.Detail, evidence.Field{Name: strings.ReplaceAll(name, " ", ""), Value: clip(v)})
				}
			}
			out.ObserveRecord(rec, o)
		}
	}
}

// contextInfo reads the lines NAME = VALUE of ContextInfo. The names are in the
// language of Windows; those in English are used.
func contextInfo(s string) map[string]string {
	info := map[string]string{}
	for line := range strings.Lines(s) {
		if name, value, ok := strings.Cut(line, " = "); ok && info[strings.TrimSpace(name)] == "" {
			info[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return info
}

// maxInvocations bounds the commands of one record.
const maxInvocations = 256

// invocations writes the commands of a Payload down again.
func invocations(payload string) (list []string) {
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 && len(list) < maxInvocations {
			list = append(list, b.String())
		}
		b.Reset()
	}
	for line := range strings.Lines(payload) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "CommandInvocation("); ok {
			flush()
			name, _, _ := strings.Cut(rest, ")")
			b.WriteString(name)
			continue
		}
		rest, ok := strings.CutPrefix(line, "ParameterBinding(")
		if !ok || b.Len() == 0 {
			continue
		}
		_, rest, _ = strings.Cut(rest, `): name="`)
		name, rest, _ := strings.Cut(rest, `"; value="`)
		if name != "" && !strings.ContainsAny(name, " \t;|&") {
			b.WriteString(argument(name, strings.TrimSuffix(rest, `"`)))
		}
	}
	flush()
	return list
}

// argument writes a parameter with its value. Lists of plain words stay lists.
func argument(name, value string) string {
	plain := func(r rune) bool {
		return r == '_' || r == '-' || r == '.' || r == ':' || r == '*' || r == '\\' || r == '$' || r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z'
	}
	list := strings.Split(value, ", ")
	for i, item := range list {
		if item == "" || strings.ContainsFunc(item, func(r rune) bool { return !plain(r) }) || strings.HasPrefix(item, "-") || strings.HasPrefix(item, "$") {
			list = []string{value}
			break
		}
		list[i] = "'" + item + "'"
	}
	switch {
	case strings.EqualFold(value, "True") && strings.EqualFold(name, "Persistent"):
		return " -" + name + " $true"
	case strings.EqualFold(value, "True"):
		return " -" + name
	case strings.EqualFold(value, "False") && strings.EqualFold(name, "Persistent"):
		return " -" + name + " $false"
	case strings.EqualFold(value, "False"):
		return ""
	case len(list) == 1:
		return " -" + name + " '" + strings.ReplaceAll(value, "'", "''") + "'"
	}
	return " -" + name + " " + strings.Join(list, ",")
}
