package artifacts

import "sharetrail/parsers/hive"

const miniNt = `Control\MiniNt`

var _ = register(Artifact{
	Name:         "minint",
	Title:        "a key that keeps event logs from being written",
	What:         `SYSTEM, current control set, key ` + miniNt + `, which Windows PE has`,
	Proves:       `the key is there: Windows takes itself for Windows PE and writes no event logs, since the key was made or the next start`,
	DoesNotProve: `intent: installations and settings of file systems make the key too`,
	Reference:    "keydet89/RegRipper3.0, disableeventlog.pl",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + miniNt},
	ReadHive:     currentCopy(miniNt, "The key MiniNt is there: Windows may write no event logs.", "AllowRefsFormatOverNonmirrorVolume"),
	Files:        []string{"Windows/System32/config/SYSTEM"},
})
