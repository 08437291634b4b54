package artifacts

var _ = register(Artifact{
	Name:         "time-service",
	Title:        "where the computer's clock came from",
	What:         "System, Microsoft-Windows-Time-Service 34 (a change too big was refused), 35, 37 (time server chosen, reached), 36 (not synchronised for long), 134 (its name could not be resolved), 139, 143 (the computer serves time)",
	Proves:       "whether the clock was kept by a time server at that time",
	DoesNotProve: "that the clock was right",
	Reference:    "manifest of the provider Microsoft-Windows-Time-Service (repnz/etw-providers-docs)",
	Events:       []Events{{systemChannel, "Microsoft-Windows-Time-Service", idsOf(timeEvents)}},
	OpenLog:      contexts("", timeEvents, nil),
	Files:        []string{systemLog},
})

var timeEvents = map[uint32]string{
	34:  "The time service refused to change the clock by so much.",
	35:  "The time service keeps the clock by a time server.",
	36:  "The time service has not synchronised the clock for long.",
	37:  "The time service reached its time server.",
	134: "The time service could not resolve the name of its time server.",
	139: "The time service advertises as a time server.",
	143: "The time service advertises as a good time server.",
}
