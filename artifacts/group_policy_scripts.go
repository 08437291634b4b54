package artifacts

import (
	"fmt"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

// scriptKeys hold the scripts that Group Policy runs, by kind, then by policy,
// then by script.
var scriptKeys = []string{
	`Software\Microsoft\Windows\CurrentVersion\Group Policy\Scripts`,
	`Software\Policies\Microsoft\Windows\System\Scripts`,
	`Microsoft\Windows\CurrentVersion\Group Policy\Scripts`,
	`Microsoft\Windows\CurrentVersion\Group Policy\State\Machine\Scripts`,
	`Policies\Microsoft\Windows\System\Scripts`,
}

var _ = register(Artifact{
	Name:         "group-policy-scripts",
	Title:        "logon, logoff, startup and shutdown scripts and when they ran",
	What:         `NTUSER.DAT and SOFTWARE, keys Group Policy\Scripts: by kind (Logon, Logoff, Startup, Shutdown), policy and script, with Script, Parameters and ExecTime`,
	Proves:       `Group Policy has that script for that event; where ExecTime is set, when it last ran it. Such scripts map and remove drives without an act of the user`,
	DoesNotProve: `what the script did, or that it succeeded`,
	Reference:    "[MS-GPSCR] Group Policy: Scripts Extension Encoding",
	Hive:         hive.NTUSER,
	AlsoHive:     hive.Software,
	Keys:         scriptKeys,
	ReadHive:     readScripts,
	Files:        []string{"Users/*/NTUSER.DAT", "Windows/System32/config/SOFTWARE"},
})

func readScripts(in *Hive, out *Emitter) error {
	keys := scriptKeys[:2]
	if in.Kind() == hive.Software {
		keys = scriptKeys[2:]
	}
	for _, path := range keys {
		root, err := lookup(in, path, out)
		if err != nil {
			out.Unreadable(path, err)
		}
		if root == nil || err != nil {
			continue
		}
		kinds, whole := subkeys(root, out)
		for _, kind := range kinds {
			policies, ok := subkeys(kind, out)
			whole = whole && ok
			for _, policy := range policies {
				scripts, ok := subkeys(policy, out)
				whole = whole && ok
				for _, k := range scripts {
					observeScript(kind.Name, policy, k, out)
				}
			}
		}
		if whole {
			out.Attest(path)
		}
	}
	return nil
}

func observeScript(kind string, policy, k *hive.Key, out *Emitter) {
	script := text(k, "Script", out)
	if script == "" {
		return
	}
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Summary: fmt.Sprintf("Group Policy has a %s script.", clip(kind))}
	o.Detail = detail(o.Detail,
		evidence.Field{Name: "ScriptType", Value: kind},
		evidence.Field{Name: "Script", Value: script},
		evidence.Field{Name: "Parameters", Value: out.maskedText(text(k, "Parameters", out))},
	)
	o.Detail = append(o.Detail, pick(policy, []string{"GPO-ID", "GPOName", "DisplayName", "FileSysPath", "SOM-ID"}, out)...)
	if v, err := k.Value("ExecTime"); err == nil {
		if b, err := v.Bytes(); err == nil {
			if t := systemTime(b); !t.IsZero() {
				o.Time, o.TimeKind = t, evidence.Executed
				o.Summary = fmt.Sprintf("Group Policy ran a %s script.", clip(kind))
			}
		} else {
			out.Unreadable(k.Path, err)
		}
	}
	out.ObserveKey(k, o)
}

// systemTime reads a SYSTEMTIME ([MS-DTYP] 2.3.13): year, month, day of the
// week, day, hour, minute, second, millisecond. The zero time if it is unset, or
// no date.
func systemTime(b []byte) time.Time {
	if len(b) < 16 {
		return time.Time{}
	}
	f := make([]int, 8)
	for i := range f {
		f[i] = int(b[2*i]) | int(b[2*i+1])<<8
	}
	t := time.Date(f[0], time.Month(f[1]), f[3], f[4], f[5], f[6], f[7]*1e6, time.UTC)
	if f[0] < 1601 || int(t.Month()) != f[1] || t.Day() != f[3] || t.Hour() != f[4] || t.Minute() != f[5] || t.Second() != f[6] || f[7] > 999 {
		return time.Time{}
	}
	return t
}
