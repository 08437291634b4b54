package artifacts

import "sharetrail/parsers/hive"

const prefetchParameters = `Control\Session Manager\Memory Management\PrefetchParameters`

var _ = register(Artifact{
	Name:         "prefetch-parameters",
	Title:        "whether starts of programs leave prefetch files",
	What:         `SYSTEM, current control set, key ` + prefetchParameters + `: EnablePrefetcher (0 off, 1 programs, 2 boot, 3 both)`,
	Proves:       `whether prefetch files are written as of the last write of the key`,
	DoesNotProve: `that they were written before`,
	Reference:    "Microsoft, EnablePrefetcher; libyal/winreg-kb",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + prefetchParameters},
	ReadHive:     currentCopy(prefetchParameters, "Whether starts of programs leave prefetch files.", "EnablePrefetcher", "EnableSuperfetch"),
	Files:        []string{"Windows/System32/config/SYSTEM"},
})
