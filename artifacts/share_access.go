package artifacts

import (
	"fmt"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "share-access",
	Title:        "accesses that the file server recorded",
	What:         "Security 5140 (a share was opened) and 5145 (a file on it was opened or checked)",
	Proves:       "at that time a session of that account, from that address, opened the share, or was refused. Accesses to files in one session are one row, which has their count, first and last time, unless all context is asked for; so is what computers do with IPC$, SYSVOL and NETLOGON",
	DoesNotProve: "each access: 5140 is written once for a session and share. Off by default; no event proves nothing unless the auditing was on and the log reaches back",
	Reference:    "Microsoft, Windows security auditing: events 5140, 5145; Microsoft, Audit File Share",
	Events:       []Events{{securityChannel, auditingProvider, []uint32{5140, 5145}}},
	Joins:        true,
	OpenLog:      each(readShareAccess),
	Files:        []string{securityLog},
})

func readShareAccess(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Used, Side: evidence.Server}
	account(&o, data, "Subject")
	serverShare(rec, data, &o, out)
	o.Peer = address(data.Text("IpAddress"))
	o.Detail = append(o.Detail, data.fields("ShareLocalPath", "RelativeTargetName", "AccessMask", "AccessList", "IpPort")...)
	if rec.EventID == 5140 && !failed(rec) { // 5145 is switched on apart, as are failures
		out.Witness(rec, evidence.ShareAccess)
	}
	what := "was opened"
	if rec.EventID == 5145 {
		what = "had an object opened or checked"
	}
	if failed(rec) {
		o.Action = evidence.Context
		what = "was not opened: access denied"
		o.Detail = append(o.Detail, data.fields("AccessReason")...)
	}
	o.Summary = "Share " + quoted(o.Share, "without a name") + " " + what + "."
	if key, ok := repeated(rec, &o); ok {
		name := given(data.Text("RelativeTargetName"))
		if rec.EventID == 5140 {
			name = o.LogonID
		}
		out.ObserveRepeated(rec, key, name, o)
		return
	}
	out.ObserveRecord(rec, o)
}

// repeated returns what is one fact however many records state it: each file
// opened in one session (5145), and what a session does with the shares that
// Windows itself uses all day. Computers open those in a session each time;
// they are told apart by their addresses only.
func repeated(rec *eventlog.Record, o *evidence.Observation) (key string, ok bool) {
	_, share, _ := strings.Cut(strings.TrimPrefix(o.Share, `\\`), `\`)
	own := slices.ContainsFunc([]string{"IPC$", "SYSVOL", "NETLOGON"}, func(s string) bool { return strings.EqualFold(s, share) })
	if rec.EventID != 5145 && !own || o.Share == "" {
		return "", false
	}
	session := o.LogonID
	if own && strings.HasSuffix(o.User, "$") {
		session = "any"
	}
	return strings.Join([]string{fmt.Sprint(rec.EventID), evidence.ShareKey(o.Share), o.SID, o.User, o.Peer, session}, "\x00"), true
}

// serverShare fills in the share that the field ShareName names: \\*\NAME, in
// some records with every backslash doubled.
func serverShare(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) {
	raw := data.Text("ShareName")
	server, share, ok := strings.Cut(strings.TrimLeft(raw, `\`), `\`)
	share = strings.TrimLeft(share, `\`)
	if !ok || !strings.HasPrefix(raw, `\\`) || share == "" || strings.Contains(share, `\`) {
		out.Doubtful("", "", binread.Errorf(rec.Off, "ShareName", "record %d: no share name: %q", rec.ID, clip(raw)))
		o.Detail = append(o.Detail, evidence.Field{Name: "ShareName", Value: clip(raw)})
		return
	}
	o.Share = `\\` + server + `\` + share
}
