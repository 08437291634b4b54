package pipeline

import (
	"path"
	"slices"
	"strings"

	"sharetrail/artifacts"
	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// volumeFacts tells what volumes themselves attest: which shadow copies there
// are, and what a collector says it left behind.
func volumeFacts(tasks []*task, hosts *hostNames) (facts []evidence.Coverage) {
	seen := map[*source.Volume]bool{}
	shadows := map[string]*evidence.Coverage{} // by host
	var order []string
	told := map[fileKey]*task{}
	for _, t := range tasks {
		told[t.key()] = t
	}
	for _, t := range tasks {
		v, host := t.vol, hosts.volume[t.vol]
		if seen[v] {
			continue
		}
		seen[v] = true
		if v.Snapshot != "" || v.EmptyCatalog {
			c := shadows[host]
			if c == nil {
				c = &evidence.Coverage{Evidence: "vss", Host: host, Complete: true, Place: t.place}
				shadows[host] = c
				order = append(order, host)
			}
			if c.Emptied = c.Emptied || v.EmptyCatalog; v.Snapshot != "" {
				c.Records++
				if c.From.IsZero() || v.AsOf.Before(c.From) {
					c.From = v.AsOf
				}
				if v.AsOf.After(c.To) {
					c.To, c.AsOf = v.AsOf, v.AsOf
				}
			}
		}
		facts = append(facts, unread(v, host, t.place, told)...)
		if hidden := hiddenIn(v); len(hidden) > 0 {
			facts = append(facts, evidence.Coverage{Host: host, Records: -1, Unlisted: true, Keys: hidden, Place: t.place})
		}
		if v.Whole {
			facts = append(facts, evidence.Coverage{Host: host, Records: -1, Whole: true, Keys: kindsOn(v), Place: t.place})
		}
		for _, p := range v.NotCollected {
			if kind := kindOfPath(p); kind != "" {
				facts = append(facts, evidence.Coverage{Evidence: kind, Host: host, Records: -1, NotCollected: true, Place: t.place})
			}
		}
	}
	for _, h := range order {
		facts = append(facts, *shadows[h])
	}
	return facts
}

// unread names the kinds of evidence that have a file on a volume as collected of
// which nothing was read: those that are damaged, and those that hold nothing.
func unread(v *source.Volume, host string, at *evidence.Place, told map[fileKey]*task) (facts []evidence.Coverage) {
	if v.Snapshot != "" || artifacts.IsFormer(v.Root) {
		return nil
	}
	files := slices.Clone(v.Files)
	for _, p := range v.Unreadable {
		files = append(files, source.File{Path: p, Expected: true})
	}
	for i := range files {
		f := &files[i]
		t := told[fileKey{at.Source, source.Ref{Volume: v.ID, Path: f.Path}}]
		if t != nil && t.told {
			continue
		}
		kind := kindOfFile(f, v.Loose)
		channel, isLog := strings.CutPrefix(kind, "evtx:")
		if kind == "" || f.Deleted || artifacts.IsFormer(f.Path) || isLog && !artifacts.WantsChannel(channel) {
			continue
		}
		empty := t != nil && !slices.ContainsFunc(t.out.Problems, func(p evidence.Problem) bool { return p.Severity == evidence.Error })
		facts = append(facts, evidence.Coverage{Host: host, Records: -1, Unread: true, Keys: []string{kind}, Complete: empty, Place: at})
	}
	return facts
}

// hiddenIn names the kinds of evidence that may lie unseen on a volume as collected,
// as evidence.Coverage has them: not all of their directory, or of one above it, could
// be listed.
func hiddenIn(v *source.Volume) (kinds []string) {
	if v.Snapshot != "" || artifacts.IsFormer(v.Root) {
		return nil
	}
	for _, dir := range v.Unlisted {
		dir = strings.ToLower(dir)
		above := func(place string) bool { return dir == "" || dir == place || strings.HasPrefix(place, dir+"/") }
		if above("windows/system32/winevt/logs") {
			kinds = append(kinds, "evtx:")
		}
		if above("windows/system32/config") {
			kinds = append(kinds, "registry:SYSTEM", "registry:SOFTWARE", "registry:SECURITY", "registry:SAM")
		}
		if above("users") {
			kinds = append(kinds, "registry:NTUSER:")
		} else if kind := kindOfPath(dir + "/ntuser.dat"); kind != "" && path.Dir(dir) == "users" {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// kindsOn names the kinds of evidence that have a file on a volume.
func kindsOn(v *source.Volume) (kinds []string) {
	for i := range v.Files {
		if kind := kindOfFile(&v.Files[i], false); kind != "" && !v.Files[i].Deleted {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// kindOfFile returns the kind of evidence that a file is meant to be: an event log
// wherever it lies, and a loose hive by its name alone.
func kindOfFile(f *source.File, loose bool) string {
	p := f.Path
	switch {
	case f.Expected && strings.EqualFold(path.Ext(p), ".evtx"):
		p = "Windows/System32/winevt/Logs/" + path.Base(p)
	case f.Expected && loose && !strings.Contains(strings.ToLower(p), "regback/"):
		if kind := kindOfPath("Windows/System32/config/" + path.Base(p)); kind != "" {
			return kind
		}
	}
	return kindOfPath(p)
}

// kindOfPath returns the kind of evidence that Windows keeps at a path, "" if
// it is none that coverage tells of.
func kindOfPath(p string) string {
	dir, name := path.Split(strings.ToLower(strings.ReplaceAll(p, `\`, "/")))
	switch {
	case p == source.ShadowCopies:
		return "vss"
	case name == "ntuser.dat" && strings.Contains(dir, "users/"):
		return "registry:NTUSER:" + path.Base(path.Dir(strings.ReplaceAll(p, `\`, "/")))
	case strings.HasSuffix(dir, "system32/config/"):
		switch up := strings.ToUpper(name); up {
		case "SYSTEM", "SOFTWARE", "SECURITY", "SAM":
			return "registry:" + up
		}
	case strings.HasSuffix(dir, "winevt/logs/") && strings.HasSuffix(name, ".evtx"):
		base := path.Base(strings.ReplaceAll(p, `\`, "/"))
		return "evtx:" + strings.ReplaceAll(base[:len(base)-len(".evtx")], "%4", "/")
	}
	return ""
}
