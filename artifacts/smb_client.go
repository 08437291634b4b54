package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "smb-client",
	Title:        "connections of the computer's SMB client",
	What:         "Microsoft-Windows-SMBClient, channels Connectivity, Security, Audit and Operational: connections, sessions and shares lost, refused and made again; 30833, the initial connection to a share (newest Windows only)",
	Proves:       "at that time the SMB client lost, failed to make or made again a connection with that server or share; 30833 that the share was connected",
	DoesNotProve: "that a mapping was removed: a clean disconnect leaves no record here, and a loss is an idle time-out, a restart, sleep or VPN as well. The record does not name whose connection it was unless a person's SID is in its header",
	Reference:    "manifest of the provider Microsoft-Windows-SMBClient (repnz/etw-providers-docs); nasbench/EVTX-ETW-Resources",
	Events:       []Events{{"", "Microsoft-Windows-SMBClient", idsOf(smbClientEvents)}},
	OpenLog:      each(readSMBClient),
	Files: []string{
		logFolder + "Microsoft-Windows-SmbClient%4Connectivity.evtx", logFolder + "Microsoft-Windows-SmbClient%4Security.evtx",
		logFolder + "Microsoft-Windows-SmbClient%4Audit.evtx", logFolder + "Microsoft-Windows-SMBClient%4Operational.evtx",
	},
})

// smbClientEvents say what happened; %s is the share or server.
var smbClientEvents = map[uint32]string{
	30611: "The SMB client could not keep a file open on %s.",
	30612: "The SMB client could not keep a file open on %s.",
	30613: "The SMB client could not keep a file open on %s.",
	30614: "The SMB client could not keep a file open on %s.",
	30621: "The SMB client lost or made again a connection with %s.",
	30622: "The SMB client lost or made again a connection with %s.",
	30623: "The SMB client lost or made again a connection with %s.",
	30624: "The SMB client lost or made again a connection with %s.",
	30800: "The SMB client could not resolve or reach %s.",
	30801: "The SMB client could not resolve or reach %s.",
	30802: "The SMB client could not resolve or reach %s.",
	30803: "The SMB client failed to establish a network connection with %s.",
	30804: "The network connection of the SMB client with %s was disconnected.",
	30805: "The SMB client lost its session with %s.",
	30806: "The SMB client made its session with %s again.",
	30807: "The SMB client lost its connection to the share %s.",
	30808: "The SMB client made its connection to the share %s again.",
	30809: "A request of the SMB client to %s timed out.",
	30810: "A network interface was installed for the SMB client.",
	30811: "A network interface was removed from the SMB client.",
	30819: "The SMB client was told about a change of %s.",
	30820: "The SMB client was told about a change of %s.",
	30821: "The SMB client was told about a change of %s.",
	30822: "A further network connection of the SMB client with %s failed.",
	30823: "A further network connection of the SMB client with %s failed or was ended.",
	30824: "A further network connection of the SMB client with %s failed or was ended.",
	30825: "A further network connection of the SMB client with %s failed or was ended.",
	30828: "The SMB client made a session with %s.",
	30829: "The SMB client failed to make a session with %s.",
	30830: "The SMB client chose a connection with %s.",
	30832: "The SMB client made a network connection with %s.",
	30833: "The SMB client made its initial connection to the share %s.",
	31000: "The SMB client failed to authenticate to %s.",
	31001: "The SMB client failed to authenticate to %s.",
	31010: "The SMB client failed to connect to the share %s.",
	31012: "A security check of the SMB client on %s failed.",
	31013: "A security check of the SMB client on %s failed.",
	31014: "A security check of the SMB client on %s failed.",
	31015: "A security check of the SMB client on %s failed.",
	31016: "A security check of the SMB client on %s failed.",
	31017: "The SMB client refused a logon as guest to %s.",
	31018: "A setting of the SMB client is not the default.",
	31019: "The way of authentication to %s changed.",
	31022: "The SMB client allowed a logon as guest to %s.",
	31023: "The SMB client was kept from NTLM with %s.",
	31997: "The SMB client audited its connection with %s.",
	31998: "The SMB client audited its connection with %s.",
	31999: "The SMB client audited its connection with %s.",
	32000: "The SMB client met SMB1 at %s.",
	32002: "The SMB client audited its connection with %s.",
}

// smbReasons name the values of Reason (map Smb2DiagReasonMap of the provider's
// manifest).
var smbReasons = map[string]string{
	"0": "not specified", "1": "DNS", "2": "set socket security", "3": "IPsec", "4": "network connect", "5": "negotiate validation",
	"6": "exchange expiry", "7": "disconnect indication", "8": "negative cache", "9": "acquire credentials handle",
	"10": "initialize security context", "11": "session setup response", "12": "tree connect response", "13": "validate negotiate",
	"14": "handle reconnect", "15": "create response", "16": "exchange cancellation", "17": "object suspended",
	"18": "user disconnect", "19": "handle closed", "101": "consecutive session setup failures",
	"102": "QUIC server certificate", "103": "QUIC server configuration", "201": "mutual authentication downgrade",
	"202": "create signing key", "203": "register crypto keys", "204": "query context attributes", "205": "encryption on null session",
	"301": "no binding object", "302": "send failure", "401": "receive context allocation", "402": "padding allocation",
	"403": "receive handler", "404": "message buffer allocation", "405": "endpoint torn down", "406": "message size receive error",
	"407": "message too large", "408": "message copy error", "409": "endpoint receive handler", "410": "endpoint receive error",
}

// transports name the values of ConnectionType (ConnectionTypeMap).
var transports = map[string]string{"0": "TDI", "1": "TCP", "2": "RDMA", "3": "VMBus", "4": "QUIC"}

func readSMBClient(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client}
	byHeader(&o, rec)
	o.LogonID = logonID(data.Text("LogonId"))
	remote := smbNames(&o, data)
	for _, f := range []string{"Address", "RemoteAddress", "ServerAddress", "LocalAddress"} {
		at, text := data.socket(f)
		if text == "" {
			text = given(data.Text(f)) // some versions write it as text
		}
		if text == "" {
			continue
		}
		o.Detail = append(o.Detail, evidence.Field{Name: f, Value: clip(text)})
		if f != "LocalAddress" && at.IsValid() && (o.Peer == "" || o.Share != "") {
			o.Peer = at.Addr().String()
		}
	}
	for _, f := range []string{"Status", "SecurityStatus"} {
		status(&o, data, f)
	}
	o.Detail = append(o.Detail, data.fields("Reason")...)
	meaning(&o, data, "Reason", smbReasons)
	o.Detail = append(o.Detail, data.fields("ConnectionType")...)
	meaning(&o, data, "ConnectionType", transports)
	o.Detail = append(o.Detail, data.fields("ServerName", "ShareName", "ObjectName", "UserName", "PrincipalName", "InstanceName", "SessionId", "TreeId", "Smb2Command",
		"Name", "IfIndex", "RegName", "RegValue", "RetryCount", "ElapsedTimeInMs", "SigningUsed", "EncryptionUsed", "Dialect", "GuidDialect")...)
	if rec.EventID == 30833 && o.Share != "" {
		o.Action = evidence.Used
	}
	what := quoted(remote, "a server that is not named")
	o.Summary = strings.Replace(smbClientEvents[rec.EventID], "%s", what, 1)
	out.ObserveRecord(rec, o)
}

// smbNames fills in the share or the server that the record names, as
// \SERVER or \SERVER\SHARE, and returns how a sentence calls it.
func smbNames(o *evidence.Observation, data Data) string {
	for _, f := range []string{"ShareName", "ServerName", "Name"} {
		s := strings.TrimLeft(given(data.Text(f)), `\`)
		if s == "" || f == "Name" && !strings.HasPrefix(data.Text(f), `\`) {
			continue // Name may be that of a network interface
		}
		if place(o, `\\`+s) {
			return name(o)
		}
	}
	return ""
}
