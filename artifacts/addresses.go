package artifacts

import (
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const interfacesKey = `Services\Tcpip\Parameters\Interfaces`

var _ = register(Artifact{
	Name:         "addresses",
	Title:        "IP addresses of the computer",
	What:         `SYSTEM, current control set, keys Services\Tcpip\Parameters\Interfaces\{GUID}: the last DHCP lease and its span, and addresses set by hand`,
	Proves:       `the computer held the leased address from LeaseObtainedTime to LeaseTerminatesTime, unless it gave it back; an address set by hand from the key's last write at the latest`,
	DoesNotProve: `what addresses it had before: each renewal overwrites the span`,
	Reference:    "Microsoft, TCP/IP registry values: DhcpIPAddress, IPAddress, LeaseObtainedTime, LeaseTerminatesTime (seconds since 1970, UTC)",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + interfacesKey},
	ReadHive:     readAddresses,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readAddresses(in *Hive, out *Emitter) error {
	parent, path, err := openCurrent(in, interfacesKey, out)
	if parent == nil {
		return err
	}
	list, whole := subkeys(parent, out)
	for _, k := range list {
		d := pick(k, []string{"DhcpIPAddress", "IPAddress", "EnableDHCP", "DhcpServer", "DhcpDomain"}, out)
		leased, fixed := usable(d.Text("DhcpIPAddress")), false
		for _, a := range d.List("IPAddress") {
			fixed = fixed || usable(a)
		}
		if !leased && !fixed {
			continue
		}
		for _, name := range []string{"LeaseObtainedTime", "LeaseTerminatesTime"} {
			n, ok := pick(k, []string{name}, out).Get(name).(int64)
			if ok && n > 0 {
				d = append(d, evidence.Field{Name: name, Value: time.Unix(n, 0).UTC()})
			}
		}
		d = append(d, evidence.Field{Name: "Interface", Value: clip(k.Name)})
		out.ObserveKey(k, evidence.Observation{Action: evidence.Context, Summary: "Addresses of a network interface.", Detail: d})
	}
	if whole {
		out.Attest(path)
	}
	return nil
}

// usable reports whether an address is set: 0.0.0.0 stands for none.
func usable(a string) bool { return strings.TrimSpace(a) != "" && a != "0.0.0.0" }
