package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const lanmanParameters = `Services\LanmanServer\Parameters`

var _ = register(Artifact{
	Name:         "server-parameters",
	Title:        "settings of the computer's file server",
	What:         `SYSTEM, key Services\LanmanServer\Parameters of the current control set`,
	Proves:       `how administrative shares, anonymous access and idle sessions are handled as of the key's last write`,
	DoesNotProve: `which of the values was written last, or what applied before`,
	Reference:    "Microsoft, Removing administrative shares: AutoShareServer and AutoShareWks",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + lanmanParameters},
	Files:        []string{"Windows/System32/config/SYSTEM"},
	ReadHive: func(in *Hive, out *Emitter) error {
		k, path, err := openCurrent(in, lanmanParameters, out)
		if k == nil {
			return err
		}
		out.Attest(path)
		out.ObserveKey(k, evidence.Observation{
			Action: evidence.Context, Side: evidence.Server,
			Summary: "Settings of the file server.",
			Detail: pick(k, []string{"AutoShareServer", "AutoShareWks", "NullSessionShares", "NullSessionPipes", "RestrictNullSessAccess",
				"autodisconnect", "EnableSecuritySignature", "RequireSecuritySignature", "SMB1", "SMB2"}, out),
		})
		return nil
	},
})
