package artifacts

import (
	"encoding/binary"
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/filetime"
	"sharetrail/parsers/hive"
)

var _ = register(moderator("bam", "Background Activity Moderator"))
var _ = register(moderator("dam", "Desktop Activity Moderator"))

// moderator describes the artifact of one of the two services that note when
// programs last ran.
func moderator(service, title string) Artifact {
	keys := []string{`ControlSet001\Services\` + service + `\State\UserSettings`, `ControlSet001\Services\` + service + `\UserSettings`}
	return Artifact{
		Name:         service,
		Title:        "last starts of programs by user (" + title + ")",
		What:         `SYSTEM, current control set, keys Services\` + service + `\State\UserSettings and Services\` + service + `\UserSettings: by SID, a value for each program, named by its path, with the time of its last start`,
		Proves:       `a session of that account ran the program then. A program on a share was run from there`,
		DoesNotProve: `what it was started with, or that others did not run: entries are kept about a week, and console programs often have none`,
		Reference:    "keydet89/RegRipper3.0, bam.pl; log2timeline/plaso, bam.py",
		Hive:         hive.System,
		Keys:         keys,
		ReadHive: func(in *Hive, out *Emitter) error {
			for _, key := range keys {
				if err := readModerator(in, out, strings.TrimPrefix(key, `ControlSet001\`)); err != nil {
					return err
				}
			}
			return nil
		},
		Files: []string{"Windows/System32/config/SYSTEM"},
	}
}

func readModerator(in *Hive, out *Emitter, rel string) error {
	parent, path, err := openCurrent(in, rel, out)
	if parent == nil {
		return err
	}
	accounts, whole := subkeys(parent, out)
	for _, k := range accounts {
		for v, err := range k.Values() {
			if err != nil {
				out.Unreadable(k.Path, err)
				whole = false
				continue
			}
			if strings.Contains(v.Name, `\`) {
				observeModerated(k, v, out)
			}
		}
	}
	if whole {
		out.Attest(path)
	}
	return nil
}

// observeModerated reports the program that v, a value of the key of an
// account, is of, if it can act on shares or lies on one.
func observeModerated(k *hive.Key, v *hive.Value, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Process: &evidence.Process{Image: clip(v.Name)}}
	if strings.HasPrefix(strings.ToUpper(k.Name), "S-1-") {
		o.SID = k.Name
	}
	unc, drive, onShare := redirected(v.Name)
	if !onShare && strings.HasPrefix(v.Name, `\\`) {
		unc, onShare = v.Name, true
	}
	program := strings.ToUpper(v.Name[strings.LastIndexByte(v.Name, '\\')+1:])
	o.Summary = clip(program) + " was run."
	if onShare && place(&o, unc) && o.Share != "" {
		o.Action, o.Drive = evidence.Used, drive
		o.Summary = clip(program) + " was run from " + target(&o) + "."
	} else if !slices.Contains(shareTools, program) {
		return
	}
	b, err := v.Bytes()
	if err != nil || len(b) < 8 {
		out.Unreadable(k.Path, binread.Errorf(v.Off, "last start", "%d bytes, want 8 at least", len(b)))
		return
	}
	out.ObserveValue(k, v, false, o)
	if t := filetime.Time(binary.LittleEndian.Uint64(b)); !t.IsZero() {
		row := out.Observations[len(out.Observations)-1]
		row.Time, row.Own().TimeKind = t, evidence.Executed
	}
}
