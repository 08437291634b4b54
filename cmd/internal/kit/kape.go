package kit

import (
	"path"
	"strings"
)

// kapeTargets are targets that every KAPE comes with, by their files in
// github.com/EricZimmerman/KapeFiles, and what of ours each collects. A target
// of theirs is named rather than repeated, so that a file is collected once
// whatever else is run.
var kapeTargets = []struct {
	File, Name, Category string
	covers               []string // Patterns
}{
	{"$J.tkape", "Change journal", "FileSystem", []string{"$Extend/$UsnJrnl:$J"}},
	{"EventLogs.tkape", "Event logs", "EventLogs", []string{"Windows/System32/winevt/Logs/*.evtx"}},
	{"LNKFilesAndJumpLists.tkape", "Shortcuts and jump lists", "LNKFiles", []string{
		"Users/*/AppData/Roaming/Microsoft/Windows/Recent/*", "Users/*/AppData/Roaming/Microsoft/Windows/Recent/*/*",
		"Users/*/AppData/Roaming/Microsoft/Office/Recent/*", "Users/*/Desktop/*.lnk",
	}},
	{"Prefetch.tkape", "Prefetch", "Prefetch", []string{"Windows/Prefetch/*.pf"}},
	{"RegistryHivesSystem.tkape", "Hives of the system", "Registry", []string{
		"Windows/System32/config/SYSTEM", "Windows/System32/config/SYSTEM.LOG*", "Windows/System32/config/SOFTWARE", "Windows/System32/config/SOFTWARE.LOG*",
		"Windows/System32/config/SECURITY", "Windows/System32/config/SECURITY.LOG*",
	}},
	{"RegistryHivesUser.tkape", "Hives of the users", "Registry", []string{
		"Users/*/NTUSER.DAT", "Users/*/NTUSER.DAT.LOG*", "Documents and Settings/*/NTUSER.DAT",
		"Windows/System32/config/DEFAULT", "Windows/System32/config/DEFAULT.LOG*",
		"Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat", "Users/*/AppData/Local/Microsoft/Windows/UsrClass.dat.LOG*",
	}},
}

// The names of the files of the kit for KAPE.
const (
	KAPEModule   = "Sharetrail.mkape"
	KAPETarget   = "Sharetrail.tkape"      // compound: names other targets
	KAPEFiles    = "SharetrailFiles.tkape" // what no target of KAPE's own collects
	kapeCategory = "LateralMovement"
)

// A kapePath is one entry of a target that collects files itself (KapeFiles,
// Targets/TargetGuide.guide).
type kapePath struct{ Name, Path, FileMask string }

// KAPE returns the module, the compound target and the target for the rest.
func KAPE() []File {
	return []File{
		{KAPEModule, windowsText(render("kape.mkape.tmpl", map[string]any{"Category": kapeCategory}))},
		{KAPETarget, windowsText(render("kape.tkape.tmpl", map[string]any{"Targets": kapeTargets, "Category": kapeCategory, "Files": KAPEFiles}))},
		{KAPEFiles, windowsText(render("kape_files.tkape.tmpl", map[string]any{"Paths": kapePaths(Patterns()), "Category": kapeCategory}))},
	}
}

// windowsText ends lines as KAPE's own files do.
func windowsText(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// kapePaths returns an entry for each pattern that no target of KAPE's covers.
func kapePaths(patterns []string) (out []kapePath) {
	var theirs []string
	for _, t := range kapeTargets {
		theirs = append(theirs, t.covers...)
	}
	for _, p := range patterns {
		if covered(p, theirs) {
			continue
		}
		dir := path.Dir(p)
		for _, home := range []string{"Users/*", "Documents and Settings/*"} {
			if rest, ok := strings.CutPrefix(dir, home); ok {
				dir = strings.TrimSuffix(home, "*") + "%user%" + rest
			}
		}
		out = append(out, kapePath{Name: p, Path: `C:\` + backslashed(dir) + `\`, FileMask: path.Base(p)})
	}
	return out
}
