package triage

import (
	"path"
	"slices"
	"strings"
)

// A Place is a directory in which Windows keeps evidence.
type Place struct {
	Dir  string // slash-separated, relative to the Windows root, in lower case; "*" stands for any one name
	Deep bool   // all that lies below it counts too
	// Named says that much else lies there: only what is called like evidence
	// counts, by Expect.
	Named bool
}

// system are the places outside of the profiles.
var system = []Place{
	{"windows/system32/config", false, false},
	{"windows/system32/config/regback", false, false},
	{"windows/system32/winevt/logs", true, false},
	{"windows/prefetch", false, false},
	{"windows/appcompat/programs", false, false},
	{"windows/system32/grouppolicy", true, false},
	{"windows/system32/logfiles/sum", false, false},
	{"windows/sysvol/domain/policies", true, false},
	{"programdata/microsoft/group policy/history", true, false},
	{"$extend", false, true},
	{"winnt/system32/config", false, false},
	{"winnt/prefetch", false, false},
}

// homes are the directories of the profiles.
var homes = []string{
	"users/*",
	"documents and settings/*",
	"windows/serviceprofiles/*",
	"windows/system32/config/systemprofile",
	"windows/syswow64/config/systemprofile",
}

// ofProfile are the places in a profile.
var ofProfile = []Place{
	{"", false, false},
	{"appdata/local/microsoft/windows", false, false},
	{"appdata/local/microsoft/group policy/history", true, false},
	{"appdata/roaming/microsoft/windows/recent", true, false},
	{"appdata/roaming/microsoft/windows/network shortcuts", true, false},
	{"appdata/roaming/microsoft/windows/powershell/psreadline", false, false},
	{"appdata/roaming/microsoft/office/recent", false, false},
	{"desktop", true, false},
	{"documents", false, true},
	{"documents/*", false, true}, // transcripts lie in a folder of their day
	{"recent", true, false},      // Windows XP, as are all that follow
	{"nethood", true, false},
	{"my documents", false, true},
	{"local settings/application data/microsoft/windows", false, false},
}

// Places lists where below a Windows root Expect expects evidence: what is
// looked at in a volume whose files are too many to look at all.
func Places() []Place {
	all := append([]Place(nil), system...)
	for _, home := range homes {
		for _, p := range ofProfile {
			all = append(all, Place{path.Join(home, p.Dir), p.Deep, p.Named})
		}
	}
	return all
}

// KeepsHives reports whether the directory of p, relative to a Windows root, is
// one in which Windows keeps hives of the computer and its users, or one that
// Windows has nothing to do with: there somebody who collects may have put it.
func KeepsHives(p string) bool {
	dir := strings.ToLower(path.Dir(p))
	if top, _, _ := strings.Cut(dir, "/"); !slices.Contains(tops, top) {
		return true
	}
	return slices.ContainsFunc(Places(), func(place Place) bool {
		match, err := path.Match(place.Dir, dir)
		return match && err == nil && !place.Deep && !place.Named
	})
}

// tops are the directories in the root of a Windows volume.
var tops = []string{
	"windows", "winnt", "users", "documents and settings", "program files", "program files (x86)", "programdata", "perflogs",
	"$recycle.bin", "recycler", "recovery", "boot", "system volume information",
}

// HasFolders reports whether a directory, relative to a Windows root, is one in which
// Windows has folders of evidence and hardly anything that is not its own: a collector
// may have packed one of them.
func HasFolders(dir string) bool {
	return slices.Contains([]string{".", "users", "windows", "windows/system32", "windows/system32/winevt"}, strings.ToLower(dir))
}

// OwnHive reports whether a hive of that name is one of those that Windows keeps
// for itself and its apps all over a volume, and that say nothing of shares.
func OwnHive(p string) bool {
	return slices.Contains([]string{
		"settings.dat", "activationstore.dat", "user.dat", "userclasses.dat", "common.dat", "schema.dat", "bcd", "bcd-template", "syscache.hve",
	}, strings.ToLower(path.Base(p)))
}

// KeepsLogs reports whether p, relative to a Windows root, lies where Windows keeps
// the event logs of the computer.
func KeepsLogs(p string) bool {
	return strings.HasPrefix(strings.ToLower(p), "windows/system32/winevt/logs/")
}
