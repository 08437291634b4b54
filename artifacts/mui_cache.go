package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

var muiCaches = []string{
	`Software\Microsoft\Windows\ShellNoRoam\MUICache`,
	`Local Settings\MuiCache`,
	`Local Settings\Software\Microsoft\Windows\Shell\MuiCache`,
}

var _ = register(Artifact{
	Name:         "mui-cache",
	Title:        "programs on shares whose names the shell looked up",
	What:         `UsrClass.dat, key ` + muiCaches[2] + `, in XP NTUSER.DAT, key ` + muiCaches[0] + `: a value for each program, named by its path`,
	Proves:       `the shell read the name of that program in this user's session, as it does when it is started by hand, at the last write of the key or before`,
	DoesNotProve: `when, or that the program ran; below a drive letter, what the letter stood for`,
	Reference:    "keydet89/RegRipper3.0, muicache.pl",
	Hive:         hive.NTUSER,
	AlsoHive:     hive.UsrClass,
	Keys:         muiCaches,
	ReadHive: func(in *Hive, out *Emitter) error {
		keys := muiCaches[:1]
		if in.Kind() == hive.UsrClass {
			keys = muiCaches[2:]
		}
		return readPaths(in, out, pathKey{byName: true, action: evidence.Used, says: "The shell looked up the name of a program on ", trim: []string{".FriendlyAppName", ".ApplicationCompany"}, letters: true}, keys...)
	},
	Files: []string{"Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat", "Users/*/NTUSER.DAT"},
})
