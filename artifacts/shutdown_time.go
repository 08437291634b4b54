package artifacts

import (
	"encoding/binary"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/hive"
)

const controlWindows = `Control\Windows`

var _ = register(Artifact{
	Name:         "shutdown-time",
	Title:        "the last orderly shutdown",
	What:         `SYSTEM, current control set, key ` + controlWindows + `, value ShutdownTime`,
	Proves:       `Windows was shut down in order then: all sessions and connections that were not remembered ended`,
	DoesNotProve: `that there were no later ends: a power failure writes nothing`,
	Reference:    "libyal/winreg-kb, Shutdown",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + controlWindows},
	ReadHive:     readShutdownTime,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readShutdownTime(in *Hive, out *Emitter) error {
	k, path, err := openCurrent(in, controlWindows, out)
	if k == nil {
		return err
	}
	v, b, err := binaryValue(k, "ShutdownTime", path, out)
	if v == nil {
		return err
	}
	if len(b) != 8 {
		return binread.Errorf(v.Off, "ShutdownTime", "%d bytes, want 8", len(b))
	}
	if t := filetime.Time(binary.LittleEndian.Uint64(b)); !t.IsZero() {
		out.ObserveValue(k, v, false, evidence.Observation{Action: evidence.Shutdown, Summary: "Windows was shut down in order, as it noted itself."})
		row := out.Observations[len(out.Observations)-1]
		row.Time, row.Own().TimeKind = t, evidence.ItemTime
	}
	out.Attest(path)
	return nil
}
