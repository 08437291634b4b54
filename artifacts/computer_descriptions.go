package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const descriptions = explorer + `\ComputerDescriptions`

var _ = register(Artifact{
	Name:         "computer-descriptions",
	Title:        "computers that Explorer showed in Network",
	What:         `NTUSER.DAT, key ` + descriptions + `: a value for each computer that Explorer met, with what it says of itself`,
	Proves:       `Explorer met that computer on the network in this user's session at the last write of the key or before`,
	DoesNotProve: `that a share of it was opened, or which`,
	Reference:    "keydet89/RegRipper3.0, compdesc.pl",
	Hive:         hive.NTUSER,
	Keys:         []string{descriptions},
	ReadHive:     readDescriptions,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readDescriptions(in *Hive, out *Emitter) error {
	k, err := lookup(in, descriptions, out)
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
		if v.Name == "" {
			continue
		}
		o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Peer: clip(v.Name)}
		if isText(v) {
			o.Detail = detail(o.Detail, evidence.Field{Name: "Description", Value: valueText(k, v, out)})
		}
		o.Summary = "Explorer met the computer " + o.Peer + " on the network."
		out.ObserveValue(k, v, k.ValueCount == 1, o)
	}
	if whole {
		out.Attest(descriptions)
	}
	return nil
}
