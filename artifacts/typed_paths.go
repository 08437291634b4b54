package artifacts

import (
	"fmt"
	"strconv"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
)

var _ = register(Artifact{
	Name:         "typed-paths",
	Title:        "shares typed into Explorer's address bar",
	What:         `NTUSER.DAT, key ` + explorer + `\TypedPaths: values url1 (the newest), url2, ...`,
	Proves:       `the user typed or pasted that path into Explorer. The key's last write is the time of url1, and an upper bound for the others`,
	DoesNotProve: `that the share was mapped, or that it answered`,
	Reference:    "keydet89/RegRipper3.0, typedpaths.pl; libyal/winreg-kb",
	Hive:         hive.NTUSER,
	Keys:         []string{explorer + `\TypedPaths`},
	ReadHive:     readTypedPaths,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readTypedPaths(in *Hive, out *Emitter) error {
	const path = explorer + `\TypedPaths`
	k, err := lookup(in, path, out)
	if k == nil {
		return err
	}
	whole := true
	byNumber := map[int]*hive.Value{}
	last := 0
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		n, ok := urlNumber(v.Name)
		if _, twice := byNumber[n]; !ok || twice {
			out.Doubtful(k.Path, v.Name, binread.Errorf(v.Off, "value name", "value %q does not belong here", clip(v.Name)))
			continue
		}
		byNumber[n] = v
		last = max(last, n)
	}
	// A missing number is a value deleted by hand, and the last write may then
	// be that of the deletion.
	sound := whole && len(byNumber) == last
	if whole && !sound {
		observeHoles(k, []string{fmt.Sprintf("%d values, but the highest is url%d", len(byNumber), last)}, out)
		out.Doubtful(k.Path, "", binread.Errorf(k.Off, "TypedPaths", "hole: %d values, but the highest is url%d, as after a deletion by hand", len(byNumber), last))
	}
	for n := 1; n <= last; n++ {
		if v := byNumber[n]; v != nil {
			observeTypedPath(k, v, int64(n-1), sound && n == 1, out)
		}
	}
	if whole {
		out.Attest(path)
	}
	return nil
}

// urlNumber returns the n of a value name "urln".
func urlNumber(s string) (int, bool) {
	if len(s) < 4 || !strings.EqualFold(s[:3], "url") {
		return 0, false
	}
	n, err := strconv.Atoi(s[3:])
	return n, err == nil && n > 0 && n <= maxValues
}

func observeTypedPath(k *hive.Key, v *hive.Value, position int64, newest bool, out *Emitter) {
	e := mruEntry{value: v, text: clip(valueText(k, v, out)), position: position}
	o := evidence.Observation{Action: evidence.Used, Side: evidence.Client, Detail: e.detail()}
	if place(&o, e.text) {
		o.Summary = name(&o) + " was typed into Explorer's address bar."
		out.ObserveValue(k, v, newest, o)
	}
}
