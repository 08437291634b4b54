package artifacts

import (
	"fmt"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "kerberos",
	Title:        "logons that a domain controller confirmed",
	What:         "Security 4768 (ticket of an account), 4769 (ticket for a service, such as FS01$) and 4776 (NTLM), on domain controllers; 4776 also where a local account was used",
	Proves:       "that account got a ticket for that server, or was refused, at that time: an access to its shares is not earlier. Repeated tickets of an hour are one row, those of a computer all, unless all context is asked for",
	DoesNotProve: "that a share was opened: a ticket serves for hours and for every service of the server. Workstation in 4776 is what the client says it is",
	Reference:    "Microsoft, Windows security auditing: events 4768, 4769, 4776",
	Events:       []Events{{securityChannel, auditingProvider, idsOf(kerberosEvents)}},
	Joins:        true,
	OpenLog:      each(readKerberos),
	Files:        []string{securityLog},
})

var kerberosEvents = map[uint32]string{
	4768: "The domain controller issued a ticket to an account.",
	4769: "The domain controller issued a ticket for a service.",
	4776: "An NTLM logon was checked.",
}

// kerberosErrors name the values of Status in 4768 and 4769 (RFC 4120, 7.5.9).
var kerberosErrors = map[uint64]string{
	0x6: "client not known", 0x7: "server not known", 0x9: "no key", 0xc: "policy", 0xd: "option not possible", 0xe: "encryption type not supported",
	0x12: "account disabled, locked or expired", 0x17: "password expired", 0x18: "pre-authentication failed, as with a wrong password", 0x1b: "user to user required",
	0x1f: "integrity check failed", 0x20: "ticket expired", 0x25: "clocks too far apart", 0x29: "message modified",
}

func readKerberos(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Server, Summary: kerberosEvents[rec.EventID]}
	byName(&o, data.Text("TargetUserName"))
	if sid := given(data.Text("TargetSid")); isPerson(sid) {
		o.SID = clip(sid)
	}
	o.Peer = address(data.Text("IpAddress"))
	if rec.EventID == 4776 {
		o.Peer = clip(strings.TrimLeft(given(data.Text("Workstation")), `\`))
		status(&o, data, "Status")
		o.Detail = append(o.Detail, data.fields("PackageName")...)
	} else if n, ok := data.number("Status"); ok {
		o.Detail = append(o.Detail, evidence.Field{Name: "Status", Value: fmt.Sprintf("%#x", n)})
		if s := kerberosErrors[n]; s != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: textName("Status"), Value: s})
		}
	}
	o.Detail = append(o.Detail, data.fields("ServiceName", "ServiceSid", "TicketOptions", "TicketEncryptionType", "IpPort")...)
	if n, ok := data.number("Status"); failed(rec) || ok && n != 0 {
		o.Summary = "A logon was refused, or no ticket was issued."
	}
	hour := fmt.Sprint(rec.Time.Unix() / 3600)
	if strings.HasSuffix(o.User, "$") {
		hour = "any"
	}
	key := []string{fmt.Sprint(rec.EventID), o.User, o.Detail.Text("domain"), o.Peer, data.Text("ServiceName"), data.Text("Status"), hour}
	out.ObserveRepeated(rec, strings.Join(key, "\x00"), "", o)
}
