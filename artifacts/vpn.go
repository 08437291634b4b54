package artifacts

import (
	"fmt"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "vpn",
	Title:        "VPN connections made and ended",
	What:         "Application 20225 (connected) and 20226 (disconnected) of RasClient",
	Proves:       "the computer's own VPN client connected or disconnected at that time: shares behind it came and went with it",
	DoesNotProve: "anything about VPN software of other makers, which has its own logs",
	Reference:    "Microsoft, RasClient events 20225 and 20226",
	Events:       []Events{{"Application", "RasClient", []uint32{20225, 20226}}},
	OpenLog:      each(readVPN),
	Files:        []string{"Windows/System32/winevt/Logs/Application.evtx"},
})

func readVPN(rec *eventlog.Record, data Data, out *Emitter) {
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Summary: "A VPN connection was made."}
	if rec.EventID == 20226 {
		o.Summary = "A VPN connection ended."
	}
	n := 0
	for _, f := range data {
		name := f.Name
		if name == "Data" {
			n++
			name = fmt.Sprintf("Data%d", n)
		}
		if s := eventlog.Text(f.Value); s != "" && len(o.Detail) < 32 {
			o.Detail = append(o.Detail, evidence.Field{Name: name, Value: clip(s)})
		}
	}
	out.ObserveRecord(rec, o)
}
