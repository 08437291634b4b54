package artifacts

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

// Channels and providers that several artifacts read.
const (
	securityChannel  = "Security"
	systemChannel    = "System"
	sysmonChannel    = "Microsoft-Windows-Sysmon/Operational"
	auditingProvider = "Microsoft-Windows-Security-Auditing"
	eventlogProvider = "Microsoft-Windows-Eventlog"
	sysmonProvider   = "Microsoft-Windows-Sysmon"
)

// Where Windows keeps the logs.
const (
	securityLog = "Windows/System32/winevt/Logs/Security.evtx"
	systemLog   = "Windows/System32/winevt/Logs/System.evtx"
	sysmonLog   = "Windows/System32/winevt/Logs/Microsoft-Windows-Sysmon%4Operational.evtx"
)

// failed reports whether rec is an audit of a failure (winmeta.xml, keyword
// win:AuditFailure).
func failed(rec *eventlog.Record) bool { return rec.Keywords&0x0010000000000000 != 0 }

// account fills o with the account that the fields prefix+UserSid, UserName,
// DomainName and LogonId name.
func account(o *evidence.Observation, data Data, prefix string) {
	o.User = given(data.Text(prefix + "UserName"))
	o.SID = given(data.Text(prefix + "UserSid"))
	if o.SID == "S-1-0-0" { // nobody
		o.SID = ""
	}
	o.LogonID = logonID(data.Text(prefix + "LogonId"))
	if d := given(data.Text(prefix + "DomainName")); d != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "domain", Value: d})
	}
}

// given returns s, or "" where Windows writes that it has no value.
func given(s string) string {
	if s = strings.TrimSpace(s); s == "-" {
		return ""
	}
	return s
}

// logonID spells a logon id as outputs do: 0x and digits without padding. Logs
// have it as a number or as text; 0 is none.
func logonID(s string) string {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 0, 64)
	if err != nil || n == 0 {
		return ""
	}
	return fmt.Sprintf("%#x", n)
}

// pid spells a process id in decimal; "" if s is no number.
func pid(s string) string {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 0, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// address returns an IP address without the wrapping of IPv4 in IPv6 and
// without the zone; "" if s is none.
func address(s string) string {
	s = given(s)
	if len(s) > 7 && strings.EqualFold(s[:7], "::ffff:") && strings.Contains(s, ".") {
		s = s[7:]
	}
	s, _, _ = strings.Cut(s, "%")
	return s
}

// remote returns the address s unless it is this computer's own.
func remote(s string) string {
	s = address(s)
	if s == "::1" || strings.HasPrefix(s, "127.") {
		return ""
	}
	return s
}

// fields returns the named fields that have a value, in the order of names.
// White space inside a value is folded: Windows lists rights one a line.
func (d Data) fields(names ...string) (out evidence.Detail) {
	for _, n := range names {
		if s := given(strings.Join(strings.Fields(d.Text(n)), " ")); s != "" {
			out = append(out, evidence.Field{Name: n, Value: clip(s)})
		}
	}
	return out
}

// time returns the field called name if it is a time.
func (d Data) time(name string) time.Time {
	for _, f := range d {
		if !named(f, name) {
			continue
		}
		switch v := f.Value.(type) {
		case time.Time:
			return v
		case string:
			if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
				return t.UTC().Truncate(100)
			}
		}
	}
	return time.Time{}
}

// quoted names a thing in a sentence, or says that it has no name.
func quoted(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
