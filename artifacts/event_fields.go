package artifacts

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

const (
	applicationChannel = "Application"
	applicationLog     = "Windows/System32/winevt/Logs/Application.evtx"
	logFolder          = "Windows/System32/winevt/Logs/"
)

// maxFields bounds the fields that a row takes over from a record: a hostile
// record may have thousands.
const maxFields = 32

// all returns the fields that have a value, but for those named in less, which
// the row has elsewhere. Unnamed ones are Data1, Data2, …, as the message of
// the event numbers them.
func (d Data) all(less ...string) evidence.Detail {
	var out evidence.Detail
	seen := map[string]bool{"Computer": true, "domain": true, "doubt": true} // rows use these
	unnamed := 0
	for _, f := range d {
		name := f.Name
		if name == "Data" {
			unnamed++
			name = fmt.Sprintf("Data%d", unnamed)
		}
		s := given(eventlog.Text(f.Value))
		if s == "" || seen[name] || name == "EventData@Name" || slices.Contains(less, name) {
			continue
		}
		seen[name] = true
		out = append(out, evidence.Field{Name: clip(name), Value: clip(s)})
		if len(out) == maxFields {
			break
		}
	}
	return out
}

// unnamed returns the n-th field without a name, from 1, as the message of a
// classic event numbers them; "" if there is none.
func (d Data) unnamed(n int) string {
	for _, f := range d {
		if f.Name == "Data" {
			if n--; n == 0 {
				return given(eventlog.Text(f.Value))
			}
		}
	}
	return ""
}

// number returns the field called name as a number. Status codes may be
// negative in logs that render them as signed.
func (d Data) number(name string) (uint64, bool) {
	s := strings.TrimSpace(d.Text(name))
	if n, err := strconv.ParseUint(s, 0, 64); err == nil {
		return n, true
	}
	n, err := strconv.ParseInt(s, 0, 32)
	return uint64(uint32(int32(n))), err == nil
}

// flag returns whether the field called name is true: a boolean or 1.
func (d Data) flag(name string) bool {
	s := d.Text(name)
	return s == "1" || strings.EqualFold(s, "true")
}

// socket decodes the field called name, a sockaddr (winsock2.h): the family in
// the byte order of the computer, 2 or 23, then port and address in that of the
// network. It returns the bytes in hexadecimal, and no address, if it is none.
func (d Data) socket(name string) (at netip.AddrPort, text string) {
	for _, f := range d {
		b, ok := f.Value.([]byte)
		if !ok || len(b) == 0 || !named(f, name) {
			continue
		}
		at, ok := sockaddr(b)
		if !ok {
			return netip.AddrPort{}, clip(eventlog.Text(b))
		}
		return at, at.String()
	}
	return netip.AddrPort{}, ""
}

func sockaddr(b []byte) (netip.AddrPort, bool) {
	var ip netip.Addr
	switch {
	case len(b) >= 8 && b[0] == 2 && b[1] == 0:
		ip = netip.AddrFrom4([4]byte(b[4:8]))
	case len(b) >= 24 && b[0] == 23 && b[1] == 0:
		ip = netip.AddrFrom16([16]byte(b[8:24])).Unmap()
	default:
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip, uint16(b[2])<<8|uint16(b[3])), true
}

// remoteIP returns the address s unless it is this computer's own, or a word
// for it in the language of Windows, such as LOCAL.
func remoteIP(s string) string {
	s = remote(s)
	if _, err := netip.ParseAddr(s); err != nil {
		return ""
	}
	return s
}

// isPerson reports whether sid is that of an account that people have: of a
// domain or a computer (S-1-5-21), or of Entra ID (S-1-12-1).
func isPerson(sid string) bool {
	return strings.HasPrefix(sid, "S-1-5-21-") || strings.HasPrefix(sid, "S-1-12-1-")
}

// byHeader fills in the account in the header of rec if it is a person's:
// services write most records, for others.
func byHeader(o *evidence.Observation, rec *eventlog.Record) {
	if isPerson(rec.UserID) {
		o.SID = rec.UserID
	}
}

// byName fills in the account that s names as DOMAIN\user or user@domain.
func byName(o *evidence.Observation, s string) {
	domain, user, ok := strings.Cut(given(s), `\`)
	if !ok {
		user, domain, _ = strings.Cut(domain, "@")
	}
	o.User = clip(user)
	if domain != "" && o.Detail.Get("domain") == nil {
		o.Detail = append(o.Detail, evidence.Field{Name: "domain", Value: clip(domain)})
	}
}

// byNameOrSID is byName for fields that hold either.
func byNameOrSID(o *evidence.Observation, s string) {
	if strings.HasPrefix(s, "S-1-") {
		o.SID = clip(s)
		return
	}
	byName(o, s)
}

// status adds the status code in the field called name, in hexadecimal and, if
// it is a known one, in words.
func status(o *evidence.Observation, data Data, name string) {
	n, ok := data.number(name)
	if !ok {
		return
	}
	o.Detail = append(o.Detail, evidence.Field{Name: name, Value: fmt.Sprintf("%#x", n)})
	if s := ntstatus[uint32(n)]; s != "" && n>>32 == 0 {
		o.Detail = append(o.Detail, evidence.Field{Name: textName(name), Value: s})
	}
}

// textName is the detail that holds the meaning of the code in field name.
func textName(name string) string { return strings.ToLower(name) + "_text" }

// meaning adds what the value of the field called name means.
func meaning(o *evidence.Observation, data Data, name string, words map[string]string) {
	if s := words[data.Text(name)]; s != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: textName(name), Value: s})
	}
}

// idsOf returns the ids of a table of events.
func idsOf[T any](table map[uint32]T) []uint32 { return slices.Sorted(maps.Keys(table)) }

// contexts makes an OpenLog for events that become one context row each: the
// sentence of table, all fields but less, and what fill does. fill may be nil;
// if it returns false there is no row.
func contexts(side evidence.Side, table map[uint32]string, fill func(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool, less ...string) func() LogReader {
	return each(func(rec *eventlog.Record, data Data, out *Emitter) {
		o := evidence.Observation{Action: evidence.Context, Side: side, Summary: table[rec.EventID], Detail: data.all(less...)}
		if fill == nil || fill(rec, data, &o, out) {
			out.ObserveRecord(rec, o)
		}
	})
}
