package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const cmdLineSwitch = `Microsoft\Windows\CurrentVersion\Policies\System\Audit`

var powerShellPolicies = []string{
	`Policies\Microsoft\Windows\PowerShell`,
	`Policies\Microsoft\PowerShellCore`,
	`Wow6432Node\Policies\Microsoft\Windows\PowerShell`,
}

var _ = register(Artifact{
	Name:         "logging-switches",
	Title:        "policies that switch command-line and PowerShell logging",
	What:         `SOFTWARE, keys ` + cmdLineSwitch + ` and Policies\Microsoft\Windows\PowerShell\{ScriptBlockLogging,ModuleLogging,Transcription}`,
	Proves:       `which of these logs are on as of the key's last write; an absent key leaves the default, which is off (suspicious script blocks are recorded even so)`,
	DoesNotProve: `what was set before; PowerShell policies may also be set for a user`,
	Reference:    "Microsoft, Include command line in process creation events; Microsoft, about_Logging_Windows; keydet89/RegRipper3.0, powershellcore.pl",
	Hive:         hive.Software,
	Keys:         loggingKeys(),
	ReadHive:     readLoggingSwitches,
	Files:        []string{"Windows/System32/config/SOFTWARE"},
})

func loggingKeys() []string {
	keys := []string{cmdLineSwitch}
	for _, root := range powerShellPolicies {
		keys = append(keys, root+`\ScriptBlockLogging`, root+`\ModuleLogging`, root+`\Transcription`)
	}
	return keys
}

func readLoggingSwitches(in *Hive, out *Emitter) error {
	for _, path := range loggingKeys() {
		k, err := lookup(in, path, out)
		switch {
		case err != nil:
			out.Unreadable(path, err)
		case k != nil:
			out.Attest(path)
			observeSwitches(k, out)
		}
	}
	return nil
}

func observeSwitches(k *hive.Key, out *Emitter) {
	d := pick(k, []string{
		"ProcessCreationIncludeCmdLine_Enabled",
		"EnableScriptBlockLogging", "EnableScriptBlockInvocationLogging",
		"EnableModuleLogging",
		"EnableTranscripting", "EnableInvocationHeader", "OutputDirectory",
	}, out)
	if modules, err := k.Sub("ModuleNames"); err == nil {
		names := []string{}
		for v, err := range modules.Values() {
			if err != nil {
				out.Unreadable(modules.Path, err)
			} else if len(names) < maxValues {
				names = append(names, clip(v.Name))
			}
		}
		d = append(d, evidence.Field{Name: "ModuleNames", Value: names})
	}
	out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "Policy for the logging of commands.", Detail: d})
}
