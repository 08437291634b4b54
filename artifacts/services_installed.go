package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "services-installed",
	Title:        "services installed, and what they run on shares",
	What:         "Security 4697 and System 7045: name, command line and account of a new service, with the commands on shares in it",
	Proves:       "the service was installed at that time; its command is what it would run when it is started",
	DoesNotProve: "that it was started",
	Reference:    "Microsoft, Windows security auditing: event 4697; message table of the Service Control Manager (libyal/winevt-kb)",
	Events: []Events{
		{securityChannel, auditingProvider, []uint32{4697}},
		{systemChannel, serviceManager, []uint32{7045}},
	},
	OpenLog: each(readServicesInstalled),
	Files:   []string{securityLog, systemLog},
})

func readServicesInstalled(rec *eventlog.Record, data Data, out *Emitter) {
	line := data.Text("ServiceFileName")
	if rec.EventID == 7045 {
		line = data.Text("ImagePath")
	}
	row := func(o evidence.Observation) {
		if rec.EventID == 4697 {
			account(&o, data, "Subject")
		} else {
			byHeader(&o, rec)
		}
		o.Detail = append(o.Detail, data.fields("ServiceName", "ServiceType", "ServiceStartType", "StartType", "ServiceAccount", "AccountName")...)
		out.ObserveRecord(rec, o)
	}
	shown := line
	if !out.unmasked {
		shown, _ = command.Mask(line)
	}
	row(evidence.Observation{
		Action: evidence.Context, Summary: "A service was installed.",
		Detail: evidence.Detail{{Name: "command_line", Value: clip(shown)}},
	})
	for _, o := range out.commands(rec.Off, evidence.Process{CommandLine: line}, command.Hint{}) {
		row(deferred(o))
	}
}
