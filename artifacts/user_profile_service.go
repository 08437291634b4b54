package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

const profilesProvider = "Microsoft-Windows-User Profiles Service"

var _ = register(Artifact{
	Name:         "user-profile-service",
	Title:        "user profiles loaded and unloaded",
	What:         "Microsoft-Windows-User Profile Service/Operational 1, 2 (logon), 3, 4 (logoff), 5 (registry hive loaded), 67 (profile); Application 1500, 1511, 1515, 1530, 1533",
	Proves:       "the profile of that account was loaded or unloaded at that time: its registry hive on disk is final from 4 on",
	DoesNotProve: "that the person sat there: tasks and services load profiles too, in session 0, which is no logon here",
	Reference:    "manifest of the provider Microsoft-Windows-User Profiles Service (repnz/etw-providers-docs)",
	Events: []Events{
		{"Microsoft-Windows-User Profile Service/Operational", profilesProvider, []uint32{1, 2, 3, 4, 5, 67}},
		{applicationChannel, profilesProvider, []uint32{1500, 1511, 1515, 1530, 1533}},
	},
	OpenLog: contexts("", profileEvents, readProfileService),
	Files:   []string{logFolder + "Microsoft-Windows-User Profile Service%4Operational.evtx", applicationLog},
})

var profileEvents = map[uint32]string{
	1:    "The user profile service was told of a logon.",
	2:    "The user profile was loaded.",
	3:    "The user profile service was told of a logoff.",
	4:    "The user profile was unloaded.",
	5:    "The registry hive of a user was loaded.",
	67:   "The profile of a logon was chosen.",
	1500: "A logon failed: the user profile could not be loaded.",
	1511: "The user profile could not be found: the user works with a temporary one.",
	1515: "A user profile was damaged and was replaced; a backup was kept.",
	1530: "A registry hive was still in use when its user logged off.",
	1533: "A user profile folder could not be deleted.",
}

func readProfileService(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
	byHeader(o, rec)
	if s := data.Text("Session"); o.SID != "" && s != "" && s != "0" {
		switch rec.EventID {
		case 2:
			o.Action, o.Summary = evidence.Logon, "Logon: the user profile was loaded."
		case 4:
			o.Action, o.Summary = evidence.Logoff, "Logoff: the user profile was unloaded."
		}
	}
	switch rec.EventID {
	case 5:
		o.User = profileOf(data.Text("File"))
		if sid, _, _ := strings.Cut(data.Text("Key"), "_"); isPerson(sid) { // SID or SID_Classes
			o.SID = clip(sid)
		}
	case 67:
		o.User = profileOf(data.Text("LocalPath") + `\NTUSER.DAT`)
	}
	return true
}
