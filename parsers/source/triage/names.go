package triage

import (
	"path"
	"slices"
	"strings"
)

// A Name is what the name and place of a file promise of its content.
type Name string

// The promises. A file without one is judged by its content alone.
const (
	None     Name = ""
	Hive     Name = "hive"     // a registry hive
	HiveLog  Name = "hive-log" // a transaction log of one; Windows leaves it empty where it is not used
	Log      Name = "evtx"     // an event log
	Backup   Name = "regback"  // a hive in RegBack, which Windows 10 1803 and later leaves empty
	Artifact Name = "other"    // another file that artifacts are read from
)

// configHives are the hives that Windows keeps in System32\config.
var configHives = []string{"system", "software", "sam", "security", "default", "components", "drivers", "bbi", "elam"}

// Expect judges p by name and place. With loose, p lies outside of any Windows
// tree: what it holds can then be told by its last element only, and more names
// are taken for evidence, since somebody put the file there on purpose.
func Expect(p string, loose bool) Name {
	p = strings.ToLower(p)
	dir, name := path.Split(p)
	dir = strings.TrimSuffix(dir, "/")
	if strings.HasSuffix(name, ".evtx") {
		return Log
	}
	stem, isLog := hiveStem(name)
	switch n := expectHive(dir, stem, loose); {
	case n != None && isLog:
		return HiveLog
	case n != None:
		return n
	case loose && isLog && !strings.HasSuffix(name, ".log"):
		return HiveLog // .LOG1 and .LOG2 of a hive under another name
	case loose && looseArtifact(name), !loose && artifact(p):
		return Artifact
	}
	return None
}

// Endings are those of the names, in lower case, that Expect takes for a log or a
// hive in any place.
var Endings = []string{".evtx", ".dat", ".man", ".hve"}

// IsHiveDir reports whether a directory of this path sits where Windows has a
// hive or log of that name. Directories such as "SYSTEM" are common elsewhere.
func IsHiveDir(p string, loose bool) bool {
	switch n := Expect(p, false); n {
	case Hive, Backup, Log:
		return true
	case None:
		return loose && Expect(p, true) == Log
	}
	return false
}

// hiveStem splits NTUSER.DAT.LOG1 into the hive's name and the fact that it is
// a log.
func hiveStem(name string) (stem string, isLog bool) {
	for _, ext := range []string{".log", ".log1", ".log2"} {
		if s, ok := strings.CutSuffix(name, ext); ok && s != "" {
			return s, true
		}
	}
	return name, false
}

func expectHive(dir, name string, loose bool) Name {
	switch parent := path.Base(dir); {
	case name == "ntuser.dat", name == "ntuser.man", name == "usrclass.dat", name == "amcache.hve":
		return Hive
	case parent == "regback" && slices.Contains(configHives, name):
		return Backup
	case (loose || strings.HasSuffix(dir, "system32/config")) && slices.Contains(configHives[:5], name):
		return Hive
	case !loose && strings.HasSuffix(dir, "system32/config") && slices.Contains(configHives, name):
		return Hive
	case loose && strings.HasSuffix(name, ".dat"):
		return Hive
	}
	return None
}

// looseArtifact knows the names that say enough without their place.
func looseArtifact(name string) bool {
	switch path.Ext(name) {
	case ".pf", ".lnk", ".automaticdestinations-ms", ".customdestinations-ms":
		return true
	case ".txt":
		return name == "consolehost_history.txt" || strings.HasPrefix(name, "powershell_transcript.")
	}
	return name == "drives.xml" || isJournal(Decode(name))
}

// IsJournal reports whether a file of that path is the change journal of a volume.
func IsJournal(p string) bool { return isJournal(strings.ToLower(path.Base(p))) }

// isJournal knows the change journal of a volume: Windows has it as a stream of
// $Extend\$UsnJrnl, collectors as a file.
func isJournal(name string) bool {
	return name == "$usnjrnl:$j" || name == "$j" || name == "$usnjrnl_$j"
}

// artifact knows the places of the files that are neither hives nor logs.
func artifact(p string) bool {
	name := path.Base(p)
	inUser := strings.HasPrefix(p, "users/") || strings.HasPrefix(p, "documents and settings/") || strings.Contains(p, "/config/systemprofile/")
	switch path.Ext(name) {
	case ".pf":
		return strings.HasPrefix(p, "windows/prefetch/")
	case ".lnk":
		return inUser && (strings.Contains(p, "/recent/") || strings.Contains(p, "/network shortcuts/") || strings.Contains(p, "/nethood/") || strings.Contains(p, "/desktop/"))
	case ".automaticdestinations-ms", ".customdestinations-ms":
		return inUser && strings.Contains(p, "/recent/")
	case ".txt":
		return strings.HasSuffix(p, "/psreadline/"+name) && strings.HasSuffix(name, "_history.txt") || strings.HasPrefix(name, "powershell_transcript.")
	case ".xml":
		return name == "drives.xml" && strings.Contains(p, "/preferences/drives/")
	}
	return isJournal(name) && strings.HasPrefix(p, "$extend/")
}
