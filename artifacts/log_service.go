package artifacts

var _ = register(Artifact{
	Name:         "log-service",
	Title:        "state of the event log service",
	What:         "Security, provider Microsoft-Windows-Eventlog: 1100 (service stopped), 1101 (events were dropped), 1104 (log full), 1105 (log moved to a backup), 1108 (an event could not be recorded)",
	Proves:       "from that time events were not recorded, were lost, or lie in the backup that the record names",
	DoesNotProve: "that anybody wanted it: the service stops at every shutdown, and 1101 follows a crash",
	Reference:    "Microsoft, Windows security auditing: events 1100, 1101, 1104, 1105, 1108",
	Events:       []Events{{"", eventlogProvider, idsOf(logServiceEvents)}},
	OpenLog:      contexts("", logServiceEvents, nil),
	Files:        []string{securityLog, logFolder + "Archive-*.evtx"},
})

var logServiceEvents = map[uint32]string{
	1100: "The event log service stopped.",
	1101: "Audit events were dropped before they reached the log.",
	1104: "The Security log is full.",
	1105: "An event log was full and was moved to a backup file.",
	1108: "The event log service failed to record an event.",
}
