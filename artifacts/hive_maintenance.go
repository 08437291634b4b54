package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "hive-maintenance",
	Title:        "registry hives reorganised",
	What:         "System, Kernel-General 15 (a hive was reorganised) and 16 (its access history was cleared), for hives of users and of the system",
	Proves:       "15: deleted keys and values in that hive's free cells were lost at that time",
	DoesNotProve: "that anybody wanted it: Windows does so by itself",
	Reference:    "manifest of the provider Microsoft-Windows-Kernel-General (repnz/etw-providers-docs); msuhanov/regf, Windows registry file format specification",
	Events:       []Events{{systemChannel, "Microsoft-Windows-Kernel-General", idsOf(hiveEvents)}},
	OpenLog: contexts("", hiveEvents, func(_ *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool {
		path := data.Text("HiveName")
		o.User = profileOf(path)
		hive := strings.ToLower(baseName(path))
		return out.allContext || slices.Contains(tracedHives, hive)
	}),
	Files: []string{systemLog},
})

// tracedHives are the hives that remember shares, or what is recorded of them.
var tracedHives = []string{"ntuser.dat", "usrclass.dat", "system", "software", "security", "default", "sam"}

var hiveEvents = map[uint32]string{
	15: "A registry hive was reorganised: what was deleted in it before can no longer be recovered.",
	16: "The access history of a registry hive was cleared.",
}
