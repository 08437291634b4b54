package triage

import "path"

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
