package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

const serviceManager = "Service Control Manager"

var _ = register(Artifact{
	Name:         "service-changes",
	Title:        "services of shares and of logging started, stopped and disabled",
	What:         "System, Service Control Manager 7036 (started, stopped) and 7040 (start type changed), for Server, Workstation, WebClient, Windows Event Log and others that shares or their records depend on",
	Proves:       "that service changed its state or its start type at that time",
	DoesNotProve: "who did it. Newer Windows records 7036 of few services; names are in the language of Windows unless the short name is recorded",
	Reference:    "message table of the Service Control Manager (libyal/winevt-kb)",
	Events:       []Events{{systemChannel, serviceManager, idsOf(serviceEvents)}},
	OpenLog: contexts("", serviceEvents, func(rec *eventlog.Record, data Data, o *evidence.Observation, out *Emitter) bool {
		byHeader(o, rec)
		short, state := shortName(data)
		if short != "" && o.Detail.Get("service") == nil {
			o.Detail = append(o.Detail, evidence.Field{Name: "service", Value: clip(short)})
		}
		if s := serviceStates[state]; s != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "state", Value: s})
		}
		return out.allContext || slices.ContainsFunc(shareServices, func(s string) bool {
			return strings.EqualFold(s, short) || short == "" && strings.EqualFold(s, given(data.Text("param1")))
		})
	}, "Binary"),
	Files: []string{systemLog},
})

var serviceEvents = map[uint32]string{
	7036: "A service that shares or their records depend on changed its state.",
	7040: "The start type of a service that shares or their records depend on was changed.",
}

// shareServices are the services by their short names, and by their English
// names where the short one is not recorded.
var shareServices = []string{
	"LanmanServer", "Server", "LanmanWorkstation", "Workstation", "WebClient", "EventLog", "Windows Event Log", "RemoteRegistry", "Remote Registry",
	"Sysmon", "Sysmon64", "SysmonDrv", "srv2", "srvnet", "mrxsmb", "mrxsmb10", "mrxsmb20", "rdbss", "CscService", "Offline Files", "Dfs", "DFSR",
	"Netlogon", "VSS", "Volume Shadow Copy", "swprv", "W32Time", "Windows Time", "Schedule", "Task Scheduler", "gpsvc", "Group Policy Client",
	"ProfSvc", "User Profile Service", "Winmgmt", "diagtrack", "WinDefend",
}

// serviceStates name the numbers behind the short name (winsvc.h).
var serviceStates = map[string]string{"1": "stopped", "4": "running", "7": "paused"}

// shortName returns the short name of the service, which no language changes:
// param4 of 7040; in 7036 the binary data is the text NAME/STATE.
func shortName(data Data) (name, state string) {
	if s := given(data.Text("param4")); s != "" {
		return s, ""
	}
	for _, f := range data {
		b, ok := f.Value.([]byte)
		if !ok || f.Name != "Binary" || len(b) > 1024 {
			continue
		}
		var text strings.Builder
		for i := 0; i+1 < len(b) && (b[i] != 0 || b[i+1] != 0); i += 2 {
			if b[i+1] != 0 || b[i] < ' ' || b[i] > '~' {
				return "", "" // no short name has such characters
			}
			text.WriteByte(b[i])
		}
		name, state, _ = strings.Cut(text.String(), "/")
	}
	return name, state
}
