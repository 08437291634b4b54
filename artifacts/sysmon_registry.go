package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "sysmon-registry",
	Title:        "writes to the registry keys of shares",
	What:         `Sysmon 12 (key or value created or deleted) and 13 (value set), on Network, MountPoints2, the MRU lists and LanmanServer\Shares`,
	Proves:       "at that time that process created, set or deleted that key or value",
	DoesNotProve: "who asked for it where a service writes for others. Nothing is recorded unless Sysmon's configuration includes the key",
	Reference:    "Microsoft Sysinternals, Sysmon: event ids 12, 13",
	Events:       []Events{{sysmonChannel, sysmonProvider, []uint32{12, 13}}},
	OpenLog:      each(readSysmonRegistry),
	Files:        []string{sysmonLog},
})

func readSysmonRegistry(rec *eventlog.Record, data Data, out *Emitter) {
	target := data.Text("TargetObject")
	sid, path, ok := userObject(target)
	var o evidence.Observation
	switch {
	case ok:
		o, ok = userEvent(path, data)
		o.SID = sid
	default:
		if path, ok = sharesObject(target); ok {
			o, ok = sharesEvent(path, data)
		}
	}
	if !ok {
		return
	}
	o.Process = &evidence.Process{Image: data.Text("Image"), PID: pid(data.Text("ProcessId"))}
	o.Detail = append(o.Detail, data.fields("EventType", "TargetObject", "Details", "User", "ProcessGuid")...)
	out.ObserveRecord(rec, o)
}

// userObject splits HKU\SID\path, also spelled \REGISTRY\USER\SID\path.
func userObject(target string) (sid, path string, ok bool) {
	for _, root := range []string{`HKU\`, `\REGISTRY\USER\`, `HKEY_USERS\`} {
		if rest, found := cutPrefixFold(target, root); found {
			sid, path, ok = strings.Cut(rest, `\`)
			if strings.EqualFold(sid, ".DEFAULT") {
				sid = "S-1-5-18"
			}
			return sid, path, ok
		}
	}
	return "", "", false
}

// sharesObject returns the path of target below LanmanServer\Shares of any
// control set.
func sharesObject(target string) (path string, ok bool) {
	return controlSetObject(target, lanmanShares)
}

// controlSetObject returns the path of target below key of any control set.
func controlSetObject(target, key string) (path string, ok bool) {
	for _, root := range []string{`HKLM\SYSTEM\`, `\REGISTRY\MACHINE\SYSTEM\`, `HKEY_LOCAL_MACHINE\SYSTEM\`} {
		rest, found := cutPrefixFold(target, root)
		if !found {
			continue
		}
		set, rest, _ := strings.Cut(rest, `\`)
		if !strings.EqualFold(set, "CurrentControlSet") && !isControlSet(set) {
			return "", false
		}
		return cutPrefixFold(rest, key+`\`)
	}
	return "", false
}

// cutPrefixFold is strings.CutPrefix without regard to case.
func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// userEvent reads an event on path, which is below a user's hive.
func userEvent(path string, data Data) (evidence.Observation, bool) {
	o := evidence.Observation{Side: evidence.Client}
	kind := data.Text("EventType")
	if path == "" {
		return o, false
	}
	if rest, ok := cutPrefixFold(path, "Network"); ok && (rest == "" || rest[0] == '\\') {
		return networkEvent(strings.TrimPrefix(rest, `\`), kind, data)
	}
	for _, list := range traceKeys {
		rest, ok := cutPrefixFold(path, explorer+`\`+list.key)
		if !ok || rest != "" && rest[0] != '\\' {
			continue
		}
		if !strings.HasPrefix(kind, "Delete") {
			return o, false
		}
		// What is gone is a trace, not a share: the share is no field of the
		// row, so that nobody takes it for removed.
		o.Action = evidence.Removed
		o.Summary = "A trace of shares was deleted from the registry: " + list.name + "."
		o.Detail = evidence.Detail{{Name: "trace", Value: list.name}}
		if share, _, _, ok := parseShare(strings.TrimPrefix(rest, `\`)); ok && share != "" {
			o.Detail = append(o.Detail, evidence.Field{Name: "share", Value: share})
		}
		return o, true
	}
	return o, false
}

// traceKeys are the keys below Explorer that remember shares, with the names
// of their artifacts.
var traceKeys = []struct{ key, name string }{
	{"MountPoints2", "mountpoints2"},
	{"Map Network Drive MRU", "map-drive-mru"},
	{"RunMRU", "run-mru"},
	{"TypedPaths", "typed-paths"},
}

// networkEvent reads an event on the key Network: rest is what follows it.
func networkEvent(rest, kind string, data Data) (evidence.Observation, bool) {
	o := evidence.Observation{Side: evidence.Client}
	device, value, below := strings.Cut(rest, `\`)
	what := "the remembered mapping of " + device
	if len(device) == 1 {
		if o.Drive = evidence.Drive(device); o.Drive != "" {
			what = "the remembered mapping of " + o.Drive
		}
	}
	if device == "" {
		what = "the key of all remembered mappings"
	}
	switch {
	case kind == "DeleteKey" && !below:
		o.Action, o.Summary = evidence.Removed, "Deleted: "+what+"."
	case kind == "CreateKey" && !below:
		o.Action, o.Summary = evidence.Context, "Created: "+what+"."
	case kind == "SetValue" && strings.EqualFold(value, "RemotePath"):
		place(&o, data.Text("Details"))
		o.Action, o.Summary = evidence.Mapped, "Written: "+what+", to "+name(&o)+"."
	case kind == "DeleteValue" && below:
		o.Action, o.Summary = evidence.Context, "A value was deleted from "+what+"."
	default:
		return o, false
	}
	return o, true
}

// sharesEvent reads an event on path, which is below LanmanServer\Shares.
func sharesEvent(path string, data Data) (evidence.Observation, bool) {
	o := evidence.Observation{Side: evidence.Server}
	if strings.Contains(path, `\`) { // the keys below hold access rights
		return o, false
	}
	switch data.Text("EventType") {
	case "SetValue":
		o.Action, o.Summary = evidence.ShareCreated, "The stored share "+path+" was created or changed."
	case "DeleteValue":
		o.Action, o.Summary = evidence.Removed, "The stored share "+path+" was deleted."
	default:
		return o, false
	}
	o.Share = `\\*\` + path
	return o, true
}
