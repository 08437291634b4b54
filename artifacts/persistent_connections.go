package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const persistentConnections = windowsNTUser + `\Network\Persistent Connections`

var _ = register(Artifact{
	Name:         "persistent-connections",
	Title:        "whether connections are remembered by default",
	What:         `NTUSER.DAT, key ` + persistentConnections + `: SaveConnections; in old versions of Windows also shares by letter, and Order`,
	Proves:       `what net use does where /persistent is not given: with "no" it leaves no trace in HKCU\Network`,
	DoesNotProve: `what any single connection was made with`,
	Reference:    "Microsoft, net use: /persistent",
	Hive:         hive.NTUSER,
	Keys:         []string{persistentConnections},
	ReadHive:     readPersistentConnections,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readPersistentConnections(in *Hive, out *Emitter) error {
	k, err := lookup(in, persistentConnections, out)
	if k == nil {
		return err
	}
	out.ObserveKey(k, evidence.Observation{
		Action: evidence.Context, Side: evidence.Client,
		Summary: "Whether connections are remembered where the command does not say.",
		Detail:  values(k, nil, out),
	})
	if (pathKey{action: evidence.Used, says: "Windows listed a connection to "}).read(k, out) {
		out.Attest(persistentConnections)
	}
	return nil
}
