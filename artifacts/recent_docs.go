package artifacts

import (
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/hive"
	"sharetrail/parsers/shell"
)

var _ = register(Artifact{
	Name:         "recent-docs",
	Title:        "documents that the user opened, by name",
	What:         `NTUSER.DAT, key ` + recentDocs + ` and one below it for each extension: values with the document's name and that of its shortcut in Recent; MRUListEx is their order`,
	Proves:       `the user opened a document of that name. The last write of a key is the time of the first of its list. Where the shortcut in Recent leads to a share, the row names it`,
	DoesNotProve: `where the document lay, if its shortcut is gone, or was made anew for another of the same name`,
	Reference:    "keydet89/RegRipper3.0, recentdocs.pl; libyal/winreg-kb, Explorer keys: Most recently used",
	Hive:         hive.NTUSER,
	Keys:         []string{recentDocs},
	ReadHive:     readRecentDocs,
	Files:        []string{"Users/*/NTUSER.DAT"},
})

const recentDocs = explorer + `\RecentDocs`

func readRecentDocs(in *Hive, out *Emitter) error {
	k, err := lookup(in, recentDocs, out)
	if k == nil {
		return err
	}
	list, whole := subkeys(k, out)
	for _, key := range append([]*hive.Key{k}, list...) {
		entries, ok := numberedMRU(key, out)
		whole = whole && ok
		for _, e := range entries {
			if !observeDocument(key, e, out) {
				whole = false
			}
		}
	}
	if whole {
		out.Attest(recentDocs)
	}
	return nil
}

// observeDocument reports one document; false if its entry is unreadable.
func observeDocument(k *hive.Key, e mruEntry, out *Emitter) bool {
	b, err := e.value.Bytes()
	if err != nil {
		out.Unreadable(k.Path, err)
		return false
	}
	n := wideEnd(b)
	if n == len(b)&^1 {
		out.Unreadable(k.Path, binread.Errorf(max(e.value.DataOff, 0), "RecentDocs", "entry %q: name without an end", e.value.Name))
		return false
	}
	document := utf16Text(b[:n])
	items, err := shell.ParseList(b[n+2:], max(e.value.DataOff, 0)+int64(n)+2)
	if err != nil {
		out.Unreadable(k.Path, err)
	}
	o := evidence.Observation{Action: evidence.Context, Side: evidence.Client, Summary: "Document " + clip(document) + " was opened, wherever it lay."}
	o.Detail = append(e.order(), evidence.Field{Name: "Document", Value: clip(document)})
	if len(items) > 0 {
		o.Detail = detail(o.Detail, evidence.Field{Name: "Shortcut", Value: items[0].Name})
	}
	out.ObserveValue(k, e.value, e.newest, o)
	return err == nil
}
