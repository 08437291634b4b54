package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "run-mru",
	Title:        "shares and share commands typed into the Run dialog",
	What:         `NTUSER.DAT, key ` + explorer + `\RunMRU: values a, b, ... (each ends in \1) and their order in MRUList`,
	Proves:       `the user entered that text in the Run dialog. The key's last write is the time of the first of MRUList, and an upper bound for the others`,
	DoesNotProve: `that the share was reached, or that the command took effect`,
	Reference:    "keydet89/RegRipper3.0, runmru.pl; libyal/winreg-kb, Explorer keys: Most recently used",
	Hive:         hive.NTUSER,
	Keys:         []string{explorer + `\RunMRU`},
	ReadHive:     readRunMRU,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readRunMRU(in *Hive, out *Emitter) error {
	const path = explorer + `\RunMRU`
	k, err := lookup(in, path, out)
	if k == nil {
		return err
	}
	list, whole := mruEntries(k, out)
	for _, e := range list {
		e.text = strings.TrimSuffix(e.text, `\1`)
		observeRun(k, e, out)
	}
	if whole {
		out.Attest(path)
		if len(list) == 0 {
			observeEmptyMRU(k, "Run", out)
		}
	}
	return nil
}

// observeRun reports e if it names a share or does something to one.
func observeRun(k *hive.Key, e mruEntry, out *Emitter) {
	segments := out.commands(e.value.Off, evidence.Process{CommandLine: e.text}, command.Hint{})
	for _, o := range segments {
		o.User = out.user // also where the command is about the server's side
		if e.position >= 0 {
			o.Detail = append(o.Detail, evidence.Field{Name: "Position", Value: e.position})
		}
		out.ObserveValue(k, e.value, e.newest, o)
	}
	if len(segments) > 0 {
		return
	}
	o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Detail: e.detail()}
	if place(&o, e.text) {
		o.Summary = name(&o) + " was entered in the Run dialog."
		out.ObserveValue(k, e.value, e.newest, o)
	}
}
