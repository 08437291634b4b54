package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

var netCacheKeys = []string{
	`Software\Microsoft\Windows\CurrentVersion\NetCache`,
	`Software\Microsoft\Windows\CurrentVersion\NetCache\AssignedOfflineFolders`,
	`Software\Policies\Microsoft\Windows\NetCache\AssignedOfflineFolders`,
	`Microsoft\Windows\CurrentVersion\NetCache`,
	`Microsoft\Windows\CurrentVersion\NetCache\AssignedOfflineFolders`,
	`Policies\Microsoft\Windows\NetCache\AssignedOfflineFolders`,
}

var _ = register(Artifact{
	Name:         "netcache",
	Title:        "shares that are kept for offline use",
	What:         `NTUSER.DAT and SOFTWARE, keys NetCache and AssignedOfflineFolders: values named by shares and folders`,
	Proves:       `that folder was set to be kept on this computer (client-side caching), which uses the share in the background, at the last write of the key or before`,
	DoesNotProve: `that the user opened it`,
	Reference:    "Microsoft, Offline Files (client-side caching); measured on public test hives",
	Hive:         hive.NTUSER,
	AlsoHive:     hive.Software,
	Keys:         netCacheKeys,
	ReadHive: func(in *Hive, out *Emitter) error {
		keys := netCacheKeys[:3]
		if in.Kind() == hive.Software {
			keys = netCacheKeys[3:]
		}
		return readPaths(in, out, pathKey{byName: true, action: evidence.Context, says: "Kept for offline use: "}, keys...)
	},
	Files: []string{"Users/*/NTUSER.DAT", "Windows/System32/config/SOFTWARE"},
})
