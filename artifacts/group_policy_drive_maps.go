package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "group-policy-drive-maps",
	Title:        "drives that Group Policy mapped or removed",
	What:         "Application, provider Group Policy Drive Maps: 4096 (an item was applied), 4098 (it failed), 8194 (the extension failed)",
	Proves:       "Group Policy applied, or failed to apply, that drive map item at that time",
	DoesNotProve: "whether the item creates, replaces or deletes the drive: that is in the policy. Successes are recorded only if tracing is on",
	Reference:    "Microsoft, Group Policy preferences: events 4096, 4098 and 8194",
	Events:       []Events{{applicationChannel, "Group Policy Drive Maps", idsOf(driveMapEvents)}},
	OpenLog: contexts(evidence.Client, driveMapEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		byHeader(o, rec)
		o.Drive = evidence.Drive(data.unnamed(2)) // the item is named by its letter unless it was renamed
		return true
	}),
	Files: []string{applicationLog},
})

// driveMapEvents: %1 is "user" or "computer", %2 the item, %3 the policy, %4
// the error.
var driveMapEvents = map[uint32]string{
	4096: "Group Policy applied a drive map item.",
	4098: "Group Policy failed to apply a drive map item.",
	8194: "The drive map extension of Group Policy failed.",
}
