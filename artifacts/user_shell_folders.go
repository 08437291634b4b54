package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

var shellFolderKeys = []string{explorer + `\User Shell Folders`, explorer + `\Shell Folders`}

var _ = register(Artifact{
	Name:         "user-shell-folders",
	Title:        "folders of the user that lie on a share",
	What:         `NTUSER.DAT, keys User Shell Folders and Shell Folders of ` + explorer + `: where Documents, Desktop and others of the user lie`,
	Proves:       `the folder is redirected to that share, so that programs use the share without any mapping, and without an act of the user`,
	DoesNotProve: `when it was redirected: the last write of the key is that of any of its values`,
	Reference:    "Microsoft, Folder Redirection; libyal/winreg-kb",
	Hive:         hive.NTUSER,
	Keys:         shellFolderKeys,
	ReadHive: func(in *Hive, out *Emitter) error {
		return readPaths(in, out, pathKey{action: evidence.Context, says: "A folder of the user is redirected to ", letters: true}, shellFolderKeys...)
	},
	Files: []string{"Users/*/NTUSER.DAT"},
})
