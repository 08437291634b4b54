package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "share-changes",
	Title:        "shares created, changed and deleted on the file server",
	What:         "Security 5142 (created), 5143 (changed), 5144 (deleted)",
	Proves:       "at that time that account created, changed or deleted the exported share; the logon id leads to the logon it came from",
	DoesNotProve: "if absent, that no share was deleted: an edit of the registry, a sticky deletion or a stopped service writes none, and the auditing is off by default",
	Reference:    "Microsoft, Windows security auditing: events 5142, 5143, 5144; Microsoft, Audit File Share",
	Events:       []Events{{securityChannel, auditingProvider, []uint32{5142, 5143, 5144}}},
	OpenLog:      each(readShareChanges),
	Files:        []string{securityLog},
})

func readShareChanges(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Side: evidence.Server}
	out.Witness(rec, evidence.ShareAccess) // one switch with 5140
	account(&o, data, "Subject")
	serverShare(rec, data, &o, out)
	o.Detail = append(o.Detail, data.fields("ShareLocalPath")...)
	share := quoted(o.Share, "without a name")
	switch rec.EventID {
	case 5142:
		o.Action, o.Summary = evidence.ShareCreated, "Share "+share+" was created."
	case 5143:
		o.Action, o.Summary = evidence.Context, "Share "+share+" was changed."
		o.Detail = append(o.Detail, data.fields("OldRemark", "NewRemark", "OldMaxUsers", "NewMaxUsers", "OldShareFlags", "NewShareFlags", "OldSD", "NewSD")...)
	default:
		o.Action, o.Summary = evidence.ShareDeleted, "Share "+share+" was deleted."
	}
	if failed(rec) {
		o.Action, o.Summary = evidence.Context, "Share "+share+": a change was refused."
	}
	out.ObserveRecord(rec, o)
}
