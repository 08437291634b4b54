package artifacts

import (
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const windowsNT = `Microsoft\Windows NT\CurrentVersion`

var _ = register(Artifact{
	Name:         "os-version",
	Title:        "version of Windows",
	What:         `SOFTWARE, key ` + windowsNT,
	Proves:       `the version of Windows as of the hive's state. InstallDate is the last installation or feature update`,
	DoesNotProve: `when the computer was first set up`,
	Reference:    "libyal/winreg-kb, Windows product information",
	Hive:         hive.Software,
	Keys:         []string{windowsNT},
	Files:        []string{"Windows/System32/config/SOFTWARE"},
	ReadHive: func(in *Hive, out *Emitter) error {
		k, err := lookup(in, windowsNT, out)
		if k == nil {
			return err
		}
		out.Attest(windowsNT)
		d := pick(k, []string{"ProductName", "EditionID", "CurrentVersion", "CurrentBuild", "UBR", "DisplayVersion", "ReleaseId", "InstallationType"}, out)
		if n, ok := number(k, "InstallDate"); ok && n != 0 {
			d = append(d, evidence.Field{Name: "InstallDate", Value: time.Unix(int64(uint32(n)), 0).UTC()})
		}
		if len(d) > 0 {
			out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "Version of Windows.", Detail: d})
		}
		return nil
	},
})
