package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "map-drive-mru",
	Title:        `shares mapped with Explorer's "Map network drive"`,
	What:         `NTUSER.DAT, key ` + explorer + `\Map Network Drive MRU: values a, b, ... and their order in MRUList`,
	Proves:       `the user mapped that share with Explorer's wizard. The key's last write is the time of the first of MRUList, and an upper bound for the others`,
	DoesNotProve: `to which letter it was mapped, or whether it still is; net use, PowerShell and policies never write here. An empty key may be as Windows made it`,
	Reference:    "keydet89/RegRipper3.0, mndmru.pl; libyal/winreg-kb, Explorer keys: Most recently used",
	Hive:         hive.NTUSER,
	Keys:         []string{explorer + `\Map Network Drive MRU`},
	ReadHive:     readMapDriveMRU,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readMapDriveMRU(in *Hive, out *Emitter) error {
	const path = explorer + `\Map Network Drive MRU`
	k, err := lookup(in, path, out)
	if k == nil {
		return err
	}
	list, whole := mruEntries(k, out)
	for _, e := range list {
		observeMapDrive(k, e, out)
	}
	if whole {
		out.Attest(path)
		if len(list) == 0 {
			observeEmptyMRU(k, "Map network drive", out)
		}
	}
	return nil
}

func observeMapDrive(k *hive.Key, e mruEntry, out *Emitter) {
	o := evidence.Observation{Action: evidence.Mapped, Side: evidence.Client, Detail: e.detail()}
	if !place(&o, e.text) || o.Share == "" {
		out.Doubtful(k.Path, e.value.Name, binread.Errorf(e.value.Off, "value data", "names no share: %q", e.text))
	}
	o.Summary = "Explorer's \"Map network drive\" was used to map " + name(&o) + "."
	out.ObserveValue(k, e.value, e.newest, o)
}

// detail returns the text of e and its place in the order.
func (e mruEntry) detail() evidence.Detail {
	d := evidence.Detail{{Name: "Data", Value: e.text}}
	if e.position >= 0 {
		d = append(d, evidence.Field{Name: "Position", Value: e.position})
	}
	return d
}

// observeEmptyMRU reports a list without entries: either none was ever made,
// or all were removed; the hive alone cannot tell.
func observeEmptyMRU(k *hive.Key, what string, out *Emitter) {
	out.ObserveKey(k, evidence.Observation{
		Action: evidence.Context, Side: evidence.Client,
		Summary: "The list of \"" + what + "\" has no entries: never filled, or emptied.",
		Detail:  evidence.Detail{{Name: "Values", Value: int64(k.ValueCount)}},
	})
}
