package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const timeZone = `Control\TimeZoneInformation`

var _ = register(Artifact{
	Name:         "time-zone",
	Title:        "time zone of the computer",
	What:         `SYSTEM, key Control\TimeZoneInformation of the current control set`,
	Proves:       `the zone that the computer's local times are in as of the key's last write; biases are minutes, UTC = local + bias`,
	DoesNotProve: `the zone before that; registry and event times are UTC and do not depend on it`,
	Reference:    "Microsoft, DYNAMIC_TIME_ZONE_INFORMATION; libyal/winreg-kb, Time zones",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + timeZone},
	Files:        []string{"Windows/System32/config/SYSTEM"},
	ReadHive: func(in *Hive, out *Emitter) error {
		k, path, err := openCurrent(in, timeZone, out)
		if k == nil {
			return err
		}
		out.Attest(path)
		// The name's buffer is 256 bytes and has garbage behind its NUL, so what
		// follows is no warning.
		d := evidence.Detail{}
		if v, err := k.Value("TimeZoneKeyName"); err == nil {
			if s, _, err := v.Text(); err == nil {
				d = append(d, evidence.Field{Name: "TimeZoneKeyName", Value: clip(s)})
			}
		}
		for _, name := range []string{"Bias", "ActiveTimeBias", "StandardBias", "DaylightBias"} {
			if n, ok := number(k, name); ok {
				d = append(d, evidence.Field{Name: name, Value: int64(int32(n))})
			}
		}
		d = append(d, pick(k, []string{"DynamicDaylightTimeDisabled"}, out)...)
		out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "Time zone of the computer.", Detail: d})
		return nil
	},
})
