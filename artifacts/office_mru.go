package artifacts

import (
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/hive"
)

const office = `Software\Microsoft\Office`

var _ = register(Artifact{
	Name:         "office-mru",
	Title:        "files on shares that Office opened",
	What:         `NTUSER.DAT, keys ` + office + `\<version>\<program>\File MRU and Place MRU, and User MRU\<account>\File MRU and Place MRU: values Item 1 (the newest), Item 2, ..., each [F...][T<FILETIME>][O...]*path`,
	Proves:       `the program opened that file, or saved to or opened from that folder, at the time that the entry itself has (T)`,
	DoesNotProve: `that the share was mapped. Files below a drive letter do not say what the letter stood for: they are context. Addresses that begin with http are left out: Office opens them without a share`,
	Reference:    "log2timeline/plaso, officemru.py",
	Hive:         hive.NTUSER,
	Keys:         []string{office},
	ReadHive:     readOfficeMRU,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readOfficeMRU(in *Hive, out *Emitter) error {
	parent, err := lookup(in, office, out)
	if parent == nil {
		return err
	}
	versions, whole := subkeys(parent, out)
	for _, version := range versions {
		programs, ok := subkeys(version, out)
		whole = whole && ok
		for _, program := range programs {
			whole = officeLists(program, out) && whole
			users, err := lookupBelow(program, "User MRU", out)
			if users == nil {
				whole = whole && err == nil
				continue
			}
			accounts, ok := subkeys(users, out)
			whole = whole && ok
			for _, account := range accounts {
				whole = officeLists(account, out) && whole
			}
		}
	}
	if whole {
		out.Attest(office)
	}
	return nil
}

// lookupBelow opens the key rel below k; nil if it is absent, or unreadable,
// which out then holds.
func lookupBelow(k *hive.Key, rel string, out *Emitter) (*hive.Key, error) {
	sub, err := k.Sub(rel)
	switch {
	case err == nil:
		return sub, nil
	case isAbsent(err):
		return nil, nil
	}
	out.Unreadable(k.Path+`\`+rel, err)
	return nil, err
}

// officeLists reads the lists right below k.
func officeLists(k *hive.Key, out *Emitter) (whole bool) {
	whole = true
	for _, name := range []string{"File MRU", "Place MRU"} {
		list, err := lookupBelow(k, name, out)
		if list == nil {
			whole = whole && err == nil
			continue
		}
		for v, err := range list.Values() {
			if err != nil {
				out.Unreadable(list.Path, err)
				whole = false
				continue
			}
			if n, ok := strings.CutPrefix(strings.ToLower(v.Name), "item "); ok {
				observeOffice(list, v, n, out)
			}
		}
	}
	return whole
}

func observeOffice(k *hive.Key, v *hive.Value, number string, out *Emitter) {
	whole := valueText(k, v, out)
	head, path, ok := strings.Cut(whole, "*")
	if !ok {
		head, path = "", head
	}
	if hasScheme(path) {
		return
	}
	o, ok := placeOrDrive(path)
	if !ok {
		return
	}
	o.Detail = append(o.Detail, evidence.Field{Name: "Data", Value: clip(whole)}, evidence.Field{Name: "Item", Value: number})
	parts := strings.Split(strings.TrimPrefix(strings.ToLower(k.Path), strings.ToLower(office)+`\`), `\`)
	program := k.Path[len(office)+1+len(parts[0])+1:]
	program, _, _ = strings.Cut(program, `\`)
	verb := "Office (" + clip(program) + ") opened a file"
	if strings.EqualFold(k.Name, "Place MRU") {
		verb = "Office (" + clip(program) + ") used a folder"
	}
	o.Summary = verb + " on " + target(&o) + "."
	out.ObserveValue(k, v, false, o)
	if t := officeTime(head); t != 0 {
		row := out.Observations[len(out.Observations)-1]
		row.Time, row.Own().TimeKind = filetime.Time(t), evidence.ItemTime
	}
}

// officeTime returns the FILETIME of the field T in [F00000000][T01D79...].
func officeTime(head string) uint64 {
	for field := range strings.SplitSeq(head, "]") {
		if digits, ok := strings.CutPrefix(strings.TrimSpace(field), "[T"); ok {
			n, err := strconv.ParseUint(digits, 16, 64)
			if err == nil && n < 1<<63 {
				return n
			}
		}
	}
	return 0
}

func hasScheme(path string) bool {
	path = strings.ToLower(path)
	return strings.HasPrefix(path, "http:") || strings.HasPrefix(path, "https:")
}

// placeOrDrive makes an observation of a path as text: of a share, or, as
// context, of a letter that may stand for one.
func placeOrDrive(path string) (o evidence.Observation, ok bool) {
	o = evidence.Observation{Action: evidence.Used, Side: evidence.Client}
	if place(&o, path) {
		return o, true
	}
	path = strings.Trim(strings.TrimSpace(path), `"`)
	if len(path) < 3 || path[1] != ':' || path[2] != '\\' && path[2] != '/' || !mayBeMapped(evidence.Drive(path[:2])) {
		return o, false
	}
	o.Action, o.Drive = evidence.Context, evidence.Drive(path[:2])
	o.Detail = detail(o.Detail, evidence.Field{Name: "path", Value: path})
	return o, true
}
