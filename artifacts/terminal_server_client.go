package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const terminalClient = `Software\Microsoft\Terminal Server Client`

var _ = register(Artifact{
	Name:         "terminal-server-client",
	Title:        "computers that the user connected to by Remote Desktop",
	What:         `NTUSER.DAT, key ` + terminalClient + `: Servers, one subkey for each computer, and Default, the list of the last ones (MRU0 is the newest)`,
	Proves:       `the user's Remote Desktop client connected to that computer, or tried to: by the last write of its key`,
	DoesNotProve: `that drives were redirected there (\\tsclient), or that a share was used`,
	Reference:    "keydet89/RegRipper3.0, tsclient.pl; log2timeline/plaso, terminal_server.py",
	Hive:         hive.NTUSER,
	Keys:         []string{terminalClient + `\Servers`, terminalClient + `\Default`},
	ReadHive:     readTerminalClient,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readTerminalClient(in *Hive, out *Emitter) error {
	servers, err := lookup(in, terminalClient+`\Servers`, out)
	if err != nil {
		out.Unreadable(terminalClient+`\Servers`, err)
	}
	if servers != nil && err == nil {
		list, whole := subkeys(servers, out)
		for _, k := range list {
			out.ObserveKey(k, evidence.Observation{
				Action: evidence.Context, Side: evidence.Client, Peer: clip(k.Name),
				Summary: "The Remote Desktop client knows the computer " + clip(k.Name) + ".",
				Detail:  pick(k, []string{"UsernameHint"}, out),
			})
		}
		if whole {
			out.Attest(terminalClient + `\Servers`)
		}
	}
	k, err := lookup(in, terminalClient+`\Default`, out)
	if k == nil {
		return err
	}
	whole := true
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		if !strings.HasPrefix(strings.ToUpper(v.Name), "MRU") || !isText(v) {
			continue
		}
		peer := clip(valueText(k, v, out))
		out.ObserveValue(k, v, strings.EqualFold(v.Name, "MRU0"), evidence.Observation{
			Action: evidence.Context, Side: evidence.Client, Peer: peer,
			Summary: "The Remote Desktop client lists the computer " + peer + ".",
		})
	}
	if whole {
		out.Attest(terminalClient + `\Default`)
	}
	return nil
}
