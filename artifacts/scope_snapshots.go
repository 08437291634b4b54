package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const systemRestore = windowsNT + `\SystemRestore`

var _ = register(Artifact{
	Name:         "scope-snapshots",
	Title:        "what shadow copies of system protection leave out",
	What:         `SOFTWARE, key ` + systemRestore + `: ScopeSnapshots, DisableSR, RPSessionInterval`,
	Proves:       `with ScopeSnapshots 1, or without the value since Windows 8, shadow copies made for system protection keep the files that a restore needs only: others in them may be newer than the copy, or garbage`,
	DoesNotProve: `anything about shadow copies that a backup or a server made`,
	Reference:    "libyal/libvshadow, Volume Shadow Snapshot format: scoped snapshots",
	Hive:         hive.Software,
	Keys:         []string{systemRestore},
	ReadHive: func(in *Hive, out *Emitter) error {
		return observeCopy(in, systemRestore, []string{"ScopeSnapshots", "DisableSR", "RPSessionInterval", "FirstRun"}, "How system protection makes shadow copies.", evidence.Observation{}, out)
	},
	Files: []string{"Windows/System32/config/SOFTWARE"},
})
