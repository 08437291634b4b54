package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "network-profile",
	Title:        "networks connected and disconnected",
	What:         "Microsoft-Windows-NetworkProfile/Operational 10000 (connected), 10001 (disconnected), 10002 (category changed)",
	Proves:       "the computer was connected to, or disconnected from, that network at that time; shares there came and went with it",
	DoesNotProve: "that a share was in use. A drive whose network went down is not removed",
	Reference:    "manifest of the provider Microsoft-Windows-NetworkProfile (repnz/etw-providers-docs)",
	Events:       []Events{{"Microsoft-Windows-NetworkProfile/Operational", "Microsoft-Windows-NetworkProfile", idsOf(networkEvents)}},
	OpenLog: contexts(evidence.Client, networkEvents, func(_ *eventlog.Record, data Data, o *evidence.Observation, _ *Emitter) bool {
		meaning(o, data, "Category", map[string]string{"0": "public", "1": "private", "2": "domain"})
		meaning(o, data, "Type", map[string]string{"0": "unmanaged", "1": "managed"})
		if n, ok := data.number("State"); ok && n != 0 {
			o.Detail = append(o.Detail, evidence.Field{Name: textName("State"), Value: networkState(n)})
		}
		return true
	}),
	Files: []string{logFolder + "Microsoft-Windows-NetworkProfile%4Operational.evtx"},
})

var networkEvents = map[uint32]string{
	10000: "A network was connected.",
	10001: "A network was disconnected.",
	10002: "The category of a network was changed.",
}

// networkState names the bits of State.
func networkState(n uint64) string {
	var list []string
	for _, bit := range []struct {
		mask uint64
		name string
	}{{1, "connected"}, {2, "disconnected"}, {4, "IPv4 local"}, {8, "IPv4 internet"}, {0x10, "IPv6 local"}, {0x20, "IPv6 internet"}} {
		if n&bit.mask != 0 {
			list = append(list, bit.name)
		}
	}
	return strings.Join(list, ", ")
}
