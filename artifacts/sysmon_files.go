package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "sysmon-files",
	Title:        "traces of shares created and deleted as files",
	What:         "Sysmon 11 (created), 23, 26 (deleted): shortcuts in Recent, prefetch files, the PowerShell history, event logs",
	Proves:       "that process created or deleted that file at that time",
	DoesNotProve: "intent: Windows itself deletes old shortcuts and prefetch files. Nothing is recorded unless Sysmon's configuration includes it",
	Reference:    "Microsoft Sysinternals, Sysmon: event ids 11, 23, 26",
	Events:       []Events{{sysmonChannel, sysmonProvider, []uint32{11, 23, 26}}},
	OpenLog:      each(readSysmonFiles),
	Files:        []string{sysmonLog},
})

func readSysmonFiles(rec *eventlog.Record, data Data, out *Emitter) {
	target := given(data.Text("TargetFilename"))
	trace := traceFile(target, rec.EventID == 11)
	if trace == "" {
		return
	}
	o := evidence.Observation{Action: evidence.Context, Summary: "Created: a file that is a trace of use, " + trace + "."}
	if rec.EventID != 11 {
		o.Summary = "Deleted: a file that is a trace of use, " + trace + "."
	}
	o.Process = &evidence.Process{Image: clip(given(data.Text("Image"))), PID: pid(data.Text("ProcessId"))}
	byName(&o, data.Text("User"))
	o.Detail = append(o.Detail, evidence.Field{Name: "trace", Value: trace})
	o.Detail = append(o.Detail, data.fields("TargetFilename", "CreationUtcTime", "Hashes", "Archived", "RuleName", "ProcessGuid")...)
	if owner := profileOf(target); owner != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "profile", Value: clip(owner)})
	}
	out.ObserveRecord(rec, o)
}

// prefetchPrograms are the programs that act on shares and their traces. The
// prefetch file of any program is made at its first start.
var prefetchPrograms = []string{"net.exe-", "net1.exe-", "reg.exe-", "wevtutil.exe-", "subst.exe-", "powershell.exe-", "vssadmin.exe-", "cmdkey.exe-"}

// traceFile names the artifact that a file is a trace for; "" if it is none.
func traceFile(path string, created bool) string {
	low := strings.ToLower(strings.ReplaceAll(path, "/", `\`))
	base := baseName(low)
	switch {
	case strings.HasSuffix(low, ".lnk") && strings.Contains(low, `\recent\`):
		return "lnk"
	case strings.HasSuffix(low, "-ms") && strings.Contains(low, `\recent\`):
		return "jump-lists"
	case strings.HasSuffix(low, ".pf") && strings.Contains(low, `\prefetch\`):
		for _, p := range prefetchPrograms {
			if strings.HasPrefix(base, p) {
				return "prefetch"
			}
		}
		if !created {
			return "prefetch"
		}
	case base == "consolehost_history.txt":
		return "ps-history"
	case strings.HasSuffix(low, ".evtx"):
		return "event-log"
	}
	return ""
}
