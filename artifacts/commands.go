package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/command"
)

// ATT&CK techniques.
const (
	shareRemoval = "T1070.005" // Indicator Removal: Network Share Connection Removal
	logClearing  = "T1070.001" // Indicator Removal: Clear Windows Event Logs
)

// maxSegments bounds the rows that one command line or script becomes: a short
// command repeated in a long text would make a small log into a large result.
const maxSegments = 256

// bounded cuts a list of segments, and says so.
func (e *Emitter) bounded(off int64, segments []command.Segment) []command.Segment {
	if len(segments) > maxSegments {
		e.Doubtful("", "", binread.Errorf(off, "commands", "%d commands in one text: there are rows for the first %d only", len(segments), maxSegments))
		segments = segments[:maxSegments]
	}
	return segments
}

// commands returns one observation for each part of p's command line that does
// something to shares or their traces. Who ran it, and when, is up to the
// caller. The line is masked unless secrets are to be shown. off is where it
// was read.
func (e *Emitter) commands(off int64, p evidence.Process, hint command.Hint) []evidence.Observation {
	classify := command.Classify
	if e.unmasked {
		classify = command.ClassifyUnmasked
	}
	segments := e.bounded(off, classify(p.CommandLine, hint))
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

// scriptCommands returns what a text of PowerShell does to shares or their
// traces. It is masked unless secrets are to be shown. off is where it was read.
func (e *Emitter) scriptCommands(off int64, text string) []command.Segment {
	if e.unmasked {
		return e.bounded(off, command.ClassifyScriptUnmasked(text))
	}
	return e.bounded(off, command.ClassifyScript(text))
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
		registryTargets(&o, s)
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

// serverTargets fills in the share if the command names exactly one. Shares may
// also be named by the folder or device that they export; those stay targets.
func serverTargets(o *evidence.Observation, targets []string) {
	if len(targets) != 1 || targets[0] == "*" || targets[0] == "" {
		return
	}
	if share, _, _, ok := parseShare(targets[0]); ok {
		o.Share = share
	} else if !strings.ContainsAny(targets[0], `\/:%`) {
		o.Share = `\\*\` + targets[0]
	}
}

// registryTargets fills in what the registry path of a deletion stands for:
// HKCU\Network\Z is a drive of the client, a value of LanmanServer\Shares a
// share of the server. For a value the targets are the key and the value's name.
func registryTargets(o *evidence.Observation, s command.Segment) {
	for i, t := range s.Targets {
		if i > 0 && s.Class == command.ValueDelete {
			break
		}
		parts := strings.FieldsFunc(t, func(r rune) bool { return r == '\\' || r == '/' })
		sid, below, isUser := userPath(parts)
		switch {
		case isUser && len(below) > 0 && strings.EqualFold(below[0], "Network"):
			o.Side = evidence.Client
			if len(below) == 2 && len(s.Targets) == 1 {
				o.Drive = evidence.Drive(below[1])
			}
			if sid != "" && o.Detail.Get("TargetSID") == nil {
				o.Detail = append(o.Detail, evidence.Field{Name: "TargetSID", Value: sid})
			}
		case slices.ContainsFunc(parts, func(p string) bool { return strings.EqualFold(p, "LanmanServer") }):
			o.Side = evidence.Server
			if n := len(parts); s.Class == command.ValueDelete && len(s.Targets) == 2 && strings.EqualFold(parts[n-1], "Shares") {
				o.Share = `\\*\` + s.Targets[1]
			}
		}
	}
}

// userPath returns what parts, a registry path, names below the root of a user
// hive: HKCU, HKCU:, HKEY_CURRENT_USER, HKU\SID, Registry::HKEY_USERS\SID. sid
// is "" for the user who gave the command.
func userPath(parts []string) (sid string, below []string, ok bool) {
	if len(parts) == 0 {
		return "", nil, false
	}
	root := strings.ToUpper(parts[0])
	if i := strings.LastIndex(root, "::"); i >= 0 {
		root = root[i+2:]
	}
	switch strings.TrimSuffix(root, ":") {
	case "HKCU", "HKEY_CURRENT_USER":
		return "", parts[1:], true
	case "HKU", "HKEY_USERS":
		if len(parts) > 1 {
			return parts[1], parts[2:], true
		}
	}
	return "", nil, false
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
	what := strings.Join(targets, ", ")
	if what == "*" && o.Side == evidence.Client {
		what = "every drive"
	}
	return clip(strings.TrimSpace("A command was given to "+verb+" "+what)) + "."
}
