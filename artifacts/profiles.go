package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

const profileList = windowsNT + `\ProfileList`

var _ = register(Artifact{
	Name:         "profiles",
	Title:        "user profiles of the computer",
	What:         `SOFTWARE, key ` + profileList + `: one subkey for each SID that has a profile`,
	Proves:       `the SID has a profile in that folder; where the load and unload times are kept, when its hive was last loaded and unloaded`,
	DoesNotProve: `the name of the account: a folder keeps its name when the account is renamed`,
	Reference:    "libyal/winreg-kb, Profile list",
	Hive:         hive.Software,
	Keys:         []string{profileList},
	ReadHive:     readProfiles,
	Files:        []string{"Windows/System32/config/SOFTWARE"},
})

func readProfiles(in *Hive, out *Emitter) error {
	parent, err := lookup(in, profileList, out)
	if parent == nil {
		return err
	}
	list, whole := subkeys(parent, out)
	for _, k := range list {
		observeProfile(k, out)
	}
	if whole {
		out.Attest(profileList)
	}
	return nil
}

func observeProfile(k *hive.Key, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Summary: "A user profile of the computer."}
	sid, isBackup := k.Name, false
	if n := len(sid) - len(".bak"); n > 0 && strings.EqualFold(sid[n:], ".bak") {
		sid, isBackup = sid[:n], true
	}
	if !strings.HasPrefix(strings.ToUpper(sid), "S-1-") {
		out.Doubtful(k.Path, "", binread.Errorf(k.Off, "key name", "profile %q is no SID", clip(k.Name)))
		return
	}
	o.SID = sid
	if isBackup {
		o.Detail = append(o.Detail, evidence.Field{Name: "bak", Value: true})
		o.Summary = "A user profile that Windows set aside."
	}
	folder := strings.TrimRight(strings.ReplaceAll(text(k, "ProfileImagePath", out), "/", `\`), `\`)
	o.User = folder[strings.LastIndexByte(folder, '\\')+1:]
	if sid == "S-1-5-18" { // its hive is config\DEFAULT, not the one in the folder
		o.User = "SYSTEM"
	}
	o.Detail = append(o.Detail, evidence.Field{Name: "ProfileImagePath", Value: clip(folder)})
	o.Detail = append(o.Detail, pick(k, []string{"State"}, out)...)
	for _, name := range []string{"LocalProfileLoadTime", "LocalProfileUnloadTime"} {
		if t := halves(k, name+"Low", name+"High"); !t.IsZero() {
			o.Detail = append(o.Detail, evidence.Field{Name: name, Value: t})
		}
	}
	out.ObserveKey(k, o)
}
