package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/hive"
)

const internetExplorer = `Software\Microsoft\Internet Explorer`

var _ = register(Artifact{
	Name:         "typed-urls",
	Title:        "shares typed into the address bar of Internet Explorer",
	What:         `NTUSER.DAT, key ` + internetExplorer + `\TypedURLs: values url1 (the newest), url2, ..., and TypedURLsTime: their times, since Windows 8`,
	Proves:       `the user typed or pasted that path into Internet Explorer, or until Vista into Explorer, at the time that TypedURLsTime has for it`,
	DoesNotProve: `that the share was mapped, or that it answered`,
	Reference:    "keydet89/RegRipper3.0, typedurls.pl; log2timeline/plaso, typedurls.py",
	Hive:         hive.NTUSER,
	Keys:         []string{internetExplorer + `\TypedURLs`},
	ReadHive:     readTypedURLs,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

func readTypedURLs(in *Hive, out *Emitter) error {
	const path = internetExplorer + `\TypedURLs`
	k, err := lookup(in, path, out)
	if k == nil {
		return err
	}
	times, err := in.Key(internetExplorer + `\TypedURLsTime`)
	if err != nil && !isAbsent(err) {
		out.Unreadable(internetExplorer+`\TypedURLsTime`, err)
	}
	if err != nil {
		times = nil
	}
	whole := true
	for v, err := range k.Values() {
		if err != nil {
			out.Unreadable(k.Path, err)
			whole = false
			continue
		}
		n, ok := urlNumber(v.Name)
		text := ""
		if ok {
			text = valueText(k, v, out)
		}
		if text == "" || hasScheme(text) {
			continue
		}
		o, ok := placeOrDrive(text)
		if !ok {
			continue
		}
		o.Detail = append(o.Detail, evidence.Field{Name: "Data", Value: clip(text)}, evidence.Field{Name: "Position", Value: int64(n - 1)})
		o.Summary = "Typed into the address bar of Internet Explorer: " + target(&o) + "."
		out.ObserveValue(k, v, false, o)
		if t := binaryTime(times, v.Name); !t.IsZero() {
			row := out.Observations[len(out.Observations)-1]
			row.Time, row.Own().TimeKind = t, evidence.ItemTime
		}
	}
	if whole {
		out.Attest(path)
	}
	return nil
}
