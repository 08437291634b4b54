package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "lanman-server",
	Title:        "shares that the file server could not export again at its start",
	What:         "System, provider Server: 2511 (a stored share has no folder any more), 2505 (the server's name is taken on a network)",
	Proves:       "2511: at that start of the server the share was not exported, because its folder was not there",
	DoesNotProve: "that anybody removed the share: its entry in the registry is still there",
	Reference:    "message table of the source Server (libyal/winevt-kb)",
	Events:       []Events{{systemChannel, "Server", idsOf(lanmanEvents)}},
	OpenLog: contexts(evidence.Server, lanmanEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		if share := data.unnamed(1); rec.EventID == 2511 && share != "" && !strings.ContainsAny(share, `\/`) {
			o.Share = `\\*\` + clip(share)
		}
		return true
	}),
	Files: []string{systemLog},
})

var lanmanEvents = map[uint32]string{
	2505: "The file server could not use a network, because its name is taken there.",
	2511: "A stored share was not exported, because its folder does not exist.",
}
