package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "wmi-activity",
	Title:        "WMI operations on shares, processes and logs",
	What:         "Microsoft-Windows-WMI-Activity/Operational 5857 to 5861, where they name classes of shares, connections, sessions, processes, logs or shadow copies; 5861 (a permanent subscription) always",
	Proves:       "a client of that account on that computer tried that operation (5858: it failed), or subscribed",
	DoesNotProve: "if absent, that WMI removed no share: an operation that succeeds leaves nothing here",
	Reference:    "manifest of the provider Microsoft-Windows-WMI-Activity (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-WMI-Activity/Operational", "Microsoft-Windows-WMI-Activity", idsOf(wmiEvents)}},
	OpenLog: contexts("", wmiEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool {
		byNameOrSID(o, given(data.Text("User")))
		if client := given(data.Text("ClientMachine")); !strings.EqualFold(client, firstLabel(rec.Computer)) && client != "." {
			o.Peer = clip(client)
		}
		status(o, data, "ResultCode")
		text := strings.ToLower(data.Text("Operation") + " " + data.Text("Query") + " " + data.Text("ProviderName"))
		return out.allContext || rec.EventID == 5861 || slices.ContainsFunc(wmiClasses, func(c string) bool { return strings.Contains(text, c) })
	}, "ResultCode"),
	Files: []string{logFolder + "Microsoft-Windows-WMI-Activity%4Operational.evtx"},
})

var wmiEvents = map[uint32]string{
	5857: "A WMI provider was loaded.",
	5858: "A WMI operation failed.",
	5859: "A WMI event subscription of a provider started.",
	5860: "A temporary WMI event subscription was made.",
	5861: "A permanent WMI event subscription was made.",
}

// wmiClasses are the classes that make, show and remove shares or the traces
// of it.
var wmiClasses = []string{
	"win32_share", "win32_networkconnection", "win32_serverconnection", "win32_serversession", "win32_mappedlogicaldisk", "win32_connectionshare",
	"msft_smb", "win32_process", "win32_nteventlogfile", "win32_ntlogevent", "win32_shadowcopy", "stdregprov",
}

// firstLabel returns the first label of a computer's name.
func firstLabel(host string) string {
	label, _, _ := strings.Cut(host, ".")
	return label
}
