package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// mruSwitches are the values that keep lists of recent things from being made,
// by key.
var mruSwitches = []struct {
	key   string
	names []string
}{
	{explorer + `\Advanced`, []string{"Start_TrackDocs", "Start_TrackProgs"}},
	{`Software\Microsoft\Windows\CurrentVersion\Policies\Explorer`, []string{"NoRecentDocsHistory", "ClearRecentDocsOnExit", "NoRecentDocsMenu", "NoNetConnectDisconnect", "NoRun", "NoDrives", "NoViewOnDrive"}},
	{`Software\Microsoft\Windows\CurrentVersion\Policies\Comdlg32`, []string{"NoFileMRU"}},
}

var _ = register(Artifact{
	Name:         "mru-switches",
	Title:        "settings that keep lists of recent things empty",
	What:         `NTUSER.DAT, keys ` + mruSwitches[0].key + `, ` + mruSwitches[1].key + ` and ` + mruSwitches[2].key + `: Start_TrackDocs, NoRecentDocsHistory, ClearRecentDocsOnExit, NoNetConnectDisconnect, NoFileMRU and others`,
	Proves:       `which of these settings the user has as of the last write of the key: an innocent cause of lists that are empty or absent`,
	DoesNotProve: `what was set before; the computer's own policy may say the same for all users`,
	Reference:    "keydet89/RegRipper3.0, disablemru.pl; Microsoft, policy NoRecentDocsHistory",
	Hive:         hive.NTUSER,
	Keys:         []string{mruSwitches[0].key, mruSwitches[1].key, mruSwitches[2].key},
	ReadHive:     readMRUSwitches,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readMRUSwitches(in *Hive, out *Emitter) error {
	for _, s := range mruSwitches {
		k, err := lookup(in, s.key, out)
		if err != nil {
			out.Unreadable(s.key, err)
		}
		if k == nil || err != nil {
			continue
		}
		if d := pick(k, s.names, out); len(d) > 0 {
			out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Side: evidence.Client, Summary: "Settings that keep lists of recent things from being made.", Detail: d})
		}
		out.Attest(s.key)
	}
	return nil
}
