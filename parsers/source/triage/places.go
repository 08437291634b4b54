package triage

import "path"

// A Place is a directory in which Windows keeps evidence.
type Place struct {
	Dir  string // slash-separated, relative to the Windows root, in lower case; "*" stands for any one name
	Deep bool   // all that lies below it counts too
}

// system are the places outside of the profiles.
var system = []Place{
	{"windows/system32/config", false},
	{"windows/system32/config/regback", false},
	{"windows/system32/winevt/logs", true},
	{"windows/prefetch", false},
	{"windows/appcompat/programs", false},
	{"windows/system32/grouppolicy", true},
	{"windows/system32/logfiles/sum", false},
	{"windows/sysvol/domain/policies", true},
	{"programdata/microsoft/group policy/history", true},
	{"winnt/system32/config", false},
	{"winnt/prefetch", false},
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
	{"", false},
	{"appdata/local/microsoft/windows", false},
	{"appdata/local/microsoft/group policy/history", true},
	{"appdata/roaming/microsoft/windows/recent", true},
	{"appdata/roaming/microsoft/windows/network shortcuts", true},
	{"appdata/roaming/microsoft/windows/powershell/psreadline", false},
	{"appdata/roaming/microsoft/office/recent", false},
	{"desktop", true},
	{"documents", false},
	{"documents/*", false}, // transcripts lie in a folder of their day
	{"recent", true},       // Windows XP, as are all that follow
	{"nethood", true},
	{"my documents", false},
	{"local settings/application data/microsoft/windows", false},
}

// Places lists where below a Windows root Expect expects evidence: what is
// looked at in a volume whose files are too many to look at all.
func Places() []Place {
	all := append([]Place(nil), system...)
	for _, home := range homes {
		for _, p := range ofProfile {
			all = append(all, Place{path.Join(home, p.Dir), p.Deep})
		}
	}
	return all
}
