package artifacts

import "sharetrail/artifacts/evidence"

var _ = register(Artifact{
	Name:         "wlan",
	Title:        "wireless networks connected and disconnected",
	What:         "Microsoft-Windows-WLAN-AutoConfig/Operational 8001 (connected), 8003 (disconnected)",
	Proves:       "the computer joined or left that wireless network at that time",
	DoesNotProve: "that a share was in use, or that the whole computer was without a network",
	Reference:    "manifest of the provider Microsoft-Windows-WLAN-AutoConfig (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-WLAN-AutoConfig/Operational", "Microsoft-Windows-WLAN-AutoConfig", idsOf(wlanEvents)}},
	OpenLog:      contexts(evidence.Client, wlanEvents, nil),
	Files:        []string{logFolder + "Microsoft-Windows-WLAN-AutoConfig%4Operational.evtx"},
})

var wlanEvents = map[uint32]string{
	8001: "A wireless network was connected.",
	8003: "A wireless network was disconnected.",
}
