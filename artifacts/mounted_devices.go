package artifacts

import (
	"encoding/hex"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "mounted-devices",
	Title:        "drive letters of local volumes",
	What:         `SYSTEM, key MountedDevices: a value \DosDevices\X: for each letter that a local volume had, with the volume's identity`,
	Proves:       `Windows gave that letter to a local volume at some time: the same letter was then free for no share, or was used for both at different times`,
	DoesNotProve: `when; network drives have no entry here`,
	Reference:    "libyal/winreg-kb, Mounted devices",
	Hive:         hive.System,
	Keys:         []string{"MountedDevices"},
	ReadHive:     readMountedDevices,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readMountedDevices(in *Hive, out *Emitter) error {
	k, err := lookup(in, "MountedDevices", out)
	if k == nil {
		return err
	}
	whole := true
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		letter, ok := strings.CutPrefix(strings.ToLower(v.Name), `\dosdevices\`)
		if !ok || evidence.Drive(letter) == "" {
			continue
		}
		b, err := v.Bytes()
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
		}
		o := evidence.Observation{Action: evidence.Context, Drive: evidence.Drive(letter), Detail: volumeOf(b)}
		o.Summary = "The letter " + o.Drive + " belonged to a local volume at some time."
		out.ObserveValue(k, v, false, o)
	}
	if whole {
		out.Attest("MountedDevices")
	}
	return nil
}

// volumeOf says what volume the data of a letter names: a partition of an MBR
// disk by the disk's signature and the offset in bytes, one of a GPT disk by its
// GUID, or a device by its path.
func volumeOf(b []byte) evidence.Detail {
	switch {
	case len(b) == 12:
		return evidence.Detail{{Name: "DiskSignature", Value: hex32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)}, {Name: "Data", Value: hex.EncodeToString(b)}}
	case len(b) == 24 && string(b[:8]) == "DMIO:ID:":
		return evidence.Detail{{Name: "Data", Value: hex.EncodeToString(b[8:])}}
	case len(b) > 8 && b[1] == 0:
		return evidence.Detail{{Name: "Device", Value: clip(utf16Text(b))}}
	}
	return evidence.Detail{{Name: "Data", Value: hex.EncodeToString(b[:min(len(b), maxBinary)])}}
}
