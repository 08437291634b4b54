package output

import (
	"slices"
	"strings"
	"time"

	"sharetrail/artifacts/evidence"
)

// tleColours are the words by which Timeline Explorer colours rows of its layout
// "Forensic Timeline"; it looks for them in ArtifactName.
var tleColours = map[string]string{
	"lnk": "LNK", "jump-lists": "JumpLists", "shellbags": "Shellbags", "prefetch": "Prefetch", "appcompatcache": "AppCompatCache",
}

// TimelineExplorer is the layout of observations that Timeline Explorer loads with
// columns of its own: names and order are those of its plug-in for Forensic
// Timeline (TLEFilePlugins, TLEFileTimelines/Timelines.cs). It adds Line and Tag
// itself. DateTime is UTC without a zone, as the tools of its author write it:
// the plug-in turns a time with a zone into that of the analyst's computer.
var TimelineExplorer = NewLayout("observation", []Column[observation]{
	{"DateTime", func(o *observation) any { return o.Time.UTC().Format("2006-01-02 15:04:05.0000000") }},
	{"TimestampInfo", func(o *observation) any { return strings.ReplaceAll(string(o.TimeKind), "_", " ") }},
	{"ArtifactName", func(o *observation) any {
		name := o.Artifact
		if known, ok := tleColours[name]; ok {
			name = known
		}
		if o.State == evidence.Deleted {
			name += " (Deleted)"
		}
		return name
	}},
	{"Tool", func(*observation) any { return "sharetrail" }},
	{"Description", func(o *observation) any { return o.Summary }},
	{"DataDetails", func(o *observation) any {
		details := []string{string(o.Action)}
		if o.Process != nil {
			details = append(details, o.Process.CommandLine)
		}
		details = append(details, o.Drive, o.Peer, o.ID)
		return strings.Join(slices.DeleteFunc(details, func(s string) bool { return s == "" }), " | ")
	}},
	{"DataPath", func(o *observation) any { return o.Share }},
	{"FileExtension", func(*observation) any { return "" }},
	{"EventId", func(o *observation) any {
		if o.From.Channel == "" || o.From.EventID > 1<<31-1 {
			return nil // an Int32 there
		}
		return o.From.EventID
	}},
	{"User", func(o *observation) any { return o.User }},
	{"Computer", func(o *observation) any { return o.Host }},
	{"FileSize", func(*observation) any { return nil }},
	{"EvidencePath", func(o *observation) any {
		return strings.TrimSpace(place(&o.From).Path + " " + locator(&o.From))
	}},
	{"Level", func(o *observation) any { return strings.Join(o.Attack, "; ") }},
}...)

// ForTimelineExplorer returns the rows that Timeline Explorer can load, in their
// order, and counts the others: one row without a time, or with one that .NET
// does not know, would make it refuse the whole file.
func ForTimelineExplorer(rows []evidence.Observation) ([]evidence.Observation, Omitted) {
	var left Omitted
	fits := slices.DeleteFunc(slices.Clone(rows), func(o evidence.Observation) bool {
		switch {
		case o.Time.IsZero():
			left.Undated++
		case !dotNetTime(o.Time):
			left.OutOfRange++
		default:
			return false
		}
		return true
	})
	return fits, left
}

func dotNetTime(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }
