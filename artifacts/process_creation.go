package artifacts

import (
	"slices"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/command"
	"sharetrail/parsers/eventlog"
)

var _ = register(Artifact{
	Name:         "process-creation",
	Title:        "programs started to map, remove or hide shares",
	What:         "Security 4688 and Sysmon 1, where the command line does something to shares or their traces; other starts of net, reg, wevtutil, subst, xcopy and robocopy as context",
	Proves:       "the program was started with that command line by that account at that time",
	DoesNotProve: "that the command succeeded or had an effect. Off by default, as is the command line in 4688",
	Reference:    "Microsoft, Windows security auditing: event 4688; Microsoft Sysinternals, Sysmon: event ids 1",
	Events: []Events{
		{securityChannel, auditingProvider, []uint32{4688}},
		{sysmonChannel, sysmonProvider, []uint32{1}},
	},
	OpenLog: func() LogReader {
		var a ancestry
		return LogReader{Read: a.readProcessCreation}
	},
	Files: []string{securityLog, sysmonLog},
})

func (a *ancestry) readProcessCreation(rec *eventlog.Record, data Data, out *Emitter) {
	var p evidence.Process
	var hint command.Hint
	p.CommandLine = data.Text("CommandLine")
	if rec.EventID == 4688 {
		p.Image, p.PID = data.Text("NewProcessName"), pid(data.Text("NewProcessId"))
		p.ParentImage = data.Text("ParentProcessName")
	} else {
		p.Image, p.PID = data.Text("Image"), pid(data.Text("ProcessId"))
		p.ParentImage, p.ParentCommandLine = data.Text("ParentImage"), data.Text("ParentCommandLine")
		hint.OriginalName = given(data.Text("OriginalFileName"))
	}
	p.ParentImage, p.ParentCommandLine = given(p.ParentImage), given(p.ParentCommandLine)
	hint.Image = p.Image
	key, parent := processKeys(rec, data)
	defer a.add(key, parent, p)
	if given(p.CommandLine) != "" {
		out.Witness(rec, evidence.CommandLines)
	}
	var chain []string
	asked := false
	list := out.commands(rec.Off, p, hint)
	if len(list) == 0 && given(p.CommandLine) == "" && isNet(p.Image, hint.OriginalName) {
		list = []evidence.Observation{{
			Action:  evidence.Command,
			Process: &p,
			Summary: "The net program ran without a recorded command line.",
			Detail:  evidence.Detail{{Name: "Class", Value: "unknown"}},
		}}
	}
	if name := keptStart(p.Image, hint.OriginalName); len(list) == 0 && name != "" {
		list = []evidence.Observation{out.start(p, name)}
	}
	for _, o := range list {
		if !asked {
			asked, chain = true, a.of(key, parent, o.Process, out.unmasked)
		}
		if len(chain) > 0 {
			o.Detail = append(o.Detail, evidence.Field{Name: "ancestors", Value: chain})
		}
		runBy(&o, rec, data)
		out.ObserveRecord(rec, o)
	}
}

// startsKept are the programs of which each start is a fact, whatever they were
// given to do: those that other evidence dates starts of (rule G22), and those
// that list shares or copy from them.
var startsKept = []string{"net", "net1", "reg", "wevtutil", "subst", "xcopy", "robocopy"}

// keptStart returns which of startsKept a program is, by its path or by the name
// in its version resource; "" if none.
func keptStart(image, original string) string {
	for _, s := range []string{image, original} {
		name := strings.TrimSuffix(strings.ToLower(s[strings.LastIndexAny(s, `\/`)+1:]), ".exe")
		if slices.Contains(startsKept, name) {
			return name
		}
	}
	return ""
}

// start is the row of a program that was started to do nothing to shares.
func (e *Emitter) start(p evidence.Process, name string) evidence.Observation {
	if !e.unmasked {
		p.CommandLine, _ = command.Mask(p.CommandLine)
		p.ParentCommandLine, _ = command.Mask(p.ParentCommandLine)
	}
	p.CommandLine, p.ParentCommandLine = clip(p.CommandLine), clip(p.ParentCommandLine)
	return evidence.Observation{
		Action: evidence.Context, Process: &p,
		Summary: "The program " + name + " was started.",
		Detail:  evidence.Detail{{Name: "Program", Value: name}},
	}
}

// isNet reports whether an image is net.exe or net1.exe, by its path or by the
// name in its version resource.
func isNet(image, original string) bool {
	for _, s := range []string{image, original} {
		switch strings.ToLower(s[strings.LastIndexAny(s, `\/`)+1:]) {
		case "net.exe", "net1.exe":
			return true
		}
	}
	return false
}

// runBy fills in the account that the new process runs as.
func runBy(o *evidence.Observation, rec *eventlog.Record, data Data) {
	if rec.EventID == 4688 {
		// Version 2 names the account of the new process if it is another one
		// than the creator's.
		if given(data.Text("TargetUserName")) != "" {
			account(o, data, "Target")
		} else {
			account(o, data, "Subject")
		}
		o.Detail = append(o.Detail, data.fields("ProcessId", "TokenElevationType", "MandatoryLabel")...)
		return
	}
	domain, user, ok := strings.Cut(given(data.Text("User")), `\`)
	if !ok {
		domain, user = "", domain
	}
	o.User = user
	if domain != "" {
		o.Detail = append(o.Detail, evidence.Field{Name: "domain", Value: domain})
	}
	o.LogonID = logonID(data.Text("LogonId"))
	o.Detail = append(o.Detail, data.fields("ParentProcessId", "OriginalFileName", "CurrentDirectory", "IntegrityLevel", "ProcessGuid", "ParentProcessGuid")...)
}

// processKeys returns what identifies the new process and the one that started
// it: process ids, or Sysmon's GUIDs, which are not used twice.
func processKeys(rec *eventlog.Record, data Data) (key, parent string) {
	if rec.EventID == 4688 {
		return pid(data.Text("NewProcessId")), pid(data.Text("ProcessId"))
	}
	return data.Text("ProcessGuid"), data.Text("ParentProcessGuid")
}
