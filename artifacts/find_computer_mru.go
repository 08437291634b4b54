package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const findComputer = explorer + `\FindComputerMRU`

var _ = register(Artifact{
	Name:         "find-computer-mru",
	Title:        "computers that the user searched for",
	What:         `NTUSER.DAT, key ` + findComputer + `: values a, b, ... and their order in MRUList`,
	Proves:       `the user searched the network for that computer. The key's last write is the time of the first of MRUList, and an upper bound for the others`,
	DoesNotProve: `that it was found, or that a share of it was opened`,
	Reference:    "libyal/winreg-kb, Explorer keys: Most recently used",
	Hive:         hive.NTUSER,
	Keys:         []string{findComputer},
	ReadHive:     readFindComputer,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readFindComputer(in *Hive, out *Emitter) error {
	k, err := lookup(in, findComputer, out)
	if k == nil {
		return err
	}
	list, whole := mruEntries(k, out)
	for _, e := range list {
		o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Peer: strings.Trim(e.text, `\ `), Detail: e.detail()}
		if o.Peer == "" {
			continue
		}
		o.Summary = "The computer " + o.Peer + " was searched for."
		out.ObserveValue(k, e.value, e.newest, o)
	}
	if whole {
		out.Attest(findComputer)
	}
	return nil
}
