package artifacts

import (
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "mountpoints2",
	Title:        "shares that Explorer showed to each user",
	What:         `NTUSER.DAT, key ` + explorer + `\MountPoints2: one subkey ##server#share for each share that Explorer met`,
	Proves:       `at its last write Explorer wrote the key of that share in that user's session: the share had been reached by then`,
	DoesNotProve: `when it was mapped (the key may be minutes later, or rewritten hours later), to which letter, or that it was mapped at all; absence refutes no mapping`,
	Reference:    "log2timeline/plaso, mountpoints.py; keydet89/RegRipper3.0, mp2.pl",
	Hive:         hive.NTUSER,
	Keys:         []string{explorer + `\MountPoints2`},
	ReadHive:     readMountPoints2,
	Files:        []string{"Users/*/NTUSER.DAT", "Windows/System32/config/DEFAULT", "Windows/ServiceProfiles/*/NTUSER.DAT"},
})

func readMountPoints2(in *Hive, out *Emitter) error {
	const path = explorer + `\MountPoints2`
	parent, err := lookup(in, path, out)
	if parent == nil {
		return err
	}
	list, whole := subkeys(parent, out)
	var newest time.Time
	for _, k := range list {
		if k.LastWrite.After(newest) {
			newest = k.LastWrite
		}
		// ##?#... are interface paths of removable devices; GUIDs, letters and
		// CPC are local volumes.
		if strings.HasPrefix(k.Name, "##") && !strings.HasPrefix(k.Name, "##?#") {
			observeMountPoint(k, out)
		}
	}
	if whole {
		out.Attest(path)
	}
	out.ObserveKey(parent, evidence.Observation{
		Action: evidence.Context, Side: evidence.Client,
		Summary: "Last change of the list of places that Explorer mounted.",
		Detail: evidence.Detail{
			{Name: "SubkeyCount", Value: int64(parent.SubkeyCount)},
			{Name: "VolatileSubkeys", Value: int64(parent.VolatileCount)},
			{Name: "Values", Value: int64(parent.ValueCount)},
			{Name: "NewestSubkey", Value: newest},
		},
	})
	return nil
}

func observeMountPoint(k *hive.Key, out *Emitter) {
	o := evidence.Observation{
		Action: evidence.Used, Side: evidence.Client,
		Detail: evidence.Detail{{Name: "Key", Value: clip(k.Name)}},
	}
	place(&o, k.Name)
	// Explorer writes "\" as "#", so a further "#" is a sub-folder or a part of
	// the share's name.
	if strings.Count(k.Name[2:], "#") > 1 {
		o.Detail = append(o.Detail, evidence.Field{Name: "ambiguous", Value: true})
	}
	if label := text(k, "_LabelFromReg", out); label != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "label", Value: clip(label)})
	}
	o.Summary = "Explorer mounted " + name(&o) + "."
	out.ObserveKey(k, o)
}
