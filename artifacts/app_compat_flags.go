package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const appCompatFlags = windowsNTUser + `\AppCompatFlags`

// windowsNTUser is where a user's hive keeps what is Windows NT's.
const windowsNTUser = `Software\Microsoft\Windows NT\CurrentVersion`

var compatibilityKeys = []string{
	appCompatFlags + `\Compatibility Assistant\Persisted`,
	appCompatFlags + `\Compatibility Assistant\Store`,
	appCompatFlags + `\Layers`,
}

var _ = register(Artifact{
	Name:         "app-compat-flags",
	Title:        "programs on shares that Windows watched for compatibility",
	What:         `NTUSER.DAT, keys Persisted and Store of ` + appCompatFlags + `\Compatibility Assistant, and Layers: a value for each program, named by its path`,
	Proves:       `the Compatibility Assistant saw that program start in this user's session, or somebody set a compatibility mode for it, at the last write of the key or before`,
	DoesNotProve: `when; below a drive letter, what the letter stood for`,
	Reference:    "EricZimmerman/RECmd, Kroll_Batch.reb: Compatibility Assistant",
	Hive:         hive.NTUSER,
	Keys:         compatibilityKeys,
	ReadHive: func(in *Hive, out *Emitter) error {
		return readPaths(in, out, pathKey{byName: true, action: evidence.Used, says: "Windows noted the compatibility of a program on ", letters: true}, compatibilityKeys...)
	},
	Files: []string{"Users/*/NTUSER.DAT"},
})
