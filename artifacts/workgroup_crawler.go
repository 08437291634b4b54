package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

const crawler = explorer + `\WorkgroupCrawler\Shares`

var _ = register(Artifact{
	Name:         "workgroup-crawler",
	Title:        "shares that Explorer of XP found by itself",
	What:         `NTUSER.DAT of Windows XP and 2003, key ` + crawler + `: one subkey for each share, with DateLastVisited`,
	Proves:       `Explorer met that share in this user's session, the last time at DateLastVisited`,
	DoesNotProve: `that the user opened it: Explorer searches the workgroup for shares without being asked`,
	Reference:    "keydet89/RegRipper3.0, wc_shares.pl",
	Hive:         hive.NTUSER,
	Keys:         []string{crawler},
	ReadHive:     readCrawler,
	Files:        []string{"Documents and Settings/*/NTUSER.DAT"},
})

func readCrawler(in *Hive, out *Emitter) error {
	parent, err := lookup(in, crawler, out)
	if parent == nil {
		return err
	}
	list, whole := subkeys(parent, out)
	for _, k := range list {
		o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Detail: evidence.Detail{{Name: "Key", Value: clip(k.Name)}}}
		file := text(k, "Filename", out)
		if !place(&o, file) && !place(&o, k.Name) {
			out.Doubtful(k.Path, "Filename", binread.Errorf(k.Off, "Filename", "%q and the key's name name no share", clip(file)))
			continue
		}
		if t := binaryTime(k, "DateLastVisited"); !t.IsZero() {
			o.Time, o.TimeKind = t, evidence.ItemTime
		}
		o.Summary = "Explorer met " + name(&o) + " in the workgroup."
		out.ObserveKey(k, o)
	}
	if whole {
		out.Attest(crawler)
	}
	return nil
}
