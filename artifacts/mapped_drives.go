package artifacts

import (
	"fmt"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "mapped-drives",
	Title:        "remembered drive mappings of each user",
	What:         `NTUSER.DAT, key Network: one subkey for each drive letter that Windows reconnects at logon`,
	Proves:       `Network\X: at its last write, a value of the remembered mapping of X: was written. Network: at its last write, a direct subkey was added or removed, or the key itself was changed`,
	DoesNotProve: `that the share was reached or used then (policies rewrite the key), nor, if absent, that nothing was mapped: connections that are not persistent leave no key`,
	Reference:    "Microsoft, WNetAddConnection2 and WNetCancelConnection2: CONNECT_UPDATE_PROFILE; log2timeline/plaso, network_drives.py",
	Hive:         hive.NTUSER,
	Keys:         []string{"Network"},
	ReadHive:     readMappedDrives,
	Files:        []string{"Users/*/NTUSER.DAT", "Windows/System32/config/DEFAULT", "Windows/ServiceProfiles/*/NTUSER.DAT"},
})

func readMappedDrives(in *Hive, out *Emitter) error {
	network, err := lookup(in, "Network", out)
	if network == nil {
		return err
	}
	list, whole := subkeys(network, out)
	names := []string{}
	for _, k := range list {
		names = append(names, k.Name)
		observeMapping(k, out)
	}
	if whole {
		out.Attest("Network")
	}
	d := evidence.Detail{
		{Name: "Subkeys", Value: names},
		{Name: "SubkeyCount", Value: int64(network.SubkeyCount)},
		{Name: "VolatileSubkeys", Value: int64(network.VolatileCount)},
		{Name: "Values", Value: int64(network.ValueCount)},
	}
	// Keys that are written when the profile is made and hardly ever again: a
	// Network key of their age was never touched.
	for _, sibling := range []string{"EUDC", "AppEvents"} {
		if k, err := in.Key(sibling); err == nil && !k.LastWrite.IsZero() {
			d = append(d, evidence.Field{Name: sibling, Value: k.LastWrite})
		}
	}
	out.ObserveKey(network, evidence.Observation{
		Action: evidence.Context, Side: evidence.Client, Detail: d,
		Summary: fmt.Sprintf("Last change of the list of remembered drive mappings, which holds %d now.", len(names)),
	})
	return nil
}

// observeMapping reports the remembered mapping that k, a subkey of Network, is.
func observeMapping(k *hive.Key, out *Emitter) {
	o := evidence.Observation{Action: evidence.Mapped, Side: evidence.Client}
	if out.state == evidence.Deleted {
		o.Action = evidence.Present // it was there once
	}
	device := k.Name
	if len(k.Name) == 1 {
		o.Drive = evidence.Drive(k.Name)
	}
	if o.Drive == "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "device", Value: clip(k.Name)})
	} else {
		device = o.Drive
	}
	remote := text(k, "RemotePath", out)
	if !place(&o, remote) || o.Share == "" {
		out.Doubtful(k.Path, "RemotePath", binread.Errorf(k.Off, "RemotePath", "remembered mapping %q names no share: %q", k.Name, clip(remote)))
	}
	o.Detail = values(k, o.Detail, out)
	o.Summary = fmt.Sprintf("%s is remembered as mapped to %s.", clip(device), name(&o))
	out.ObserveKey(k, o)
}
