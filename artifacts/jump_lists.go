package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/shell"
)

var _ = register(Artifact{
	Name:         "jump-lists",
	Title:        "places on shares in the jump lists of programs",
	What:         `*.automaticDestinations-ms and *.customDestinations-ms in Recent of each profile, one file a program (AppID): places that it opened, each a link, and in automatic ones the list DestList`,
	Proves:       `the program opened that place; the time is that of its last use there (DestList), and the letter (DeviceName) stood for the share when the entry was written`,
	DoesNotProve: `that the share was mapped at the time of the last use. Entries of custom lists, and links that DestList has not, carry no time`,
	Reference:    "libyal/dtformats, Jump lists format; [MS-SHLLINK]",
	ReadFile:     readJumpList,
	Files: []string{
		"Users/*/AppData/Roaming/Microsoft/Windows/Recent/AutomaticDestinations/*.automaticDestinations-ms",
		"Users/*/AppData/Roaming/Microsoft/Windows/Recent/CustomDestinations/*.customDestinations-ms",
	},
})

func readJumpList(in *DataFile, out *Emitter) error {
	id, automatic := strings.CutSuffix(in.Name, ".automaticdestinations-ms")
	read := shell.ReadAutomatic
	if !automatic {
		id = strings.TrimSuffix(in.Name, ".customdestinations-ms")
		read = shell.ReadCustom
	}
	list, err := read(in.R, in.Size)
	if err != nil {
		return err
	}
	out.seen(list.Problems)
	for i := range list.Entries {
		e := &list.Entries[i]
		o, ok := jumpTarget(e, out)
		if !ok {
			continue
		}
		o.Detail = detail(o.Detail,
			evidence.Field{Name: "AppID", Value: id},
			evidence.Field{Name: "Stream", Value: e.Stream},
			evidence.Field{Name: "Path", Value: e.Path},
			evidence.Field{Name: "Hostname", Value: e.Host},
			evidence.Field{Name: "AccessCount", Value: int64(e.Count)},
			evidence.Field{Name: "Pinned", Value: e.Pinned},
		)
		o.Summary = "A program keeps " + target(&o) + " in its jump list."
		if !e.Accessed.IsZero() {
			o.Time, o.TimeKind = e.Accessed, evidence.ItemTime
			o.Summary = "A program last used " + target(&o) + ", as its jump list says."
		} else if automatic && !e.Listed {
			o.Detail = append(o.Detail, evidence.Field{Name: "unlisted", Value: true})
		}
		out.ObserveBytes(e.Off, e.Len, o)
	}
	return nil
}

// jumpTarget tells where e leads to: by its link, else by DestList.
func jumpTarget(e *shell.JumpEntry, out *Emitter) (o evidence.Observation, ok bool) {
	if e.Link != nil {
		if o, ok = linkTarget(e.Link, out); ok {
			return o, true
		}
		if e.Link.Local != nil {
			return o, false // a place on a local drive
		}
	}
	return placeOrDrive(e.Path)
}
