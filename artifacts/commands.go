package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
)

// ATT&CK techniques.
const (
	shareRemoval = "T1070.005" // Indicator Removal: Network Share Connection Removal
	logClearing  = "T1070.001" // Indicator Removal: Clear Windows Event Logs
)

// commands returns one observation for each part of p's command line that does
// something to shares or their traces. Who ran it, and when, is up to the
// caller. The line is masked unless secrets are to be shown.
func (e *Emitter) commands(p evidence.Process, hint command.Hint) []evidence.Observation {
	classify := command.Classify
	if e.unmasked {
		classify = command.ClassifyUnmasked
	}
	segments := classify(p.CommandLine, hint)
	if len(segments) == 0 {
		return nil
	}
	if !e.unmasked {
		p.CommandLine, _ = command.Mask(p.CommandLine)
		p.ParentCommandLine, _ = command.Mask(p.ParentCommandLine)
	}
	p.CommandLine, p.ParentCommandLine = clip(p.CommandLine), clip(p.ParentCommandLine)
	list := make([]evidence.Observation, len(segments))
	for i, s := range segments {
		list[i] = observeSegment(s)
		list[i].Process = &p
	}
	return list
}

// observeSegment turns what a command line does to shares into a row. It says
// that the command was given, never that it took effect.
func observeSegment(s command.Segment) evidence.Observation {
	o := evidence.Observation{Action: evidence.Command}
	targets := make([]string, len(s.Targets))
	for i, t := range s.Targets {
		targets[i] = clip(t)
	}
	flags := append([]string{}, s.Flags...)
	o.Detail = evidence.Detail{
		{Name: "Class", Value: string(s.Class)},
		{Name: "Segment", Value: int64(s.Index)},
		{Name: "Targets", Value: targets},
		{Name: "Flags", Value: flags},
		{Name: "Program", Value: s.Program},
		{Name: "Persistent", Value: s.Persistent},
		{Name: "UpdateProfile", Value: s.UpdateProfile},
		{Name: "MappedUser", Value: s.User},
		{Name: "Remote", Value: s.Remote},
		{Name: "Deferred", Value: s.Deferred},
		{Name: "masked", Value: s.Masked},
	}
	family, _, _ := strings.Cut(string(s.Class), ".")
	switch family {
	case "use", "mapping":
		o.Side = evidence.Client
		clientTargets(&o, s)
	case "share", "session", "file":
		o.Side = evidence.Server
		if family == "share" {
			serverTargets(&o, s.Targets)
		}
	case "key", "value":
		registryTargets(&o, s.Targets)
	}
	switch s.Class {
	case "use.delete", "mapping.remove", "share.delete":
		o.Attack = []string{shareRemoval}
	case "key.delete":
		if o.Side == evidence.Client {
			o.Attack = []string{shareRemoval}
		}
	case "log.clear":
		o.Attack = []string{logClearing}
	}
	o.Summary = sentence(&o, s, targets)
	if s.Remote != "" {
		// What it acts on is on another computer: no drive or share of this one.
		o.Peer, o.Drive, o.Share = strings.TrimLeft(s.Remote, `\`), "", ""
		o.Summary = strings.TrimSuffix(o.Summary, ".") + ", on another computer."
	}
	if s.Deferred {
		o.Summary = strings.TrimSuffix(o.Summary, ".") + ", at a later time."
	}
	return o
}

// clientTargets fills in the drive and the share if the command names exactly
// one of each.
func clientTargets(o *evidence.Observation, s command.Segment) {
	var drives, shares []string
	for _, t := range s.Targets {
		if d := evidence.Drive(t); d != "" {
			drives = append(drives, d)
		} else if share, _, _, ok := parseShare(t); ok && share != "" {
			shares = append(shares, t)
		}
	}
	if len(drives) == 1 {
		o.Drive = drives[0]
	}
	switch {
	case s.Share != "":
		place(o, s.Share)
	case len(shares) == 1:
		place(o, shares[0])
	}
	o.Peer = ""
}

// serverTargets fills in the share if the command names exactly one.
func serverTargets(o *evidence.Observation, targets []string) {
	if len(targets) != 1 || targets[0] == "*" || targets[0] == "" {
		return
	}
	if share, _, _, ok := parseShare(targets[0]); ok {
		o.Share = share
		return
	}
	o.Share = `\\*\` + targets[0]
}

// registryTargets fills in what the registry paths of a deletion stand for:
// HKCU\Network\Z is a drive of the client, LanmanServer\Shares the server's.
func registryTargets(o *evidence.Observation, targets []string) {
	var drives []string
	for _, t := range targets {
		parts := strings.FieldsFunc(t, func(r rune) bool { return r == '\\' || r == '/' })
		for i, p := range parts {
			switch {
			case strings.EqualFold(p, "Network") && i < 3 && isUserRoot(parts[:i]):
				o.Side = evidence.Client
				if i+2 == len(parts) && evidence.Drive(parts[i+1]) != "" {
					drives = append(drives, evidence.Drive(parts[i+1]))
				}
			case strings.EqualFold(p, "LanmanServer"):
				o.Side = evidence.Server
			}
		}
	}
	if len(drives) == 1 && len(targets) == 1 {
		o.Drive = drives[0]
	}
}

// isUserRoot reports whether parts, the path before "Network", are the root of
// a user hive: HKCU, HKCU:, HKEY_CURRENT_USER, HKU\SID, Registry::HKEY_USERS\SID.
func isUserRoot(parts []string) bool {
	if len(parts) == 0 {
		return false
	}
	root := strings.ToUpper(parts[0])
	if i := strings.LastIndex(root, "::"); i >= 0 {
		root = root[i+2:]
	}
	switch strings.TrimSuffix(root, ":") {
	case "HKCU", "HKEY_CURRENT_USER":
		return len(parts) == 1
	case "HKU", "HKEY_USERS":
		return len(parts) == 2
	}
	return false
}

// verbs say what a command of each class was given to do.
var verbs = map[command.Class]string{
	"use.map":           "map",
	"use.delete":        "end the connection of",
	"use.query":         "list connections",
	"share.add":         "export share",
	"share.delete":      "stop exporting share",
	"session.delete":    "end sessions of clients",
	"file.close":        "close files that clients have open",
	"mapping.remove":    "remove the mapping of",
	"key.delete":        "delete registry key",
	"value.delete":      "delete registry value",
	"log.clear":         "clear event log",
	"history.clear":     "clear the command history",
	"shadow.delete":     "delete shadow copies",
	"audit.off":         "switch auditing off",
	"service.stop":      "stop a service",
	"credential.delete": "delete stored credentials",
}

func sentence(o *evidence.Observation, s command.Segment, targets []string) string {
	verb, ok := verbs[s.Class]
	if !ok {
		verb = string(s.Class)
	}
	switch s.Class {
	case "use.map":
		what := quoted(o.Share, quoted(s.Share, "a share"))
		if o.Drive != "" {
			what += " as " + o.Drive
		}
		return "A command was given to map " + clip(what) + "."
	case "use.query", "history.clear", "shadow.delete", "audit.off", "session.delete", "file.close", "credential.delete":
		return "A command was given to " + verb + "."
	}
	return clip(strings.TrimSpace("A command was given to "+verb+" "+strings.Join(targets, ", "))) + "."
}
