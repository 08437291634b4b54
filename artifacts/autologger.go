package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const autologger = `Control\WMI\Autologger`

var _ = register(Artifact{
	Name:         "autologger",
	Title:        "whether the sessions that fill event logs are started",
	What:         `SYSTEM, current control set, key ` + autologger + `: EventLog-Application, EventLog-System and EventLog-Security, each with Start, and a subkey for each provider with Enabled`,
	Proves:       `with Start 0 the session is not started at boot, and with Enabled 0 the provider writes nothing: records are then missing without a gap in their numbers`,
	DoesNotProve: `since when, beyond the last write of the key`,
	Reference:    "Microsoft, Configuring and starting an AutoLogger session",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + autologger},
	ReadHive:     readAutologger,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readAutologger(in *Hive, out *Emitter) error {
	parent, path, err := openCurrent(in, autologger, out)
	if parent == nil {
		return err
	}
	sessions, whole := subkeys(parent, out)
	for _, k := range sessions {
		if !strings.HasPrefix(strings.ToLower(k.Name), "eventlog-") {
			continue
		}
		providers, ok := subkeys(k, out)
		whole = whole && ok
		off := []string{}
		for _, p := range providers {
			if n, ok := number(p, "Enabled"); ok && n == 0 && len(off) < maxValues {
				off = append(off, clip(p.Name))
			}
		}
		o := evidence.Observation{Action: evidence.Context, Summary: "How the session " + clip(k.Name) + " is started."}
		if n, ok := number(k, "Start"); ok && n == 0 {
			o.Summary = "The session " + clip(k.Name) + " is not started at boot: its log stays empty."
		}
		o.Detail = append(evidence.Detail{{Name: "Session", Value: clip(k.Name)}, {Name: "ProvidersOff", Value: off}}, pick(k, []string{"Start", "Status"}, out)...)
		out.ObserveKey(k, o)
	}
	if whole {
		out.Attest(path)
	}
	return nil
}
