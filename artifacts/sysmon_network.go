package artifacts

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "sysmon-network",
	Title:        "network connections and pipes of file sharing",
	What:         "Sysmon 3 (connection to port 445 or 139), 17, 18 (pipes by which shares are managed remotely), 22 (names looked up by programs that connect shares); others only with all context",
	Proves:       "a connection to or from that computer's file server port was made at that time; a pipe was opened; a name was looked up",
	DoesNotProve: "which share was used, or by whom: SMB is the work of the kernel, so the program is System. Nothing is recorded unless Sysmon's configuration includes it",
	Reference:    "Microsoft Sysinternals, Sysmon: event ids 3, 17, 18, 22",
	Events:       []Events{{sysmonChannel, sysmonProvider, []uint32{3, 17, 18, 22}}},
	Joins:        true,
	OpenLog:      each(readSysmonNetwork),
	Files:        []string{sysmonLog},
})

// sharePipes are the pipes of the services that manage shares, and of remote
// registry and remote execution ([MS-SRVS], [MS-WKST], [MS-RRP], [MS-SCMR]).
var sharePipes = []string{"srvsvc", "wkssvc", "winreg", "svcctl", "atsvc", "eventlog", "psexesvc"}

// shareClients are programs that look up the servers they connect shares of.
var shareClients = []string{"explorer.exe", "net.exe", "net1.exe", "powershell.exe", "pwsh.exe", "cmd.exe", "system", "robocopy.exe"}

func readSysmonNetwork(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context}
	image := given(data.Text("Image"))
	o.Process = &evidence.Process{Image: clip(image), PID: pid(data.Text("ProcessId"))}
	byName(&o, data.Text("User"))
	relevant, key := false, ""
	switch rec.EventID {
	case 3:
		port := data.Text("DestinationPort")
		relevant = port == "445" || port == "139"
		o.Side, o.Peer = evidence.Client, address(data.Text("DestinationIp"))
		o.Summary = "A connection to port " + clip(port) + " of another computer was made."
		if !data.flag("Initiated") {
			o.Side, o.Peer = evidence.Server, address(data.Text("SourceIp"))
			o.Summary = "A connection to port " + clip(port) + " was made from another computer."
		}
		o.Detail = append(o.Detail, data.fields("Protocol", "Initiated", "SourceIp", "SourceHostname", "SourcePort", "DestinationIp", "DestinationHostname", "DestinationPort")...)
		key = fmt.Sprint("3\x00", o.Side, "\x00", o.Peer, "\x00", port, "\x00", image, "\x00", o.User, "\x00", rec.Time.Unix()/3600)
	case 17, 18:
		pipe := strings.ToLower(strings.Trim(given(data.Text("PipeName")), `\`))
		relevant = slices.ContainsFunc(sharePipes, func(p string) bool { return pipe == p || strings.HasPrefix(pipe, p+"-") })
		o.Summary = "A pipe was made."
		if rec.EventID == 18 {
			o.Side, o.Summary = evidence.Server, "A pipe was connected to."
		}
		o.Detail = append(o.Detail, data.fields("EventType", "PipeName")...)
		key = fmt.Sprint(rec.EventID, "\x00", pipe, "\x00", image, "\x00", o.User, "\x00", rec.Time.Unix()/3600)
	default:
		name := given(data.Text("QueryName"))
		relevant = slices.Contains(shareClients, strings.ToLower(baseName(image)))
		o.Side, o.Peer = evidence.Client, clip(name)
		o.Summary = "The name of another computer was looked up."
		o.Detail = append(o.Detail, data.fields("QueryName", "QueryStatus", "QueryResults")...)
		key = fmt.Sprint("22\x00", strings.ToLower(name), "\x00", image, "\x00", o.User, "\x00", rec.Time.Unix()/3600)
	}
	o.Detail = append(o.Detail, data.fields("RuleName", "ProcessGuid")...)
	if relevant || out.allContext {
		out.ObserveRepeated(rec, key, "", o)
	}
}
