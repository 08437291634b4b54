package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
)

const smbServerProvider = "Microsoft-Windows-SMBServer"

var _ = register(Artifact{
	Name:         "smb-server",
	Title:        "the computer's SMB server: refusals, slow accesses, its own start and stop",
	What:         "Microsoft-Windows-SMBServer: 551, 1006, 1009 (refused), 1020 (an access was slow), 1010, 1011 (an endpoint came, went), 1905 (a session was cleaned up), 3000 (SMB1); where the Analytic channel was on, 600 and 602 (a share was connected, disconnected), 700 and 702 (a share was made, removed)",
	Proves:       "at that time that client, by name and address, was refused or used the share; 1010 and 1011 that the server started and stopped listening",
	DoesNotProve: "if absent, that a share was not used or removed: the Analytic channel is off by default, and 1020 needs a slow access",
	Reference:    "manifest of the provider Microsoft-Windows-SMBServer (repnz/etw-providers-docs)",
	Events:       []Events{{"", smbServerProvider, idsOf(smbServerEvents)}},
	Joins:        true,
	OpenLog:      each(readSMBServer),
	Files: []string{
		logFolder + "Microsoft-Windows-SMBServer%4Operational.evtx", logFolder + "Microsoft-Windows-SMBServer%4Security.evtx",
		logFolder + "Microsoft-Windows-SMBServer%4Connectivity.evtx", logFolder + "Microsoft-Windows-SMBServer%4Audit.evtx",
		logFolder + "Microsoft-Windows-SMBServer%4Analytic.etl",
	},
})

// smbServerEvents say what happened and by which action; %s is the share.
var smbServerEvents = map[uint32]struct {
	action  evidence.Action
	summary string
}{
	551:  {evidence.Context, "The SMB server refused to authenticate a client."},
	600:  {evidence.Used, "A client connected to the share %s."},
	602:  {evidence.Context, "A client's connection to the share %s ended."},
	700:  {evidence.ShareCreated, "The SMB server began to export the share %s."},
	702:  {evidence.ShareDeleted, "The SMB server stopped exporting the share %s."},
	1006: {evidence.Context, "The SMB server refused a client the share %s."},
	1009: {evidence.Context, "The SMB server refused an anonymous client."},
	1010: {evidence.Context, "The SMB server began to listen on an endpoint."},
	1011: {evidence.Context, "The SMB server stopped listening on an endpoint."},
	1020: {evidence.Used, "An access to the share %s took long."},
	1905: {evidence.Context, "The SMB server cleaned up a session."},
	3000: {evidence.Context, "A client used SMB1."},
}

func readSMBServer(rec *eventlog.Record, data Data, out *Emitter) {
	event := smbServerEvents[rec.EventID]
	o := evidence.Observation{Action: event.action, Side: evidence.Server}
	byName(&o, data.Text("UserName"))
	if at, text := data.socket("ClientAddress"); text != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "ClientAddress", Value: text})
		if at.IsValid() {
			o.Peer = at.Addr().WithZone("").String()
		}
	}
	if client := strings.Trim(given(data.Text("ClientName")), `\`); o.Peer == "" {
		o.Peer = clip(client)
	}
	if strings.Contains(event.summary, "%s") {
		exported(rec, data, &o, out)
	}
	for _, f := range []string{"Status", "TranslatedStatus"} {
		status(&o, data, f)
	}
	o.Detail = append(o.Detail, data.fields("ClientName", "SharePath", "PathName", "FileName", "SessionGUID", "SessionId", "ConnectionGUID", "TreeConnectGUID",
		"Command", "DurationInMilliseconds", "MappedAccess", "GrantedAccess", "SPN", "Name", "DomainName", "TransportName", "Reason", "InstanceId", "ServerName")...)
	o.Summary = strings.Replace(event.summary, "%s", quoted(o.Share, "without a name"), 1)
	if rec.EventID == 1020 {
		out.ObserveRepeated(rec, strings.Join([]string{evidence.ShareKey(o.Share), o.User, o.Peer, data.Text("SessionId")}, "\x00"), given(data.Text("FileName")), o)
		return
	}
	out.ObserveRecord(rec, o)
}

// exported fills in the share that ShareName names: \\*\NAME, \\SERVER\NAME or
// NAME. What cannot be read as a share is no use, creation or deletion of one.
func exported(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) {
	raw := given(data.Text("ShareName"))
	if raw != "" && !strings.ContainsAny(raw, `\/`) {
		o.Share = `\\*\` + raw
		return
	}
	server, share, ok := strings.Cut(strings.TrimLeft(raw, `\`), `\`)
	if !ok || server == "" || share == "" || strings.Contains(share, `\`) {
		out.Doubtful("", "", binread.Errorf(rec.Off, "ShareName", "record %d: no share name: %q", rec.ID, clip(raw)))
		o.Action = evidence.Context
		o.Detail = append(o.Detail, evidence.Field{Name: "ShareName", Value: clip(raw)})
		return
	}
	o.Share = `\\*\` + share
	if server != "*" { // a cluster may export under several names
		o.Detail = append(o.Detail, evidence.Field{Name: "exported_as", Value: clip(server)})
	}
}
