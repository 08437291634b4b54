package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const (
	eventLogService = `Services\EventLog`
	winevtChannels  = `Microsoft\Windows\CurrentVersion\WINEVT\Channels`
	eventLogPolicy  = `Policies\Microsoft\Windows\EventLog`
)

var _ = register(Artifact{
	Name:         "eventlog-settings",
	Title:        "how large, where and whether event logs are kept",
	What:         `SYSTEM, current control set, key ` + eventLogService + `: Start of the service and, for each log, File, MaxSize, Retention, AutoBackupLogFiles; SOFTWARE, keys ` + winevtChannels + ` (Enabled of each channel) and ` + eventLogPolicy + ` (policy)`,
	Proves:       `how the log is set up as of the last write of its key: a small MaxSize, a moved File or a channel that is off explains records that are not there`,
	DoesNotProve: `how it was set up before`,
	Reference:    "Microsoft, Eventlog key; keydet89/RegRipper3.0, disableeventlog.pl",
	Hive:         hive.System,
	AlsoHive:     hive.Software,
	Keys:         []string{`ControlSet001\` + eventLogService, winevtChannels, eventLogPolicy},
	ReadHive:     readEventLogSettings,
	Files:        []string{"Windows/System32/config/SYSTEM", "Windows/System32/config/SOFTWARE"},
})

// logSettings are the values of a log's key ([MS-GPSB], EventLog service).
var logSettings = []string{"File", "MaxSize", "Retention", "AutoBackupLogFiles", "RestrictGuestAccess", "Enabled", "OwningPublisher", "ChannelAccess"}

// shareChannels are the channels that tell of shares, beside the classic logs.
var shareChannels = []string{
	"microsoft-windows-smbclient/", "microsoft-windows-smbserver/", "microsoft-windows-smbwitnessclient/", "microsoft-windows-sysmon/",
	"microsoft-windows-powershell/", "powershellcore/", "microsoft-windows-grouppolicy/", "microsoft-windows-user profile service/",
	"microsoft-windows-terminalservices-localsessionmanager/", "microsoft-windows-networkprofile/", "microsoft-windows-taskscheduler/",
	"microsoft-windows-winrm/", "microsoft-windows-wmi-activity/", "security", "system", "application", "windows powershell",
}

func readEventLogSettings(in *Hive, out *Emitter) error {
	if in.Kind() == hive.System {
		return readEventLogService(in, out)
	}
	for _, path := range []string{winevtChannels, eventLogPolicy} {
		parent, err := lookup(in, path, out)
		if err != nil {
			out.Unreadable(path, err)
		}
		if parent == nil || err != nil {
			continue
		}
		list, whole := subkeys(parent, out)
		for _, k := range list {
			if path == winevtChannels && !tellsOfShares(k.Name) {
				continue
			}
			observeLogSettings(k, out)
		}
		if whole {
			out.Attest(path)
		}
	}
	return nil
}

func tellsOfShares(channel string) bool {
	channel = strings.ToLower(channel)
	for _, c := range shareChannels {
		if channel == c || strings.HasSuffix(c, "/") && strings.HasPrefix(channel, c) {
			return true
		}
	}
	return false
}

func readEventLogService(in *Hive, out *Emitter) error {
	k, path, err := openCurrent(in, eventLogService, out)
	if k == nil {
		return err
	}
	o := evidence.Observation{Action: evidence.Context, Summary: "How the event log service starts.", Detail: pick(k, []string{"Start", "ImagePath"}, out)}
	if n, ok := number(k, "Start"); ok && n == 4 {
		o.Summary = "The event log service is disabled."
	}
	out.ObserveKey(k, o)
	list, whole := subkeys(k, out)
	for _, log := range list {
		observeLogSettings(log, out)
	}
	if whole {
		out.Attest(path)
	}
	return nil
}

// observeLogSettings reports the key of one log or channel, if it says anything.
func observeLogSettings(k *hive.Key, out *Emitter) {
	d := pick(k, logSettings, out)
	if len(d) == 0 {
		return
	}
	o := evidence.Observation{Action: evidence.Context, Detail: append(evidence.Detail{{Name: "Channel", Value: clip(k.Name)}}, d...)}
	o.Summary = "How the event log " + clip(k.Name) + " is set up."
	if n, ok := number(k, "Enabled"); ok && n == 0 {
		o.Summary = "The event log channel " + clip(k.Name) + " is off."
	}
	out.ObserveKey(k, o)
}
