package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

const lanmanShares = `Services\LanmanServer\Shares`

var _ = register(Artifact{
	Name:         "server-shares",
	Title:        "shares that this computer exports",
	What:         `SYSTEM, key ControlSet00n\Services\LanmanServer\Shares: one value for each share; Shares\Security: its access rights`,
	Proves:       `the share is set up to be exported at every start. At the key's last write one of its values was added, changed or removed`,
	DoesNotProve: `which value that was, or that anyone used the share. Administrative shares (C$, ADMIN$, IPC$) and temporary ones are never stored`,
	Reference:    "[MS-SRVS] Server Service Remote Protocol: SHARE_INFO; keydet89/RegRipper3.0, shares.pl",
	Hive:         hive.System,
	Keys:         []string{`ControlSet001\` + lanmanShares, `ControlSet001\` + lanmanShares + `\Security`},
	ReadHive:     readServerShares,
	Files:        []string{"Windows/System32/config/SYSTEM"},
})

func readServerShares(in *Hive, out *Emitter) error {
	current := currentSet(in, out)
	root, _ := subkeys(in.Root(), out)
	for _, k := range root {
		if !isControlSet(k.Name) {
			continue
		}
		if err := readShareSet(in, k.Name, strings.EqualFold(k.Name, current), out); err != nil {
			out.Unreadable(k.Path+`\`+lanmanShares, err)
		}
	}
	return nil
}

// isControlSet reports whether s is ControlSet and three digits.
func isControlSet(s string) bool {
	const prefix = "ControlSet"
	return len(s) == len(prefix)+3 && strings.EqualFold(s[:len(prefix)], prefix) && strings.Trim(s[len(prefix):], "0123456789") == ""
}

// readShareSet reads one control set. Only the current one says what the
// computer exports; the others are older states.
func readShareSet(in *Hive, set string, current bool, out *Emitter) error {
	base := evidence.Detail{{Name: "ControlSet", Value: set}, {Name: "current", Value: current}}
	path := set + `\` + lanmanShares
	shares, err := lookup(in, path, out)
	if shares == nil {
		return err
	}
	names, whole := []string{}, true
	for v, err := range shares.Values() {
		if err != nil {
			out.Unreadable(shares.Path, err)
			whole = false
			continue
		}
		names = append(names, v.Name)
		if current {
			observeShareValue(shares, v, base, out)
		}
	}
	if whole {
		out.Attest(path)
	}
	observeShareKey(shares, "shares", names, base, out)

	path += `\Security`
	security, err := lookup(in, path, out)
	if security == nil {
		return err
	}
	names, whole = []string{}, true
	for v, err := range security.Values() {
		if err != nil {
			out.Unreadable(security.Path, err)
			whole = false
			continue
		}
		names = append(names, v.Name)
	}
	if whole {
		out.Attest(path)
	}
	observeShareKey(security, "access rights of shares", names, base, out)
	return nil
}

func observeShareKey(k *hive.Key, what string, names []string, base evidence.Detail, out *Emitter) {
	out.ObserveKey(k, evidence.Observation{
		Action: evidence.Context, Side: evidence.Server,
		Summary: "Last change of the list of " + what + " that the computer exports.",
		Detail:  append(base[:len(base):len(base)], evidence.Field{Name: "Names", Value: names}),
	})
}

// shareFields are the keys of a share's strings as Windows spells them. Their
// order and presence vary, and so does their case.
var shareFields = []string{"CATimeout", "CSCFlags", "MaxUses", "Path", "Permissions", "Remark", "ShareName", "Type"}

func observeShareValue(k *hive.Key, v *hive.Value, base evidence.Detail, out *Emitter) {
	o := evidence.Observation{
		Action: evidence.Present, Side: evidence.Server,
		Share: `\\*\` + v.Name, Detail: base[:len(base):len(base)],
		Summary: "Share " + v.Name + " is set up to be exported.",
	}
	if v.Type != regMultiSZ {
		out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value type", "share %q has type %s instead of REG_MULTI_SZ", v.Name, hive.TypeName(v.Type)))
		if data, ok := valueData(k, v, out); ok {
			o.Detail = append(o.Detail, evidence.Field{Name: "Data", Value: data})
		}
		out.ObserveValue(k, v, false, o)
		return
	}
	for _, s := range valueList(k, v, out) {
		field, data, ok := strings.Cut(s, "=")
		for _, known := range shareFields {
			if strings.EqualFold(field, known) {
				field = known
			}
		}
		if !ok || o.Detail.Get(field) != nil {
			out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value data", "share %q: string %q is not one of its fields", v.Name, s))
			continue
		}
		o.Detail = append(o.Detail, evidence.Field{Name: field, Value: data})
	}
	if s := o.Detail.Text("ShareName"); s != "" && !strings.EqualFold(s, v.Name) {
		out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "ShareName", "share %q calls itself %q", v.Name, s))
	}
	out.ObserveValue(k, v, false, o)
}
