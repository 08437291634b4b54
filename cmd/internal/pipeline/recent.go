package pipeline

import (
	"path"
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/source"
)

// A shortcut is the name of a file in Recent of one profile.
type shortcut struct {
	vol        *source.Volume
	user, name string // folded
}

// joinRecent gives the documents that a user's hive lists by name the places
// that their shortcuts in Recent lead to: the list itself names no share.
func joinRecent(tasks []*task) {
	links := map[shortcut]*evidence.Fact{}
	for _, t := range tasks {
		dir, name := path.Split(strings.ToLower(t.file.Path))
		if path.Base(dir) != "recent" {
			continue
		}
		for _, o := range t.out.Observations {
			if o.Artifact == "lnk" {
				links[shortcut{t.vol, strings.ToLower(o.User), name}] = o
			}
		}
	}
	if len(links) == 0 {
		return
	}
	for _, t := range tasks {
		for _, f := range t.out.Observations {
			if f.Artifact != "recent-docs" {
				continue
			}
			l := links[shortcut{t.vol, strings.ToLower(f.User), strings.ToLower(f.Detail.Text("Shortcut"))}]
			if l == nil {
				continue
			}
			o := f.Own()
			o.Action, o.Share, o.Drive, o.Peer = evidence.Used, l.Share, l.Drive, l.Peer
			where := l.Share
			switch {
			case where == "" && l.Peer != "":
				where = `\\` + l.Peer
			case where == "":
				where = "network drive " + l.Drive
			}
			o.Summary = "Document " + o.Detail.Text("Document") + " was opened; its shortcut in Recent leads to " + where + "."
			o.Detail = append(o.Detail, evidence.Field{Name: "link", Value: l.From().Path})
			if sub := l.Detail.Text("subpath"); sub != "" {
				o.Detail = append(o.Detail, evidence.Field{Name: "subpath", Value: sub})
			}
		}
	}
}
