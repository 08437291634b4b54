package artifacts

import (
	"strings"

	"sharetrail/artifacts/evidence"
	"sharetrail/parsers/binread"
	"sharetrail/parsers/shell"
)

var _ = register(Artifact{
	Name:         "lnk",
	Title:        "shortcuts to places on shares",
	What:         `*.lnk in Recent, Office\Recent, Desktop and Network Shortcuts of each profile: share, path below it, and the drive letter that it was reached by`,
	Proves:       `when the shortcut was written, its target lay on that share, and that letter (DeviceName) stood for it. The row's time is the last write of the file itself; CreationTime, AccessTime and WriteTime are what the target's computer said of the target`,
	DoesNotProve: `that the target still exists, that the letter stood for the share at any other time, or who made the shortcut beyond whose profile it lies in. The file's time is that of the collected copy`,
	Reference:    "[MS-SHLLINK] Shell Link Binary File Format; libyal/liblnk, Windows Shortcut File format",
	ReadFile:     readLnk,
	Files: []string{
		"Users/*/AppData/Roaming/Microsoft/Windows/Recent/*.lnk", "Users/*/AppData/Roaming/Microsoft/Office/Recent/*.lnk",
		"Users/*/AppData/Roaming/Microsoft/Windows/Network Shortcuts/*/*.lnk", "Users/*/Desktop/*.lnk",
	},
})

func readLnk(in *DataFile, out *Emitter) error {
	l, err := shell.ReadLink(in.R, in.Size)
	if err != nil {
		return err
	}
	out.seen(l.Problems)
	o, ok := linkTarget(l, out)
	if !ok {
		return nil
	}
	o.Summary = "A shortcut to " + target(&o) + " was written."
	if !in.ModTime.IsZero() {
		o.Time, o.TimeKind = in.ModTime, evidence.FileModified
	}
	out.ObserveBytes(l.Off, l.Len, o)
	return nil
}

// target names in a sentence what o leads to.
func target(o *evidence.Observation) string {
	switch {
	case o.Action == evidence.Context && o.Drive != "":
		return "drive " + o.Drive + ", whatever it stood for then"
	case o.Share == "" && o.Peer == "" && o.Drive != "":
		return "network drive " + o.Drive
	case o.Drive != "":
		return name(o) + " through drive " + o.Drive
	}
	return name(o)
}

// linkTarget tells where l leads to; ok is false if that is no network place.
// LinkInfo, which Windows resolved itself, goes before the list of items, and
// that before texts.
func linkTarget(l *shell.Link, out *Emitter) (o evidence.Observation, ok bool) {
	o = evidence.Observation{Action: evidence.Used, Side: evidence.Client}
	items := l.Items.Path()
	doubt := false
	switch n := l.Network; {
	case n != nil:
		if ok = place(&o, n.Path()); !ok {
			out.Doubtful("", "", binread.Errorf(l.Off, "NetName", "%q is no share", clip(n.NetName)))
			return o, false
		}
		o.Drive = evidence.Drive(n.Device)
		doubt = n.ANSI
		if n.Provider != 0 {
			o.Detail = detail(o.Detail, evidence.Field{Name: "NetworkProviderType", Value: hex32(n.Provider)})
		}
	case l.Local != nil && l.Local.DriveType == driveRemote && len(l.Local.Path) >= 2 && evidence.Drive(l.Local.Path[:2]) != "":
		o.Drive, ok, doubt = evidence.Drive(l.Local.Path[:2]), true, l.Local.ANSI
		o.Detail = detail(o.Detail, evidence.Field{Name: "subpath", Value: strings.Trim(l.Local.Path[2:], `\`)}, evidence.Field{Name: "VolumeLabel", Value: l.Local.Label})
	case l.Local != nil:
		return o, false
	default:
		for _, s := range []string{items.UNC, l.VistaItems.Path().UNC, parsingPath(l), l.EnvTarget, l.RelativePath} {
			if strings.HasPrefix(s, `\\`) && place(&o, s) {
				ok, doubt = true, s == items.UNC && items.ANSI
				break
			}
		}
	}
	if !ok {
		return o, false
	}
	o.Detail = detail(o.Detail,
		evidence.Field{Name: "CreationTime", Value: l.Created},
		evidence.Field{Name: "AccessTime", Value: l.Accessed},
		evidence.Field{Name: "WriteTime", Value: l.Modified},
		evidence.Field{Name: "FileSize", Value: int64(l.FileSize)},
		evidence.Field{Name: "WorkingDir", Value: l.WorkingDir},
		evidence.Field{Name: "Arguments", Value: out.maskedText(l.Arguments)},
	)
	if l.Tracker != nil {
		o.Detail = detail(o.Detail, evidence.Field{Name: "MachineID", Value: l.Tracker.Machine})
	}
	if doubt {
		o.Detail = append(o.Detail, evidence.Field{Name: "doubt", Value: "the text is of an unknown code page, read as Windows-1252"})
	}
	return o, true
}

// driveRemote is DRIVE_REMOTE of GetDriveType.
const driveRemote = 4

// parsingPath returns the path that the properties of l give.
func parsingPath(l *shell.Link) string {
	for _, p := range l.Properties {
		if p.Key == shell.ParsingPath {
			return p.Text
		}
	}
	return ""
}
