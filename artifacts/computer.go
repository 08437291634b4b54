package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const computerName = `Control\ComputerName\ComputerName`

var _ = register(Artifact{
	Name:         "computer",
	Title:        "name of the computer",
	What:         `SYSTEM, keys Control\ComputerName\ComputerName and Services\Tcpip\Parameters of the current control set`,
	Proves:       `the NetBIOS name, host name and domain that the computer has as of the hive's state`,
	DoesNotProve: `what it was called before`,
	Reference:    "Microsoft, GetComputerName; libyal/winreg-kb",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + computerName},
	ReadHive:     readComputer,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readComputer(in *Hive, out *Emitter) error {
	k, path, err := openCurrent(in, computerName, out)
	if k == nil {
		return err
	}
	out.Attest(path)
	d := pick(k, []string{"ComputerName"}, out)
	tcpip, _, err := openCurrent(in, `Services\Tcpip\Parameters`, out)
	if err != nil {
		out.Unreadable(`Services\Tcpip\Parameters`, err)
	}
	if tcpip != nil {
		d = append(d, pick(tcpip, []string{"Hostname", "NV Hostname", "Domain", "NV Domain"}, out)...)
	}
	out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "Name of the computer.", Detail: d})
	return nil
}
